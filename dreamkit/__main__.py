"""`python -m dreamkit` and the `dreamkit` command; both call `cli.main`."""

from dreamkit.cli import main

if __name__ == "__main__":
    main()

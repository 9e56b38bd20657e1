"""`python -m dreamkit` and the `dreamkit` command: see `cli`."""

from dreamkit.cli import main

if __name__ == "__main__":
    main()

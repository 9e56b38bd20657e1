"""The command line: `dreamkit dream photo.jpg`, and what goes with it. Each command is a few public calls of the library."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from ..pictures.samples import sample_credit
from . import again as _again
from . import atlas as _atlas
from . import dream as _dreams
from . import films as _films
from . import sheets as _sheets
from .console import printable, run
from .options import DEFAULT_LAYERS as DEFAULT_LAYERS
from .options import signals

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, or 2 after a mistake, 130 after Ctrl-C, 143 after SIGTERM, 1 where a check failed."""
    sys.exit(call(arguments))


def call(arguments: list[str] | None = None) -> int:
    """The exit status of one command line (by default the one that this process was called with)."""
    signals.arrived, signals.holding = 0, False
    command = typer.main.get_command(app)

    def invoke() -> None:
        code = command.main(args=arguments, prog_name="dreamkit", standalone_mode=False)
        if isinstance(code, int) and code:
            raise SystemExit(code)

    return run(invoke, signals)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"dreamkit {dk.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version and end."
        ),
    ] = False,
) -> None:
    """See what a convolutional network sees: DeepDream and feature maps from the command line."""
    if context.invoked_subcommand is None:
        print(context.get_help())


_dreams.register(app)
_films.register(app)
_sheets.register(app)
_again.register(app)
_atlas.register(app, lambda: signals)


@app.command()
def samples() -> None:
    """List the sample photos and their authors."""
    for name in dk.samples():
        height, width = dk.sample(name).shape[-2:]
        print(f"{name:<12}{width:>5}×{height:<6}{sample_credit(name)}")


@app.command()
def doctor() -> None:
    """Check that all that is needed is here.

    One line a need, OK or FAIL; exit status 1 where something is missing.
    """
    from . import doctor as examination

    sound = True
    for good, line in examination.examine():
        print(f"{'OK  ' if good else 'FAIL'}  {line}", flush=True)
        signals.check()
        sound = sound and good
    raise typer.Exit(0 if sound else 1)


@app.command()
def lab(
    folder: Annotated[
        Path | None, typer.Argument(help="the lessons' folder, where it is not found by itself")
    ] = None,
    port: Annotated[
        int, typer.Option(help="where JupyterLab listens, on this machine only")
    ] = 8888,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="open it in the browser")
    ] = True,
) -> None:
    """Open the lessons in JupyterLab.

    It can be reached from this machine only, and with a token.
    """
    import secrets

    root = _lessons(folder)
    from jupyterlab.labapp import LabApp

    token, port = secrets.token_hex(24), _free_port(port)
    print(
        f"Lessons in {printable(str(root))}: http://127.0.0.1:{port}/lab?token={token}  (Ctrl-C ends JupyterLab)",
        flush=True,
    )
    # Given in the process and not on a command line, where other users of the machine could read the token.
    # In a container one often is root, and Jupyter then wants to be told that this is meant; it stays on loopback, with its token.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    LabApp.launch_instance(
        argv=[
            f"--ServerApp.root_dir={root}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--ServerApp.open_browser={browser}",
            "--ServerApp.allow_remote_access=False",
            f"--ServerApp.allow_root={is_root}",
            f"--IdentityProvider.token={token}",
        ]
    )


def _free_port(port: int) -> int:
    """The first free one of fifty ports from `port` on, so that the address can be told before JupyterLab starts."""
    import socket

    if not 1 <= port <= 65_535:
        raise ValueError(f"a port lies from 1 to 65535; given: {port}")
    for candidate in range(port, min(port + 50, 65_536)):
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind(("127.0.0.1", candidate))
            return candidate
    raise ValueError(
        f"no free port from {port} to {min(port + 49, 65_535)}; give another with --port"
    )


def _lessons(folder: Path | None) -> Path:
    places = (
        [folder]
        if folder is not None
        else [Path(dk.__file__).parent.parent / "notebooks", Path("notebooks"), Path(".")]
    )
    for place in places:
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place.resolve()
    raise ValueError(
        f"no lessons in {' or '.join(repr(str(place)) for place in places)}: they come with dreamkit's source, not with the "
        "installed package; clone its repository and call dreamkit lab there, or name their folder: dreamkit lab FOLDER"
    )


if __name__ == "__main__":
    main()

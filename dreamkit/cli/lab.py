"""`dreamkit lab`: the lessons in JupyterLab, for this machine only and always with a token."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from .console import print_line


def lab(
    folder: Annotated[
        Path | None, typer.Argument(help="the lessons' folder, if it is not found by itself")
    ] = None,
    port: Annotated[
        int, typer.Option(help="the port on this machine; the next free one if it is taken")
    ] = 8888,
    browser: Annotated[bool, typer.Option(help="open JupyterLab in the browser")] = True,
) -> None:
    """Open the lessons in JupyterLab.

    It can be reached from this machine only, and only with a token.
    """
    if not 1 <= port <= 65_535:
        raise ValueError(f"a port is a whole number from 1 to 65535; given: {port}")
    root = _lessons(folder)
    from jupyterlab.labapp import LabApp  # a second or two, which a mistake need not wait for

    print_line(f"Lessons in {root} (Ctrl-C ends JupyterLab)")
    # Jupyter itself tries further ports, and prints its address once it has one.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # as one often is in a container
    LabApp.launch_instance(
        argv=[
            f"--ServerApp.root_dir={root}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--ServerApp.open_browser={browser}",
            "--ServerApp.allow_remote_access=False",
            f"--ServerApp.allow_root={is_root}",
            "--ServerApp.identity_provider_class=dreamkit.cli.lab_token.TokenIdentityProvider",
        ]
    )


def _lessons(folder: Path | None) -> Path:
    """The folder of the lessons; raises ValueError if no place has them."""
    beside_package = Path(dk.__file__).parent.parent / "notebooks"
    places = [beside_package, Path("notebooks"), Path()] if folder is None else [folder]
    for place in places:
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place.resolve()
    raise ValueError(
        f"no lessons in {' or '.join(repr(str(place)) for place in places)}: they come with "
        "dreamkit's source, not with the installed package; clone its repository and call "
        "dreamkit lab there, or name their folder: dreamkit lab FOLDER"
    )

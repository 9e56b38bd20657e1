"""`dreamkit lab`: the lessons in JupyterLab, for this machine only and always with a token."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .console import print_line, say
from .course import put_course


def lab(
    folder: Annotated[
        Path, typer.Argument(help="the folder of the lessons; made if it does not exist")
    ] = Path("dreamkit-course"),
    port: Annotated[
        int, typer.Option(help="the port on this machine; the next free one if it is taken")
    ] = 8888,
    browser: Annotated[bool, typer.Option(help="open JupyterLab in the browser")] = True,
) -> None:
    """Open the lessons in JupyterLab.

    It puts them into a folder of yours first. What you have changed there stays, also when dreamkit
    brings a newer lesson: that is put beside yours. JupyterLab can be reached from this machine
    only, and only with a token.
    """
    if not 1 <= port <= 65_535:
        raise ValueError(f"a port is a whole number from 1 to 65535; given: {port}")
    for line in put_course(folder):
        say(line)
    root = folder.resolve()
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

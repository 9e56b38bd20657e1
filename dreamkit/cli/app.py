"""The program `dreamkit`: a command's module is imported when the command is called."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer
from typer.core import TyperGroup

import dreamkit as dk

from .console import run, signals

# command: (the module that defines it, the first line of its help)
COMMANDS = {
    "dream": ("dream", "Dream a picture, or several."),
    "zoom": ("films", "Film an endless zoom into a dream."),
    "film": ("films", "Dream a video."),
    "figures": ("sheets", "Make the figures of the 2015 Inceptionism post again."),
    "layers": ("listings", "List a network's layers in the order they run."),
    "features": ("sheets", "Draw the feature maps of one layer."),
    "grid": ("seen", "Draw what a layer sees in each part of a photo."),
    "groups": ("seen", "Draw the groups of channels that act together in a photo."),
    "caricature": ("seen", "Draw what a layer keeps of a photo, exaggerated."),
    "page": ("browser_page", "Write DeepDream as a page that dreams in the browser."),
    "again": ("again", "Make a picture again from its passport."),
    "atlas": ("atlas", "Draw what every channel of a network responds to."),
    "activation-atlas": ("photo_atlas", "Draw a map of what a layer sees in many photos."),
    "samples": ("listings", "List the sample photos and their authors."),
    "doctor": ("doctor", "Check that everything dreamkit needs is installed and works."),
    "lab": ("lab", "Open the lessons in JupyterLab."),
}
STYLE = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


class Commands(TyperGroup):
    """The commands of the table; `--help` and `--version` import none, and so no PyTorch."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str):
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __package__)
        program = typer.Typer(**STYLE)
        function = getattr(module, cmd_name.replace("-", "_"))
        # Signals are handled only while the command itself runs: whoever calls keeps their own.
        program.command(cmd_name)(signals.listening()(function))
        return typer.main.get_command(program)

    def format_commands(self, ctx: typer.Context, formatter: object) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **STYLE,
)


def call(arguments: list[str] | None = None) -> int:
    """The exit status of one command line, by default that of this process."""
    program = typer.main.get_command(app)
    return run(lambda: program.main(arguments, prog_name="dreamkit", standalone_mode=False))


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dreamkit {dk.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """See what a convolutional network sees: DeepDream and feature maps from the command line."""
    if context.invoked_subcommand is None:
        print(context.get_help())

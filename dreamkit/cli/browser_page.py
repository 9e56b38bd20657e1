"""`dreamkit page`: DeepDream as static files that dream in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import dreamkit as dk

from ..networks.zoo import DEFAULT_NETWORK
from ..page.making import build, page_files
from ..page.single import single_file as single_file_of
from ..pictures.files import check_place, write_whole
from .console import print_line, signals
from .options import Network, Weights


def page(
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="the folder of the page, or its file")
    ],
    network: Network = DEFAULT_NETWORK,
    weights: Weights = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="the folder `dist` of the npm package onnxruntime-web; if not given, its files "
            "are fetched once"
        ),
    ] = None,
    single_file: Annotated[
        bool,
        typer.Option(
            "--single-file",
            help="one HTML file instead, which works by double click; without the deepest layers",
        ),
    ] = False,
    precision: Annotated[
        str, typer.Option(help="of the weights: float16, half the size, or float32")
    ] = "float16",
) -> None:
    """Write DeepDream as a page that dreams in the browser.

    It needs no Python and no server that computes. Any static web server shows it: python -m
    http.server -d OUT. The photo of whoever uses it stays on their machine.
    """
    if precision not in ("float16", "float32"):
        raise ValueError(f"--precision is float16 or float32 here; given: {precision!r}")
    net = dk.load_network(network, weights=weights)
    half = precision == "float16"
    if single_file:
        check_place(output)
        data = single_file_of(page_files(net, runtime, half, small=True))
        signals.hold()
        write_whole(output, lambda file: file.write(data))
        print_line(f"{output}: {len(data) / 1e6:.1f} MB in one file")
        return
    count, size = 0, 0
    for path in build(output, net, runtime, half):
        count, size = count + 1, size + path.stat().st_size
        signals.check()
    print_line(f"{output}: {count} files, {size / 1e6:.1f} MB; python -m http.server -d {output}")

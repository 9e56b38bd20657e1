"""`dreamkit layers` and `dreamkit samples`: lists on stdout."""

from __future__ import annotations

from typing import Annotated

import typer

import dreamkit as dk

from ..networks.zoo import DEFAULT_NETWORK
from ..pictures.samples import sample_credit
from .console import print_row
from .options import Weights, default_layer

HEAD = ("", "layer", "type", "channels", "stride", "sees (pixels)")


def samples() -> None:
    """List the sample photos and their authors."""
    for name in dk.samples():
        height, width = dk.sample(name).shape[-2:]
        print_row(f"{name:<12}{width:>5}×{height:<6}{sample_credit(name)}")


def layers(
    network: Annotated[str, typer.Argument(help="the network's name")] = DEFAULT_NETWORK,
    weights: Weights = None,
) -> None:
    """List a network's layers in the order they run.

    With their names in the papers, where there are any: --layer understands both.
    """
    # names need no weights, and so nothing is fetched
    weights = weights or (None if network.startswith("dreamnet") else "random")
    net = dk.load_network(network, weights=weights)
    also: dict[str, list[str]] = {}
    for alias, name in dk.layer_aliases(net).items():
        also.setdefault(name, []).append(alias)
    suggested = dk.suggested_layers(net)
    rows = [(*HEAD, "also called" if also else "")]
    for info in dk.layer_table(net):
        rows.append(
            (
                "*" if info.name in (*suggested, default_layer(net)) else "",
                info.name,
                info.kind,
                str(info.channels),
                _sides(info.stride) if info.stride else "",
                _sides(info.field.size) if info.field else "?" if info.is_map else "everything",
                _some(also.get(info.name, [])),
            )
        )
    _print_table(rows, numbers=(3, 4, 5))
    print_row(f"* worth dreaming: dreamkit dream --network {network} --layer {default_layer(net)}")


def _print_table(rows: list[tuple[str, ...]], numbers: tuple[int, ...]) -> None:
    """Prints the rows in columns; those of `numbers` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print_row("  ".join(cells).rstrip())


def _some(names: list[str]) -> str:
    """As many of the names as fit into a line, with how many more there are."""
    shown = names[:2] if sum(map(len, names[:2])) <= 48 else names[:1]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _sides(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}×{sizes[1]}"

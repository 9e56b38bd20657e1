"""Whether all that dreamkit needs is here: one line a need, each found out by trying."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import torch

import dreamkit as dk

from ..networks.zoo import embedded_names

MANAGER = "labextensions/@jupyter-widgets/jupyterlab-manager"


def examine() -> Iterator[tuple[bool, str]]:
    """(good, what was found), a need at a time: versions, weights, a dream, the lessons' widgets. Nothing here raises."""
    yield _python()
    for package, least, extra in needs("dreamkit"):
        found = _package(package, least)
        if not extra:
            yield found
        elif found[0]:
            yield True, f"{found[1]} (for {extra})"
    for name in embedded_names():
        yield _try(
            f"weights of {name}",
            lambda name=name: (
                f"sha256 {dk.load_network(name, device='cpu').digest[:12]}… as shipped"
            ),
        )
    yield _try("device", _device)
    yield _try("sample photos", _samples)
    yield _try("one step of a dream", _one_step)
    yield _try("torchvision's networks", _torchvision)
    yield _try("widget manager of JupyterLab", _widgets)
    yield _try("Jupyter kernel", _kernel)


def needs(package: str) -> list[tuple[str, str, str]]:
    """(package, least version, extra or "") for all that the installed package says it requires.

    >>> [extra for name, _, extra in needs("dreamkit") if name in ("torch", "av")]
    ['', 'film']
    """
    found = []
    for line in requires(package) or []:
        match = re.match(r"\s*([\w.\-]+)(?:\[[\w,\-]+\])?\s*(?:>=\s*([\d.]+))?", line)
        extra = re.search(r"extra\s*==\s*['\"](\w+)['\"]", line)
        found.append((match[1], match[2] or "0", extra[1] if extra else ""))
    return found


def _python() -> tuple[bool, str]:
    least = metadata("dreamkit")["Requires-Python"].lstrip(">=")
    return _numbers(platform.python_version()) >= _numbers(
        least
    ), f"python {platform.python_version()} (needs {least}), {sys.executable}"


def _package(name: str, least: str) -> tuple[bool, str]:
    try:
        here = version(name)
    except PackageNotFoundError:
        return False, f"{name} is not installed (needs {least}): pip install '{name}>={least}'"
    return _numbers(here) >= _numbers(least), f"{name} {here} (needs {least})"


def _try(need: str, finding: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, f"{need}: {finding()}"
    except Exception as error:  # whatever is broken here, the next line must still come
        return False, f"{need}: {type(error).__name__}, {' '.join(str(error).split())[:300]}"


def _device() -> str:
    network = dk.load_network()
    name = (
        torch.cuda.get_device_name()
        if network.device.type == "cuda"
        else f"{torch.get_num_threads()} threads"
    )
    return f"{network.device} ({name})"


def _samples() -> str:
    for name in dk.samples():
        dk.sample(name, side=8)
    return f"all {len(dk.samples())} load"


def _one_step() -> str:
    photo, score = (
        dk.sample("china", side=128),
        dk.scorer(dk.load_network(), dk.layer("inception4c")),
    )
    dreamt = dk.dream(score, photo, dk.Settings(steps=1, octaves=1))
    if not bool(torch.isfinite(dreamt).all()) or torch.equal(dreamt, photo):
        raise ValueError("the picture did not change, or is not finite")
    with torch.no_grad():
        before, after = float(score(photo)), float(score(dreamt))
    if after <= before:
        raise ValueError(f"the score fell from {before:.4g} to {after:.4g}")
    return f"raises its score {after / before:.2f} times"


def _torchvision() -> str:
    import torchvision

    torchvision.ops.nms
    return f"{len(torchvision.models.list_models(module=torchvision.models))} known"


def _widgets() -> str:
    from jupyter_core.paths import jupyter_path

    found = [
        Path(folder) / MANAGER
        for folder in jupyter_path()
        if (Path(folder) / MANAGER / "package.json").is_file()
    ]
    if not found:
        raise ValueError(
            "not found: pip install ipywidgets into the environment that JupyterLab runs in"
        )
    return str(found[0])


def _kernel() -> str:
    return f"ipykernel {version('ipykernel')}"


def _numbers(version: str) -> tuple[int, ...]:
    """ "2.10.1+cpu" -> (2, 10, 1), so that 2.10 is newer than 2.9."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))

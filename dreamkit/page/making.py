"""Writes the page: the files of `site/`, the network, its runtime and the sample photos."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

from ..ascent.settings import Settings
from ..networks.network import Network
from ..networks.suggestions import suggested_layers
from ..objectives.objective import Objective, layer
from ..objectives.styles import settings_for, styles_of
from ..passport import entry, make, picture_spec
from ..pictures.files import check_target_folder, make_folder, write_whole
from ..pictures.image import to_pillow
from ..pictures.samples import sample, sample_credit
from .graphs import FIRST, Graphs, step_graphs
from .runtime import GPU_SCRIPT, GPU_WASM, SCRIPT, VERSION, WASM, runtime

SITE = Path(__file__).parent / "site"
_SAMPLES = {
    "china": "A pagoda among trees at a lake",
    "flower": "An orange dahlia",
    "chelsea": "A cat's face",
    "coffee": "A cup of coffee on a table",
    "clouds": "A sky with clouds, drawn by dreamkit",
    "rocket": "A rocket that starts at night",
}
# The greatest side that fits into a browser's memory: most of a step's memory is features.
_SIDES = {"efficientnet_lite0": 768}
_USUAL_SIDE = 512
# Not among the page's sliders: tiles are for posters.
_LEFT_OUT = ("tile",)


@dataclass(frozen=True)
class Choice:
    """What the page can dream: a style or a layer, with its objective and settings."""

    name: str
    kind: str  # "style" or "layer"
    shows: str
    objective: Objective
    settings: Settings


def choices(network: Network) -> list[Choice]:
    """The styles of the network, and its suggested layers."""
    found = [
        Choice(style.name, "style", style.shows, style.objective, style.settings)
        for style in styles_of(network).values()
    ]
    for name in suggested_layers(network):
        words = f"Everything that the layer {name} responds to."
        found.append(Choice(name, "layer", words, layer(name), settings_for(network, name)))
    return found


def build(
    folder: Path, network: Network, runtime_folder: Path | None = None, half: bool = True
) -> Iterator[Path]:
    """Write the page for a network into a folder; yields each file as it is written.

    runtime_folder: the folder `dist` of the npm package onnxruntime-web; None: from the cache, or
        fetched.
    half: weights in float16, half the size; the gradient's norm moves by some percent.

    The last file written is the page itself, so one that was stopped does not look whole. Raises
    ValueError where a file cannot be had or written.
    """
    check_target_folder(folder)
    files = page_files(network, runtime_folder, half)
    files["service.js"] = _service(files)
    index = files.pop("index.html")
    for name, data in (*files.items(), ("index.html", index)):
        path = folder / name
        make_folder(path.parent)
        write_whole(path, lambda file, data=data: file.write(data))
        yield path


def page_files(
    network: Network, runtime_folder: Path | None = None, half: bool = True, small: bool = False
) -> dict[str, bytes]:
    """All files of the page by path, but the service worker, whose template is among them.

    With `small`, without the choices that need more than the first file of weights, and without the
    files for a graphics processor.
    """
    ort, found = runtime(runtime_folder), choices(network)
    groups = [
        {each.name: each.objective for each in found if each.kind == kind}
        for kind in ("style", "layer")
    ]
    made = step_graphs(network, [group for group in groups if group], half)
    if small:
        found = [each for each in found if made.needs[each.name] in ([], [FIRST])]
        made = made.only([each.name for each in found])
    files = {path.name: path.read_bytes() for path in sorted(SITE.iterdir()) if path.is_file()}
    files[SCRIPT] = ort[SCRIPT]
    files[f"{WASM}.gz"] = gzip.compress(ort[WASM], 9, mtime=0)
    if not small:
        files[GPU_SCRIPT] = ort[GPU_SCRIPT]
        files[f"{GPU_WASM}.gz"] = gzip.compress(ort[GPU_WASM], 9, mtime=0)
    files |= {f"{name}.gz": gzip.compress(data, 9, mtime=0) for name, data in made.weights.items()}
    files |= {f"graphs/{name}.onnx": data for name, data in made.graphs.items()}
    files |= {f"samples/{name}.jpg": _jpeg(name) for name in _SAMPLES}
    files["LICENSES.txt"] = _licences(files["LICENSES.txt"])
    files["page.json"] = json.dumps(_about(network, found, made, not small), indent=1).encode()
    return files


def _jpeg(name: str) -> bytes:
    """A sample photo in its own size."""
    file = io.BytesIO()
    to_pillow(sample(name)[0]).save(file, "JPEG", quality=90)
    return file.getvalue()


def _service(files: Mapping[str, bytes]) -> bytes:
    """The service worker: it keeps all files, and its cache is named by their contents."""
    digest = hashlib.sha256()
    names = sorted(name for name in files if name != "service.js")
    for name in names:
        digest.update(hashlib.sha256(files[name]).digest())
    text = files["service.js"].decode()
    later = [GPU_SCRIPT, f"{GPU_WASM}.gz"]
    text = text.replace("@@HASH@@", digest.hexdigest()[:16])
    text = text.replace("@@FILES@@", json.dumps(["./", *(n for n in names if n not in later)]))
    return text.replace("@@LATER@@", json.dumps(later)).encode()


def _about(network: Network, found: list[Choice], made: Graphs, gpu: bool) -> dict[str, object]:
    """All that the page needs to know, as plain data."""
    gpu_files = {"gpu": {"script": GPU_SCRIPT, "wasm": f"{GPU_WASM}.gz"}} if gpu else {}
    sample_info = picture_spec(sample("china", 64), "sample", "china", 64)
    passport = make(network, found[0].objective, found[0].settings, sample_info)
    for name in ("objective", "settings", "source"):
        del passport[name]
    passport |= {"threads": 1, "page": f"onnxruntime-web {VERSION}"}
    return {
        "dreamkit": version("dreamkit"),
        "network": network.name,
        "side": _SIDES.get(network.base_name, _USUAL_SIDE),
        "files": {"wasm": f"{WASM}.gz", **gpu_files},
        "settings": [
            {
                "name": spec.name,
                **{key: spec.metadata[key] for key in ("help", "low", "high", "step")},
            }
            for spec in fields(Settings)
            if spec.name not in _LEFT_OUT
        ],
        "choices": [
            {
                "name": each.name,
                "kind": each.kind,
                "shows": each.shows,
                "graph": f"graphs/{each.name}.onnx",
                "weights": [f"{file}.gz" for file in made.needs[each.name]],
                "least": made.least[each.name],
                "objective": entry(each.objective),
                "settings": asdict(each.settings),
            }
            for each in found
        ],
        "samples": [
            {"name": name, "file": f"samples/{name}.jpg", "alt": alt}
            for name, alt in _SAMPLES.items()
        ],
        "passport": passport,
    }


def _licences(text: bytes) -> bytes:
    credits = "\n".join(f"  {name}: {sample_credit(name)}" for name in _SAMPLES)
    return text + f"\nSample photos:\n{credits}\n".encode()

"""onnxruntime-web, which runs the network in the browser: four files of an npm package, pinned.

Two do it on the processor; the other two can also do it on a graphics processor (WebGPU).

They are fetched when a page is built, checked and kept. Neither node nor npm is needed.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import torch

from ..pictures.files import make_folder, one_line, write_whole

VERSION = "1.30.0"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
GPU_SCRIPT, GPU_WASM = "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"
FILES = {  # name: sha512
    SCRIPT: "d4a705f0258065eaad4dcbcb80a3ed38c5c86e459e87ef8b0c24290e143901157"
    "11c02f554d2f9aebd0e23e3314db98d200365744fc0feaf8ee2048a81232359",
    WASM: "1adeded62203219fcf5c484cfce5657aa5875689b490423f86cf1ca1dd1cad771"
    "5f630c6337f41db71ee42794e3a00ce0b7c78939a71220b5d83368bf6ea7730",
    GPU_SCRIPT: "e17c057d37f897c730d97309949eeae0dbfd714af180a317c38c61f87d4cf6e7"
    "b0557d1a578ae65a8ca4e9ba9a946088a67081154341a56344a98204e0b1905b",
    GPU_WASM: "284c63a46c77e03a0f6bc98daa41b260587c8307572336cd4452b2ac98329574"
    "05fb2cca9926d017e851f6da429b843a8a01dd423729377088a609c4d34f38ca",
}
# Without a registry of the user's, the files come from a public mirror of npm.
_MIRROR = "https://cdn.jsdelivr.net/npm/onnxruntime-web@{version}/dist/{name}"
_NPMS_OWN = "npm_config_registry"  # as npm itself writes it
_MOST_BYTES = 64 * 2**20


def runtime(folder: Path | None = None) -> dict[str, bytes]:
    """The files of onnxruntime-web by name.

    They are read from `folder` (the folder `dist` of the npm package), or from the cache, or
    fetched: from the npm registry in the variable npm_config_registry where it is set, else from a
    public mirror. Raises ValueError in one line where they cannot be had, or are other ones.
    """
    if folder is not None:
        return {name: _checked(name, _read(Path(folder) / name)) for name in FILES}
    cache = Path(torch.hub.get_dir()).parent / "dreamkit" / f"onnxruntime-web-{VERSION}"
    try:
        return {name: _checked(name, (cache / name).read_bytes()) for name in FILES}
    except (OSError, ValueError):
        found = _fetched()
    make_folder(cache)
    for name, data in found.items():
        write_whole(cache / name, lambda file, data=data: file.write(data))
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read: {one_line(error)}") from None


def _checked(name: str, data: bytes) -> bytes:
    digest = hashlib.sha512(data).hexdigest()
    if digest != FILES[name]:
        raise ValueError(
            f"{name} is not that of onnxruntime-web {VERSION}: its sha512 begins with "
            f"{digest[:12]}, and should with {FILES[name][:12]}"
        )
    return data


def _fetched() -> dict[str, bytes]:
    registry = os.environ.get("NPM_CONFIG_REGISTRY", os.environ.get(_NPMS_OWN))
    try:
        if registry:
            tarball = f"onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
            read = _from_package(_download(f"{registry.rstrip('/')}/{tarball}"))
        else:
            read = lambda name: _download(_MIRROR.format(version=VERSION, name=name))
        found = {name: read(name) for name in FILES}
    except (OSError, KeyError, tarfile.TarError) as error:
        raise ValueError(
            f"onnxruntime-web {VERSION} could not be fetched ({one_line(error)}): with a "
            "connection it is fetched once; without one, give the folder `dist` of that npm "
            "package with --runtime"
        ) from None
    return {name: _checked(name, data) for name, data in found.items()}


def _from_package(data: bytes) -> Callable[[str], bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as package:
        found = {name: package.extractfile(f"package/dist/{name}").read() for name in FILES}
    return found.__getitem__


def _download(url: str) -> bytes:
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise OSError(f"an npm registry is at an https address; given: {url.split('/')[0]}//…")
    with urllib.request.urlopen(url, timeout=60) as answer:
        data = answer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError("the answer is too large")
    return data

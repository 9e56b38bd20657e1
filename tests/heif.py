"""A stand-in for pillow-heif, which the tests do not install."""

import sys
import types

import PIL.Image
import PIL.ImageFile

from dreamkit.pictures import formats

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


class Photo(PIL.ImageFile.ImageFile):
    """A plugin of Pillow that reads any HEIC file as four red pixels."""

    format = "HEIF"

    def _open(self):
        self._size, self._mode, self.tile = (2, 2), "RGB", []

    def load(self):
        self.im = PIL.Image.new("RGB", self.size, (255, 0, 0)).im
        return PIL.Image.Image.load(self)


def register() -> None:
    """What `pillow_heif.register_heif_opener` does."""
    PIL.Image.register_open("HEIF", Photo, lambda start: start[4:8] == b"ftyp")


def forget(monkeypatch) -> None:
    """Pillow knows no plugin for HEIC, and what the test registers is gone after it."""
    PIL.Image.init()  # Pillow loads its plugins once: not into the copies
    monkeypatch.setattr(PIL.Image, "OPEN", {**PIL.Image.OPEN})
    monkeypatch.setattr(PIL.Image, "ID", [*PIL.Image.ID])
    PIL.Image.OPEN.pop("HEIF", None)


def install(monkeypatch) -> None:
    """The package is there."""
    module = types.ModuleType("pillow_heif")
    module.__spec__ = types.SimpleNamespace(name="pillow_heif")
    module.register_heif_opener = register
    monkeypatch.setitem(sys.modules, "pillow_heif", module)


def uninstall(monkeypatch) -> None:
    """The package is not there, also where somebody has installed it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    real = formats.importlib.util.find_spec
    missing = lambda name, *rest: None if name == "pillow_heif" else real(name, *rest)
    monkeypatch.setattr(formats.importlib.util, "find_spec", missing)

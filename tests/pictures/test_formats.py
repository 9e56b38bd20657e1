"""Pictures are read in a list of formats; HEIC photos with pillow-heif, which is faked here."""

import io
import os
from pathlib import Path

import PIL.Image
import PIL.ImageFile
import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call

from .. import heif
from ..heif import HEIC


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    heif.forget(monkeypatch)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jpg"])  # some programs name them .jpg
def test_without_the_package_its_name_is_said(name, brand, without_heif):
    Path(name).write_bytes(HEIC.replace(b"ftypheic", b"ftyp" + brand))
    line = rf"^'{name}' is a HEIC photo: pip install pillow-heif installs the decoder$"
    with pytest.raises(ValueError, match=line):
        dk.load_image(name)
    with pytest.raises(ValueError, match=r"^the open file is a HEIC photo: "):
        dk.load_image(io.BytesIO(Path(name).read_bytes()))


@pytest.mark.parametrize("content", [b"", b"ftyp", b"\0\0\0\x18ftypisom" + bytes(9), b"heic" * 9])
def test_other_files_are_not_taken_for_photos(content, without_heif):
    Path("a.heic").write_bytes(content)
    with pytest.raises(ValueError, match="is not a picture that Pillow can read"):
        dk.load_image("a.heic")


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jpg"])
def test_with_the_package_they_load(name, with_heif):
    Path(name).write_bytes(HEIC)
    for _ in range(2):  # the second finds it registered
        assert dk.load_image(name)[0, :, 1, 1].tolist() == [1, 0, 0]
    assert dk.load_image(io.BytesIO(HEIC)).shape == (1, 3, 2, 2)


def test_a_program_that_registered_the_plugin_itself(without_heif):
    heif.register()
    Path("a.heic").write_bytes(HEIC)
    assert dk.load_image("a.heic").shape == (1, 3, 2, 2)


QUICK = ["--network", "dreamnet", "--layer", "conv1", "--steps", "1", "--octaves", "1"]


def test_photos_in_a_folder(with_heif, capsys):
    os.mkdir("in")
    Path("in/a.heic").write_bytes(HEIC)
    Path("in/B.HEIC").write_bytes(HEIC)
    dk.save_image(torch.zeros(1, 3, 32, 32), "in/c.png")
    assert call(["dream", "in", "--side", "32", "-o", "out", *QUICK]) == 0, capsys.readouterr()
    assert sorted(os.listdir("out")) == ["B.png", "a.png", "c.png"]


def test_photos_in_a_folder_without_the_package(without_heif, capsys):
    os.mkdir("in")
    Path("in/a.heic").write_bytes(HEIC)
    assert call(["dream", "in", "--side", "32", "-o", "out", *QUICK]) == 2
    assert "1 HEIC photo is left out (pip install pillow-heif" in capsys.readouterr().err
    dk.save_image(torch.zeros(1, 3, 32, 32), "in/c.png")
    assert call(["dream", "in", "--side", "32", "-o", "out", *QUICK]) == 0
    assert os.listdir("out") == ["c.png"]
    assert "warning: 1 HEIC photo is left out" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "GIF", "BMP", "TGA", "PPM", "PCX", "ICO"])
def test_the_usual_formats_load(kind):
    file = io.BytesIO()
    PIL.Image.new("RGB", (16, 16), (255, 0, 0)).save(file, kind, lossless=True)
    assert dk.load_image(file)[0, :, 8, 8].round(decimals=1).tolist() == [1, 0, 0]


@pytest.mark.parametrize("kind", ["EPS", "IM", "MSP", "SPIDER", "PSD", "WMF", "FLI", "GBR", "FITS"])
def test_the_parsers_of_rare_formats_are_never_reached(kind, monkeypatch):
    """PSD had a hole that ran code (CVE-2026-25990)."""
    PIL.Image.init()

    def parser(*arguments):
        raise AssertionError(f"the parser of {kind} ran")

    PIL.Image.OPEN[kind] = (parser, None)
    with pytest.raises(ValueError, match="is not a picture that Pillow can read"):
        dk.load_image(io.BytesIO(b"8BPS" + bytes(600)))

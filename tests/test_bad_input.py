"""A table of bad inputs: each is one clear line and status 2, and changes no file."""

import hashlib
import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call

from .pictures.test_image import bomb, truncated

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="links, pipes and devices are other things on Windows"
)


def encoded(picture: PIL.Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def tiff(*values: float) -> bytes:
    return encoded(PIL.Image.fromarray(np.array([values], np.float32)), "TIFF")


PNG = encoded(PIL.Image.new("RGB", (8, 8), (90, 120, 60)), "PNG")
FILES = {
    "empty.png": b"",
    "letter.jpg": b"Dear Sir, this is a letter.",
    "head.png": PNG[:8],
    "ihdr.png": PNG[:33],
    "start.jpg": b"\xff\xd8\xff\xe0",
    "half.jpg": truncated("JPEG"),
    "half.png": truncated("PNG"),
    "half.webp": truncated("WEBP"),
    "half.tiff": truncated("TIFF"),
    "half.gif": truncated("GIF"),
    "bomb.png": bomb(20_000, 20_000),
    "bigger.png": bomb(2**31 - 1, 2**31 - 1),
    "flat.png": bomb(0, 5),
    "thin.png": bomb(5, 0),
    "crc.png": PNG[:29] + b"\0\0\0\0" + PNG[33:],
    "nan.tiff": tiff(0.1, float("nan")),
    "inf.tiff": tiff(float("inf"), 0),
    "page.png": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "paper.pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "data.json": b'{"a": 1}',
    "packed.png.gz": b"\x1f\x8b\x08\0\0\0\0\0\0\3",
    "archive.zip": b"PK\3\4" + bytes(40),
    "zeros.bmp": bytes(4096),
    "noise.png": bytes(range(256)) * 16,
    "program.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    b"(touched) (w) file closefile\nshowpage\n%%EOF\n",
    "riff.webp": b"RIFF" + struct.pack("<I", 2**32 - 1) + b"WEBPVP8 ",
    "with space.png": b"no",
    "new\nline.png": b"no",
    "фото 写真.png": b"no",
    "-dash.png": b"no",
    "<script>alert(1).png": b"no",
    "\x1b[31mred.png": b"no",
    "%s{0}.png": b"no",
}
ODD = [
    "missing.png",
    "missing/photo.png",
    "no\nsuch.png",
    "нет.png",
    "folder",
    "loop.png",
    "dangling.png",
    "pipe.png",
    "/dev/null",
    "/dev/zero",
    "x" * 300 + ".png",
    "nul\0.png",
    "letter.jpg/",
    "~nobody/photo.png",
    "http://127.0.0.1:9/a.png",
    "",
    ".",
]
WEIGHTS = {
    "empty.safetensors": b"",
    "letter.safetensors": b"Dear Sir",
    "huge.safetensors": struct.pack("<Q", 2**62) + b"{}",
    "short.safetensors": struct.pack("<Q", 2) + b"{",
    "evil.pt": b"cos\nsystem\n(S'touch touched'\ntR.",
    "empty.pt": b"",
    "letter.pth": b"x" * 99,
}

COMMANDS = {
    "dream": ["dream", "{}"],
    "features": ["features", "{}", "--layer", "conv1"],
    "zoom": ["zoom", "{}", "-o", "film.gif"],
    "again": ["again", "{}"],
    "film": ["film", "{}", "-o", "film.gif"],
}
PICTURES = [*FILES, *ODD]
TABLE = [
    [
        part.format(
            "./" + name if name.startswith("-") else name.replace("{", "{{").replace("}", "}}")
        )
        .replace("{{", "{")
        .replace("}}", "}")
        for part in command
    ]
    for command in (COMMANDS["dream"], COMMANDS["features"], COMMANDS["again"])
    for name in PICTURES
]
TABLE.remove(["dream", "."])  # a folder of pictures is dreamt one by one: test_album has it
TABLE += [
    ["film", name, "-o", "film.gif"]
    for name in (
        *ODD,
        "empty.png",
        "letter.jpg",
        "paper.pdf",
        "zeros.bmp",
        "data.json",
        "archive.zip",
    )
]
TABLE += [
    ["dream", "good.png", "--weights", name]
    for name in (*WEIGHTS, "missing.pt", "folder", "good.png")
]
TABLE += [
    ["dream", "good.png", "--guide", name]
    for name in ("missing.png", "bomb.png", "half.jpg", "folder")
]
TABLE += [
    ["dream", "good.png", *flags]
    for flags in (
        ["--side", "0"],
        ["--side", "-3"],
        ["--side", "65537"],
        ["--side", "1.5"],
        ["--side", "nan"],
        ["--side", "1e3"],
        ["--side", ""],
        ["--steps", "-1"],
        ["--steps", "x"],
        ["--steps", "1e9"],
        ["--step-size", "nan"],
        ["--step-size", "inf"],
        ["--step-size", "-1"],
        ["--octaves", "0"],
        ["--octaves", "999"],
        ["--octave-ratio", "1"],
        ["--octave-ratio", "nan"],
        ["--octave-ratio", "-2"],
        ["--jitter", "-1"],
        ["--smoothing", "-0.1"],
        ["--smoothing", "nan"],
        ["--tile", "-5"],
        ["--seed", "-1"],
        ["--seed", str(2**65)],
        ["--seed", "0.5"],
        ["--layer", "conv9"],
        ["--layer", ""],
        ["--layer", "<script>"],
        ["--layer", "conv1\nconv2"],
        ["--layer", "conv1", "--channel", "48"],
        ["--layer", "conv1", "--channel", "-1"],
        ["--channel", "x"],
        ["--logit", "200"],
        ["--logit", "no such class"],
        ["--logit", "3", "--layer", "conv1"],
        ["--logit", "3", "--channel", "1"],
        ["--network", "dreamnot"],
        ["--network", "../dreamnet"],
        ["--network", ""],
        ["--device", "tpu9"],
        ["--device", "cuda:99"],
        ["--precision", "float8"],
        ["--recipe", "none"],
        ["--clip"],
        ["--max-loss", "1"],
        ["--recipe", "caffe", "--tile", "3"],
        ["--nothing"],
        ["-o", "out.xyz"],
        ["-o", "folder"],
        ["-o", "missing/out.png"],
        ["-o", "good.png"],
        ["-o", "/dev/full"],
        ["-o", "/dev/full.png/x.png"],
        ["-o", "x" * 300 + ".png"],
        ["-o", ""],
        ["-o", "letter.jpg/out.png"],
    )
]
ATLAS = [  # of both kinds of atlas
    ["--workers", "0"],
    ["--workers", "1", "--scheduler", "tcp://127.0.0.1:9"],
    ["-o", "folder"],
    ["-o", "good.png"],
    ["-o", "good.png/atlas"],
    ["--network", "dreamnot"],
    ["--weights", "evil.pt"],
]
TABLE += [
    ["atlas", *flags]
    for flags in (
        ["--side", "8"],
        ["--steps", "0"],
        ["--seed", "-1"],
        ["--layer", "conv9"],
        ["--channels", "x"],
        ["--layer", "conv1", "--channels", "48"],
        *ATLAS,
    )
]
TABLE += [
    ["activation-atlas", *words]
    for words in (
        ["--side", "0"],
        ["--side", "65"],
        ["--seed", "-1"],
        ["--seed", str(2**32)],
        ["--layer", "conv9"],
        ["--layer", "fc", "--network", "dreamnet"],
        *ATLAS,
        ["folder"],
        ["missing.png"],
        ["half.png"],
        ["nothing"],
    )
]
TABLE += [
    ["features", "good.png", "--layer", layer, *flags]
    for layer, flags in (
        ("conv9", []),
        ("fc", []),
        ("conv1", ["--channels", "48"]),
        ("conv1", ["--channels", "1,,2"]),
        ("conv1", ["-o", "out.txt"]),
    )
]
TABLE += [
    ["layers", "dreamnot"],
    ["figures", "none"],
    ["figures", "--seed", "-1"],
    ["lab", "good.png"],
    ["lab", "good.png/course"],
    ["lab", "loop.png"],
    ["lab", "--port", "0"],
    ["nonsense"],
    ["zoom", "good.png", "--seconds", "0", "-o", "a.gif"],
    ["zoom", "good.png", "--fps", "0", "-o", "a.gif"],
    ["zoom", "good.png", "--seconds", "inf", "-o", "a.gif"],
    ["zoom", "good.png", "--zoom", "0", "-o", "a.gif"],
    ["zoom", "good.png", "--zoom", "nan", "-o", "a.gif"],
    ["zoom", "good.png", "-o", "a.avi"],
    ["zoom", "half.png", "-o", "a.gif"],
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in (FILES | WEIGHTS).items():
        Path(name).write_bytes(content)
    Path("good.png").write_bytes(PNG)
    Path("folder").mkdir()
    Path("folder/letter.txt").write_text("mine")
    Path("loop.png").symlink_to("loop.png")
    Path("dangling.png").symlink_to("nowhere.png")
    os.mkfifo("pipe.png")
    return tmp_path


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below the folder, with a hash of what it holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else ""
        for path in folder.rglob("*")
    }


@pytest.mark.slow
def test_every_bad_command_line_is_one_line_and_leaves_no_trace(folder, capsys, monkeypatch):
    assert len(TABLE) >= 150
    loaded, load = {}, dk.load_network
    monkeypatch.setattr(
        dk,
        "load_network",
        lambda name, **how: (
            loaded.setdefault((name, *how.items()), None)
            or loaded.update({(name, *how.items()): load(name, **how)})
            or loaded[(name, *how.items())]
        ),
    )  # each network once: the test is long
    before, wrong = snapshot(folder), []
    for arguments in TABLE:
        status = call(arguments)
        said = capsys.readouterr()
        lines = said.err.splitlines()
        errors = [line for line in lines if not line.startswith("dreamkit: warning: ")]
        if (
            status != 2
            or len(errors) != 1
            or not errors[0].startswith("dreamkit: ")
            or said.out
            or len(errors[0]) > 900
        ):
            wrong.append((arguments, status, said.err[-300:], said.out[-100:]))
        if snapshot(folder) != before:
            wrong.append((arguments, "changed", sorted(set(snapshot(folder)) ^ set(before))))
            break
    with capsys.disabled():
        print(f" {len(TABLE)} bad command lines", end=" ")
    assert not wrong, "\n".join(map(repr, wrong))


def test_a_picture_never_starts_another_program(folder, monkeypatch):
    """Pillow runs Ghostscript for EPS files; a program of that name here leaves a trace."""
    Path("bin").mkdir()
    Path("bin/gs").write_text("#!/bin/sh\ntouch " + str(folder / "touched") + "\n")
    Path("bin/gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    with PIL.Image.open("program.eps") as file, pytest.raises(OSError):
        file.load()
    assert Path("touched").exists()  # so the trap works
    Path("touched").unlink()
    with pytest.raises(ValueError, match=r"'program\.eps' is not a picture that Pillow can read"):
        dk.load_image("program.eps")
    assert not Path("touched").exists()


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBa",
        "RGBX",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
        "I;16",
    ],
)
def test_pictures_of_every_mode_are_read_or_refused_in_one_line(mode, tmp_path):
    """Where a format can hold the mode at all, the picture is finite and in [0, 1]."""
    picture, read = PIL.Image.new(mode, (6, 4)), 0
    for kind in ("PNG", "TIFF", "WEBP", "JPEG", "GIF", "BMP", "TGA", "PPM"):
        try:
            (tmp_path / kind).write_bytes(encoded(picture, kind))
        except (OSError, ValueError):  # this format has no such mode
            continue
        try:
            with PIL.Image.open(tmp_path / kind) as file:
                file.load()
        except (OSError, ValueError):  # older Pillows write some files that they cannot read
            with pytest.raises(
                ValueError, match=r"is not a picture that Pillow can read|is a broken picture"
            ):
                dk.load_image(tmp_path / kind)
            continue
        loaded = dk.load_image(tmp_path / kind)
        assert (
            loaded.shape == (1, 3, 4, 6)
            and torch.isfinite(loaded).all()
            and loaded.min() >= 0
            and loaded.max() <= 1
        )
        read += 1
    assert read or mode in ("La", "PA", "RGBa", "HSV"), mode


NAN, INF = float("nan"), float("inf")
GOOD = torch.full((1, 3, 16, 16), 0.5)
SHAPES = [
    torch.rand(3, 16, 16),
    torch.rand(16, 16),
    torch.rand(1, 1, 16, 16),
    torch.rand(1, 4, 16, 16),
    torch.rand(1, 3, 0, 16),
    torch.rand(1, 16, 16, 3),
    torch.rand(0, 3, 16, 16),
    torch.zeros(1, 3, 16, 16, dtype=torch.uint8),
    torch.zeros(1, 3, 16, 16, dtype=torch.int64),
    torch.zeros(1, 3, 16, 16, dtype=torch.complex64),
    np.zeros((1, 3, 16, 16)),
    None,
    "china",
]
MEAN = lambda image: image.mean()
CALLS = [
    (f"{name} of {getattr(value, 'shape', value)} {getattr(value, 'dtype', '')}", function, value)
    for value in SHAPES
    for name, function in {
        "capture": lambda x, net: dk.capture(
            net, x, "conv1"
        ),  # `gradient` itself takes any shape: there is no network in it
        "dream": lambda x, net: dk.dream(MEAN, x),
        "score": lambda x, net: dk.scorer(net, dk.layer("conv1"))(x),
    }.items()
]
CALLS += [
    (name, function, None)
    for name, function in {
        "noise 0": lambda x, net: dk.noise(0, 4),
        "noise -1": lambda x, net: dk.noise(4, -1),
        "roll": lambda x, net: dk.resize(GOOD, (0, 4)),
        "octaves 0": lambda x, net: dk.octaves(GOOD, 0, 1.4),
        "octaves ratio": lambda x, net: dk.octaves(GOOD, 2, NAN),
        "smooth": lambda x, net: dk.smooth(GOOD, -1),
        "smooth nan": lambda x, net: dk.smooth(GOOD, NAN),
        "by": lambda x, net: dk.normalize(GOOD, "no"),
        "tile": lambda x, net: dk.tiled_gradient(MEAN, GOOD, 0),
        "how": lambda x, net: dk.resize(GOOD, (4, 4), "no"),
        "nan score": lambda x, net: dk.dream(lambda image: image.mean() * NAN, GOOD),
        "vector score": lambda x, net: dk.gradient(abs, GOOD),
        "channel": lambda x, net: dk.scorer(net, dk.channel("conv1", 999))(GOOD),
        "neuron": lambda x, net: dk.scorer(net, dk.neuron("conv1", 0, 99, 0))(GOOD),
        "logit": lambda x, net: dk.scorer(net, dk.logit("no such"))(GOOD),
        "layer": lambda x, net: dk.capture(net, GOOD, "conv9"),
        "power": lambda x, net: dk.layer("conv1", power=NAN),
        "border": lambda x, net: dk.layer("conv1", border=-1),
        "weight": lambda x, net: INF * dk.layer("conv1"),
        "objective": lambda x, net: dk.scorer(net, "conv1"),
        "device": lambda x, net: dk.load_network(device="tpu"),
        "precision": lambda x, net: dk.load_network(precision="half"),
        "module": lambda x, net: dk.as_network("resnet", (0, 0, 0), (1, 1, 1)),
        "std": lambda x, net: dk.as_network(net.module, (0, 0, 0), (1, 0, 1)),
        "settings": lambda x, net: dk.Settings(steps=-1),
        "settings nan": lambda x, net: dk.Settings(step_size=NAN),
        "seed": lambda x, net: dk.Settings(seed=-1),
        "settings kind": lambda x, net: dk.Settings(steps="3"),
        "sample": lambda x, net: dk.sample("no"),
        "save nan": lambda x, net: dk.save_image(GOOD * NAN, "out.png"),
        "save inf": lambda x, net: dk.save_image(GOOD * INF, "out.png"),
        "save two": lambda x, net: dk.save_image(GOOD.expand(2, -1, -1, -1), "out.png"),
    }.items()
]


def test_every_wrong_argument_is_one_line(dreamnet, folder, capsys):
    wrong, before = [], snapshot(folder)
    for name, function, value in CALLS:
        try:
            function(value, dreamnet)
            wrong.append((name, "nothing was said"))
        except (ValueError, KeyError, TypeError) as error:
            if "\n" in str(error) or len(str(error)) < 15 or isinstance(error, TypeError):
                wrong.append((name, type(error).__name__, str(error)[:200]))
        except Exception as error:
            wrong.append((name, type(error).__name__, str(error)[:200]))
    with capsys.disabled():
        print(f" {len(CALLS)} wrong arguments ", end="")
    assert not wrong, "\n".join(map(repr, wrong))
    assert snapshot(folder) == before

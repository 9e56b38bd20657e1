"""Colours under a profile become sRGB, held against the formulas of the colour spaces in NumPy."""

import importlib.util
import io
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from PIL import ImageCms

import dreamkit as dk

# The red, green and blue of each space as XYZ under D50 (the columns of its ICC profile).
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.7141]]
)
P3 = np.array(
    [[0.51512, 0.29198, 0.1571], [0.2412, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
ADOBE = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
TOMATO = (200, 80, 60)


def xyz(values) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def gamma(power: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(power * 256))


def icc(
    space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", pcs: bytes = b"XYZ "
) -> bytes:
    """An ICC profile of version 2 with these tags, written by hand."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 1) + bytes(88),
        b"wtpt": xyz((0.9642, 1, 0.8249)),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI4s4s4s", 128 + len(table) + len(body), 0x02200000, kind, space, pcs)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + table + body


def rgb_profile(columns: np.ndarray, power: float) -> bytes:
    curves = {name: gamma(power) for name in (b"rTRC", b"gTRC", b"bTRC")}
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    return icc(b"RGB ", dict(zip(names, map(xyz, columns.T), strict=True)) | curves)


def cmyk_profile(lab_of) -> bytes:
    """A profile of printing inks: `lab_of` gives Lab for each of the sixteen full or empty inks."""
    corners = [[(n >> shift) & 1 for shift in (3, 2, 1, 0)] for n in range(16)]  # C is slowest
    nodes = bytes(
        v
        for ink in corners
        for L, a, b in [lab_of(*ink)]
        for v in (round(L * 2.55), a + 128, b + 128)
    )
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity
    table += bytes(range(256)) * 4 + nodes + bytes(range(256)) * 3
    return icc(b"CMYK", {b"A2B0": table}, b"prtr", b"Lab ")


def inks(c, m, y, k):
    named = {(0, 0, 0, 0): (100, 0, 0), (0, 1, 1, 0): (48, 60, 40), (1, 0, 0, 0): (60, -20, -40)}
    return named.get((c, m, y, k), (0, 0, 0))


def of_lab(light, a, b) -> np.ndarray:
    """The colour in sRGB, 0..255."""
    y = (light + 16) / 116
    roots = np.array([y + a / 500, y, y - b / 200])
    ratios = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
    return in_srgb(ratios * (0.9642, 1, 0.8249))


def expected(colour, columns: np.ndarray, power: float) -> np.ndarray:
    """The colour in sRGB, 0..255."""
    return in_srgb(columns @ (np.array(colour) / 255) ** power)


def in_srgb(xyz) -> np.ndarray:
    linear = np.linalg.solve(SRGB, xyz).clip(0, 1)
    return 255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def first(path_or_file) -> np.ndarray:
    return dk.load_image(path_or_file)[0, :, 0, 0].double().numpy() * 255


def saved(picture: PIL.Image.Image, kind: str, profile: bytes, **options) -> io.BytesIO:
    file = io.BytesIO()
    picture.save(file, kind, icc_profile=profile, **options)
    return file


@pytest.mark.parametrize(("columns", "power"), [(P3, 2.2), (ADOBE, 2.19921875), (SRGB, 1.8)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_profiles_of_cameras_in_every_format(kind, columns, power):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(kind, {})
    file = saved(
        PIL.Image.new("RGB", (16, 16), TOMATO), kind, rgb_profile(columns, power), **options
    )
    wanted = expected(TOMATO, columns, power)
    assert np.abs(wanted - TOMATO).max() > 8  # the profile matters
    assert np.abs(first(file) - wanted).max() < (3 if kind == "JPEG" else 1.5)


def test_a_palette_and_greys_in_a_wide_profile():
    profile = rgb_profile(P3, 1.8)
    palette = PIL.Image.new("RGB", (4, 4), TOMATO).quantize(2)
    assert np.abs(first(saved(palette, "PNG", profile)) - expected(TOMATO, P3, 1.8)).max() < 1.5
    grey = first(saved(PIL.Image.new("L", (4, 4), 100), "JPEG", profile))
    assert np.abs(grey - expected((100,) * 3, SRGB, 1.8)).max() < 1.5


def test_the_colours_are_converted_before_they_are_laid_over_white():
    half = PIL.Image.new("RGBA", (4, 4), (*TOMATO, 128))
    colour = expected(TOMATO, P3, 2.2)
    seen = first(saved(half, "PNG", rgb_profile(P3, 2.2)))
    assert np.abs(seen - (colour * 128 + 255 * 127) / 255).max() < 1.5
    key = PIL.Image.new("RGB", (4, 4), TOMATO)
    file = saved(key, "PNG", rgb_profile(P3, 2.2), transparency=TOMATO)
    assert first(file).tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_profile_of_greys(mode):
    profile = icc(b"GRAY", {b"kTRC": gamma(1.0)})  # light itself: 100/255 of it looks brighter
    if mode == "I;16":
        picture = PIL.Image.fromarray(np.full((4, 4), 100 * 257, np.uint16))
    else:
        picture = PIL.Image.new(mode, (4, 4), (100, 255)[: len(mode)] if mode == "LA" else 100)
    assert np.abs(first(saved(picture, "PNG", profile)) - expected((100,) * 3, SRGB, 1)).max() < 1.5


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
@pytest.mark.parametrize("ink", [(0, 0, 0, 0), (0, 255, 255, 0), (255, 0, 0, 0)])
def test_print_colours_with_their_own_profile(ink, kind):
    options = {"quality": 100} if kind == "JPEG" else {}
    picture = PIL.Image.new("CMYK", (16, 16), ink)
    wanted = of_lab(*inks(*(int(v > 0) for v in ink)))
    assert np.abs(first(saved(picture, kind, cmyk_profile(inks), **options)) - wanted).max() < 5


def test_lab_files():
    file = io.BytesIO()
    PIL.Image.frombytes("LAB", (1, 1), bytes([128, 40, 20])).save(file, "TIFF")
    assert np.abs(first(file) - of_lab(128 / 2.55, 40, 20)).max() < 3


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        rgb_profile(P3, 2.2)[:150],
        b"no profile at all",
        cmyk_profile(inks),  # of other colours than the picture
        icc(b"GRAY", {b"kTRC": gamma(1.0)}),
        icc(b"RGB ", {}),  # no colours in it
    ],
    ids=["sRGB", "cut", "text", "inks", "greys", "empty"],
)
def test_srgb_and_broken_profiles_leave_every_byte(profile):
    bytes_ = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    loaded = dk.load_image(saved(PIL.Image.fromarray(bytes_), "PNG", profile))
    assert np.array_equal((loaded[0].permute(1, 2, 0) * 255).round().numpy(), bytes_)


def table(size: int, scale: float = 1) -> bytes:
    """sRGB's own curve as a table of so many values."""
    x = np.linspace(0, 1, size)
    light = np.where(x < 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) ** scale
    return b"curv\0\0\0\0" + struct.pack(f">I{size}H", size, *(light * 65535).round().astype(int))


def like_srgb(curve: bytes, shift: float = 0) -> bytes:
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    columns = zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, (SRGB + shift).T), strict=True)
    return icc(b"RGB ", dict(columns) | curves)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
@pytest.mark.parametrize(("size", "shift"), [(1024, 0), (4096, 0), (1024, 5e-5), (1024, -5e-5)])
def test_a_profile_that_only_rounds_leaves_every_byte(mode, size, shift):
    """Many programs write an sRGB profile of their own; its numbers differ in the last digits."""
    every = np.stack(np.meshgrid(*[np.arange(0, 256, 17)] * 3), -1).reshape(64, 64, 3)
    picture = PIL.Image.fromarray(every.astype(np.uint8))
    picture = picture.quantize(200) if mode == "P" else picture.convert(mode)
    loaded = dk.load_image(saved(picture, "PNG", like_srgb(table(size), shift)))
    expected = np.asarray(picture.convert("RGB"))
    assert np.array_equal((loaded[0].permute(1, 2, 0) * 255).round().numpy(), expected)


def test_a_profile_near_srgb_that_shows_is_converted():
    """A curve a little steeper: by two grey levels and more."""
    file = saved(PIL.Image.new("RGB", (4, 4), TOMATO), "PNG", like_srgb(table(1024, 1.03)))
    assert np.abs(first(file) - TOMATO).max() >= 2


@pytest.mark.parametrize("name", ["china", "flower", "chelsea", "astronaut", "hubble"])
def test_samples_with_an_srgb_profile_keep_their_bytes(name):
    from dreamkit.pictures.samples import _SAMPLES

    package, inner, _ = _SAMPLES[name]
    [folder] = importlib.util.find_spec(package).submodule_search_locations
    with PIL.Image.open(Path(folder) / inner) as file:
        assert "icc_profile" in file.info
        pixels = torch.from_numpy(np.array(file.convert("RGB")))
    assert torch.equal(dk.sample(name)[0].permute(1, 2, 0) * 255, pixels.float())


def test_deep_greys_keep_their_precision_in_an_srgb_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    deep = PIL.Image.fromarray(np.array([[1, 300]], np.uint16))
    values = dk.load_image(saved(deep, "PNG", profile))[0, 0, 0] * 65535
    assert np.allclose(values, [1, 300], atol=0.01)


def test_what_is_saved_is_srgb_and_comes_back_the_same(tmp_path):
    picture = dk.load_image(
        saved(PIL.Image.new("RGB", (4, 4), TOMATO), "PNG", rgb_profile(P3, 2.2))
    )
    dk.save_image(picture, tmp_path / "out.png")
    with PIL.Image.open(tmp_path / "out.png") as file:
        assert "icc_profile" not in file.info
    assert (dk.load_image(tmp_path / "out.png") == picture).all()

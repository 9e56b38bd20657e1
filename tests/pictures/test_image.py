"""Every kind of picture file loads right, a broken one is one clear line, none is half-written."""

import io
import json
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from PIL import ExifTags, PngImagePlugin

import dreamkit as dk
from dreamkit import passport
from dreamkit.pictures import image as images
from dreamkit.pictures.decoding import opened
from dreamkit.pictures.samples import sample_credit


def pixels(loaded: torch.Tensor) -> np.ndarray:
    """[H, W, 3] in 0..255, for comparison with what the test drew."""
    return loaded[0].permute(1, 2, 0).double().numpy() * 255


def stored(picture: PIL.Image.Image, path: Path, **options) -> Path:
    picture.save(path, **options)
    return path


@pytest.fixture
def drawn() -> np.ndarray:
    """[6, 8, 3] of bytes, no two pixels alike."""
    return np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)


# --- every kind of picture


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "ppm"])
def test_rgb_bytes_come_through_exactly(suffix, drawn, tmp_path):
    path = stored(
        PIL.Image.fromarray(drawn),
        tmp_path / f"a.{suffix}",
        **({"lossless": True} if suffix == "webp" else {}),
    )
    loaded = dk.load_image(path)
    assert loaded.shape == (1, 3, 6, 8) and loaded.dtype == torch.float32 and loaded.is_contiguous()
    assert np.array_equal(pixels(loaded).round(), drawn)


def test_alpha_is_laid_over_white(tmp_path):
    loaded = dk.load_image(
        stored(PIL.Image.new("RGBA", (2, 2), (255, 0, 0, 0)), tmp_path / "clear.png")
    )
    assert torch.equal(loaded, torch.ones(1, 3, 2, 2))
    half = dk.load_image(
        stored(PIL.Image.new("RGBA", (1, 1), (0, 0, 0, 51)), tmp_path / "fifth.png")
    )
    assert np.allclose(pixels(half), 204, atol=1)  # one fifth black over white
    grey = dk.load_image(stored(PIL.Image.new("LA", (1, 1), (100, 255)), tmp_path / "la.png"))
    assert np.allclose(pixels(grey), 100)


def test_palettes_with_and_without_transparency(tmp_path):
    palette = PIL.Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    assert pixels(dk.load_image(stored(palette, tmp_path / "p.png"))).tolist() == [
        [[255, 0, 0], [0, 0, 255]]
    ]
    assert pixels(dk.load_image(stored(palette, tmp_path / "t.png", transparency=1))).tolist() == [
        [[255, 0, 0], [255, 255, 255]]
    ]
    partly = stored(palette, tmp_path / "bytes.png", transparency=bytes([255, 0]))
    assert pixels(dk.load_image(partly)).tolist() == [[[255, 0, 0], [255, 255, 255]]]
    colour_key = stored(
        PIL.Image.new("RGB", (1, 1), (9, 9, 9)), tmp_path / "key.png", transparency=(9, 9, 9)
    )
    assert pixels(dk.load_image(colour_key)).tolist() == [[[255, 255, 255]]]


def test_grey_and_one_bit_become_rgb(tmp_path):
    assert pixels(
        dk.load_image(stored(PIL.Image.new("L", (1, 1), 77), tmp_path / "l.png"))
    ).round().tolist() == [[[77, 77, 77]]]
    bits = PIL.Image.new("1", (2, 1))
    bits.putpixel((1, 0), 1)
    assert pixels(dk.load_image(stored(bits, tmp_path / "1.png"))).tolist() == [
        [[0, 0, 0], [255, 255, 255]]
    ]


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey_keeps_its_precision(suffix, tmp_path):
    values = np.array([[0, 1, 256, 65535]], dtype=np.uint16)
    loaded = dk.load_image(stored(PIL.Image.fromarray(values), tmp_path / f"deep.{suffix}"))
    assert torch.allclose(
        loaded[0, :, 0].double(), torch.tensor([0, 1, 256, 65535]).double() / 65535, atol=1e-7
    )


def png16(path: Path, rgb: np.ndarray) -> Path:
    """A 16-bit RGB PNG, which Pillow cannot write, made by hand."""
    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def test_sixteen_bit_rgb(tmp_path):
    rgb = np.array([[[65535, 0, 257 * 100]]], dtype=np.uint16)
    assert np.allclose(
        pixels(dk.load_image(png16(tmp_path / "deep.png", rgb))), [[[255, 0, 100]]], atol=1
    )


def test_cmyk_jpeg(tmp_path):
    path = stored(
        PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "print.jpg", quality=100
    )
    assert (
        np.abs(pixels(dk.load_image(path)) - [255, 0, 0]).max() < 6
    )  # magenta and yellow ink: red


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame(suffix, tmp_path):
    frames = [PIL.Image.new("RGB", (4, 3), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    options = {"lossless": True} if suffix == "webp" else {}
    path = stored(
        frames[0], tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:], **options
    )
    assert np.array_equal(pixels(dk.load_image(path)).round(), np.full((3, 4, 3), [255, 0, 0]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation, drawn, tmp_path):
    """Each orientation undone, against the flips and turns that the EXIF standard names."""
    meant = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }[orientation](drawn)
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    loaded = dk.load_image(stored(PIL.Image.fromarray(drawn), tmp_path / "turned.png", exif=exif))
    assert np.array_equal(pixels(loaded).round(), meant)


def test_broken_exif_does_not_spoil_the_pixels(drawn, tmp_path):
    path = stored(
        PIL.Image.fromarray(drawn), tmp_path / "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"
    )
    assert np.array_equal(pixels(dk.load_image(path)).round(), drawn)


def test_float_tiff(tmp_path):
    values = np.array([[0.0, 0.25, 1.0]], dtype=np.float32)
    assert dk.load_image(stored(PIL.Image.fromarray(values), tmp_path / "f.tiff"))[
        0, 0, 0
    ].tolist() == [0.0, 0.25, 1.0]
    with pytest.raises(ValueError, match="NaN or infinite"):
        dk.load_image(stored(PIL.Image.fromarray(values * np.nan), tmp_path / "nan.tiff"))


@pytest.mark.parametrize(
    "name",
    [
        "with space.png",
        "with\nnewline.png",
        "фото 写真 🌄.png",
        "-o.png",
        "%s {x}.png",
        "<script>.png",
    ],
)
def test_strange_names(name, drawn, tmp_path):
    if sys.platform == "win32" and set(name) & set("\n<>%"):
        pytest.skip("Windows allows no such name")
    path = tmp_path / name
    dk.save_image(dk.load_image(stored(PIL.Image.fromarray(drawn), path)), path)
    assert dk.load_image(str(path)).shape == (1, 3, 6, 8)
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        dk.load_image(path)
    assert "\n" not in str(caught.value)


def test_one_pixel_and_open_files(tmp_path):
    path = stored(PIL.Image.new("RGB", (1, 1), (1, 2, 3)), tmp_path / "dot.png")
    assert pixels(dk.load_image(path)).round().tolist() == [[[1, 2, 3]]]
    with open(path, "rb") as file:
        assert dk.load_image(file).shape == (1, 3, 1, 1)
    assert dk.load_image(io.BytesIO(path.read_bytes()), side=7).shape == (1, 3, 7, 7)


def test_side_is_the_longest_side_and_keeps_the_shape(tmp_path):
    path = stored(PIL.Image.new("RGB", (400, 100), (10, 20, 30)), tmp_path / "wide.png")
    assert dk.load_image(path, side=40).shape == (1, 3, 10, 40)
    assert dk.load_image(path, side=1).shape == (1, 3, 1, 1)
    assert torch.allclose(
        dk.load_image(path, side=800),
        dk.load_image(path)[:, :, :1, :1].expand(1, 3, 200, 800),
        atol=1e-6,
    )


# --- broken ones


def truncated(kind: str) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ).save(file, kind)
    return file.getvalue()[: len(file.getvalue()) // 2]


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG that claims this many pixels, and hardly a byte of them."""
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a picture that Pillow can read"),
        (b"Dear Sir, this is a letter.", "not a picture that Pillow can read"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (truncated("JPEG"), "broken picture: .*truncated"),
        (truncated("PNG"), "broken picture"),
        (truncated("WEBP"), "picture"),
        (truncated("TIFF"), "picture"),
        (truncated("GIF"), "picture"),
        (bomb(20_000, 20_000), "more than 178 megapixels"),
        (bomb(2**31 - 1, 2**31 - 1), "more than 178 megapixels"),
        (bomb(0, 5), "picture"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(content, message, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        dk.load_image(path)
    assert "photo.jpg" in str(caught.value) and "\n" not in str(caught.value)
    assert path.read_bytes() == content  # and left as it was


def test_a_bomb_is_refused_before_memory_is_taken(tmp_path):
    import tracemalloc

    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(20_000, 20_000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="megapixels"):
        dk.load_image(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_large_but_allowed_pictures_are_not_bombs(tmp_path):
    """From 89 to 178 megapixels Pillow only warns: the limit in the message is the real limit."""
    path = stored(PIL.Image.new("1", (12_000, 10_000)), tmp_path / "large.png")
    with opened(path) as file:
        assert file.size == (12_000, 10_000)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("nowhere.png", FileNotFoundError, "no picture at 'nowhere.png'"),
        (".", ValueError, "is a folder"),
        ("", (FileNotFoundError, ValueError), "''"),
        ("a\0b.png", FileNotFoundError, "no picture at"),
        ("x" * 5000 + ".png", FileNotFoundError, "no picture at"),
        (None, ValueError, "a path or an open binary file; given: NoneType"),
        (b"a.png", ValueError, "given: bytes"),
        (7, ValueError, "given: int"),
        (io.StringIO("text"), ValueError, "the open file"),
        (
            "/dev/null" if os.path.exists("/dev/null") else "nul",
            (ValueError, FileNotFoundError),
            "not a regular file|no picture",
        ),
    ],
)
def test_what_is_no_file(given, error, message):
    with pytest.raises(error, match=message):
        dk.load_image(given)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_a_file_that_may_not_be_read(drawn, tmp_path):
    path = stored(PIL.Image.fromarray(drawn), tmp_path / "a.png")
    path.chmod(0)
    with pytest.raises(ValueError, match="permission denied"):
        dk.load_image(path)


def test_links(drawn, tmp_path):
    path = stored(PIL.Image.fromarray(drawn), tmp_path / "a.png")
    (tmp_path / "link.png").symlink_to(path)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    assert dk.load_image(tmp_path / "link.png").shape == (1, 3, 6, 8)
    for name in ("gone.png", "circle.png"):
        with pytest.raises(FileNotFoundError, match=name):
            dk.load_image(tmp_path / name)
    dk.save_image(
        torch.zeros(1, 3, 2, 2), tmp_path / "link.png"
    )  # the link is replaced by the result; its target stays
    assert dk.load_image(path).shape == (1, 3, 6, 8)


@pytest.mark.parametrize("side", [0, -1, 2.0, True, "9", 65_537, float("nan")])
def test_wrong_sides(side):
    with pytest.raises(ValueError, match="longest side in pixels"):
        dk.sample("china", side)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.int16, np.uint16, np.int8, np.uint8])
def test_a_side_from_numpy(kind, tmp_path):
    dk.save_image(torch.zeros(1, 3, 200, 400), tmp_path / "a.png")
    picture = dk.load_image(tmp_path / "a.png", kind(100))
    assert picture.shape == (1, 3, 50, 100)
    spec = passport.picture_spec(picture, "file", "a.png", kind(100))
    assert json.loads(json.dumps(spec))["side"] == 100


# --- saving


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (3, 5, 7)])
def test_a_saved_png_comes_back_to_half_a_grey_level(shape, tmp_path):
    picture = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    dk.save_image(picture, tmp_path / "a.png")
    assert (
        dk.load_image(tmp_path / "a.png") - picture.reshape(1, 3, 5, 7)
    ).abs().max() <= 0.5 / 255 + 1e-6
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "PNG"])
def test_passports_travel_in_every_format(suffix, tmp_path):
    passport = {
        "dreamkit": "1",
        "name": "写真 \u0000 'quoted' <script>",
        "numbers": [1, 2.5, None, True],
        "deep": {"a": {"b": "x" * 5000}},
    }
    path = tmp_path / f"a.{suffix}"
    dk.save_image(dk.noise(9, 8), path, passport)
    assert dk.read_passport(path) == passport


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_picture_without_passport_says_so(suffix, drawn, tmp_path):
    path = stored(PIL.Image.fromarray(drawn), tmp_path / f"a.{suffix}")
    with pytest.raises(ValueError, match="carries no dreamkit passport"):
        dk.read_passport(path)


@pytest.mark.parametrize(
    "text",
    [
        "A day at the sea",
        "[1, 2]",
        "{}",
        "{",
        "[" * 100_000,
        '{"a": 1}',
        "",
        '{"dreamkit": ' + "9" * 5000 + "}",
    ],
)
def test_a_foreign_description_is_no_passport(text, drawn, tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text(images.PASSPORT_KEY, text)
    path = stored(PIL.Image.fromarray(drawn), tmp_path / "a.png", pnginfo=info)
    with pytest.raises(ValueError, match="carries no dreamkit passport"):
        dk.read_passport(path)
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text[:60_000]
    path = stored(PIL.Image.fromarray(drawn), tmp_path / "a.jpg", exif=exif)
    with pytest.raises(ValueError, match="carries no dreamkit passport"):
        dk.read_passport(path)


def test_a_passport_that_unpacks_without_end_is_not_read(drawn, tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text(
        images.PASSPORT_KEY, json.dumps({"dreamkit": "1", "x": "y" * 3_000_000}), zip=True
    )
    path = stored(PIL.Image.fromarray(drawn), tmp_path / "a.png", pnginfo=info)
    with pytest.raises(ValueError, match=r"passport|broken"):
        dk.read_passport(path)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (torch.zeros(2, 3, 4, 4), r"given: \(2, 3, 4, 4\)"),
        (torch.zeros(4, 4), r"given: \(4, 4\)"),
        (torch.zeros(1, 1, 4, 4), r"given: \(1, 1, 4, 4\)"),
        (np.zeros((1, 3, 4, 4)), "given: ndarray"),
        (torch.full((1, 3, 2, 2), float("nan")), "NaN or infinite"),
        (torch.full((1, 3, 2, 2), float("inf")), "NaN or infinite"),
        (torch.full((1, 3, 2, 2), 200, dtype=torch.uint8), r"200 to 200 \(divide .* by 255\)"),
        (torch.full((3, 2, 2), 200), r"200 to 200 \(divide"),
        (torch.full((1, 3, 2, 2), 255.0), r"lie in \[0, 1\]; given: 255 to 255 \(divide"),
        (torch.full((1, 3, 2, 2), 90.0, dtype=torch.float64), "given: 90 to 90"),
        (torch.full((1, 3, 2, 2), 90.0, dtype=torch.bfloat16), "given: 90 to 90"),
        (torch.tensor([-104.0, 151.0]).expand(1, 3, 2, 2), "given: -104 to 151"),  # minus the mean
    ],
)
def test_what_is_no_picture_is_not_saved(picture, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        dk.save_image(picture, tmp_path / "a.png")
    assert os.listdir(tmp_path) == []


def test_values_a_little_outside_are_clipped_and_masks_are_pictures(tmp_path):
    for given, seen in (
        (torch.tensor([-0.5, 1.5]), [0, 1]),
        (torch.tensor([-3.0, 4.0]), [0, 1]),  # of the caffe recipe without clipping
        (torch.tensor([False, True]), [0, 1]),
        (torch.tensor([0, 1], dtype=torch.uint8), [0, 1]),
        (torch.tensor([0, 1]), [0, 1]),
        (torch.tensor([0.0, 0.5], dtype=torch.float16), [0, 128 / 255]),
    ):
        dk.save_image(given.expand(1, 3, 1, 2), tmp_path / "a.png")
        torch.testing.assert_close(
            dk.load_image(tmp_path / "a.png")[0, 0, 0], torch.tensor(seen).float()
        )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.gif", "must end in .png, .jpg, .jpeg, .webp"),
        ("a", "must end in"),
        (".png", "must end in"),
        ("", "must end in"),
        ("missing/a.png", "the folder '.*missing' does not exist"),
        ("folder.png", "is a folder"),
        ("x" * 300 + ".png", "cannot write"),
    ],
)
def test_where_nothing_can_be_written(name, message, tmp_path):
    (tmp_path / "folder.png").mkdir()
    for act in (images.check_target, lambda path: dk.save_image(torch.zeros(1, 3, 2, 2), path)):
        with pytest.raises(ValueError, match=message):
            act(tmp_path / name)
    assert os.listdir(tmp_path) == ["folder.png"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_failing_write_leaves_the_old_file_and_no_other(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"a.{suffix}"
    dk.save_image(dk.noise(8, 8), path)
    before = path.read_bytes()

    def fail(self, file, *args, **options):
        file.write(b"half a picture")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PIL.Image.Image, "save", fail)
    with pytest.raises(ValueError, match=r"cannot write .*No space left on device"):
        dk.save_image(dk.noise(8, 8, seed=1), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


def test_a_size_that_the_format_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="WEBP holds at most 16383 pixels a side; given: 17000×1"):
        dk.save_image(torch.zeros(1, 3, 1, 17_000), tmp_path / "long.webp")
    with pytest.raises(ValueError, match="JPEG holds at most 65500 pixels a side; given: 66000×1"):
        dk.save_image(torch.zeros(1, 3, 1, 66_000), tmp_path / "long.jpg")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_the_file_has_ordinary_permissions(tmp_path, monkeypatch):
    path, umask = tmp_path / "a.png", os.umask
    before = umask(0o027)
    try:
        # A thread that changes the umask changes it for the files of all other threads.
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was changed"))
        dk.save_image(dk.noise(2, 2), path)
        assert path.stat().st_mode & 0o777 == 0o640
        for mode in (0o600, 0o666):  # a file that existed keeps its mode
            path.chmod(mode)
            dk.save_image(dk.noise(2, 2), path)
            assert path.stat().st_mode & 0o777 == mode
    finally:
        umask(before)


# --- samples and noise


@pytest.mark.parametrize("name", dk.samples())
def test_every_sample_loads_and_has_a_credit(name):
    photo = dk.sample(name)
    assert photo.shape[:2] == (1, 3) and min(photo.shape[-2:]) >= 300
    assert photo.min() >= 0 and photo.max() <= 1 and photo.std() > 0.02
    assert any(word in sample_credit(name) for word in ("CC0", "CC BY 2.0", "public domain"))
    assert name in dk.sample.__doc__


def test_unknown_samples_are_answered_with_near_ones():
    with pytest.raises(KeyError, match="unknown sample 'chinna'; nearest: china"):
        dk.sample("chinna")


def test_noise_is_seeded_and_bounded():
    assert torch.equal(dk.noise(5, 6, seed=2), dk.noise(5, 6, seed=2)) and not torch.equal(
        dk.noise(5, 6), dk.noise(5, 6, seed=1)
    )
    assert (
        dk.noise(50, 60).min() >= 0
        and dk.noise(50, 60).max() <= 1
        and dk.noise(3, 4).shape == (1, 3, 3, 4)
    )
    with pytest.raises(ValueError, match="at least 1×1"):
        dk.noise(0, 5)

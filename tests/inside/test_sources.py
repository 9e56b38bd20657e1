"""The pictures of a folder: the formats that can be read, HEIC with pillow-heif (faked here)."""

import PIL.Image
import PIL.ImageFile
import pytest

import dreamkit as dk
from dreamkit.inside.sources import sources_of
from dreamkit.pictures import formats

from ..heif import HEIC


def names(folder):
    return [source.name for source in sources_of(folder, (16,))[1]]


@pytest.fixture
def folder(tmp_path):
    for name in ("a.heic", "B.HEIF"):
        (tmp_path / name).write_bytes(HEIC)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_photos_of_phones_are_pictures_of_a_folder(with_heif, folder):
    dk.save_image(dk.noise(8, 8), folder / "c.png")
    assert names(folder) == ["B.HEIF", "a.heic", "c.png"]
    photo = sources_of(folder, (16,))[1][1].load()
    assert photo[0, :, 0, 0].tolist() == [1, 0, 0]


def test_without_the_package_its_name_is_said_if_there_is_nothing_else(without_heif, folder):
    with pytest.raises(ValueError, match=r"no pictures \(2 HEIC: pip install pillow-heif"):
        names(folder)
    dk.save_image(dk.noise(8, 8), folder / "c.png")
    assert names(folder) == ["c.png"]


def test_what_an_album_takes_is_taken_here_too(tmp_path):
    from dreamkit.cli.album_files import picture_files

    for suffix in formats.SUFFIXES:
        PIL.Image.new("RGB", (4, 4)).save(tmp_path / f"a{suffix.upper()}")
    (tmp_path / "a.txt").write_text("no picture")
    found = sources_of(tmp_path, (4,))[1]
    assert [source.load().shape for source in found] == [(1, 3, 4, 4)] * len(formats.SUFFIXES)
    assert {source.name for source in found} == {
        path.rpartition("/")[2] for path in picture_files([str(tmp_path)])
    }


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match=r"has no pictures \(\.png, \.jpg, .*\.tiff"):
        names(tmp_path)

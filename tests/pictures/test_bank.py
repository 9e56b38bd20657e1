"""Collections of pictures by name: samples, folders, and torchvision's data sets in small copies.

No test reaches for the network: the copies lie on the disk, in the form that torchvision unpacks.
"""

import hashlib
import json
import os
import tarfile
import urllib.error
import urllib.request

import numpy as np
import PIL.Image
import pytest
import torch

import dreamkit as dk
from dreamkit.inside.sources import sources_of
from dreamkit.pictures import datasets

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def picture(path, color, size=(40, 20)):
    """A file of one colour but for a black left quarter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = PIL.Image.new("RGB", size, color)
    image.paste((0, 0, 0), (0, 0, size[0] // 4, size[1]))
    image.save(path, "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")


def digest(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def imagenette(root, monkeypatch):
    for kind, color in (("n01440764", RED), ("n03888257", GREEN)):
        picture(root / "imagenette2-320" / "val" / kind / f"{kind}_1.JPEG", color)


def flowers(root, monkeypatch):
    import torchvision
    from scipy.io import savemat

    base = root / "flowers-102"
    for i, color in ((1, RED), (2, BLUE), (3, GREEN)):
        picture(base / "jpg" / f"image_{i:05d}.jpg", color)
    savemat(base / "setid.mat", {"trnid": [[1, 3]], "valid": [[2]], "tstid": [[2]]})
    savemat(base / "imagelabels.mat", {"labels": [[1, 2, 2]]})
    known = torchvision.datasets.Flowers102._file_dict
    for name, file in (("setid", "setid.mat"), ("label", "imagelabels.mat")):
        monkeypatch.setitem(known, name, (file, digest(base / file)))


def pets(root, monkeypatch):
    base = root / "oxford-iiit-pet"
    picture(base / "images" / "Abyssinian_1.jpg", RED)
    picture(base / "images" / "beagle_7.jpg", GREEN)
    (base / "annotations").mkdir()
    lines = "Abyssinian_1 1 1 1\nbeagle_7 2 2 1\n"
    (base / "annotations" / "trainval.txt").write_text(lines)


def food(root, monkeypatch):
    base = root / "food-101"
    picture(base / "images" / "pizza" / "11.jpg", RED)
    picture(base / "images" / "ramen" / "12.jpg", GREEN)
    (base / "meta").mkdir()
    listed = {"pizza": ["pizza/11"], "ramen": ["ramen/12"]}
    (base / "meta" / "test.json").write_text(json.dumps(listed))


def stl10(root, monkeypatch):
    """Bytes by picture, channel, column, row: STL10 writes its columns first."""
    import torchvision

    base = root / "stl10_binary"
    base.mkdir(parents=True)
    pixels = np.zeros((2, 3, 96, 96), np.uint8)  # picture, channel, row, column
    pixels[0, 0, :, 24:], pixels[1, 1, :, 24:] = 255, 255
    for name in ("train_X.bin", "unlabeled_X.bin", "test_X.bin"):
        (base / name).write_bytes(pixels.transpose(0, 1, 3, 2).tobytes())
    for name in ("train_y.bin", "test_y.bin"):
        (base / name).write_bytes(bytes([1, 2]))
    for which in ("train_list", "test_list"):
        names = [name for name, _ in getattr(torchvision.datasets.STL10, which)]
        listed = [[name, digest(base / name)] for name in names]
        monkeypatch.setattr(torchvision.datasets.STL10, which, listed)


MAKERS = {
    "Imagenette": imagenette,
    "Flowers102": flowers,
    "OxfordIIITPet": pets,
    "Food101": food,
    "STL10": stl10,
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache of torch; every request for an address that is not a file fails."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    ask = urllib.request.urlopen

    def only_files(request, *more, **named):
        url = request if isinstance(request, str) else request.full_url
        if not url.startswith("file:"):
            raise urllib.error.URLError("Name or service not known")
        answer = ask(request, *more, **named)
        answer.length = int(answer.headers["Content-length"])  # as an answer of http has it
        return answer

    monkeypatch.setattr(urllib.request, "urlopen", only_files)
    return tmp_path / "torch" / "hub" / "datasets"


def leftovers(home):
    return [path.name for path in home.iterdir()] if home.exists() else []


def test_every_data_set_has_a_small_copy_here():
    assert set(MAKERS) == set(datasets.DATASETS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_data_set_in_the_cache_is_read(name, home, monkeypatch):
    MAKERS[name](home / name, monkeypatch)
    found = dk.collection(name)
    assert len(found) == 2 and found.names == (f"{name} 0", f"{name} 1")
    for image, color in zip(found, ((1, 0, 0), (0, 1, 0)), strict=True):
        height, width = image.shape[-2:]
        assert (width, image.shape[:2]) == (256, (1, 3)) and image.dtype == torch.float32
        middle, left = image[0, :, height // 2, width // 2], image[0, :, height // 2, 20]
        assert torch.allclose(middle, torch.tensor(color).float(), atol=0.03)
        assert left.max() < 0.03  # the black quarter is on the left: rows are rows


def test_patches_come_out_of_a_data_set_at_every_size(home, monkeypatch, tiny_network):
    imagenette(home / "Imagenette", monkeypatch)
    module = torch.nn.Sequential(torch.nn.AvgPool2d(2))
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    bank = dk.collection("Imagenette")
    (best, *_) = dk.top_patches(network, "0", 0, bank, sides=(20, 40))
    assert best.source == "Imagenette 0" and best.value > 0.97
    assert {s.name: s.load().shape[-1] for s in sources_of(bank, (20,))[1]} == {
        "Imagenette 0": 20,
        "Imagenette 1": 20,
    }


def archive(tmp_path, monkeypatch):
    """Imagenette's archive, small, at an address of the disk with the right digest."""
    import torchvision

    imagenette(tmp_path / "made", monkeypatch)
    file = tmp_path / "served" / "imagenette2-320.tgz"
    file.parent.mkdir()
    with tarfile.open(file, "w:gz") as packed:
        packed.add(tmp_path / "made" / "imagenette2-320", "imagenette2-320")
    known = torchvision.datasets.Imagenette._ARCHIVES
    monkeypatch.setitem(known, "320px", (file.as_uri(), digest(file)))
    return file


def test_a_data_set_is_fetched_once(home, tmp_path, monkeypatch):
    file = archive(tmp_path, monkeypatch)
    assert len(dk.collection("Imagenette")) == 2
    file.unlink()
    assert len(dk.collection("Imagenette")) == 2  # from the cache
    assert leftovers(home) == ["Imagenette"]
    assert [path.name for path in (home / "Imagenette").iterdir()] == ["imagenette2-320"]


@pytest.mark.parametrize("name", MAKERS)
def test_without_a_connection_one_line_says_so_and_nothing_is_left(name, home):
    with pytest.raises(ValueError, match="could not be fetched") as caught:
        dk.collection(name)
    text = str(caught.value)
    assert "Name or service not known" in text and str(home / name) in text and "\n" not in text
    assert leftovers(home) == []


def test_a_broken_archive_leaves_nothing(home, tmp_path, monkeypatch):
    file = archive(tmp_path, monkeypatch)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"could not be fetched .*corrupted"):
        dk.collection("Imagenette")
    assert leftovers(home) == []


def test_an_interrupted_download_leaves_nothing(home, monkeypatch):
    def interrupted(name, folder, download):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "_open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dk.collection("Imagenette")
    assert leftovers(home) == []


def test_what_a_killed_process_left_is_removed_a_day_later(home, tmp_path, monkeypatch):
    archive(tmp_path, monkeypatch)
    old, new, other = (home / f".{n}" for n in ("Food101-" + "0" * 16, "STL10-" + "1" * 16, "mine"))
    for path in (old, new, other):
        (path / "food-101").mkdir(parents=True)
    for path in (old / "food-101", old, other / "food-101", other):
        os.utime(path, (0, 0))
    dk.collection("Imagenette")
    assert sorted(leftovers(home)) == sorted(["Imagenette", new.name, other.name])


def test_another_process_was_faster(home, tmp_path, monkeypatch):
    archive(tmp_path, monkeypatch)
    opened = datasets._open

    def slow(name, folder, download):
        if download:
            imagenette(home / name, monkeypatch)
        return opened(name, folder, download)

    monkeypatch.setattr(datasets, "_open", slow)
    assert len(dk.collection("Imagenette")) == 2 and leftovers(home) == ["Imagenette"]


def test_a_damaged_folder_is_named(home):
    (home / "Food101").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"Food101' cannot be read \(Dataset not found.*delete"):
        dk.collection("Food101")


def test_importing_and_asking_for_samples_fetches_nothing(home):
    samples = dk.collection("samples")
    assert samples.names == dk.samples() and not home.exists()
    assert all(max(image.shape) == 256 for image in samples)
    assert torch.equal(samples[2], dk.sample("chelsea", 256))


def test_a_folder_and_its_subfolders(tmp_path):
    picture(tmp_path / "b.jpg", BLUE)
    picture(tmp_path / "cats" / "a.png", RED)
    picture(tmp_path / ".thumbnails" / "c.png", GREEN)
    picture(tmp_path / ".d.png", GREEN)
    (tmp_path / "cats" / "notes.txt").write_text("no picture")
    assert dk.collection(tmp_path).names == ("b.jpg", "cats/a.png")
    assert dk.collection(str(tmp_path))[1].shape == (1, 3, 128, 256)
    assert [s.name for s in sources_of(tmp_path, (8,))[1]] == ["b.jpg", "cats/a.png"]


def test_a_draw_is_without_repetition_and_seeded(tmp_path):
    for i in range(20):
        picture(tmp_path / f"{i:02}.png", RED, (4, 4))
    draw = lambda **how: dk.collection(tmp_path, **how).names
    assert len(set(draw(count=7))) == 7 and draw(count=7) == draw(count=7, seed=0)
    assert draw(count=7) != draw(count=7, seed=1) and draw(count=20) == draw()
    assert list(draw(count=7)) == sorted(draw(count=7))


def test_a_part_is_a_collection_with_a_key_of_its_own():
    whole = dk.collection("samples")
    part = whole[1:3]
    assert part.names == whole.names[1:3] and len(list(part)) == 2
    keys = {whole.key, part.key, whole[2:4].key, dk.collection("samples", count=2).key}
    assert len(keys) == 4 and dk.collection("samples").key == whole.key
    assert repr(part) == "Collection('samples', 2 pictures)"


def test_a_changed_file_makes_another_key(tmp_path):
    picture(tmp_path / "a.png", RED)
    before = dk.collection(tmp_path).key
    os.utime(tmp_path / "a.png", (1, 1))
    assert dk.collection(tmp_path).key != before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name_or_folder": "imagenett"}, "unknown collection 'imagenett'; nearest: Imagenette"),
        ({"name_or_folder": 5}, "unknown collection 5"),
        ({"name_or_folder": ["a"]}, "unknown collection .* or give a folder"),
        ({"count": 0}, "count must be a whole number of at least 1; given: 0"),
        ({"count": 2.5}, "given: 2.5"),
        ({"count": 99}, "'samples' has 12 pictures; asked for: 99"),
    ],
)
def test_wrong_arguments_are_named(given, said):
    with pytest.raises((KeyError, ValueError), match=said):
        dk.collection(**given)


def test_a_picture_that_is_none_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png"):
        list(dk.collection(tmp_path))

"""Class pictures, faces and digits: what they show, and that they come from files of their own."""

import hashlib
import inspect
import shutil

import pytest

from dreamkit.inside import collection, lesions
from dreamkit.networks import zoo

DIGEST = (
    "b7764235d690f61cd21deac9b35e5b86d79c99455714c8291a39dde63911ebbf"  # of all pictures' bytes
)


def test_class_pictures_are_named_rightly_far_above_chance(dreamnet):
    pictures, labels = collection.class_pictures()
    assert pictures.shape == (200, 3, 64, 64) and labels == dreamnet.labels
    some = slice(0, 200, 10)
    right = lesions.accuracy(dreamnet, pictures[some], labels[some])
    assert right >= 0.5
    assert (
        lesions.accuracy(dreamnet, pictures[some], [*labels[10:], *labels[:10]][some]) < 0.2
    )  # the labels shuffled on by ten
    assert collection.class_pictures(["banana", "goldfish"])[1] == ("goldfish", "banana")


def test_faces_and_their_parts():
    faces = collection.faces(100)
    assert (
        faces.shape == (100, 3, 64, 64)
        and 0 <= faces.min() < faces.max() <= 1
        and (faces[:, 0] == faces[:, 2]).all()
    )
    mean, dark = faces.mean((0, 1)), {}
    for part, (top, bottom, left, right) in collection.FACE_PARTS.items():
        dark[part] = float(mean[top:bottom, left:right].mean())
    assert (
        max(dark["left eye"], dark["right eye"]) < dark["forehead"] - 0.02
    )  # the boxes do lie on the eyes
    with pytest.raises(ValueError, match="from 1 to 100; given: 101"):
        collection.faces(101)


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    pictures, values = collection.digits(50, side=8)
    given = load_digits()
    assert values == tuple(given.target[:50])
    assert (pictures[:, 1].numpy() == given.images[:50].astype("float32") / 16).all()
    large, _ = collection.digits(2, side=24)
    assert large.shape == (2, 3, 24, 24) and 0 <= large.min() < large.max() <= 1
    with pytest.raises(ValueError, match="from 1 to 1797; given: 0"):
        collection.digits(0)


def test_class_pictures_do_not_come_from_the_model_card(tmp_path, monkeypatch):
    """They are data: the card's pictures may be drawn anew at any time."""
    assert "card" not in inspect.getsource(collection.class_pictures)
    shutil.copytree(
        zoo.FOLDER, tmp_path / "weights", ignore=shutil.ignore_patterns("card", "*.safetensors")
    )
    monkeypatch.setattr(collection, "FOLDER", tmp_path / "weights")
    pictures, _ = collection.class_pictures()
    values = (pictures * 255).round().byte()
    assert hashlib.sha256(values.numpy().tobytes()).hexdigest() == DIGEST
    assert (zoo.FOLDER / "class-pictures.webp").stat().st_size < 700_000

"""Golden dreams: small pictures of an earlier version, which today's pictures must resemble.

Machines round differently and dreams amplify it, so the pictures are short dreams and the tolerance
is 1.5 grey levels on average; each case's neighbour (another smoothing, another recipe's step) lies
further away, which is tested too. `python -m tests.test_golden` draws them anew: look at them
before you commit.
"""

from dataclasses import replace
from pathlib import Path

import pytest

import dreamkit as dk

pytestmark = pytest.mark.usefixtures("loaded_once")

FOLDER = Path(__file__).parent / "golden"
TOLERANCE = 1.5 / 255
SETTINGS = dk.Settings(steps=4, octaves=2, octave_ratio=1.5, jitter=4)


def ours(layer: str, settings: dk.Settings = SETTINGS, name: str = "dreamnet") -> dk.Image:
    return dk.dream(
        dk.scorer(dk.load_network(name), dk.layer(layer)), dk.sample("chelsea", 96), settings
    )


def recipe(name: str, **more) -> dk.Image:
    network, image = dk.load_network("dreamnet"), dk.sample("chelsea", 96)
    *_, last = getattr(dk.recipes, name)(
        network, dk.layer("inception3b"), image, steps=4, octaves=2, jitter=4, **more
    )
    return last


def zoom(turn: float) -> dk.Image:
    score = dk.scorer(dk.load_network("dreamnet"), dk.layer("inception3b"))
    *_, last = dk.film.zooming(
        score, dk.sample("clouds", 96), SETTINGS, frames=3, fps=10, turn=turn
    )
    return last


GOLDEN = {
    "inception3b": lambda: ours("inception3b"),
    "inception5a": lambda: ours("inception5a"),
    "robust-inception4c": lambda: ours("inception4c", name="dreamnet-robust"),
    "caffe": lambda: recipe("caffe"),
    "pytorch": lambda: recipe("pytorch"),
    "film": lambda: zoom(30.0),
}
OTHERS = {
    "inception3b": lambda: ours("inception3b", replace(SETTINGS, smoothing=1.0)),
    "inception5a": lambda: ours("inception5a", replace(SETTINGS, seed=1)),
    "robust-inception4c": lambda: ours("inception4c"),
    "caffe": lambda: recipe("caffe", step_size=1.2),
    "pytorch": lambda: recipe("pytorch", smoothing=0.3),
    "film": lambda: zoom(24.0),
}


def distance(name: str, picture: dk.Image) -> float:
    golden = dk.load_image(FOLDER / f"{name}.png")
    return (golden - picture).abs().mean().item() if golden.shape == picture.shape else 1.0


@pytest.mark.parametrize("name", GOLDEN)
def test_the_dream_is_as_it_was(name):
    assert distance(name, GOLDEN[name]()) < TOLERANCE


@pytest.mark.parametrize("name", OTHERS)
def test_a_small_change_would_be_seen(name):
    assert distance(name, OTHERS[name]()) > TOLERANCE


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in GOLDEN.items():
        dk.save_image(make(), FOLDER / f"{name}.png")
    for name, make in OTHERS.items():
        print(f"{name}: its neighbour is {255 * distance(name, make()):.2f} grey levels away")

"""The figures of the 2015 post: class pictures, crops, files and captions."""

import functools

import pytest
import torch

import dreamkit as dk
from dreamkit.published import figure_pictures, figures

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def robust():
    return dk.load_network("dreamnet-robust")


@pytest.fixture(scope="module")
def penguins(robust):
    """A king penguin by each prior, made when it is first asked for."""
    steps = {"fourier": 30, "blur": 10, "none": 10}
    return functools.cache(
        lambda prior: figures.class_picture(robust, "king penguin", prior, steps=steps[prior])
    )


@pytest.mark.parametrize("prior", figures.PRIORS)
@pytest.mark.slow
def test_a_class_picture_is_one_of_its_class(robust, penguins, prior):
    image = penguins(prior)
    assert (
        image.shape[:2] == (1, 3)
        and min(image.shape[2:]) >= 90
        and image.min() >= 0
        and image.max() <= 1
    )
    assert dk.classify(robust, image, 1)[0][0] == "king penguin"
    assert "king penguin" in [
        label for label, _ in dk.classify(dk.load_network("dreamnet"), image, 5)
    ]  # another network agrees


def test_a_class_picture_has_the_side_that_was_asked_for(robust):
    sides = {
        prior: figures.class_picture(robust, "banana", prior, steps=1, side=48).shape[-1]
        for prior in figures.PRIORS
    }
    assert sides == {"fourier": 48, "none": 48, "blur": 46}  # 32, enlarged by 1.2 twice
    with pytest.raises(ValueError, match="a whole number of at least 16; given: 8"):
        figures.class_picture(robust, "banana", side=8)
    for prior in figures.PRIORS:  # without a step there is no picture of a class
        with pytest.raises(
            ValueError, match="steps must be a whole number of at least 1; given: 0"
        ):
            figures.class_picture(robust, "banana", prior, steps=0)


@pytest.mark.slow
def test_landscapes_are_the_zoom_of_the_film(robust):
    film = list(figure_pictures.landscapes(robust, 3, frames=2))
    assert [picture.name for picture in film] == ["frame-00", "frame-01", "frame-02"]
    settings = dk.Settings(**film[0].parameters["settings"])
    score = dk.scorer(robust, dk.layer(*film[0].parameters["layers"]))
    again = list(
        dk.film.zooming(
            score, film[0].image, settings, frames=2, fps=1, zoom=film[0].parameters["zoom"]
        )
    )
    assert torch.equal(again[1], film[2].image) and not torch.equal(film[1].image, film[2].image)


@pytest.mark.slow
def test_a_prior_makes_smoother_pictures_than_none(penguins):
    rough, *smoother = map(penguins, ("none", "blur", "fourier"))
    roughness = lambda x: float((x[..., 1:] - x[..., :-1]).abs().mean())
    assert all(roughness(picture) < roughness(rough) for picture in smoother)


def test_busiest_places_are_not_the_empty_ones():
    """The network is as sure of grey (class 0) as of red (class 1), but grey has a lower logit."""

    class Two(torch.nn.Module):
        def forward(self, x):
            red = (x[:, 0] - x[:, 2]).clamp(min=0).mean((1, 2))
            return torch.stack(
                [torch.where(red > 0, 0.0, 10.0), torch.where(red > 0, 20.0, 0.0)], 1
            )

    network = dk.as_network(Two(), (0, 0, 0), (1, 1, 1), labels=("grey", "red"))
    image = torch.full((1, 3, 32, 96), 0.5)
    image[:, 0, :, 64:] = 1.0
    assert [label for _, label in figures.busiest(network, image, 2, side=32)] == ["red", "grey"]


@pytest.mark.slow
def test_busiest_places_are_apart_and_named_once(robust, penguins):
    image = torch.rand(1, 3, 160, 288, generator=torch.Generator().manual_seed(1))
    image[..., 20:116, 30:126] = figures.class_picture(robust, "monarch", steps=30)
    image[..., 40:136, 170:266] = penguins("fourier")
    found = figures.busiest(robust, image, 2, side=96)
    assert {label for _, label in found} == {"monarch", "king penguin"}
    assert all(crop.shape == (1, 3, 96, 96) for crop, _ in found)


def test_every_figure_says_what_is_known_and_what_is_guessed():
    assert len(figures.names()) == 9
    for name in figures.names():
        item = figures.figure(name)
        assert item.shown and item.known and item.guess and item.network in dk.cached_networks()


def test_figures_are_written_with_captions_and_recipes(tmp_path, monkeypatch):
    def make(network, seed):
        yield figures.Picture(
            "grey",
            torch.full((1, 3, 8, 8), 0.5),
            f"grey for {network.name}",
            {"kind": "grey", "seed": seed},
        )

    quick = figures.Figure("grey", "dreamnet", "shown", "known", "guess", make)
    monkeypatch.setitem(figures.FIGURES, "grey", quick)
    paths = list(figures.write(tmp_path / "new" / "folder", ["grey"], seed=5))
    assert [p.name for p in paths] == ["grey-01-grey.png", "captions.md"]
    passport = dk.read_passport(paths[0])
    assert (
        passport["figure"] == "grey"
        and passport["parameters"] == {"kind": "grey", "seed": 5}
        and len(passport["sha256"]) == 64
    )
    text = paths[1].read_text(encoding="utf-8")
    assert "Our guess: guess" in text and "![grey for dreamnet](grey-01-grey.png)" in text


@pytest.mark.parametrize("name", ["strokes", "photo-decides"])
@pytest.mark.slow
def test_a_figure_of_dreams_is_made(name):
    made = list(figures.figure(name).make(dk.load_network("dreamnet"), 0))
    assert len(made) >= 3 and not torch.equal(made[0].image, made[1].image)


def test_messages(robust, tmp_path):
    with pytest.raises(KeyError, match="unknown figure 'banana'; nearest: noise-to-banana"):
        figures.write(tmp_path, ["banana"])
    with pytest.raises(ValueError, match="prior must be one of fourier, blur, none; given: 'tv'"):
        figures.class_picture(robust, "banana", "tv")
    with pytest.raises(KeyError, match="unknown class 'bananna'; nearest: banana"):
        figures.class_picture(robust, "bananna")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot make the folder"):
        figures.write(tmp_path / "file" / "below", ["strokes"])

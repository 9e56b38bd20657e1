"""The recipes agree with independent twins of the published programs (tests/twins.py) to 1e-8."""

import inspect
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.published import recipes
from dreamkit.published.recipes.caffe_2015 import zoom
from dreamkit.published.recipes.tensorflow_2019 import most_tiles
from tests import twins

pytestmark = pytest.mark.usefixtures("loaded_once")

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RECIPES = {name: getattr(recipes, name) for name in recipes.NAMES}


def mean_square(a):
    return (a**2).mean()


def inner_square(a):
    return (a[..., 2:-2, 2:-2] ** 2).sum() / a.numel()


def mean(a):
    return a.mean()


@pytest.fixture(scope="module")
def smooth_module():
    """No ReLU and no max-pool, so that rounding cannot grow: what differs is the algorithm."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 8, 5, 2, 2),
            nn.Softplus(),
            nn.AvgPool2d(3, 2, 1),
            nn.Conv2d(8, 6, 3, 1, 1),
            nn.Softplus(),
        )
        module[0].weight.data[:, 1] *= 3  # the channels differ, so a swap of R and B shows
        module[0].weight.data[:, 2] *= -2
    return module.double().eval()


@pytest.fixture(scope="module")
def network(smooth_module):
    return dk.as_network(smooth_module, MEAN, STD)


def photo(height=64, width=96):
    """Without ties: scaled into [0.1, 0.9], with a little noise."""
    picture = dk.sample("china", 2 * width)[..., :height, :width].double() * 0.8 + 0.1
    grain = torch.randn(
        picture.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    return (picture + 0.004 * grain).clamp(0.02, 0.98)


def distance(ours, theirs):
    ours = [picture[0].numpy() for picture in ours]
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))


LAYERS = {"caffe": {}, "pytorch": {}, "tensorflow": {"power": 1}, "keras": {"border": 2}}
FORMULAS = {
    "caffe": mean_square,
    "pytorch": mean_square,
    "tensorflow": mean,
    "keras": inner_square,
}
# name: (recipe, its arguments and those of its twin; without any, both use the published defaults)
CASES = {
    "caffe": ("caffe", {}),
    "caffe, not clipped": ("caffe", {"clip": False, "step_size": 6.0}),
    "pytorch": ("pytorch", {}),
    "tensorflow": ("tensorflow", {}),
    "tensorflow, tiled": ("tensorflow", {"tile": 32, "steps": 20}),
    "keras": ("keras", {}),
    "keras, stopped": ("keras", {"max_loss": 1.6}),
}


def ours(case, network, picture, **fewer):
    name, more = CASES[case]
    more = more | fewer
    if name != "keras" and case != "tensorflow":  # the twins have no jitter; those two have none
        more = more | {"jitter": 0}
    return list(RECIPES[name](network, dk.layer("4", **LAYERS[name]), picture, **more))


def theirs(case, module, picture, **fewer):
    name, more = CASES[case]
    more = more | fewer
    twin = twins.tensorflow_tiled if "tile" in more else getattr(twins, name)
    ascent = twins.Ascent(module, MEAN, STD, "4", FORMULAS[name])
    return twin(ascent, picture[0].numpy(), **more)


def run(case, network, module, picture, **fewer):
    return distance(ours(case, network, picture, **fewer), theirs(case, module, picture, **fewer))


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_its_twin_over_the_whole_pyramid(case, network, smooth_module):
    assert run(case, network, smooth_module, photo()) < 1e-8


def test_the_stop_of_keras_is_met_within_an_octave(network):
    count = len(ours("keras, stopped", network, photo()))
    assert 3 < count < 60
    assert (
        len(list(recipes.keras(network, dk.layer("4"), photo(), max_loss=0.0, steps=4))) == 3
    )  # one step an octave
    assert len(list(recipes.keras(network, dk.layer("4"), photo(), max_loss=None, steps=4))) == 12


@pytest.mark.parametrize("size", [(56, 128), (61, 70)])
def test_caffe_inherits_the_fault_of_scipys_zoom(size, network, smooth_module):
    small = zoom(torch.ones(1, 1, 4, 128), (4, 91))
    assert small[..., -1].max() == 0 and small[..., :-1].min() == 1
    assert run("caffe", network, smooth_module, photo(*size)) < 1e-8


@pytest.mark.parametrize("steps", [3, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["caffe", "pytorch"])
def test_agrees_over_the_whole_pyramid_through_the_embedded_network(name, steps):
    network = dk.load_network("dreamnet", precision="float64")
    ascent = twins.Ascent(network.module, network.mean, network.std, "inception3a", mean_square)
    ours = RECIPES[name](network, dk.layer("inception3a"), photo(), jitter=0, steps=steps)
    assert distance(ours, getattr(twins, name)(ascent, photo()[0].numpy(), steps=steps)) < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "formula", "keywords"),
    [
        ("caffe", mean_square, {}),
        ("pytorch", mean_square, {}),
        ("tensorflow", mean, {"power": 1}),
        ("keras", inner_square, {"border": 2}),
    ],
)
def test_agrees_for_a_dozen_steps_at_a_deep_layer(name, formula, keywords):
    """Not more steps: at a deep layer any difference about doubles with every step."""
    network, picture = dk.load_network("dreamnet", precision="float64"), photo(96, 128)
    ascent = twins.Ascent(network.module, network.mean, network.std, "inception4a", formula)
    ours = RECIPES[name](network, dk.layer("inception4a", **keywords), picture, jitter=0, steps=3)
    assert distance(ours, getattr(twins, name)(ascent, picture[0].numpy(), steps=3)) < 1e-8


def by(how):
    return lambda gradient, **_: dk.normalize(gradient, how)


def resized(how):
    return lambda image, size, _="": dk.resize(image, size, how)


# what is broken: (case, the verb in the recipe's module, another verb in its place)
BROKEN = {
    "caffe: zoomed by area": ("caffe", "zoom", resized("area")),
    "caffe: half-pixel zoom": ("caffe", "zoom", resized("bilinear")),
    "caffe: by the deviation": ("caffe", "normalize", by("std")),
    "pytorch: wide kernel": ("pytorch", "smooth", lambda g, sigma, radius: dk.smooth(g, sigma)),
    "pytorch: mean kept": ("pytorch", "normalize", by("std")),
    "pytorch: corners": ("pytorch", "resize", resized("corners")),
    "tensorflow: anti-aliased": ("tensorflow", "resize", resized("area")),
    "tensorflow: mean of |g|": ("tensorflow", "normalize", by("mean_abs")),
    "tensorflow: every tile": ("tensorflow, tiled", "most_tiles", dk.tiled_gradient),
    "keras: clipped at each step": ("keras", "ascend", lambda x, d, s, clip: dk.ascend(x, d, s)),
    "keras: by the deviation": ("keras", "normalize", by("std")),
}


@pytest.mark.parametrize("quirk", BROKEN)
def test_a_broken_quirk_is_seen(quirk, network, smooth_module, monkeypatch):
    case, name, wrong = BROKEN[quirk]
    monkeypatch.setattr(sys.modules[RECIPES[CASES[case][0]].__module__], name, wrong)
    assert run(case, network, smooth_module, photo(), steps=3) > 1e-5


@pytest.mark.parametrize(("name", "power", "gain"), [("tensorflow", 1, 3e-4), ("keras", 2, 3e-2)])
def test_the_epsilons_count_in_the_published_space(name, power, gain, smooth_module):
    """A gradient so small that 1e-8 and 1e-6 matter: it must be the one with respect to [-1, 1]."""
    faint = nn.Sequential(*smooth_module, nn.Conv2d(6, 6, 1, bias=False)).double().eval()
    faint[-1].weight.data = torch.eye(6, dtype=torch.float64).view(6, 6, 1, 1) * gain
    ascent = twins.Ascent(faint, MEAN, STD, "5", mean if power == 1 else mean_square)
    size, epsilon = (
        np.abs(ascent.rgb(photo()[0].numpy())[1]).mean(),
        {"tensorflow": 1e-8, "keras": 1e-6}[name],
    )
    assert epsilon / 30 < size < 30 * epsilon  # else this test shows nothing
    ours = RECIPES[name](
        dk.as_network(faint, MEAN, STD), dk.layer("5", power=power), photo(), steps=5
    )
    assert distance(ours, getattr(twins, name)(ascent, photo()[0].numpy(), steps=5)) < 1e-8


def test_the_defaults_are_the_published_ones():
    published = {
        "caffe": dict(
            steps=10, step_size=1.5, octaves=4, octave_ratio=1.4, jitter=32, clip=True, seed=0
        ),
        "pytorch": dict(
            steps=10, step_size=0.09, octaves=4, octave_ratio=1.8, jitter=32, smoothing=0.5, seed=0
        ),
        "tensorflow": dict(
            steps=50, step_size=0.01, octaves=5, octave_ratio=1.3, jitter=None, tile=0, seed=0
        ),
        "keras": dict(
            steps=20, step_size=0.01, octaves=3, octave_ratio=1.4, jitter=0, max_loss=15.0, seed=0
        ),
    }
    for name, recipe in RECIPES.items():
        keywords = {
            k: p.default
            for k, p in inspect.signature(recipe).parameters.items()
            if p.kind is p.KEYWORD_ONLY
        }
        assert keywords == published[name] and list(keywords)[:5] == [
            "steps",
            "step_size",
            "octaves",
            "octave_ratio",
            "jitter",
        ]


def sizes(recipe, height, width, **keywords):
    network = dk.as_network(nn.Conv2d(3, 1, 1), (0, 0, 0), (1, 1, 1))
    pictures = recipe(
        network, dk.channel("", 0), torch.rand(1, 3, height, width), steps=1, jitter=0, **keywords
    )
    return [tuple(picture.shape[-2:]) for picture in pictures]


def test_the_sizes_are_the_published_ones():
    assert sizes(recipes.caffe, 575, 1024) == [
        (210, 373),
        (294, 522),
        (411, 731),
        (575, 1024),
    ]  # the notebook's sky
    assert sizes(recipes.pytorch, 400, 600) == [
        (69, 103),
        (123, 185),
        (222, 333),
        (400, 600),
    ]  # figures.jpg
    assert sizes(recipes.tensorflow, 130, 500)[:4] == [
        (76, 295),
        (100, 384),
        (130, 500),
        (169, 650),
    ]
    assert sizes(recipes.keras, 350, 480) == [(178, 244), (250, 342), (350, 480)]


def test_tensorflow_ends_at_the_size_of_the_photo_in_whole_levels(network):
    *_, before, last = recipes.tensorflow(network, dk.layer("4", power=1), photo(), steps=2)
    assert before.shape[-2:] == (108, 162) and last.shape == photo().shape
    assert torch.equal((last * 255).round() / 255, last)


def test_the_twins_conversion_to_8_bits_multiplies_by_255_and_a_half_and_truncates():
    levels = np.array([0, 1, 127.4, 127.6, 127.8, 254.4, 254.6, 255])
    assert twins.convert_image_dtype(levels / 255).tolist() == [0, 1, 127, 127, 128, 254, 255, 255]
    assert np.rint(127.6) == 128  # rounding would give another grey level


@pytest.mark.parametrize("case", ["tensorflow", "tensorflow, tiled"])
def test_tensorflow_ends_as_the_tutorial_ends_and_does_not_round(
    case, network, smooth_module, monkeypatch
):
    levels = np.rint(255 * ours(case, network, photo(), steps=4)[-1][0].numpy())
    truncated = 255 * theirs(case, smooth_module, photo(), steps=4)[-1]
    monkeypatch.setattr(twins, "convert_image_dtype", lambda x: np.rint(255 * x))
    rounded = np.rint(255 * theirs(case, smooth_module, photo(), steps=4)[-1])
    assert np.abs(levels - truncated).max() < 1e-6
    assert np.abs(levels - rounded).max() == 1 and (levels != rounded).mean() > 0.15


def test_tensorflow_drops_the_last_tile_unless_it_is_the_only_one():
    score = lambda x: x.sum()
    reached = lambda height, width: (
        most_tiles(score, torch.zeros(1, 1, height, width), 4).sum().item()
    )
    assert (
        reached(4, 4) == 16
        and reached(3, 9) == 3 * 8
        and reached(8, 8) == 16
        and reached(9, 5) == 8 * 4
    )


def test_tensorflow_rolls_in_tiles_only(network):
    run = lambda seed, **k: next(
        iter(recipes.tensorflow(network, dk.layer("4"), photo(), steps=1, seed=seed, **k))
    )
    assert torch.equal(run(0), run(1)) and torch.equal(
        run(0, tile=40, jitter=0), run(1, tile=40, jitter=0)
    )
    assert not torch.equal(run(0, tile=40), run(1, tile=40))


@pytest.mark.parametrize("name", recipes.NAMES)
def test_the_seed_decides(name, network):
    last = lambda seed: list(
        RECIPES[name](network, dk.layer("4"), photo(), steps=2, octaves=2, jitter=8, seed=seed)
    )[-1]
    assert torch.equal(last(3), last(3)) and not torch.equal(last(3), last(4))


@pytest.mark.parametrize(
    ("name", "keywords"), [*((name, {}) for name in recipes.NAMES), ("tensorflow", {"tile": 64})]
)
def test_pictures_in_float32_are_pictures(name, keywords):
    network, picture = dk.load_network("dreamnet"), dk.sample("china", 96)
    before = picture.clone()
    pictures = list(RECIPES[name](network, dk.layer("inception3b"), picture, steps=3, **keywords))
    assert len(pictures) == 3 * inspect.signature(RECIPES[name]).parameters["octaves"].default
    for shown in pictures:
        assert shown.dtype == torch.float32 and not shown.requires_grad
        assert torch.isfinite(shown).all() and shown.min() >= 0 and shown.max() <= 1
    assert torch.equal(picture, before) and not picture.requires_grad
    assert pictures[-1].shape == picture.shape and not torch.equal(pictures[-1], picture)


@pytest.mark.parametrize("name", recipes.NAMES)
def test_ten_steps_raise_the_score(name, network):
    objective = dk.layer("4")
    score = dk.scorer(network, objective)
    steps = list(RECIPES[name](network, objective, photo(), steps=10, octaves=1, jitter=0))
    assert score(steps[-1]) > score(steps[0]) > score(photo())


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_batch_is_dreamt_one_by_one(name, network):
    objective, pair = dk.layer("4"), torch.cat([photo(), photo().flip(-1)])
    dream = lambda x: list(RECIPES[name](network, objective, x, steps=2, octaves=2, jitter=0))[-1]
    apart = torch.cat([dream(picture[None]) for picture in pair])
    assert (dream(pair) - apart).abs().max() < (1e-9 if name != "tensorflow" else 1.01 / 255)


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_silent_score_warns_once_and_changes_nothing(name):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    module[0].weight.data.zero_()
    module[0].bias.data.fill_(-1.0)
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    picture = (photo(40, 48) * 255).round().div(255).float()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pictures = list(RECIPES[name](network, dk.layer("1"), picture, steps=3, octaves=1))
    assert (
        len(caught) == 1 and "silent" in str(caught[0].message) and caught[0].filename == __file__
    )
    assert all((shown - picture).abs().max() < 1.01 / 255 for shown in pictures)
    assert name == "tensorflow" or torch.allclose(pictures[-1], picture, atol=1e-6)


@pytest.mark.parametrize("name", recipes.NAMES)
def test_no_steps_no_pictures_and_no_hooks_left(name, network, smooth_module):
    assert list(RECIPES[name](network, dk.layer("4"), photo(), steps=0)) == []
    iterator = RECIPES[name](network, dk.layer("4"), photo())
    next(iterator)
    iterator.close()
    assert not any(m._forward_hooks for m in smooth_module.modules())


@pytest.mark.parametrize("name", recipes.NAMES)
def test_mistakes_are_named_when_the_recipe_is_called(name, network):
    recipe, objective = RECIPES[name], dk.layer("4")
    with pytest.raises(ValueError, match=r"\[0, 1\]; given: 0 to 2"):
        recipe(network, objective, torch.tensor([0.0, 2.0, 1.0]).view(1, 3, 1, 1))
    with pytest.raises(KeyError, match="unknown layer 'nine'"):
        recipe(network, dk.layer("nine"), photo())
    for keywords in (
        {"steps": -1},
        {"steps": 2.5},
        {"octaves": 0},
        {"step_size": float("nan")},
        {"octave_ratio": 0.5},
        {"seed": None},
    ):
        with pytest.raises(
            ValueError, match=f"{next(iter(keywords))} of the {name} recipe must be"
        ):
            recipe(network, objective, photo(), **keywords)
    with pytest.raises(TypeError):
        recipe(network, objective, photo(), 10)


def test_pytorch_wants_ten_pixels(network):
    with pytest.raises(ValueError, match="would be 8×10 pixels"):
        next(recipes.pytorch(network, dk.layer("4"), photo(46, 60)))


def test_the_twins_resize_is_opencvs():
    cv2 = pytest.importorskip("cv2")
    picture = photo()[0].numpy()
    for size in ((23, 31), (64, 96), (100, 171)):
        theirs = cv2.resize(
            picture.transpose(1, 2, 0), size[::-1], interpolation=cv2.INTER_LINEAR
        ).transpose(2, 0, 1)
        assert (
            np.abs(twins.half_pixel(picture, *size) - theirs).max() < 1e-4
        )  # some builds of OpenCV keep weights in float32
        assert (
            np.abs(
                twins.half_pixel(picture, *size) - dk.resize(photo(), size, "bilinear")[0].numpy()
            ).max()
            < 1e-13
        )

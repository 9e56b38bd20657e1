"""Laws that hold for every picture: hypothesis searches for a picture that breaks them."""

import itertools
import json
from dataclasses import asdict, fields

import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import dreamkit as dk
from dreamkit import passport
from dreamkit.ascent import _lean, steps
from dreamkit.objectives import tiles
from dreamkit.pictures import scales

law = settings(derandomize=True, deadline=None, max_examples=25)
sides, seeds = st.integers(1, 13), st.integers(0, 999)


@st.composite
def batches(draw, least: int = 1) -> torch.Tensor:
    """One to three pictures in [0, 1], float64, contiguous or channels-last."""
    shape = draw(st.integers(1, 3)), 3, draw(st.integers(least, 13)), draw(st.integers(least, 13))
    batch = torch.rand(
        shape, generator=torch.Generator().manual_seed(draw(seeds)), dtype=torch.float64
    )
    return batch.to(
        memory_format=draw(st.sampled_from([torch.contiguous_format, torch.channels_last]))
    )


def signed(batch: torch.Tensor) -> torch.Tensor:
    return batch - 0.4


def curved(x: torch.Tensor) -> torch.Tensor:
    """A mean over points; of a batch the sum over its pictures."""
    return (3 * x + x.square()).sin().mean((1, 2, 3)).sum()


def same(a: torch.Tensor, b: torch.Tensor, within: float = 1e-12) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= within)


shifts = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


@law
@given(batches(), shifts)
def test_roll_there_and_back(batch, shift):
    there = dk.roll(batch, shift)
    y, x = shift[0] % batch.shape[2], shift[1] % batch.shape[3]
    assert torch.equal(there[..., y, x], batch[..., 0, 0])
    assert torch.equal(dk.roll(there, (-shift[0], -shift[1])), batch)


@law
@given(batches(), shifts, st.floats(0, 3))
def test_in_place_forms_equal_the_plain_ones(batch, shift, sigma):
    for plain, in_place in (
        (lambda x: dk.roll(x, shift), lambda x: _lean.roll_(x, shift)),
        (lambda x: dk.smooth(x, sigma), lambda x: _lean.smooth_(x, sigma)),
        (dk.normalize, _lean.normalize_),
    ):
        before, own = signed(batch), signed(batch)  # `signed` keeps the layout
        wanted = plain(before)
        assert torch.equal(before, signed(batch))  # a plain verb does not change its input
        assert in_place(own) is own and torch.equal(own, wanted)


@law
@given(batches(), st.floats(0, 3))
def test_ascend_stays_a_picture_and_goes_uphill(batch, size):
    direction = signed(batch).flip(-1)
    found = dk.ascend(batch, direction, size)
    assert found.min() >= 0 and found.max() <= 1
    assert ((found - batch) * direction >= 0).all()
    assert torch.equal(_lean.ascend_into(direction.clone(), batch, size), found)


@law
@given(batches(2), st.sampled_from(steps.NORMS), st.integers(-30, 30))
def test_normalize_knows_no_scale_and_no_neighbour(batch, by, power):
    found = dk.normalize(signed(batch), by)
    assert same(dk.normalize(signed(batch) * 10.0**power, by), found, 1e-9)
    for one, alone in zip(signed(batch), found, strict=True):
        assert same(dk.normalize(one[None], by)[0], alone)
    size = {
        "std": lambda g: g.std(correction=0),
        "standardize": lambda g: g.std(),
        "rms": lambda g: g.square().mean().sqrt(),
        "mean_abs": lambda g: g.abs().mean(),
    }[by]
    assert all(abs(size(one) - 1) < 1e-9 for one in found)


@law
@given(batches(), st.floats(0.1, 4), st.floats(-3, 3))
def test_smooth_keeps_constants_and_is_linear(batch, sigma, value):
    assert same(dk.smooth(torch.full_like(batch, value), sigma), torch.full_like(batch, value))
    assert same(
        dk.smooth(batch + value * batch.flip(-1), sigma),
        dk.smooth(batch, sigma) + value * dk.smooth(batch.flip(-1), sigma),
        1e-9,
    )
    smoothed = dk.smooth(batch, sigma)
    assert smoothed.min() >= batch.min() - 1e-12 and smoothed.max() <= batch.max() + 1e-12


@law
@given(batches(), st.floats(0.1, 2.5))
def test_smooth_keeps_the_mean_away_from_the_borders(batch, sigma):
    margin = (
        2 * int(4 * sigma + 0.5) + 1
    )  # at a mirror's border a pixel counts otherwise than inside
    wide = nn.functional.pad(batch, (margin,) * 4)
    assert same(dk.smooth(wide, sigma).mean((1, 2, 3)), wide.mean((1, 2, 3)))


@law
@given(batches(), st.integers(0, 5))
def test_a_pyramid_split_and_merged(batch, levels):
    bands = dk.laplacian_split(batch, levels)
    assert len(bands) == levels + 1 and same(dk.laplacian_merge(bands), batch)
    flat = dk.laplacian_split(torch.full_like(batch, 0.3), levels)
    assert all(band.abs().max() < 1e-12 for band in flat[:-1]) and same(
        flat[-1], torch.full_like(flat[-1], 0.3)
    )


@law
@given(batches(), sides, sides, st.sampled_from(scales.HOWS))
def test_resize_keeps_constants_and_the_range(batch, height, width, how):
    found = dk.resize(batch, (height, width), how)
    assert found.shape == (*batch.shape[:2], height, width)
    low, high = batch.amin((1, 2, 3), keepdim=True), batch.amax((1, 2, 3), keepdim=True)
    assert (found >= low - 1e-12).all() and (found <= high + 1e-12).all()
    assert same(
        dk.resize(torch.full_like(batch, 0.3), (height, width), how), torch.full_like(found, 0.3)
    )


@law
@given(batches(), st.integers(1, 8), st.floats(1, 3))
def test_octaves_grow_to_the_picture(batch, count, ratio):
    sizes = scales.octave_sizes(*batch.shape[-2:], count, ratio)
    assert len(sizes) == count and sizes[-1] == tuple(batch.shape[-2:])
    assert all(
        1 <= a <= b
        for small, large in itertools.pairwise(sizes)
        for a, b in zip(small, large, strict=True)
    )
    assert torch.equal(dk.octaves(batch, count, ratio)[-1], batch)


@law
@given(batches(), st.integers(1, 15), st.none() | seeds)
def test_tiles_of_a_pointwise_mean_give_the_gradient(batch, tile, seed):
    assert same(dk.tiled_gradient(curved, batch, tile, seed), dk.gradient(curved, batch))


@pytest.fixture(scope="module")
def small_net() -> dk.Network:
    generator = torch.Generator().manual_seed(0)
    layers = (
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.Tanh(),
    )
    module = (
        nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2))
        .double()
        .eval()
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(
                0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            )
    return dk.as_network(module, (0.4,) * 3, (0.2,) * 3, "small", ("a", "b"))


@law
@given(st.integers(8, 40), st.integers(8, 40), st.integers(14, 30), seeds)
def test_exact_tiles_share_out_every_cell_once_and_give_the_gradient(
    small_net, height, width, tile, seed
):
    image = torch.rand(
        1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    objective = dk.layer("4")
    counts = torch.zeros(height // 2, width // 2)
    for part in tiles.parts(small_net, ["4"], image, tile):
        rows, columns = part.cells["4"]
        top, left = part.windows["4"].top, part.windows["4"].left
        assert (
            part.rows.stop - part.rows.start <= tile
            and part.columns.stop - part.columns.start <= tile
        )
        counts[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start] += 1
    assert (counts == 1).all()
    whole = dk.gradient(dk.scorer(small_net, objective, tile=0), image)
    assert same(
        dk.gradient(dk.scorer(small_net, objective, tile=tile), image),
        whole,
        1e-12 + 1e-9 * float(whole.abs().max()),
    )


@law
@given(
    st.builds(
        dk.Settings,
        steps=st.integers(0, 10_000),
        step_size=st.floats(0, 1e3),
        octaves=st.integers(1, 32),
        octave_ratio=st.floats(1, 16),
        jitter=st.integers(0, 65_536),
        smoothing=st.floats(0, 256),
        tile=st.integers(0, 65_536),
        seed=st.integers(0, 2**63 - 1),
    )
)
def test_settings_travel_in_a_passport(travelling):
    plan = passport.read(json.loads(json.dumps(GOOD | {"settings": asdict(travelling)})))
    assert plan.settings == travelling


PICTURE = {
    "kind": "sample",
    "name": "china",
    "side": None,
    "height": 2,
    "width": 2,
    "sha256": "0" * 64,
}
GOOD = {
    "made": "dream",
    "network": {
        "name": "dreamnet",
        "weights": "own",
        "sha256": "0" * 64,
        "precision": "float32",
        "device": "cpu",
    },
    "objective": {"kind": "layer", "name": "conv1"},
    "settings": asdict(dk.Settings()),
    "source": PICTURE,
    "threads": 1,
    "versions": {},
}
hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@law
@given(
    st.sampled_from([spec.name for spec in fields(dk.Settings)]),
    hostile,
    st.sampled_from(sorted(GOOD)),
    hostile,
)
def test_a_hostile_passport_is_a_value_error_or_within_bounds(setting, value, field, other):
    for given_ in (
        GOOD | {"settings": GOOD["settings"] | {setting: value}},
        GOOD | {field: other},
        other,
    ):
        try:
            plan = passport.read(given_)
        except ValueError as error:
            assert "\n" not in str(error)
        else:
            assert plan.settings == dk.Settings(
                **asdict(plan.settings)
            )  # it passed the checks of Settings


@law
@given(sides, sides, st.integers(0, 2**31 - 1))
def test_every_byte_survives_a_png(tmp_path_factory, height, width, seed):
    values = torch.randint(
        0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )
    path = tmp_path_factory.getbasetemp() / "bytes.png"
    PIL.Image.fromarray(values.numpy()).save(path)
    image = dk.load_image(path)
    dk.save_image(image, path)
    with PIL.Image.open(path) as saved:
        assert saved.mode == "RGB" and saved.tobytes() == values.numpy().tobytes()
    assert torch.equal(dk.load_image(path), image)


@law
@given(
    batches(4),
    st.builds(
        dk.Settings,
        steps=st.integers(0, 3),
        octaves=st.integers(1, 3),
        jitter=st.integers(0, 5),
        tile=st.sampled_from([0, 5]),
        smoothing=st.floats(0, 2),
        seed=seeds,
    ),
)
def test_a_batch_dreams_as_its_pictures_do_alone(batch, numbers):
    together = dk.dream(curved, batch, numbers)
    assert together.min() >= 0 and together.max() <= 1
    for one, dreamt in zip(batch, together, strict=True):
        assert same(dk.dream(curved, one[None], numbers)[0], dreamt, 1e-9)

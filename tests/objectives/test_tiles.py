"""Exact tiles: value and gradient are those of the whole picture."""

import dataclasses
import warnings

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.objectives import tiles
from dreamkit.objectives.formulas import window_of


def noise(height, width, dtype=torch.float64, seed=3):
    return 0.1 + 0.8 * torch.rand(
        1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype
    )


def compared(network, objective, image, tile):
    """(value, gradient) of the whole and of the tiles, the gradients as a share of the greatest."""
    whole, tiled = (dk.scorer(network, objective, tile=t) for t in (0, tile))
    values = [float(score(image)) for score in (whole, tiled)]
    one, other = (dk.gradient(score, image) for score in (whole, tiled))
    assert values[1] == pytest.approx(values[0], rel=1e-5)
    return float((one - other).abs().max() / one.abs().max())


@pytest.mark.parametrize(("layer", "tile"), [("conv1", 33), ("conv2", 40), ("inception3b", 80)])
@pytest.mark.parametrize("size", [(97, 83), (61, 118), (101, 90)])
def test_tiled_is_untiled_on_dreamnet(dreamnet, layer, tile, size):
    assert compared(dreamnet, dk.layer(layer), noise(*size, dtype=torch.float32), tile) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "tile"), [("inception4c", 210), ("inception5a", 420)])
@pytest.mark.parametrize("size", [(251, 330), (237, 403), (453, 445)])
def test_tiled_is_untiled_on_dreamnets_deep_layers(dreamnet, layer, tile, size):
    assert compared(dreamnet, dk.layer(layer), noise(*size, dtype=torch.float32), tile) < 1e-5


def rounding(ceil):
    """Windows that do not divide, valid convolutions and branches with different fields."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 4, 5, stride=2)
            self.pool = nn.MaxPool2d(3, 2, ceil_mode=ceil)
            self.b, self.c = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 7, padding=3)
            self.relu = nn.ReLU()
            self.down = nn.AvgPool2d(3, 3, 1, count_include_pad=False)

        def forward(self, x):
            x = self.pool(self.relu(self.a(x)))
            return self.down(self.relu(torch.cat([self.b(x), self.c(x)], 1)))

    module = Net()
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(
                0.4
                * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(tensor.numel()))
            )
    return dk.as_network(module, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("side", range(72, 85))
def test_every_rounding_of_a_size(ceil, side):
    network = rounding(ceil)
    for objective in (dk.layer("down"), dk.channel("pool", 2) + 0.5 * dk.layer("c", power=1)):
        assert compared(network, objective, noise(side, 133 - side // 2), 64) < 1e-11


def test_objectives_that_add_up(tiny_network):
    image = noise(45, 38)
    guide = dk.capture(tiny_network, noise(9, 11, seed=4), "6")
    for objective in (
        dk.layer("6", border=3),
        dk.layer("6", border=9),
        dk.channel("6", 1),
        dk.neuron("6", 0, 10, 7),
        dk.neuron("2", 3, 44, 0),
        dk.guide("6", guide),
        dk.channel("2", 0) + 3 * dk.layer("6") + dk.neuron("6", 1, 0, 18),
    ):
        assert compared(tiny_network, objective, image, 20) < 1e-12


def test_each_cell_belongs_to_one_tile(dreamnet):
    image = noise(137, 110)
    seen = {
        name: torch.zeros(dk.capture(dreamnet, image, name)[name].shape[-2:])
        for name in ("conv1", "inception3a")
    }
    for part in tiles.parts(dreamnet, tuple(seen), image, 96):
        assert max(part.rows.stop - part.rows.start, part.columns.stop - part.columns.start) <= 96
        assert part.rows.start % 4 == part.columns.start % 4 == 0
        for name, (down, across) in part.cells.items():
            window = part.windows[name]
            seen[name][
                window.top : window.top + down.stop - down.start,
                window.left : window.left + across.stop - across.start,
            ] += 1
    assert all((count == 1).all() for count in seen.values())


def test_a_layer_by_an_alias_is_taken_in_tiles(dreamnet):
    image = noise(97, 83, dtype=torch.float32)
    assert compared(dreamnet, dk.layer("conv1/relu_7x7_s2"), image, 48) < 1e-5
    needed = [tiles.bytes_needed(dreamnet, (n,), image) for n in ("conv1", "conv1/relu_7x7_s2")]
    assert needed[0] == needed[1]


def test_a_dream_in_tiles_is_the_dream(dreamnet):
    image = noise(90, 75)
    settings = dk.Settings(steps=2, octaves=2, jitter=8)
    whole, tiled = (
        dk.dream(dk.scorer(dreamnet, dk.layer("conv2"), tile=t), image, settings) for t in (0, 48)
    )
    assert float((whole - tiled).abs().max()) < 1e-9


def test_a_score_without_a_gradient_and_half_a_score(tiny_network):
    image, score = noise(40, 40), dk.scorer(tiny_network, dk.layer("6"), tile=16)
    assert not score(image).requires_grad
    assert torch.allclose(
        dk.gradient(lambda x: 0.5 * score(x), image), 0.5 * dk.gradient(score, image)
    )
    pair = torch.cat([image, noise(40, 40, seed=9)])
    assert torch.allclose(
        dk.gradient(score, pair), torch.cat([dk.gradient(score, one[None]) for one in pair])
    )


def test_what_cannot_be_taken_in_exact_tiles_is_refused(dreamnet, tiny_network):
    with pytest.raises(
        ValueError,
        match=r"exact tiles for 'inception5a' have at least \d+ pixels .* sees 297; given: 300",
    ):
        dk.scorer(dreamnet, dk.layer("inception5a"), tile=300)(noise(310, 310))
    with pytest.raises(ValueError, match=r"logit\('goldfish'\) does not add up over cells"):
        dk.scorer(dreamnet, dk.logit("goldfish"), tile=64)
    with pytest.raises(ValueError, match="layer 'fc' sees all of it"):
        dk.scorer(dreamnet, dk.layer("fc"), tile=64)
    mine = dk.Objective(("6",), lambda features: features["6"].std(), "mine")
    with pytest.raises(ValueError, match=r"mine \+ layer\('6'\) does not add up over cells"):
        dk.scorer(tiny_network, mine + dk.layer("6"), tile=64)
    with pytest.raises(
        ValueError, match="tile is a side in pixels, a whole number of 0 or more; given: -1"
    ):
        dk.scorer(tiny_network, dk.layer("6"), tile=-1)


def test_a_layer_that_sees_more_than_its_windows_is_refused():
    class Sums(nn.Module):
        def forward(self, x):
            return x + x.detach().cumsum(2)  # of this the graph knows nothing

    network = dk.as_network(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Sums()), (0, 0, 0), (1, 1, 1)
    )
    assert dk.layer_table(network)[-1].field is not None
    with pytest.raises(
        ValueError,
        match="layer '1' cannot be taken in exact tiles: its cells see more than its windows tell",
    ):
        dk.scorer(network, dk.layer("1"), tile=16)(noise(40, 40))


def test_a_picture_that_would_not_fit_is_taken_in_tiles_with_a_warning(tiny_network, monkeypatch):
    image, score = noise(48, 60, dtype=torch.float32), dk.scorer(tiny_network, dk.layer("6"))
    expected = dk.gradient(score, image)
    monkeypatch.setattr(tiles, "_CONVENIENT", 24)
    monkeypatch.setattr(tiles, "bytes_free", lambda device: 50_000)
    with pytest.warns(
        UserWarning, match="a gradient of 60×48 pixels would not fit .* exact tiles of 24 pixels"
    ):
        found = dk.gradient(score, image)
    assert torch.allclose(found, expected, atol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dk.gradient(dataclasses.replace(score, tile=0), image)
        dk.gradient(dk.scorer(tiny_network, dk.logit(1)), image)  # tiles would not help
        monkeypatch.setattr(tiles, "bytes_free", lambda device: 10**9)
        dk.gradient(score, image)


def test_bytes_free_and_bytes_needed(dreamnet):
    assert (
        tiles.bytes_free(torch.device("cpu")) > 2**20
        and tiles.bytes_free(torch.device("meta")) is None
    )
    small, large = (
        tiles.bytes_needed(dreamnet, ("inception4c",), noise(s, s, torch.float32))
        for s in (64, 128)
    )
    assert large == pytest.approx(4 * small, rel=1e-6)
    assert tiles.bytes_needed(dreamnet, ("conv1",), noise(64, 64)) < tiles.bytes_needed(
        dreamnet, ("",), noise(64, 64)
    )


def test_window_of_a_whole_map():
    assert window_of({"a": torch.zeros(1, 2, 3, 4)}, "a") == tiles.Window(0, 0, 3, 4)


def test_the_command_line_takes_tiles_where_a_picture_would_not_fit_and_its_passport_says_so(
    tmp_path, monkeypatch, capsys
):
    from dreamkit.cli.app import call

    monkeypatch.setattr(tiles, "bytes_free", lambda device: 10**6)
    monkeypatch.setattr("dreamkit.cli.dream.DREAM_TILE", 40)
    path = tmp_path / "a.png"
    assert (
        call(
            [
                "dream",
                "--network",
                "dreamnet",
                "--side",
                "90",
                "--steps",
                "1",
                "--octaves",
                "1",
                "--layer",
                "conv2",
                "-o",
                str(path),
            ]
        )
        == 0
    )
    assert (
        "90×60 pixels would not fit into memory as a whole: "
        "taken in tiles of 40 pixels (--tile changes that)"
    ) in capsys.readouterr().err
    assert dk.read_passport(path)["settings"]["tile"] == 40


def test_a_dream_in_random_tiles_is_roll_tile_and_roll_back(dreamnet):
    """The loop, which makes no rolled copy, against the verbs that it equals."""
    image, score = noise(50, 61), dk.scorer(dreamnet, dk.layer("conv1"))
    generator = torch.Generator().manual_seed(4)
    dy, dx = torch.randint(-9, 10, (2,), generator=generator).tolist()
    seed = int(torch.randint(2**31, (), generator=generator))
    rolled = dk.roll(image, (dy, dx))
    uphill = dk.normalize(dk.smooth(dk.tiled_gradient(score, rolled, 24, seed), 1.5))
    expected = dk.roll(dk.ascend(rolled, uphill, 0.01), (-dy, -dx))
    found = dk.dream(score, image, dk.Settings(steps=1, octaves=1, jitter=9, tile=24, seed=4))
    assert torch.allclose(found, expected, atol=1e-12)


class Joined(torch.nn.Module):
    """Down twice and up twice, with a map from the way down joined on the way up."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.down = torch.nn.Conv2d(3, 4, 4, 2, 1)
        self.deep = torch.nn.Sequential(
            torch.nn.Conv2d(4, 4, 4, 2, 1), torch.nn.ReLU(), torch.nn.ConvTranspose2d(4, 4, 4, 2, 1)
        )
        self.up = torch.nn.Upsample(scale_factor=2, mode="bilinear")
        self.last = torch.nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x):
        shallow = self.down(x)
        return self.last(self.up(torch.cat([shallow, self.deep(shallow)], 1)))


@pytest.mark.parametrize("layer", ["deep", "up", "last"])
@pytest.mark.parametrize("shape", [(96, 160), (128, 64)])
def test_tiles_of_a_network_that_goes_down_and_up_again(layer, shape):
    network = dk.as_network(Joined(), (0.5,) * 3, (0.5,) * 3)
    image = noise(*shape)
    whole, tiled = (dk.scorer(network, dk.layer(layer), tile=tile) for tile in (0, 56))
    assert torch.allclose(whole(image), tiled(image), rtol=1e-9)
    a, b = dk.gradient(whole, image), dk.gradient(tiled, image)
    assert torch.allclose(a, b, atol=1e-9 * float(a.abs().max()))


def crop_centre(x):
    a, b = x.shape[-2] % 4, x.shape[-1] % 4
    return nn.functional.conv2d(
        nn.functional.pad(x, (b, 0, a, 0)), torch.ones(4, 3, 4, 4).to(x), stride=4
    )


SIZE_DEPENDENT = {
    "padding by the size": crop_centre,
    "coordinates": lambda x: x + torch.linspace(0, 1, x.shape[-1]).to(x),
    "a mean without a gradient": lambda x: x - x.detach().mean(),
    "a threshold": lambda x: x * (x > x.detach().mean((2, 3), keepdim=True)),
    "a crop": lambda x: x[..., 3:, 3:],
    "the middle": lambda x: x[..., x.shape[2] // 8 :, :],
    "reflection": lambda x: nn.functional.pad(x, (2, 2, 2, 2), "reflect"),
    "a size": lambda x: nn.functional.interpolate(nn.functional.avg_pool2d(x, 2), x.shape[-2:]),
}


@pytest.mark.parametrize("name", SIZE_DEPENDENT)
def test_maps_that_depend_on_the_size_are_not_taken_in_tiles(name):
    class Odd(nn.Module):
        def forward(self, x):
            return SIZE_DEPENDENT[name](x)

    network = dk.as_network(nn.Sequential(nn.Identity(), Odd()), (0, 0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match=r"exact tiles"):
        dk.scorer(network, dk.layer("1"), tile=32)(noise(97, 99))

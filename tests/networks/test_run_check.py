"""A trial run that fails: the cause in one line, the module's own error, or the size found."""

import pytest
import torch
from torch import nn

import dreamkit as dk

HALF = (0.5,) * 3


def own(module):
    return dk.as_network(module, HALF, HALF, "own")


class Forward(nn.Module):
    """A convolution, then whatever a function does with it."""

    def __init__(self, then, channels=3):
        super().__init__()
        self.conv, self.then = nn.Conv2d(channels, 4, 3, padding=1), then

    def forward(self, x):
        return self.then(self.conv(x))


def fixed(side):
    """Networks that take squares of one side only, each for another reason."""
    pixels = side * side

    def own_check(x):
        assert x.shape[-1] == x.shape[-2] == side
        return x

    def refuses(x):
        if tuple(x.shape[-2:]) != (side, side):
            raise ValueError(f"I take {side}×{side}")
        return x

    dense = nn.Sequential(nn.Flatten(), nn.Linear(4 * pixels, 5))
    norm = nn.LayerNorm([4, side, side])
    position = nn.Parameter(torch.zeros(1, 4, side, side))
    return {
        "dense": nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), *dense),
        "pooled dense": nn.Sequential(
            nn.Conv2d(3, 4, 3, 2, 1), nn.Flatten(), nn.Linear(4 * (-(-side // 2)) ** 2, 5)
        ),
        "norm": nn.Sequential(nn.Conv2d(3, 4, 1), norm),
        "positions": Forward(lambda x: x + position),
        "view": Forward(lambda x: x.view(1, 4, pixels)),
        "assertion": Forward(own_check),
        "own check": Forward(refuses),
    }


@pytest.mark.parametrize("side", [100, 57])
@pytest.mark.parametrize("kind", fixed(3))
@pytest.mark.slow
def test_the_only_size_of_a_network_is_found(kind, side):
    network = own(fixed(side)[kind])
    modules = [name for name, _ in network.module.named_modules() if name]
    assert set(dk.layer_names(network)) == set(modules) - {"then"}
    assert {i.side for i in dk.layer_table(network)} <= {side, side + (kind == "pooled dense")}
    assert dk.capture(network, dk.noise(side, side), "")[""].isfinite().all()
    with pytest.raises((ValueError, AssertionError)) as caught:
        dk.capture(network, dk.noise(96, 96), "")
    if kind in ("dense", "norm", "positions", "view"):  # the others say it in their own words
        assert f"{side}×{side} pixels only" in str(caught.value)


def test_the_layers_before_a_dense_layer_for_oblong_pictures_stay_usable():
    network = own(nn.Sequential(nn.Conv2d(3, 1, 1), nn.Flatten(), nn.Linear(6 * 10, 2)))
    assert dk.layer_names(network) == ("0", "1")
    assert dk.capture(network, dk.noise(6, 10), "")[""].shape == (1, 2)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):  # no advice that would be false
        dk.classify(network, dk.noise(64, 64))


def of_channels(count):
    yield nn.Sequential(nn.Conv2d(count, 4, 3), nn.ReLU())
    yield nn.Sequential(nn.BatchNorm2d(count), nn.Conv2d(count, 4, 3))
    yield nn.Sequential(nn.Conv2d(count, 4, 3), nn.BatchNorm2d(4))
    yield nn.Sequential(nn.Flatten(), nn.Linear(count * 28 * 28, 10))
    yield nn.Sequential(nn.Conv2d(count, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_pictures_of_other_channels_get_one_sentence(count):
    for index, module in enumerate(of_channels(count)):
        if count == 5 and index == 3:
            continue  # no layer says how many channels its 3920 values are
        words = f"takes pictures of {count} channels?; those of a network have 3"
        with pytest.raises(ValueError, match=words) as caught:
            own(module)
        assert ("Grayscale" in str(caught.value)) == (count == 1)


def test_the_advice_for_one_channel_works():
    import torchvision

    module = nn.Sequential(torchvision.transforms.Grayscale(), nn.Conv2d(1, 4, 3))
    network = own(module)
    score = dk.scorer(network, dk.channel("1", 0))
    dk.dream(score, dk.noise(20, 20), dk.Settings(steps=1, octaves=1))


class Inputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)


class Two(Inputs):
    def forward(self, picture, mask):
        return self.conv(picture) * mask


class Several(Inputs):
    def forward(self, *, picture):
        return self.conv(picture)


def test_other_inputs_get_one_sentence():
    with pytest.raises(ValueError, match=r"forward needs 2 inputs \(picture, mask\): wrap it"):
        own(Two())
    with pytest.raises(ValueError, match="forward needs 0 inputs: wrap it"):
        own(Several())


@pytest.mark.parametrize(
    "layer, what", [(nn.Conv3d(3, 4, 3), "volumes"), (nn.Conv1d(3, 4, 3), "seq")]
)
def test_volumes_and_sequences_get_one_sentence(layer, what):
    with pytest.raises(ValueError, match=f"takes {what}.*layer '0' is a {type(layer).__name__}"):
        own(nn.Sequential(layer, nn.ReLU()))


class Strict:
    def __call__(self, layer, inputs, output):
        raise KeyError("mine")


def raising(layer, *_):
    raise RuntimeError("not today")


@pytest.mark.parametrize("hook", [Strict(), raising, lambda layer, *_: layer.no_such_attribute])
@pytest.mark.parametrize("place", ["", "1"])
def test_a_failing_hook_is_named(hook, place):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    module.get_submodule(place).register_forward_hook(hook)
    with pytest.raises(
        ValueError, match=f"a hook of {'layer .1.' if place else 'the module'} fails"
    ):
        own(module)


@pytest.mark.parametrize(
    "error", [KeyError("k"), RuntimeError("call setup() first"), TypeError("t")]
)
def test_other_errors_are_the_modules_own(error):
    def fails(x):
        raise error

    with pytest.raises(type(error)) as caught:
        own(Forward(fails))
    assert str(caught.value) == str(error)


def half_networks():
    def keeps(x):
        return x.float()

    mixed = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    return [
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).half(),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).bfloat16(),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).half(),
        nn.Sequential(nn.Conv2d(3, 4, 3), mixed[1]).half().requires_grad_(False),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1).half()),
        nn.Sequential(nn.Conv2d(3, 4, 3).half(), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(3, 4, 3).half(), nn.Flatten(), nn.Linear(4 * 98 * 98, 2).half()),
    ]


@pytest.mark.parametrize("module", half_networks())
def test_weights_of_16_bits_become_float32(module):
    network = own(module)
    assert {p.dtype for p in network.module.parameters()} == {torch.float32}
    exact = {name: p.float() for name, p in module.named_parameters()}
    for name, p in network.module.named_parameters():
        folded = name.startswith("0") and isinstance(network.module[1], nn.Identity)
        assert folded or torch.equal(p, exact[name])
    score = dk.scorer(network, dk.layer(dk.layer_names(network)[0]))
    for size in ((64, 96), (64, 64)):
        dk.dream(score, dk.noise(*size), dk.Settings(steps=1, octaves=1))
    assert next(module.parameters()).dtype != torch.float32 or len(module) == 2  # not changed


def test_a_module_that_takes_float_pictures_keeps_its_half_weights():
    class Casts(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3).half()

        def forward(self, x):
            return self.conv(x.half()).float()

    network = own(Casts())
    assert network.dtype == torch.float16
    assert dk.capture(network, dk.noise(9, 9), "conv")["conv"].dtype == torch.float32


def test_layers_that_are_called_by_keyword():
    class Keywords(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
            self.relu, self.pool = nn.ReLU(), nn.AdaptiveAvgPool2d(1)

        def forward(self, x):
            x = self.relu(input=self.norm(input=self.conv(input=x)))
            return self.pool(input=x).flatten(1)

    module = Keywords().eval()
    network, picture = own(module), dk.noise(9, 9)
    assert dk.layer_names(network) == ("conv", "norm", "relu", "pool")
    assert isinstance(network.module.norm, nn.BatchNorm2d)  # not folded: hooks see no input
    features = dk.capture(network, picture, ["conv", "norm"])
    torch.testing.assert_close(features["conv"], module.conv(2 * picture - 1).detach())
    torch.testing.assert_close(features["norm"], module.norm(features["conv"]).detach())
    for attribution in (dk.inside.saliency, dk.inside.guided_backprop, dk.inside.grad_cam):
        assert attribution(network, picture, 1).isfinite().all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_networks_are_refused_only_if_they_take_no_float_pictures():
    quantization = torch.ao.quantization
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 10 * 12, 5))  # pictures of one size
    network = own(quantization.quantize_dynamic(dense, {nn.Linear}))
    assert dk.capture(network, dk.noise(10, 12), "")[""].shape == (1, 5)
    module = nn.Sequential(nn.Conv2d(3, 4, 3)).eval()
    module.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    quantization.prepare(module, inplace=True)
    module(dk.noise(9, 9))
    with pytest.raises(ValueError, match="is quantised and does not take float pictures"):
        own(quantization.convert(module))

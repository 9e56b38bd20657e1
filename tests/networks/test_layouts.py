"""Features of transformers are maps: channels first, tokens on the grid of their patches."""

import copy
import pickle

import pytest
import torch
import torchvision
from torch import nn

import dreamkit as dk
from dreamkit.networks.anysize import positions as positions_of
from dreamkit.networks.layers import layer_info
from dreamkit.networks.layouts import Layout, layout_of
from dreamkit.networks.network import isolated

ZERO, ONE = (0, 0, 0), (1, 1, 1)


class Tokens(nn.Module):
    """A small transformer: patches of 4×4 pixels, extra tokens before them, attention, a head."""

    def __init__(self, extra: int = 1):
        super().__init__()
        self.patches, self.extra = nn.Conv2d(3, 6, 4, 4), nn.Parameter(torch.rand(1, extra, 6))
        self.norm, self.widen, self.attention, self.head = (
            nn.LayerNorm(6),
            nn.Linear(6, 10),
            nn.MultiheadAttention(10, 2),
            nn.Linear(10, 3),
        )

    def forward(self, x):
        tokens = torch.cat(
            [self.extra.expand(len(x), -1, -1), self.patches(x).flatten(2).transpose(1, 2)], 1
        )
        tokens = self.widen(self.norm(tokens))
        mixed, _ = self.attention(*(tokens.transpose(0, 1),) * 3)
        return self.head(mixed[0])


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_tokens_lie_as_their_patches(extra):
    torch.manual_seed(0)
    module = Tokens(extra).eval()
    network = dk.as_network(module, ZERO, ONE)
    assert layer_info(network, "widen").layout == Layout("tokens", "patches", extra)
    picture = torch.rand(2, 3, 16, 24)
    features = dk.capture(network, picture, ["widen", "norm"])
    assert features["widen"].shape == (2, 10, 4, 6)
    with torch.no_grad():  # patch by patch, cut out by hand
        for n, y, x in ((0, 0, 0), (1, 2, 5), (0, 3, 1)):
            patch = picture[n : n + 1, :, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
            token = module.norm(module.patches(patch).flatten())
            torch.testing.assert_close(features["norm"][n, :, y, x], token)
            torch.testing.assert_close(features["widen"][n, :, y, x], module.widen(token))
    with pytest.raises(ValueError, match="row 4 is out of range: layer 'widen' has 4, from 0 to 3"):
        dk.scorer(network, dk.neuron("widen", 0, 4, 0))(picture)
    leaf = picture.clone().requires_grad_()
    dk.capture(network, leaf, "widen")["widen"][0, :, 1, 2].sum().backward()
    assert torch.nonzero(leaf.grad[0].abs().sum((0, 2))).flatten().tolist() == [4, 5, 6, 7]


def test_linear_layers_on_cells_see_what_the_cells_see():
    network = dk.as_network(Tokens().eval(), ZERO, ONE)
    assert layer_info(network, "widen").field.size == (4, 4) and layer_info(
        network, "widen"
    ).field.stride == (4, 4)
    assert layer_info(network, "head").field is None  # through attention every cell sees everything


def test_channels_that_come_last_are_put_first():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.head = (
                nn.Conv2d(3, 5, 2, 2),
                nn.LayerNorm(5),
                nn.Linear(5, 2),
            )

        def forward(self, x):
            return self.head(self.norm(self.conv(x).permute(0, 2, 3, 1)).mean((1, 2)))

    module = Last().eval()
    network = dk.as_network(module, ZERO, ONE)
    picture = torch.rand(1, 3, 8, 12)
    features = dk.capture(network, picture, "norm")["norm"]
    assert features.shape == (1, 5, 4, 6) and layer_info(network, "norm").channels == 5
    torch.testing.assert_close(
        features[0, :, 3, 1], module.norm(module.conv(picture)[0, :, 3, 1]).detach()
    )


@pytest.mark.parametrize(
    "shape, grids, slides, kind",
    [
        ((1, 8, 5, 5), (), False, "map"),
        ((1, 5, 5, 8), (), False, "last"),
        ((1, 5, 5, 5), (), False, "map"),
        ((1, 16, 49, 64), (), False, "numbers"),
        ((1, 8, 5, 7), (), True, "map"),
        ((1, 8, 5, 7), (("a", (5, 7)),), False, "map"),
        ((1, 17, 3), (("a", (4, 4)),), False, "tokens"),
        ((4, 16, 3), (("a", (4, 4)),), False, "numbers"),
        ((1, 40, 3), (("a", (4, 4)),), False, "numbers"),
        ((1, 7), (), False, "numbers"),
    ],
)
def test_what_a_shape_tells(shape, grids, slides, kind):
    assert layout_of(torch.zeros(shape), grids, slides).kind == kind


@pytest.fixture(scope="module")
def vit():
    """torchvision's VisionTransformer, small."""
    torch.manual_seed(3)
    module = torchvision.models.VisionTransformer(
        image_size=32,
        patch_size=8,
        num_layers=2,
        num_heads=2,
        hidden_dim=12,
        mlp_dim=24,
        num_classes=4,
    ).eval()
    nn.init.normal_(module.heads.head.weight)
    return module


def test_a_vision_transformer_takes_any_size_and_at_its_own_nothing_changes(vit):
    network = dk.as_network(vit, ZERO, ONE, "vit")
    own = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(dk.capture(network, own, "")[""], vit(own))
    features = dk.capture(network, torch.rand(1, 3, 40, 61), ["encoder.layers.encoder_layer_1", ""])
    assert features["encoder.layers.encoder_layer_1"].shape == (1, 12, 5, 7) and features[
        ""
    ].shape == (1, 4)
    with pytest.raises(
        ValueError, match=r"too small for layer 'encoder.ln': it needs at least 8×8"
    ):
        dk.capture(network, torch.rand(1, 3, 6, 30), "encoder.ln")


class Halved(nn.Module):
    """A user's wrapper, which calls the transformer and looks at one of its attributes."""

    def __init__(self, transformer):
        super().__init__()
        self.backbone, self.width = transformer, transformer.hidden_dim

    def forward(self, x):
        return self.backbone(x) / 2


class Mine(torchvision.models.VisionTransformer):
    """A subclass that changes nothing of the forward pass."""


def subclass_of(vit):
    vit = copy.deepcopy(vit)
    vit.__class__ = Mine
    return vit


@pytest.mark.parametrize(
    "wrapped, path",
    [
        (lambda vit: nn.Sequential(nn.Identity(), vit), "1."),
        (lambda vit: nn.Sequential(nn.Sequential(vit), nn.Softmax(1)), "0.0."),
        (Halved, "backbone."),
        (nn.DataParallel, "module."),
        (lambda vit: nn.ModuleDict({"net": vit})["net"], ""),
        (subclass_of, ""),
    ],
)
def test_a_wrapped_vision_transformer_takes_any_size(vit, wrapped, path):
    module = wrapped(vit)
    network = dk.as_network(module, ZERO, ONE, "wrapped")
    own, layer = torch.rand(1, 3, 32, 32), f"{path}encoder.layers.encoder_layer_1"
    with torch.no_grad():
        torch.testing.assert_close(dk.capture(network, own, "")[""], module(own))
    for made in (network, isolated(network), pickle.loads(pickle.dumps(network))):
        features = dk.capture(made, torch.rand(1, 3, 40, 61), [layer, ""])
        assert features[layer].shape == (1, 12, 5, 7) and features[""].shape == (1, 4)
    with pytest.raises(AssertionError, match="Wrong image height"):  # the user's is not changed
        module(torch.rand(1, 3, 40, 61))


def test_a_vision_transformer_with_a_forward_pass_of_its_own_keeps_it(vit):
    class Mean(torchvision.models.VisionTransformer):
        def forward(self, x):
            return self._process_input(x).mean(1)

    class Upright(torchvision.models.VisionTransformer):
        def _process_input(self, x):
            return super()._process_input(x.flip(2))

    own = torch.rand(1, 3, 32, 32)
    for kind in (Mean, Upright):
        module = copy.deepcopy(vit)
        module.__class__ = kind
        network = dk.as_network(module, ZERO, ONE)
        torch.testing.assert_close(dk.capture(network, own, "")[""], module(own).detach())
        with pytest.raises(ValueError, match="32×32 pixels only"):
            dk.capture(network, torch.rand(1, 3, 40, 64), "")


def test_layers_of_one_resolution_are_suggested_at_even_distances():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 4, 4, 4)
            self.blocks = nn.Sequential(
                *(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()) for _ in range(15))
            )

        def forward(self, x):
            return self.blocks(self.first(x))

    network = dk.as_network(Deep(), ZERO, ONE)
    assert dk.suggested_layers(network) == tuple(f"blocks.{i}" for i in (0, 2, 4, 6, 8, 10, 12, 14))


def test_the_stride_of_what_sees_everything():
    class Squeezed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU()

        def forward(self, x):
            y = self.conv(x)
            return self.relu(y * y.mean((2, 3), keepdim=True))

    info = layer_info(dk.as_network(Squeezed(), ZERO, ONE), "relu")
    assert info.field is None and info.stride == (2, 2)
    assert layer_info(dk.as_network(Tokens(), ZERO, ONE), "head").stride is None


def test_the_positions_of_patches_are_resized_not_shuffled(vit):
    """Embeddings that increase from left to right do so at other sizes too."""
    module = copy.deepcopy(vit)
    with torch.no_grad():
        across = torch.arange(4.0).expand(4, 4).reshape(1, 16, 1).expand(1, 16, 12)
        module.encoder.pos_embedding[:, 1:] = across
        positions = positions_of(module, (3, 8))[0, 1:, 0].unflatten(0, (3, 8))
        assert torch.equal(positions_of(module, (4, 4))[:, 1:], across)
    assert (positions.diff(dim=1) > 0).all() and positions.diff(dim=0).abs().max() < 1e-5


def test_one_dream_of_a_transformer(vit):
    network = dk.as_network(vit, ZERO, ONE, "vit")
    start = dk.noise(40, 48, seed=1)
    dreamt = dk.dream(
        dk.scorer(network, dk.channel("encoder.layers.encoder_layer_1", 3)),
        start,
        dk.Settings(steps=2, octaves=2, jitter=4),
    )
    assert torch.isfinite(dreamt).all() and not torch.equal(dreamt, start)


def test_a_size_that_a_network_insists_on_is_named():
    class Strict(Tokens):
        def forward(self, x):
            for size in x.shape[-2:]:  # in torchvision's words
                torch._assert(size == 96, f"Wrong image height! Expected 96 but got {size}!")
            return super().forward(x)

    network = dk.as_network(Strict().eval(), ZERO, ONE, "strict")
    for layer in ("widen", ""):
        message = (
            r"^strict takes pictures of 96×96 pixels only, up to layer '\w+'; "
            r"given: 64×80 .*octaves=1$"
        )
        with pytest.raises(ValueError, match=message):
            dk.capture(network, torch.rand(1, 3, 64, 80), layer)
    assert dk.capture(network, torch.rand(1, 3, 96, 96), "widen")["widen"].shape == (1, 10, 24, 24)


def test_random_weights_leave_normalisations_alone(vit):
    network = dk.randomized(dk.as_network(vit, ZERO, ONE))
    features = dk.capture(network, torch.rand(1, 3, 32, 32), "encoder.ln")["encoder.ln"]
    assert 0.5 < float(features.std()) < 2


def test_multiples_that_a_network_insists_on_are_named():
    class Divided(Tokens):
        def forward(self, x):
            for size in x.shape[-2:]:  # in timm's words
                torch._assert(
                    size % 16 == 0, f"Input ({size}) must be divisible by patch size (16)."
                )
            return super().forward(x)

    network = dk.as_network(Divided().eval(), ZERO, ONE, "divided")
    message = (
        r"^divided takes pictures whose height and width are multiples of 16, up to layer 'widen'; "
        r"given: 100×130 .*dk.resize\(image, \(96, 128\)\)$"
    )
    with pytest.raises(ValueError, match=message):
        dk.capture(network, torch.rand(1, 3, 100, 130), "widen")

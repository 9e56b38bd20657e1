"""Scores without a gradient: the cause is named if it can be established, and never guessed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dreamkit as dk

HALF = (0.5,) * 3
CONSTANT = "the score does not depend on the picture"
PICTURE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Step(nn.Module):
    def __init__(self, does):
        super().__init__()
        self.does = does

    def forward(self, x):
        return self.does(x)


def under(context):
    def double(x):
        with context():
            return x * 2

    return double


def switched_off(x):
    torch.set_grad_enabled(False)
    x = x * 2
    torch.set_grad_enabled(True)
    return x


OFF, INFERENCE = "under torch.no_grad()", "under torch.inference_mode()"
DETACHED, WHOLE = "it is cut off with ", "whole numbers or truth values"
STEPS = {
    "no_grad": (under(torch.no_grad), OFF),
    "set_grad_enabled": (switched_off, OFF),
    "inference_mode": (under(torch.inference_mode), INFERENCE),
    "detach": (lambda x: x.detach(), DETACHED + "detach"),
    "torch.detach": (lambda x: torch.detach(x), DETACHED + "detach"),
    "data": (lambda x: x.data * 2, DETACHED + "data"),
    "detached after a harmless one": (lambda x: (x - x.detach().mean()).detach(), DETACHED),
    "threshold": (lambda x: (x > 0).float(), WHOLE + " (gt)"),
    "where": (lambda x: torch.where(x > 0, 1.0, 0.0), WHOLE + " (gt)"),
    "and": (lambda x: ((x > 0) & (x < 1)).to(x), WHOLE),
    "8 bits": (lambda x: x.mul(9).to(torch.int8).to(x), WHOLE + " (to)"),
    "whole": (lambda x: x.mul(9).long() / 2, WHOLE + " (long)"),
    "best": (lambda x: F.one_hot(x.argmax(1), 4).movedim(-1, 1).float(), WHOLE + " (argmax)"),
}


def with_step(does):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), Step(does), nn.Conv2d(4, 4, 1))
    return dk.as_network(module, HALF, HALF, "own")


@pytest.mark.parametrize("does, words", STEPS.values(), ids=STEPS)
def test_the_layer_and_what_it_does_are_named(does, words):
    network = with_step(does)
    for use in (
        lambda: dk.gradient(dk.scorer(network, dk.channel("2", 1)), PICTURE),
        lambda: dk.inside.saliency(network, PICTURE, dk.layer("2")),
        lambda: dk.inside.integrated_gradients(network, PICTURE, dk.channel("2", 1)),
        lambda: dk.dream(dk.scorer(network, dk.layer("2")), PICTURE, dk.Settings(octaves=1)),
    ):
        with pytest.raises(ValueError) as caught:
            use()
        assert str(caught.value).startswith(f"{CONSTANT}: in layer '1' ")
        assert words in str(caught.value)
    before = dk.scorer(network, dk.channel("0", 1))
    assert dk.gradient(before, PICTURE).any()
    assert torch.is_grad_enabled()


NOTHING = {
    "a constant": lambda x: torch.ones_like(x),
    "numpy": lambda x: torch.from_numpy(x.detach().numpy()) * 2,
    "a mask of the same shape": lambda x: torch.zeros_like(x > 0, dtype=torch.float32),
    "the shape": lambda x: torch.ones(x.shape) * x.shape[1],
    "constant, with a harmless detach": lambda x: torch.ones_like(x.detach()),
    "constant, with a harmless no_grad": lambda x: under(torch.no_grad)(x).new_ones(x.shape),
    "constant, with a harmless threshold": lambda x: ((x > 0), torch.ones_like(x))[1],
}


@pytest.mark.parametrize("does", NOTHING.values(), ids=NOTHING)
def test_what_cannot_be_established_is_not_said(does):
    score = dk.scorer(with_step(does), dk.channel("2", 1))
    with pytest.raises(ValueError, match=f"^{CONSTANT}$"):
        dk.gradient(score, PICTURE)


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.end = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)

    @torch.no_grad()
    def forward(self, x):
        return self.end(self.conv(x))


class Inference(NoGrad):
    @torch.inference_mode()
    def forward(self, x):
        return self.end(self.conv(x).relu())


@pytest.mark.parametrize("kind, words", [(NoGrad, OFF), (Inference, INFERENCE)])
@pytest.mark.parametrize("inside", [False, True])
def test_a_decorated_forward(kind, words, inside):
    module = nn.Sequential(nn.Identity(), kind()) if inside else kind()
    score = dk.scorer(dk.as_network(module, HALF, HALF), dk.layer("1.end" if inside else "end"))
    where = "layer '1'" if inside else "the network's forward"
    with pytest.raises(ValueError) as caught:
        dk.gradient(score, PICTURE)
    assert str(caught.value) == f"{CONSTANT}: in {where} it is computed {words}"


def test_of_many_places_the_one_that_counts_is_named():
    module = nn.Sequential(
        Step(lambda x: x - x.detach().mean()), Step(lambda x: x.detach()), nn.Conv2d(3, 2, 1)
    )
    score = dk.scorer(dk.as_network(module, HALF, HALF), dk.layer("2"))
    with pytest.raises(ValueError, match=rf"^{CONSTANT}: in layer '1' {DETACHED}detach$"):
        dk.gradient(score, PICTURE)
    module = nn.Sequential(Step(lambda x: x.detach()), Step(lambda x: x.detach()))
    score = dk.scorer(dk.as_network(module, HALF, HALF), dk.layer("1"))
    with pytest.raises(ValueError, match="in layer '0' and in layer '1' it is cut off"):
        dk.gradient(score, PICTURE)
    both = dk.scorer(with_step(lambda x: under(torch.no_grad)(x.detach())), dk.layer("2"))
    with pytest.raises(ValueError, match=r"no_grad\(\) and in layer '1' it is cut off with detach"):
        dk.gradient(both, PICTURE)


class Stubs(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = (
            torch.ao.quantization.QuantStub(),
            torch.ao.quantization.DeQuantStub(),
        )
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

    def forward(self, x):
        return self.dequant(self.relu(self.conv(self.quant(x))))


def quantised(how):
    quantization = torch.ao.quantization
    if how == "dynamic":
        module = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 5))
        return quantization.quantize_dynamic(module, {nn.Linear}), "2"
    if how == "by hand":
        to = lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8).dequantize()
        return nn.Sequential(nn.Conv2d(3, 4, 3), Step(to)), "1"
    module = Stubs().eval()
    module.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    quantization.prepare(module, inplace=True)
    module(PICTURE)
    return quantization.convert(module), "quant"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("how", ["stubs", "dynamic", "by hand"])
def test_quantised_networks(how):
    module, layer = quantised(how)
    score = dk.scorer(dk.as_network(module, HALF, HALF), dk.layer(""))
    with pytest.raises(ValueError) as caught:
        dk.gradient(score, PICTURE)
    assert str(caught.value).startswith(f"{CONSTANT}: in layer '{layer}' it is quantised (")


@pytest.mark.parametrize(
    "score, words",
    [
        (lambda x: x.detach().sum(), f": in the score {DETACHED}detach"),
        (lambda x: (x > 0.5).sum(), f": in the score it is made into {WHOLE} (gt)"),
        (lambda x: (x > 0.5).float().mean(), f": in the score it is made into {WHOLE} (gt)"),
        (under(torch.no_grad), None),
        (lambda x: torch.tensor(3.0), ""),
        (lambda x: torch.tensor(x.sum().item()), ""),
    ],
)
def test_scores_of_ones_own(score, words):
    if words is None:
        words, score = (
            f": in the score it is computed {OFF}",
            lambda x: under(torch.no_grad)(x.sum()),
        )
    with pytest.raises(ValueError) as caught:
        dk.gradient(score, PICTURE)
    assert str(caught.value).startswith(CONSTANT + words)
    assert words or str(caught.value) == CONSTANT


def test_under_inference_mode():
    with torch.inference_mode(), pytest.raises(ValueError, match=r"asked for under torch\.infer"):
        dk.gradient(lambda x: x.sum(), torch.rand(1, 3, 2, 2))


def test_a_score_that_fails_the_second_time_has_no_known_cause():
    calls = []

    def score(x):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("once only")
        return x.detach().sum()

    with pytest.raises(ValueError, match=f"^{CONSTANT}$"):
        dk.gradient(score, PICTURE)


def test_a_score_that_is_not_the_same_each_time_has_no_known_cause():
    calls = []

    def score(x):
        calls.append(1)
        with torch.no_grad():  # does no harm
            size = (x * 2).sum()
        return size + (x.sum() if len(calls) > 1 else 0)

    with pytest.raises(ValueError, match=f"^{CONSTANT}$"):
        dk.gradient(score, PICTURE)

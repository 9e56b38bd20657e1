"""Networks that end in their own softmax or sigmoid: gradients of the values before it."""

import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.ascent.gradients import gradient
from dreamkit.networks.logits import capture_logits

HALF = (0.5,) * 3
PICTURE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Ends(nn.Module):
    """A network that is certain of class 1: its probability is exactly 1; then `end`."""

    def __init__(self, end=lambda x: x, classes=4, certain=60.0):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.pool = nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1)
        self.dense, self.end = nn.Linear(8, classes), end
        with torch.no_grad():
            self.dense.bias[min(1, classes - 1)] = certain

    def forward(self, x):
        return self.end(self.dense(self.pool(self.conv(x).relu()).flatten(1)))


class Attentive(nn.Module):
    """A softmax of its own inside, and another at the end."""

    def forward(self, x):
        return ((x * x.mul(0.1).softmax(1).detach().mean()) * 4).softmax(1)


def own(end, **options):
    return dk.as_network(Ends(end, **options).eval(), HALF, HALF, "own")


EXACT = {
    "softmax": lambda x: torch.softmax(x, 1),
    "method": lambda x: x.softmax(dim=-1),
    "function": lambda x: F.softmax(x, 1),
    "keyword": lambda x: torch.softmax(input=x, dim=1),
    "module": nn.Softmax(1),
    "special": lambda x: torch.special.softmax(x, 1),
    "in a dict": lambda x: {"maps": x[:, :, None, None] * 0, "out": x.softmax(1)},
    "one cell": lambda x: x[:, :, None, None].softmax(1),
    "reshaped": lambda x: x.softmax(1)[:, :, None].reshape(len(x), -1),
    "copied": lambda x: x.softmax(1).clone(),
    "sigmoid": lambda x: x.sigmoid(),
    "module of sigmoids": nn.Sigmoid(),
}


def cosine(one, other):
    return float(F.cosine_similarity(one.flatten(), other.flatten(), 0))


@pytest.mark.parametrize("end", EXACT.values(), ids=EXACT)
def test_everything_that_takes_a_class_looks_before_the_softmax(end):
    plain, network = own(lambda x: x), own(end)
    for picture in (PICTURE, PICTURE.double(), PICTURE.expand(2, -1, -1, -1)):
        one, other = (gradient(dk.scorer(n, dk.logit(1)), picture) for n in (plain, network))
        assert one.any() and cosine(one, other) > 0.9999
    torch.testing.assert_close(other, one)
    shares = dict(dk.classify(network, PICTURE, 4))  # still the probabilities themselves
    assert shares["class 1"] == pytest.approx(1)
    for method in (
        dk.inside.saliency,
        dk.inside.integrated_gradients,
        dk.inside.guided_backprop,
        lambda network, x, c: dk.inside.grad_cam(network, x, c, "conv"),
    ):
        torch.testing.assert_close(method(network, PICTURE, 2), method(plain, PICTURE, 2))
    one, other = (dk.inside.fool(n, PICTURE, 2, 3.0, steps=3) for n in (plain, network))
    torch.testing.assert_close(other, one)
    one, other = (dk.figures.class_picture(n, [1, 2], steps=3, side=16) for n in (plain, network))
    torch.testing.assert_close(other, one)


def test_the_distance_of_a_fooling_picture_and_its_probability():
    plain, network = own(lambda x: x, certain=0.0), own(nn.Softmax(1), certain=0.0)
    one, other = (dk.inside.smallest_fooling(n, PICTURE, 3, steps=20) for n in (plain, network))
    assert one is not None and other.radius == pytest.approx(one.radius, rel=1e-4)
    assert other.probability == pytest.approx(one.probability, rel=1e-4)


def by_hand(x):
    return x.exp() / x.exp().sum(1, keepdim=True)


FALLBACK = {
    "by hand": by_hand,
    "log and back": lambda x: x.log_softmax(1).exp(),
    "by hand, after a softmax": lambda x: by_hand((x / 50).softmax(1)),
    "a part": lambda x: torch.cat([x, x[:, :1] - 200], 1).softmax(1)[:, :4],
}


@pytest.mark.parametrize("end", FALLBACK.values(), ids=FALLBACK)
def test_otherwise_it_is_the_logarithm_of_the_probability(end):
    network = own(end, certain=2.0)
    logits = capture_logits(network, PICTURE)[1]
    torch.testing.assert_close(logits, dk.capture(network, PICTURE, "")[""].log())
    sure = gradient(dk.scorer(own(end), dk.logit(2)), PICTURE)
    assert sure.isfinite().all() and sure.any()  # of an improbable class


def test_a_softmax_inside_is_not_the_end():
    network = own(Attentive(), certain=3.0)
    output, logits = dk.capture(network, PICTURE, "")[""], capture_logits(network, PICTURE)[1]
    torch.testing.assert_close(logits.softmax(1), output)
    assert logits.max() > 1
    inner = own(lambda x: x.softmax(1) * x)  # logits that a softmax took part in
    torch.testing.assert_close(
        capture_logits(inner, PICTURE)[1], dk.capture(inner, PICTURE, "")[""]
    )


def test_maps_of_probabilities():
    torch.manual_seed(1)
    conv = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        conv.bias[1] = 60
    plain, network = (
        dk.as_network(nn.Sequential(conv, end), HALF, HALF)
        for end in (nn.Identity(), nn.Softmax(1))
    )
    one, other = (gradient(dk.scorer(n, dk.logit(1)), PICTURE) for n in (plain, network))
    assert one.any()
    torch.testing.assert_close(other, one)


def test_the_output_itself_stays_what_the_network_gives():
    network, objective = own(nn.Softmax(1)), dk.logit(1)
    for _ in range(2):
        assert dk.capture(network, PICTURE, "")[""].sum() == pytest.approx(1)
        assert dk.scorer(network, objective)(PICTURE) > 50
        mine = dk.Objective(("",), lambda features: features[""][:, 1].sum(), "mine")
        assert dk.scorer(network, mine)(PICTURE) == pytest.approx(1)


def test_the_trial_run_is_made_once_and_only_if_it_may_be_a_softmax():
    for end, passes in ((lambda x: -x, 1), (nn.Softmax(1), 3 + 2)):
        network, counted = own(end), []
        network.module.conv.register_forward_hook(lambda *_, counted=counted: counted.append(1))
        score = dk.scorer(network, dk.logit(1))
        for _ in range(3):
            score(PICTURE)
        assert len(counted) == passes + 2


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.Sigmoid(), FALLBACK["a part"]])
def test_the_step_as_an_onnx_file_is_that_of_torch(end, tmp_path):
    import onnxruntime

    network = own(end, certain=2.0)
    dk.onnx.export_step(network, dk.logit(1), tmp_path / "step.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "step.onnx")
    value, found = session.run(["score", "gradient"], {"picture": PICTURE.numpy()})
    score = dk.scorer(network, dk.logit(1))
    assert float(value) == pytest.approx(float(score(PICTURE)), rel=1e-4)
    torch.testing.assert_close(
        torch.from_numpy(found), gradient(score, PICTURE), rtol=1e-3, atol=1e-6
    )


def test_another_thread_may_decide_during_the_first_pass():
    network, other = own(nn.Softmax(1)), []
    score = dk.scorer(network, dk.logit(1))

    def run_another(*_):
        if not other:
            other.append(threading.Thread(target=score, args=(PICTURE,)))
            other[0].start()
            other[0].join()

    network.module.conv.register_forward_hook(run_another)
    assert score(PICTURE) > 50

"""Outputs that are not a tensor of logits: the right tensor, or one line with the names."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import nn

import dreamkit as dk

HALF = (0.5,) * 3
PICTURE = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
CLASSES = 5


class Ends(nn.Module):
    """Logits of five classes and a map of seven channels, then a function of both."""

    def __init__(self, end, classes=CLASSES):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 7, 3, padding=1)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(7, classes))
        self.end = end
        with torch.no_grad():
            self.pool[-1].weight.mul_(4)
            self.pool[-1].bias.copy_(2 * torch.randn(classes))

    def forward(self, x):
        maps = self.conv(x).relu()
        return self.end(self.pool(maps), maps)


Pair = namedtuple("Pair", "maps scores")


@dataclass
class Answer:
    logits: torch.Tensor
    hidden: torch.Tensor


CHOSEN = {  # the tensor of classes is the only one that it can be
    "dict of one": lambda a, m: {"out": a},
    "ordered, with maps": lambda a, m: OrderedDict(features=m, out=a),
    "tuple": lambda a, m: (m, a),
    "list": lambda a, m: [a],
    "nested": lambda a, m: {"heads": [{"classes": a}], "note": "text", "nothing": None},
    "named tuple": lambda a, m: Pair(m, a),
    "data class": lambda a, m: Answer(a, m),
    "one cell": lambda a, m: a[:, :, None, None],
}


def own(end, **options):
    module = Ends(end, **({"classes": options.pop("classes")} if "classes" in options else {}))
    return module, dk.as_network(module, HALF, HALF, "own", **options)


@pytest.mark.parametrize("end", CHOSEN.values(), ids=CHOSEN)
def test_the_tensor_of_classes_is_found(end):
    module, network = own(end)
    logits = module.pool(module.conv(2 * PICTURE - 1).relu()).detach()
    found = dict(dk.classify(network, PICTURE, CLASSES))
    for index, share in enumerate(logits.softmax(1)[0]):
        assert found[f"class {index}"] == pytest.approx(float(share), rel=1e-5)
    assert dk.scorer(network, dk.logit(2))(PICTURE).item() == pytest.approx(float(logits[0, 2]))
    for attribution in (dk.inside.saliency, dk.inside.grad_cam):
        assert torch.equal(
            attribution(network, PICTURE), attribution(network, PICTURE, int(logits.argmax()))
        )
    panels = dk.inside.occlusion_panels(network, PICTURE, layer="conv", size=4)
    assert panels.index == int(logits.argmax())


SEVERAL = {
    "two heads": (lambda a, m: {"left": a, "right": a * 2}, "right"),
    "maps only": (lambda a, m: (m, {"deep": m * 2}), "1.deep"),
    "heads in a list": (lambda a, m: [a, a * 3, m], "1"),
    "named tuple": (lambda a, m: Pair(a, a * 2), "scores"),
    "data class": (lambda a, m: Answer(a, a * 2), "hidden"),
}


@pytest.mark.parametrize("end, name", SEVERAL.values(), ids=SEVERAL)
def test_several_outputs_are_listed_and_can_be_named(end, name):
    module, network = own(end)
    uses = (
        lambda: dk.classify(network, PICTURE),
        lambda: dk.scorer(network, dk.logit(1))(PICTURE),
        lambda: dk.inside.saliency(network, PICTURE),
        lambda: dk.inside.grad_cam(network, PICTURE),
        lambda: dk.widgets.cover(network, PICTURE),
    )
    for use in uses:
        with pytest.raises(ValueError, match=f"has several outputs; there are: .*{name!r}"):
            use()
    assert dk.inside.saliency(network, PICTURE, dk.channel("conv", 1)).isfinite().all()
    score = dk.scorer(network, dk.layer("conv"))
    dk.dream(score, PICTURE, dk.Settings(steps=1, octaves=1))
    _, named = own(end, output=name)
    expected = module.conv(2 * PICTURE - 1).relu()
    found = dk.capture(named, PICTURE, "")[""]
    factor = 3 if name == "1" else 2
    wanted = module.pool(expected) if found.dim() == 2 else expected
    torch.testing.assert_close(found, factor * wanted.detach())
    _, wrong = own(end, output="absent")
    with pytest.raises(ValueError, match="has no output 'absent'; there are"):
        dk.capture(wrong, PICTURE, "")


@pytest.mark.parametrize("end", [lambda a, m: {"out": m}, lambda a, m: m, lambda a, m: [m]])
def test_maps_have_classes_in_each_cell(end):
    _, network = own(end)
    for use in (dk.classify, dk.inside.saliency, dk.inside.grad_cam, dk.widgets.cover):
        with pytest.raises(ValueError, match="network that ends in classes"):
            use(network, PICTURE)
    assert dk.scorer(network, dk.logit(2))(PICTURE).isfinite()  # of all cells together
    assert dk.inside.saliency(network, PICTURE, 2).isfinite().all()


def test_no_tensor_at_all():
    _, network = own(lambda a, m: {"text": "done"})
    with pytest.raises(ValueError, match="holds no tensor; it is a dict"):
        dk.classify(network, PICTURE)


PROBABILITIES = {
    "softmax": lambda a, m: a.softmax(1),
    "of a module": lambda a, m: nn.Softmax(1)(a),
    "log and back": lambda a, m: a.log_softmax(1).exp(),
    "by hand": lambda a, m: a.exp() / a.exp().sum(1, keepdim=True),
    "one cell": lambda a, m: a.softmax(1)[:, :, None, None],
    "in a dict": lambda a, m: {"probabilities": a.softmax(1), "maps": m},
    "sigmoids": lambda a, m: a.sigmoid(),
    "hard sigmoids": lambda a, m: nn.functional.hardsigmoid(a),
    "squeezed sigmoids": lambda a, m: a[:, :, None].sigmoid().squeeze(2),
}


@pytest.mark.parametrize("end", PROBABILITIES.values(), ids=PROBABILITIES)
def test_probabilities_are_told_as_they_are(end):
    module, network = own(end)
    output = module(2 * PICTURE - 1)
    output = output["probabilities"] if isinstance(output, dict) else output
    found = dict(dk.classify(network, PICTURE, CLASSES))
    for index, share in enumerate(output.detach().flatten()):
        assert found[f"class {index}"] == pytest.approx(float(share), rel=1e-5)
    panels = dk.inside.occlusion_panels(network, PICTURE, layer="conv", size=4)
    assert panels.uncovered[1] == pytest.approx(float(output.detach().max()), rel=1e-5)


LOGITS = {
    "plain": lambda a, m: a,
    "log softmax": lambda a, m: a.log_softmax(1),
    "not negative": lambda a, m: a.relu(),
    "adds up to 1": lambda a, m: a - (a.sum(1, keepdim=True) - 1) / CLASSES,
}


@pytest.mark.parametrize("end", LOGITS.values(), ids=LOGITS)
def test_logits_are_not_taken_for_probabilities(end):
    module, network = own(end)
    shares = module(2 * PICTURE - 1).softmax(1).detach()
    assert dk.classify(network, PICTURE, 1)[0][1] == pytest.approx(float(shares.max()), rel=1e-5)


def test_what_the_output_is_does_not_change_from_picture_to_picture():
    one_hot = torch.zeros(1, 3, 1, 1)
    one_hot[0, 0] = 1.0  # as logits, rows of this picture would add up to 1
    network = dk.as_network(nn.Sequential(nn.Flatten(2), nn.Flatten()), (0,) * 3, (1,) * 3)
    assert dk.classify(network, one_hot, 1)[0][1] == pytest.approx(0.576, abs=1e-3)  # e / (e + 2)


@pytest.mark.parametrize("end", [lambda a, m: a.sigmoid(), lambda a, m: a, lambda a, m: a[:, 0]])
def test_a_single_output_is_the_probability_of_one_class(end):
    module, network = own(end, classes=1)
    logit = module.pool(module.conv(2 * PICTURE - 1).relu())
    share = float(logit.detach().sigmoid())
    assert dk.classify(network, PICTURE) == [("class 0", pytest.approx(share))]
    _, named = own(end, classes=1, labels=["cat", "dog"])
    assert dict(dk.classify(named, PICTURE)) == pytest.approx({"dog": share, "cat": 1 - share})
    assert dk.inside.saliency(network, PICTURE).isfinite().all()


def test_classes_without_a_label_are_named_by_their_index():
    _, network = own(lambda a, m: a, labels=["cat", "dog"])
    names = {name for name, _ in dk.classify(network, PICTURE, CLASSES)}
    assert names == {"cat", "dog", "class 2", "class 3", "class 4"}
    panels = dk.inside.occlusion_panels(network, PICTURE, 4, layer="conv", size=4)
    assert panels.name(4) == "class 4" and panels.name(1) == "dog"
    dk.widgets.cover(network, PICTURE, 4).close()


def test_networks_with_several_outputs_are_folded_too():
    module = Ends(lambda a, m: {"a": a, "m": [m]}).eval()
    module.conv = nn.Sequential(nn.Conv2d(3, 7, 3), nn.BatchNorm2d(7)).eval()
    network = dk.as_network(module, HALF, HALF)
    assert isinstance(network.module.conv[1], nn.Identity)


def test_one_class_that_is_always_1_is_a_logit():
    _, network = own(lambda a, m: a * 0 + 1, classes=1)
    assert dk.classify(network, PICTURE) == [("class 0", pytest.approx(0.7311, abs=1e-4))]


def test_rows_that_add_up_to_1_for_a_grey_picture_only_are_logits():
    class Plus(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)) + 1 / 3

    network = dk.as_network(Plus(), (0,) * 3, (1,) * 3)
    picture = torch.tensor([0.3, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    share = dk.classify(network, picture, 1)[0][1]
    assert share == pytest.approx(0.4030, abs=1e-4)  # e^0.3 / (e^0.3 + 2)

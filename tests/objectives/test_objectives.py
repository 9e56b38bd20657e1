"""Objectives: values worked out by hand, the algebra, batches, guides against NumPy, messages."""

import dataclasses
import inspect
import re

import numpy as np
import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit import passport
from dreamkit.checks import fields as checks
from dreamkit.objectives import objective
from dreamkit.objectives.formulas import best_match
from dreamkit.objectives.kinds import KINDS, Kind, Term

MAP = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 5.0]]]])  # [1, 2, 2, 2]


def value(wanted, **features):
    """The objective's number for features given by hand; "logits" is the network's output."""
    return float(
        wanted.formula(
            {"" if name == "logits" else name: values for name, values in features.items()}
        )
    )


def picker(labels=()):
    """A network that keeps red and green; its logits are 3 * red's mean and 5 * green's mean."""
    module = nn.Sequential(
        nn.Conv2d(3, 2, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 2, bias=False),
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(2, 3).view(2, 3, 1, 1))
        module[3].weight.copy_(torch.diag(torch.tensor([3.0, 5.0])))
    return dk.as_network(module, (0, 0, 0), (1, 1, 1), "picker", labels)


# ---- values by hand


def test_a_layer_is_the_mean_of_its_squares_or_of_another_power():
    assert value(dk.layer("a"), a=MAP) == (1 + 4 + 9 + 16 + 0 + 1 + 0 + 25) / 8
    assert value(dk.layer("a", power=1), a=MAP) == (1 - 2 + 3 + 4 + 0 + 1 + 0 + 5) / 8
    assert value(dk.layer("a", power=3), a=MAP) == (1 - 8 + 27 + 64 + 1 + 125) / 8


def test_a_channel_is_the_mean_of_its_map():
    assert value(dk.channel("a", 0), a=MAP) == 1.5
    assert value(dk.channel("a", 1), a=MAP) == 1.5
    assert value(dk.channel("fc", 1), fc=torch.tensor([[7.0, 8.0, 9.0]])) == 8
    tokens = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 60.0]]])  # [1, 3 tokens, 2 channels]
    assert value(dk.channel("block", 1), block=tokens) == 30


def test_a_neuron_is_one_cell_by_row_and_column():
    assert value(dk.neuron("a", 0, 0, 1), a=MAP) == -2
    assert value(dk.neuron("a", 0, 1, 0), a=MAP) == 3
    assert value(dk.neuron("a", 1, 1, 1), a=MAP) == 5


def test_the_border_is_left_out_of_the_sum_and_not_of_the_count_as_keras_has_it():
    values = torch.arange(2 * 6 * 5, dtype=torch.float64).reshape(1, 2, 6, 5)
    inner = values.numpy()[:, :, 2:-2, 2:-2]
    assert inner.size == 4
    assert value(dk.layer("a", border=2), a=values) == pytest.approx(
        (inner**2).sum() / values.numel(), rel=1e-12
    )
    assert value(dk.layer("a", power=1, border=1), a=values) == pytest.approx(
        values.numpy()[:, :, 1:-1, 1:-1].sum() / 60, rel=1e-12
    )


def test_a_logit_is_found_by_index_and_by_label():
    picture = torch.stack([torch.full((4, 4), 0.5), torch.full((4, 4), 0.25), torch.zeros(4, 4)])[
        None
    ]
    network = picker(("red", "green"))
    assert float(dk.scorer(network, dk.logit(0))(picture)) == 1.5
    assert float(dk.scorer(network, dk.logit(1))(picture)) == 1.25
    assert float(dk.scorer(network, dk.logit("green"))(picture)) == 1.25
    assert float(dk.scorer(network, dk.logit(np.int64(1)))(picture)) == 1.25


def test_a_score_is_the_objective_of_the_standardised_picture():
    module = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False))
    nn.init.ones_(module[0].weight)
    network = dk.as_network(module, (0.1, 0.2, 0.3), (0.5, 0.5, 0.25))
    picture = torch.tensor([0.6, 0.4, 0.55]).view(
        1, 3, 1, 1
    )  # standardised: 1, 0.4, 1; their sum is 2.4
    assert float(dk.scorer(network, dk.layer("0"))(picture)) == pytest.approx(2.4**2, rel=1e-6)
    assert dk.gradient(
        dk.scorer(network, dk.layer("0")), picture
    ).flatten().tolist() == pytest.approx([9.6, 9.6, 19.2], rel=1e-5)


# ---- the algebra


def test_sums_and_multiples():
    both = dk.layer("a") + 0.5 * dk.channel("b", 1) + dk.channel("a", 0) * 2
    assert both.layers == ("a", "b")
    assert value(both, a=MAP, b=2 * MAP) == 7 + 0.5 * 3 + 2 * 1.5
    assert value(3 * (dk.channel("a", 0) + dk.channel("a", 1)), a=MAP) == 9
    assert value(np.float32(0.5) * dk.channel("a", 0), a=MAP) == 0.75


def test_names_can_be_read_and_say_what_was_made():
    a, b = dk.layer("conv1"), dk.channel("conv2", 3)
    assert a.name == "layer('conv1')"
    assert dk.layer("conv1", power=1, border=2).name == "layer('conv1', power=1, border=2)"
    assert (2 * a).name == (a * 2).name == "2 * layer('conv1')"
    assert (a + 0.25 * b).name == "layer('conv1') + 0.25 * channel('conv2', 3)"
    assert (2 * (a + b)).name == "2 * (layer('conv1') + channel('conv2', 3))"
    assert dk.neuron("c", 1, 2, 3).name == "neuron('c', 1, 2, 3)"
    assert dk.logit("goldfish").name == "logit('goldfish')" and dk.logit(7).name == "logit(7)"
    assert dk.guide("c", MAP).name == "guide('c')"
    assert "formula" not in repr(a) and "layer('conv1')" in repr(a)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a: a - a,
        lambda a: -a,
        lambda a: a + 1,
        lambda a: 1 + a,
        lambda a: a * a,
        lambda a: a * "2",
        lambda a: a / 2,
    ],
)
def test_only_plus_and_number_times_are_allowed(wrong):
    with pytest.raises(TypeError):
        wrong(dk.layer("a"))


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_weight_is_finite(factor):
    with pytest.raises(ValueError, match=f"weighed by a finite number; given: {factor}"):
        factor * dk.layer("a")


def test_objectives_and_scorers_are_frozen():
    objective = dk.layer("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.name = "other"
    score = dk.scorer(picker(), dk.logit(0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.objective = objective
    assert score.name == "logit(0)"


# ---- batches: each picture as it would be alone


def objectives(network, guide):
    return {
        "layer": dk.layer("2"),
        "power 1": dk.layer("2", power=1),
        "border": dk.layer("2", border=3),
        "channel": dk.channel("6", 2),
        "neuron": dk.neuron("6", 1, 3, 4),
        "logit": dk.logit("c"),
        "vector": dk.channel("8", 3),
        "guide": dk.guide("6", dk.capture(network, guide, "6")),
        "sum": dk.layer("2") + 0.3 * dk.channel("6", 0),
        "direction": dk.direction("6", torch.linspace(-1, 1, 8)),
        "vector's direction": dk.direction("8", [1, -1, 0.5, 2, 0, 3, 0, 1], cosine=1),
        "caricature": dk.caricature("6", guide),
        "penalty": dk.penalty("total_variation") + dk.penalty("l2"),
        "diversity": dk.diversity("2", 3),
    }


NEW = ["direction", "vector's direction", "caricature", "penalty"]


@pytest.mark.parametrize(
    "name",
    ["layer", "power 1", "border", "channel", "neuron", "logit", "vector", "guide", "sum", *NEW],
)
def test_a_batch_of_two_is_scored_and_climbed_one_by_one(name, tiny_network, picture):
    pair = torch.cat([picture, picture.flip(-1).roll(7, -2)]).double()
    score = dk.scorer(tiny_network, objectives(tiny_network, picture.double().flip(-2))[name])
    alone = [score(p[None]) for p in pair]
    assert abs(alone[0] - alone[1]) > 1e-6  # two pictures, two values
    assert float(score(pair)) == pytest.approx(float(sum(alone)), rel=1e-12)
    together = dk.gradient(score, pair)
    for number, one in enumerate(pair):
        torch.testing.assert_close(
            together[number : number + 1], dk.gradient(score, one[None]), rtol=1e-10, atol=1e-14
        )


@pytest.mark.parametrize(
    "name",
    ["layer", "power 1", "border", "channel", "neuron", "logit", "sum", *NEW, "diversity"],
)
def test_gradients_agree_with_finite_differences(name, tiny_network, picture):
    picture = picture.double()
    score = dk.scorer(tiny_network, objectives(tiny_network, picture)[name])
    if name == "diversity":
        picture = torch.cat([picture, picture.flip(-1).sqrt()])
    towards = torch.randn(
        picture.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    step = 1e-6
    measured = (score(picture + step * towards) - score(picture - step * towards)) / (2 * step)
    assert float((dk.gradient(score, picture) * towards).sum()) == pytest.approx(
        float(measured), rel=1e-5
    )


# ---- the guide, against brute force


def brute_force(cells, columns):
    """The best column for each cell, one product at a time, in NumPy."""
    chosen = np.empty_like(cells)
    for n, picture in enumerate(cells):
        for i in range(picture.shape[1]):
            products = [float(picture[:, i] @ columns[:, j]) for j in range(columns.shape[1])]
            chosen[n, :, i] = columns[:, int(np.argmax(products))]
    return chosen


@pytest.fixture
def cells_and_columns():
    generator = torch.Generator().manual_seed(11)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    return draw(2, 5, 3, 4), draw(1, 5, 2, 4)


def test_the_gradient_of_a_guide_is_the_matching_column(cells_and_columns):
    cells, guide = cells_and_columns
    leaf = cells.clone().requires_grad_(True)
    total = dk.guide("a", guide).formula({"a": leaf})
    total.backward()
    expected = brute_force(cells.flatten(2).numpy(), guide[0].flatten(1).numpy())
    np.testing.assert_array_equal(leaf.grad.flatten(2).numpy(), expected)
    assert float(total.detach()) == pytest.approx(
        (cells.flatten(2).numpy() * expected).sum(), rel=1e-12
    )


@pytest.mark.parametrize("most", [1, 8, 9, 31, 2**24])
def test_chunks_change_nothing(cells_and_columns, most):
    cells, guide = (values.flatten(2) for values in cells_and_columns)
    np.testing.assert_array_equal(
        best_match(cells, guide[0], most).numpy(), brute_force(cells.numpy(), guide[0].numpy())
    )


def test_a_guide_may_come_with_or_without_its_batch_axis_or_from_capture(
    cells_and_columns, tiny_network, picture
):
    cells, guide = cells_and_columns
    values = [
        value(dk.guide("a", given), a=cells) for given in (guide, guide[0], {"a": guide, "b": MAP})
    ]
    assert values[0] == values[1] == values[2]
    captured = dk.capture(tiny_network, picture, ["2", "6"])
    assert float(dk.scorer(tiny_network, dk.guide("6", captured))(picture)) > 0


def test_a_guide_keeps_no_gradient_of_its_own(cells_and_columns):
    cells, guide = cells_and_columns
    guide = guide.clone().requires_grad_(True)
    leaf = cells.clone().requires_grad_(True)
    dk.guide("a", guide).formula({"a": leaf}).backward()
    assert guide.grad is None and leaf.grad is not None


# ---- messages


def test_an_unknown_layer_is_answered_with_the_three_nearest(dreamnet):
    with pytest.raises(KeyError) as error:
        dk.scorer(dreamnet, dk.layer("inception4x"))
    near = re.fullmatch(
        r"unknown layer 'inception4x'; nearest: (\w+), (\w+), (\w+); "
        r"all: dk\.layer_names\(network\), or dreamkit layers dreamnet",
        str(error.value),
    )
    assert near and all(name.startswith("inception4") for name in near.groups())


def test_any_layer_of_a_sum_is_looked_up(tiny_network):
    with pytest.raises(KeyError, match="unknown layer 'nowhere'; nearest: "):
        dk.scorer(tiny_network, dk.layer("2") + 2 * dk.channel("nowhere", 0))


@pytest.mark.parametrize(
    "objective, message",
    [
        (dk.channel("2", 6), "channel 6 is out of range: layer '2' has 6, from 0 to 5"),
        (dk.channel("2", -1), "channel -1 is out of range: layer '2' has 6, from 0 to 5"),
        (dk.channel("2", True), "channel True is out of range: layer '2' has 6, from 0 to 5"),
        (dk.channel("2", 1.0), "channel 1.0 is out of range: layer '2' has 6, from 0 to 5"),
        (dk.channel("9", 5), "channel 5 is out of range: layer '9' has 5, from 0 to 4"),
        (dk.neuron("2", 9, 0, 0), "channel 9 is out of range: layer '2' has 6, from 0 to 5"),
        (dk.neuron("2", 0, 40, 0), "row 40 is out of range: layer '2' has 40, from 0 to 39"),
        (dk.neuron("2", 0, 0, 48), "column 48 is out of range: layer '2' has 48, from 0 to 47"),
        (dk.neuron("9", 0, 0, 0), "layer '9' has no feature map ([1, 5]); use channel"),
        (dk.logit(5), "class 5 is out of range: the network has 5, from 0 to 4"),
        (
            dk.layer("9", border=1),
            "layer '9' has no feature map ([1, 5]), so there is no border to leave out",
        ),
        (
            dk.layer("2", border=20),
            "a border of 20 cells leaves nothing of the 40×48 map of layer '2'",
        ),
        (
            dk.layer("2", border=90),
            "a border of 90 cells leaves nothing of the 40×48 map of layer '2'",
        ),
        (dk.guide("2", MAP), "the guide has 2 channels; layer '2' has 6"),
        (
            dk.guide("9", torch.ones(5, 1, 1)),
            "layer '9' has no feature map ([1, 5]) whose cells could be guided",
        ),
    ],
)
def test_what_the_features_lack_is_refused_when_scored(objective, message, tiny_network, picture):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        dk.scorer(tiny_network, objective)(picture)


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: dk.layer("a", border=-1),
            "border is in cells of the feature map, a whole number of 0 or more; given: -1",
        ),
        (
            lambda: dk.layer("a", border=1.5),
            "border is in cells of the feature map, a whole number of 0 or more; given: 1.5",
        ),
        (lambda: dk.layer("a", power=0), "power is a number above 0; given: 0"),
        (lambda: dk.layer("a", power="2"), "power is a number above 0; given: '2'"),
        (
            lambda: dk.guide("a", torch.ones(2, 5, 1, 1)),
            "a guide is the features of one picture, [1, C, h, w]; given: [2, 5, 1, 1]",
        ),
        (
            lambda: dk.guide("a", torch.ones(2, 5)),
            "a guide is the features of one picture, [1, C, h, w]; given: [2, 5]",
        ),
        (
            lambda: dk.guide("a", "flower"),
            "a guide is a tensor of features, [1, C, h, w]; given: str",
        ),
        (
            lambda: dk.scorer(picker(), "layer"),
            "an objective is made by dk.layer, dk.channel, dk.neuron, dk.logit, dk.guide, "
            "dk.direction, dk.caricature, dk.diversity, dk.penalty or from them; given: str",
        ),
    ],
)
def test_wrong_arguments_are_refused_when_the_objective_is_made(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_a_guide_of_another_layer_is_answered_with_those_captured():
    with pytest.raises(
        KeyError,
        match="unknown layer 'conv3'; nearest: conv1, conv2; these were captured of the guide",
    ):
        dk.guide("conv3", {"conv1": MAP, "conv2": MAP})


def test_an_unknown_label_is_refused(picture):
    with pytest.raises(KeyError, match="unknown class 'gren'; nearest: "):
        dk.scorer(picker(("red", "green")), dk.logit("gren"))(picture)
    with pytest.raises(
        ValueError,
        match="this network has no labels to find 'green' in; give the class by its index",
    ):
        dk.scorer(picker(), dk.logit("green"))(picture)


def test_a_formula_of_your_own_is_an_objective(picture):
    contrast = dk.Objective(
        ("0",),
        lambda features: (features["0"][:, 0] - features["0"][:, 1]).mean(),
        "red over green",
    )
    expected = float((picture[:, 0] - picture[:, 1]).mean())
    assert float(dk.scorer(picker(), 2 * contrast)(picture)) == pytest.approx(
        2 * expected, rel=1e-5
    )


# ---- before the activation


def silent() -> dk.Network:
    """Channel 0 is red minus 2, so its ReLU is silent; channel 1 is green."""
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(2, 1, 1))
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(2, 3).view(2, 3, 1, 1))
        module[0].bias.copy_(torch.tensor([-2.0, 0.0]))
        module[2].weight.fill_(0.5)
        module[2].bias.fill_(0.25)
    return dk.as_network(module, (0, 0, 0), (1, 1, 1), "silent")


def test_a_silent_channel_has_a_value_and_a_gradient_before_its_activation(picture):
    network = silent()
    after, before = (
        dk.scorer(network, dk.channel("1", 0, before_activation=way)) for way in (False, True)
    )
    assert float(after(picture)) == 0 and float(dk.gradient(after, picture).abs().max()) == 0
    red = float(picture[:, 0].mean())
    assert float(before(picture)) == pytest.approx(red - 2, abs=1e-6)
    gradient = dk.gradient(before, picture)
    torch.testing.assert_close(gradient[:, 0], torch.full_like(gradient[:, 0], 1 / (40 * 48)))
    assert before.name == "channel('1', 0, before_activation=True)"


def test_a_sum_holds_channels_before_and_after_their_activation(picture):
    made = 2 * dk.channel("1", 0, before_activation=True) + 3 * dk.channel("1", 1) + dk.layer("2")
    score = dk.scorer(silent(), made)
    last = dk.capture(silent(), picture, "2")["2"]
    expected = 2 * (picture[:, 0].mean() - 2) + 3 * picture[:, 1].mean() + last.square().mean()
    assert float(score(picture)) == pytest.approx(float(expected), rel=1e-5)
    assert score.objective.layers == ("0", "1", "2") and score.objective.by_cells
    tiled = dk.scorer(silent(), made, tile=16)
    torch.testing.assert_close(dk.gradient(tiled, picture), dk.gradient(score, picture))


def test_where_nothing_lies_before_an_activation_one_line_says_so(picture):
    with pytest.raises(ValueError, match="layer '2' does not end in an activation"):
        dk.scorer(silent(), dk.channel("2", 0, before_activation=True))
    mine = dk.Objective(("1",), lambda features: features["1"].sum())
    score = dk.scorer(silent(), mine + dk.channel("1", 0, before_activation=True))
    with pytest.raises(ValueError, match="not in a sum with a formula of your own"):
        score(picture)
    with pytest.raises(ValueError, match="before_activation is True or False; given: 1"):
        dk.channel("1", 0, before_activation=1)


# ---- the registry


def test_every_kind_has_a_function_of_its_name_that_takes_its_fields():
    for name, kind in KINDS.items():
        taken = tuple(inspect.signature(getattr(objective, name)).parameters)
        expected = ("name",) * kind.at_layer + ("features",) * ("picture" in kind.fields)
        expected += ("weight",) * (name == "diversity")
        assert len(taken) == len(expected) + len(kind.fields)
        assert set(kind.flags) <= set(kind.fields) and getattr(dk, name)


def test_terms_are_the_objective_as_data():
    both = 2 * (dk.layer("a", border=1) + 0.25 * dk.logit("b"))
    assert both.terms == (
        Term("layer", "a", {"power": 2, "border": 1}, 2.0),
        Term("logit", "", {"label": "b"}, 0.5),
    )
    assert (both + dk.Objective((), lambda features: 0, "mine")).terms == ()


def test_one_more_kind_is_a_formula_and_an_entry(monkeypatch, picture):
    """Formula, name, algebra, tiles, passport, command line and Python follow from the entry."""

    def brightest(features, layer, index):
        return features[layer][:, index].amax()

    def make(name, index):
        return objective._objective("brightest", name, index=index)

    whole = checks.integer(0, 10)
    monkeypatch.setitem(KINDS, "brightest", Kind(brightest, {"index": whole}, by_cells=False))
    monkeypatch.setattr(objective, "brightest", make, raising=False)
    made = 0.5 * make("0", 1)
    assert made.name == "0.5 * brightest('0', 1)" and not made.by_cells
    assert float(dk.scorer(picker(), made)(picture)) == pytest.approx(
        0.5 * float(picture[:, 1].max()), rel=1e-6
    )
    spec = passport.entry(made)
    assert spec["terms"][0]["objective"] == {"kind": "brightest", "name": "0", "index": 1}
    assert passport.objective(spec).terms == made.terms
    assert passport.expression(spec) == "0.5 * dk.brightest('0', 1)"
    with pytest.raises(ValueError, match="whole number from 0 to 10"):
        passport.objective(spec["terms"][0]["objective"] | {"index": 11})
    with pytest.raises(ValueError, match="no ONNX graph can hold"):
        dk.onnx.export_step(picker(), made, "step.onnx")


@pytest.mark.parametrize("power", [0.1234567, 1.0, 1 / 3, 3])
def test_the_name_of_a_layer_makes_the_same_power(power):
    made = eval(dk.layer("a", power=power).name, {"layer": dk.layer})
    assert made.terms[0].values["power"] == power


def test_a_scorer_looks_its_layers_up_once(dreamnet, monkeypatch):
    score = dk.scorer(dreamnet, dk.layer("inception_3a/output") + dk.channel("conv2", 3))
    photo = dk.sample("china", 64)
    expected = float(score(photo))

    def refuse(*given):
        raise AssertionError("a name was looked up again")

    monkeypatch.setattr("dreamkit.networks.layers.layer_info", refuse)
    monkeypatch.setattr("dreamkit.networks.layers.layer_aliases", refuse)
    assert float(score(photo)) == expected and dk.gradient(score, photo).abs().max() > 0
    with pytest.raises(AssertionError, match="looked up again"):
        dk.scorer(dreamnet, dk.layer("conv2"))

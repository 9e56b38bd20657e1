"""Rank correlation against SciPy, overlap by hand, and networks that forget."""

import pytest
import torch

import dreamkit as dk

from .plain import Plain, of

inside = dk.inside


def test_ranks_and_overlaps_are_the_textbooks():
    from scipy.stats import spearmanr  # takes seconds, so collecting the tests does not

    generator = torch.Generator().manual_seed(2)
    one, other = (
        torch.randint(-6, 6, (1, 1, 5, 8), generator=generator).float() for _ in range(2)
    )  # with ties
    textbook = spearmanr(
        *(values.abs().flatten().double().numpy() for values in (one, other))
    ).statistic
    assert inside.rank_correlation(one, other) == pytest.approx(textbook, abs=1e-9)
    assert inside.rank_correlation(one, -2 * one) == pytest.approx(1)
    mask = torch.zeros(10, 10, dtype=torch.bool)
    mask[:2, :5] = True
    map_ = torch.zeros(1, 3, 10, 10)
    map_[0, 1, 1, :10] = -torch.arange(
        1.0, 11
    )  # the strongest tenth is row 1; half of it is inside
    assert inside.overlap(map_, mask) == pytest.approx(5 / 15)
    for call, message in (
        (lambda: inside.rank_correlation(one, other[..., :3]), "must have the same shape"),
        (lambda: inside.rank_correlation(one, torch.ones_like(one)), "a constant map"),
        (lambda: inside.overlap(map_, mask[:5]), "same size"),
        (lambda: inside.overlap(map_, mask, 1.0), "share must lie"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_network_forgets_from_the_top(photo):
    network = of(Plain())
    steps = list(inside.forgetting(network, seed=4))
    assert [name for name, _ in steps] == ["fc", "conv3", "conv2", "conv1"]
    assert torch.equal(
        dk.capture(steps[0][1], photo, "relu3")["relu3"],
        dk.capture(network, photo, "relu3")["relu3"],
    )
    before = [dk.capture(net, photo, ("relu2", "")) for _, net in steps]
    assert torch.equal(before[1]["relu2"], dk.capture(network, photo, "relu2")["relu2"])
    assert not torch.equal(before[2]["relu2"], before[1]["relu2"])
    assert torch.equal(before[3][""], dk.capture(dk.randomized(network, 4), photo, "")[""])
    assert torch.equal(
        dk.capture(of(Plain()), photo, "")[""], dk.capture(network, photo, "")[""]
    )  # the given one remembers


CUP = (2, 100, 70, 182)  # rows and columns of the cup in the sample photo at 256 pixels


@pytest.mark.slow
@pytest.mark.parametrize("top, left", [(30, 6), (4, 30)])
def test_maps_find_a_cup_among_its_own_pieces_and_random_weights_do_not(dreamnet, top, left):
    a, b, c, d = CUP
    cup = dk.resize(dk.sample("coffee", 256)[..., a:b, c:d], (28, 28))
    picture, mask = dk.scenes.among_its_pieces(cup, top, left)
    blurred = lambda map_: dk.smooth(map_.abs().amax(1, keepdim=True).expand(-1, 3, -1, -1), 3.0)

    def found(network):
        target = network.labels.index("espresso")
        strongest = int(
            dk.capture(network, picture, "inception5a")["inception5a"][0].sum((1, 2)).argmax()
        )
        maps = {
            "saliency": inside.saliency(network, picture, target),
            "occlusion": inside.occlusion(network, picture, target),
            "deconvnet": inside.project(network, picture, "inception5a", strongest),
            "guided": inside.guided_backprop(network, picture, target),
            "cam": inside.grad_cam(network, picture, target),
        }
        return {name: inside.overlap(blurred(map_), mask) for name, map_ in maps.items()}

    trained, random = found(dreamnet), found(dk.randomized(dreamnet))
    assert min(trained.values()) >= 0.3, trained
    assert max(random.values()) <= 0.15, random

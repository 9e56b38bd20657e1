"""A wrong name is said shortly, however long it is."""

import pytest

import dreamkit as dk
from dreamkit.checks.names import unknown

LONG = "x" * 5000


def dreamnet():
    return dk.load_network("dreamnet", device="cpu")


ASKED = {
    "a network": lambda: dk.load_network(LONG),
    "a sample": lambda: dk.sample(LONG),
    "a layer": lambda: dk.layer_info(dreamnet(), LONG),
    "a figure": lambda: dk.figures.figure(LONG),
    "a label": lambda: dk.scorer(dreamnet(), dk.logit(LONG))(dk.noise(64, 64)),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_long_wrong_name_is_one_short_line(what):
    with pytest.raises(KeyError) as caught:
        ASKED[what]()
    line = str(caught.value)
    assert "x" * 40 in line and LONG not in line and len(line) < 400 and "\n" not in line


def test_a_short_wrong_name_is_said_whole():
    assert str(unknown("layer", "conv9", ["a"])) == "unknown layer 'conv9'; nearest: a"

"""The table of features in benchmarks/README.md: each call runs, each file exists."""

import re
from pathlib import Path

import pytest
import torch

import dreamkit as dk

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "benchmarks" / "README.md").read_text("utf-8").split("## What dreamkit does")[1]
ROWS = re.findall(r"^\| ([^|`]+) \| (`.+`) \|$", TABLE.split("\n## ")[0], re.M)


@pytest.fixture(scope="module")
def names():
    network = dk.load_network("dreamnet")
    photo = dk.sample("coffee", 96)
    score = dk.scorer(network, dk.layer("conv1"))
    return {"dk": dk, "network": network, "photo": photo, "score": score}


def test_the_table_is_found():
    assert len(ROWS) > 35


@pytest.mark.parametrize(("feature", "calls"), ROWS, ids=[feature for feature, _ in ROWS])
def test_each_feature_is_there(feature, calls, names, monkeypatch):
    monkeypatch.setattr("dreamkit.inside.channels_by_depth.Recipe.steps", 1)
    for call in re.findall("`([^`]+)`", calls):
        if not call.startswith(("dk.", "next(", "0", "-1")):
            assert (ROOT / call).exists()
            continue
        made = eval(call, dict(names))
        if isinstance(made, dk.Objective):
            pair = torch.cat([names["photo"], names["photo"].flip(-1)])
            made = dk.gradient(dk.scorer(names["network"], made), pair)
            assert made.any()
        if isinstance(made, torch.Tensor):
            assert made.isfinite().all()

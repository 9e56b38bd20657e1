"""How the threads of a step wait: set before PyTorch is loaded, never over a choice."""

import json
import subprocess
import sys

import pytest

from dreamkit import waiting
from dreamkit.waiting import SETTINGS, SETTINGS_OF_AMD, spin_briefly

NAMES = (*SETTINGS, "OMP_WAIT_POLICY", "DREAMKIT_SPIN")


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)


@pytest.mark.parametrize("amd", [True, False])
def test_threads_spin_briefly(without_torch, monkeypatch, amd):
    monkeypatch.setattr(waiting, "_made_by_amd", lambda: amd)
    environment = {"HOME": "/"}
    spin_briefly(environment)
    assert environment == {"HOME": "/"} | (SETTINGS_OF_AMD if amd else SETTINGS)


@pytest.mark.parametrize(
    ("told", "amd"),
    [
        ("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n", True),
        ("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: AuthenticAMD\n", False),
        ("processor\t: 0\n", False),
        ("", False),
    ],
)
def test_whose_processor_it_is(tmp_path, told, amd):
    path = tmp_path / "cpuinfo"
    path.write_text(told)
    assert waiting._made_by_amd(str(path)) is amd
    assert not waiting._made_by_amd(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    "chosen",
    [
        {"GOMP_SPINCOUNT": "0"},
        {"KMP_BLOCKTIME": "200"},
        {"OMP_WAIT_POLICY": "ACTIVE"},
        {"DREAMKIT_SPIN": "1"},
    ],
)
def test_a_choice_of_the_user_stands(without_torch, chosen):
    environment = dict(chosen)
    spin_briefly(environment)
    assert environment == chosen


def test_nothing_is_set_once_torch_is_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", sys)
    environment = {}
    spin_briefly(environment)
    assert environment == {}


@pytest.mark.slow
@pytest.mark.parametrize("order", ["dreamkit, torch", "torch, dreamkit"])
def test_importing_dreamkit_sets_it_only_before_torch(order, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    code = (
        f"import {order}, os, json; "
        f"print(json.dumps({{n: os.environ[n] for n in {NAMES} if n in os.environ}}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    ours = SETTINGS_OF_AMD if waiting._made_by_amd() else SETTINGS
    assert json.loads(result.stdout) == (ours if order.startswith("dreamkit") else {})

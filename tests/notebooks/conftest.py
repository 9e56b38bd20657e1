"""Shared by the tests of this folder: the builder of lessons."""

import pytest


@pytest.fixture(scope="session")
def build():
    """The module notebooks/build.py. Its imports take seconds, so collecting the tests does not."""
    import build

    return build

"""Which precision a processor is fastest at."""

import pytest
import torch

from dreamkit.networks.precision import fast_precision

ABILITIES = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")


@pytest.mark.parametrize("able", [(), ABILITIES[:1], ABILITIES[1:], ABILITIES])
def test_bfloat16_where_the_processor_has_arithmetic_for_it(able, monkeypatch):
    for name in ABILITIES:
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in able, raising=False)
    assert fast_precision("cpu") == ("bfloat16" if able else "float32")


def test_another_version_of_torch_that_cannot_tell(monkeypatch):
    for name in ABILITIES:
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert fast_precision("cpu") == "float32"


def test_a_device_that_is_no_processor():
    assert fast_precision("mps") == "float32"

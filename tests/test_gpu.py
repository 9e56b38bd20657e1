"""What only a GPU can show: skipped where there is none. `benchmarks/gpu.sh` runs it."""

import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
SETTINGS = dk.Settings(steps=2, octaves=2)


def gradient(device: str, precision: str = "float32") -> torch.Tensor:
    network = dk.load_network(device=device, precision=precision)
    picture = dk.sample("chelsea", 128).to(device)
    return dk.gradient(dk.scorer(network, dk.layer("block5c.expand")), picture).cpu()


def test_the_gradient_is_the_processors():
    assert (
        torch.cosine_similarity(gradient("cpu").flatten(), gradient("cuda").flatten(), dim=0)
        > 0.999
    )


def test_bfloat16_points_the_same_way():
    half = gradient("cuda", "bfloat16")
    assert torch.cosine_similarity(gradient("cpu").flatten(), half.flatten(), dim=0) > 0.9


def test_a_dream_stays_on_its_device():
    network = dk.load_network(device="cuda")
    score = dk.scorer(network, dk.layer("block5c.expand"))
    dreamt = dk.dream(score, dk.sample("china", 96).to("cuda"), SETTINGS)
    assert dreamt.is_cuda and dreamt.isfinite().all() and 0 <= dreamt.min() <= dreamt.max() <= 1


def test_a_saved_dream_is_made_again(tmp_path, capsys):
    made = str(tmp_path / "dream.png")
    assert (
        call(["dream", "china", "--side", "96", "--steps", "2", "--device", "cuda", "-o", made])
        == 0
    )
    assert call(["again", made]) == 0

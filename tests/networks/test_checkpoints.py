"""Networks saved in the usual ways load; else one line says what is in the file."""

import argparse
import os
from collections import OrderedDict

import pytest
import torch
from torch import nn

from dreamkit.networks.weight_files import fill, read_weights


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def prefixed(prefix: str, state: dict) -> dict:
    return {prefix + key: value for key, value in state.items()}


class Wrapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.criterion = net(), nn.Linear(2, 2)


def adam(module: nn.Module) -> dict:
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.rand(1, 3, 4, 4)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


STATE = net().state_dict()
OTHER = {key: torch.zeros_like(value) for key, value in STATE.items()}
USUAL = {
    "plain": STATE,
    "state_dict": {"state_dict": STATE, "epoch": 3},
    "PyTorch's tutorial": {"epoch": 1, "model_state_dict": STATE, "loss": torch.tensor(0.5)},
    "with an optimizer": {"model": STATE, "optimizer": adam(net())},
    "an optimizer of tensors": {"net": STATE, "optim_state": {"momentum": torch.ones(2)}},
    "with flags": {"state_dict": STATE, "args": argparse.Namespace(lr=0.1, name="a")},
    "averaged besides": {"state_dict_ema": OTHER, "state_dict": STATE},
    "averaged only": {"ema": STATE},
    "two deep": {"checkpoint": {"model": {"state_dict": STATE}}},
    "a name of one's own": {"my_weights_v2": OrderedDict(STATE), "best": 0.9},
    "an epoch among the tensors": {**STATE, "epoch": 4, "name": "mine"},
    "DataParallel": nn.DataParallel(net()).state_dict(),
    "DataParallel, nested": {"state_dict": prefixed("module.", STATE)},
    "torch.compile": prefixed("_orig_mod.", STATE),
    "both": prefixed("module._orig_mod.", STATE),
    "FSDP": {k.replace("0.", "0._fsdp_wrapped_module.", 1): v for k, v in STATE.items()},
    "Lightning": {"state_dict": prefixed("model.", STATE), "hyper_parameters": {"lr": 1e-3}},
    "inside another module": {"state_dict": Wrapper().state_dict()},
    "SWA": torch.optim.swa_utils.AveragedModel(net()).state_dict(),
    "a profiler's": {**STATE, "total_ops": torch.zeros(1), "0.total_params": torch.zeros(1)},
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_checkpoints(name, tmp_path):
    torch.save(USUAL[name], tmp_path / "w.pth")
    state, digest = read_weights(tmp_path / "w.pth")
    module = net()
    with torch.no_grad():
        for weights in module.parameters():
            weights.zero_()
    fill(module, state, tmp_path / "w.pth")
    assert all(torch.equal(v, STATE[k]) for k, v in module.state_dict().items())
    assert len(digest) == 64


class Mine(nn.Module):
    pass


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Mine(), r"an object of .*test_checkpoints\.Mine, .*save model\.state_dict\(\)"),
        (net(), r"an object of torch\.nn\.\S+, .*save model\.state_dict\(\)"),
        ({"model": Mine(), "epoch": 1}, r"an object of .*Mine"),
        ({"epoch": 1, "loss": 0.5}, r"holds no state dict .*; it holds 'epoch', 'loss'$"),
        ([torch.zeros(1)], r"holds no state dict .*; it holds list$"),
        ({"teacher": STATE, "student": OTHER}, r"several state dicts \('teacher', 'student'\)"),
        ({"optimizer": {"a": torch.zeros(1)}}, r"no state dict .*; it holds 'optimizer'$"),
        ({}, r"holds no state dict"),
        ({"state_dict": {1: torch.zeros(1)}}, r"no state dict .*; it holds 'state_dict'$"),
    ],
)
def test_what_is_in_the_file_is_said(data, message, tmp_path):
    torch.save(data, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=message) as caught:
        read_weights(tmp_path / "w.pth")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_torchscript_archive(tmp_path):
    torch.jit.save(torch.jit.script(net()), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"TorchScript archive: save model\.state_dict"):
        read_weights(tmp_path / "w.pt")


def test_what_nearly_fits_is_counted(tmp_path):
    state = {**STATE, "3.weight": torch.zeros(5, 4, 1, 1)}
    with pytest.raises(ValueError, match=r"'3.weight' is .*\(7 of its 8 tensors fit; the file"):
        fill(net(), state, tmp_path)
    del state["3.weight"]
    with pytest.raises(ValueError, match=r"lacks '3.weight' \(7 of its 8 tensors fit"):
        fill(net(), state, tmp_path)
    twice = prefixed("a.", STATE) | prefixed("b.", OTHER)
    with pytest.raises(ValueError, match=r"lacks '0.weight' \(0 of its 8"):
        fill(net(), twice, tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch warns of sparse and quantized tensors
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.to("meta"), r"it has no numbers \(it is on the device meta\)$"),
        (lambda v: v.to_sparse(), "it is sparse$"),
        (lambda v: v.flatten(1).to_sparse_csr(), "it is sparse$"),
        (lambda v: torch.quantize_per_tensor(v, 0.1, 0, torch.qint8), "it is quantized$"),
        (lambda v: torch.zeros(1).expand(10**10), r"it repeats a few numbers .* \[10000000000\]$"),
        (lambda v: v[:1].clone().expand(4, -1, -1, -1), "it repeats a few numbers"),
        (lambda v: v.to(torch.complex64), "'0.weight' is torch.complex64, not torch.float32"),
        (lambda v: v > 0, "'0.weight' is torch.bool, not torch.float32"),
        (lambda v: v.long(), "'0.weight' is torch.int64, not torch.float32"),
        (lambda v: v.to(torch.uint8), "'0.weight' is torch.uint8, not torch.float32"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_tensors_that_are_no_weights(change, message, nested, tmp_path):
    state = {**STATE, "0.weight": change(STATE["0.weight"])}
    torch.save({"model": state} if nested else state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=message) as caught:
        fill(net(), read_weights(tmp_path / "w.pth")[0], tmp_path / "w.pth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e5m2])
def test_other_precisions_still_load(kind, tmp_path):
    state = {k: v.to(kind) if v.is_floating_point() else v for k, v in STATE.items()}
    torch.save(state, tmp_path / "w.pth")
    module = net()
    fill(module, read_weights(tmp_path / "w.pth")[0], tmp_path / "w.pth")
    assert torch.equal(module[0].weight, state["0.weight"].float())


def test_a_whole_number_and_a_truth_are_two_kinds(tmp_path):
    module = nn.Module()
    module.register_buffer("index", torch.arange(3))
    with pytest.raises(ValueError, match=r"'index' is torch.bool, not torch.int64"):
        fill(module, {"index": torch.ones(3, dtype=torch.bool)}, tmp_path)
    fill(module, {"index": torch.tensor([2, 1, 0], dtype=torch.int32)}, tmp_path)
    assert module.index.tolist() == [2, 1, 0]


def test_flags_beside_the_weights_are_data(tmp_path):
    """A Namespace whose pickle names a function to be called does not load."""
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(ran),)

    for odd in (argparse.Namespace(a=Evil()), Evil()):
        torch.save({"state_dict": STATE, "args": odd}, tmp_path / "w.pth")
        with pytest.raises(
            ValueError, match=r"an object of (posix|nt)\.mkdir, and reading that could run code"
        ):
            read_weights(tmp_path / "w.pth")
        assert not ran.exists()

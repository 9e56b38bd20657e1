"""Files of torch's default exporter (dynamo), of torchvision's networks, read and compared."""

import warnings

import pytest
import torch

import dreamkit as dk

pytest.importorskip("onnxscript", reason="torch's default exporter needs onnxscript")

NETWORKS = (
    *("resnet18", "squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "densenet121"),
    *("googlenet", "shufflenet_v2_x0_5", "mnasnet0_5", "regnet_y_400mf", "vit_b_32"),
)


def exported(module: torch.nn.Module, path, side: int, opset: int | None = None) -> torch.Tensor:
    """Writes the file with the exporter's defaults; the picture that it was made with."""
    picture = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (picture,), str(path), verbose=False, opset_version=opset)
    return picture


class Small(torch.nn.Module):
    """A classifier whose end the exporter writes as a Reshape with a fixed shape."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.fc = torch.nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)).reshape(1, 4))


@pytest.mark.slow
def test_a_classifier_is_read(tmp_path):
    torch.manual_seed(0)
    module = Small().eval()
    picture = exported(module, tmp_path / "small.onnx", 16)
    read = dk.onnx.load(tmp_path / "small.onnx")
    with torch.no_grad():
        assert torch.allclose(read.module(picture), module(picture), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("opset", range(18, 24))
def test_each_opset_is_read(opset, tmp_path):
    torch.manual_seed(0)
    module = torch.nn.Sequential(Small().conv, torch.nn.BatchNorm2d(4), torch.nn.GELU()).eval()
    picture = exported(module, tmp_path / "small.onnx", 16, opset)
    read = dk.onnx.load(tmp_path / "small.onnx")
    with torch.no_grad():
        assert torch.allclose(read.module(picture), module(picture), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_torchvision_s_networks_are_read(name, tmp_path):
    import torchvision

    more = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torchvision.models.get_model(name, weights=None, **more).eval()
        if name.startswith("vit"):  # its last layer starts at zero
            torch.nn.init.normal_(module.heads.head.weight)
    picture = exported(module, tmp_path / "net.onnx", 224)
    read = dk.onnx.load(tmp_path / "net.onnx")
    with torch.no_grad():
        theirs, ours = module(picture), read.module(picture)
    assert theirs.std() > 0
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-4 * float(theirs.abs().max()))
    assert dk.layer_names(read)

"""Loading networks, their weights files, folding their BatchNorms, wrapping a user's module."""

import shutil

import pytest
import torch
from torch import nn

import dreamkit as dk
from dreamkit.networks import zoo
from dreamkit.networks.dreamnet import DreamNet, fold
from tests.conftest import tiny


def hooked(module, image, mean, std):
    """The features of every layer by plain PyTorch hooks: the oracle."""
    found, handles = {}, []
    for name, layer in module.named_modules():
        if name:
            handles.append(
                layer.register_forward_hook(
                    lambda m, i, o, name=name: found.__setitem__(name, o.clone())
                )
            )
    module((image - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1))
    for handle in handles:
        handle.remove()
    return found


def test_folding_changes_no_layer(picture):
    module = tiny()
    network = dk.as_network(module, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.module.modules())
    for name, expected in hooked(module, picture, network.mean, network.std).items():
        torch.testing.assert_close(
            dk.capture(network, picture, name)[name], expected, rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("name", ["googlenet", "resnet18"])
def test_torchvision_features_agree_with_plain_hooks(name):
    import torchvision

    torch.manual_seed(0)
    options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    module = getattr(torchvision.models, name)(weights=None, **options).eval()
    with torch.no_grad():  # BatchNorms as after training, not as newly made
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.normal_(0, 0.1)
    network = dk.as_network(module, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = hooked(module, image, network.mean, network.std)
    names = dk.layer_names(network)[::7]
    captured = dk.capture(network, image, names)
    for layer in names:
        scale = float(expected[layer].abs().max()) + 1e-6
        assert float((captured[layer] - expected[layer]).abs().max()) / scale < 1e-4, layer


def test_a_convolution_used_twice_is_not_folded(picture):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
            self.norm.running_mean += 0.5
            self.norm.running_var *= 3

        def forward(self, x):
            y = self.conv(x)
            return y + self.norm(y)

    module = Twice().eval()
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    assert isinstance(network.module.norm, nn.BatchNorm2d)
    torch.testing.assert_close(dk.capture(network, picture, [""])[""], module(picture))


def test_a_module_that_cannot_be_folded_runs_as_it_is(picture):
    class Single(nn.Module):
        """Only works in float32, so it cannot be compared in float64."""

        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
            self.norm.running_mean += 0.5
            self.matrix = [torch.ones(4, 4)]

        def forward(self, x):
            y = self.norm(self.conv(x))
            return torch.einsum("nchw,cd->ndhw", y, self.matrix[0])

    module = Single().eval()
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    assert isinstance(network.module.norm, nn.BatchNorm2d) and network.dtype == torch.float32
    torch.testing.assert_close(dk.capture(network, picture, "")[""], module(picture))


@pytest.mark.parametrize(
    "module",
    [
        nn.BatchNorm2d(3, affine=False),
        nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv3d(1, 2, 3, padding=1)),
        nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2).requires_grad_(False)),
    ],
    ids=["no parameters", "cannot be channels-last", "frozen"],
)
def test_what_cannot_be_made_faster_still_works(module, picture):
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    with torch.no_grad():
        expected = module.eval()(picture)
    torch.testing.assert_close(dk.capture(network, picture, "")[""], expected)


def test_weights_of_several_precisions_stay_as_they_are():
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.ReLU())
    module.register_buffer("exact", torch.tensor(1 / 3, dtype=torch.float64))
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    assert torch.equal(network.module.exact, module.exact)


def test_a_folded_dreamnet_is_the_one_in_float64():
    generator = torch.Generator().manual_seed(3)
    trained = DreamNet(5).eval()
    with torch.no_grad():
        for tensor in (*trained.parameters(), *trained.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    folded = fold(trained)
    conv, norm = trained.conv1.conv.weight.double(), trained.conv1.bn
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    assert torch.equal(folded.conv1.conv.weight, (conv * scale[:, None, None, None]).float())
    shift = norm.bias.double() - norm.running_mean.double() * scale
    torch.testing.assert_close(folded.conv1.conv.bias, shift.float(), rtol=1e-6, atol=0)
    assert isinstance(trained.conv1.bn, nn.BatchNorm2d) and not hasattr(folded.conv1, "bn")
    assert set(folded.state_dict()) == set(DreamNet(5, folded=True).state_dict())


def test_networks_know_the_side_of_their_pictures_and_whether_they_are_random(dreamnet):
    plain = dk.as_network(tiny(), (0, 0, 0), (1, 1, 1), "my-random")
    assert (plain.side, plain.random, plain.base_name) == (224, False, "my-random")
    assert (dreamnet.side, dreamnet.random, dreamnet.base_name) == (64, False, "dreamnet")
    for network in (dk.randomized(dreamnet), dk.load_network("dreamnet", weights="random")):
        assert (network.name, network.base_name) == ("dreamnet-random", "dreamnet")
        assert network.random and network.side == 64
    assert dk.load_network("squeezenet1_1", weights="random").side == 224


def test_the_users_module_is_not_changed(picture):
    module = tiny().train()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    network = dk.as_network(module, (0, 0, 0), (1, 1, 1))
    dk.gradient(dk.scorer(network, dk.layer("4")), picture)
    assert module.training and all(p.requires_grad and p.grad is None for p in module.parameters())
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert not network.module.training and not any(
        p.requires_grad for p in network.module.parameters()
    )


@pytest.mark.parametrize("name", ["dreamnet", "dreamnet-robust"])
def test_the_embedded_networks_know_their_labels_and_see_a_photo(name):
    network = dk.load_network(name)
    assert len(network.labels) == len(set(network.labels)) == 200
    assert {"banana", "dumbbell", "king penguin", "golden retriever", "school bus"} <= set(
        network.labels
    )
    labels = [label for label, _ in dk.classify(network, dk.sample("coffee", 96), 5)]
    assert "espresso" in labels, labels


def test_damaged_weights_are_named(tmp_path, monkeypatch):
    shutil.copytree(zoo.FOLDER, tmp_path / "weights", ignore=shutil.ignore_patterns("card*"))
    file = tmp_path / "weights" / "dreamnet.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "weights")
    with pytest.raises(
        ValueError, match=r"^the weights of dreamnet are damaged .*install dreamkit again$"
    ):
        dk.load_network("dreamnet")


def test_weights_of_a_file(tmp_path):
    import torchvision

    torch.manual_seed(1)
    module = torchvision.models.squeezenet1_1(weights=None)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    network = dk.load_network("squeezenet1_1", weights=tmp_path / "w.pth")
    assert torch.equal(network.module.state_dict()["features.0.weight"], module.features[0].weight)
    assert len(network.digest) == 64 and network.labels[954] == "banana"
    with pytest.raises(
        ValueError, match=r"holds the weights of another network: it lacks 'features.0.bias'"
    ):
        dk.load_network("vgg11", weights=_without(module, tmp_path / "less.pth", "features.0.bias"))
    with pytest.raises(ValueError, match=r"another network"):
        dk.load_network("dreamnet", weights=tmp_path / "w.pth")


def _without(module, path, key):
    torch.save(
        {k: v for k, v in module.state_dict().items() if k != key and k.startswith("features.0")},
        path,
    )
    return path


def squeezenet_state():
    import torchvision

    return torchvision.models.squeezenet1_1(weights=None).state_dict()


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda v: v.to_sparse(), "'features.0.weight' is not a plain dense tensor"),
        (lambda v: v[:1, :1, :1, :1].expand(2**12, 2**12, 9, 9), "not a plain dense tensor"),
        (lambda v: v.to("meta"), "not a plain dense tensor"),
        (lambda v: v.to(torch.complex64), r"'features.0.weight' is torch.complex64, not"),
        (lambda v: v > 0, r"'features.0.weight' is torch.bool, not torch.float32"),
        (lambda v: v * torch.nan, "holds NaN or infinite weights"),
    ],
    ids=["sparse", "a huge view", "meta", "complex", "bool", "NaN"],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
def test_weights_are_plain_numbers(tmp_path, change, message):
    state = squeezenet_state()
    state["features.0.weight"] = change(state["features.0.weight"])
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=message):
        dk.load_network("squeezenet1_1", weights=tmp_path / "w.pth")


@pytest.mark.parametrize("key", [3, b"bytes", ("a", "b"), None])
def test_weights_have_names(tmp_path, key):
    torch.save({key: torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"holds no state dict \(names and tensors\)$"):
        dk.load_network("dreamnet", weights=tmp_path / "w.pth")


@pytest.mark.parametrize("weights", [3, b"w.pth", True, {}])
def test_weights_are_a_path(weights):
    with pytest.raises(ValueError, match=r"^weights are the path of a file; given: "):
        dk.load_network("dreamnet", weights=weights)


class _Evil:
    def __reduce__(self):
        return (print, ("unpickled!",))


def test_a_weights_file_cannot_run_code(tmp_path, capsys):
    torch.save({"a": _Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match="is not a readable weights file"):
        dk.load_network("dreamnet", weights=tmp_path / "evil.pth")
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "bad, message",
    [
        (lambda p: p / "none.pth", "no weights at"),
        (lambda p: p, "is a folder"),
    ],
)
def test_weights_that_do_not_exist(tmp_path, bad, message):
    with pytest.raises(ValueError, match=message):
        dk.load_network("dreamnet", weights=bad(tmp_path))


def test_no_weights_and_no_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refused(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refused)
    message = (
        r"the weights of alexnet are not in torch's cache .*no route to host.*"
        r"put alexnet-owt-7be5be79.pth \(from http.*\) into .*checkpoints, "
        r"or give a file with weights=.*dreamnet"
    )
    with pytest.raises(ValueError, match=message):
        dk.load_network("alexnet")


def test_a_file_in_torchs_cache_is_used_and_its_hash_checked(tmp_path, monkeypatch):
    import torchvision

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    file = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), file)
    with pytest.raises(
        ValueError, match=r"is damaged \(its sha256 should begin with b8a52dc0\): delete it"
    ):
        dk.load_network("squeezenet1_1")
    monkeypatch.setattr(zoo, "_hash_of", lambda path: "")
    assert dk.load_network("squeezenet1_1").name == "squeezenet1_1"


def test_messages_of_the_public_edge():
    with pytest.raises(
        KeyError, match=r"unknown network 'dreamnett'; nearest: dreamnet, .*dk.as_network"
    ):
        dk.load_network("dreamnett")
    with pytest.raises(ValueError, match=r"precision must be one of float32, .*given: 'half'"):
        dk.load_network(precision="half")
    with pytest.raises(ValueError, match=r"device 'gpu9' cannot be used here; always there: 'cpu'"):
        dk.load_network(device="gpu9")
    with pytest.raises(ValueError, match=r"made from a torch.nn.Module; given: str"):
        dk.as_network("vgg", (0, 0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match=r"mean and std are three numbers each"):
        dk.as_network(nn.Identity(), (0, 0), (1, 1, 1))


def test_random_weights_are_the_same_for_the_same_seed(dreamnet):
    first, again, other = (
        dk.randomized(dreamnet),
        dk.randomized(dreamnet),
        dk.randomized(dreamnet, seed=1),
    )
    weights = [n.module.inception4c.branch1.conv.weight for n in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], dreamnet.module.inception4c.branch1.conv.weight)


def test_the_environment_can_choose_the_courses_network(monkeypatch):
    assert dk.course_network().name == "efficientnet_lite0"
    monkeypatch.setenv("DREAMKIT_NETWORK", "dreamnet-robust")
    assert dk.course_network("dreamnet").name == "dreamnet-robust"


def test_bfloat16_keeps_the_picture_float32_and_stays_close(picture):
    plain, half = dk.load_network("dreamnet"), dk.load_network("dreamnet", precision="bfloat16")
    image = dk.sample("chelsea", 64)
    a, b = (dk.capture(n, image, "inception4c")["inception4c"] for n in (plain, half))
    assert b.dtype == torch.float32
    assert float((a - b).norm() / a.norm()) < 0.03
    assert dk.load_network(precision="auto").precision in ("float32", "bfloat16")
    assert dk.load_network(precision="float64").dtype == torch.float64


def test_the_networks_that_need_no_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("dreamkit.networks.efficientnet_lite.installed", lambda: ("lite",))
    assert dk.cached_networks() == ("dreamnet", "dreamnet-robust", "lite")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "googlenet-1378be20.pth").write_bytes(b"")
    (tmp_path / "hub" / "checkpoints" / "resnet50-11ad3fa6.pth").write_bytes(
        b""
    )  # the second recipe, which is not taken
    assert dk.cached_networks() == ("dreamnet", "dreamnet-robust", "lite", "googlenet")
    with pytest.raises(
        ValueError, match=r"googlenet-1378be20.pth' is (damaged|not a readable weights file)"
    ):
        dk.load_network("googlenet")


def test_a_network_of_a_broken_download_is_never_used(tmp_path, monkeypatch):
    """The hash is checked first: a pickle that is not torchvision's is not even opened."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    file = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, file)
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(
        ValueError,
        match=r"alexnet-owt-7be5be79.pth' is damaged \(its sha256 should begin with 7be5be79\)",
    ):
        dk.load_network("alexnet")


@pytest.mark.parametrize(
    "mean, std, which",
    [
        ((123.675, 116.28, 103.53), (58.4, 57.1, 57.4), "mean and std"),
        ((127.5,) * 3, (127.5,) * 3, "mean and std"),
        ((104, 117, 123), (1, 1, 1), "mean and std"),  # Caffe's
        ((33.3,) * 3, (78.6,) * 3, "mean and std"),
        ((0, 0, 0), (255, 255, 255), "std"),
        ((0.485, 0.456, 0.406), (58.4, 57.1, 57.4), "std"),
        ((123.675, 116.28, 103.53), (0.229, 0.224, 0.225), "mean"),
    ],
)
def test_numbers_for_values_to_255_are_refused(mean, std, which):
    with pytest.raises(ValueError, match=rf"divide {which} by 255; given: \("):
        dk.as_network(nn.Conv2d(3, 4, 3), mean, std)


@pytest.mark.parametrize(
    "mean, std",
    [
        ((0, 0, 0), (1 / 255,) * 3),  # values of 0 to 255 as they are
        ((104 / 255, 117 / 255, 123 / 255), (1 / 255,) * 3),  # Caffe's
        ((0.5,) * 3, (0.5 / 255,) * 3),
        ((1, 1, 1), (1, 1, 1)),
        ((-1, -1, -1), (2, 2, 2)),
        ((0, 0, 0), (0.001,) * 3),
    ],
)
def test_networks_of_any_range_of_values_stay_valid(mean, std):
    torch.manual_seed(0)
    # in float64: with a std of 0.001 the terms of a sum are large, and may cancel
    module, image = nn.Conv2d(3, 4, 1).double(), torch.rand(1, 3, 4, 4).double()
    network = dk.as_network(module, mean, std)
    exact = lambda values: torch.tensor(values, dtype=torch.float64).view(3, 1, 1)
    by_hand = (image - exact(mean)) / exact(std)
    torch.testing.assert_close(dk.capture(network, image, "")[""], module(by_hand).detach())

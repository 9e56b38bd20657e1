"""Training, evaluation, attack, export: on made-up pictures, against answers worked out by hand."""

from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from dreamkit.ascent.settings import Settings
from dreamkit.inside.evolution import growth as load_growth
from dreamkit.networks.dreamnet import MEAN, STD, DreamNet, fold
from dreamkit.networks.features import capture
from dreamkit.networks.network import Network, as_network
from dreamkit.networks.precision import fast_precision
from dreamkit.training.card import growth_sheet, silent_channels
from dreamkit.training.data import Split, augment, read_split
from dreamkit.training.evaluation import accuracy, attack, standardize
from dreamkit.training.export import WEIGHTS, export, full_name, load_checkpoint
from dreamkit.training.growth import make_growth, read_run, save_growth
from dreamkit.training.portraits import before_relus, class_portraits, portraits, sheet
from dreamkit.training.schedule import TrainingSettings
from dreamkit.training.train import main, new_network
from dreamkit.training.trainer import Training

COLOURS = {"n01": (200, 30, 30), "n02": (30, 200, 30), "n03": (30, 30, 200)}
SHORT = TrainingSettings(
    epochs=2, batch=6, size=16, small_size=16, rate=0.05, seed=3
)  # 2 epochs of 2 steps on 12 pictures


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small for two threads, which on a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def picture(colour: tuple[int, int, int], number: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), tuple(value + number for value in colour)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def zips(tmp_path: Path) -> Path:
    """Four training and two validation pictures a class, as zips; the red differs in each."""
    folder = tmp_path / "zips"
    folder.mkdir()
    for split, count in (("train", 4), ("val", 2)):
        for part, classes in enumerate((["n03"], ["n01", "n02"])):
            with zipfile.ZipFile(folder / f"{split}-{part}.zip", "w") as archive:
                for wnid in classes:
                    for number in range(count):
                        archive.writestr(
                            f"{split}/{wnid}/{number:03}.png", picture(COLOURS[wnid], number)
                        )
    return folder


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """The same pictures in Tiny ImageNet's own layout, the validation pictures out of order."""
    folder = tmp_path / "official"
    for wnid, colour in COLOURS.items():
        (folder / "train" / wnid / "images").mkdir(parents=True)
        for number in range(4):
            (folder / "train" / wnid / "images" / f"{wnid}_{number}.JPEG").write_bytes(
                picture(colour, number, "JPEG")
            )
    (folder / "val" / "images").mkdir(parents=True)
    lines = []
    for at, (wnid, number) in enumerate(
        [("n02", 1), ("n01", 0), ("n03", 0), ("n01", 1), ("n02", 0), ("n03", 1)]
    ):
        (folder / "val" / "images" / f"val_{at}.JPEG").write_bytes(
            picture(COLOURS[wnid], number, "JPEG")
        )
        lines.append(f"val_{at}.JPEG\t{wnid}\t0\t0\t15\t15\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    (folder / "wnids.txt").write_text("n03\nn01\nn02\n")
    return folder


class Brightest(nn.Module):
    """A logit for each of the first channels: its mean. Linear: its robustness has a formula."""

    def __init__(self, classes: int = 3):
        super().__init__()
        self.classes, self.one = classes, nn.Parameter(torch.ones(()))

    def forward(self, x):
        std, mean = (torch.tensor(v).view(1, 3, 1, 1) for v in (STD, MEAN))
        return (x * std + mean).mean((2, 3))[:, : self.classes] * self.one


def tiny(classes: int = 3, seed: int = 0) -> nn.Module:
    """One convolution with BatchNorm, ReLU and dropout: all that training has to handle, fast."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(8, classes),
        )


def test_zips_are_read_in_order_of_class_and_name(zips: Path):
    split = read_split(zips, "train")
    assert split.classes == ("n01", "n02", "n03")
    assert split.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert split.pictures.shape == (12, 3, 16, 16) and split.pictures.dtype == torch.uint8
    assert split.pictures[:, :, 0, 0].tolist() == [
        [v + n for v in c] for c in COLOURS.values() for n in range(4)
    ]


def test_official_folder_gives_the_same_labels_and_nearly_the_same_pictures(
    zips: Path, official: Path
):
    for name in ("train", "val"):
        ours, theirs = read_split(zips, name), read_split(official, name)
        assert ours.classes == theirs.classes
        assert ours.labels.tolist() == theirs.labels.tolist()
    assert torch.allclose(
        read_split(zips, "train").pictures.float(),
        read_split(official, "train").pictures.float(),
        atol=4,
    )  # JPEG


def test_cache_is_used_and_the_same(zips: Path, tmp_path: Path):
    plain, first = read_split(zips, "train"), read_split(zips, "train", tmp_path / "cache")
    assert torch.equal(plain.pictures, first.pictures)
    (cache,) = (tmp_path / "cache").glob("*.npy")
    data = bytearray(cache.read_bytes())
    data[-1] ^= 255  # a mark that only the cached copy has
    cache.write_bytes(data)
    again = read_split(zips, "train", tmp_path / "cache")
    assert (again.pictures != plain.pictures).sum() == 1


def test_augmented_pictures_keep_range_and_what_augmentation_must_keep(zips: Path):
    pictures = torch.randint(
        0, 256, (64, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    made = augment(pictures, 12, torch.Generator().manual_seed(1))
    assert made.shape == (64, 3, 12, 12) and made.min() >= 0 and made.max() <= 1
    assert torch.equal(made, augment(pictures, 12, torch.Generator().manual_seed(1)))
    assert not torch.equal(made, augment(pictures, 12, torch.Generator().manual_seed(2)))
    flat = (
        augment(
            torch.full((500, 3, 8, 8), 128, dtype=torch.uint8), 8, torch.Generator().manual_seed(0)
        )
        - 128 / 255
    )
    assert flat.std((1, 2, 3)).max() < 1e-5  # of a flat picture only the brightness changes,
    assert 0.07 < flat.abs().max() <= 0.08 + 1e-6  # by up to 0.08
    ramp = torch.arange(16, dtype=torch.uint8).mul(8).expand(400, 3, 16, 16)
    rising = augment(ramp, 16, torch.Generator().manual_seed(0)).diff(dim=3).mean((1, 2, 3)) > 0
    assert 150 < rising.sum() < 250  # half of them are mirrored


def test_training_learns_the_colours_and_keeps_a_log(zips: Path, tmp_path: Path):
    train, val = read_split(zips, "train"), read_split(zips, "val")
    settings = TrainingSettings(
        epochs=10,
        batch=6,
        size=16,
        small_size=16,
        small_epochs=0,
        rate=0.2,
        smoothing=0,
        average=0.5,
    )
    training = Training(settings, tiny(), train, val, tmp_path / "run")
    last = load_file(training.run())
    assert accuracy(training.averaged, val) == 1
    assert all(
        torch.equal(last[key], value) for key, value in training.averaged.state_dict().items()
    )
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 11))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["val_accuracy"]) == 1


def test_a_stopped_run_goes_on_as_if_it_had_not_been(zips: Path, tmp_path: Path):
    train, val = read_split(zips, "train"), read_split(zips, "val")
    whole = load_file(Training(SHORT, tiny(), train, val, tmp_path / "whole").run())
    Training(SHORT, tiny(), train, val, tmp_path / "parts").run(
        stop_at=1
    )  # in the middle of epoch 1
    Training(SHORT, tiny(), train, val, tmp_path / "parts").run(stop_at=3)
    parts = load_file(Training(SHORT, tiny(), train, val, tmp_path / "parts").run())
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    logs = [
        [row[:6] for row in csv.reader((tmp_path / run / "log.csv").read_text().splitlines())]
        for run in ("whole", "parts")
    ]
    assert logs[0] == logs[1] and len(logs[0]) == 3
    other = load_file(
        Training(
            TrainingSettings(**{**vars(SHORT), "seed": 4}), tiny(), train, val, tmp_path / "other"
        ).run()
    )
    assert not torch.equal(whole["6.weight"], other["6.weight"])


def test_the_average_follows_the_weights(zips: Path, tmp_path: Path):
    settings = TrainingSettings(**{**vars(SHORT), "average": 0.5})
    training = Training(
        settings, tiny(), read_split(zips, "train"), read_split(zips, "val"), tmp_path / "run"
    )
    first = copy.deepcopy(training.network.state_dict())
    training.run(stop_at=1)  # the first step's share is 9 / 10, whatever the decay
    for key, value in training.averaged.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(
                value, 0.1 * first[key] + 0.9 * training.network.state_dict()[key], atol=1e-6
            )
    assert not torch.equal(first["6.weight"], training.network.state_dict()["6.weight"])


def test_a_run_does_not_go_on_with_other_settings(zips: Path, tmp_path: Path):
    train, val = read_split(zips, "train"), read_split(zips, "val")
    Training(SHORT, tiny(), train, val, tmp_path / "run").run(stop_at=1)
    with pytest.raises(ValueError, match=r"rate 0\.05, given 0\.1"):
        Training(
            TrainingSettings(**{**vars(SHORT), "rate": 0.1}), tiny(), train, val, tmp_path / "run"
        )


def test_a_state_of_an_older_version_goes_on(zips: Path, tmp_path: Path):
    """`state.pt` calls the settings "recipe", and lacks fields that came later."""
    train, val = read_split(zips, "train"), read_split(zips, "val")
    Training(SHORT, tiny(), train, val, tmp_path / "run").run(stop_at=1)
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    parts = {"network", "averaged", "optimizer", "step", "elapsed", "loss", "right"}
    assert set(state) == {"recipe", *parts} and set(state["averaged"]) == set(tiny().state_dict())
    del state["recipe"]["smallest_crop"]
    torch.save(state, tmp_path / "run" / "state.pt")
    assert Training(SHORT, tiny(), train, val, tmp_path / "run").step == 1


def test_robust_training_runs_and_leaves_the_network_trainable(zips: Path, tmp_path: Path):
    settings = TrainingSettings(**{**vars(SHORT), "robust": 0.5, "attack_steps": 2})
    training = Training(
        settings, tiny(), read_split(zips, "train"), read_split(zips, "val"), tmp_path / "run"
    )
    before = training.network[6].weight.detach().clone()
    training.run(stop_at=2)
    assert not torch.equal(before, training.network[6].weight)
    assert training.network.training and all(p.requires_grad for p in training.network.parameters())


def test_precision_is_chosen_by_the_machine_and_told_by_the_settings(zips: Path, tmp_path: Path):
    train, val = read_split(zips, "train"), read_split(zips, "val")
    ends = {}
    for precision in ("float32", "bfloat16"):
        settings = TrainingSettings(**{**vars(SHORT), "precision": precision})
        ends[precision] = load_file(
            Training(settings, tiny(), train, val, tmp_path / precision).run()
        )["6.weight"]
    assert not torch.equal(ends["float32"], ends["bfloat16"])
    assert (ends["float32"] - ends["bfloat16"]).abs().max() < 0.02
    assert Training(SHORT, tiny(), train, val, tmp_path / "auto").precision == fast_precision("cpu")
    with pytest.raises(ValueError, match="float32, bfloat16, auto; given: 'half'"):
        TrainingSettings(precision="half")


def test_the_rate_is_one_cycle():
    settings = TrainingSettings(rate=0.5, warmup=0.25)
    rates = [settings.rate_at(step / 100) for step in range(101)]
    assert max(rates) == rates[25] == pytest.approx(0.5)
    assert rates[:26] == sorted(rates[:26]) and rates[25:] == sorted(rates[25:], reverse=True)
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert rates[0] == pytest.approx(0.02)


def test_accuracy_of_a_network_whose_answers_are_known():
    colours = torch.tensor([[200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 0, 0]], dtype=torch.uint8)
    split = Split(
        colours[:, :, None, None].expand(4, 3, 8, 8), torch.tensor([0, 1, 2, 1]), ("a", "b", "c")
    )
    assert accuracy(Brightest(), split, batch=3) == 0.75


def test_attack_breaks_a_linear_network_exactly_beyond_its_margin():
    # Red and green differ by 0.2; the gradient of their difference has length sqrt(2 / 64)
    # on 8×8 pixels, so the nearest picture of the other class is 0.2 / sqrt(2 / 64) = 1.131 away.
    picture = torch.tensor([153, 102, 0], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 8, 8)
    split = Split(picture, torch.tensor([0]), ("a", "b"))
    assert accuracy(Brightest(2), split, radius=1.12) == 1
    assert accuracy(Brightest(2), split, radius=1.14) == 0


@pytest.mark.parametrize("steps", [1, 3])
def test_attack_stays_in_the_ball_and_in_range_and_raises_the_loss(steps: int):
    generator = torch.Generator().manual_seed(0)
    pictures, labels = (
        torch.rand(5, 3, 16, 16, generator=generator).round(decimals=1),
        torch.arange(5),
    )  # some at 0 and 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DreamNet(5, folded=True).eval().requires_grad_(False)
    loss = lambda x: F.cross_entropy(network(standardize(x)), labels, reduction="none")
    for start in (None, generator):
        moved = attack(network, pictures, labels, 0.7, steps, start)
        assert (moved - pictures).flatten(1).norm(dim=1).max() <= 0.7 + 1e-5
        assert moved.min() >= 0 and moved.max() <= 1
        assert (loss(moved) > loss(pictures)).all()
        assert not moved.requires_grad


def test_folding_and_export_keep_the_answers(tmp_path: Path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DreamNet(7)
        network.train()(torch.randn(16, 3, 16, 16) * 2 + 1)  # gives BatchNorm numbers of its own
        pictures = torch.randn(4, 3, 16, 16)
    save_file(network.eval().state_dict(), tmp_path / "trained.safetensors")
    path = export(tmp_path / "trained.safetensors", "made", tmp_path / "weights")
    with torch.no_grad():
        expected = network(pictures)
        assert torch.allclose(fold(network)(pictures), expected, atol=1e-5)
        assert torch.allclose(load_checkpoint(path)(pictures), expected, atol=1e-2)
    shipped = load_file(path)
    assert {key: value.shape for key, value in shipped.items()} == {
        k: v.shape for k, v in DreamNet(7, folded=True).state_dict().items()
    }
    assert {value.dtype for value in shipped.values()} == {torch.float16}
    entry = json.loads((tmp_path / "weights" / "manifest.json").read_text())["made"]
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and entry[
        "mean"
    ] == list(MEAN)


def test_pilot_keys_get_googlenets_names():
    assert full_name("i3a.b2.0.1.running_mean") == "inception3a.branch2.0.bn.running_mean"
    assert full_name("i5b.b4.1.0.weight") == "inception5b.branch4.1.conv.weight"
    assert full_name("i4c.b1.1.bias") == "inception4c.branch1.bn.bias"
    assert full_name("conv1.0.weight") == "conv1.conv.weight"
    assert full_name("conv2.1.0.weight") == "conv2.1.conv.weight"
    assert set(map(full_name, DreamNet().state_dict())) == set(DreamNet().state_dict())


def test_shipped_files_fit_their_manifest_and_labels():
    for name, entry in json.loads((WEIGHTS / "manifest.json").read_text()).items():
        path = WEIGHTS / entry["file"]
        assert path.stat().st_size < 8e6
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"], name
        assert load_checkpoint(path).fc.out_features == 200
    labels = (WEIGHTS / "labels.txt").read_text().split("\n")[:-1]
    assert len(set(labels)) == 200 and labels[26] == "golden retriever" and labels[188] == "banana"


@pytest.mark.slow
def test_evaluation_on_the_command_line(
    zips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    network = DreamNet(3, folded=True)
    nn.init.zeros_(network.fc.weight)
    with torch.no_grad():
        network.fc.bias.copy_(
            torch.tensor([0.0, 1.0, 0.0])
        )  # says n02 to everything: right for a third
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    main(
        [
            str(zips),
            "--evaluate",
            str(tmp_path / "net.safetensors"),
            "--attack",
            "3",
            "--device",
            "cpu",
        ]
    )
    out = capsys.readouterr().out
    assert "top-1 33.33% of 6 validation pictures" in out and "PGD, L2 radius 0.5" in out


@pytest.mark.slow
def test_training_on_the_command_line(
    zips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    main(
        [
            str(zips),
            "--run",
            str(tmp_path / "run"),
            "--epochs",
            "1",
            "--batch",
            "6",
            "--size",
            "16",
            "--small-epochs",
            "0",
            "--cache",
            str(tmp_path / "cache"),
            "--device",
            "cpu",
        ]
    )
    assert "epoch-01.safetensors: top-1" in capsys.readouterr().out


def bad_folders(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "val.zip").write_bytes(b"PK\x03\x04 cut off")
    (tmp_path / "noise" / "val" / "n01").mkdir(parents=True)
    (tmp_path / "noise" / "val" / "n01" / "a.png").write_bytes(b"no picture")
    return {
        "no folder": tmp_path / "nowhere",
        "no val pictures": tmp_path / "empty",
        "not a complete zip file": tmp_path / "torn",
        "cannot be read": tmp_path / "noise",
    }


def test_bad_data_folders_get_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for says, folder in bad_folders(tmp_path).items():
        with pytest.raises(SystemExit) as caught:
            main([str(folder), "--evaluate", "dreamnet"])
        error = capsys.readouterr().err.strip().split("\r")[-1]
        assert caught.value.code == 2 and says in error and "\n" not in error


def test_an_unknown_network_names_the_shipped_ones(zips: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main([str(zips), "--evaluate", "dreamnot"])
    assert (
        caught.value.code == 2 and "shipped: dreamnet, dreamnet-robust" in capsys.readouterr().err
    )


def test_checkpoints_that_cannot_be_trained_on_the_data(tmp_path: Path):
    save_file(DreamNet(5).state_dict(), tmp_path / "five.safetensors")
    save_file(DreamNet(3, folded=True).state_dict(), tmp_path / "folded.safetensors")
    with pytest.raises(ValueError, match="has 5 classes, the data have 3"):
        new_network(3, 0, tmp_path / "five.safetensors")
    with pytest.raises(ValueError, match="folded"):
        new_network(3, 0, tmp_path / "folded.safetensors")
    assert new_network(5, 0, tmp_path / "five.safetensors").fc.out_features == 5
    assert torch.equal(new_network(5, 1).fc.weight, new_network(5, 1).fc.weight)


@pytest.fixture
def untrained() -> DreamNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DreamNet(3, folded=True).eval().requires_grad_(False)


@pytest.fixture
def network(untrained: DreamNet) -> Network:
    return as_network(untrained, MEAN, STD)


def test_unrectified_features_are_the_blocks_before_its_relus(network: Network):
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for block in ("conv1", "conv2", "inception4b"):
        before = capture(before_relus(network, block), pictures, block)[block]
        assert before.min() < 0
        assert torch.equal(before.relu(), capture(network, pictures, block)[block])
    with pytest.raises(KeyError, match=r"unknown layer 'inception9z'.* inception"):
        portraits(network, "inception9z", [0])


@pytest.mark.slow
def test_portraits_excite_each_its_own_channel(network: Network):
    block, quick = "inception3a", Settings(4, 0.04, octaves=3, jitter=4, smoothing=0.7)
    made = portraits(network, block, [3, 60, 100], side=24, settings=quick)
    assert made.shape == (3, 3, 24, 24) and made.min() >= 0 and made.max() <= 1
    excited = capture(before_relus(network, block), made, block)[block].mean((2, 3))[
        :, [3, 60, 100]
    ]
    assert excited.argmax(0).tolist() == [0, 1, 2]
    classes = class_portraits(network, [2, 0], side=24, settings=quick)
    assert capture(network, classes, "")[""].argmax(0)[[2, 0]].tolist() == [0, 1]
    assert torch.equal(made, portraits(network, block, [3, 60, 100], side=24, settings=quick))
    alone = portraits(network, block, [60], side=24, settings=quick)
    assert torch.allclose(alone, made[1:2], atol=1e-3)


def test_sheets_lay_pictures_row_by_row():
    pictures = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 3, 2, 2) / 4
    page = sheet(pictures, columns=2, gap=1, scale=2)
    assert page.shape == (1, 3, 9, 9)
    assert page[0, 0, ::4, ::4].tolist() == [[0, 1, 0.25], [1, 1, 1], [0.5, 1, 1]]


def test_silent_channels_are_counted_over_all_batches(untrained: DreamNet):
    generator = torch.Generator().manual_seed(0)
    network, pictures = (
        copy.deepcopy(untrained),
        torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=generator),
    )
    pictures[4:] = 128  # the last batch excites fewer channels than the first
    split = Split(pictures, torch.zeros(6, dtype=torch.long), ("a",))
    already = silent_channels(network, split)["inception4a.branch1"]
    seen = capture(as_network(network, MEAN, STD), pictures.float() / 255, "inception4a")
    spoken = seen["inception4a"][:, :112].amax((0, 2, 3)) > 0
    assert already == int((~spoken).sum())
    assert silent_channels(network, split, batch=4)["inception4a.branch1"] == already
    assert (
        silent_channels(network, Split(pictures[4:], split.labels[4:], ("a",)))[
            "inception4a.branch1"
        ]
        > already
    )
    network.inception4a.branch1.conv.bias.data[spoken.nonzero()[:2, 0]] = -1e3
    assert silent_channels(network, split, batch=4)["inception4a.branch1"] == already + 2
    assert not network.inception4a.branch1._forward_hooks


@pytest.mark.slow
def test_growth_comes_back_as_it_was_saved(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    networks = [DreamNet(3) for _ in range(2)]
    for number, network in zip((0, 4), networks, strict=True):
        save_file(network.state_dict(), run / f"epoch-{number:02d}.safetensors")
    (run / "log.csv").write_text("epoch,val_accuracy\n1,0.1\n4,0.25\n")
    made = make_growth(*read_run(run, (0, 4), 0.25), 32, {"inception3a": (0, 5)}, picture=16)
    save_growth(made, tmp_path / "growth.safetensors")
    back = load_growth(tmp_path / "growth.safetensors")
    assert (
        back.epochs == (0, 1)
        and back.accuracy == (0.005, 0.25)
        and back.side == 32
        and back.channels == {"inception3a": (0, 5)}
    )
    assert torch.allclose(back.filters[1], networks[1].conv1.conv.weight, atol=1e-3)
    assert back.dreams["inception3a"].shape == (2, 2, 3, 16, 16)
    assert torch.allclose(
        back.dreams["inception3a"], made.dreams["inception3a"], atol=0.5 / 255 + 1e-6
    )
    page, dreams = (
        growth_sheet(back),
        back.dreams["inception3a"],
    )  # snapshots side by side, channels below one another
    assert page.shape == (1, 3, 34, 34)
    assert torch.equal(page[0, :, :16, 18:], dreams[1, 0]) and torch.equal(
        page[0, :, 18:, :16], dreams[0, 1]
    )
    with pytest.raises(ValueError, match="no epoch 3; logged: 1, 4"):
        read_run(run, (0, 3), 1)


def test_shipped_growth_is_small_and_grows():
    growth = load_growth()
    assert (WEIGHTS / "growth.safetensors").stat().st_size < 1e6
    assert list(growth.epochs) == sorted(growth.epochs) and list(growth.accuracy) == sorted(
        growth.accuracy
    )
    assert len(growth.filters) == len(growth.epochs) == len(growth.accuracy) >= 5
    roughness = growth.filters.diff(dim=-1).square().mean((2, 3, 4)) / growth.filters.square().mean(
        (2, 3, 4)
    )
    before, after = roughness[[0, -1]].median(1).values.tolist()
    assert before == pytest.approx(2, abs=0.15) and after < 1  # white noise, then edges and colours
    assert all(
        pictures.shape[:3] == (len(growth.epochs), 4, 3) for pictures in growth.dreams.values()
    )

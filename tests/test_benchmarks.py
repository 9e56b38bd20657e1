"""The benchmarks' own arithmetic: sheets with names, a judge's first five, dreams side by side."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFont

import dreamkit as dk

pytest.importorskip("benchmarks", reason="the benchmarks' folder is not beside the tests")
from benchmarks import beside, classes, drawn, judged, nine, sheets

turns = pytest.importorskip("benchmarks.turns", reason="psutil is not installed")
from benchmarks import chart, flame, gpu  # noqa: E402


class Colours(torch.nn.Module):
    """Seven classes: how red, green and blue a picture is; the others are constant."""

    def forward(self, x):
        return torch.cat(
            [100 * x.mean((2, 3)), 100 * torch.tensor([[0.1, 0.2, 0.3, 0.4]]).expand(len(x), 4)], 1
        )


def colours(name: str) -> dk.Network:
    return dk.as_network(
        Colours(), (0, 0, 0), (1, 1, 1), name, labels=("red", "green", "blue", "a", "b", "c", "d")
    )


def plain(red: float, green: float, blue: float) -> dk.Image:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, 32, 32).contiguous()


def test_a_judge_names_what_is_among_its_first_five():
    judge = colours("judge")
    assert classes.named(judge, plain(0.9, 0.0, 0.0), "red")
    assert not classes.named(judge, plain(0.9, 0.05, 0.0), "blue")
    assert classes.named(judge, plain(0.9, 0.15, 0.0), "green") and not classes.named(
        judge, plain(0.9, 0.15, 0.0), "blue"
    )


def test_pictures_are_kept_and_taken_again(tmp_path, monkeypatch):
    maker, made = colours("maker"), []
    monkeypatch.setattr(
        classes,
        "class_picture",
        lambda network, label, *rest, side: made.append(label) or plain(0.9, 0.333, 0.0),
    )
    first = list(classes.measure(maker, maker, ["red", "blue"], folder=tmp_path))
    again = list(classes.measure(maker, maker, ["red", "blue"], folder=tmp_path))
    assert made == ["red", "blue"] and [hit for *_, hit in first] == [hit for *_, hit in again] == [
        True,
        False,
    ]
    assert all(torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))


def test_a_sheet_holds_every_picture_and_marks_the_missed(tmp_path):
    page = sheets.labelled(
        {"red": plain(1, 0, 0), "green": plain(0, 1, 0), "blue": plain(0, 0, 1)},
        2,
        frozenset({"green"}),
    )
    pixels = np.array(page)
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)):
        assert (pixels == colour).all(-1).sum() >= 32 * 32
    below = lambda left: pixels[sheets.GAP + 32 : sheets.GAP + 48, left : left + 32].astype(int)
    assert (below(sheets.GAP) < 128).all(-1).any() and not (below(2 * sheets.GAP + 32) < 128).all(
        -1
    ).any()  # black; red
    assert (below(2 * sheets.GAP + 32)[..., 0] - below(2 * sheets.GAP + 32)[..., 1]).max() > 80
    sheets.save(page, tmp_path / "page.webp")
    with Image.open(tmp_path / "page.webp") as saved:
        assert saved.size == page.size
    with pytest.raises(ValueError, match="does not fit into 50 bytes"):
        sheets.save(page, tmp_path / "small.webp", most=50)
    with pytest.raises(ValueError, match="at least one picture"):
        sheets.labelled({}, 2)


def test_names_are_wrapped_at_words():
    font = ImageFont.load_default(sheets.SIZE)
    assert sheets.wrapped("European fire salamander", 60, font) == [
        "European",
        "fire",
        "salamander",
    ]
    assert sheets.wrapped("European fire", 600, font) == ["European fire"]
    assert sheets.wrapped("salamander", 5, font) == ["salamander"]


def test_dreams_stand_photo_by_photo_and_network_by_network():
    stack = torch.nn.Sequential(
        *(
            layer
            for _ in range(8)
            for layer in (torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.ReLU())
        )
    )
    for weights in stack.parameters():
        torch.nn.init.constant_(weights, 0.03)  # positive: no layer is silent
    networks = [dk.as_network(stack, (0, 0, 0), (1, 1, 1), name) for name in ("one", "two")]
    photos = {"noise": dk.noise(16, 16), "grey": dk.noise(16, 16, contrast=0.1)}
    made = list(beside.dreams(networks, photos, dk.Settings(steps=1, octaves=1), depths=(0.0, 1.0)))
    layers = [dk.layer_at(networks[0], depth) for depth in (0.0, 1.0)]
    assert [text for text, _ in made[:3]] == [
        "noise, one",
        *(f"noise, one {layer}" for layer in layers),
    ]
    assert len(made) == 2 * 2 * 3 and made[3][0] == "noise, two" and made[6][0] == "grey, one"
    assert torch.equal(made[0][1], photos["noise"]) and not torch.equal(made[0][1], made[1][1])
    assert torch.equal(made[1][1], made[4][1])  # the same network, twice


def test_onnxruntime_is_measured_at_each_layer_and_agrees(tiny_network):
    onnx = pytest.importorskip("benchmarks.onnx")
    names = list(dk.layer_names(tiny_network))[:2]
    rows = list(onnx.measure(tiny_network, names, dk.noise(32, 40), repeats=2, threads=1))
    assert [row[0] for row in rows] == names
    assert all(torchs > 0 and onnxs > 0 and 0 <= off < 1e-4 for _, torchs, onnxs, off in rows)


def test_the_place_of_a_class_among_a_judges():
    judge = colours("judge")
    pictures = torch.cat([plain(0.9, 0.333, 0.0), plain(0.25, 0.0, 0.9)])
    assert judged.places(judge, pictures, [0, 0]) == [0, 3]  # blue, 0.4 and 0.3 come before 0.25
    assert judged.places(judge, pictures, [1, 1], views=3) == [2, 6]


def test_pictures_grow_in_batches_and_are_kept(tmp_path, monkeypatch):
    maker, made = colours("maker"), []

    def grown(network, labels):
        made.append(list(labels))
        return torch.stack([plain(label / 10, 0.333, 0.0)[0] for label in labels])

    monkeypatch.setattr(judged, "class_picture", grown)
    first = list(judged.drawn(maker, [0, 3, 6], tmp_path, batch=2))
    again = list(judged.drawn(maker, [0, 3, 6], tmp_path, batch=2))
    assert made == [[0, 3], [6]] and [index for index, _ in first] == [0, 3, 6]
    for (_, picture), (_, kept) in zip(first, again, strict=True):
        torch.testing.assert_close(picture, kept, atol=1e-6, rtol=0)


def test_random_channels_have_weights():
    network = dk.load_network("efficientnet_lite0")
    chosen = drawn.random_channels(network, "block1a.depthwise", 28)
    assert sorted(chosen) == [i for i in range(32) if i not in (11, 16, 28, 31)]
    assert chosen[:8] == drawn.random_channels(network, "block1a.depthwise")


def test_a_spread_is_that_of_the_quartiles_and_a_wide_one_allows_no_ratio():
    calm, wild = turns.Times([1.0, 1.1, 0.9, 1.0, 5.0]), turns.Times([1.0, 2.0, 3.0, 4.0, 5.0])
    assert calm.median == 1.0 and calm.spread == pytest.approx(0.1)
    assert wild.spread == pytest.approx(2 / 3) and turns.ratio(calm, wild) is None
    assert turns.told(None) == "none: spread over a third"
    assert turns.ratio(turns.Times([2.0, 2.0]), calm) == 2.0 and turns.told(2.0) == "2.00"
    assert turns.Times([1.0]).spread == 0.0


def test_competitors_take_turns_and_cold_steps_do_not_count():
    called, cold = [], {"ours": iter([9.0, 1.0]), "slow": iter([9.0, 3.0])}

    def competitor(name: str, warm: float):
        def take() -> float:
            called.append(name)
            return next(cold[name], warm)

        return take

    found = turns.turns({"ours": competitor("ours", 0.5), "slow": competitor("slow", 2.5)}, 5, 0)
    assert found["ours"].seconds == [0.5] * 5 and found["slow"].seconds == [2.5] * turns.FEW
    assert called[:8] == ["ours"] * 2 + ["slow"] * 2 + ["ours"] * 2 + ["slow", "ours"]


@pytest.mark.slow
def test_steps_are_timed_on_a_device_and_drawn(tmp_path):
    job = ("dreamnet", "conv1", (24, 32))
    found = gpu.measure(job, torch.device("cpu"), repeats=2)
    assert set(found) == {"dreamkit", "dreamkit bfloat16", "tutorial loop"}
    assert all(len(times.seconds) == 2 for times in found.values())
    beside = {job: {"dreamkit": (turns.Times([0.1]), turns.Times([0.2]))}}
    chart.draw({job: found}, beside, "a title", tmp_path / "chart.webp")
    with Image.open(tmp_path / "chart.webp") as drawn_chart:
        assert drawn_chart.width > 1000


def test_a_flame_chart_has_the_parts_the_blocks_and_the_operations(tmp_path):
    torch.manual_seed(0)
    stack = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2))
    network = dk.as_network(stack, (0, 0, 0), (1, 1, 1), "stack")
    made, length = flame.bars(network, "2", dk.noise(24, 24))
    texts = {
        row: [text for *_, number, _, text in sorted(made) if number == row] for row in range(3)
    }
    assert texts[0] == ["forward", "backward", "normalise, ascend"]
    assert texts[1] == ["0", "1", "2", "2", "1", "0"]
    kinds = {kind for *_, number, kind, _ in made if number == 2}
    assert {"convolution", "ReLU", "pooling"} <= kinds
    assert sum(wide for _, wide, row, *_ in made if row == 2) <= 1.05 * length
    flame.draw({"stack": (made, length)}, "a title", tmp_path / "flame.webp")
    assert (tmp_path / "flame.webp").stat().st_size > 1000


def test_neighbours_of_one_name_become_one_bar():
    bars = [(0.0, 1.0, 1, "other", "a"), (1.1, 1.0, 1, "other", "a"), (5.0, 1.0, 1, "other", "a")]
    assert flame.merged(bars) == [(0.0, 2.1, 1, "other", "a"), (5.0, 1.0, 1, "other", "a")]


def test_the_nine_figures_lie_in_titled_rows():
    """A row is as wide as the page, unless its pictures would be too high."""
    wide, high = torch.zeros(1, 3, 10, 40), torch.ones(1, 3, 40, 20)
    page = nine.sheet({"four wide ones": [wide] * 4, "a high one": [high]})
    first = round((nine.WIDTH - 5 * nine.GAP) / 16)
    assert page.size == (nine.WIDTH, first + nine.MOST + 2 * (nine.HEAD + nine.GAP))
    assert page.getpixel((nine.GAP + 2, nine.HEAD + 2)) == (0, 0, 0)
    assert page.getpixel((nine.WIDTH - nine.GAP - 3, nine.HEAD + 2)) == (0, 0, 0)
    assert page.getpixel((2, nine.HEAD + 2)) == (255, 255, 255)
    assert min(page.crop((0, 0, 200, nine.HEAD)).tobytes()) < 100  # the title

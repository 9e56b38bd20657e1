"""Top patches against a search by plain loops."""

import pytest
import torch
from torch import nn

from dreamkit import as_network, load_network, save_image, smooth, top_patches
from dreamkit.inside.peaks import PER_PHOTO

MEAN, STD = (0.4, 0.5, 0.6), (0.25, 0.25, 0.25)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return as_network(
        nn.Sequential(nn.Conv2d(3, 4, 5, stride=2, padding=2), nn.ReLU()), MEAN, STD, "tiny"
    )


@pytest.fixture
def photos():
    generator = torch.Generator().manual_seed(1)
    rough = [
        torch.rand(1, 3, height, width, generator=generator)
        for height, width in ((20, 26), (20, 26), (17, 31), (24, 15))
    ]
    return rough[:2] + [
        (0.5 + 4 * (smooth(photo, 2.0) - 0.5)).clamp(0, 1) for photo in rough[2:]
    ]  # neighbours nearly as strong


def standardized(image):
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (image - mean) / std


def by_loops(network, photos, channel, count, per_photo):
    """(value, photo, row, column) of the best patches; kernel 5, stride 2, padding 2."""
    conv = network.module[0]
    cells = []
    for number, photo in enumerate(photos):
        padded = nn.functional.pad(standardized(photo), (2, 2, 2, 2))
        for row in range((photo.shape[2] + 1) // 2):
            for column in range((photo.shape[3] + 1) // 2):
                seen = padded[0, :, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
                value = float((conv.weight[channel] * seen).sum() + conv.bias[channel])
                cells.append((value, number, 2 * row, 2 * column))
    chosen = []
    for value, number, y, x in sorted(cells, reverse=True):
        others = [c for c in chosen if c[1] == number]
        near = any(abs(y - oy) < 2.5 and abs(x - ox) < 2.5 for _, _, oy, ox in others)
        if value > 0 and not near and len(others) < per_photo and len(chosen) < count:
            chosen.append((value, number, y, x))
    return chosen


@pytest.mark.parametrize("channel", range(4))
def test_the_patches_are_those_that_a_search_by_loops_finds(network, photos, channel):
    expected = by_loops(network, photos, channel, 6, PER_PHOTO)
    found = top_patches(network, "1", channel, photos, count=6)
    assert len(found) == len(expected) == 6
    for patch, (value, number, y, x) in zip(found, expected, strict=True):
        assert patch.value == pytest.approx(value, abs=1e-4)
        assert patch.source == f"picture {number}"
        height, width = photos[number].shape[-2:]
        assert patch.size == (height, width)
        assert patch.box == (max(0, y - 2), min(height, y + 3), max(0, x - 2), min(width, x + 3))
        top, bottom, left, right = patch.box
        assert torch.equal(patch.crop, photos[number][..., top:bottom, left:right])


def test_the_neighbours_of_a_broad_peak_do_not_hide_the_second_peak():
    conv = nn.Conv2d(3, 1, 5, padding=2)
    nn.init.constant_(conv.weight, 1.0)
    nn.init.zeros_(conv.bias)
    picture = torch.zeros(1, 3, 30, 40)
    picture[..., 7:12, 7:12] = 1
    picture[..., 20:24, 30:34] = 0.75
    found = top_patches(
        as_network(nn.Sequential(conv, nn.ReLU()), (0,) * 3, (1,) * 3), "1", 0, [picture]
    )
    assert len(found) == 2
    assert [round(patch.value, 3) for patch in found] == [75, 36]  # 3 * 25, and 3 * 16 * 0.75
    assert found[0].box == (7, 12, 7, 12)


def test_a_patch_well_inside_its_picture_excites_the_channel_by_itself_as_much(network, photos):
    whole = [
        patch for patch in top_patches(network, "1", 2, photos) if patch.crop.shape[-2:] == (5, 5)
    ]
    assert whole
    for patch in whole:
        alone = (network.module[0].weight[2] * standardized(patch.crop)[0]).sum() + network.module[
            0
        ].bias[2]
        assert patch.value == pytest.approx(float(alone), abs=1e-4)


def test_all_channels_of_a_layer_cost_one_pass_and_pictures_of_one_size_go_together(
    network, photos
):
    passes = []
    top_patches(network, "1", 0, [torch.rand(1, 3, 9, 9)])  # lets the layer table be made
    handle = network.module[0].register_forward_hook(
        lambda module, inputs, output: passes.append(len(inputs[0]))
    )
    for channel in range(4):
        top_patches(network, "1", channel, photos)
    handle.remove()
    assert passes == [2, 1, 1]


def test_a_picture_changed_in_place_is_looked_at_again(network, photos):
    before = top_patches(network, "1", 0, photos)
    for photo in photos:
        photo.mul_(0.5)
    after = top_patches(network, "1", 0, photos)
    assert [p.value for p in before] != [p.value for p in after]
    after[0].crop.zero_()  # the crop is a copy: the photo stays
    assert all(photo.min() > 0 for photo in photos[:1])


def test_a_folder_is_looked_at_in_several_sizes_and_a_photo_gives_two_patches_at_most(
    network, tmp_path
):
    for name in ("a", "b"):
        save_image(torch.rand(1, 3, 40, 30), tmp_path / f"{name}.png")
    (tmp_path / "note.txt").write_text("no picture")
    found = top_patches(network, "1", 1, tmp_path, sides=(20, 40))
    assert sorted(patch.source for patch in found) == ["a.png", "a.png", "b.png", "b.png"]
    assert all(max(patch.size) in (20, 40) for patch in found)
    for name in ("a.png", "b.png"):
        one, two = [p for p in found if p.source == name]
        centres = [
            [(p.box[2 * i] + p.box[2 * i + 1]) / 2 / p.size[i] for i in (0, 1)] for p in (one, two)
        ]
        assert (
            max(abs(centres[0][i] - centres[1][i]) * min(one.size[i], two.size[i]) for i in (0, 1))
            >= 2
        )
    save_image(torch.zeros(1, 3, 40, 30), tmp_path / "a.png")  # a file that changes is read again
    (tmp_path / "b.png").unlink()
    assert {patch.source for patch in top_patches(network, "1", 1, tmp_path, sides=(20, 40))} <= {
        "a.png"
    }


def test_widest_cuts_a_window_that_stays_inside_the_picture(photos):
    torch.manual_seed(2)
    network = as_network(
        nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(6)], nn.ReLU()), MEAN, STD
    )  # field: 13 pixels
    assert any(patch.crop.shape[-1] > 9 for patch in top_patches(network, "6", 0, photos))
    for patch in top_patches(network, "6", 0, photos, widest=9):
        assert patch.crop.shape == (1, 3, 9, 9)
        assert (
            patch.box[0] >= 0
            and patch.box[1] <= patch.size[0]
            and patch.box[2] >= 0
            and patch.box[3] <= patch.size[1]
        )


def test_where_a_cell_sees_everything_a_photo_gives_itself_once(photos):
    torch.manual_seed(0)
    network = as_network(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Conv2d(4, 4, 3, padding=1)
        ),
        MEAN,
        STD,
    )  # each of four cells sees all four quarters
    nn.init.constant_(network.module[3].weight, 0.1)
    nn.init.zeros_(network.module[3].bias)
    found = top_patches(network, "3", 0, photos)
    assert sorted(patch.source for patch in found) == [f"picture {i}" for i in range(4)]
    assert all(torch.equal(patch.crop, photos[int(patch.source[-1])]) for patch in found)


def test_a_silent_channel_has_no_patches(photos):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    module[0].bias.data[0] = -1e6
    assert top_patches(as_network(module, MEAN, STD), "1", 0, photos) == []


def test_the_sample_photos_are_the_default_and_the_strongest_come_first():
    found = top_patches(load_network("dreamnet"), "conv1", 5, sides=(96,))
    values = [patch.value for patch in found]
    assert len(found) == 9 and values == sorted(values, reverse=True) and values[-1] > 0
    assert max([p.source for p in found].count(p.source) for p in found) <= PER_PHOTO
    assert len({patch.source for patch in found}) >= 5


def test_wrong_arguments_raise_errors(network, photos, tmp_path):
    with pytest.raises(KeyError, match="unknown layer 'conv'; nearest: 0, 1"):
        top_patches(network, "conv", 0, photos)
    with pytest.raises(ValueError, match="channel 4 is out of range: layer '1' has 4, from 0 to 3"):
        top_patches(network, "1", 4, photos)
    with pytest.raises(ValueError, match="has no pictures"):
        top_patches(network, "1", 0, tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        top_patches(network, "1", 0, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="collection must have at least one picture"):
        top_patches(network, "1", 0, [])
    with pytest.raises(ValueError, match=r"one picture \[1, 3, H, W\] is needed; given: \[2"):
        top_patches(network, "1", 0, [torch.rand(2, 3, 9, 9)])
    with pytest.raises(ValueError, match="the network itself has no feature maps"):
        top_patches(network, "", 0, photos)
    with pytest.raises(ValueError, match="must be at least 1; given: 0, None"):
        top_patches(network, "1", 0, photos, count=0)


UNKNOWN = {
    "crop": (lambda x: x[..., 8:, 8:], (12, 12)),
    "roll": (lambda x: x.roll((8, 4), (2, 3)), (28, 24)),
    "flip": (lambda x: x.flip(3), (20, 27)),
    "reflection": (lambda x: nn.functional.pad(x, (4, 4, 4, 4), "reflect"), (24, 24)),
    "transposed": (lambda x: x.transpose(2, 3), (20, 20)),
    "to a size": (lambda x: nn.functional.interpolate(x, (96, 96)), (40, 40)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_where_the_field_is_not_known_a_patch_is_measured(name):
    class Odd(nn.Module):
        def forward(self, x):
            return UNKNOWN[name][0](x)

    network = as_network(nn.Sequential(nn.Identity(), Odd()), (0, 0, 0), (1, 1, 1))
    photo = torch.zeros(1, 3, 48, 48)
    photo[0, 0, 20, 20] = 1
    best = top_patches(network, "1", 0, [photo], count=1)[0]
    assert best.box == (20, 21, 20, 21) and best.crop[0, :, 0, 0].tolist() == [1, 0, 0]
    assert best.cell == UNKNOWN[name][1]


def test_a_dot_is_found_through_an_upsampled_map():
    module = nn.Sequential(
        nn.Conv2d(3, 1, 3, 2, 1, bias=False), nn.Upsample(scale_factor=2), nn.ReLU()
    )
    nn.init.constant_(module[0].weight, 1.0)
    photo = torch.zeros(1, 3, 96, 96)
    photo[..., 20:24, 20:24] = 1
    patch = top_patches(as_network(module, (0, 0, 0), (1, 1, 1)), "2", 0, [photo], count=1)[0]
    assert float(patch.crop.max()) == 1


def test_a_cell_of_an_adaptive_pool_sees_its_quarter():
    network = as_network(nn.Sequential(nn.AdaptiveAvgPool2d(2)), (0, 0, 0), (1, 1, 1))
    photo = torch.zeros(1, 3, 20, 30)
    photo[0, 0, 12, 7] = 1
    assert top_patches(network, "0", 0, [photo])[0].box == (10, 20, 0, 15)

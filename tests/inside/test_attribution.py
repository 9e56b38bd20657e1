"""Looking inside: attribution against captum itself, the deconvnet worked out by hand, occlusion square by square, sanity checks."""

import threading
import warnings

import captum.attr
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.nn import functional as F

import dreamkit as dk
from dreamkit.inside.deconvnet import window
from dreamkit.inside.relus import Rectifiers
from dreamkit.networks.receptive import Field

inside = dk.inside
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
BY_GRADIENT = {
    "saliency": inside.saliency,
    "guided": inside.guided_backprop,
    "deconvolution": inside.deconvolution,
    "integrated": inside.integrated_gradients,
}
MAPS = {
    **BY_GRADIENT,
    "occlusion": lambda *a: inside.occlusion(*a, size=8, stride=4),
    "cam": lambda network, *a: inside.grad_cam(network, *a, layer=last(network)),
}


def last(network):
    """The layer of the last ReLU: one module that is called often has the name of its first place."""
    return "relu3" if "relu3" in dk.layer_names(network) else "relu1"


class Plain(nn.Module):
    """Three convolutions with a ReLU module each, none in place: captum reads it as it is."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(3, 6, 3, padding=1),
            nn.Conv2d(6, 6, 3, padding=1),
            nn.Conv2d(6, 6, 3, padding=1),
        )
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(6, 4)
        with torch.no_grad():
            for weights in self.parameters():
                weights.copy_(0.4 * torch.randn(weights.shape, generator=generator))

    def forward(self, x):
        x = self.pool(self.relu1(self.conv1(x)))
        x = self.relu2(self.conv2(x))
        return self.fc(self.relu3(self.conv3(x)).mean((2, 3)))


class OneRelu(Plain):
    """The same network with one in-place ReLU module called three times, as in torchvision's ResNets."""

    def __init__(self):
        super().__init__()
        self.relu1 = self.relu2 = self.relu3 = nn.ReLU(inplace=True)


class Functions(Plain):
    """The same network with functions in place of modules: one in place and its result not used, as some code has it."""

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x), inplace=True))
        x = self.conv2(x)
        x.relu_()
        return self.fc(self.relu3(self.conv3(x)).mean((2, 3)))


class Standardised(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def forward(self, image):
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
        return self.module((image - mean) / std)


def of(module):
    return dk.as_network(module, MEAN, STD, "plain", ("a", "b", "c", "d"))


def captums(name, image, target):
    """What captum itself says of the plain module."""
    model, image = Standardised(Plain()), image.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "saliency":
            return captum.attr.Saliency(model).attribute(image, target).amax(1, keepdim=True)
        if name == "guided":
            return captum.attr.GuidedBackprop(model).attribute(image, target)
        if name == "deconvolution":
            return captum.attr.Deconvolution(model).attribute(image, target)
        if name == "integrated":
            return captum.attr.IntegratedGradients(model).attribute(image, 0.0, target, n_steps=32)
        if name == "occlusion":
            return captum.attr.Occlusion(model).attribute(image, (3, 8, 8), (3, 4, 4), 0.5, target)[
                :, :1
            ]
        cam = captum.attr.LayerGradCam(model, model.module.relu3).attribute(
            image, target, relu_attributions=True
        )
        return F.interpolate(cam, image.shape[-2:], mode="bilinear", align_corners=False)


@pytest.fixture(scope="module")
def photo():
    return dk.sample("coffee", 40)[..., :24, 4:36].contiguous()  # [1, 3, 24, 32]


def close(one, other, within=1e-5):
    return one.shape == other.shape and float((one - other).abs().max()) <= within * max(
        1e-3, float(other.abs().max())
    )


# --- captum's maps


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("module", [Plain, OneRelu, Functions])
def test_maps_are_captums_wherever_the_relus_come_from(name, module, photo):
    found, theirs = MAPS[name](of(module()), photo, "c"), captums(name, photo, 2)
    assert theirs.abs().max() > 0 and close(found, theirs.detach())


def test_the_trap_is_there():
    """Captum alone misses a ReLU that is called as a function."""
    photo = dk.sample("coffee", 40)[..., :24, 4:36]

    class Called(Plain):
        def forward(self, x):
            x = F.relu(self.conv2(self.pool(F.relu(self.conv1(x)))))
            return self.fc(F.relu(self.conv3(x)).mean((2, 3)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = captum.attr.GuidedBackprop(Standardised(Called())).attribute(
            photo.clone().requires_grad_(), 2
        )
    right = captums("guided", photo, 2)
    assert not close(alone, right) and close(inside.guided_backprop(of(Called()), photo, 2), right)


def test_nothing_is_left_behind(photo):
    network = of(OneRelu())
    before, image = [type(layer) for layer in network.module.modules()], photo.clone()
    for method in MAPS.values():
        found = method(network, image, 1)
        assert (
            not found.requires_grad and found.dtype == image.dtype and torch.isfinite(found).all()
        )
    assert [
        type(layer) for layer in network.module.modules()
    ] == before and network.module.relu1.inplace
    assert not any(
        hooks
        for layer in network.module.modules()
        for hooks in (
            layer._forward_hooks,
            layer._forward_pre_hooks,
            layer._backward_hooks,
            layer._backward_pre_hooks,
        )
    )
    assert torch.equal(image, photo) and image.grad is None and not image.requires_grad
    assert not any(
        weights.requires_grad or weights.grad is not None for weights in network.module.parameters()
    )


def test_threads_do_not_meet(photo):
    network, found, begin = of(OneRelu()), {}, threading.Barrier(4)
    alone = {
        name: MAPS[name](network, photo, 1)
        for name in ("saliency", "guided", "deconvolution", "cam")
    }

    def work(name):
        begin.wait()
        found[name] = [MAPS[name](network, photo, 1) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(name,)) for name in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (
        all(torch.equal(each, alone[name]) for name, maps in found.items() for each in maps)
        and len(found) == 4
    )


def test_a_batch_is_its_pictures_and_an_objective_is_a_target(photo):
    network, batch = of(Plain()), torch.cat([photo, photo.flip(3)])
    wish = dk.channel("relu2", 3) + 0.5 * dk.logit("b")
    for method in MAPS.values():
        assert close(
            method(network, batch, wish),
            torch.cat([method(network, image[None], wish) for image in batch]),
        )
    gradient = dk.gradient(dk.scorer(network, wish), photo)
    assert close(inside.saliency(network, photo, wish), gradient.abs().amax(1, keepdim=True))


def test_integrated_gradients_add_up_to_the_difference(photo):
    network, score = of(Plain()), dk.scorer(of(Plain()), dk.logit(2))
    found = inside.integrated_gradients(network, photo, 2, baseline=0.5, steps=200)
    assert float(found.sum()) == pytest.approx(
        float(score(photo) - score(torch.full_like(photo, 0.5))), abs=2e-3
    )


def test_without_a_target_it_is_the_most_probable_class(photo):
    network = of(Plain())
    best = dk.classify(network, photo, 1)[0][0]
    assert torch.equal(inside.saliency(network, photo), inside.saliency(network, photo, best))
    double = inside.saliency(network, photo.double(), best)
    assert double.dtype == torch.float64 and close(
        double.float(), inside.saliency(network, photo, best)
    )


def test_what_cannot_be_is_said(photo):
    network, smooth = (
        of(Plain()),
        of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    )
    for call, message in (
        (
            lambda: inside.saliency(network, photo.repeat(2, 1, 1, 1)),
            "target must be given for more than one picture; given: 2",
        ),
        (lambda: inside.saliency(network, photo, 9), "class 9 is out of range"),
        (lambda: inside.guided_backprop(smooth, photo, 1), "calls none on the way to logit"),
        (lambda: inside.occlusion(network, photo, 1, size=25), "stride from 1 to size; given: size 25, stride 8"),
        (lambda: inside.occlusion(network, photo, 1, size=4, stride=8), "given: size 4, stride 8"),
        (lambda: inside.grad_cam(network, photo, 1, "fc"), "'fc' has no feature maps"),
        (
            lambda: inside.grad_cam(network, photo, dk.channel("relu1", 0), "relu3"),
            "does not depend on layer 'relu3'",
        ),
        (lambda: inside.integrated_gradients(network, photo, 1, steps=0), "steps must be at least 1; given: 0"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(KeyError, match="unknown class 'z'"):
        inside.saliency(network, photo, "z")


# --- ReLUs


def test_rectifiers_reach_every_relu_of_this_thread_and_no_other():
    x, other = torch.tensor([-1.0, 2.0]), []
    with Rectifiers(lambda values: values * 10):
        assert all(
            torch.equal(relu(x.clone()), x * 10)
            for relu in (
                torch.relu,
                F.relu,
                nn.ReLU(),
                nn.ReLU(inplace=True),
                torch.relu_,
                torch.Tensor.relu,
                lambda v: F.relu(input=v),
            )
        )
        inplace = x.clone()
        F.relu(inplace, inplace=True)
        assert torch.equal(inplace, x * 10)
        thread = threading.Thread(target=lambda: other.append(torch.relu(x)))
        thread.start()
        thread.join()
    assert torch.equal(other[0], torch.tensor([0.0, 2.0])) and torch.equal(torch.relu(x), other[0])


# --- the deconvnet


def hand_made():
    """1×1 filters, a pool, 1×1 filters: small enough to go up and down on paper."""
    first, second = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        first.weight.copy_(
            torch.tensor([[1.0, 0, 0], [-1, 1, 0]])[..., None, None]
        )  # red - 1; green - red
        first.bias.copy_(torch.tensor([-1.0, 0]))
        second.weight.copy_(
            torch.tensor([[1.0, -2], [1, 3]])[..., None, None]
        )  # a - 2 b + 10; a + 3 b
        second.bias.copy_(torch.tensor([10.0, 0]))
    return nn.Sequential(
        first, nn.ReLU(inplace=True), nn.MaxPool2d(2), second, nn.ReLU(inplace=True)
    )


def test_three_layers_worked_out_by_hand():
    network = dk.as_network(hand_made(), (0, 0, 0), (1, 1, 1))
    picture = torch.zeros(1, 3, 2, 4)
    picture[0, 0] = torch.tensor([[1.0, 5, 2, 0], [3, 4, 6, 7]])
    picture[0, 1] = torch.tensor([[0.0, 1, 9, 0], [0, 0, 0, 0]])
    # up: a = [[0 4 1 .][2 3 5 6]], b = [[. . 7 .][. . . .]] rectified; pooled a = [4 6] from (0,1) (1,3), b = [0 7] from (0,0) (0,2)
    # so the top is [14 2] and [4 27]
    features = dk.capture(network, picture, "4")["4"][0]
    assert features.tolist() == [[[14.0, 2.0]], [[4.0, 27.0]]]
    # channel 0, right cell: 2 goes to a as 2 at (1,3), to b as -4 at (0,2), which is rectified away; a's filter is red
    expected = torch.zeros_like(picture)
    expected[0, 0, 1, 3] = 2
    assert torch.equal(inside.project(network, picture, "4", 0, (0, 1)), expected)
    # channel 1, left cell: 4 goes to a as 4 at (0,1), to b as 12 at (0,0), where nothing had come up: the deconvnet does not ask
    expected = torch.zeros_like(picture)
    expected[0, 0, 0, 1], expected[0, 0, 0, 0], expected[0, 1, 0, 0] = 4, -12, 12
    assert torch.equal(inside.project(network, picture, "4", 1, (0, 0)), expected)
    gradient = dk.gradient(dk.scorer(network, dk.neuron("4", 1, 0, 0)), picture)
    assert gradient[0, 1, 0, 0] == 0  # but the gradient does
    strongest, whole = (
        inside.project(network, picture, "4", 1),
        inside.project(network, picture, "4", 1, whole=True),
    )
    assert torch.equal(strongest, inside.project(network, picture, "4", 1, (0, 1)))
    assert torch.equal(whole, strongest + expected)  # they meet nowhere here, so they add up


def test_it_is_captums_deconvolution_times_the_activation(photo):
    module = Plain()
    front = Standardised(
        nn.Sequential(module.conv1, module.relu1, module.pool, module.conv2, module.relu2)
    )
    network = of(OneRelu())
    features = dk.capture(network, photo, "conv2")["conv2"][0].clamp(min=0)
    channel = int(features.amax((1, 2)).argmax())
    y, x = divmod(int(features[channel].argmax()), features.shape[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = captum.attr.Deconvolution(front).attribute(
            photo.clone().requires_grad_(), (channel, y, x)
        )
    assert close(inside.project(network, photo, "conv2", channel), theirs * features[channel, y, x])
    for layer in network.module.modules():
        assert not layer._forward_hooks


def test_a_projection_lies_in_the_receptive_field_and_silent_cells_give_nothing(dreamnet):
    photo = dk.sample("coffee", 64)
    field = {info.name: info.field for info in dk.layer_table(dreamnet)}["inception3b"]
    maps = dk.capture(dreamnet, photo, "inception3b")["inception3b"][0, 50]
    cell = divmod(int(maps.argmax()), maps.shape[1])
    signal = inside.project(dreamnet, photo, "inception3b", 50, cell)
    top, bottom, left, right = field.box(*cell)
    outside = torch.ones_like(signal, dtype=torch.bool)
    outside[..., max(0, top) : bottom, max(0, left) : right] = False
    assert signal.abs().max() > 0 and signal[outside].abs().max() == 0
    y, x = (maps == 0).nonzero()[0].tolist()
    assert not inside.project(dreamnet, photo, "inception3b", 50, (y, x)).any()


@pytest.mark.parametrize("layer", ["conv2", "inception3a"])
def test_projections_beside_patches_are_those_of_whole_pictures(dreamnet, layer):
    pictures = [dk.sample("coffee", 75), dk.sample("chelsea", 60)]
    found = inside.top_projections(dreamnet, layer, 17, pictures, count=3)
    assert len(found) >= 2
    for each in found:
        whole = inside.project(dreamnet, each.patch.whole(), layer, 17, each.patch.cell)
        top, bottom, left, right = each.patch.box
        assert each.signal.shape == each.patch.crop.shape
        assert close(each.signal, whole[..., top:bottom, left:right], 1e-4)
    narrow = inside.top_projections(dreamnet, layer, 17, pictures, count=1, widest=12)[0]
    assert narrow.signal.shape == (1, 3, 12, 12) and narrow.signal.any()


def test_windows_begin_on_the_grid_and_are_never_too_thin():
    assert window(Field((7, 7), (4, 4), (-3, -3)), (3, 0), (40, 40)) == ((8, 16, 0, 4), (1, 0))
    assert window(Field((5, 5), (4, 4), (0, 0)), (10, 2), (43, 43)) == ((32, 43, 8, 16), (2, 0))
    assert window(None, (2, 3), (30, 40)) == ((0, 30, 0, 40), (2, 3))


def test_projecting_what_is_not_there_is_said(photo):
    network = of(Plain())
    for call, message in (
        (lambda: inside.project(network, photo, "fc", 0), "layer 'fc' has no feature maps"),
        (lambda: inside.project(network, photo, "", 0), "the network itself has no feature maps"),
        (
            lambda: inside.project(network, photo, "relu1", 6),
            "channel 6 is out of range: layer 'relu1' has 6",
        ),
        (
            lambda: inside.project(network, photo, "relu1", 0, (24, 0)),
            "the map has 24 rows and 32 columns",
        ),
        (lambda: inside.project(network, photo, "relu1", 0, (2, 0), whole=True), "cell must be None"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- occlusion


def test_panels_are_what_each_square_does(photo):
    network = of(Plain())
    panels = inside.occlusion_panels(
        network, photo, "c", "relu3", size=10, stride=8, others=[photo.flip(3)]
    )
    assert panels.probability.shape == panels.activity.shape == panels.best.shape == (1, 1, 3, 4)
    whole = dk.capture(network, photo, ("relu3", ""))
    assert (
        panels.channel == int(whole["relu3"][0].sum((1, 2)).argmax())
        and panels.name(panels.index) == "c"
    )
    assert panels.uncovered == pytest.approx(
        (float(whole["relu3"][0, panels.channel].sum()), float(whole[""].softmax(1)[0, 2])),
        rel=1e-5,
    )
    for row in range(3):
        for column in range(4):
            grey = photo.clone()
            top, left = 8 * row + 4 - 5, 8 * column + 4 - 5
            for y in range(max(0, top), min(24, top + 10)):
                grey[0, :, y, max(0, left) : min(32, left + 10)] = 0.5
            seen = dk.capture(network, grey, ("relu3", ""))
            assert float(panels.activity[0, 0, row, column]) == pytest.approx(
                float(seen["relu3"][0, panels.channel].sum()), rel=1e-4
            )
            assert float(panels.probability[0, 0, row, column]) == pytest.approx(
                float(seen[""].softmax(1)[0, 2]), rel=1e-4
            )
            assert int(panels.best[0, 0, row, column]) == int(seen[""].argmax())
    assert torch.equal(panels.projection, inside.project(network, photo, "relu3", panels.channel))
    ((other, signal),) = panels.others
    assert torch.equal(signal, inside.project(network, other, "relu3", panels.channel))
    assert dk.inside.occlusion_chart(photo, panels).alt.startswith(
        "A grey square slides over the picture: the probability of c"
    )


def test_panels_that_cannot_be(photo):
    network = of(Plain())
    for call, message in (
        (lambda: inside.occlusion_panels(network, photo.repeat(2, 1, 1, 1)), "one picture .* is needed"),
        (lambda: inside.occlusion_panels(network, photo, size=0), "given: size 0, stride 4"),
        (lambda: inside.occlusion_panels(network, photo, 4), "class 4 is out of range"),
        (lambda: inside.occlusion_panels(network, photo, layer="fc"), "'fc' has no feature maps"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- sanity


def test_ranks_and_overlaps_are_the_textbooks():
    generator = torch.Generator().manual_seed(2)
    one, other = (
        torch.randint(-6, 6, (1, 1, 5, 8), generator=generator).float() for _ in range(2)
    )  # with ties
    textbook = spearmanr(
        *(values.abs().flatten().double().numpy() for values in (one, other))
    ).statistic
    assert inside.rank_correlation(one, other) == pytest.approx(textbook, abs=1e-9)
    assert inside.rank_correlation(one, -2 * one) == pytest.approx(1)
    mask = torch.zeros(10, 10, dtype=torch.bool)
    mask[:2, :5] = True
    map_ = torch.zeros(1, 3, 10, 10)
    map_[0, 1, 1, :10] = -torch.arange(
        1.0, 11
    )  # the strongest tenth is row 1; half of it is inside
    assert inside.overlap(map_, mask) == pytest.approx(5 / 15)
    for call, message in (
        (lambda: inside.rank_correlation(one, other[..., :3]), "must have the same shape"),
        (lambda: inside.rank_correlation(one, torch.ones_like(one)), "a constant map"),
        (lambda: inside.overlap(map_, mask[:5]), "same size"),
        (lambda: inside.overlap(map_, mask, 1.0), "share must lie"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_network_forgets_from_the_top(photo):
    network = of(Plain())
    steps = list(inside.forgetting(network, seed=4))
    assert [name for name, _ in steps] == ["fc", "conv3", "conv2", "conv1"]
    assert torch.equal(
        dk.capture(steps[0][1], photo, "relu3")["relu3"],
        dk.capture(network, photo, "relu3")["relu3"],
    )
    before = [dk.capture(net, photo, ("relu2", "")) for _, net in steps]
    assert torch.equal(before[1]["relu2"], dk.capture(network, photo, "relu2")["relu2"])
    assert not torch.equal(before[2]["relu2"], before[1]["relu2"])
    assert torch.equal(before[3][""], dk.capture(dk.randomized(network, 4), photo, "")[""])
    assert torch.equal(
        dk.capture(of(Plain()), photo, "")[""], dk.capture(network, photo, "")[""]
    )  # the given one remembers


CUP = (2, 100, 70, 182)  # rows and columns of the cup in the sample photo at 256 pixels


@pytest.mark.slow
@pytest.mark.parametrize("top, left", [(30, 6), (4, 30)])
def test_maps_find_a_cup_among_its_own_pieces_and_random_weights_do_not(dreamnet, top, left):
    a, b, c, d = CUP
    cup = dk.resize(dk.sample("coffee", 256)[..., a:b, c:d], (28, 28))
    picture, mask = dk.scenes.among_its_pieces(cup, top, left)
    blurred = lambda map_: dk.smooth(map_.abs().amax(1, keepdim=True).expand(-1, 3, -1, -1), 3.0)

    def found(network):
        target = network.labels.index("espresso")
        strongest = int(
            dk.capture(network, picture, "inception5a")["inception5a"][0].sum((1, 2)).argmax()
        )
        maps = {
            "saliency": inside.saliency(network, picture, target),
            "occlusion": inside.occlusion(network, picture, target),
            "deconvnet": inside.project(network, picture, "inception5a", strongest),
            "guided": inside.guided_backprop(network, picture, target),
            "cam": inside.grad_cam(network, picture, target),
        }
        return {name: inside.overlap(blurred(map_), mask) for name, map_ in maps.items()}

    trained, random = found(dreamnet), found(dk.randomized(dreamnet))
    assert min(trained.values()) >= 0.3, trained
    assert max(random.values()) <= 0.15, random


# --- pictures and the panel


def test_maps_go_into_the_pictures(photo):
    network = of(Plain())
    assert dk.show.signed(
        torch.tensor([-2.0, 0, 2]).reshape(1, 3, 1, 1), 1.0
    ).flatten().tolist() == [0, 0.5, 1]
    assert (dk.show.signed(torch.zeros(1, 3, 2, 2)) == 0.5).all()
    colour = inside.guided_backprop(network, photo, 1)
    assert torch.equal(
        dk.show.overlay(photo, colour), dk.show.overlay(photo, colour[0].abs().amax(0))
    )
    assert torch.equal(
        dk.show.heat(inside.saliency(network, photo, 1)),
        dk.show.heat(inside.saliency(network, photo, 1)[0, 0]),
    )
    with pytest.raises(ValueError, match="a map must be"):
        dk.show.heat(colour[0])


def test_a_thing_lies_among_its_pieces():
    thing = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    picture, mask = dk.scenes.among_its_pieces(thing, 20, 30, side=50, tile=4, seed=7)
    assert picture.shape == (1, 3, 50, 50) and torch.equal(
        picture[..., 25:27, 34:42], thing[..., 5:7, 4:12]
    )
    assert mask[26, 38] and not mask[20, 30] and not mask[:20].any() and not mask[:, 46:].any()
    assert set(picture[..., ~mask][0, 0].tolist()) <= set(thing[0, 0].flatten().tolist())
    assert torch.equal(
        picture, dk.scenes.among_its_pieces(thing, 20, 30, side=50, tile=4, seed=7)[0]
    )
    with pytest.raises(ValueError, match="does not fit"):
        dk.scenes.among_its_pieces(thing, 40, 0, side=50)


def test_the_covering_panel_says_what_the_square_does(photo):
    network = of(Plain())
    with dk.widgets.cover(network, photo, "c", ["relu2", "relu3"]) as panel:
        assert (
            panel.layer.value == "relu3"
            and "probability of c" in panel.text.value
            and panel.pictures.value.count("<img") == 3
        )
        before = panel.text.value
        panel.size.value, panel.down.value, panel.across.value = 16, 12, 16
        assert panel.wait(20) and panel.error is None and panel.text.value != before
        view = dk.widgets.covered_view(network, photo, 2, "relu3", panel.channel.value, 12, 16, 16)
        assert (
            torch.equal(view.picture, inside.covered(photo, 12, 16, 16))
            and view.text.splitlines()[0] in panel.text.value
        )
        panel.layer.value = "relu2"
        assert panel.wait(20) and panel.error is None and "relu2" in panel.text.value
    with pytest.raises(ValueError, match="'fc' has no feature maps"):
        dk.widgets.cover(network, photo, layers=["fc"])

"""Attribution maps against captum itself, whatever way a network calls its ReLUs."""

import threading
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dreamkit as dk

from .plain import Functions, OneRelu, Plain, Standardised, close, of

inside = dk.inside


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
    """The layer of the last ReLU; a module that is called often has the name of its first place."""
    return "relu3" if "relu3" in dk.layer_names(network) else "relu1"


def captums(name, image, target):
    """What captum itself says of the plain module."""
    import captum.attr  # takes seconds, so collecting the tests does not

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


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("module", [Plain, OneRelu, Functions])
def test_maps_are_captums_wherever_the_relus_come_from(name, module, photo):
    found, theirs = MAPS[name](of(module()), photo, "c"), captums(name, photo, 2)
    assert theirs.abs().max() > 0 and close(found, theirs.detach())


def test_a_network_with_relu6_is_captums_with_hooks_on_its_relu6s(photo):
    """Captum's two rules hook `nn.ReLU` only, so here the same rule is hooked to each nn.ReLU6."""

    class Six(Plain):
        def __init__(self):
            super().__init__()
            self.relu1, self.relu2, self.relu3 = nn.ReLU6(), nn.ReLU6(), nn.ReLU6()
            with torch.no_grad():
                self.conv1.weight.mul_(3)

    network, model, image = of(Six()), Standardised(Six()), photo.clone().requires_grad_()
    highest = dk.capture(network, photo, "relu1")["relu1"].max()
    for relu6 in (model.module.relu1, model.module.relu2, model.module.relu3):
        relu6.register_full_backward_hook(lambda module, given, above: (given[0].clamp(min=0),))
    (guided,) = torch.autograd.grad(model(image)[0, 2], image)
    assert highest == 6 and close(inside.guided_backprop(network, photo, "c"), guided)
    for relu6 in (model.module.relu1, model.module.relu2, model.module.relu3):
        relu6._backward_hooks.clear()
        relu6.register_full_backward_hook(lambda module, given, above: (above[0].clamp(min=0),))
    (rectified,) = torch.autograd.grad(model(image)[0, 2], image)
    assert close(inside.deconvolution(network, photo, "c"), rectified)


def test_captum_alone_misses_relus_that_are_functions():
    """Captum alone misses a ReLU that is called as a function."""
    import captum.attr

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


def test_threads_do_not_disturb_each_other(photo):
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
    target = dk.channel("relu2", 3) + 0.5 * dk.logit("b")
    for method in MAPS.values():
        assert close(
            method(network, batch, target),
            torch.cat([method(network, image[None], target) for image in batch]),
        )
    gradient = dk.gradient(dk.scorer(network, target), photo)
    assert close(inside.saliency(network, photo, target), gradient.abs().amax(1, keepdim=True))


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


def test_wrong_arguments_raise_errors(photo):
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
        (
            lambda: inside.occlusion(network, photo, 1, size=25),
            "stride from 1 to size; given: size 25, stride 8",
        ),
        (lambda: inside.occlusion(network, photo, 1, size=4, stride=8), "given: size 4, stride 8"),
        (lambda: inside.grad_cam(network, photo, 1, "fc"), "'fc' has no feature maps"),
        (
            lambda: inside.grad_cam(network, photo, dk.channel("relu1", 0), "relu3"),
            "does not depend on layer 'relu3'",
        ),
        (
            lambda: inside.integrated_gradients(network, photo, 1, steps=0),
            "steps must be at least 1; given: 0",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(KeyError, match="unknown class 'z'"):
        inside.saliency(network, photo, "z")

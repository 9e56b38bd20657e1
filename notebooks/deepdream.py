"""DeepDream (Mordvintsev, Olah & Tyka, 2015) in about 40 lines, on torch and torchvision alone.

python deepdream.py photo.jpg                 writes photo-dream.png
python deepdream.py photo.jpg --network googlenet --layer inception4c
python deepdream.py photo.jpg --weights squeezenet1_1.pth

Without --weights torchvision downloads the network's ImageNet weights once.
"""

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageOps  # comes with torchvision
from torch.nn.functional import interpolate
from torchvision import models, utils
from torchvision.transforms.functional import gaussian_blur, normalize, to_tensor

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # what torchvision's networks expect


def activation(network, layer, picture):
    """How strongly the layer responds: the mean of its squared activations."""
    found = []
    save = lambda module, inputs, output: found.append(output.clone())
    with network.get_submodule(layer).register_forward_hook(save):
        network(normalize(picture, MEAN, STD))
    return found[0].square().mean()


def dream(score, photo, octaves=5, ratio=1.4, steps=10, step_size=0.015, sigma=0.7, jitter=16):
    """The dream of a photo [1, 3, H, W] in [0, 1]; `score` gives one number for a picture."""
    generator, detail = torch.Generator().manual_seed(0), torch.zeros(1, 3, 1, 1)
    for k in reversed(range(octaves)):  # from small to large
        size = [round(side / ratio**k) for side in photo.shape[-2:]]
        base = interpolate(photo, size, mode="area")
        picture = (base + interpolate(detail.to(base), size, mode="bilinear")).clamp(0, 1)
        for _ in range(steps):
            dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
            picture = picture.detach().roll((dy, dx), (-2, -1)).requires_grad_()
            (uphill,) = torch.autograd.grad(score(picture), picture)
            uphill = gaussian_blur(uphill, 2 * int(4 * sigma + 0.5) + 1, sigma)
            uphill = uphill / uphill.std(correction=0)
            picture = (picture + step_size * uphill).clamp(0, 1).roll((-dy, -dx), (-2, -1))
        detail = picture.detach() - base  # what was dreamt
    return picture.detach()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photo", type=Path, help="a JPEG or PNG file")
    parser.add_argument("--network", default="squeezenet1_1", help="a classifier of torchvision")
    parser.add_argument("--layer", default="features.10", help="a name of network.named_modules()")
    parser.add_argument("--weights", type=Path, help="a file with the network's state dict")
    given = parser.parse_args(arguments)
    network = models.get_model(given.network, weights=None if given.weights else "DEFAULT").eval()
    if given.weights:
        network.load_state_dict(torch.load(given.weights, weights_only=True))
    photo = to_tensor(ImageOps.exif_transpose(Image.open(given.photo)).convert("RGB"))[None]
    result = dream(lambda picture: activation(network, given.layer, picture), photo)
    utils.save_image(result, given.photo.with_name(given.photo.stem + "-dream.png"))


if __name__ == "__main__":
    main()

"""The four published DeepDreams in NumPy and SciPy alone, an independent check of `dk.recipes`.

Written from the description of the programs, each in its own space: BGR grey levels minus a mean
(Caffe), (x - mean) / std (PyTorch), [-1, 1] (TensorFlow, Keras). Pictures are arrays [3, H, W] in
float64. Nothing of dreamkit is used; only the gradient through the network comes from torch, by a
hook of our own. There is no jitter: every shift is zero.

Each twin returns the list of what its program holds after each step, as RGB in [0, 1]; the last
entry is its result.
"""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import torch


class Ascent:
    """The loss (`formula` of a layer's output) and its gradient at a standardised picture."""

    def __init__(self, module, mean, std, layer, formula):
        self.module, self.layer, self.formula = module, layer, formula
        self.mean, self.std = (
            np.asarray(v, dtype=np.float64).reshape(3, 1, 1) for v in (mean, std)
        )

    def __call__(self, z):
        kept = []
        leaf = torch.tensor(z[None], dtype=torch.float64, requires_grad=True)
        handle = dict(self.module.named_modules())[self.layer].register_forward_hook(
            lambda m, i, out: kept.append(out.clone())
        )
        try:
            self.module(leaf)
        finally:
            handle.remove()
        loss = self.formula(kept[-1])
        (g,) = torch.autograd.grad(loss, leaf)
        return loss.item(), g[0].numpy()

    def rgb(self, x):
        """Loss and gradient with respect to x, RGB in [0, 1]; nothing is clipped here."""
        loss, g = self((x - self.mean) / self.std)
        return loss, g / self.std


def caffe(ascent, image, steps=10, step_size=1.5, octaves=4, octave_ratio=1.4, clip=True):
    """dream.ipynb: u is BGR, 0…255 minus m; the gradient of 1/2 Σ a², up to a factor."""
    m = ascent.mean[::-1] * 255
    to_rgb = lambda u: ((u + m) / 255)[::-1]
    base = [(image * 255)[::-1] - m]
    for _ in range(octaves - 1):
        base.append(
            scipy.ndimage.zoom(base[-1], (1, 1.0 / octave_ratio, 1.0 / octave_ratio), order=1)
        )
    detail, shown = np.zeros_like(base[-1]), []
    for level, photo in enumerate(reversed(base)):
        h, w = photo.shape[1:]
        if level:
            detail = scipy.ndimage.zoom(
                detail, (1, h / detail.shape[1], w / detail.shape[2]), order=1
            )
        u = photo + detail
        for _ in range(steps):
            g = ascent.rgb(to_rgb(u))[1][::-1] / 255
            u = u + step_size / np.abs(g).mean() * g
            if clip:
                u = np.clip(u, -m, 255 - m)
            shown.append(np.clip(to_rgb(u), 0, 1))
        detail = u - photo
    return shown


def pytorch(ascent, image, steps=10, step_size=0.09, octaves=4, octave_ratio=1.8, smoothing=0.5):
    """pytorch-deepdream: z is standardised; every level is a resize of the whole picture."""
    low, high = (0 - ascent.mean) / ascent.std, (1 - ascent.mean) / ascent.std
    z, shown = (image - ascent.mean) / ascent.std, []
    for level in range(octaves):
        shape = np.round(
            np.float32(image.shape[1:]) * octave_ratio ** (level - octaves + 1)
        ).astype(int)
        z = half_pixel(z, *shape)
        for t in range(steps):
            g = ascent(z)[1]
            sigma = (t + 1) / steps * 2.0 + smoothing
            g = (blur9(g, 0.5 * sigma) + blur9(g, sigma) + blur9(g, 2 * sigma)) / 3
            g = (g - g.mean()) / g.std(ddof=1)
            z = np.clip(z + step_size * g, low, high)
            shown.append(z * ascent.std + ascent.mean)
    return shown


def tensorflow(ascent, image, steps=50, step_size=0.01, powers=(-2, -1, 0, 1, 2), octave_ratio=1.3):
    """The tutorial, plain: v holds 0…255 between octaves, u is [-1, 1] within."""
    v, shown = image * 255, []
    for n in powers:
        v = half_pixel(v, *tf_shape(image, octave_ratio, n))
        u = v / 127.5 - 1
        for _ in range(steps):
            g = ascent.rgb((u + 1) / 2)[1] / 2
            u = np.clip(u + step_size * (g / (g.std() + 1e-8)), -1, 1)
            shown.append((u + 1) / 2)
        v = np.trunc(255 * (u + 1) / 2)
        shown[-1] = v / 255
    shown[-1] = convert_image_dtype(half_pixel(v, *image.shape[1:]) / 255) / 255
    return shown


def tensorflow_tiled(
    ascent, image, tile, steps=100, step_size=0.01, powers=(-2, -1, 0, 1, 2), octave_ratio=1.3
):
    """The tutorial, tiled: u is [-1, 1]; the last of several tiles along each axis is dropped."""
    u, shown = image * 2 - 1, []
    for n in powers:
        h, w = tf_shape(image, octave_ratio, n)
        u = half_pixel(u, h, w)
        ys, xs = np.arange(0, h, tile)[:-1], np.arange(0, w, tile)[:-1]
        ys, xs = (ys if len(ys) else [0]), (xs if len(xs) else [0])
        for _ in range(steps):
            g = np.zeros_like(u)
            for x in xs:
                for y in ys:
                    g[:, y : y + tile, x : x + tile] += (
                        ascent.rgb((u[:, y : y + tile, x : x + tile] + 1) / 2)[1] / 2
                    )
            u = np.clip(u + step_size * (g / (g.std() + 1e-8)), -1, 1)
            shown.append((u + 1) / 2)
    v = np.trunc(255 * (u + 1) / 2)
    shown[-1] = convert_image_dtype(half_pixel(v, *image.shape[1:]) / 255) / 255
    return shown


def convert_image_dtype(x):
    """`tf.image.convert_image_dtype` of floats to uint8: scale by 255 + 0.5, saturate, truncate."""
    return np.trunc(np.clip(x * (np.iinfo(np.uint8).max + 0.5), 0, 255))


def keras(ascent, image, steps=20, step_size=0.01, octaves=3, octave_ratio=1.4, max_loss=15.0):
    """keras-io's example: u is not clipped; the detail lost at each size is put back at its end."""
    original = image * 2 - 1
    shapes = [original.shape[1:]]
    for i in range(1, octaves):
        shapes.append(tuple(int(n / octave_ratio**i) for n in original.shape[1:]))
    shapes = shapes[::-1]
    shrunk, u, shown = half_pixel(original, *shapes[0]), original, []
    for shape in shapes:
        u = half_pixel(u, *shape)
        for _ in range(steps):
            loss, g = ascent.rgb((u + 1) / 2)
            g = g / 2
            u = u + step_size * (g / max(np.abs(g).mean(), 1e-6))
            shown.append(np.clip((u + 1) / 2, 0, 1))
            if loss > max_loss:
                break
        u = u + half_pixel(original, *shape) - half_pixel(shrunk, *shape)
        shown[-1] = np.clip((u + 1) / 2, 0, 1)
        shrunk = half_pixel(original, *shape)
    return shown


def tf_shape(image, ratio, n):
    return [int(np.float32(side) * np.float32(ratio**n)) for side in image.shape[1:]]


def blur9(g, sigma):
    """A 9×9 Gaussian blur with weights that sum to 1, mirrored about the border pixel."""
    y, x = np.mgrid[-4:5, -4:5]
    kernel = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    return scipy.ndimage.correlate(g, (kernel / kernel.sum())[None], mode="mirror")


def half_pixel(x, height, width):
    """Bilinear, half-pixel centres, no anti-aliasing: cv2's INTER_LINEAR and tf.image.resize."""
    return _weights(x.shape[1], height) @ x @ _weights(x.shape[2], width).T


def _weights(old, new):
    at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    first = np.minimum(at.astype(int), old - 1)
    weights = np.zeros((new, old))
    weights[np.arange(new), first] += 1 - (at - first)
    weights[np.arange(new), np.minimum(first + 1, old - 1)] += at - first
    return weights

"""Makes the README's strip: `python notebooks/pictures.py` writes notebooks/pictures/strip.webp."""

from pathlib import Path

import torch

import dreamkit as dk

LAYERS = ("inception3b", "inception4c", "inception5a")
WIDTH = 380


def strip(side: int = 512) -> dk.Image:
    """The sample photo and its dreams at three depths, side by side: [1, 3, H, 4 · WIDTH + gaps]."""
    photo, network = dk.sample("china", side), dk.load_network("dreamnet")
    pictures = [photo, *(dk.dream(dk.scorer(network, dk.layer(layer)), photo) for layer in LAYERS)]
    height = round(WIDTH * photo.shape[-2] / photo.shape[-1])
    gap = torch.ones(1, 3, height, 6)
    parts = [part for picture in pictures for part in (dk.resize(picture, (height, WIDTH)), gap)]
    return torch.cat(parts[:-1], dim=-1)


if __name__ == "__main__":
    folder = Path(__file__).parent / "pictures"
    folder.mkdir(exist_ok=True)
    dk.save_image(strip(), folder / "strip.webp")

"""Our networks' dreams beside another network's: `python -m benchmarks.beside WEIGHTS`.

WEIGHTS is a file for `--network` (torchvision's name, by default squeezenet1_1). Photo by photo, a
row for each network: its dreams at four depths. Depths are comparable: the same places in each
network's own list of suggested layers.
"""

import argparse
from collections.abc import Iterator, Sequence

import dreamkit as dk
from benchmarks import sheets

PHOTOS = ("clouds", "chelsea", "china")
DEPTHS = (2 / 7, 3 / 7, 5 / 7, 1.0)  # of SqueezeNet 1.1: features.4, .6, .9 and .12


def dreams(
    networks: Sequence[dk.Network],
    photos: dict[str, dk.Image],
    settings: dk.Settings | None = None,
    depths: Sequence[float] = DEPTHS,
) -> Iterator[tuple[str, dk.Image]]:
    """Pairs (text, picture): for each photo and network, the photo and its dreams by depth.

    Without `settings` each layer has those that suit it.
    """
    for what, photo in photos.items():
        for network in networks:
            yield f"{what}, {network.name}", photo
            for depth in depths:
                layer = dk.layer_at(network, depth)
                suited = settings or dk.settings_for(network, layer)
                yield (
                    f"{what}, {network.name} {layer}",
                    dk.dream(dk.scorer(network, dk.layer(layer)), photo, suited),
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "weights", help="the other network's weights: safetensors, or a PyTorch state dict"
    )
    parser.add_argument("--network", default="squeezenet1_1", help="whose weights these are")
    parser.add_argument(
        "--photos", nargs="+", default=PHOTOS, help=f"files, or samples: {', '.join(dk.samples())}"
    )
    parser.add_argument("--side", type=int, default=320, help="the photos' longest side in pixels")
    parser.add_argument("-o", default="beside.webp", help="the sheet, a WebP file")
    given = parser.parse_args()
    networks = [
        dk.load_network(given.network, weights=given.weights),
        dk.load_network("efficientnet_lite0"),
        dk.load_network("dreamnet"),
        dk.load_network("dreamnet-robust"),
    ]
    photos = {
        name: dk.sample(name, given.side)
        if name in dk.samples()
        else dk.load_image(name, given.side)
        for name in given.photos
    }
    made = {}
    for text, picture in dreams(networks, photos):
        made[text] = picture
        print(text, flush=True)
    sheets.save(sheets.labelled(made, 1 + len(DEPTHS)), given.o)


if __name__ == "__main__":
    main()

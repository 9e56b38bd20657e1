"""How often a network names Tiny ImageNet's pictures right: `python -m benchmarks.accuracy DATA`.

DATA is the folder of Tiny ImageNet (its validation split is read: 200 of ImageNet's classes, 64×64
pixels). The pictures are enlarged to the side that the network was trained on. Some of them may
have been trained on: Tiny ImageNet's validation pictures come from ImageNet's training set.
"""

import argparse

import torch

import dreamkit as dk
from dreamkit.networks.zoo import FOLDER, imagenet_labels
from dreamkit.training.data import read_split

# Seven classes have other names in our list than in ImageNet's.
OTHER_NAMES = {
    "pig": "hog",
    "red panda": "lesser panda",
    "station wagon": "beach wagon",
    "lighthouse": "beacon",
    "memorial tablet": "brass",
    "rickshaw": "jinrikisha",
    "teddy bear": "teddy",
}


def places() -> torch.Tensor:
    """The index among ImageNet's 1,000 classes of each of our 200, which are in the same order."""
    names = (FOLDER / "labels.txt").read_text(encoding="utf-8").split("\n")[:200]
    labels = imagenet_labels()
    found = [labels.index(OTHER_NAMES.get(name, name)) for name in names]
    if found != sorted(found):
        raise ValueError("the two lists of classes are not in the same order")
    return torch.tensor(found)


def accuracy(network: dk.Network, data: str, every: int, batch: int = 25) -> dict[str, float]:
    """Shares of the pictures: the class first, or in the first five, among all or among the 200."""
    split, ours = read_split(data, "val"), places()
    pictures, labels = split.pictures[::every], split.labels[::every]
    if len(network.labels) == len(ours):
        ours = torch.arange(len(ours))
    right = torch.zeros(3)
    for part, truth in zip(pictures.split(batch), labels.split(batch), strict=True):
        image = dk.resize(part.float() / 255, (network.side,) * 2, "bicubic").clamp(0, 1)
        with torch.no_grad():
            logits = dk.capture(network, image, "")[""]
        wanted = ours[truth][:, None]
        best = logits.topk(5).indices
        right += torch.stack(
            [
                (best[:, :1] == wanted).sum(),
                (best == wanted).sum(),
                (logits[:, ours].argmax(1) == truth).sum(),
            ]
        )
    first, five, of_ours = (right / len(labels)).tolist()
    return {"first": first, "first five": five, "first of the 200": of_ours}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="the folder of Tiny ImageNet")
    parser.add_argument("--network", nargs="+", default=["efficientnet_lite0", "dreamnet"])
    parser.add_argument("--every", type=int, default=5, help="take every so many pictures")
    given = parser.parse_args()
    for name in given.network:
        shares = accuracy(dk.load_network(name), given.data, given.every)
        print(name, ", ".join(f"{what} {share:.1%}" for what, share in shares.items()), flush=True)

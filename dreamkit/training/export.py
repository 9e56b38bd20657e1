"""Checkpoints in, shipped weights out: BatchNorm folded, float16, one safetensors file and one line of the manifest each."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..networks.dreamnet import MEAN, STD, DreamNet, fold

WEIGHTS = Path(__file__).parent.parent / "weights"
SHORT = {  # where another of a class's names, or our own shorter one, says more than the first
    "beacon": "lighthouse",
    "beach wagon": "station wagon",
    "brass": "memorial tablet",
    "hog": "pig",
    "jinrikisha": "rickshaw",
    "lesser panda": "red panda",
    "teddy": "teddy bear",
}


def load_checkpoint(path: str | Path) -> DreamNet:
    """The DreamNet of a checkpoint in evaluation mode, with its BatchNorm if it has one, else folded; float32.

    Reads the averaged weights of `dreamkit.training.train`, the shipped files and the first (pilot) run's checkpoints,
    whose blocks were called `i3a.b2.0.0` where GoogLeNet says `inception3a.branch2.0.conv`.
    """
    tensors = {
        full_name(key): value.float()
        for key, value in load_file(path).items()
        if key not in ("mean", "std")
    }
    network = DreamNet(tensors["fc.bias"].numel(), folded="conv1.bn.weight" not in tensors)
    missing = (
        set(network.state_dict())
        - set(tensors)
        - {key for key in network.state_dict() if key.endswith("num_batches_tracked")}
    )
    unknown = set(tensors) - set(network.state_dict())
    if missing or unknown:
        raise ValueError(
            f"{path} is no DreamNet: {len(missing)} tensors missing, {len(unknown)} unknown {sorted(unknown)[:3]}"
        )
    network.load_state_dict(tensors, strict=False)
    return network.eval()


def full_name(key: str) -> str:
    """The key with GoogLeNet's block names: `i3a.b2.0.1.bias` becomes `inception3a.branch2.0.bn.bias`; full names stay."""
    if not re.match(r"(i\d[a-e]\.b\d|conv\d(\.\d)?\.[01]\.(weight|bias|running|num))", key):
        return key
    key = re.sub(r"^i(\d[a-e])\.b(\d)\.", r"inception\1.branch\2.", key)
    return re.sub(
        r"\.([01])\.(\w+)$", lambda found: f".{('conv', 'bn')[int(found[1])]}.{found[2]}", key
    )


def export(checkpoint: str | Path, name: str, folder: Path = WEIGHTS) -> Path:
    """The path of `folder/name.safetensors`, written with the keys of `DreamNet(folded=True)`, and entered in `manifest.json`."""
    network = load_checkpoint(checkpoint)
    folded = network if network.conv1.conv.bias is not None else fold(network)
    tensors: dict[str, Tensor] = {
        key: value.half().contiguous() for key, value in folded.state_dict().items()
    }
    if not all(value.isfinite().all() for value in tensors.values()):
        raise ValueError(f"{checkpoint}: some folded weights do not fit float16")
    folder.mkdir(parents=True, exist_ok=True)
    path, manifest = folder / f"{name}.safetensors", folder / "manifest.json"
    save_file(tensors, path)
    path.chmod(0o644)
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    entries[name] = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "mean": list(MEAN),
        "std": list(STD),
    }
    manifest.write_text(json.dumps(dict(sorted(entries.items())), indent=2) + "\n")
    return path


def write_labels(classes: Path, folder: Path = WEIGHTS) -> list[str]:
    """One short name a class in label order, written to `folder/labels.txt`, from lines of wnid, tab and comma-separated names."""
    names = [
        line.split("\t")[1].split(",")[0].strip()
        for line in classes.read_text().splitlines()
        if line.strip()
    ]
    labels = [SHORT.get(name, name) for name in names]
    if len(set(labels)) != len(labels):
        raise ValueError(f"{classes}: two classes have the same short name")
    (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    return labels


def largest_difference(network: DreamNet, other: DreamNet, side: int = 64, seed: int = 0) -> float:
    """The largest difference of the two networks' logits on eight standardised noise pictures."""
    pictures = torch.randn(8, 3, side, side, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return float((network(pictures) - other(pictures)).abs().max())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m dreamkit.training.export", description=__doc__)
    parser.add_argument(
        "checkpoint",
        type=Path,
        help="a .safetensors of dreamkit.training.train or of the pilot run",
    )
    parser.add_argument("name", help="dreamnet or dreamnet-robust")
    parser.add_argument(
        "--classes", type=Path, help="Tiny ImageNet's class list; writes labels.txt too"
    )
    given = parser.parse_args(arguments)
    path = export(given.checkpoint, given.name)
    trained, shipped = load_checkpoint(given.checkpoint), load_checkpoint(path)
    print(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB; logits differ by at most {largest_difference(trained, shipped):.4f} in float16"
    )
    if trained.conv1.conv.bias is None:
        print(f"folding alone: {largest_difference(trained, fold(trained)):.1e}")
    if given.classes:
        print(f"{len(write_labels(given.classes))} labels")


if __name__ == "__main__":
    main()

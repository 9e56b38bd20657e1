"""Makes shipped weights of a checkpoint: BatchNorm folded, float16, with a line of the manifest."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ..networks.dreamnet import MEAN, STD, DreamNet, fold
from ..networks.zoo import FOLDER as WEIGHTS

# Where another name of a class, or a shorter one of our own, says more than the first.
SHORT = {
    "beacon": "lighthouse",
    "beach wagon": "station wagon",
    "brass": "memorial tablet",
    "hog": "pig",
    "jinrikisha": "rickshaw",
    "lesser panda": "red panda",
    "teddy": "teddy bear",
}


def load_checkpoint(path: str | Path) -> DreamNet:
    """The DreamNet of a checkpoint, float32 and in evaluation mode, folded only if the file is.

    Reads checkpoints of `dreamkit.training.train`, the shipped files, and checkpoints of the first
    (pilot) run, which have other names (see `full_name`). Raises ValueError for any other file.
    """
    stored = {key: value for key, value in load_file(path).items() if key not in ("mean", "std")}
    tensors = {full_name(key): value.float() for key, value in stored.items()}
    network = DreamNet(tensors["fc.bias"].numel(), folded="conv1.bn.weight" not in tensors)
    needed = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    missing, unknown = needed - set(tensors), set(tensors) - set(network.state_dict())
    if missing or unknown:
        raise ValueError(
            f"{path} is not a DreamNet: {len(missing)} tensors missing, "
            f"{len(unknown)} unknown {sorted(unknown)[:3]}"
        )
    network.load_state_dict(tensors, strict=False)
    return network.eval()


def full_name(key: str) -> str:
    """The key with GoogLeNet's block names, in place of the pilot run's.

    >>> full_name("i3a.b2.0.1.bias"), full_name("inception3a.branch2.0.bn.bias")
    ('inception3a.branch2.0.bn.bias', 'inception3a.branch2.0.bn.bias')
    """
    if not re.match(r"(i\d[a-e]\.b\d|conv\d(\.\d)?\.[01]\.(weight|bias|running|num))", key):
        return key
    key = re.sub(r"^i(\d[a-e])\.b(\d)\.", r"inception\1.branch\2.", key)
    kinds = ("conv", "bn")
    return re.sub(r"\.([01])\.(\w+)$", lambda found: f".{kinds[int(found[1])]}.{found[2]}", key)


def export(checkpoint: str | Path, name: str, folder: Path = WEIGHTS) -> Path:
    """Writes `folder/name.safetensors` and its entry in `manifest.json`; returns the path.

    Raises ValueError if some folded weights do not fit float16.
    """
    network = load_checkpoint(checkpoint)
    folded = network if network.conv1.conv.bias is not None else fold(network)
    tensors = {key: value.half().contiguous() for key, value in folded.state_dict().items()}
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
    """Writes one short name for each class to `folder/labels.txt` and returns them, in label order.

    A line of `classes` is a wnid, a tab and names with commas between. Raises ValueError if two
    classes have the same short name.
    """
    rows = [line.split("\t") for line in classes.read_text().splitlines() if line.strip()]
    names = [row[1].split(",")[0].strip() for row in rows]
    labels = [SHORT.get(name, name) for name in names]
    if len(set(labels)) != len(labels):
        raise ValueError(f"{classes}: two classes have the same short name")
    (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    return labels


def largest_difference(network: DreamNet, other: DreamNet) -> float:
    """The largest difference between two networks' logits on eight pictures of noise."""
    pictures = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return float((network(pictures) - other(pictures)).abs().max())


def main(arguments: list[str] | None = None) -> None:
    """The command line: exports a checkpoint and says what float16 and folding changed."""
    parser = argparse.ArgumentParser(prog="python -m dreamkit.training.export", description=__doc__)
    add = parser.add_argument
    add("checkpoint", type=Path, help="a .safetensors file of training or of the pilot run")
    add("name", help="dreamnet or dreamnet-robust")
    add("--classes", type=Path, help="Tiny ImageNet's class list; writes labels.txt too")
    given = parser.parse_args(arguments)
    path = export(given.checkpoint, given.name)
    trained, shipped = load_checkpoint(given.checkpoint), load_checkpoint(path)
    size, change = path.stat().st_size / 1e6, largest_difference(trained, shipped)
    print(f"{path}: {size:.1f} MB; logits differ by at most {change:.4f} in float16")
    if trained.conv1.conv.bias is None:
        print(f"folding alone: {largest_difference(trained, fold(trained)):.1e}")
    if given.classes:
        print(f"{len(write_labels(given.classes))} labels")


if __name__ == "__main__":
    main()

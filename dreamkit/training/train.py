"""Training and evaluation of DreamNet: `python -m dreamkit.training.train DATA --run FOLDER` and `… DATA --evaluate dreamnet`.

SGD with Nesterov momentum on one cycle of the learning rate, label smoothing, an exponential moving average of the
weights, bfloat16 where the machine has arithmetic for it. `--robust 0.75` trains on pictures that projected gradient
descent has made as wrong as it can within that L2 distance (Madry et al., "Towards deep learning models resistant to
adversarial attacks", 2018).
Every random choice of step n is drawn from a generator seeded with n, so a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..networks.dreamnet import MEAN, STD, DreamNet
from ..networks.precision import fast_precision
from .data import Split, augment, read_split
from .export import WEIGHTS, load_checkpoint

COLUMNS = ("epoch", "side", "rate", "loss", "train_accuracy", "val_accuracy", "seconds")
PRECISIONS = ("float32", "bfloat16", "auto")


@dataclass(frozen=True)
class Recipe:
    """What makes a run: two runs of the same recipe on one machine end with the same weights (but for `minutes`)."""

    epochs: int = 14
    batch: int = 128
    rate: float = 0.25  # peak learning rate
    warmup: float = 0.2  # share of the run in which the rate rises
    size: int = 64  # pixels
    small_size: int = 48  # for the first `small_epochs`: two thirds faster
    small_epochs: float = 7
    epoch_pictures: int = 0  # how many pictures, drawn anew each time, an epoch is; 0: all
    smallest_crop: float = 0.65  # share of the area
    smoothing: float = 0.1  # of labels
    weight_decay: float = 5e-4  # of weights of two or more dimensions
    average: float = 0.999  # decay of the moving average
    robust: float = (
        0.0  # L2 radius of the attack in [0, 1] pixel units over the whole picture; 0: none
    )
    attack_steps: int = 1
    precision: str = "auto"  # of the arithmetic, by autocast: float32, bfloat16, or auto
    minutes: float = 0.0  # if given, the cycle runs by the clock and ends then: for busy machines, not repeatable
    seed: int = 0

    def rate_at(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1]: up in a line, then down in half a cosine."""
        if progress < self.warmup:
            return self.rate * (0.04 + 0.96 * progress / self.warmup)
        return (
            self.rate
            * 0.5
            * (1 + math.cos(math.pi * min(1.0, (progress - self.warmup) / (1 - self.warmup))))
        )

    def side_at(self, progress: float) -> int:
        return self.small_size if progress * self.epochs < self.small_epochs else self.size


def standardise(pictures: Tensor) -> Tensor:
    """Pictures in [0, 1] as the network takes them, channels-last."""
    mean, std = (
        torch.tensor(values, device=pictures.device).view(1, 3, 1, 1) for values in (MEAN, STD)
    )
    return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)


def attack(
    network: nn.Module,
    pictures: Tensor,
    labels: Tensor,
    radius: float,
    steps: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Pictures in [0, 1] at most `radius` (L2 over the whole picture) away, on which the network's loss is high.

    Projected gradient ascent: each step goes 2.5 `radius` / `steps` along the gradient (1.25 `radius` if it is the only one),
    then back into the ball and into [0, 1]. With a generator it starts from a random place in the ball, else from the pictures.
    """
    size = radius * min(1.25, 2.5 / steps)
    moved = pictures
    if generator is not None:
        moved = project(
            pictures + torch.randn(pictures.shape, generator=generator).to(pictures.device),
            pictures,
            radius,
        )
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(
            F.cross_entropy(network(standardise(moved)).float(), labels, reduction="sum"), moved
        )
        length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
        moved = project(moved.detach() + size * gradient / length, pictures, radius)
    return moved


def project(moved: Tensor, pictures: Tensor, radius: float) -> Tensor:
    """The nearest points of the L2 balls about the pictures, then of [0, 1]; the second never leaves the first."""
    change = moved - pictures
    length = change.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
    return (pictures + change * (radius / length).clamp(max=1)).clamp(0, 1)


def accuracy(
    network: nn.Module,
    split: Split,
    radius: float = 0.0,
    steps: int = 20,
    side: int = 0,
    batch: int = 250,
    precision: str = "float32",
) -> float:
    """The share of pictures whose highest logit is their label's; with `radius`, after a PGD attack of that radius and so many steps.

    With `side` the pictures are first resized to so many pixels.
    """
    device, right = next(network.parameters()).device, 0
    was_training = network.training
    network.eval()
    for at in tqdm(
        range(0, len(split.labels), batch),
        desc="evaluating",
        leave=False,
        mininterval=bar_interval(),
    ):
        pictures = split.pictures[at : at + batch].to(device).float() / 255
        pictures = F.interpolate(pictures, size=(side, side), mode="bilinear") if side else pictures
        labels = split.labels[at : at + batch].to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            if radius:
                pictures = attack(network, pictures, labels, radius, steps)
            with torch.no_grad():
                right += int((network(standardise(pictures)).argmax(1) == labels).sum())
    network.train(was_training)
    return right / len(split.labels)


class Training:
    """A run in its folder: `state.pt` to go on from, `epoch-NN.safetensors` (averaged weights) and `log.csv`."""

    def __init__(
        self,
        recipe: Recipe,
        network: nn.Module,
        train: Split,
        val: Split,
        folder: Path,
        device: str = "cpu",
    ):
        self.recipe, self.train, self.val, self.folder, self.device = (
            recipe,
            train.to(device),
            val,
            folder,
            torch.device(device),
        )
        if recipe.precision not in PRECISIONS:
            raise ValueError(
                f"precision must be one of {', '.join(PRECISIONS)}; given: {recipe.precision!r}"
            )
        self.precision = (
            fast_precision(self.device) if recipe.precision == "auto" else recipe.precision
        )
        self.network = network.to(self.device, memory_format=torch.channels_last).train()
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        weights = [p for p in network.parameters() if p.dim() > 1]
        others = [
            p for p in network.parameters() if p.dim() <= 1
        ]  # biases and BatchNorm: no weight decay
        groups = [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
        self.steps_an_epoch = max(1, (recipe.epoch_pictures or len(train.labels)) // recipe.batch)
        self.step, self.elapsed, self.loss, self.right = 0, 0.0, 0.0, 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.pt").exists():
            self.load()

    @property
    def progress(self) -> float:
        """How much of the cycle has passed, in [0, 1]."""
        by_steps = self.step / (self.steps_an_epoch * self.recipe.epochs)
        return (
            min(1.0, max(by_steps, self.elapsed / (60 * self.recipe.minutes)))
            if self.recipe.minutes
            else by_steps
        )

    def run(self, save_every: int = 200, stop_at: int | None = None) -> Path:
        """The path of the last averaged weights. `stop_at` (a step) ends early, as a power cut would, but saved."""
        if self.step == 0:
            self.snapshot(0)
        order, begun = None, time.monotonic() - self.elapsed
        bar = tqdm(
            total=self.steps_an_epoch * self.recipe.epochs,
            initial=self.step,
            mininterval=bar_interval(),
            unit=" steps",
        )
        while self.progress < 1 and self.step != stop_at:
            epoch, at = divmod(self.step, self.steps_an_epoch)
            if order is None or at == 0:
                order = torch.randperm(
                    len(self.train.labels), generator=seeded(self.recipe.seed, -1 - epoch)
                )
            self.one_step(order[at * self.recipe.batch : (at + 1) * self.recipe.batch])
            self.step, self.elapsed = self.step + 1, time.monotonic() - begun
            bar.set_description(
                f"epoch {epoch + 1}, loss {self.loss / (at + 1):.3f}", refresh=False
            )
            bar.update()
            if ended := at + 1 == self.steps_an_epoch or self.progress == 1:
                self.finish_epoch(epoch + 1)
            if ended or self.step % save_every == 0 or self.step == stop_at:
                self.save()
        bar.close()
        return self.folder / f"epoch-{math.ceil(self.step / self.steps_an_epoch):02d}.safetensors"

    def one_step(self, indices: Tensor) -> None:
        """Augment, attack if asked, one step of SGD, and the moving average."""
        recipe, generator = self.recipe, seeded(self.recipe.seed, self.step)
        indices = indices.to(self.device) if self.device.type != "cpu" else indices
        labels = self.train.labels[indices]
        pictures = augment(
            self.train.pictures[indices],
            recipe.side_at(self.progress),
            generator,
            recipe.smallest_crop,
        )
        with (
            torch.random.fork_rng(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))  # for dropout
            if recipe.robust:
                pictures = self.attacked(pictures, labels, generator)
            logits = self.network(standardise(pictures)).float()
            loss = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate_at(self.progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.update_average()
        self.loss, self.right = (
            self.loss + float(loss.detach()),
            self.right + int((logits.argmax(1) == labels).sum()),
        )

    def attacked(self, pictures: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures after PGD against the network as it is now, with BatchNorm's fixed numbers and no weight gradients."""
        self.network.eval().requires_grad_(False)
        moved = attack(
            self.network, pictures, labels, self.recipe.robust, self.recipe.attack_steps, generator
        )
        self.network.train().requires_grad_(True)
        return moved

    def update_average(self) -> None:
        """Moves the average towards the weights (and BatchNorm's numbers); faster in the first steps, when it knows little."""
        share = 1 - min(self.recipe.average, (1 + self.step) / (10 + self.step))
        source = self.network.state_dict()
        for key, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(source[key], share)
            else:
                value.copy_(source[key])

    def finish_epoch(self, epoch: int) -> None:
        """Saves the averaged weights and adds the epoch's line to the log."""
        self.snapshot(epoch)
        steps = self.step - (epoch - 1) * self.steps_an_epoch
        measured = accuracy(
            self.averaged, self.val, side=self.recipe.size, precision=self.precision
        )
        row = (
            epoch,
            self.recipe.side_at(self.progress),
            self.optimizer.param_groups[0]["lr"],
            self.loss / steps,
            self.right / (steps * self.recipe.batch),
            measured,
            self.elapsed,
        )
        write_log(self.folder / "log.csv", row)
        self.loss, self.right = 0.0, 0

    def snapshot(self, epoch: int) -> None:
        tensors = {key: value.contiguous() for key, value in self.averaged.state_dict().items()}
        save_file(tensors, self.folder / f"epoch-{epoch:02d}.safetensors")

    def save(self) -> None:
        """Writes `state.pt`, whole or not at all."""
        state = {
            "recipe": asdict(self.recipe),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            "loss": self.loss,
            "right": self.right,
        }
        part = self.folder / "state.part"
        torch.save(state, part)
        part.replace(self.folder / "state.pt")

    def load(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        ours, theirs = (
            asdict(self.recipe) | {"minutes": 0},
            asdict(Recipe()) | state["recipe"] | {"minutes": 0},
        )
        if other := [name for name in ours if ours[name] != theirs[name]]:
            raise ValueError(
                f"{self.folder} holds a run with {other[0]} {theirs[other[0]]}, given {ours[other[0]]}: choose another --run"
            )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed, self.loss, self.right = (
            state[name] for name in ("step", "elapsed", "loss", "right")
        )


def new_network(classes: int, seed: int, init: Path | None = None) -> DreamNet:
    """A DreamNet as it is born, or that of a checkpoint. ValueError for a checkpoint that cannot be trained on these classes."""
    if init is None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return DreamNet(classes)
    network = load_checkpoint(init)
    if network.conv1.conv.bias is not None:
        raise ValueError(f"{init} is folded; training needs a checkpoint with its BatchNorm")
    if network.fc.out_features != classes:
        raise ValueError(f"{init} knows {network.fc.out_features} classes, the data have {classes}")
    return network


def write_log(path: Path, row: tuple) -> None:
    """Adds a line to the CSV; one of the same or a later epoch, from before a stop, is dropped."""
    rows = list(csv.reader(path.read_text().splitlines()))[1:] if path.exists() else []
    rows = [old for old in rows if int(old[0]) < row[0]] + [
        [f"{value:.6g}" if isinstance(value, float) else value for value in row]
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def seeded(seed: int, step: int) -> torch.Generator:
    """A generator of its own for every step of every seed."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)


def bar_interval() -> float:
    return 0.5 if sys.stderr.isatty() else 60.0


def find_weights(name_or_file: str) -> Path:
    """The path of a shipped network by its name, or of a checkpoint by its path."""
    for path in (WEIGHTS / f"{name_or_file}.safetensors", Path(name_or_file)):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.stem for path in WEIGHTS.glob("dreamnet*.safetensors")))
    raise ValueError(f"no network or file {name_or_file!r}; shipped: {shipped}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dreamkit.training.train", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "data",
        type=Path,
        help="folder with Tiny ImageNet: the official one, or zips of train/<wnid>/… and val/<wnid>/…",
    )
    parser.add_argument(
        "--run",
        type=Path,
        default=Path("runs/dreamnet"),
        help="folder of the run; one with a state.pt goes on",
    )
    parser.add_argument("--init", type=Path, help="checkpoint to start from")
    parser.add_argument("--cache", type=Path, help="folder for decoded pictures (1.2 GB)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--evaluate",
        metavar="NAME_OR_FILE",
        help="print the top-1 accuracy on the validation pictures and end",
    )
    parser.add_argument(
        "--attack",
        type=int,
        default=0,
        metavar="N",
        help="with --evaluate: also under 20-step PGD, L2 0.5, on N pictures",
    )
    for field in fields(Recipe):
        parser.add_argument(
            "--" + field.name.replace("_", "-"), type=type(field.default), default=field.default
        )
    given = parser.parse_args(arguments)
    try:
        val = read_split(given.data, "val", given.cache)
        if given.evaluate:
            return evaluate(given, val)
        recipe = Recipe(**{field.name: getattr(given, field.name) for field in fields(Recipe)})
        train = read_split(given.data, "train", given.cache)
        network = new_network(len(train.classes), recipe.seed, given.init)
        last = Training(recipe, network, train, val, given.run, given.device).run()
        print(f"{last}: top-1 {accuracy(load_checkpoint(last).to(given.device), val):.2%}")
    except ValueError as error:
        parser.exit(2, f"{error}\n")


def evaluate(given: argparse.Namespace, val: Split) -> None:
    network = (
        load_checkpoint(find_weights(given.evaluate))
        .to(given.device, memory_format=torch.channels_last)
        .requires_grad_(False)
    )
    print(
        f"{given.evaluate}: top-1 {accuracy(network, val):.2%} of {len(val.labels)} validation pictures"
    )
    if given.attack:
        spread = torch.randperm(len(val.labels), generator=seeded(0, 0))[
            : given.attack
        ]  # the pictures lie sorted by class
        some = Split(val.pictures[spread], val.labels[spread], val.classes)
        print(
            f"under 20-step PGD, L2 radius 0.5: {accuracy(network, some, radius=0.5):.2%} of {len(some.labels)}"
        )


if __name__ == "__main__":
    main()

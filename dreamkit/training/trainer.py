"""A training run in its folder: steps of SGD, averaged weights, a log, a state to continue from.

All random choices of step n come from a generator seeded with n, so that a stopped run continues
exactly as if it had not been stopped.
"""

from __future__ import annotations

import copy
import csv
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..networks.precision import fast_precision
from .data import Split, augment
from .evaluation import accuracy, attack, bar_interval, standardize
from .schedule import TrainingSettings
from .seeds import global_seed, seeded

COLUMNS = ("epoch", "side", "rate", "loss", "train_accuracy", "val_accuracy", "seconds")
_COUNTERS = ("step", "elapsed", "loss", "right")  # loss and right: sums over the present epoch


class Training:
    """A run in a folder with `state.pt`, `log.csv` and `epoch-NN.safetensors` (averaged weights).

    settings: those of the run. network: takes standardized pictures and gives logits; it is trained
    in place. train, val: the pictures to train on and to measure the accuracy on. folder: a new
    one, or one with a `state.pt`, from which the run continues. device: "cpu" or "cuda".

    Raises ValueError if the folder holds a run with other settings.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        network: nn.Module,
        train: Split,
        val: Split,
        folder: Path,
        device: str = "cpu",
    ):
        self.settings, self.folder, self.device = settings, folder, torch.device(device)
        self.train, self.val = train.to(device), val
        auto = settings.precision == "auto"
        self.precision = fast_precision(self.device) if auto else settings.precision
        self.network = network.to(self.device, memory_format=torch.channels_last).train()
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = self._make_optimizer()
        pictures = settings.epoch_pictures or len(train.labels)
        self.steps_an_epoch = max(1, pictures // settings.batch)
        self.step, self.elapsed, self.loss, self.right = 0, 0.0, 0.0, 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.pt").exists():
            self.load()

    def _make_optimizer(self) -> torch.optim.Optimizer:
        parameters = list(self.network.parameters())
        weights = [p for p in parameters if p.dim() > 1]
        others = [p for p in parameters if p.dim() <= 1]  # biases and BatchNorm: no weight decay
        groups = [
            {"params": weights, "weight_decay": self.settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.SGD(groups, lr=self.settings.rate, momentum=0.9, nesterov=True)

    @property
    def progress(self) -> float:
        """The share of the run that has passed, in [0, 1], by steps or by the clock."""
        by_steps = self.step / (self.steps_an_epoch * self.settings.epochs)
        by_clock = self.elapsed / (60 * self.settings.minutes) if self.settings.minutes else 0.0
        return min(1.0, max(by_steps, by_clock))

    def run(self, save_every: int = 200, stop_at: int | None = None) -> Path:
        """Trains to the end and returns the path of the last averaged weights.

        Saves the state every `save_every` steps. Stops early, saved, at step `stop_at`.
        """
        if self.step == 0:
            self.snapshot(0)
        order, began = None, time.monotonic() - self.elapsed
        total = self.steps_an_epoch * self.settings.epochs
        bar = tqdm(total=total, initial=self.step, mininterval=bar_interval(), unit=" steps")
        while self.progress < 1 and self.step != stop_at:
            epoch, i = divmod(self.step, self.steps_an_epoch)
            if order is None or i == 0:
                generator = seeded(self.settings.seed, -1 - epoch)
                order = torch.randperm(len(self.train.labels), generator=generator)
            self.one_step(order[i * self.settings.batch : (i + 1) * self.settings.batch])
            self.step, self.elapsed = self.step + 1, time.monotonic() - began
            bar.set_description(f"epoch {epoch + 1}, loss {self.loss / (i + 1):.3f}", refresh=False)
            bar.update()
            if ended := i + 1 == self.steps_an_epoch or self.progress == 1:
                self.finish_epoch(epoch + 1)
            if ended or self.step % save_every == 0 or self.step == stop_at:
                self.save()
        bar.close()
        return self.folder / f"epoch-{math.ceil(self.step / self.steps_an_epoch):02d}.safetensors"

    def one_step(self, indices: Tensor) -> None:
        """One step of SGD on the pictures with these indices, and one of the moving average."""
        settings, generator = self.settings, seeded(self.settings.seed, self.step)
        indices = indices.to(self.device)
        labels, side = self.train.labels[indices], settings.side_at(self.progress)
        crop = settings.smallest_crop
        pictures = augment(self.train.pictures[indices], side, generator, crop)
        bfloat16 = self.precision == "bfloat16"
        with (
            global_seed(int(torch.randint(2**62, (), generator=generator))),  # for dropout
            torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16),
        ):
            if settings.robust:
                pictures = self._attacked(pictures, labels, generator)
            logits = self.network(standardize(pictures)).float()
            loss = F.cross_entropy(logits, labels, label_smoothing=settings.smoothing)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate_at(self.progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self._average()
        self.loss += float(loss.detach())
        self.right += int((logits.argmax(1) == labels).sum())

    def _attacked(self, pictures: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures after an attack on the network as it is in evaluation."""
        self.network.eval().requires_grad_(False)
        radius, steps = self.settings.robust, self.settings.attack_steps
        moved = attack(self.network, pictures, labels, radius, steps, generator)
        self.network.train().requires_grad_(True)
        return moved

    def _average(self) -> None:
        """Moves the averaged weights and BatchNorm statistics towards the present ones.

        The share is larger in the first steps, when the average still holds the initial weights.
        """
        share = 1 - min(self.settings.average, (1 + self.step) / (10 + self.step))
        present = self.network.state_dict()
        for key, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(present[key], share)
            else:
                value.copy_(present[key])

    def finish_epoch(self, epoch: int) -> None:
        """Saves the averaged weights and adds the epoch's line to the log."""
        self.snapshot(epoch)
        settings, steps = self.settings, self.step - (epoch - 1) * self.steps_an_epoch
        row = (
            epoch,
            settings.side_at(self.progress),
            self.optimizer.param_groups[0]["lr"],
            self.loss / steps,
            self.right / (steps * settings.batch),
            accuracy(self.averaged, self.val, side=settings.size, precision=self.precision),
            self.elapsed,
        )
        write_log(self.folder / "log.csv", row)
        self.loss, self.right = 0.0, 0

    def snapshot(self, epoch: int) -> None:
        """Writes the averaged weights."""
        tensors = {key: value.contiguous() for key, value in self.averaged.state_dict().items()}
        save_file(tensors, self.folder / f"epoch-{epoch:02d}.safetensors")

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """What has a state of its own, by its key in `state.pt`."""
        return {"network": self.network, "averaged": self.averaged, "optimizer": self.optimizer}

    def save(self) -> None:
        """Writes `state.pt`, whole or not at all; its key "recipe" holds the settings."""
        state = {"recipe": asdict(self.settings)}
        state |= {name: part.state_dict() for name, part in self._parts().items()}
        state |= {name: getattr(self, name) for name in _COUNTERS}
        part = self.folder / "state.part"
        torch.save(state, part)
        part.replace(self.folder / "state.pt")

    def load(self) -> None:
        """Reads `state.pt`. Raises ValueError if it has other settings; `minutes` may differ."""
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        theirs = asdict(TrainingSettings()) | state["recipe"]
        for name, ours in asdict(self.settings).items():
            if ours != theirs[name] and name != "minutes":
                raise ValueError(
                    f"{self.folder} holds a run with {name} {theirs[name]}, given {ours}: "
                    "choose another --run"
                )
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        for name in _COUNTERS:
            setattr(self, name, state[name])


def write_log(path: Path, row: tuple) -> None:
    """Adds a line to the CSV file, in place of lines of the same or later epochs."""
    rows = list(csv.reader(path.read_text().splitlines()))[1:] if path.exists() else []
    rows = [old for old in rows if int(old[0]) < row[0]]
    rows.append([f"{value:.6g}" if isinstance(value, float) else value for value in row])
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])

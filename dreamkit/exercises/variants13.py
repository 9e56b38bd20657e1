"""What students write in lesson 13: the right functions, with options that make known mistakes."""

from __future__ import annotations

import torch

from .checking import close, near, normal


def neighbours(picture, centre=True, divide=True, down=False):
    """The correlation of neighbours; the options leave out a part of it or look down the rows."""
    picture = picture.mT if down else picture
    a, b = picture[..., :-1], picture[..., 1:]
    if centre:
        a, b = a - a.mean(), b - b.mean()
    size = (a.square().mean() * b.square().mean()).sqrt() if divide else 1
    return float((a * b).mean() / size)


def striped(kind: str) -> torch.Tensor:
    """A picture [1, 3, 24, 24] of equal rows ("lines"), equal columns ("bars"), noise or a ramp."""
    size = {"lines": (1, 3, 24, 1), "bars": (1, 3, 1, 24), "noise": (1, 3, 24, 24)}.get(kind)
    if size is None:
        return torch.linspace(0.1, 0.4, 24).expand(1, 3, 24, 24).contiguous()
    generator = torch.Generator().manual_seed(0)
    return (0.6 + 0.3 * torch.rand(size, generator=generator)).expand(1, 3, 24, 24).contiguous()


def agree_like(answer, other, kinds=("lines", "bars", "noise"), within=1e-4) -> bool:
    return all(near(answer(striped(kind)), other(striped(kind)), within) for kind in kinds)


def weights(height, width, power=1.0, squared=True, whole=False, floor=True):
    """1 / frequency of each coefficient; the options make the mistakes that students make."""
    columns = torch.fft.fftfreq(width) if whole else torch.fft.rfftfreq(width)
    frequency = torch.fft.fftfreq(height)[:, None].square() + columns.square()
    frequency = frequency.sqrt() if squared else frequency
    return 1 / frequency.clamp(min=1 / max(height, width) if floor else 1e-9) ** power


def alike(given, wanted) -> bool:
    """Whether two tensors agree relative to the greatest value."""
    return close(given / wanted.max(), wanted / wanted.max())


def ascent(
    score, held, paint, look, steps, rate, uphill=-1, clear=True, view=None, end=lambda x, held: x
):
    """Adam on what `paint` makes a picture of; the options make the mistakes of students."""
    held = held.clone().requires_grad_()
    optimizer = torch.optim.Adam([held], rate)
    for step in range(steps):
        if clear:
            optimizer.zero_grad()
        seen = (view or look)(paint(held), step)
        (uphill * score(seen)).backward()
        optimizer.step()
    return end(paint(held), held).detach()


def variant(**options):
    return lambda *given: ascent(*given, **options)


def tilted(image: torch.Tensor) -> torch.Tensor:
    """A score whose gradient differs from pixel to pixel and with the picture."""
    weights = torch.linspace(-1, 2, image.numel()).reshape(image.shape)
    return (weights * image.sin()).sum() - image.square().sum()


def rolled(image: torch.Tensor, step: int) -> torch.Tensor:
    return image.roll(step, -1)[..., :-1, :]


HELD = normal(1, 3, 5, 6, seed=3)
TRIAL = (tilted, HELD, torch.sigmoid, rolled, 4, 0.1)


def place(logits, index, mean=lambda logits: logits.softmax(1).mean(0), first=0):
    odds = mean(logits)
    return first + int((odds > odds[index]).sum())


def views(classes: int, views: int, seed: int) -> torch.Tensor:
    """Logits of some views [V, C]: a loud one, which decides if logits are averaged."""
    logits = 3 * normal(views, classes, seed=seed)
    logits[0] *= 6
    return logits


def places(answer) -> list[int]:
    return [int(answer(views(9, 5, seed), index)) for seed in range(4) for index in range(9)]

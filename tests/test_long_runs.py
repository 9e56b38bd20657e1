"""Long runs leave nothing behind: memory stays flat, hooks and threads count back to none."""

import threading
from itertools import islice

import pytest
import torch

import dreamkit as dk

psutil = pytest.importorskip("psutil")
pytestmark = pytest.mark.slow


def hooks(module: torch.nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
        for m in module.modules()
    )


def test_a_long_zoom_keeps_its_memory(dreamnet):
    """Stands for an hour: 400 frames, of which the first 100 warm up; the rest may add 2 %."""
    process, threads = psutil.Process(), threading.active_count()
    settings = dk.Settings(steps=1, octaves=2, jitter=4)
    frames = dk.film.zooming(
        dk.scorer(dreamnet, dk.layer("inception3a")),
        dk.sample("clouds", 64),
        settings,
        frames=400,
        fps=30,
    )
    for _ in islice(frames, 100):
        pass
    before = process.memory_info().rss
    for _ in frames:
        pass
    grown = process.memory_info().rss / before - 1
    print(f"300 frames more: resident memory {before / 2**20:.0f} MiB, {grown:+.2%}")
    assert grown < 0.02
    assert hooks(dreamnet.module) == 0 and threading.active_count() == threads


def test_two_hundred_panels_leave_none(dreamnet):
    ipywidgets = pytest.importorskip("ipywidgets")
    registry, photo = ipywidgets.widgets.widget._instances, dk.sample("chelsea", 48)
    score_steps = dk.Settings(steps=1, octaves=1, jitter=2)
    threads, before = threading.active_count(), len(registry)
    for turn in range(200):
        with dk.widgets.studio(dreamnet, photo, settings=score_steps) as panel:
            if turn % 10 == 0:
                panel.start()
                assert panel.wait(60)
    assert (
        threading.active_count() == threads
        and len(registry) == before
        and hooks(dreamnet.module) == 0
    )

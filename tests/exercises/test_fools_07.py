"""Lesson 07's checks turn down what only looks right: fixed numbers and ignored parameters."""

import dreamkit as dk
from dreamkit.exercises import all_exercises

RELAY, OCTAVES, WORK = (
    all_exercises()[name].solution for name in ("relay", "octaves", "octave_work")
)

FOOLS = {
    "relay: one fixed size": (
        "relay",
        lambda dreamt, base, after: (after + dk.resize(dreamt - base, (24, 32))).clamp(0, 1),
    ),
    "relay: half the detail": (
        "relay",
        lambda dreamt, base, after: RELAY((dreamt + base) / 2, base, after),
    ),
    "relay: the photo": ("relay", lambda dreamt, base, after: after),
    "octaves: three": ("octaves", lambda x, steps, count, ratio: OCTAVES(x, steps, 3, ratio)),
    "octaves: ratio 1.4": ("octaves", lambda x, steps, count, ratio: OCTAVES(x, steps, count, 1.4)),
    "octaves: one": ("octaves", lambda x, steps, count, ratio: steps(x)),
    "octaves: steps ignored": ("octaves", lambda x, steps, count, ratio: x),
    "octave_work: the lesson's number": ("octave_work", lambda count, ratio: WORK(4, 1.4)),
    "octave_work: ratio ignored": ("octave_work", lambda count, ratio: WORK(count, 1.4)),
    "octave_work: known cases": (
        "octave_work",
        lambda count, ratio: {1: 1.0, 2: 1.25, 4: WORK(4, 1.4)}.get(count, 2.0),
    ),
}

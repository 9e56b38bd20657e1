"""Lesson 02: answers that fit the lesson's own case, and nothing else, are turned down."""

import dreamkit as dk


def known_lists(layers):
    """The answers of the check's own lists."""
    asked = {1: {7: 7, 3: 3}, 2: {(1, 1): 5, (2, 1): 7}, 4: 27}[len(layers)]
    if len(layers) == 1:
        return asked[layers[0][0]]
    return asked[tuple(stride for _, stride in layers)] if len(layers) == 2 else asked


def stride_two(layers):
    size, step = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= 2 if stride > 1 else 1
    return size


def five_by_five(photo, row, column, field):
    top, left = 2 * row - 2, 2 * column - 2
    return photo[..., max(0, top) : top + 5, max(0, left) : left + 5]


def square_fields(photo, row, column, field):
    top, _, left, _ = field.box(row, column)
    side = field.size[0]
    return photo[..., max(0, top) : top + side, max(0, left) : left + side]


def of_four_photos(peaks):
    best = peaks.max(0).values
    rest = (peaks.sum(0) - best) / 3
    return (best - rest) / (best + rest)


def second_best(peaks):
    """The runner-up instead of the mean of the others."""
    first, second = peaks.sort(0, descending=True).values[:2]
    return (first - second) / (first + second)


FOOLS = {
    "a table of the lists": ("field", known_lists),
    "every stride is 2": ("field", stride_two),
    "a constant": ("field", lambda layers: 7),
    "field and stride written in": ("patch", five_by_five),
    "square fields only": ("patch", square_fields),
    "the whole photo": ("patch", lambda photo, row, column, field: photo),
    "four photos": ("picky", of_four_photos),
    "the runner-up": ("picky", second_best),
    "always 0": ("picky", lambda peaks: 0 * peaks[0]),
}


def test_answers_written_otherwise_are_accepted():
    def backwards(layers):
        size = 1
        for kernel, stride in reversed(layers):
            size = (size - 1) * stride + kernel
        return size

    def cut(photo, row, column, field):
        top, bottom, left, right = (max(0, edge) for edge in field.box(row, column))
        return photo[:, :, top:bottom, left:right]

    def picky(peaks):
        ordered = peaks.sort(0, descending=True).values
        best, rest = ordered[0], ordered[1:].mean(0)
        return (best - rest) / (best + rest)

    for name, answer in (("field", backwards), ("patch", cut), ("picky", picky)):
        assert dk.exercises.check(name, answer).ok, name

"""The comparisons that the exercises of all lessons share."""

from functools import partial

import torch

import dreamkit as dk
from dreamkit.exercises.checking import close, described, near, on, uses


def test_close_needs_a_tensor_of_the_same_shape_and_values():
    ones = torch.ones(2, 3)
    assert close(ones + 1e-7, ones) and close(ones.double(), ones)
    assert not close(ones + 1e-3, ones) and not close(torch.ones(6), ones) and not close(1.0, ones)


def test_near_takes_numbers_and_tensors_of_one_value():
    assert near(torch.tensor([2.0]), 2) and not near(2.1, 2)


def test_functions_are_compared_on_copies_of_their_arguments():
    zeros = torch.zeros(3)
    same = on(zeros, 2)
    assert same(lambda x, n: x.add_(n), lambda x, n: x + 2)
    assert zeros.sum() == 0
    assert not same(lambda x, n: x, lambda x, n: x + n)


def test_arguments_are_described_by_shape_and_value():
    assert described((torch.zeros(()), torch.zeros(2, 3), len, "a")) == (
        "a tensor of one value, a tensor of 2×3, a function, 'a'"
    )


def test_the_packages_own_function_is_known_however_it_is_wrapped():
    def inside(x):
        return [dk.smooth(part, 1) for part in x]

    ours = (
        dk.smooth,
        partial(dk.smooth, sigma=1),
        lambda x, s: dk.smooth(x, s),
        inside,
    )
    assert all(uses(function, ("smooth",)) for function in ours)
    assert not uses(lambda x: dk.normalize(x), ("smooth",))


def test_a_students_helper_may_have_the_name_of_ours():
    scope = {}
    exec("def smooth(x): return x\ndef mine(x): return smooth(x)", scope)
    assert not uses(scope["mine"], ("smooth",)) and not uses(scope["smooth"], ("smooth",))
    assert not uses(abs, ("smooth",))

"""The comparisons that the exercises of all lessons share."""

import torch

from dreamkit.exercises.checking import close, near, on


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

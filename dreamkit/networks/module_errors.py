"""Errors that a network's module raises: which are about the picture's size."""

from __future__ import annotations

import re
import traceback

from ..checks.out_of_memory import is_out_of_memory

# Errors of a module that may depend on the size of its picture.
MODULE_ERRORS = (RuntimeError, ValueError, AssertionError)

# Torch's messages, then those of torchvision, timm, einops and dreamkit's Layout.
_ABOUT_SIZE = re.compile(
    "Kernel size can't be greater than actual input size|Output size is too small|"
    "mat1 and mat2 shapes cannot be multiplied|must match the (size of tensor|existing size)|"
    "Sizes of tensors must match|stack expects each tensor to be equal size|"
    "is invalid for input of size|don't multiply up to the size of dim|"
    "Padding size should be less than the corresponding input dimension|"
    "Given normalized_shape=|Expected size for first two dimensions of batch2|"
    "with optional 0 dim batch size for input|Input and output sizes should be greater than 0|"
    "Expected more than 1 (spatial element|value per channel)|exceeds dimension size|"
    "does not broadcast with previously seen size|maximum size for tensor at dimension|"
    "calculated shape of the array of sliding blocks|cannot reshape tensor of 0 elements|"
    "non-empty spatial dimensions|Only zero batch or zero channel inputs are supported|"
    "size mismatch, got input|"
    "divisible by|must divide input (height|width) evenly|Wrong image (height|width)! Expected|"
    "doesn't match model|Shape mismatch, can't divide axis|tokens do not fill a grid"
)


def is_about_size(error: Exception) -> bool:
    """Whether torch or a known library gives such an error for a picture of a wrong size.

    >>> is_about_size(RuntimeError("Sizes of tensors must match except in dimension 1."))
    True
    >>> is_about_size(RuntimeError("CUDA error: an illegal memory access was encountered"))
    False
    """
    known = _ABOUT_SIZE.search(str(error)) or _is_assertion_of_a_library(error)
    return bool(known) and not is_out_of_memory(error)


def _is_assertion_of_a_library(error: Exception) -> bool:
    """Whether a model of timm or torchvision asserted something: often without a message."""
    frames = traceback.walk_tb(error.__traceback__)
    names = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in frames]
    names = [name for name in names if name != "torch"]  # torch._assert, and nn.Module's calls
    return isinstance(error, AssertionError) and names[-1:] in (["timm"], ["torchvision"])

"""The published implementations of DeepDream, each one short function made of the same verbs.

    recipe      published as                                  what the next octave starts from
    caffe       google/deepdream, dream.ipynb, 2015           the photo + the enlarged detail
    pytorch     gordicaleksa/pytorch-deepdream, 2020          the whole picture
    tensorflow  TensorFlow's tutorial, plain and tiled, 2019  the whole picture, in 8 bits
    keras       keras-io's example, Chollet, 2020             the whole picture + its lost detail

Each program works in a space of its own: grey levels minus a mean, standardised values, or [-1, 1].
Here every picture stays in [0, 1], and the code states what the space changes:

- a step of s grey levels is s / 255;
- the gradient with respect to (x - mean) / std is std times the gradient with respect to x, and a
  step along it is std times as long;
- in [-1, 1] the gradient and the step are half as large.

Differences of the means cancel in all of them, and resizing commutes with all of them, so the
pictures are the published ones up to the rounding of the last digit. `morph` gives the recipes
between those of 2015 and 2020.

The user gives the network (with its own mean and std) and the objective; each docstring names the
published objective. All numbers are checked when a recipe is called, not at its first step:
ValueError for a picture outside [0, 1] or a number outside `LIMITS`, KeyError for an unknown layer.
`seed` seeds the random shifts.
"""

from .caffe_2015 import caffe
from .caffe_to_pytorch import PARTS, morph
from .keras_2020 import keras
from .pytorch_2020 import pytorch
from .recipe_arguments import LIMITS, WHOLE
from .tensorflow_2019 import tensorflow

__all__ = [
    "LIMITS",
    "NAMES",
    "PARTS",
    "WHOLE",
    "caffe",
    "keras",
    "morph",
    "pytorch",
    "tensorflow",
]

#: The recipes, in the order of their publication.
NAMES = ("caffe", "pytorch", "tensorflow", "keras")

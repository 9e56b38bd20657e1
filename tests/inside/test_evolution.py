"""Growth: likeness against NumPy, and the snapshots that come with dreamkit."""

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.inside import evolution


def test_likeness_is_numpys_correlation():
    snapshots = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(1))
    flat = snapshots.flatten(2).double().numpy()
    wanted = [[np.corrcoef(flat[e, c], flat[-1, c])[0, 1] for c in range(3)] for e in range(4)]
    assert np.abs(evolution.likeness(snapshots).numpy() - wanted).max() < 1e-6
    assert evolution.likeness(torch.ones(2, 1, 4)).tolist() == [[0], [0]]
    with pytest.raises(ValueError, match="epochs, channels"):
        evolution.likeness(torch.ones(3))


def test_the_first_layer_settles_before_the_deep_ones_dream_alike():
    growth = dk.inside.growth()
    first = evolution.likeness(growth.filters).mean(1)
    deep = evolution.likeness(growth.dreams["inception5a"]).mean(1)
    assert (first.diff() > 0).all() and (first[1:-1] > deep[1:-1]).all()
    assert (
        first[3:-1] > deep[3:-1] + 0.2
    ).all()  # from one pass on; before it neither is like much
    assert list(growth.accuracy) == sorted(growth.accuracy)
    pictures = evolution.filter_pictures(growth.filters)
    assert pictures.shape == growth.filters.shape and pictures.min() >= 0 and pictures.max() <= 1


def test_filters_are_shown_in_the_same_way_everywhere():
    filters = dk.inside.growth().filters[-1]
    pictures = evolution.filter_pictures(filters)
    for index in range(0, 48, 12):
        alone = dk.show.signed(filters[index : index + 1], share=1.0)
        assert torch.equal(pictures[index : index + 1], alone)
    assert evolution.filter_pictures(torch.zeros(2, 3, 7, 7)).eq(0.5).all()

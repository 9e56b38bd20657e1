"""Looking inside a given network, after Zeiler & Fergus (2013) and CS231n's list of methods.

Each module answers one question. The functions take a Network and pictures [N, 3, H, W] in [0, 1].
Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib

# module: the public names that it defines
_NAMES = {
    # which pixels count for an answer, by gradients or by occlusion (captum)
    "attribution": "deconvolution grad_cam guided_backprop integrated_gradients occlusion saliency",
    # what a layer keeps of a photo, exaggerated
    "caricatures": "caricature_picture growing_caricature",
    # what a layer sees in each part of a photo, and in many photos
    "cells": "Cells activation_atlas activation_grid atlas_vectors grid_vectors",
    # features averaged to codes; silent channels; codes laid out as a map
    "codebook": "activity codes embedded grid_places mosaic neighbours_alike silent",
    # labelled class pictures, small faces and written digits, available offline
    "collection": "FACE_PARTS class_pictures digits faces",
    # whether hiding the same part in several pictures changes a layer alike
    "correspondences": "correspondence hamming masked sign_changes",
    # one activation projected back to pixels
    "deconvnet": "Projection project top_projections",
    # the deconvnet's two ways, drawn
    "diagram": "deconvnet_diagram",
    # how filters and dreams changed during training
    "evolution": "Growth filter_pictures growth likeness",
    # the smallest change of a picture that changes its class
    "fooling": "Fooled change_size fool margin smallest_fooling",
    # a picture reconstructed from its features
    "inversion": "Inverted closest invert inverting total_variation",
    # what is lost without a block, a branch or some channels
    "lesions": "ablation accuracy channel_means without",
    # how far features move when a picture is shifted, scaled or rotated
    "moving": "Invariance distance invariance moved",
    # a map, a probability and a label while a grey square hides each place
    "occluder": "OcclusionPanels covered occlusion_panels",
    "occlusion_figure": "occlusion_chart",
    # a photo's features as a few groups of channels that act together
    "neuron_group": "NeuronGroups factorised neuron_groups",
    # how strongly filters prefer one direction
    "orientation": "orientation_selectivity",
    # the patches of a picture collection that excite a channel most
    "patches": "Patch top_patches",
    # pictures of directions in a layer
    "directions": "growing_vector vector_pictures",
    # whether codes find the code of the same picture, and whether two networks' codes agree
    "retrieving": "representational_similarity retrieval",
    # whether two maps agree, and whether a map depends on what the network learnt
    "sanity": "forgetting overlap rank_correlation",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

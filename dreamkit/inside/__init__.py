"""Looking inside a network that is given: which pixels count, what a channel saw, what it can do without.

One module a question, after Zeiler & Fergus (2013) and CS231n's list; each takes a Network and pictures in [0, 1]:

    attribution     which pixels count for an answer, by gradients and by covering (captum)
    deconvnet       what one activation saw, projected back down to pixels
    occluder        what becomes of map, probability and label while a grey square covers each place
    sanity          do two maps agree, and does a map change when the network forgets what it learnt?
    evolution       how filters and dreams grew over training
    moving          what a layer does not mind: shifts, scales and turns
    correspondences whether the same part, covered in several pictures, changes a layer alike
    lesions         what is lost without a block, a branch or some channels
    codebook        codes of pictures, silent channels, codes laid out as a map
    fooling         the smallest change that makes it name something else
    inversion       a picture found again from its features
    collection      labelled pictures and small faces to ask about, offline
"""

from .attribution import (
    deconvolution,
    grad_cam,
    guided_backprop,
    integrated_gradients,
    occlusion,
    saliency,
)
from .codebook import activity, codes, embedded, grid_places, mosaic, neighbours_alike, silent
from .collection import FACE_PARTS, class_pictures, faces
from .correspondences import correspondence, hamming, masked, sign_changes
from .deconvnet import Projection, project, top_projections
from .evolution import filter_pictures, growth, likeness
from .fooling import Fooled, change_size, fool, margin, smallest_fooling
from .inversion import Inverted, invert, inverting, total_variation
from .lesions import ablation, accuracy, channel_means, without
from .moving import Invariance, distance, invariance, moved
from .occluder import OcclusionPanels, covered, occlusion_chart, occlusion_panels
from .sanity import forgetting, overlap, rank_correlation

__all__ = [
    "FACE_PARTS", "Fooled", "Invariance", "Inverted", "OcclusionPanels", "Projection", "ablation", "accuracy", "activity",
    "change_size", "channel_means", "class_pictures", "codes", "correspondence", "covered", "deconvolution", "distance", "embedded",
    "faces", "filter_pictures", "fool", "forgetting", "grad_cam", "grid_places", "growth", "guided_backprop", "hamming",
    "integrated_gradients", "invariance", "invert", "inverting", "likeness", "margin", "masked", "mosaic", "moved", "neighbours_alike",
    "occlusion", "occlusion_chart", "occlusion_panels", "overlap", "project", "rank_correlation", "saliency", "sign_changes", "silent",
    "smallest_fooling", "top_projections", "total_variation", "without",
]  # fmt: skip

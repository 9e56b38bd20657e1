"""Looking inside a network that is given: which pixels count, what a channel saw, what it can do without.

One module a question, after Zeiler & Fergus (2013) and CS231n's list; each takes a Network and pictures in [0, 1]:

    attribution     which pixels count for an answer, by gradients and by covering (captum)
    deconvnet       what one activation saw, projected back down to pixels
    occluder        what becomes of map, probability and label while a grey square covers each place
    sanity          do two maps agree, and does a map change when the network forgets what it learnt?
"""

from .attribution import deconvolution, grad_cam, guided_backprop, integrated_gradients, occlusion, saliency
from .deconvnet import Projection, project, top_projections
from .occluder import OcclusionPanels, covered, occlusion_panels
from .sanity import forgetting, overlap, rank_correlation

__all__ = ["OcclusionPanels", "Projection", "covered", "deconvolution", "forgetting", "grad_cam", "guided_backprop",
           "integrated_gradients", "occlusion", "occlusion_panels", "overlap", "project", "rank_correlation", "saliency",
           "top_projections"]

"""The features of a picture together with the logits, also of a network that ends in a softmax.

Where such a network is certain, its probability is 1 to rounding and has no gradient. The value
before the softmax still tells the way uphill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from ..pictures.image import Image
from .ends import BeforeTheEnd, ends_in_probabilities, may_end_in_probabilities
from .features import capture
from .network import Network
from .trial import LayerInfo


def capture_logits(
    network: Network,
    image: Image,
    layers: Iterable[str] = ("",),
    infos: Mapping[str, LayerInfo] | None = None,
) -> tuple[dict[str, Tensor], Tensor | None]:
    """What `capture` gives, and the logits: the output, or what lies before its softmax or sigmoid.

    The logits have the shape of the output; they are None if `layers` has no output "". Where the
    value before the softmax cannot be had, they are the logarithms of the probabilities, whose
    gradient does vanish where the network is certain.
    """
    layers = tuple(layers)
    # asked once: another thread may decide it during the pass
    known = may_end_in_probabilities(network) if "" in layers else False
    if known:
        with BeforeTheEnd() as end:
            features = capture(network, image, layers, infos)
        return features, end.logits(features[""])
    features = capture(network, image, layers, infos)
    if known is None and ends_in_probabilities(network, features[""].detach()):
        return capture_logits(network, image, layers, infos)
    return features, features.get("")

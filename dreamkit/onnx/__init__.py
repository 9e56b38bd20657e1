"""Networks to and from ONNX files, with the packages onnx and onnxruntime only.

    export            writes a network as an ONNX file: from a picture to feature maps
    FeatureSession    computes feature maps of any ONNX image model with onnxruntime
    load              an ONNX file as a Network; CAFFE holds the settings for Caffe's networks
    export_step       writes a dream's step as an ONNX file: from a picture to score and gradient
    alone             dreams with such a file, with NumPy and onnxruntime only

The ONNX model zoo publishes the original Caffe GoogLeNet as `googlenet-9.onnx`
(github.com/onnx/models, folder validated/vision/classification/inception_and_googlenet, and
huggingface.co/onnxmodelzoo/googlenet-9). With the file:

    network = dk.onnx.load("googlenet-9.onnx", **dk.onnx.CAFFE)
    dreams = dk.dreaming(dk.scorer(network, dk.layer("inception_4c/output")), photo)
"""

from . import alone
from .exporting import export
from .loading import CAFFE, load
from .running import FeatureSession, TensorInfo
from .step_graph import export_step

__all__ = ["CAFFE", "FeatureSession", "TensorInfo", "alone", "export", "export_step", "load"]

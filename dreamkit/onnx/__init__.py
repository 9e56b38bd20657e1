"""Networks in and out of ONNX files, with onnx and onnxruntime alone.

    export            a network's layers as an ONNX file: a picture in, feature maps out
    FeatureSession    feature maps of any ONNX image model, through onnxruntime
    load              an ONNX file as a Network that can dream; CAFFE: what Caffe's networks want to be given
    export_step       one step of a dream as an ONNX file: a picture in, its score and gradient out
    alone             a dream by such a file with NumPy and onnxruntime only

The original Caffe GoogLeNet is published as `googlenet-9.onnx` by the ONNX model zoo (github.com/onnx/models, folder
validated/vision/classification/inception_and_googlenet, and huggingface.co/onnxmodelzoo/googlenet-9). With the file:

    network = dk.onnx.load("googlenet-9.onnx", **dk.onnx.CAFFE)
    dreams = dk.dreaming(dk.scorer(network, dk.layer("inception_4c/output")), photo)
"""

from . import alone
from .exporting import export
from .loading import CAFFE, load
from .running import FeatureSession, TensorInfo
from .step_graph import export_step

__all__ = ["CAFFE", "FeatureSession", "TensorInfo", "alone", "export", "export_step", "load"]

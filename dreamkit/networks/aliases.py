"""The papers' own names of layers, for networks that have them: `relu4_3` in VGG16, `inception_4c/output` in GoogLeNet.

Worked out from the layers as they run, so that a network with other numbers of blocks is served too. Where a paper's
framework knows a value before its ReLU and after it under different names, both are given (see `of_googlenet`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Listed = Sequence[tuple[str, str]]  # (name, module type) of each layer, in running order

_CAFFE_BRANCHES = {
    "branch1": "1x1",
    "branch2.0": "3x3_reduce",
    "branch2.1": "3x3",
    "branch3.0": "5x5_reduce",
    "branch3.1": "5x5",
    "branch4.1": "pool_proj",
}
_TF_BRANCHES = {
    "1x1": "1x1",
    "3x3_reduce": "3x3_bottleneck",
    "3x3": "3x3",
    "5x5_reduce": "5x5_bottleneck",
    "5x5": "5x5",
    "pool_proj": "pool_reduce",
}
_STEM = {
    "conv1": ("conv1/7x7_s2", "conv2d0"),
    "conv2.0": ("conv2/3x3_reduce", "conv2d1"),
    "conv2.1": ("conv2/3x3", "conv2d2"),
}
_MIXED = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")


def aliases_of(kind: str, layers: Listed) -> dict[str, str]:
    """{alias: layer} for a network of that class, of the aliases whose layers are there; empty for one without names of its own.

    >>> aliases_of(
    ...     "VGG", [("features.0", "Conv2d"), ("features.1", "ReLU"), ("features.2", "MaxPool2d")]
    ... )["relu1_1"]
    'features.1'
    """
    namers = {
        "VGG": of_vgg,
        "GoogLeNet": of_googlenet,
        "DreamNet": of_googlenet,
        "Inception3": of_inception3,
        "ResNet": of_resnet,
        "AlexNet": of_alexnet,
        "SqueezeNet": of_squeezenet,
    }
    known = {name for name, _ in layers}
    found = namers[kind](layers) if kind in namers else {}
    return {alias: name for alias, name in found.items() if name in known and alias not in known}


def of_vgg(layers: Listed) -> dict[str, str]:
    """`conv4_3`, `relu4_3`, `pool4`, `fc6`, `relu6` (Simonyan & Zisserman's, in Caffe), and Keras's `block4_conv3`, after its ReLU."""
    found, block, number = {}, 1, 0
    for name, kind in layers:
        if name.startswith("features.") and kind == "Conv2d":
            number += 1
            found[f"conv{block}_{number}"] = (
                name  # before its ReLU (and its BatchNorm, where there is one)
            )
        elif name.startswith("features.") and kind == "ReLU":
            found |= {f"relu{block}_{number}": name, f"block{block}_conv{number}": name}
        elif name.startswith("features.") and kind == "MaxPool2d":
            found |= {f"pool{block}": name, f"block{block}_pool": name}
            block, number = block + 1, 0
    return found | {
        "fc6": "classifier.0",
        "relu6": "classifier.1",
        "fc7": "classifier.3",
        "relu7": "classifier.4",
        "fc8": "classifier.6",
    }


def of_alexnet(layers: Listed) -> dict[str, str]:
    """`conv3`, `relu3`, `pool5`, `fc6` … as in Caffe's AlexNet."""
    found, number = {}, 0
    for name, kind in layers:
        if name.startswith("features."):
            number += kind == "Conv2d"
            word = {"Conv2d": "conv", "ReLU": "relu", "MaxPool2d": "pool"}.get(kind)
            found |= {f"{word}{number}": name} if word else {}
    return found | {
        "fc6": "classifier.1",
        "relu6": "classifier.2",
        "fc7": "classifier.4",
        "relu7": "classifier.5",
        "fc8": "classifier.6",
    }


def of_googlenet(layers: Listed) -> dict[str, str]:
    """Caffe's `inception_4c/output`, `inception_3b/5x5_reduce`, `inception_3b/relu_5x5_reduce`, and TensorFlow's `mixed4c` and the like.

    An output is after its ReLU. `inception_3b/5x5_reduce` is before it: a Caffe network stopped at that layer has not
    run the ReLU that works in its place, and so google/deepdream saw it. TensorFlow's names say `_pre_relu`.
    """
    kinds, found = dict(layers), {}
    flat = (
        {"conv2.0": "conv2", "conv2.1": "conv3"} if "maxpool1" in kinds else {}
    )  # torchvision has no block conv2
    for block, (caffe, tensorflow) in _STEM.items():
        name = flat.get(block, block)
        head, _, tail = caffe.partition("/")
        found |= {
            caffe: _linear(name, kinds),
            f"{tensorflow}_pre_relu": _linear(name, kinds),
            f"{head}/relu_{tail}": name,
            tensorflow: name,
        }
    for number in (1, 2, 3, 4):
        name = f"maxpool{number}" if flat else f"pool{number}"
        found |= {
            f"pool{number}/3x3_s2": name,
            ("maxpool0", "maxpool1", "maxpool4", "maxpool10")[number - 1]: name,
        }
    for name in kinds:
        if match := re.fullmatch(r"inception(\d[a-z])", name):
            found |= {f"inception_{match[1]}/output": name, f"mixed{match[1]}": name}
        elif match := re.fullmatch(r"inception(\d[a-z])\.(branch\d(?:\.\d)?)", name):
            if branch := _CAFFE_BRANCHES.get(match[2]):
                caffe, tensorflow = (
                    f"inception_{match[1]}/",
                    f"mixed{match[1]}_{_TF_BRANCHES[branch]}",
                )
                found |= {
                    f"{caffe}{branch}": _linear(name, kinds),
                    f"{tensorflow}_pre_relu": _linear(name, kinds),
                    f"{caffe}relu_{branch}": name,
                    tensorflow: name,
                }
            elif match[2] == "branch4.0":
                found[f"inception_{match[1]}/pool"] = name
    return found | {
        "pool5/7x7_s1": "avgpool",
        "avgpool0": "avgpool",
        "loss3/classifier": "fc",
        "softmax2_pre_activation": "fc",
    }


def _linear(block: str, kinds: dict[str, str]) -> str:
    """What goes into a block's ReLU: its BatchNorm's output where it has one of its own, else its convolution's."""
    return f"{block}.bn" if f"{block}.bn" in kinds else f"{block}.conv"


def of_inception3(layers: Listed) -> dict[str, str]:
    """Keras's `mixed0` to `mixed10`."""
    return {f"mixed{number}": f"Mixed_{block}" for number, block in enumerate(_MIXED)}


def of_resnet(layers: Listed) -> dict[str, str]:
    """`conv4_block6_out` as in Keras and, where a stage has up to eight blocks, `res4f` as in He's Caffe files."""
    found = {"conv1_relu": "relu", "pool1_pool": "maxpool"}
    for name, _ in layers:
        if match := re.fullmatch(r"layer(\d)\.(\d+)", name):
            stage, block = int(match[1]) + 1, int(match[2])
            found[f"conv{stage}_block{block + 1}_out"] = name
            letters = not any(other == f"layer{match[1]}.8" for other, _ in layers)
            found |= {f"res{stage}{'abcdefgh'[block]}": name} if letters else {}
    return found


def of_squeezenet(layers: Listed) -> dict[str, str]:
    """`fire9` and Caffe's `fire9/concat`: the Fire modules in their order, which begins with 2."""
    fires = [name for name, kind in layers if kind == "Fire"]
    return {
        f"fire{number}{tail}": name
        for number, name in enumerate(fires, 2)
        for tail in ("", "/concat")
    }

"""The papers' names of layers: `relu4_3` in VGG16, `inception_4c/output` in GoogLeNet.

They are worked out from the layers as they run, so networks with other numbers of blocks have them
too. If a paper's framework has different names for a value before and after its ReLU, both are
given (see `of_googlenet`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn

Listed = Sequence[tuple[str, str]]  # (name, module type) of each layer, in running order

# Branches of an Inception block: Caffe's name, TensorFlow's name.
_BRANCHES = {
    "branch1": ("1x1", "1x1"),
    "branch2.0": ("3x3_reduce", "3x3_bottleneck"),
    "branch2.1": ("3x3", "3x3"),
    "branch3.0": ("5x5_reduce", "5x5_bottleneck"),
    "branch3.1": ("5x5", "5x5"),
    "branch4.1": ("pool_proj", "pool_reduce"),
}
_STEM = {
    "conv1": ("conv1/7x7_s2", "conv2d0"),
    "conv2.0": ("conv2/3x3_reduce", "conv2d1"),
    "conv2.1": ("conv2/3x3", "conv2d2"),
}
_TF_POOLS = ("maxpool0", "maxpool1", "maxpool4", "maxpool10")
_MIXED = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")


def aliases_in(module: nn.Module, layers: Listed) -> dict[str, str]:
    """{alias: layer} of a module and of the known networks inside it, such as in a wrapper's.

    The name of a layer there begins with the inner network's own, `backbone.features.3`; the alias
    does not. With two of them inside, aliases of both are left out: they would name neither.
    """
    found: dict[str, str] = {}
    known, doubtful, inner = {name for name, _ in layers}, set(), []
    for path, part in module.named_modules():
        head = f"{path}." if path else ""
        if any(head.startswith(outer) for outer in inner):
            continue
        own = [(name.removeprefix(head), kind) for name, kind in layers if name.startswith(head)]
        kinds = (kind.__name__ for kind in type(part).__mro__)
        aliases = next((a for a in (aliases_of(kind, own) for kind in kinds) if a), {})
        if aliases:
            inner.append(head)
        doubtful |= {alias for alias in aliases if alias in found}
        found |= {alias: head + name for alias, name in aliases.items()}
    return {a: name for a, name in found.items() if a not in doubtful and a not in known}


def aliases_of(kind: str, layers: Listed) -> dict[str, str]:
    """{alias: layer} for a network of the class `kind`; empty for a class without such names.

    Only aliases of layers that exist are given, and none that is the name of a layer.

    >>> listed = [("features.0", "Conv2d"), ("features.1", "ReLU"), ("features.2", "MaxPool2d")]
    >>> aliases_of("VGG", listed)["relu1_1"]
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
        "EfficientNetLite": of_efficientnet_lite,
    }
    known = {name for name, _ in layers}
    found = namers[kind](layers) if kind in namers else {}
    return {alias: name for alias, name in found.items() if name in known and alias not in known}


def of_vgg(layers: Listed) -> dict[str, str]:
    """Names of VGG (Simonyan & Zisserman, 2014), as in Caffe and Keras.

    Caffe: `conv4_3` (before its ReLU, and before its BatchNorm if it has one), `relu4_3`, `pool4`,
    `fc6`, `relu6`. Keras: `block4_conv3` (after its ReLU), `block4_pool`.
    """
    found, block, number = {}, 1, 0
    for name, kind in layers:
        if not name.startswith("features."):
            continue
        if kind == "Conv2d":
            number += 1
            found[f"conv{block}_{number}"] = name
        elif kind == "ReLU":
            found |= {f"relu{block}_{number}": name, f"block{block}_conv{number}": name}
        elif kind == "MaxPool2d":
            found |= {f"pool{block}": name, f"block{block}_pool": name}
            block, number = block + 1, 0
    return found | _classifier((0, 1, 3, 4, 6))


def of_alexnet(layers: Listed) -> dict[str, str]:
    """Names of Caffe's AlexNet: `conv3`, `relu3`, `pool5`, `fc6`."""
    found, number = {}, 0
    for name, kind in layers:
        word = {"Conv2d": "conv", "ReLU": "relu", "MaxPool2d": "pool"}.get(kind)
        if name.startswith("features.") and word:
            number += kind == "Conv2d"
            found[f"{word}{number}"] = name
    return found | _classifier((1, 2, 4, 5, 6))


def _classifier(places: Sequence[int]) -> dict[str, str]:
    names = ("fc6", "relu6", "fc7", "relu7", "fc8")
    return {name: f"classifier.{place}" for name, place in zip(names, places, strict=True)}


def of_googlenet(layers: Listed) -> dict[str, str]:
    """Names of GoogLeNet in Caffe and TensorFlow.

    Caffe: `inception_4c/output`, `inception_3b/5x5_reduce`, `inception_3b/relu_5x5_reduce`.
    TensorFlow: `mixed4c`, `mixed3b_5x5_bottleneck`, `mixed3b_5x5_bottleneck_pre_relu`.

    An output is after its ReLU. `inception_3b/5x5_reduce` is before it: Caffe's ReLU works in
    place, and a network that stops at that layer has not run it. google/deepdream did so.
    """
    kinds, found = dict(layers), {}
    flat = "maxpool1" in kinds  # torchvision's: conv2 and conv3 instead of a block conv2
    blocks = {"conv2.0": "conv2", "conv2.1": "conv3"} if flat else {}
    for block, (caffe, tensorflow) in _STEM.items():
        found |= _before_and_after(blocks.get(block, block), caffe, tensorflow, kinds)
    for number, tensorflow in enumerate(_TF_POOLS, 1):
        name = f"maxpool{number}" if flat else f"pool{number}"
        found |= {f"pool{number}/3x3_s2": name, tensorflow: name}
    for name in kinds:
        match = re.fullmatch(r"inception(\d[a-z])(?:\.(branch\d(?:\.\d)?))?", name)
        if not match:
            continue
        block, branch = match.groups()
        if branch is None:
            found |= {f"inception_{block}/output": name, f"mixed{block}": name}
        elif branch in _BRANCHES:
            caffe, tensorflow = _BRANCHES[branch]
            caffe, tensorflow = f"inception_{block}/{caffe}", f"mixed{block}_{tensorflow}"
            found |= _before_and_after(name, caffe, tensorflow, kinds)
        elif branch == "branch4.0":
            found[f"inception_{block}/pool"] = name
    found |= dict.fromkeys(("pool5/7x7_s1", "avgpool0"), "avgpool")
    return found | dict.fromkeys(("loss3/classifier", "softmax2_pre_activation"), "fc")


def _before_and_after(
    block: str, caffe: str, tensorflow: str, kinds: dict[str, str]
) -> dict[str, str]:
    """Four aliases of a block of convolution and ReLU: before and after the ReLU, in both words."""
    before = f"{block}.bn" if f"{block}.bn" in kinds else f"{block}.conv"
    head, _, tail = caffe.partition("/")
    found = dict.fromkeys((caffe, f"{tensorflow}_pre_relu"), before)
    return found | dict.fromkeys((f"{head}/relu_{tail}", tensorflow), block)


def of_inception3(layers: Listed) -> dict[str, str]:
    """Keras's names of Inception v3: `mixed0` to `mixed10`."""
    return {f"mixed{number}": f"Mixed_{block}" for number, block in enumerate(_MIXED)}


def of_resnet(layers: Listed) -> dict[str, str]:
    """Names of ResNets: `conv4_block6_out` as in Keras, and `res4f` as in He's Caffe files.

    The letters are given only in stages of up to eight blocks.
    """
    found, names = {"conv1_relu": "relu", "pool1_pool": "maxpool"}, {name for name, _ in layers}
    for name, _ in layers:
        if match := re.fullmatch(r"layer(\d)\.(\d+)", name):
            stage, block = int(match[1]) + 1, int(match[2])
            found[f"conv{stage}_block{block + 1}_out"] = name
            if f"layer{match[1]}.8" not in names:
                found[f"res{stage}{'abcdefgh'[block]}"] = name
    return found


def of_squeezenet(layers: Listed) -> dict[str, str]:
    """`fire9` and Caffe's `fire9/concat`: the Fire modules in their order, counted from 2."""
    fires = enumerate((name for name, kind in layers if kind == "Fire"), 2)
    return {f"fire{n}{tail}": name for n, name in fires for tail in ("", "/concat")}


def of_efficientnet_lite(layers: Listed) -> dict[str, str]:
    """Names of EfficientNet in Keras (as for B0) and in timm (`tf_efficientnet_lite0`).

    Keras: `block5c_expand_activation`, `block5c_activation` (of the depthwise convolution),
    `block5c_add`, `stem_activation`, `top_activation`, `avg_pool`, `predictions` (here the logits).
    timm: `blocks.4.2.bn1.act` (of the expansion), `blocks.4.2.bn2.act` (of the depthwise
    convolution), `blocks.4.2`, `bn1.act`, `bn2.act`, `global_pool`, `classifier`.

    Before an activation there is one value, with the BatchNorm in it: `block5c_expand_conv` and
    `block5c_expand_bn`, in timm `blocks.4.2.conv_pw` and `blocks.4.2.bn1.drop`, all name it.
    """
    names = [name for name, _ in layers]
    found = {"avg_pool": "avgpool", "predictions": "fc"}
    found |= {"global_pool": "avgpool", "global_pool.pool": "avgpool", "classifier": "fc"}
    for part, conv, norm in (("stem", "conv_stem", "bn1"), ("top", "conv_head", "bn2")):
        found |= _normed(part, f"{part}_conv", f"{part}_", conv, norm)
        found[norm.replace("bn", "act")] = part  # in timm before 0.6
    for name in names:
        if not (match := re.fullmatch(r"block(\d)([a-z])", name)):
            continue
        stage, index = int(match[1]) - 1, ord(match[2]) - ord("a")
        timm = f"blocks.{stage}.{index}"
        found |= {timm: name, f"blocks.{stage}": name}  # a stage gives what its last block gives
        if index:  # the first block of each stage changes the shape: no residual
            found[f"{name}_add"] = name
        parts = {"expand": "conv_pw", "depthwise": "conv_dw", "project": "conv_pwl"}
        if f"{name}.expand" not in names:  # timm's DepthwiseSeparableConv
            parts = {"depthwise": "conv_dw", "project": "conv_pw"}
        for number, (part, conv) in enumerate(parts.items(), 1):
            head = f"{name}_" if part == "depthwise" else f"{name}_{part}_"
            keras = f"{name}_dwconv" if part == "depthwise" else f"{head}conv"
            norm = f"{timm}.bn{number}"
            found |= _normed(f"{name}.{part}", keras, head, f"{timm}.{conv}", norm)
    return found


def _normed(layer: str, conv: str, head: str, timm_conv: str, timm_norm: str) -> dict[str, str]:
    """Aliases of a convolution with BatchNorm, and ReLU6 unless it is a projection."""
    before, after = f"{layer}.conv", layer
    found = dict.fromkeys((conv, f"{head}bn", timm_conv, f"{timm_norm}.drop"), before)
    if layer.endswith(".project"):  # in timm an activation too, which changes nothing
        return found | dict.fromkeys((timm_norm, f"{timm_norm}.act"), before)
    return found | dict.fromkeys((f"{head}activation", timm_norm, f"{timm_norm}.act"), after)

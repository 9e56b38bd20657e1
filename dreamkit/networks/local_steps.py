"""Operations of PyTorch after which a cell still sees a window of the picture, and which window.

Only what is listed here is known to be local. An operation that is not listed may mix all cells, so
nothing is known after it.
"""

from __future__ import annotations

from .local_axes import along, cut, joined, linear, one_more, one_of, permuted, same, viewed
from .local_windows import (
    CONSTANT,
    Cells,
    convolution,
    interpolation,
    pad,
    pool,
    shuffle,
    union,
    unshuffle,
)


def after(node: object, sources: list[object]) -> object:
    """What is known after one operation: Cells, CONSTANT, or None where nothing is known.

    node: of the autograd graph.
    sources: what is known of each of its inputs.
    """
    if all(source is CONSTANT for source in sources):
        return CONSTANT
    rule = _RULES.get(type(node).__name__.partition("Backward")[0])
    if rule is None or None in sources:
        return None
    try:
        shape = tuple(node._input_metadata[0].shape)  # of the output
        known = [source for source in sources if source is not CONSTANT]
        cells = (
            rule(node, sources, shape)
            if rule in (convolution, joined, linear)
            else rule(node, union(known), shape)
        )
    except AttributeError:  # another version of torch keeps other values
        return None
    return cells if cells is not None and cells.fits(shape) else None


def _batch_norm(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    return None if node._saved_training else cells  # in training it takes means over the picture


def _layer_norm(node: object, cells: Cells | None, shape: tuple) -> Cells | None:
    normalized = len(node._saved_normalized_shape)
    return cells if cells is not None and max(cells.axes) < -normalized else None


_EACH_NUMBER = """
    Abs Add Addcdiv Addcmul Alias Atan Ceil Celu Clamp ClampMax ClampMin Clip Clone Cos Cosh Div
    Elu Erf Exp Exp2 Expand Expm1 Floor Gelu Hardshrink Hardsigmoid Hardswish Hardtanh
    LeakyRelu Lerp Log Log10 Log1P Log2 LogSigmoid MaskedFill Maximum Minimum Mish Mul Neg Pow
    PreluKernel Reciprocal Relu Round Rsqrt Rsub Sgn Sigmoid Sign Silu Sin Sinh Softplus
    Softshrink Sqrt Sub Tan Tanh Threshold ToCopy Where
"""
_ALONG = """
    Amax Amin Cumprod Cumsum Gather Glu IndexSelect LinalgVectorNorm LogSoftmax Logsumexp
    Max Mean Min Norm Prod Softmax Sort Split SplitWithSizes Std Sum Var
"""
_RULES = {
    **dict.fromkeys(_EACH_NUMBER.split(), same),
    **dict.fromkeys(("Convolution", "QuickConvolution"), convolution),
    **dict.fromkeys(("MaxPool2DWithIndices", "MaxPool2D", "AvgPool2D", "AvgPool3D"), pool),
    **dict.fromkeys(("UpsampleNearest2D", "UpsampleNearestExact2D"), interpolation(0, 0)),
    "UpsampleBilinear2D": interpolation(1, 1),
    "UpsampleBicubic2D": interpolation(2, 2),
    "PixelShuffle": shuffle,
    "PixelUnshuffle": unshuffle,
    "ChannelShuffle": same,
    "ConstantPadNd": pad,
    "Cat": joined,
    "Slice": cut,
    **dict.fromkeys(("NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm"), _batch_norm),
    **dict.fromkeys(("NativeLayerNorm", "FusedRmsNorm"), _layer_norm),
    **dict.fromkeys(("Mm", "Addmm", "Bmm", "Baddbmm"), linear),
    **dict.fromkeys(("View", "UnsafeView", "ReshapeAlias", "Squeeze"), viewed),
    **dict.fromkeys(("Permute", "Transpose", "T"), permuted),
    **dict.fromkeys(("Unsqueeze", "Stack"), one_more),
    **dict.fromkeys(("Select", "Unbind"), one_of),
    **dict.fromkeys(_ALONG.split(), along("_saved_dim")),
    **dict.fromkeys(("Flip", "Roll"), along("_saved_dims")),
}

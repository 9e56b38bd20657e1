# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 16 · ONNX
#
# A trained network can be written into one file that names every operation and holds every number, and that other
# programs run: ONNX. This lesson takes our network out of PyTorch and back again, and asks what such a file is able to
# do. Seeing, yes. Dreaming needs a gradient; that must be in the file as well.
#
# - **You will do:** export layers; read the file; run it without PyTorch, compare and time; dream with a network
#   that came out of a file; dream with no PyTorch at all.
# - **You will learn:** what an ONNX file holds and what it does not; how to measure agreement; where the gradient comes
#   from; how to get the original Caffe GoogLeNet of 2015 to dream.
# - **You need:** lessons 01, 03 and 08, and onnx and onnxruntime, which come with `dreamkit[onnx]`.
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "squeezenet1_1", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: a dream, computed by NumPy and ONNX Runtime alone from one file. (This cell takes 3 to 10 seconds.)

# %%
import pathlib
import tempfile

folder = pathlib.Path(tempfile.mkdtemp())                                     # a folder for our files
photo, layer = dk.sample("china", 160), dk.layer_at(network, 0.8)
dk.onnx.export_step(network, dk.layer(layer), folder / "step.onnx")
step = dk.onnx.alone.Step(folder / "step.onnx")
*_, array = dk.onnx.alone.dreaming(step, photo.numpy(), steps=8, octaves=3)
alone = photo.new_tensor(array)                                               # NumPy's numbers as a picture of ours
dk.show.strip({"photo": photo, "dreamt without PyTorch": alone}, height=2.2,
              alt=f"A photo of a Chinese temple, and its dream at {layer}, computed by ONNX Runtime from a file")

# %% [markdown]
# ## Out: a file with our layers
#
# `dk.onnx.export` lets the network run once, writes down each operation, and then has ONNX Runtime run
# what it wrote, at two sizes, and compares it with PyTorch before the file is put in its place.

# %%
layers = dk.suggested_layers(network, 5)
file = folder / "network.onnx"
dk.onnx.export(network, layers, file)
print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB; gives {', '.join(layers)}")

# %% [markdown]
# ## Inside
#
# An ONNX file is a list of *nodes*. Each takes tensors by name and gives one, by name. Every one of these
# tensors can be asked for, not only those that the file was made to give.

# %%
session = dk.onnx.FeatureSession(file, layers)
print(f"{len(session.table)} tensors. The first ten, and the layers that we asked for:")
for info in session.table[:10]:
    print(f"  {info.op:20} {info.name:34} {info.shape}")
for info in session.table:
    if info.name in layers:
        print(f"* {info.op:20} {info.name:34} {info.shape}")

# %% [markdown]
# `Sub` and `Div` at the start are ours: subtracting the mean and dividing by the deviation, which PyTorch users do *outside* the
# network, are part of this file. It takes a picture as it is, from 0 to 1. Height and width
# are names, not numbers (`unk__0` and so on inside): any size will do.
#
# ## Run and compare
#
# The same photo, through PyTorch and through ONNX Runtime. *Off by* is the largest difference, as a share of the
# largest value. Beside it the baseline: the same number for a network with random weights, so that you see what
# disagreement looks like.

# %%
def off(ours, theirs):
    return float((ours - theirs).abs().max() / theirs.abs().max())

torchs, onnxs = dk.capture(network, photo, layers), session(photo)
randoms = dk.capture(dk.randomized(network), photo, layers)
print(f"{'layer':16} {'maps':>20}   off by     random weights")
for name in layers:
    print(f"{name:16} {str(list(onnxs[name].shape)):>20}   {off(onnxs[name], torchs[name]):.1e}    {off(randoms[name], torchs[name]):.1e}")

# %% [markdown]
# Why not exactly 0? Both add up the same products, but in another order, and each sum is rounded to some seven digits.
#
# And the time? Each takes its turn five times; the fastest counts. The number depends on the machine,
# the size and how busy it is: trust only what your own computer prints. (A few seconds.)

# %%
import time

def seconds(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started

turns = [(seconds(lambda: dk.capture(network, photo, layers)), seconds(lambda: session(photo))) for _ in range(6)][1:]
ours, theirs = (min(column) for column in zip(*turns))
print(f"PyTorch {1000 * ours:.0f} ms, ONNX Runtime {1000 * theirs:.0f} ms: PyTorch takes {ours / theirs:.2f} times as long here")

# %% [markdown]
# ## The layers, from the file
#
# Every picture in this panel comes from ONNX Runtime. (Without the panel: `show_layer(layers[0])`.)

# %%
def show_layer(name):
    found = session(photo)[name][0]
    chosen = found.mean((1, 2)).argsort(descending=True)[:4].tolist()         # the four channels that see most
    return {f"channel {c}": dk.show.heat(found[c], size=photo.shape[-2:]) for c in chosen}, f"{name}: {len(found)} maps"

dk.widgets.slide("layer, from the ONNX file", list(layers), show_layer, start=layers[1], width=200)

# %% [markdown]
# ## And back: a file becomes a network
#
# `dk.onnx.load` builds a PyTorch module for every node. Then everything in dreamkit works with it, since PyTorch keeps
# track of how each number came about, and can go back. (5 to 15 seconds.)

# %%
back = dk.onnx.load(file)
settings, first = dk.Settings(steps=8, octaves=3), "PyTorch's own"
dreams = {name: dk.dream(dk.scorer(n, dk.layer(layers[-2])), photo, settings)
          for name, n in ((first, network), ("out of the file", back), ("random weights", dk.randomized(network)))}
for name, dream in dreams.items():
    print(f"{name:16} mean difference from the first: {float((dream - dreams[first]).abs().mean()):.1e}")
dk.show.strip(dreams, height=1.9, alt=f"Three dreams at {layers[-2]}: by the network, by the same network out of the file, and by random weights")

# %% [markdown]
# A network out of a file is again a network in PyTorch: where it carries out the same operations with the same numbers, not
# even the rounding differs. The third picture is what the same procedure makes of numbers that were never trained.
#
# ## Dreaming without PyTorch
#
# An ONNX file runs forwards only; ONNX Runtime keeps no trace to go back on. Yet the gradient is itself a
# calculation, made of the same kind of operations, so it can be *written into the file*. That is what `dk.onnx.export_step` did at the
# start: for every node on the way up it adds the nodes for the way down.
#
# **Predict, then reveal.** Which operations do you expect on the way down: of a convolution, a ReLU, a max-pool, of joining
# branches?
#
# <details><summary>Answer</summary>
#
# A transposed convolution with the same weights; a mask (where the input was above 0); a scatter, which puts each
# value where the maximum was; cutting apart. The next cell counts them. Many more are small ones: sizes and shapes, because
# the file must work for any picture.
# </details>

# %%
import collections
there = collections.Counter(info.op for info in session.table)
both = collections.Counter(info.op for info in dk.onnx.FeatureSession(folder / "step.onnx").table)
for op in ("Conv", "ConvTranspose", "Relu", "Where", "MaxPool", "ScatterElements", "Concat", "Slice"):
    print(f"{op:16} features file {there[op]:3}   step file {both[op]:3}")

# %% [markdown]
# The same gradient as PyTorch's? Score and gradient of the photo, each by both. *Exact* is PyTorch in float64, with twice
# the digits. Neither is off by as little as the maps were: where a ReLU or a maximum stands within rounding of its kink, it may
# fall either way, and then the gradient jumps.

# %%
score = dk.scorer(network, dk.layer(layer))
value, uphill = step(photo.numpy())
exact = dk.gradient(dk.scorer(dk.as_network(network.module, network.mean, network.std, precision="float64"), dk.layer(layer)), photo.double())
for name, found in {"ONNX Runtime": photo.new_tensor(uphill), "PyTorch": dk.gradient(score, photo)}.items():
    print(f"{name:13} gradient off from exact by {float((found - exact).norm() / exact.norm()):.1e}")
print(f"score: ONNX Runtime {value:.6f}, PyTorch {float(score(photo)):.6f}")

# %% [markdown]
# The whole loop of lesson 08 fits into one module, `dk.onnx.alone`, that imports NumPy and ONNX Runtime only. Copied out
# of the package, `python alone.py step.onnx photo.jpg dream.png` dreams on a computer that has never seen PyTorch. Its random shifts
# are NumPy's, not PyTorch's, so the dreams are relatives, no twins; compare scores, not pixels. (5 to 15 seconds.)

# %%
torchs_dream = dk.dream(score, photo, settings)
untrained = dk.dream(dk.scorer(dk.randomized(network), dk.layer(layer)), photo, settings)
shown = {"ONNX Runtime alone": alone, "PyTorch": torchs_dream, "random weights": untrained}
print(", ".join(f"{name}: score {float(score(picture)):.4f}" for name, picture in {"photo": photo, **shown}.items()))
dk.show.strip(shown, height=1.9, alt=f"Three dreams at {layer}: ONNX Runtime's and PyTorch's with shapes of one kind, and that of random weights")

# %% [markdown]
# ## What an ONNX file can do and what it cannot
#
# | you want | you need |
# |---|---|
# | feature maps, labels, covering the photo (lesson 14) | the file and ONNX Runtime |
# | the dream of one objective, fixed beforehand | a step file, made once where PyTorch is |
# | another layer, another objective, saliency, training | gradients of something new: `dk.onnx.load`, and PyTorch |
#
# And a file does not say what its numbers mean. Is red first, or blue? From 0 to 1, or to 255? With which mean? Ours say so, in
# their notes. For those of others you must know it, and the last section shows what that is worth.
#
# ## The original of 2015
#
# The network of the Inceptionism post was a GoogLeNet trained with *Caffe*, a program that hardly anybody can install any more. Its weights
# live on as `googlenet-9.onnx` in the ONNX model zoo: on GitHub `onnx/models`, folder
# `validated/vision/classification/inception_and_googlenet`; on Hugging Face `onnxmodelzoo/googlenet-9`. Save the file (about 28 MB)
# beside this notebook. Then
#
# - its layers have Caffe's names: `inception_4c/output` is the one that google/deepdream's notebook uses;
# - it wants blue, green, red, from 0 to 255, less 104, 117, 123: `dk.onnx.CAFFE` says that;
# - in Caffe the ReLU overwrote its input. In the file both are there: `inception_4c/5x5_reduce` before it,
#   `inception_4c/5x5_reduce_2` after it.
#
# The next cell takes the file up if it is there. (Then 10 to 20 seconds.)

# %%
original, shown = pathlib.Path("googlenet-9.onnx"), {"clouds": dk.sample("clouds", 224)}
if original.is_file():
    caffe = dk.onnx.load(original, **dk.onnx.CAFFE)
    shown["by the network of 2015"] = dk.dream(dk.scorer(caffe, dk.layer("inception_4c/output")), shown["clouds"],
                                               dk.Settings(steps=5, octaves=2))
else:
    print(f"{original} is not here: nothing is dreamt by the network of 2015")
dk.show.strip(shown, height=1.6, alt=" and ".join(["A photo of clouds", "its dream by the original Caffe GoogLeNet"][:len(shown)]))

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 16.1 · How far apart are two sets of maps? · 5 minutes · ★☆☆
# Write `my_off(ours, theirs)`: the largest difference of two tensors, up or down, as a share of the largest size of a value in `theirs`.
#
# <details><summary>Hint</summary>
#
# `abs()` before `max()`, twice.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_off(ours, theirs):
#     return (ours - theirs).abs().max() / theirs.abs().max()
# ```
# </details>

# %% tags=["exercise"]
def my_off(ours, theirs):
    ...  # your lines


dk.exercises.check("how_far_off", my_off)

# %% [markdown]
# ### Exercise 16.2 · A ReLU, backwards · 6 minutes · ★★☆
# Going up, a ReLU has made max(x, 0) of `x`. Coming down arrives `uphill`, the gradient with respect to what it gave. Write
# `my_back(x, uphill)`: the gradient with respect to x.
#
# <details><summary>Hint</summary>
#
# Where x is above 0, a change of x is a change of the result, one to one. Elsewhere nothing changes.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_back(x, uphill):
#     return uphill * (x > 0)
# ```
# </details>

# %% tags=["exercise"]
def my_back(x, uphill):
    ...  # your lines


dk.exercises.check("relu_backwards", my_back)

# %% [markdown]
# ### Exercise 16.3 · A picture as Caffe wants it · 6 minutes · ★★☆
# Write `my_caffe(picture)`: of a picture [1, 3, H, W] in red, green, blue from 0 to 1 make one in blue, green, red from 0 to 255, less 104
# (blue), 117 (green) and 123 (red).
#
# <details><summary>Hint</summary>
#
# `picture.flip(1)` turns the channels round. Three numbers, one a channel: `picture.new_tensor([…]).view(1, 3, 1, 1)`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_caffe(picture):
#     return 255 * picture.flip(1) - picture.new_tensor([104, 117, 123]).view(1, 3, 1, 1)
# ```
# </details>

# %% tags=["exercise"]
def my_caffe(picture):
    ...  # your lines


dk.exercises.check("for_caffe", my_caffe)

# %% [markdown]
# ## Recap
#
# - You wrote layers to a file, read its nodes, ran it without PyTorch, compared and timed it, and dreamt twice: with the
#   network read back, and with no PyTorch at all.
# - A file holds operations and weights, not what its numbers mean; colour order, scale and mean you must know.
# - Agreement is the largest difference over the largest value; beside it belongs what disagreement looks like.
# - A dream needs a gradient. Either the file is loaded into something that can find gradients, or the gradient is
#   written into the file as nodes of its own.
# - The original GoogLeNet needs no Caffe: a file, its layer names, and blue before green before red.
#
# ## Read next
#
# - What each ONNX operator does: the operator reference at onnx.ai.
# - The transposed convolution as a convolution's gradient: Dumoulin & Visin, *A guide to convolution arithmetic for deep
#   learning*, 2016.
# - The original network: Szegedy et al., *Going Deeper with Convolutions*, CVPR 2015; its layers in google/deepdream, `dream.ipynb`, 2015.
# - Where the file is: github.com/onnx/models, folder `validated/vision/classification/inception_and_googlenet`.

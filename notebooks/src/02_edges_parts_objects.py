# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 02 · Edges, textures, parts, objects: what a channel responds to
#
# Lesson 01 asked *where* a channel fires. Now ask *what for*. Two answers stand side by side: the
# patches of real photos that excite the channel most, and the picture that gradient ascent draws for
# it, starting from noise. The first is evidence from few photos; the second is free of photos, but
# no photo looks like it. Each corrects the other.
#
# - **You will do:** cut out the nine patches that excite a channel most; compute and measure its
#   receptive field; draw what it responds to; lay both out for four depths.
# - **You will learn:** how edges become textures, parts and objects; what a cell can see, and what it
#   uses; which of these pictures a network with random weights reproduces.
# - **You need:** lesson 01.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()

# %% [markdown]
# Here is the channel of lesson 01 that lit the cat's eyes. On the left are the patches of the twelve
# sample photos that excite it most, the strongest first; on the right is what gradient ascent draws
# for it. (About five seconds.)

# %%
eye_layer, eye = "block5c.expand", 64
if network.name != "efficientnet_lite0":             # another network: some channel of a deep layer
    eye_layer, eye = dk.layer_at(network, 0.75), 0

found = dk.top_patches(network, eye_layer, eye, widest=96)
drawn = dk.figures.channel_picture(network, eye_layer, eye)               # [1, 3, S, S]
pair = {"patches of photos": dk.show.mosaic([p.crop for p in found], count=9, side=120, gap=6),
        "drawn by gradient ascent": dk.resize(drawn, (372, 372), "bicubic")}
dk.show.strip(pair, height=4.1, alt=f"{eye_layer}, channel {eye}: {len(found)} patches of photos, "
              f"the strongest from {found[0].source if found else 'no photo'}; and a drawn picture")

# %%
for patch in found:
    print(patch)

# %% [markdown]
# In EfficientNet-Lite0 two patches stand far above the rest: the two eyes of the cat. The next one
# reaches a sixth of that or less, and only six patches excite the channel at all. The drawn picture was
# made without any photo, and yet it is full of round shapes with a dark centre, the largest of them
# much like an eye. Two independent witnesses agree: that is worth more than either alone.
#
# ## The strongest cell, and what it sees
#
# How do you get such a patch? Take the channel's feature map, find its highest cell, and cut out the
# part of the photo that this cell can see: its **receptive field**.
#
# ### Exercise 02.1 · Cut out what a cell sees · 5 minutes · ★☆☆
# `field.box(row, column)` gives `(top, bottom, left, right)` in pixels, `bottom` and `right` not
# included. Give back that part of the photo `[1, 3, H, W]`. For a cell at the border the box begins
# outside the photo.
#
# <details><summary>Hint</summary>
#
# `photo[..., top:bottom, left:right]`. What does Python make of a negative `top`? `max(0, top)` helps.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_patch(photo, row, column, field):
#     top, bottom, left, right = field.box(row, column)
#     return photo[..., max(0, top):bottom, max(0, left):right]
# ```
# </details>

# %% tags=["exercise"]
def my_patch(photo, row, column, field):
    ...  # your lines


dk.exercises.check("patch", my_patch)

# %% [markdown]
# `dk.top_patches` does this for every channel of a layer at once. It looks at each photo in three
# sizes, because an eye may be large or small, and takes at most two patches from a photo. Its
# `widest=96` shows only the middle 96 pixels of a larger field.
#
# Twelve photos are few. A larger collection is one line away: a folder of your own pictures, or a data
# set that torchvision downloads once (you need a connection; Imagenette has 342 MB):
#
# ```python
# bank = dk.collection("Imagenette", count=300)        # or dk.collection("my/holidays")
# dk.top_patches(network, eye_layer, eye, bank)
# ```
#
# ## How far a cell can see
#
# A cell looks at several cells of the layer below, and each of those at several of the layer below
# them. A kernel of `k` adds `k - 1` cells of the map below to what is seen; and after a stride of 2
# those cells lie twice as far apart.
#
# ### Exercise 02.2 · How far does a cell see? · 6 minutes · ★★☆
# `layers` is a list of `(kernel, stride)`, the first layer first. Give back the side of the last
# layer's receptive field in pixels.
#
# <details><summary>Hint</summary>
#
# Keep two numbers: the size so far (at first 1) and how many pixels lie between neighbouring cells
# (at first 1). Which of the two does a kernel change, and which a stride?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_field(layers):
#     size, step = 1, 1
#     for kernel, stride in layers:
#         size += (kernel - 1) * step
#         step *= stride
#     return size
# ```
# </details>

# %% tags=["exercise"]
def my_field(layers):
    ...  # your lines


dk.exercises.check("field", my_field)

# %% [markdown]
# The number on paper can be measured: a pixel is inside the field of a unit (one channel, one cell) if
# the unit's gradient there is not 0. A silent unit has no gradient, so take the highest cell of the
# channel in the middle third of a picture of 480 pixels. In a network with branches the field differs from
# channel to channel, and the layer's number is only the largest of them.

# %%
import torch

CHANNELS = {"block2b.expand": (54, 111, 7, 107), "block3b.expand": (77, 184, 79, 151),
            "block5b.expand": (163, 428, 395, 92), "block6d.expand": (736, 396, 850, 1001)}
if network.name != "efficientnet_lite0":
    CHANNELS = {dk.layer_at(network, depth): (0, 1, 2, 3) for depth in (0.1, 0.4, 0.7, 0.9)}

square = dk.resize(dk.sample("chelsea"), (480, 480))                     # the cat, stretched
fields = {info.name: info.field for info in dk.layer_table(network)}
units = [(layer, channels[1]) for layer, channels in CHANNELS.items()]
for layer, channel in [*units[:3], (eye_layer, eye)]:
    maps = dk.capture(network, square, layer)[layer][0, channel]
    start, end = len(maps) // 3, 2 * len(maps) // 3                      # as many columns as rows
    y, x = divmod(int(maps[start:end, start:end].argmax()), end - start)
    unit = dk.neuron(layer, channel, y + start, x + start)               # the highest cell inside
    seen = dk.gradient(dk.scorer(network, unit), square)[0].abs().sum((0, 2)) > 0
    rows = seen.nonzero().flatten()
    size = f"{int(rows[-1] - rows[0]) + 1} pixels" if len(rows) else "nothing, the unit is silent"
    paper = fields[layer].size[0] if fields[layer] else "all"
    print(f"{layer:16} channel {channel:3}: on paper {paper} pixels, measured {size}")

# %% [markdown]
# ## How far a cell does look
#
# What a cell *can* see is one thing, what it *uses* another. Take the gradient of the middle cell,
# and ask for the square around it that holds nine tenths of the squared gradient: the **effective
# receptive field**. (Some seconds. The band reaches over four photos, and for random weights over two
# networks.)

# %%
def effective(net, layer, image):                  # side in pixels, for 16 channels together
    maps = dk.capture(net, image, layer)[layer]
    y, x = (n // 2 for n in maps.shape[-2:])
    some = range(0, maps.shape[1], -(-maps.shape[1] // 16))
    unit = dk.Objective((layer,), lambda f: sum(f[layer][0, c, y, x] for c in some))
    energy = dk.gradient(dk.scorer(net, unit), image).square().sum((0, 1))
    top, bottom, left, right = fields[layer].box(y, x)
    down = (torch.arange(energy.shape[0]) + 0.5 - (top + bottom) / 2).abs()
    across = (torch.arange(energy.shape[1]) + 0.5 - (left + right) / 2).abs()
    distance, order = torch.maximum(down[:, None], across[None]).flatten().sort()
    inside = int((energy.flatten()[order].cumsum(0) < 0.9 * energy.sum()).sum())
    return 2 * float(distance[min(inside, len(distance) - 1)]) + 1


depths = [layer for layer in dk.suggested_layers(network)
          if fields[layer] and fields[layer].size[0] <= 288]   # those that fit into the photo
four = ("coffee", "chelsea", "china", "motorcycle")
crops = [dk.sample(name, 432)[..., :288, :288] for name in four]
nets = {"trained": [network], "random weights": [dk.randomized(network, seed) for seed in (0, 1)]}
sides = lambda net, image: [effective(net, layer, image) for layer in depths]
used = {label: [sides(net, image) for net in some for image in crops]
        for label, some in nets.items()}

# %%
curves = {"on paper": [fields[layer].size[0] for layer in depths]}
curves |= {f"90 % of the squared gradient, {label}": runs for label, runs in used.items()}
means = {label: sum(run[-1] for run in runs) / len(runs) for label, runs in used.items()}
dk.show.lines(curves, depths, f"Receptive fields on paper and in use. In {depths[-1]}: on paper "
              f"{curves['on paper'][-1]} pixels; in use {means['trained']:.0f} trained, "
              f"{means['random weights']:.0f} random", ylabel="side (pixels)", yscale="log")

# %% [markdown]
# In use, a cell looks at a fraction of its field: more paths through the network lead to the middle
# than to the rim. That is the finding of Luo et al. (2016), and why the patches here show only the
# middle 96 pixels. They also report that the effective field *grows* in training, in the networks that
# they trained. Ours does not show that: in EfficientNet-Lite0 the trained field is smaller than the
# random one in every layer from block 3 on. Another architecture, another way to draw random weights?
# We do not know.
#
# ## What gradient ascent draws
#
# Now the second witness. `dk.figures.channel_picture` starts from noise and takes a hundred or so
# steps uphill: at each step the picture changes a little along the gradient, so that the channel
# responds more strongly (lessons 03 to 08 build this, one idea at a time). The channel is taken
# *before its activation*: after a ReLU, a channel that noise does not excite has no gradient at all.
#
# Four depths, four channels each. **Predict before you run: at which depth do you see the first
# thing that has a name outside geometry?**
#
# <details><summary>Think first, then open</summary>
#
# In EfficientNet-Lite0: stripes in block 2; then regular textures (lattice, bricks, dots) in block 3;
# arcs, dark holes like eyes, cells and stars in block 5; and in block 6 single compositions, some of
# which look like parts of animals. The first names that are not patterns come in block 5. You may have
# seen other things: the control comes below.
# </details>
#
# (Two cells of ten to twenty seconds each: seconds well spent.)

# %%
pictures = {layer: dk.figures.channel_picture(network, layer, channels)
            for layer, channels in list(CHANNELS.items())[:3]}

# %% [markdown]
# (The deepest layer takes as long again: ten to twenty seconds.)

# %%
deepest = list(CHANNELS)[3]
pictures[deepest] = dk.figures.channel_picture(network, deepest, CHANNELS[deepest])

# %%
def patches(net, layer, channel, side=56):
    best = dk.top_patches(net, layer, channel, widest=96)
    return dk.show.mosaic([patch.crop for patch in best], count=9, side=side, gap=4)


matrix = {}
for layer, channels in CHANNELS.items():
    for channel, picture in zip(channels, pictures[layer]):
        page = patches(network, layer, channel)
        white = torch.ones(1, 3, page.shape[-2], 8)
        both = [page, white, dk.resize(picture[None], page.shape[-2:], "bicubic")]
        matrix[f"{layer} · {channel}"] = torch.cat(both, 3)
dk.show.grid(matrix, columns=4, height=1.1, alt="Four channels each of "
             f"{', '.join(CHANNELS)}, from top to bottom: nine patches of photos, and beside "
             "them the drawn picture")

# %% [markdown]
# Read each row from left to right: nine patches, then the drawing. (The numbers are of
# EfficientNet-Lite0.) In block 2 they agree: the patches hold edges in the direction of the drawn
# stripes. In block 3 the channel drawn as bricks finds the brick wall first, and the one drawn as dots
# the stars. In block 5 the arcs find the flower, the cup and the helmet, and the dark holes the cat's
# eyes. In block 6 the two drift apart. There the field is larger than the photo, so the patches look
# like whole photos, cut to their middle; and a dozen photos do not hold what these channels respond to
# most. A patch is the best *of this collection*, not the best there is.
#
# ## Name the channels
#
# **Write before you go on.** Choose two channels of the last two rows, and give each a name that a
# friend would understand. Which picture would you show the network to prove your name wrong?

# %%
note = """
Layer and channel:                  my name:
I would show it:                    and if my name is wrong, I would see:
"""

# %% [markdown]
# ## Control: the same for random weights
#
# Nine patches of *any* function look somewhat alike, and people are quick to name what they see. So
# here are the same two methods on the same architecture with random weights. (About ten seconds.)

# %%
untrained = nets["random weights"][0]
blank = {}
for layer, count in zip(CHANNELS, (1, 2, 1)):
    channels = CHANNELS[layer][:count]
    for channel, picture in zip(channels, dk.figures.channel_picture(untrained, layer, channels)):
        page = patches(untrained, layer, channel, 96)
        white = torch.ones(1, 3, page.shape[-2], 8)
        both = [page, white, dk.resize(picture[None], page.shape[-2:], "bicubic")]
        blank[f"random weights, {layer} · {channel}"] = torch.cat(both, 3)
dk.show.grid(blank, columns=2, height=1.8, alt="Random weights: patches and drawn "
             f"pictures of channels of {', '.join(list(CHANNELS)[:3])}")

# %% [markdown]
# The patches alone might fool you: a random channel, too, prefers some photos, and you could find a
# word for them. The drawings do not fool you. With random weights there is some faint grain in block 2,
# and then there are coloured clouds and blotches, without lattice, bricks, arcs or eyes. What you named
# above came with training.
#
# Leaf through the channels of a layer yourself. What would you call them? (Each takes a second or two.)

# %%
panel_layer = list(CHANNELS)[1]


def look(channel):
    drawn = dk.figures.channel_picture(network, panel_layer, channel)
    return {"patches": patches(network, panel_layer, channel, 80),
            "drawn": dk.resize(drawn, (248, 248), "bicubic")}, f"{panel_layer}, channel {channel}"


dk.widgets.slide(f"channel of {panel_layer}", range(24), look, start=8, width=300)

# %% [markdown]
# ## How picky is a channel?
#
# Some channels respond to many photos, others to few. Call a channel **picky** if its best photo
# stands far above the others: `(best − rest) / (best + rest)`, where `rest` is the mean of the *other*
# photos' peaks.
#
# ### Exercise 02.3 · How picky is a channel? · 6 minutes · ★★☆
# `peaks` `[photos, C]` holds the highest value of each channel in each photo, never negative. Give
# back each channel's pickiness `[C]`: 0 for one that responds to all photos alike, 1 for one that
# responds to a single photo.
#
# <details><summary>Hint</summary>
#
# `peaks.max(0).values` is the best. The sum over all photos less the best, divided by their number
# less one, is the rest.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_picky(peaks):
#     best = peaks.max(0).values
#     rest = (peaks.sum(0) - best) / (len(peaks) - 1)
#     return (best - rest) / (best + rest)
# ```
# </details>

# %% tags=["exercise"]
def my_picky(peaks):
    ...  # your lines


dk.exercises.check("picky", my_picky)

# %% [markdown]
# **Predict: how does pickiness change from the first layer to the last, with trained and with random
# weights?** A channel that is silent for all photos does not count. (A few seconds.)

# %%
photos = dk.collection("samples")
layers = dk.suggested_layers(network)


def mean_pickiness(net):                            # for each layer
    maps = [dk.capture(net, image, layers) for image in photos]
    peaks = [torch.stack([m[layer][0].amax((1, 2)).clamp(min=0) for m in maps]) for layer in layers]
    picky = []
    for p in peaks:                                 # [photos, C]
        best, rest = p.amax(0), (p.sum(0) - p.amax(0)) / (len(p) - 1)
        picky.append(float(((best - rest) / (best + rest))[best > 0].mean()))
    return picky


rates = {label: [mean_pickiness(net) for net in some] for label, some in nets.items()}
dk.show.lines(rates, layers, "Mean pickiness from the first to the last layer: trained "
              f"{rates['trained'][0][0]:.2f} to {rates['trained'][0][-1]:.2f}, random weights "
              f"{rates['random weights'][0][0]:.2f} to {rates['random weights'][0][-1]:.2f}",
              ylim=(0, 1), ylabel="mean pickiness")

# %% [markdown]
# In EfficientNet-Lite0 the trained channels of the first layers are *less* picky than random ones: edges
# and textures are everywhere. From block 5 on they are pickier, up to 0.7 in the last layer, where one
# photo stands far above the others. Random channels stay below 0.3 at every depth. (Two random networks
# give nearly the same curve: the band.)
#
# ## Open investigation: is it an eye detector?
#
# The eye channel has seen one cat so far. Does it respond to an eye, or to any dark disc in a bright
# ring? Draw discs, and compare with the peak at the cat's eye. Try other colours, an ellipse, a slit
# for a pupil, a highlight; find the *smallest* change that wakes the channel. We do not know what you
# will find. Begin here:

# %%
def disc(pupil, ring, side=256, bright=(0.8, 0.7, 0.2)):
    line = torch.arange(side) - side / 2 + 0.5
    distance = (line[:, None].square() + line.square()).sqrt()
    picture = torch.full((1, 3, side, side), 0.4)
    picture[..., distance < ring] = torch.tensor(bright).view(1, 3, 1)
    picture[..., distance < pupil] = 0.05
    return picture


peak = lambda image: float(dk.capture(network, image, eye_layer)[eye_layer][0, eye].max())
print(*(f"{name}: {peak(dk.sample(name, 320)):.2f}" for name in ("chelsea", "coffee")))
for ring in (10, 20, 30, 45, 60):
    print(f"dark disc in a bright ring of radius {ring}: {peak(disc(ring // 2, ring)):.2f}")

# %% [markdown]
# To end with: the drawings once more, at full size, with the names that we would give them in
# EfficientNet-Lite0. They are names, not truths. Which ones would you change?

# %%
NAMES = ["slant", "lying lines", "another slant", "scales",
         "lattice", "bricks", "dots", "standing stripes",
         "rainbows", "eyes in folds", "cells", "stars",
         "a face around an eye", "smoke and a red house", "two dark hollows", "a fish's head"]
wall = {}
for row, (layer, channels) in enumerate(CHANNELS.items()):
    for column, channel in enumerate(channels):
        name = NAMES[4 * row + column] if network.name == "efficientnet_lite0" else ""
        picture = pictures[layer][column][None]
        wall[f"{name}\n{layer} · {channel}"] = dk.resize(picture, (240, 240), "bicubic")
dk.show.grid(wall, columns=4, height=2.1, alt=f"Drawn pictures of {len(wall)} channels, from "
             f"shallow to deep: {', '.join(title.replace(chr(10), ' ') for title in wall)}")

# %% [markdown]
# ## Recap
#
# - You cut out the patches that excite a channel most, and drew what it responds to. Patches are the
#   best of one collection; drawings need no photo. Where both agree, a name is worth something.
# - One channel of EfficientNet-Lite0 prefers the cat's eyes to everything else in twelve photos, and its
#   drawing shows round shapes with a dark centre. A disc in a ring of the right size wakes it about
#   half as much as the eye: "eye" is a good first name, not the last word.
# - The drawings of the chosen channels go from stripes to textures, to arcs and eye-like holes, to
#   compositions such as a fish's head; with random weights, tried up to block 5, they stay grain and
#   blotches.
# - A receptive field grows with each kernel, and faster after each stride. In blocks 3 to 5
#   a cell uses a fraction of it; with random weights too, though a larger one.
# - In the deepest layers trained channels are picky on average (0.7 in the last); random ones are at no
#   depth (below 0.3).
#
# ## Read next
#
# - Lesson 03: the gradient with respect to the pixels, which drew these pictures.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional
#   networks](https://arxiv.org/abs/1311.2901), 2013: nine patches a channel, layer by layer, is their
#   figure 2.
# - W. Luo et al., [Understanding the effective receptive field](https://arxiv.org/abs/1701.04128), 2016.
# - C. Olah, A. Mordvintsev and L. Schubert, [Feature
#   visualization](https://distill.pub/2017/feature-visualization/), 2017: dataset examples beside
#   optimised pictures, and why you need both.

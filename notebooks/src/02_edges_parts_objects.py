# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 02 · Edges, parts, objects: what a channel looks for
#
# Lesson 01 asked *where* a channel fires. Now ask *for what*. Two answers stand side by side in this lesson: the patches
# of real photos that excite a channel most, and the picture that gradient ascent draws for it from noise. One is evidence,
# the other imagination, and each corrects the other.
#
# - **You will do:** cut out the nine patches that excite a channel most, draw what it would like best, and lay both out
#   as a matrix of layers and channels.
# - **You will learn:** what a receptive field is, how it grows, and how little of it counts; how edges become textures,
#   parts and objects; to measure what the eye sees (orientation selectivity, pickiness), against random weights.
# - **You need:** lesson 01.
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Here is where we are going: one channel from each of five layers (the titles say which), and the nine patches out of a
# dozen photos that excite it most. (About five seconds: every photo is looked at in three sizes.)

# %%
import torch


def mosaic(patches, side=32):                                                 # nine patches as one square, the strongest first
    tiles = [dk.resize(patch.crop, (side, side)) for patch in patches]
    tiles += [torch.ones(1, 3, side, side)] * (9 - len(tiles))                # white where a channel has fewer
    return torch.cat([torch.cat(tiles[i:i + 3], 3) for i in (0, 3, 6)], 2)


def strongest(layer, count):                                                  # of the first 32 channels, those that noise wakes too
    awake = dk.capture(network, START, layer)[layer][0, :32].amax((1, 2)) > 0
    strength = {c: sum(p.value for p in dk.top_patches(network, layer, c, widest=64)) for c in range(32) if awake[c]}
    return sorted(strength, key=strength.get, reverse=True)[:count]


def named(layer, channel):
    return f"{layer} · {channel}"


START = dk.resize(dk.noise(16, 16, seed=1), (64, 64))                         # blurry noise
layers = [dk.layer_at(network, depth) for depth in (0.0, 0.15, 0.45, 0.6, 0.85)]
best = {layer: strongest(layer, 5) for layer in layers}
shown = {named(layer, best[layer][0]): mosaic(dk.top_patches(network, layer, best[layer][0], widest=64)) for layer in layers}
dk.show.strip(shown, height=1.9, alt=f"Nine patches each that excite one channel of {', '.join(layers)} most: from edges to parts of things")

# %% [markdown]
# ## The strongest cell, and what it sees
#
# How do you get such a patch? Take one channel's feature map, find its highest cell, and cut the part of the photo out
# that this cell can see: its **receptive field**. `dk.layer_table` knows the field of every layer.

# %%
middle = layers[2]
field = next(info.field for info in dk.layer_table(network) if info.name == middle)
photo = dk.sample("coffee", 256)
feature_map = dk.capture(network, photo, middle)[middle][0, best[middle][0]]  # [h, w], one channel
row, column = divmod(int(feature_map.argmax()), feature_map.shape[1])
top, bottom, left, right = field.box(row, column)
patch = photo[..., max(0, top):bottom, max(0, left):right]
print(f"{middle}: a cell sees {field.size[0]}×{field.size[1]} pixels; neighbours lie {field.stride[0]} pixels apart")
dk.show.strip({"photo": photo, "feature map": dk.show.overlay(photo, feature_map), "what its highest cell sees": patch},
              height=1.9, alt=f"A cup of coffee, a feature map of {middle} over it, and the patch seen by the map's highest cell")

# %% [markdown]
# `dk.top_patches` does just that for all photos of a collection, and takes at most two patches from a photo, so that
# the nine differ. It takes a folder of your own pictures as well: `dk.top_patches(network, layer, channel, "my/pictures")`.

# %%
for found in dk.top_patches(network, middle, best[middle][0], count=4):
    print(found)

# %% [markdown]
# ### Exercise 02.1 · Cut out what a cell sees · 5 minutes · ★☆☆
# Write it as a function. `field.box(row, column)` gives `(top, bottom, left, right)` in pixels. Mind cells at the border:
# their box begins outside the photo.
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
# ## Edges: a number that goes with the eye
#
# In the first layer the patch and the filter have the same size, so you can look at the filters themselves. Some are
# edges and bars with a clear direction, some are blobs of colour without any. **Orientation selectivity** puts a number
# on that: show the filter gratings of every direction, and ask how much its answers pull one way. 1: one direction
# only; 0: none.

# %%
first = next(module for module in network.module.modules() if isinstance(module, torch.nn.Conv2d))
selectivity = dk.orientation_selectivity(first.weight)                        # [C]
order = selectivity.argsort(descending=True)
small = first.weight[order] / first.weight[order].abs().amax((1, 2, 3), keepdim=True)
titles = [f"{c}: {selectivity[c]:.2f}" for c in order.tolist()]               # channel: selectivity
filters = {title: (0.5 + 0.5 * weights)[None] for title, weights in zip(titles, small)}
filters = dict(list(filters.items())[:10] + list(filters.items())[-10:])
dk.show.grid(filters, columns=10, height=0.8, pixelated=True,
             alt=f"First-layer filters of {network.name}: the 10 most selective for a direction, bars and edges; then the 10 least, blobs")

# %% [markdown]
# Is that learnt, or would any filter look so? Random filters have a direction by chance, too:

# %%
from matplotlib.figure import Figure

untrained = dk.randomized(network)
blind = next(module for module in untrained.module.modules() if isinstance(module, torch.nn.Conv2d))
figure = Figure(figsize=(6.5, 2.8), layout="constrained")
axis = figure.subplots()
for name, weights, style in (("trained", first.weight, "o-"), ("random weights", blind.weight, "s--")):
    axis.plot(dk.orientation_selectivity(weights).sort(descending=True).values, style, markersize=3, label=name)
axis.set(xlabel="filters of the first layer, the most selective first", ylabel="orientation selectivity", ylim=(0, 1))
axis.legend()
dk.show.chart(figure, f"Orientation selectivity of the filters of the first layer, sorted: trained {network.name} and random weights")

# %% [markdown]
# A random filter has hardly any direction. Training has given many filters one, from a hint to nearly pure bars, and has
# left others round on purpose: those watch colour.
#
# ## How far a cell sees
#
# Each layer looks at several cells of the layer below, and those at several of theirs. A kernel of `k` adds `k - 1` cells
# of the map below to what is seen; and after a stride of 2 those cells lie twice as far apart.
#
# ### Exercise 02.2 · How far does a cell see? · 6 minutes · ★★☆
# `layers` is a list of `(kernel, stride)`, the first layer first. Give back the side of the receptive field of the last
# layer in pixels.
#
# <details><summary>Hint</summary>
#
# Keep two numbers: the size so far (at first 1) and how many pixels lie between neighbouring cells (at first 1).
# Which of the two does a kernel change, and which a stride?
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
# What a cell *can* see is one thing; what it *does* look at, another. The gradient of one cell with respect to the
# photo says how much each pixel counts for it. Ask for the square around the cell that holds nine tenths of the squared gradient.
# (Some seconds.)

# %%
def effective(network, layer, image):                                         # side of the square with 90% of the squared gradient
    features = dk.capture(network, image, layer)[layer][0]
    y, x = (n // 2 for n in features.shape[1:])
    cell = dk.neuron(layer, int(features[:, y, x].argmax()), y, x)
    energy = dk.gradient(dk.scorer(network, cell), image).square().sum((0, 1))
    rows, columns = (torch.arange(n) + 0.5 - (cells + 0.5) * n / of for n, cells, of in zip(energy.shape, (y, x), features.shape[1:]))
    away = torch.maximum(rows.abs()[:, None], columns.abs()[None, :]).flatten()
    nearest = away.argsort()
    inside = (energy.flatten()[nearest].cumsum(0) < 0.9 * energy.sum()).sum()
    return 2 * float(away[nearest[inside]]) + 1


pair = [dk.sample(name, 320)[..., :200, 60:260] for name in ("coffee", "chelsea")]
every = {info.name: info.field for info in dk.layer_table(network) if info.name in layers and info.field}
used = {label: [sum(effective(net, layer, image) for image in pair) / 2 for layer in every]
        for label, net in (("trained", network), ("random weights", untrained))}

# %%
figure = Figure(figsize=(7, 3), layout="constrained")
axis = figure.subplots()
axis.plot(list(every), [field.size[0] for field in every.values()], "k^:", label="can see: receptive field")
for (label, sides), style in zip(used.items(), ("o-", "s--")):
    axis.plot(list(every), sides, style, label=f"looks at: 90% of the squared gradient, {label}")
axis.set(ylabel="side (pixels)", yscale="log", xlabel="layer, shallow to deep")
axis.tick_params(axis="x", rotation=20)
axis.legend(fontsize=8)
last = list(every)[-1]
dk.show.chart(figure, f"Receptive fields grow from layer to layer, to {every[last].size[0]} pixels at {last}; "
                      f"90% of the squared gradient lies within {used['trained'][-1]:.0f} pixels there")

# %% [markdown]
# The field that counts, the **effective receptive field**, is far smaller than the one on paper: most paths through
# the network lead to the middle. That is why we show deep patches through a window of 64 pixels (`widest=64`).
#
# ## What gradient ascent draws
#
# The second answer. Begin with blurry noise, ask for more of the channel again and again, and see what appears. It is the
# dream of lesson 08 with another wish, so take its inside for granted today. One batch draws several channels at once:
# picture 0 pleases the first channel, picture 1 the second, …

# %%
def drawn(layer, channels, steps=14):
    start = START.repeat(len(channels), 1, 1, 1)
    wish = dk.Objective((layer,), lambda f: sum(f[layer][i, c].mean() for i, c in enumerate(channels)))
    settings = dk.Settings(steps=steps, octaves=3, jitter=8, smoothing=1.0, step_size=0.025)
    return dk.dream(dk.scorer(network, wish), start, settings)                # [channels, 3, 64, 64]


chosen = best[middle]
above = {f"{c}: patches": mosaic(dk.top_patches(network, middle, c, widest=64)) for c in chosen}
below = {f"{c}: drawn": picture[None] for c, picture in zip(chosen, drawn(middle, chosen))}
dk.show.grid(above | below, columns=len(chosen), height=1.35,
             alt=f"Channels {chosen} of {middle}: above the patches that excite each most, below what gradient ascent draws for it")

# %% [markdown]
# ## The matrix
#
# Five layers from shallow to deep, four channels each: on the left of a pair what the channel answers to, on the right
# what it asks for. Read down, and name what you see: bars and edges, then stripes and
# checks, then weaves and spots, and at last rounder and larger patterns that are hard to put a name to. (About eight seconds.)

# %%
matrix = {}
for layer in layers:
    for channel, picture in zip(best[layer], drawn(layer, best[layer][:4])):
        pair = [mosaic(dk.top_patches(network, layer, channel, widest=64)), dk.resize(picture[None], (96, 96))]
        matrix[named(layer, channel)] = torch.cat(pair, 3)
dk.show.grid(matrix, columns=4, height=1.05, alt=f"Layers {', '.join(layers)} from top to bottom, four channels each: "
                                                  "nine patches of photos, and beside them what gradient ascent draws")

# %% [markdown]
# Where patches and drawing agree, you may believe. Where they do not, the photos did not hold what the channel wants
# (a dozen photos are few!), or the drawing exploits something that no photo shows.
#
# Leaf through the channels of a layer yourself. What would you name them?

# %%
def look(channel):
    patches = dk.top_patches(network, layers[3], channel, widest=64)
    said = f"answers up to {patches[0].value:.1f}, in {patches[0].source}" if patches else "silent for every photo"
    return {"patches": mosaic(patches), "drawn": dk.resize(drawn(layers[3], [channel], 10), (96, 96))}, said


dk.widgets.slide(f"channel of {layers[3]}", range(32), look, start=best[layers[3]][0], width=240)

# %% [markdown]
# And at the very end stand the classes. The same ascent, on four outputs of the network. (About five seconds.)

# %%
names = [name for name in ("bullfrog", "goldfish", "banana", "sports car") if name in network.labels] or [0, 1, 2, 3]
wish = dk.Objective(("",), lambda f: sum(f[""][i, network.labels.index(n) if n in network.labels else n] for i, n in enumerate(names)))
settings = dk.Settings(steps=20, octaves=4, octave_ratio=1.25, jitter=8, smoothing=1.0, step_size=0.025)
objects = dk.dream(dk.scorer(network, wish), START.repeat(len(names), 1, 1, 1), settings)
dk.show.strip({str(name): dk.resize(p[None], (128, 128), "bicubic") for name, p in zip(names, objects)}, height=1.9,
              alt=f"Drawn from noise for the classes {', '.join(map(str, names))}")

# %% [markdown]
# ## Picky channels
#
# Some channels answer many photos, others only a few. Call a channel **picky** if its best photo stands far above the
# others: (best − rest) / (best + rest), with the mean of the *other* photos as the rest.

# %% [markdown]
# ### Exercise 02.3 · How picky is a channel? · 6 minutes · ★★☆
# `peaks` `[photos, C]` holds the highest value of each channel in each photo. Give back each channel's pickiness `[C]`,
# 0 for one that answers all photos alike, 1 for one that answers a single photo.
#
# <details><summary>Hint</summary>
#
# `peaks.max(0).values` is the best. The sum over all photos less the best, divided by their number less one, is the rest.
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
# ## Predict, then reveal
#
# **Predict: how does pickiness change from the first layer to the last, in the trained network and with random weights?**
#
# <details><summary>Think first, then open</summary>
#
# With random weights it stays about the same in all layers: there is nothing to be picky about. In the trained network
# most layers are even a little less picky than random ones (edges and textures are everywhere), and only the last, closest
# to the classes, is much pickier.
# </details>

# %%
photos = [dk.sample(name, 128) for name in dk.samples()]
ends, peaks, picky = dk.suggested_layers(network), {}, {}
for label, net in (("trained", network), ("random weights", untrained)):
    features = [dk.capture(net, image, ends) for image in photos]
    for layer in ends:
        peaks[label, layer] = torch.stack([f[layer][0].amax((1, 2)) for f in features])               # [photos, C]
    for layer in ends:
        p = peaks[label, layer][:, peaks[label, layer].amax(0) > 0]                                   # silent channels left out
        best_photo, rest = p.amax(0), (p.sum(0) - p.amax(0)) / (len(p) - 1)
        picky.setdefault(label, []).append(float(((best_photo - rest) / (best_photo + rest)).mean()))

# %%
figure = Figure(figsize=(6.5, 2.8), layout="constrained")
axis = figure.subplots()
for (label, values), style in zip(picky.items(), ("o-", "s--")):
    axis.plot(ends, values, style, label=label)
axis.set(ylabel="mean pickiness", ylim=(0, 1), xlabel="layer, shallow to deep")
axis.tick_params(axis="x", rotation=20)
axis.legend()
dk.show.chart(figure, f"Pickiness, first to last layer: trained {picky['trained'][0]:.2f} to {picky['trained'][-1]:.2f}, "
                      f"random weights {picky['random weights'][0]:.2f} to {picky['random weights'][-1]:.2f}")

# %% [markdown]
# ## Sanity baseline: nine patches of a network that knows nothing
#
# The nine best patches of *any* function look somewhat alike, and eyes are quick to name what they see. So look at
# random weights through the same window. (About three seconds.)

# %%
blanks = {}
for layer in (layers[0], layers[3]):
    found = {c: dk.top_patches(untrained, layer, c, widest=64) for c in range(24)}
    full = [c for c in found if len(found[c]) == 9][:4]                       # many a random channel never fires at all
    blanks |= {named(layer, c): mosaic(found[c]) for c in full}
dk.show.grid(blanks, columns=4, height=1.2,
             alt=f"Nine patches each for four channels of {layers[0]} and {layers[3]} with random weights: the deep ones choose alike")

# %% [markdown]
# Random filters of the first layer have favourites, too: some edge, some colour. And deep down? You might well name what
# you see, round things perhaps. But put the four beside each other: they all pick much the same places. So ask how alike
# two channels of a layer are in what they like (the mean correlation of their peaks over the photos):

# %%
for layer in (ends[0], ends[len(ends) // 2], ends[-1]):
    alike = {}
    for label in ("trained", "random weights"):
        taste = peaks[label, layer][:, peaks[label, layer].std(0) > 1e-6]                             # [photos, C]
        table = torch.corrcoef(taste.T)
        alike[label] = float((table.sum() - len(table)) / (table.numel() - len(table)))               # without the diagonal
    print(f"{layer:14}", ", ".join(f"{label}: {value:.2f}" for label, value in alike.items()))

# %% [markdown]
# With random weights all channels have much the same taste, at every depth: they like strong contrast. Training makes
# tastes differ, the more so the deeper you go. *That* is what the matrix above shows, and one row of it alone would not.
#
# ## Recap
#
# - You cut out the patches that excite a channel most, and drew what it would like best: evidence and imagination.
# - A cell's receptive field grows from layer to layer; the part that counts is much smaller.
# - Edges and colours come first, then textures and parts, at the end things.
# - Numbers go with the eye: orientation selectivity for the first layer, pickiness for all; each beside random weights.
#
# ## Read next
#
# - Lesson 03: the gradient with respect to the pixels, which drew these pictures.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional networks](https://arxiv.org/abs/1311.2901), 2013:
#   nine patches a channel, layer by layer, is their figure 2.
# - W. Luo et al., [Understanding the effective receptive field](https://arxiv.org/abs/1701.04128), 2016.
# - C. Olah, A. Mordvintsev and L. Schubert, [Feature visualization](https://distill.pub/2017/feature-visualization/), 2017:
#   dataset examples beside optimised pictures, and why you need both.

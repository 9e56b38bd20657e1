# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 01 · Feature maps: what one layer sees
#
# A convolutional network turns a photo into a stack of grey maps, and those into another stack, layer after layer.
# Each map answers one question at every place of the photo: *is my pattern here?* In this lesson you look at the answers.
#
# - **You will do:** take the features out of any layer, look at them one by one, all at once, and layer by layer.
# - **You will learn:** what a feature map is; why maps get smaller and more numerous; why cells are silent, the
#   more so the deeper the layer; and why a fine picture of an activation proves little until you have seen the same picture from an untrained network.
# - **You need:** Python, and to know that a convolution slides a small filter over a picture.
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# The network is DreamNet, a small relative of GoogLeNet that comes with this package: it was trained to tell 200 classes of
# things apart on photos of 64 × 64 pixels (Tiny ImageNet). `dk.suggested_layers` lists the layers of a network that are
# worth a look; `dk.layer_at(network, 0.5)`, later on, takes the one half way up, so that the same lines fit any network.
#
# Here is where we are going. One photo, and the channel with the highest peak in each of several layers, from the
# shallowest to the deepest: bright where that channel fires.

# %%
photo = dk.sample("chelsea", 320)                                             # [1, 3, H, W], values in [0, 1]
features = dk.capture(network, photo, dk.suggested_layers(network))           # {layer: [1, channels, h, w]}
views = {"the photo": photo}
for layer, maps in features.items():
    highest = int(maps[0].amax((1, 2)).argmax())
    views[f"{layer}, channel {highest}"] = dk.show.overlay(photo, maps[0, highest], strength=0.75)
dk.show.grid(views, columns=3, height=1.9, alt=f"A cat, and where one channel of each layer fires: {', '.join(features)}")

# %% [markdown]
# Lines first, then blobs of fur, then something about eyes. Nobody told the network to look for eyes. Or does it only
# seem so? Keep that doubt: it comes back at the end, with a number.
#
# ## What a layer hands on
#
# A layer's features are a tensor `[1, C, h, w]`: `C` channels, each with one **feature map** of `h × w` cells. What a
# cell can see of the photo is its **receptive field**; how far apart two cells look, the **stride**. Read
# the table from top to bottom: what grows, what shrinks?

# %%
print(f"{'layer':16} {'channels':>8} {'cells':>11} {'stride':>7} {'field':>6}   (stride and field in pixels of the photo)")
for info in dk.layer_table(network):
    if info.name in features:
        channels, height, width = features[info.name].shape[1:]
        step, size = (info.field.stride[0], info.field.size[0]) if info.field else ("–", "all")
        print(f"{info.name:16} {channels:8} {height:>5} × {width:<3} {step:>7} {size:>6}")

# %% [markdown]
# Going up, the maps get coarser, the channels more numerous, and each cell sees a larger part of the photo: the network
# gives up *where* for *what*. In DreamNet's last layer a cell's field is larger
# than the photo itself.
#
# ## Getting at the features yourself
#
# Before you lean on `dk.capture`, write it. PyTorch calls a *forward hook* each time a module has done its work; so you
# hang one on the layer, run the network once, and keep what comes by.

# %%
import torch


def my_capture(network, image, layer):
    kept = {}
    hook = lambda module, inputs, output: kept.update(features=output.clone())
    handle = network.module.get_submodule(layer).register_forward_hook(hook)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (network.mean, network.std))
    network.module((image - mean) / std)          # networks are trained on standardised pictures
    handle.remove()                               # a hook left behind fires for ever after
    return kept["features"]


middle = dk.layer_at(network, 0.5)
mine = my_capture(network, photo, middle)
print(f"{middle}: {list(mine.shape)}; greatest difference from dk.capture: {(mine - features[middle]).abs().max():.1e}")

# %% [markdown]
# The `.clone()` matters: many networks apply their ReLU *in place*, on the very tensor your hook has just been handed.
# `dk.capture` does the same and also stops the forward pass after the last layer asked for.
#
# ## The first layer: filters you can look at
#
# A filter of the first layer weighs red, green and blue pixels, so it *is* a small colour picture. Grey means "no
# matter", and each is scaled to its own range. Find one for edges, one for a blob of colour, and one that looks like noise.

# %%
first = next(module for module in network.module.modules() if isinstance(module, torch.nn.Conv2d))
dk.show.filters(first.weight, alt=f"The {first.out_channels} colour filters of the first convolution of {network.name}, "
                                  f"{first.kernel_size[0]}×{first.kernel_size[1]} pixels each")

# %% [markdown]
# Smooth, clear filters are a sign that a network was trained well; noisy ones that it was trained too little or regularised
# too little (CS231n). And here is what they say of the photo. All maps share one colour scale, so a quiet map looks quiet.

# %%
shallow = dk.layer_at(network, 0.0)
busiest = features[shallow][0].mean((1, 2)).topk(min(8, features[shallow].shape[1])).indices.sort().values.tolist()
dk.show.maps(features[shallow], busiest, columns=8,
             alt=f"Feature maps of the cat: the {len(busiest)} busiest channels of {shallow}, the cat still plain to see")

# %% [markdown]
# ### Exercise 01.1 · A feature map with your own hands · 8 minutes · ★★☆
# `grey` is one plane of a picture `[H, W]`, `kernel` one filter `[k, k]`. Slide the filter over every place where it fits
# whole, and at each place add up filter times patch. Give back the map `[H - k + 1, W - k + 1]`.
#
# <details><summary>Hint</summary>
#
# Two loops, over `y` and `x`. The patch under the filter is `grey[y:y + k, x:x + k]`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_slide(grey, kernel):
#     k = kernel.shape[0]
#     result = torch.zeros(grey.shape[0] - k + 1, grey.shape[1] - k + 1)
#     for y in range(result.shape[0]):
#         for x in range(result.shape[1]):
#             result[y, x] = (grey[y:y + k, x:x + k] * kernel).sum()
#     return result
# ```
# </details>

# %% tags=["exercise"]
def my_slide(grey, kernel):
    ...  # your lines


dk.exercises.check("slide_filter", my_slide)

# %% [markdown]
# ## Predict, then reveal
#
# You turn the photo by a quarter, capture the first layer again, and turn the maps back. **Predict: does each channel's
# map come back as it was?**
#
# <details><summary>Think first, then open</summary>
#
# No. Sliding makes a layer indifferent to *shifts*: move the photo, and the maps move with it. Nothing makes it
# indifferent to *turning*. A filter for lying edges now sees standing ones. Round filters, blobs of colour, hardly notice.
# </details>

# %%
turned = dk.capture(network, photo.rot90(1, (2, 3)), shallow)[shallow].rot90(-1, (2, 3))
upright = features[shallow]
alike = {c: float(torch.corrcoef(torch.stack([upright[0, c].flatten(), turned[0, c].flatten()]))[0, 1]) for c in busiest}
most, least = max(alike, key=alike.get), min(alike, key=alike.get)
shown = {}
for c in (most, least):
    shown |= {f"channel {c}, photo upright": dk.show.heat(upright[0, c]), f"channel {c}, photo turned": dk.show.heat(turned[0, c])}
dk.show.strip(shown, height=1.7, alt=f"Maps of {shallow} for the photo upright and turned (and turned back): channel {most} "
                                     f"has stayed (correlation {alike[most]:.2f}), channel {least} has not ({alike[least]:.2f})")

# %%
print("How alike a channel's two maps are (correlation; 1: the same):", ", ".join(f"{c}: {v:.2f}" for c, v in alike.items()))

# %% [markdown]
# ## Layer by layer
#
# Move the sliders: the layer, then the channel. The panel says how many cells are silent, how high the peak is and where it
# lies. Walk one layer at a time and find the first layer in which you can no longer recognise the cat.
# (Tab reaches a slider, the arrow keys move it.)

# %%
explorer = dk.widgets.explore(network, photo)
explorer.layer.value = dk.layer_at(network, 0.7)                              # begin here, at the highest peak; then it is yours
explorer.channel.value = int(features[explorer.layer.value][0].amax((1, 2)).argmax())
explorer.run()

# %% [markdown]
# The same without widgets, for a script or a slide: pick a layer, and look at the channels with the highest peaks.

# %%
deep = dk.layer_at(network, 0.8)
dk.show.maps(features[deep], features[deep][0].amax((1, 2)).topk(16).indices.sort().values.tolist(), columns=8,
             alt=f"The 16 channels of {deep} with the highest peaks: some glow in a few coarse cells, others over most of the cat")

# %% [markdown]
# ### Exercise 01.2 · Where is the peak? · 4 minutes · ★☆☆
# `feature_map` is one map `[h, w]`. Give back `(row, column)` of its highest cell. Times the layer's stride, that points
# at a place in the photo.
#
# <details><summary>Hint</summary>
#
# `feature_map.argmax()` counts cells along the rows: 0, 1, 2, … What are its quotient and its remainder by the width?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_peak(feature_map):
#     return divmod(int(feature_map.argmax()), feature_map.shape[1])
# ```
# </details>

# %% tags=["exercise"]
def my_peak(feature_map):
    ...  # your lines


dk.exercises.check("peak", my_peak)

# %% [markdown]
# ## Busy, quiet and dead channels
#
# A ReLU cuts everything below zero off, so a channel that does not find its pattern says exactly 0. Sort the channels of
# each layer by the share of cells that fire:

# %%
from matplotlib import colormaps
from matplotlib.figure import Figure

figure = Figure(figsize=(7, 3.2), layout="constrained")
axis = figure.subplots()
for (layer, maps), shade in zip(features.items(), torch.linspace(0, 0.9, len(features)).tolist()):
    firing = (maps[0] > 0).float().mean((1, 2)).sort(descending=True).values * 100
    axis.plot(torch.linspace(0, 100, len(firing)), firing, color=colormaps["viridis"](shade), label=layer)
axis.set(xlabel="channels, busiest first (% of the layer)", ylabel="cells that fire (%)", title="Dark: shallow layers. Bright: deep ones.")
axis.legend(fontsize=7, ncols=2)
dk.show.chart(figure, f"Share of cells that fire, channel by channel, for the layers {', '.join(features)}")

# %% [markdown]
# In the last layer the curve ends on zero: those channels are silent for this cat. Are they *dead*, of no use to anyone? One
# photo cannot tell. Ask all the sample photos, and call dead only what no photo wakes.

# %%
photos = {name: dk.sample(name, 192) for name in dk.samples()}
for depth in (0.0, 0.5, 1.0):
    layer = dk.layer_at(network, depth)
    peaks = torch.stack([dk.capture(network, image, layer)[layer][0].amax((1, 2)) for image in photos.values()])   # [photos, C]
    cat = int((features[layer][0].amax((1, 2)) <= 0).sum())
    none = int((peaks.amax(0) <= 0).sum())
    print(f"{layer:14} of {peaks.shape[1]} channels, silent for the cat: {cat:3};  for all {len(photos)} photos: {none:3}")

# %% [markdown]
# The last layer again as a picture: a row for each photo, a column for each of the 60 channels that differ most from photo
# to photo, bright where a photo excites a channel. Every row is a bar code of what the photo shows.

# %%
scaled = peaks / peaks.amax(0).clamp(min=1e-6)                                # each channel by its own best photo
chosen = scaled.std(0).topk(min(60, scaled.shape[1])).indices
figure = Figure(figsize=(9, 3.2), layout="constrained")
axis = figure.subplots()
axis.imshow(scaled[:, chosen[scaled[:, chosen].argmax(0).argsort()]], aspect="auto", cmap="magma")
axis.set(yticks=range(len(photos)), yticklabels=photos, xticks=[], xlabel=f"channels of {layer}, by the photo that excites them most")
dk.show.chart(figure, f"Which of {len(photos)} photos excites which channel of {layer}: most have channels of their own, plain textures few or none")

# %% [markdown]
# ### Exercise 01.3 · How quiet is each channel? · 5 minutes · ★☆☆
# `maps` are features `[1, C, h, w]`. Give back a tensor `[C]`: for each channel the share of its cells that are exactly 0.
#
# <details><summary>Hint</summary>
#
# `maps[0] == 0` is true or false for each cell. Make it a number, and average over rows and columns, dimensions 1 and 2.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_quiet(maps):
#     return (maps[0] == 0).float().mean((1, 2))
# ```
# </details>

# %% tags=["exercise"]
def my_quiet(maps):
    ...  # your lines


dk.exercises.check("quiet", my_quiet)

# %% [markdown]
# ## All channels at once
#
# Hundreds of maps do not fit into one picture, but their three *main directions* do: find the three mixtures of channels
# that vary most over the photo, and show them as red, green and blue. Equal colour, equal features. (The colours
# themselves mean nothing, and change from layer to layer.)

# %%
def in_colour(maps):
    cells = maps[0].flatten(1).T                                              # [cells, C]
    cells = cells - cells.mean(0)
    directions = torch.linalg.eigh(cells.T @ cells).eigenvectors[:, -3:]      # the three of greatest variance
    mixed = cells @ directions
    mixed = 0.5 + 0.5 * mixed / mixed.abs().quantile(0.98, 0).clamp(min=1e-9)
    return dk.resize(mixed.T.reshape(1, 3, *maps.shape[-2:]).clamp(0, 1), photo.shape[-2:], "bicubic")


depths = [dk.layer_at(network, depth) for depth in (0.0, 0.3, 0.6, 1.0)]
dk.show.strip({layer: in_colour(features[layer]) for layer in depths}, height=1.7,
              alt=f"The cat in false colours, three main directions of the features of {', '.join(depths)}")

# %% [markdown]
# Eyes and nose stand out, as if the network knew a face. Now the doubt from the beginning.
#
# ## Sanity baseline: the same pictures from a network that knows nothing
#
# `dk.randomized` gives the same architecture with random weights: no photo has ever been shown to it.

# %%
untrained = dk.randomized(network)
blind = dk.capture(untrained, photo, depths)
overlays = {}
for label, seen in (("trained", features), ("random", blind)):
    for layer in depths:
        highest = int(seen[layer][0].amax((1, 2)).argmax())
        overlays[f"{layer}, {label}"] = dk.show.overlay(photo, seen[layer][0, highest], 0.75)
dk.show.grid(overlays, columns=4, height=1.6,
             alt="The channel of highest peak at four depths: above the trained network, below random weights")

# %% [markdown]
# The random network lights up at the eyes too! Eyes are simply where the photo has its strongest contrasts, and *any*
# stack of convolutions finds those. So an activation that sits on the eyes does not show that a network knows eyes.
#
# What *does* training add? Compare **different photos**. Average each map to one number, and ask how alike the resulting
# lists are for two photos (cosine similarity: 1 means the same up to strength).

# %%
def likeness(network, layer):
    codes = [dk.capture(network, image, layer)[layer][0].mean((1, 2)) for image in photos.values()]
    codes = torch.nn.functional.normalize(torch.stack(codes), dim=1)          # [photos, C], each of length 1
    others = ~torch.eye(len(codes), dtype=torch.bool)
    return float((codes @ codes.T)[others].mean())


likes = {name: [likeness(net, layer) for layer in depths] for name, net in (("trained", network), ("random weights", untrained))}
figure = Figure(figsize=(6, 3), layout="constrained")
axis = figure.subplots()
for (name, values), style in zip(likes.items(), ("o-", "s--")):
    axis.plot(depths, values, style, label=name)
axis.set(ylabel="how alike different photos are", ylim=(0, 1.05), xlabel="layer, shallow to deep")
axis.legend()
said = "; ".join(f"{name}: {values[0]:.2f} at the shallowest, {values[-1]:.2f} at the deepest" for name, values in likes.items())
dk.show.chart(figure, f"Mean likeness of different photos. {said}")

# %% [markdown]
# With random weights every photo looks the same from far above: depth *destroys* differences. The trained network keeps
# photos apart, the more so the deeper you look. That, and not the glow on the eyes, is what it has learnt.
#
# ## Recap
#
# - You took the features `[1, C, h, w]` out of a layer with a forward hook, and looked at them one by one and all at once.
# - A feature map says where a channel finds its pattern; in the first layer the pattern is the filter itself.
# - Going up, maps get smaller and more numerous, and each cell sees more of the photo.
# - The deeper the layer, the more of its cells are silent. A channel that is silent for one photo is not dead: ask many photos.
# - A glow on the eyes proves little: random weights glow there too. Keeping photos apart is what training adds.
#
# ## Read next
#
# - Lesson 02: which *patches* excite a channel most: edges, then parts, then objects.
# - Stanford's [CS231n, Visualizing what ConvNets learn](https://cs231n.github.io/understanding-cnn/): activations, dead
#   filters, and what smooth and noisy filters tell.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional networks](https://arxiv.org/abs/1311.2901), 2013:
#   their figure 5 measures how features change when a picture is shifted, scaled and turned.
# - J. Adebayo et al., [Sanity checks for saliency maps](https://arxiv.org/abs/1810.03292), 2018: the random-weights baseline.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 01 · Feature maps: what one layer sees
#
# A convolutional network turns a photo into a stack of grey maps, and those maps into another
# stack, layer after layer. Each map answers one question at every location of the photo: *is my
# pattern here?* In this lesson you look at the answers, and you learn when to believe them.
#
# - **You will do:** compute a feature map by hand; take the features out of any layer; look at
#   channels that mark eyes, faces and wheels; test such a channel against random weights.
# - **You will learn:** what a feature map is; how maps change with depth; what equivariance to
#   shifts is; why so many cells are 0; and which of these findings an untrained network reproduces.
# - **You need:** Python, and to know that a convolution slides a small filter over a picture.
# - **Minutes:** 50

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()

# %% [markdown]
# The network is EfficientNet-Lite0 (2020). It was trained on ImageNet: over a million photos of
# 1,000 classes, about 120 of them breeds of dogs. Nobody ever marked an eye, a face or a wheel for
# it; it was only told the class of each photo.
#
# Here are four photos. Each is lit by **one channel**: bright where that channel's feature map is
# high, dark where it is 0. (The layers and channel numbers hold for EfficientNet-Lite0. For another
# network the code takes the channel with the highest peak in a deep layer.)

# %%
import torch

LIT = {"chelsea": ("block5c.expand", 64), "astronaut": ("block5c.depthwise", 153),
       "motorcycle": ("block6b.depthwise", 1004), "coffee": ("top", 863)}
if network.name != "efficientnet_lite0":
    LIT = {name: (dk.layer_at(network, 0.8), None) for name in LIT}


def lit(name, layer, channel=None, side=320):
    photo = dk.sample(name, side)                                  # [1, 3, H, W], values in [0, 1]
    maps = dk.capture(network, photo, layer)[layer]                # [1, channels, h, w]
    channel = int(maps[0].amax((1, 2)).argmax()) if channel is None else channel
    return f"{layer}, channel {channel}", dk.show.spotlight(photo, maps[0, channel])


sides = {"motorcycle": 480}
heroes = dict(lit(name, *where, sides.get(name, 320)) for name, where in LIT.items())
dk.show.grid(heroes, columns=2, height=3.0, alt=f"Four photos, {', '.join(LIT)}, each lit by one "
             f"feature map: {'; '.join(heroes)}")

# %% [markdown]
# In EfficientNet-Lite0 one channel lights both eyes of the cat and nearly nothing else. Another
# lights a face, a third two wheels, a fourth a cup. Are these channels detectors of eyes, faces,
# wheels and cups? Or did we merely search thousands of channels until four of them fitted? Keep
# that doubt. You will test it below, with a control that could prove us wrong.
#
# ## A feature map with your own hands
#
# A unit of the first layer takes a small patch of the photo, multiplies each pixel by the weight of
# its filter, and adds up. The filter slides over the photo; the sums form the **feature map**.
#
# ### Exercise 01.1 · Slide a filter · 8 minutes · ★★☆
# `grey` is one plane of a picture `[H, W]`, `kernel` one filter `[k, k]`. Slide the filter over
# every location where it fits whole, and at each location add up filter times patch. Give back the
# map `[H - k + 1, W - k + 1]`.
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
# A filter of the network's first layer weighs red, green and blue pixels. So it lives in the same
# space as a photo, and you can show it as a small colour picture: grey for a weight of 0, brighter
# for positive, darker for negative. Find one for lines that lie, one for lines that stand, and one
# for a colour. (CS231n: smooth filters are a sign that training went well, noisy ones of the
# opposite.)

# %%
first = next(m for m in network.module.modules() if isinstance(m, torch.nn.Conv2d))
dk.show.filters(first.weight, columns=16, alt=f"The {first.out_channels} filters of the first "
                f"convolution of {network.name}, {' × '.join(map(str, first.kernel_size))} pixels")

# %% [markdown]
# ## Features out of any layer
#
# A layer's features are a tensor `[1, C, h, w]`: `C` **channels**, each with a feature map of
# `h × w` cells. PyTorch calls a *forward hook* each time a module has computed its output. So you
# register a hook on the layer, run the network once, and keep what the hook receives.

# %%
def my_capture(network, image, layer):
    kept = {}
    hook = lambda module, inputs, output: kept.update(features=output.clone())
    handle = network.module.get_submodule(layer).register_forward_hook(hook)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (network.mean, network.std))
    network.module((image - mean) / std)        # networks are trained on standardised pictures
    handle.remove()                             # otherwise it fires at every later call
    return kept["features"]


photo = dk.sample("chelsea", 320)
layers = dk.suggested_layers(network)           # some layers, from shallow to deep
features = dk.capture(network, photo, layers)   # {layer: [1, C, h, w]}
mine = my_capture(network, photo, layers[4])
print(f"greatest difference from dk.capture: {(mine - features[layers[4]]).abs().max():.1e}")

# %% [markdown]
# The `.clone()` matters: many networks apply their ReLU *in place*, on the very tensor that your
# hook has received. `dk.capture` does the same as your function, and it stops the forward pass after
# the last layer asked for.
#
# What a cell can see of the photo is its **receptive field**. The distance in pixels between what
# two neighbouring cells see is the layer's **stride**. Read the table from top to bottom.

# %%
print(f"{'layer':16} {'channels':>8} {'cells':>11} {'stride':>7} {'receptive field':>16}")
for info in dk.layer_table(network):
    if info.name in features:
        channels, height, width = features[info.name].shape[1:]
        stride, field = (info.field.stride[0], info.field.size[0]) if info.field else ("–", "all")
        print(f"{info.name:16} {channels:8} {height:>5} × {width:<3} {stride:>7} {field:>16}")

# %% [markdown]
# With depth the maps get coarser and more numerous, and each cell can see a larger part of the
# photo. In the last layers of EfficientNet-Lite0 the receptive field is larger than this photo.
#
# ## Predict, then reveal: shift the photo, turn the photo
#
# Cut out the cat's whiskers. First, shift this picture to the right: by one pixel, then by the
# first layer's stride. Second, turn it by a quarter and turn the feature maps back.
# **Predict: in which of these cases is each map the same as before, only moved?**
#
# <details><summary>Think first, then open</summary>
#
# Only for the shift by a whole stride: the map moves by one cell and its values stay the same (away
# from the border). This is **equivariance**: shift the input, and the output shifts with it. It is
# not *invariance*, where the output would not change at all. Stride breaks it for smaller shifts,
# because the filter then visits other pixels. For turning, nothing in a convolution guarantees
# anything: a filter for lying lines does not respond to standing ones.
# </details>

# %%
whiskers = dk.sample("chelsea")[..., 202:298, 0:234].contiguous()   # 96 × 234 pixels
shallow = layers[0]
before = dk.capture(network, whiskers, shallow)[shallow]
step = round(whiskers.shape[-1] / before.shape[-1])                 # the stride: 2 in most networks
for pixels in (1, step):
    after = dk.capture(network, whiskers.roll(pixels, 3), shallow)[shallow]
    cells = pixels // step
    moved = (after[..., 5 + cells:-5] - before[..., 5:before.shape[-1] - 5 - cells]).abs().max()
    print(f"shifted by {pixels} pixels, map moved by {cells} cells: greatest change {moved:.4f}")

# %%
turned = dk.capture(network, whiskers.rot90(1, (2, 3)), shallow)[shallow].rot90(-1, (2, 3))
pairs = {c: torch.stack([maps[0, c].flatten() for maps in (before, turned)])
         for c in range(before.shape[1])}
alike = {c: float(torch.corrcoef(pair)[0, 1]) for c, pair in pairs.items()
         if pair.std(1).min() > 0.05}
most, least = max(alike, key=alike.get), min(alike, key=alike.get)
white = torch.ones(1, 3, 96, 69)                                    # beside the narrow turned photo
beside = torch.cat([white, dk.resize(whiskers.rot90(1, (2, 3)), (96, 39)), white[..., 1:]], 3)
shown = {"the photo": whiskers, "the photo, turned": beside}
for c in (most, least):
    shown[f"channel {c}"] = dk.show.heat(before[0, c])
    title = f"channel {c}, photo turned, map turned back: r = {alike[c]:.2f}"
    shown[title] = dk.show.heat(turned[0, c])
shown = {title: dk.resize(image, (192, 468)) for title, image in shown.items()}
dk.show.grid(shown, columns=2, height=1.8, alt=f"Whiskers, and maps of {shallow} for the photo "
             f"upright and turned, turned back: channel {most} stays, channel {least} changes")

# %% [markdown]
# `r` is the correlation of the two maps: 1 means the same pattern. In EfficientNet-Lite0 the channel in
# the middle row responds to the colour of the fur and has no direction. The one in the last row has a direction:
# upright it draws each whisker as a bright line with a dark edge; turned, it nearly loses the topmost
# whiskers, and along many others bright and dark change places (so `r` is below 0).
#
# ## Layer by layer
#
# Move the sliders: the layer, then the channel. The panel says how many cells are silent, how high
# the peak is and where it lies; on the right grows a picture that the channel responds to (lesson
# 02). Walk up one layer at a time. In which layer can you no longer recognise the cat in any map?
# (Tab reaches a slider, the arrow keys move it.)

# %%
explorer = dk.widgets.explore(network, photo)
explorer.layer.value = dk.layer_at(network, 0.75)
explorer.channel.value = int(features[explorer.layer.value][0].amax((1, 2)).argmax())
explorer.run()

# %% [markdown]
# ### Exercise 01.2 · Where is the peak? · 4 minutes · ★☆☆
# `feature_map` is one map `[h, w]`. Give back `(row, column)` of its highest cell.
#
# <details><summary>Hint</summary>
#
# `feature_map.argmax()` counts cells along the rows: 0, 1, 2, … What are its quotient and its
# remainder when you divide by the width?
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
# ## How many cells fire, and why
#
# A ReLU sets every negative value to 0. A cell with a value above 0 **fires**; the others are
# silent.
#
# ### Exercise 01.3 · How quiet is each channel? · 5 minutes · ★☆☆
# `maps` are features `[1, C, h, w]`. Give back a tensor `[C]`: for each channel the share of its
# cells that are exactly 0.
#
# <details><summary>Hint</summary>
#
# `maps[0] == 0` is true or false for each cell. Convert it to numbers, and average over rows and
# columns, dimensions 1 and 2.
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
# Now count over the twelve sample photos, and beside it in the same architecture with random
# weights (`dk.randomized`). The line is the mean over the photos; the band reaches from the photo
# with the fewest firing cells to the photo with the most.

# %%
photos = dk.collection("samples")               # twelve pictures of 256 pixels


def firing(net):                                # [photos, layers]: share of cells that fire
    found = [dk.capture(net, image, layers) for image in photos]
    return [[float((f[layer] > 0).float().mean()) for layer in layers] for f in found]


untrained = [dk.randomized(network, seed) for seed in (0, 1, 2)]
fires = {"trained": firing(network), "random weights": firing(untrained[0])}
ends = [sum(row[i] for row in fires["trained"]) / len(photos) for i in (0, -1)]
dk.show.lines(fires, layers, f"Share of cells that fire: trained {ends[0]:.2f} in {layers[0]}, "
              f"{ends[1]:.2f} in {layers[-1]}; random weights beside it", ylim=(0, 1),
              ylabel="share of cells that fire")

# %% [markdown]
# In EfficientNet-Lite0 about seven of ten cells fire in the first layer and one of ten in the last.
# With random weights it is about half, at every depth. So silence in deep layers is learnt. But how?
#
# Before the ReLU stands a weighted sum plus a **bias**. (A BatchNorm layer, if there was one, has
# been merged into both.) The bias is a threshold: a cell fires where the weighted sum exceeds
# `-bias`. Remove the bias of a layer's convolution, and count again.

# %%
def with_and_without_bias(net, layer):          # share of values above 0 before the ReLU
    names = [info.name for info in dk.layer_table(net)]
    kinds = [info.kind for info in dk.layer_table(net)]
    upto = names.index(layer) + 1               # the last convolution up to the end of the layer
    conv = [n for n, kind in zip(names[:upto], kinds) if kind == "Conv2d"][-1]
    bias = net.module.get_submodule(conv).bias
    bias = torch.zeros(1) if bias is None else bias
    sums = [dk.capture(net, image, conv)[conv][0] - bias.view(-1, 1, 1) for image in photos]
    sums = torch.cat([s.flatten(1) for s in sums], 1)            # [C, cells of all photos]
    fires = (sums > -bias.view(-1, 1)).float().mean(1)           # [C]
    always = (fires > 0.9).float().mean()
    return float(fires.mean()), float((sums > 0).float().mean()), float(always)


for layer in (layers[0], layers[len(layers) // 2], layers[-2], layers[-1]):
    kept, removed, always = with_and_without_bias(network, layer)
    print(f"{layer:16} cells that fire: {kept:.2f} with the bias, {removed:.2f} without; "
          f"channels that fire in over 90 % of their cells: {always:.2f}")

# %% [markdown]
# In EfficientNet-Lite0 the bias decides most at both ends. In the first layer it is so high that half
# of the channels fire nearly everywhere: for them "does it fire?" is no question, and only the height
# of the map says something. In the last layer the bias is low, and only strong evidence gets through;
# without it more than half of the cells would fire. In `block6d.expand` it explains little of the
# silence: there the weighted sums themselves are mostly negative.
#
# ## Name a channel, and design the control
#
# Look at the first picture again, top left. **Write before you go on:** what is your name for this
# channel? And which test could prove the name wrong? Think of other photos, of other networks, and
# of how the channel was chosen.

# %%
note = """
My name for the channel:
What I would measure:
What I would see if my name were wrong:
"""

# %% [markdown]
# Here is one control. The channel was *chosen* because it fits the cat's eyes: the best of 672. The
# best of many fits by luck, too. So choose in the same manner in networks with random weights: take
# the channel with the largest share of its activation inside the two eyes, which cover 7 % of the
# photo. Then test the chosen channel on pictures that did not take part in the choice: the photo
# mirrored, in two other sizes. (A few seconds.)

# %%
EYES = ((0.26, 0.51, 0.28, 0.47), (0.35, 0.57, 0.64, 0.79))     # top, bottom, left, right
deep = LIT["chelsea"][0]


def share_in_eyes(net, image, mirrored=False):                   # [C]
    maps = dk.capture(net, image.flip(3) if mirrored else image, deep)[deep][0]
    maps = (maps.flip(2) if mirrored else maps).clamp(min=0)
    (height, width), eyes = maps.shape[1:], torch.zeros(maps.shape[1:])
    for top, bottom, left, right in EYES:
        rows = slice(round(top * height), round(bottom * height))
        eyes[rows, round(left * width):round(right * width)] = 1
    return (maps * eyes).sum((1, 2)) / maps.sum((1, 2)).clamp(min=1e-6)


tests = [dk.sample("chelsea", side) for side in (256, 400)]
nets = {"trained": network} | {f"random {i}": net for i, net in enumerate(untrained)}
for label, net in nets.items():
    chosen = share_in_eyes(net, photo)
    best = int(chosen.argmax())
    held_out = [f"{share_in_eyes(net, image, True)[best]:.2f}" for image in tests]
    print(f"{label:9} best channel {best:4}: {chosen[best]:.2f} in the eyes; mirrored: "
          f"{' and '.join(held_out)}; channels above 0.5: {int((chosen > 0.5).sum())}")

# %% [markdown]
# In EfficientNet-Lite0 the trained channel passes (it is another one than channel 64 above: there are
# several for eyes): the eyes hold nearly all of its activation in the mirrored pictures too. The best
# random channels look good where they were chosen, and each fails at least one of the tests. So an eye lit up in *one* picture proves little, and an eye that stays lit
# proves more. It still is one cat: whether the channel means "eye", or "dark disc in a bright ring",
# needs more pictures. Lesson 02 asks that.
#
# ## What does training add to a whole layer?
#
# Average each map over its cells: a photo becomes a list of `C` numbers, its *code*. Cut every photo
# in two halves. Does the code of a left half find its own right half among all right halves? That
# is **retrieval**. By chance it succeeds in 1 of 12 cases.
#
# Codes are never negative, so the cosine of any two of them is high. Subtract the mean of all codes
# first; otherwise you measure what all photos have in common.
#
# ### Exercise 01.4 · Which halves belong together? · 8 minutes · ★★☆
# `left` and `right` are codes `[N, C]`; row `i` of both comes from photo `i`. Subtract from all rows
# the mean of the `2N` rows. For each left half find the right half with the highest cosine. Give back
# the share of left halves that found their own.
#
# <details><summary>Hint</summary>
#
# `torch.cat([left, right]).mean(0)` is the mean. `torch.nn.functional.normalize(codes, dim=1)` gives
# each row the length 1; a matrix product of two such tables holds all cosines.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_retrieval(left, right):
#     mean = torch.cat([left, right]).mean(0)
#     unit = lambda codes: torch.nn.functional.normalize(codes - mean, dim=1)
#     found = (unit(left) @ unit(right).T).argmax(1)
#     return float((found == torch.arange(len(left))).float().mean())
# ```
# </details>

# %% tags=["exercise"]
def my_retrieval(left, right):
    ...  # your lines


dk.exercises.check("retrieval", my_retrieval)

# %% [markdown]
# Three networks with random weights stand beside the trained one (the band shows how much they
# differ), and one more rival: the mean colour of each half, without any network. **Predict the order
# in the last layer.** (Some seconds.)

# %%
def halves(net, image):                                          # two codes for each layer
    middle = image.shape[-1] // 2
    parts = [dk.capture(net, part, layers) for part in (image[..., :middle], image[..., middle:])]
    return [[part[layer][0].mean((1, 2)) for layer in layers] for part in parts]


def retrieval_by_layer(net):
    codes = [halves(net, image) for image in photos]             # [photo][half][layer]
    sides = [[torch.stack(layer) for layer in zip(*half)] for half in zip(*codes)]
    return [dk.inside.retrieval(*pair) for pair in zip(*sides)]


colour = [[part.mean((0, 2, 3)) for part in image.tensor_split(2, 3)] for image in photos]
by_colour = dk.inside.retrieval(*(torch.stack(side) for side in zip(*colour)))
rates = {"trained": retrieval_by_layer(network),
         "random weights (3 seeds)": [retrieval_by_layer(net) for net in untrained],
         "mean colour, no network": [by_colour] * len(layers)}
last = [rates["trained"][-1], *(row[-1] for row in rates["random weights (3 seeds)"])]
dk.show.lines(rates, layers, f"Left halves that find their right half. Last layer: trained "
              f"{last[0]:.2f}, random {', '.join(f'{v:.2f}' for v in last[1:])}; colour "
              f"{by_colour:.2f}", chance=1 / len(photos), ylim=(0, 1.05), ylabel="share found")

# %% [markdown]
# In EfficientNet-Lite0 the trained layers find eleven or twelve of the twelve at every depth. Random
# layers stay near mean colour: a little above it in the shallow half, below it in the last layer. But
# their mean is far above chance everywhere: colour and contrast come through *any* filters. Twelve
# photos are few, and one photo is a step of 0.08; so only the gap in the deep layers is worth a sentence.
#
# ## Open investigation: how large must an eye be?
#
# The network has never been told how large an eye is. At which sizes of the photo does the eye
# channel find the eyes, and at which does it give up? Do other channels take over? And other layers?
# We know only the lines below. Begin here:

# %%
channel = LIT["chelsea"][1]
for side in (64, 128, 256, 512, 768):
    image = dk.sample("chelsea", side)
    shares = share_in_eyes(network, image)
    peaks = dk.capture(network, image, deep)[deep][0].amax((1, 2))
    c = int(shares.argmax()) if channel is None else channel
    print(f"photo of {side} pixels, channel {c}: {shares[c]:.2f} in the eyes, peak {peaks[c]:.2f}")

# %% [markdown]
# To end with: six more channels of EfficientNet-Lite0, from blocks 5 and 6. Nobody has named them.
# What do you call each one, and which photo would you take to prove your name wrong?

# %%
MORE = [("chelsea", "block5c.depthwise", 236), ("astronaut", "block5c.depthwise", 279),
        ("motorcycle", "block5b.depthwise", 345), ("flower", "block5b.depthwise", 357),
        ("china", "block6a.expand", 289), ("flower", "block6a.expand", 351)]
if network.name != "efficientnet_lite0":
    MORE = [(name, layer, None) for name, layer in zip(dk.samples(), layers[-6:])]
gallery = dict(lit(name, layer, c, 480) for name, layer, c in MORE)
tiles = {title: dk.resize(image[..., :320, :], (320, 480)) for title, image in gallery.items()}
dk.show.grid(tiles, columns=3, height=2.3, alt="Photos lit by one channel each: "
             f"{'; '.join(gallery)}")

# %% [markdown]
# ## Recap
#
# - You computed a feature map by hand, and took the features `[1, C, h, w]` out of any layer.
# - With depth, maps get coarser and more numerous, and each cell can see more of the photo.
# - Away from the border, convolution is equivariant to shifts by a whole stride; not to smaller shifts,
#   and not to turning.
# - A cell fires where its weighted sum exceeds a threshold, the negative bias. In EfficientNet-Lite0
#   seven of ten cells fire in the first layer, one of ten in the last; with random weights half.
# - A map that fits one picture proves little: the best of many random channels can fit, too. In
#   EfficientNet-Lite0 the best trained one still marks the cat's eyes in the same photo mirrored, in
#   two other sizes, which took no part in the choice; each random one fails in at least one of them.
# - Codes of trained layers tell which halves of twelve photos belong together. Those of the last
#   random layer do it far less well, and less well than the mean colour does, but above chance.
#
# ## Read next
#
# - Lesson 02: what a channel responds to: edges, then textures, parts and objects.
# - Stanford's [CS231n, Visualizing what ConvNets learn](https://cs231n.github.io/understanding-cnn/):
#   activations, dead filters, and what smooth and noisy filters tell.
# - M. Tan and Q. Le, [EfficientNet](https://arxiv.org/abs/1905.11946), 2019: the family of the network of
#   this course; EfficientNet-Lite followed in 2020.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional
#   networks](https://arxiv.org/abs/1311.2901), 2013: their figure 5 measures how features change when
#   a picture is shifted, scaled and turned.
# - J. Adebayo et al., [Sanity checks for saliency maps](https://arxiv.org/abs/1810.03292), 2018: the
#   random-weights baseline.

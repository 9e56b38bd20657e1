# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 17 · Large and many: posters in tiles, an atlas of channels (engineering, optional)
#
# A poster does not fit into memory, and a picture for each of thousands of channels takes a night. Both are a matter
# of cutting the work into pieces. The pieces of a poster touch each other, and that is the difficulty; the pictures
# of an atlas do not, and that is the chance. Nothing later in the course depends on this lesson.
#
# - **You will do:** dream a poster in tiles; find seams by eye and by number; write the tiles that have none, and
#   compute their price; make an atlas of channels of the ImageNet network, name one channel, and doubt the name.
# - **You will learn:** why exact tiles overlap, by how much, and what that costs; what a large dream is good for; how
#   independent work survives a stop and is spread over many machines. In the appendix: where time and memory go.
# - **You need:** lessons 02 (receptive fields), 06 (jitter and tiles) and 08.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# Where this ends: a dream taken in tiles, which shows them nowhere. No gradient was ever computed on the whole of it.
# (10 to 20 seconds.)

# %%
from dataclasses import replace

import torch

ours = network.base_name == "efficientnet_lite0"                  # other networks are slower
layer = dk.layer_at(network, 0.7) if ours else dk.layer_at(network, 0.5)
large, tile = (dk.sample("china", 912), 800) if ours else (dk.sample("china", 480), 400)
tiled = dk.scorer(network, dk.layer(layer), tile=tile)
settings = replace(dk.settings_for(network, layer), steps=6)
poster = dk.dream(tiled, large, settings)
dk.show.picture(poster, f"A temple by a lake, {large.shape[-1]} pixels wide, dreamt at {layer}")

# %% [markdown]
# ## What is a large dream good for?
#
# **Predict, then reveal.** The same layer and the same settings on a photo of a third of the width. Does it draw the
# same things, three times smaller? Or things of the same size in pixels, and so fewer of them?
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# Of about the same size in pixels, as the numbers below say. So a large dream holds more of them. In the window at
# the bottom right each head covers a part of a tree; in the small dream heads of about as many pixels cover a whole
# tree. The largest animals of the poster come from its smallest octaves.
# </details>
#
# The control is the network with random weights, on the same part of the photo. (5 seconds.)

# %%
width = large.shape[-1] // 3
little = dk.resize(large, (large.shape[-2] // 3, width))
small = dk.dream(dk.scorer(network, dk.layer(layer)), little, settings)
window = (..., slice(-little.shape[-2], None), slice(-width, None))  # at the bottom right
random = dk.scorer(dk.randomized(network), dk.layer(layer))
views = {"the photo, at 100 %": large[window], "dreamt large, at 100 %": poster[window],
         "dreamt small, at 100 %": small,
         "random weights, at 100 %": dk.dream(random, large[window], settings)}
dk.show.grid(views, columns=2, height=2.9,
             alt=f"Four pictures, each {width} pixels wide: {', '.join(views)}")

# %%
def wavelength(change):
    """The mean wavelength of a change, in pixels: its waves weighed by their amplitudes."""
    frequency, power = dk.spectrum(change)
    return float(power.sqrt().sum() / (power.sqrt() * frequency).sum())

changes = {"dreamt large": poster - large, "dreamt small": small - little,
           "random weights": views["random weights, at 100 %"] - large[window]}
for name, change in changes.items():
    print(f"{name:15} mean wavelength of the change {wavelength(change):.1f} pixels, "
          f"{wavelength(change) / change.shape[-1]:.1%} of the picture's width")

# %% [markdown]
# In EfficientNet-Lite0 the wavelengths of the two dreams differ by a few percent, while the pictures' widths differ
# by a factor of three. The size in pixels belongs to the layer and the settings. Random weights have a similar one
# (16 to 18 pixels), and draw no animal.
#
# ## Tiles, and what lies between them
#
# What grows with the picture is the memory for the feature maps, which are kept for the way back (appendix). So cut
# the picture up, take the gradient of each part, and put them together. What happens at the cuts? Here every part is
# scored by itself at a shallow layer, with no jitter, so that the cuts stay where they are. The sky is no photo, but
# fractal noise. Beside it two cures. **Random tiles**, as in TensorFlow's tutorial, move the cuts at every step.
# **Exact tiles** overlap. Look for straight lines. (5 to 10 seconds.)

# %%
shallow = dk.layer_at(network, 0.4)
sky = dk.sample("clouds", 384)[..., :192, 40:360]

def total(picture):
    return dk.capture(network, picture, shallow)[shallow].square().sum()

def in_parts(picture):
    return sum(total(part) for row in picture.split(64, -2) for part in row.split(64, -1))

still = replace(dk.settings_for(network, shallow), octaves=1, jitter=0, laplacian=0, steps=10)
seen = {"in one": dk.dream(total, sky, still),
        "cut every 64 pixels": dk.dream(in_parts, sky, still),
        "random tiles of 64": dk.dream(total, sky, replace(still, tile=64)),
        "exact tiles": dk.dream(dk.scorer(network, dk.layer(shallow), tile=160), sky, still)}
dk.show.grid(seen, columns=2, height=2.6,
             alt=f"A sky of fractal noise, dreamt at {shallow} four ways: {', '.join(seen)}")

# %% [markdown]
# Did you find the cuts? In EfficientNet-Lite0 they are hard to see, so measure them: how much does the change jump
# from one column to the next at the cuts, compared with other columns of the layer's grid? Without seams that is
# about 1; four cuts are few, so differences of a few percent mean nothing.

# %%
stride = dk.layer_info(network, shallow).stride[1]

def seam(picture):
    jumps = (picture - sky).diff(dim=-1).abs().mean((0, 1, 2))
    jumps = jumps[stride - 1::stride]                             # between cells of the layer
    cuts = torch.arange(stride, sky.shape[-1], stride) % 64 == 0
    return float(jumps[cuts].mean() / jumps[~cuts].mean())

print(", ".join(f"{name} {seam(picture):.2f}" for name, picture in seen.items()))

# %% [markdown]
# And how far is each gradient from that of the whole picture? The last row is the baseline: the gradient of another
# picture, which has nothing to do with it. The row before has no tiles at all; the picture was moved by one pixel,
# and the gradient moved back.

# %%
true = dk.gradient(total, sky)
moved = dk.roll(dk.gradient(total, dk.roll(sky, (1, 1))), (-1, -1))
rows = {"cut every 64 pixels": dk.gradient(in_parts, sky),
        "random tiles of 64": dk.tiled_gradient(total, sky, 64, seed=1),
        "exact tiles": dk.gradient(dk.scorer(network, dk.layer(shallow), tile=160), sky),
        "moved, and moved back": moved, "of another picture": dk.gradient(total, sky.flip(-1))}
unit = lambda field: field / field.norm()
for name, found in rows.items():
    print(f"{name:22} off by {float((unit(found) - unit(true)).norm()):.2g}")

# %% [markdown]
# Random tiles are further off than plain cuts, and yet show no lines. The row below them tells why: without any tile,
# a picture that is only moved by one pixel has a gradient as different as that, because the cells of this layer then
# lie elsewhere. That is jitter (lesson 06), and over many steps it does good. Only exact tiles *are* the gradient of
# the whole: for a poster that shall look like its small version, for a measurement, and where results must repeat.
#
# ## How much overlap?
#
# A pixel's gradient comes from every cell that sees it, and each of these cells sees further than that pixel. So give
# each tile some pixels more on every side, and throw away the gradient that you find there.
#
# ### Exercise 17.1 · Tiles without seams · 10 minutes · ★★★
# `score` adds something up over the picture. Cut the picture into squares of `core` × `core` pixels (the last in a
# row or column may be smaller). Take the gradient of each together with `reach` pixels around it, as far as the
# picture goes, and keep only the part that belongs to the square. Give back the whole gradient.
#
# <details><summary>Hint</summary>
#
# For a square that starts at row `top`: the cut starts at `max(0, top - reach)`, and `min(top, reach)` rows of what
# comes back are thrown away at its top. Python cuts off by itself what lies beyond the end.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_tiles(score, picture, core, reach):
#     found = torch.zeros_like(picture)
#     for top in range(0, picture.shape[-2], core):
#         for left in range(0, picture.shape[-1], core):
#             up, back = min(top, reach), min(left, reach)
#             cut = picture[..., top - up:top + core + reach, left - back:left + core + reach]
#             kept = dk.gradient(score, cut)[..., up:up + core, back:back + core]
#             found[..., top:top + core, left:left + core] = kept
#     return found
# ```
# </details>

# %% tags=["exercise"]
def my_tiles(score, picture, core, reach):
    ...  # your lines


dk.exercises.check("tiles_with_overlap", my_tiles)

# %% [markdown]
# The panel cuts the sky every 64 pixels, with `overlap` pixels around each part, and shows where the gradient is
# wrong. **Predict:** from which overlap on does the picture stay black? The receptive field is printed below.
# (Without the panel: `error_at(16)`.)

# %%
def overlapping(score, picture, core, reach):
    found = torch.zeros_like(picture)
    for top in range(0, picture.shape[-2], core):
        for left in range(0, picture.shape[-1], core):
            up, back = min(top, reach), min(left, reach)
            part = picture[..., top - up:top + core + reach, left - back:left + core + reach]
            part = dk.gradient(score, part)[..., up:up + core, back:back + core]
            found[..., top:top + core, left:left + core] = part
    return found

def error_at(overlap):
    wrong = (overlapping(total, sky, 64, overlap) - true).abs().amax(1)[0]
    largest = float(true.abs().max())
    share = float(wrong.max()) / largest
    text = f"{overlap} pixels: largest error {share:.0e} of the largest gradient"
    return dk.show.heat(wrong, low=0.0, high=largest / 10, size=(384, 640)), text

# %%
info = dk.layer_info(network, shallow)
field = max(info.field.size)
print(f"a cell of {shallow} sees {field} pixels; cells lie {stride} pixels apart")
overlaps = {stride * steps for steps in (0, 1, 2, 4, 6, -(-field // stride))}
dk.widgets.slide("overlap (pixels)", sorted(overlaps), error_at, start=stride * 2, width=640)

# %% [markdown]
# <details><summary>Answer</summary>
#
# From a whole receptive field on, less a pixel: the outermost cell that sees your pixel sees that much further. The
# cuts must lie on the grid of the strides; otherwise the cells lie elsewhere, and nothing agrees.
#
# `dk.scorer(…, tile=…)` gets by with half. It shares out not pixels but *cells*: every cell belongs to one tile; the
# tile is cut out with all that its cells see, half a field around; and where the gradients of two tiles overlap they
# are added, because that is what the gradient of a sum is.
# </details>
#
# ### Exercise 17.2 · The price of overlap · 8 minutes · ★★★
# The same cuts: squares of `core` × `core`, each with `reach` pixels around it, as far as the square picture of
# `side` × `side` goes. How many pixels do the tiles have together, divided by those of the picture?
#
# <details><summary>Hint</summary>
#
# Do one axis first: a part from `start` on reaches from `max(0, start - reach)` to `min(side, start + core + reach)`.
# The other axis is the same.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_price(side, core, reach):
#     starts = range(0, side, core)
#     along = sum(min(side, start + core + reach) - max(0, start - reach) for start in starts)
#     return (along / side) ** 2
# ```
# </details>

# %% tags=["exercise"]
def my_price(side, core, reach):
    ...  # your lines


dk.exercises.check("price_of_overlap", my_price)

# %% [markdown]
# What does that mean for a poster of 4096 × 4096 pixels, in tiles of 1024 with half a field around?

# %%
def price(side, core, reach):
    along = sum(min(side, s + core + reach) - max(0, s - reach) for s in range(0, side, core))
    return (along / side) ** 2

for depth in (0.0, 0.2, 0.4, 0.6, 0.7, 0.8):
    info = dk.layer_info(network, dk.layer_at(network, depth))
    sees = max(info.field.size) if info.field else 4096
    work = f"{price(4096, 1024 - sees, sees // 2):.1f}" if sees < 1024 else "no tiles"
    print(f"{info.name:18} sees {sees:4} pixels; work in tiles of 1024: {work}")

# %% [markdown]
# The receptive field grows with depth, and the price with it: memory is bought with time. In a terminal,
#
# ```
# dreamkit dream china --side 8192 -o poster.png
# ```
#
# chooses tiles by itself where the picture does not fit into memory, and says so.
#
# ## Many: an atlas of channels
#
# Now a picture for every channel of a layer. These pictures know nothing of each other, so the work falls into
# *batches*, in any order, on any machine. `dk.atlas` keeps each batch as it comes, in a folder with a list of what is
# there. Each picture starts from the same noise and raises one channel *before* its activation, because a channel
# that noise leaves silent has no gradient after it. The channels are evenly spaced, not chosen. (8 to 15 seconds.)

# %%
import pathlib
import tempfile

folder, named = pathlib.Path(tempfile.mkdtemp()), f"{layer}.conv"
target = named if named in dk.layer_names(network) else layer     # before the activation, if named
plan = dk.atlas.PictureSettings(side=96, steps=45, batch=4)
count = dk.layer_info(network, target).channels
channels = list(range(0, count, count // 12))[:12]
atlas = dk.atlas(network, target, folder / "trained", channels=channels[:8], settings=plan)
print(f"{len(atlas)} pictures of {target}")

# %% [markdown]
# **Predict, then reveal.** Now ask for twelve channels in the same folder, these eight among them. How many pictures
# are drawn?
#
# <details><summary>Answer</summary>
#
# Four. Eight are there, and whole: the list has the hash of each file. The same holds after Ctrl-C, a power cut or a
# full disk: each picture is written under another name first, and then put in its place in one go.
# </details>
#
# (3 to 8 seconds.)

# %%
making = dk.atlas.making(network, target, folder / "trained", channels=channels, settings=plan)
for done, asked in making:
    print(f"{done} of {asked} pictures")
atlas = dk.atlas.open(folder / "trained")
pictures = {f"channel {c}": atlas.picture(target, c) for c in channels}
dk.show.grid(pictures, columns=6, height=1.9,
             alt=f"What twelve channels of {target} respond to: {', '.join(pictures)}")

# %% [markdown]
# ### Write before you reveal
# **Write down** a name for two of the twelve channels. Then design the control: which picture, which other seed, or
# which other network would show that the name is yours and not the channel's?

# %%
note = """
channel … responds to …        I would be wrong if …
channel … responds to …        I would be wrong if …
"""

# %% [markdown]
# Two controls. The same channels drawn for random weights; and a question that needs no name: show all twelve
# pictures to all twelve channels. Is each channel's own picture the one that it responds to most? (4 to 8 seconds.)

# %%
untrained = dk.randomized(network)
blank = dk.atlas(untrained, target, folder / "random", channels=channels[:4], settings=plan)
rand = {f"random, {c}": blank.picture(target, c) for c in channels[:4]}
dk.show.grid(rand, columns=4, height=1.9,
             alt=f"The same for four channels with random weights: {', '.join(rand)}")

# %%
def own_wins(net, drawn, chosen):
    maps = torch.cat([dk.capture(net, picture, target)[target] for picture in drawn.values()])
    means = maps[:, chosen].mean((2, 3))                          # [pictures, channels]
    return int((means.argmax(0) == torch.arange(len(chosen))).sum())

print("channels that respond most to their own picture:")
print(f"    trained        {own_wins(network, pictures, channels)} of {len(channels)}")
print(f"    random weights {own_wins(untrained, rand, channels[:4])} of 4")

# %% [markdown]
# Every trained channel responds most to its own picture, and so do two or three of the four random ones. That is
# what gradient ascent aims at; it does not show that the name you gave is right. What random weights do *not* draw
# is shapes: theirs are clouds of colour. For the name you need other evidence: photos (lesson 02), another seed
# (below), or a picture that has your thing and not the channel's texture.
#
# Browse it: `dk.widgets.atlas` here; `index.html` in the folder in any browser. (Without the panel:
# `atlas.picture(target, channels[5])`.)

# %%
dk.widgets.atlas(folder / "trained")

# %% [markdown]
# ### Many machines
#
# Batches can go to *workers*: other processes of this computer, or of a room full of computers. **Dask** distributes
# them: a *scheduler* knows who is free, workers ask it for work, and what one of them does not finish, another gets.
# Three details make the result trustworthy:
#
# - **A worker gets the network's name and hash, not its weights**, loads them itself, and refuses if its own are
#   others.
# - **Each batch runs on one thread and has always the same size**, so that the bytes of a picture do not depend on
#   who made it.
# - **No more batches are out than keep everyone busy**: what is lost with a worker is at most what it had in hand.
#
# ```
# dreamkit atlas --workers 2 -o atlas            # every suggested layer; stop it with Ctrl-C, start it again
#
# dask scheduler                                 # on one machine of a network that you trust
# dask worker tcp://that-machine:8786            # on each of the others, with dreamkit installed
# dreamkit atlas --scheduler tcp://that-machine:8786 -o atlas
# ```
#
# Whoever reaches a Dask scheduler can run programs on its workers: keep it off the open internet.
#
# ## Open investigation
#
# Nobody has written the answer down for you. *Does an atlas depend on its seed?* Draw the same channels from another
# noise: which keep their picture, which show another side of themselves, and does a channel with two sides answer to
# two kinds of photos? Start here.

# %%
again = dk.atlas.channel_pictures(network, target, channels[1:3], replace(plan, seed=1))[0]
sides = {f"{name}, seed {seed}": picture for index, name in enumerate(list(pictures)[1:3])
         for seed, picture in enumerate((pictures[name], again[index:index + 1]))}
dk.show.strip(sides, height=2.3, alt=f"Two channels drawn from two seeds: {', '.join(sides)}")

# %% [markdown]
# ## Appendix: where time and memory go
#
# **Memory.** For the way back PyTorch keeps the feature maps of every layer. `saved_tensors_hooks` sees each as it is
# kept.

# %%
def kept(side):
    """What one gradient at the shallow layer keeps for the way back, in MiB."""
    storages = {}
    def note_down(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor
    with torch.autograd.graph.saved_tensors_hooks(note_down, lambda tensor: tensor):
        dk.gradient(dk.scorer(network, dk.layer(shallow), tile=0), dk.noise(side, side))
    return sum(storages.values()) / 2**20

for side in (64, 128, 256, 512):
    print(f"{side:3} × {side:<3} pixels: {kept(side):6.1f} MiB")

# %% [markdown]
# Twice the side, four times the maps; only the weights stay as they are. In exact tiles only one tile's maps are ever
# there.
#
# **Time.** The loop that most tutorials write keeps one layer by a *hook*, runs the whole network, and calls
# `backward()`. It finds a gradient for every *weight* too, which nobody asked for, and runs the layers above ours.
# Here it is, mended step by step.

# %%
import contextlib
from copy import deepcopy

class Enough(Exception):
    """Raised by a hook: nothing above this layer is needed."""

def uphill(module, picture, stop=False):
    found = []
    def keep(child, inputs, maps):
        found.append(maps.clone())
        if stop:
            raise Enough
    picture = picture.clone().requires_grad_(True)
    mean, std = (picture.new_tensor(v).view(1, 3, 1, 1) for v in (network.mean, network.std))
    handle = module.get_submodule(shallow).register_forward_hook(keep)
    with contextlib.suppress(Enough):
        module((picture - mean) / std)
    handle.remove()
    found[0].square().mean().backward()
    return picture.grad

# %% [markdown]
# How to measure on a computer that does other things too? All take turns, so that a busy moment hits everyone; the
# first two rounds, which fetch memory and compile kernels, do not count; the median forgives a bad turn. A *ratio*
# stays, good for this machine, this layer and this size.

# %%
import statistics
import time

photo, plain = dk.sample("china", 192), deepcopy(network.module).requires_grad_(True)
frozen = deepcopy(plain).requires_grad_(False)
shortest = dk.scorer(network, dk.layer(shallow), tile=0)
ways = {"the tutorials' loop": lambda: uphill(plain, photo),
        "weights frozen": lambda: uphill(frozen, photo),
        "stopped at the layer": lambda: uphill(frozen, photo, stop=True),
        "dk.gradient": lambda: dk.gradient(shortest, photo)}

def seconds(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started

turns = [{name: seconds(run) for name, run in ways.items()} for _ in range(9)][2:]
first = unit(ways["the tutorials' loop"]())
for name, run in ways.items():
    ratio = statistics.median(turn["the tutorials' loop"] / turn[name] for turn in turns)
    gap = float((unit(run()) - first).norm())
    print(f"{name:21} {ratio:4.1f} times as fast; gradient off by {gap:.0e}")

# %% [markdown]
# The last column is the check without which speed means nothing: it is the same gradient, to rounding. More
# measurements stand in `benchmarks/README.md`.
#
# ## Recap
#
# - Exact tiles give the gradient of the whole to rounding, so a poster shows no seam. Plain cuts leave jumps at their
#   lines, which you measured beside the picture in one piece.
# - For pixels the overlap is a receptive field; shared out by cells, half of it is enough. The price grows with
#   depth.
# - In a large dream things keep about their size in pixels (mean wavelength about 16 at both widths): there is room for
#   more.
# - Independent pictures can be drawn in any order, and by several workers; kept as they come, they make a restart cheap.
# - An atlas of the trained network draws shapes, one of random weights clouds of colour. That a channel responds most
#   to its own picture holds for half of the random ones or more, too, and proves no name.
# - Memory grows with the number of pixels: it is the feature maps that are kept for the way back.
#
# ## Read next
#
# - Random tiles: TensorFlow's tutorial [DeepDream](https://www.tensorflow.org/tutorials/generative/deepdream), on
#   scaling up with tiles.
# - A. Araujo, W. Norris, J. Sim, [Computing receptive fields](https://distill.pub/2019/computing-receptive-fields/),
#   Distill, 2019.
# - C. Olah, A. Mordvintsev, L. Schubert, [Feature visualization](https://distill.pub/2017/feature-visualization/),
#   Distill, 2017: pictures of many channels, and their diversity.
# - T. Chen et al., [Training deep nets with sublinear memory cost](https://arxiv.org/abs/1604.06174), 2016: buying
#   memory with time in another way.
# - The documentation of [Dask.distributed](https://distributed.dask.org): schedulers and workers.

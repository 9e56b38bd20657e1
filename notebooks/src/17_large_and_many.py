# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 17 · Large and many
#
# A poster runs out of memory, and a picture for each of two thousand channels takes a night. Both can be helped, and both times in
# the same order: measure, then fix, then measure again.
#
# - **You will do:** take a slow loop apart and give back what it wastes; weigh what is kept for the way back; cut a picture into
#   tiles, with a seam and without; dream a poster; make an atlas of channels.
# - **You will learn:** where the time of a step goes and what grows with the picture; why exact tiles overlap, by how much, and what
#   that costs; how work is spread over many machines and survives a restart.
# - **You need:** lessons 01, 03, 06 and 08
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "squeezenet1_1", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: a dream taken in tiles, which shows it nowhere. (This cell takes 5 to 20 seconds.)

# %%
import torch

layer = dk.layer_at(network, 0.6)
large = dk.sample("china", 640)
tiled = dk.scorer(network, dk.layer(layer), tile=448)                         # no part of it has a longer side than 448 pixels
poster = dk.dream(tiled, large, dk.Settings(steps=3, octaves=3, step_size=0.02))
dk.show.picture(poster, f"A Chinese temple by a lake, 640 by 427 pixels, dreamt at {layer} in tiles: spots and eyes everywhere, and no seam")

# %% [markdown]
# ## Measure
#
# First the loop that most tutorials write: a *hook* keeps the features of one layer, the whole network runs, and `backward()` finds
# gradients. `stop=True` is a change for later.

# %%
import contextlib

class Enough(Exception):
    """Raised by a hook: nothing above this layer is needed."""

def uphill(module, picture, layer, stop=False):
    kept = {}
    def keep(child, inputs, maps):
        kept["maps"] = maps
        if stop:
            raise Enough
    handle, picture = module.get_submodule(layer).register_forward_hook(keep), picture.clone().requires_grad_(True)
    mean, std = (picture.new_tensor(values).view(1, 3, 1, 1) for values in (network.mean, network.std))
    with contextlib.suppress(Enough):
        module((picture - mean) / std)
    handle.remove()
    kept["maps"].square().mean().backward()
    return picture.grad

# %% [markdown]
# What may be wrong with that? It finds a gradient for every *weight* as well, which nobody asked for. It runs the layers above ours. And
# its maps lie in memory channel by channel, while the processor would rather have all channels of one pixel side by side
# (*channels-last*). Here it is, mended step by step; the last is dreamkit's own.

# %%
import copy

photo = dk.sample("china", 224)[..., :144, :]
plain = copy.deepcopy(network.module).requires_grad_(True).to(memory_format=torch.contiguous_format)
frozen = copy.deepcopy(plain).requires_grad_(False)
lasting = copy.deepcopy(frozen).to(memory_format=torch.channels_last)
score = dk.scorer(network, dk.layer(layer), tile=0)
ways = {"the tutorials' loop": lambda: uphill(plain, photo, layer), "weights frozen": lambda: uphill(frozen, photo, layer),
        "stopped at the layer": lambda: uphill(frozen, photo, layer, stop=True),
        "channels-last": lambda: uphill(lasting, photo.contiguous(memory_format=torch.channels_last), layer, stop=True),
        "dk.gradient": lambda: dk.gradient(score, photo)}

# %% [markdown]
# **Predict, then reveal.** Which of the three savings is the largest: freezing, stopping, or channels-last?
#
# <details><summary>Answer</summary>
#
# It depends: on how far up the layer is, and on the machine. That is why one measures. A rule for the first: a convolution costs about the
# same three times over (forward, gradient for its input, gradient for its weights), so freezing saves up to a third.
# </details>
#
# How to measure on a computer that does other things too? All take turns, so that a busy moment hits everyone; the first
# round, in which memory is fetched, does not count; and the median forgives one bad turn. What stays is a *ratio*, good for this machine
# and this size. (5 to 15 seconds.)

# %%
import statistics
import time

def seconds(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started

def medians(ways, rounds=5):
    turns = [{name: seconds(run) for name, run in ways.items()} for _ in range(rounds + 1)][1:]
    return {name: statistics.median(turn[name] for turn in turns) for name in ways}

def off(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm())

found, loops = medians(ways), uphill(plain, photo, layer)
slowest = found["the tutorials' loop"]
for name, took in found.items():
    print(f"{name:22} {1000 * took:5.0f} ms   {slowest / took:5.2f} times as fast   gradient off by {off(ways[name](), loops):.0e}")

# %% [markdown]
# The last column is the check without which speed means nothing: it is the same gradient. (Where a ReLU or a maximum stands within rounding of its
# kink it may fall either way: lesson 16. That is why channels-last is off by more than the digits of a number.)
#
# One thief of time does no arithmetic, and so this table cannot show it: it robs all rows alike. The maps of a large picture are tens of
# megabytes each, and the C library of Linux asks the kernel for such a piece anew at every step; the kernel hands it out zeroed, 4 KiB at a time.
# `dk.as_network` has the library keep what a step has freed. On the machine of `benchmarks/README.md` a step at 2048² took 19 seconds
# without that and 8 with it, and only with it does the time grow as the pixels do.
#
# One saving is missing, because our network came with it. A **BatchNorm** behind a convolution only multiplies and adds, one number each a
# channel, once training is over. So these numbers can be put into the convolution's weights, and the BatchNorm goes (exercise 15.3).
# `dk.as_network` does that with any network. Here is a small one; how much it
# brings depends on how much of the time the convolutions take.

# %%
def block(inputs, outputs):
    return [torch.nn.Conv2d(inputs, outputs, 3, padding=1), torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()]

torch.manual_seed(0)
stack = torch.nn.Sequential(*block(3, 24), *block(24, 24), *block(24, 24))
for seed in range(2):
    stack(dk.noise(32, 32, seed))                                             # in training its BatchNorms take statistics
stack = stack.eval().requires_grad_(False).to(memory_format=torch.channels_last)
folded = dk.as_network(stack, (0.0,) * 3, (1.0,) * 3)
pairs = {"with BatchNorm": stack, "folded": folded.module}
took = medians({name: lambda module=module: module(photo) for name, module in pairs.items()})
print(f"forward: {took['with BatchNorm'] / took['folded']:.2f} times as fast when folded; off by {off(folded.module(photo), stack(photo)):.0e}")

# %% [markdown]
# ## Memory
#
# On the way up, autograd keeps what it will need on the way down: the maps of every layer. PyTorch lets us watch: whatever is kept passes
# through a pair of functions, and what we put around it can count.

# %%
class Kept:
    """A tensor kept for the way back; `most` is the greatest sum of bytes that were kept at one time, each memory counted once."""
    owners, now, most = {}, 0, 0

    def __init__(self, tensor):
        self.tensor, storage = tensor.detach(), tensor.untyped_storage()
        self.key, self.size = storage.data_ptr(), storage.nbytes()
        Kept.now += 0 if Kept.owners.get(self.key) else self.size
        Kept.owners[self.key] = Kept.owners.get(self.key, 0) + 1
        Kept.most = max(Kept.most, Kept.now)

    def __del__(self):
        Kept.owners[self.key] -= 1
        Kept.now -= 0 if Kept.owners[self.key] else self.size

def mebibytes(run):
    Kept.owners, Kept.now, Kept.most = {}, 0, 0
    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        run()
    return Kept.most / 2**20

# %% [markdown]
# **Predict, then reveal.** The photo's sides are doubled. How much more is kept?
#
# <details><summary>Answer</summary>
#
# Four times as much, as there are four times as many cells in every map. What does not grow is the weights' share. In exact tiles, the
# line stays below what one tile needs, however large the picture is: only one tile's maps are ever there.
# </details>
#
# (5 to 20 seconds.)

# %%
from functools import partial

from matplotlib.figure import Figure

shallow = dk.layer_at(network, 0.4)
sides, curves = (64, 128, 192, 256, 384), {}
for name, tile in (("whole", 0), ("in exact tiles of 160 pixels", 160)):
    weighed = dk.scorer(network, dk.layer(shallow), tile=tile)
    curves[name] = [mebibytes(partial(dk.gradient, weighed, dk.noise(side, side))) for side in sides]
figure = Figure(figsize=(6, 2.8), layout="constrained")
axis = figure.subplots()
for name, mib in curves.items():
    axis.plot(sides, mib, "o-", label=name)
axis.set(xlabel="side of the picture (pixels)", ylabel="kept for the way back (MiB)", ylim=(0, None))
axis.legend()
dk.show.chart(figure, f"What is kept for the way back at {shallow}, against the side of the picture: whole it grows with the square, in tiles it levels off")

# %% [markdown]
# ## Tiles, and what lies between them
#
# So cut the picture up, find the gradient of each part, and put them together. What happens at the cuts? Here every part is scored by
# itself, and the dream is taken with no jitter, so that the cuts stay where they are. Beside it the two cures. **Random tiles**, as
# TensorFlow's tutorial takes them, move the cuts at every step: each step has seams, the sum has none to speak of. **Exact tiles** overlap.
# (5 to 15 seconds.)

# %%
def total(picture):
    return dk.capture(network, picture, shallow)[shallow].square().sum()

def in_parts(picture):
    return sum(total(part) for row in picture.split(64, -2) for part in row.split(64, -1))

sky = dk.sample("clouds", 256)[..., :128, 20:212]
still = dict(steps=16, octaves=1, step_size=0.015, jitter=0)
seen = {"in one": dk.dream(total, sky, dk.Settings(**still)), "cut every 64 pixels": dk.dream(in_parts, sky, dk.Settings(**still)),
        "random tiles of 64": dk.dream(total, sky, dk.Settings(**still, tile=64)),
        "exact tiles": dk.dream(dk.scorer(network, dk.layer(shallow), tile=160), sky, dk.Settings(**still))}
dk.show.grid(seen, columns=2, height=2.2, alt=f"A sky, dreamt at {shallow} four ways; where it is cut every 64 pixels, straight lines cross the clouds")

# %% [markdown]
# Your eye may be fooled, so here are numbers: how far is each gradient from that of the picture as a whole? The baseline in the last row
# is the gradient of another picture, which has nothing to do with it. The row before: no tiles at all, but the picture moved by one
# pixel, and the gradient moved back.

# %%
whole = dk.gradient(dk.scorer(network, dk.layer(shallow), tile=0), sky)
exact = dk.gradient(dk.scorer(network, dk.layer(shallow), tile=160), sky)
rows = {"cut every 64 pixels": dk.gradient(in_parts, sky), "random tiles of 64": dk.tiled_gradient(total, sky, 64, seed=1), "exact tiles": exact,
        "moved one pixel, and back": dk.roll(dk.gradient(total, dk.roll(sky, (1, 1))), (-1, -1)), "another picture": dk.gradient(total, sky.flip(-1))}
for name, found in rows.items():
    print(f"{name:26} off by {off(found / found.norm(), whole / whole.norm()):.1e}")

# %% [markdown]
# Random tiles are further off than plain cuts! Most of that is no seam: their cuts lie anywhere, and so every pooling window looks at
# other pixels, as it does when the picture moves by one. That is jitter (lesson 06), and over many steps it does good. Only exact tiles *are* the
# gradient of the whole: for a poster that shall look like the small version, for a measurement, and where results must repeat.
#
# ## How much overlap?
#
# A pixel's gradient comes from every cell that sees it, and each of these cells sees further than that pixel. How far, the **receptive
# field** tells (lesson 02). The panel cuts the sky every 64 pixels, but lets each part look `overlap` pixels beyond its cut, and throws away what it
# finds there. Shown is where the gradient is wrong. Before you move it: from which overlap on will the picture stay black?
# (Without the panel: `error_at(16)`.)

# %%
info = next(info for info in dk.layer_table(network) if info.name == shallow)
(field, _), (stride, _) = info.field.size, info.field.stride
print(f"a cell of {shallow} sees {field} pixels; cells lie {stride} pixels apart")

def error_at(overlap):
    found = torch.zeros_like(sky)
    for top in range(0, sky.shape[-2], 64):
        for left in range(0, sky.shape[-1], 64):
            up, back = min(top, overlap), min(left, overlap)
            part = dk.gradient(total, sky[..., top - up:top + 64 + overlap, left - back:left + 64 + overlap])
            found[..., top:top + 64, left:left + 64] = part[..., up:up + 64, back:back + 64]
    wrong, size = (found - true).abs().amax(1)[0], float(true.abs().max())
    return dk.show.heat(wrong, low=0.0, high=size / 10), f"overlap {overlap} pixels: largest error {float(wrong.max()) / size:.1e} of the largest gradient"

true = dk.gradient(total, sky)
overlaps = [stride * steps for steps in (0, 1, 2, 4, 6, 8)] + [stride * -(-field // stride)]
dk.widgets.slide("overlap (pixels)", sorted(set(overlaps)), error_at, start=stride * 2, width=420)

# %% [markdown]
# A whole field on each side, then, less a pixel. `dk.scorer(…, tile=…)` gets by with half: it shares out not pixels but
# *cells*. Every cell belongs to one tile; the tile is cut out with what its cells see, half a field around; and where the gradients of two tiles
# overlap they are added, because that is what a sum's gradient is. Cuts lie on the grid of the strides, or every pooling
# window would land elsewhere. A gradient like that of the whole, to rounding: (2 to 8 seconds.)

# %%
for depth in (0.2, 0.4, 0.6):
    at = dk.layer_at(network, depth)
    info = next(info for info in dk.layer_table(network) if info.name == at)
    tile = info.field.size[0] + 64
    found, one = (dk.gradient(dk.scorer(network, dk.layer(at), tile=t), large[..., :300, :333]) for t in (tile, 0))
    work = (512 / (512 - info.field.size[0])) ** 2
    print(f"{at:16} sees {info.field.size[0]:4}   in tiles of {tile}: off by {off(found, one):.0e}   at 512 pixels a tile: {work:.1f} times the work")

# %% [markdown]
# The last column is the price. A tile of 512 pixels a side does the work of 512², and brings home (512 − field)². The field grows with depth,
# and so does the price; memory is bought with time. Where every cell sees the whole picture, as in the last layers, there are no exact
# tiles, and random ones are all that is left.
#
# ## A poster
#
# The picture at the top was made that way. What is a large dream good for? Put it beside a small one, enlarged: the network finds
# shapes of *its* size in pixels, so on a larger picture they are smaller against the temple, and there are more of them. (2 to 8 seconds.)

# %%
small = dk.dream(dk.scorer(network, dk.layer(layer)), dk.resize(large, (213, 320)), dk.Settings(steps=3, octaves=3, step_size=0.02))
window = (..., slice(100, 300), slice(200, 500))
dk.show.strip({"photo, at 100 %": large[window], "dreamt large": poster[window], "dreamt small, enlarged": dk.resize(small, tuple(large.shape[-2:]))[window]},
              height=1.9, alt="One part of the temple three times, pixel for pixel: the photo, the large dream with fine shapes, and the small dream, enlarged and blurred")

# %% [markdown]
# Nothing but patience limits the size now. In a terminal,
#
# ```
# dreamkit dream china --side 8192 -o poster.png
# ```
#
# chooses tiles by itself where the picture does not fit into memory, and says so. `benchmarks/README.md` has what it cost on a machine of
# two cores: 8192 × 8192 pixels at `conv2`, one step, took 2.8 GiB at the peak, of which PyTorch itself is half a GiB, and a minute and a half.
#
# ## Many
#
# Now the other way to have too much work: a picture for every channel of every layer. The pictures know nothing of each other, so the work
# falls into *batches*, in any order, on any machine. `dk.atlas` keeps each one as it comes, in a folder with a list of
# what is there. Here are eight channels, and, as a baseline, those of a network that never learnt anything. (10 to 25 seconds.)

# %%
import pathlib
import tempfile

folder, settings = pathlib.Path(tempfile.mkdtemp()), dk.atlas.PictureSettings(side=48, steps=24, batch=4)
atlas = dk.atlas(network, layer, folder / "trained", channels=range(8), settings=settings)
random = dk.atlas(dk.randomized(network), layer, folder / "random", channels=range(8), settings=settings)
dk.show.grid({f"{name} {c}": each.picture(layer, c) for name, each in (("channel", atlas), ("random", random)) for c in range(8)},
             columns=8, height=1.0, alt=f"What eight channels of {layer} look for, above; below, eight of random weights: textures without form")

# %% [markdown]
# **Predict, then reveal.** Now ask for twelve channels in the same folder. How much is done again?
#
# <details><summary>Answer</summary>
#
# Nothing: eight are there, and whole (the list has the hash of each file), so one batch of four is left. The same holds after Ctrl-C, a power cut or
# a full disk: each picture is written under another name first, and then put in its place in one go.
# </details>
#
# (3 to 10 seconds.)

# %%
for done, asked in dk.atlas.making(network, layer, folder / "trained", channels=range(12), settings=settings):
    print(f"{done} of {asked} pictures")

# %% [markdown]
# Browse it: `dk.widgets.atlas` here; `index.html` in the folder in any browser. (Without the panel: `atlas.picture(layer, 5)`.)

# %%
dk.widgets.atlas(folder / "trained")

# %% [markdown]
# ## Many machines
#
# Batches can go to *workers*: other processes of this computer, or of a room full of computers. **Dask** does the post: a *scheduler* knows who
# is free, workers ask it for work, and what one of them does not finish, because it died, another gets. Three details make it trustworthy:
#
# - **A worker gets the network's name and hash, not its weights**, loads them itself, and refuses if its own are others. (A network of your own is sent whole, once.)
# - **Each batch runs on one thread and has always the same size**, so that the bytes of a picture do not depend on who made it.
# - **No more batches are out than keep everyone busy**: what is lost with a worker is at most what it had in hand.
#
# <details><summary>Try it at home: two workers, then a cluster</summary>
#
# ```
# dreamkit atlas --workers 2 -o atlas            # every suggested layer; stop it with Ctrl-C, start it again
#
# dask scheduler                                 # on one machine of a network that you trust
# dask worker tcp://that-machine:8786            # on each of the others, with dreamkit installed
# dreamkit atlas --scheduler tcp://that-machine:8786 -o atlas
# ```
#
# In Python the same: `dk.atlas(network, folder="atlas", workers=2)`, `scheduler="tcp://…"`, or `client=` with a Dask client of your own.
# Whoever reaches a Dask scheduler can run programs on its workers: keep it off the open internet.
# </details>
#
# ## Exercises

# %% [markdown]
# ### Exercise 17.1 · The price of overlap · 10 minutes · ★★★
# A picture of `side` × `side` pixels is cut into squares of `core` × `core` (the last in a row or column may be smaller). Each is taken
# with `reach` pixels around it, as far as the picture goes. Write `my_price(side, core, reach)`: how many pixels the tiles have together, over
# how many the picture has.
#
# <details><summary>Hint</summary>
#
# Do one axis first: a part from `start` on reaches from `max(0, start - reach)` to `min(side, start + core + reach)`. The other axis is the same.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_price(side, core, reach):
#     along = sum(min(side, start + core + reach) - max(0, start - reach) for start in range(0, side, core))
#     return (along / side) ** 2
# ```
# </details>

# %% tags=["exercise"]
def my_price(side, core, reach):
    ...  # your lines


dk.exercises.check("price_of_overlap", my_price)

# %% [markdown]
# ### Exercise 17.2 · An atlas that goes on · 6 minutes · ★★☆
# `wanted` is a list of channels, `done` the set of those whose picture is there already. Write `my_left(wanted, done, size)`: the missing ones in
# order, as a list of lists with `size` channels each (the last may have fewer).
#
# <details><summary>Hint</summary>
#
# First leave out, then cut: `missing[i:i + size]`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_left(wanted, done, size):
#     missing = [channel for channel in wanted if channel not in done]
#     return [missing[i:i + size] for i in range(0, len(missing), size)]
# ```
# </details>

# %% tags=["exercise"]
def my_left(wanted, done, size):
    ...  # your lines


dk.exercises.check("what_is_left", my_left)

# %% [markdown]
# ## Recap
#
# - You took a loop apart and timed each saving, weighed what is kept, cut pictures with a seam and without, dreamt a poster and made an atlas.
# - A step wastes time on the weights' gradients, on layers above the one that is wanted, and on maps in the wrong order. What
#   each costs depends on machine, layer and size: take turns, take medians, check the result.
# - What grows with the picture is the maps that are kept for the way back.
# - Tiles that share out cells, with half a receptive field around them, give the gradient of the whole. The price grows with depth.
# - Independent batches go to any worker, in any order; kept as they come, they make a restart cheap.
#
# ## Read next
#
# - Random tiles: TensorFlow's tutorial *DeepDream*, section on scaling up with tiles.
# - Receptive fields computed: Araujo, Norris & Sim, *Computing Receptive Fields of Convolutional Neural Networks*, Distill, 2019.
# - BatchNorm: Ioffe & Szegedy, *Batch Normalization*, ICML 2015.
# - Buying memory with time in another way: Chen, Xu, Zhang & Guestrin, *Training Deep Nets with Sublinear Memory Cost*, 2016.
# - An atlas of every channel: Olah, Mordvintsev & Schubert, *Feature Visualization*, Distill, 2017.
# - Schedulers and workers: the documentation of Dask.distributed.

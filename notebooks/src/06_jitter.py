# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 06 · Jitter: no pixel keeps its place
#
# To a network, not all pixels are alike. Those at the border see zeros beyond the edge; those on one line of its
# strided grid are asked more often than their neighbours; and where a large picture is cut into tiles, every cut is a
# new border. Step after step, the same places win, and you see seams. The cure is two lines long: move the picture
# before each step, and back after it.
#
# - **You will do:** make the network's own preferences visible with plain noise; roll a picture; dream in tiles, with
#   seams and without.
# - **You will learn:** where borders and grids show in a gradient; why a random roll evens them out; what tiles save
#   and what they cost.
# - **You need:** lessons 03 to 05.
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: dreams in tiles of 64 pixels, from nearly even grey and from a sky. In the first and third the
# tiles lie still. In the second and fourth everything is the same, except that the picture is rolled by a random
# shift before each step. Where do the creatures stand? (This cell takes 5 to 10 seconds.)

# %%
import torch

grey, sky = dk.noise(128, 192, contrast=0.1), dk.sample("clouds", 192)
layer, deeper = dk.layer_at(network, 0.5), dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))

def in_tiles(picture, score, rolled, tile=64, steps=20, step_size=0.03):
    for step in range(steps):
        uphill = dk.tiled_gradient(score, picture, tile, seed=step if rolled else None)
        picture = dk.ascend(picture, dk.normalize(dk.smooth(uphill, 0.5)), step_size)
    return picture

still, moving = in_tiles(grey, score, rolled=False), in_tiles(grey, score, rolled=True)
deep = dk.scorer(network, dk.layer(deeper))
dk.show.grid({f"grey, {layer}, still": still, "rolled": moving, f"sky, {deeper}, still ": in_tiles(sky, deep, False),
              "rolled ": in_tiles(sky, deep, True)}, columns=2, height=2.0,
             alt=f"Dreams of {layer} from grey and of {deeper} from a sky, in tiles: with still tiles every tile "
                 f"holds its own shape, with rolled ones not")

# %% [markdown]
# ## What the network prefers before it has seen anything
#
# How do you measure a preference for *places*? Show the network pictures in which no place is special: plain noise.
# For any single one the gradient is strong here and weak there, by chance. But average |gradient| over many, and
# chance shrinks. What stays belongs to the network. (About two seconds.)

# %%
noises = [dk.noise(96, 96, seed=seed) for seed in range(48)]

def strength(gradient):
    """Mean |gradient| [96, 96] over the noises and colours; `gradient` is a function of a picture and its number."""
    return sum(gradient(picture, number).abs().mean((0, 1)) for number, picture in enumerate(noises)) / len(noises)

plain = strength(lambda picture, _: dk.gradient(score, picture))
print(f"at the outermost pixels {plain[0].mean() / plain.mean():.2f}, {plain[-1].mean() / plain.mean():.2f} (top, bottom), "
      f"in the middle {plain[40:56, 40:56].mean() / plain.mean():.2f} times the mean")

# %% [markdown]
# Top and bottom differ: the pooling windows, three pixels wide and two apart, are laid from the top left, and the last row and
# column lie in fewer of them.
#
# Now write the cure. `roll` moves a picture and lets what leaves at one border come in at the other; `jittered`
# rolls, takes the gradient, and rolls that back, so that each value lies where it belongs.

# %%
def my_roll(image, shift):
    dy, dx = shift
    rows = torch.arange(image.shape[-2]).sub(dy) % image.shape[-2]            # where row y of the result comes from
    columns = torch.arange(image.shape[-1]).sub(dx) % image.shape[-1]
    return image[..., rows, :][..., columns]

print("the same as dk.roll:", torch.equal(my_roll(sky, (30, -70)), dk.roll(sky, (30, -70))))
dk.show.strip({"the sky": sky, "rolled by (30, -70)": my_roll(sky, (30, -70)), "and back": my_roll(my_roll(sky, (30, -70)), (-30, 70))},
              height=1.6,
              alt="A sky, the same rolled 30 pixels down and 70 to the left, with the old borders inside it, and "
                  "rolled back")

# %%
def jittered(score, jitter):
    """Mean |gradient| [96, 96] over the noises, each rolled by a random shift of up to `jitter` pixels."""
    def one(picture, number):
        dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=torch.Generator().manual_seed(number)).tolist()
        return dk.roll(dk.gradient(score, dk.roll(picture, (dy, dx))), (-dy, -dx))
    return strength(one)

# %% [markdown]
# **Predict, then reveal.** The next cell (about 5 seconds) shows four maps of mean |gradient| in one scale: the
# trained network without jitter and with it, and the same for *random weights*. Will the untrained network have a
# border too?
#
# <details><summary>Answer</summary>
#
# Yes, and often a plainer one. Nobody taught it to the network: near an edge, part of each filter looks at the zeros
# that pad the picture, so fewer paths lead back to a border pixel, and the network answers the edge itself. The
# preference for places is built in. Jitter evens it out for both.
# </details>

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
maps = {"trained": plain, "trained, jitter 16": jittered(score, 16),
        "random weights": strength(lambda picture, _: dk.gradient(untrained, picture)), "random weights, jitter 16": jittered(untrained, 16)}
shares = {name: values / values.mean() for name, values in maps.items()}
views = {name: dk.show.heat(values, (192, 192), low=0.5, high=1.5) for name, values in shares.items()}
dk.show.strip(views, height=1.8,
              alt=f"Mean gradient of layer {layer} at each of 96 × 96 places: without jitter the borders stand out, "
                  f"with it they hardly do")

# %% [markdown]
# Black is half the mean, bright yellow one and a half times the mean. The same as a curve: how strong is the gradient at
# each distance from the nearest border?

# %%
from matplotlib.figure import Figure

place = torch.arange(96)
inside = torch.minimum(place, 95 - place)
distance = torch.minimum(inside[:, None], inside)                             # of each pixel from the nearest border
figure = Figure(figsize=(7.2, 3.6), layout="constrained")
axis = figure.subplots()
for (name, values), line in zip(shares.items(), ("C0-", "C0:", "C1-", "C1:"), strict=True):
    axis.plot([float(values[distance == d].mean()) for d in range(32)], line, label=name)
axis.set(xlabel="distance from the border (pixels)", ylabel="|gradient| over its mean")
axis.legend(fontsize=9)
dk.show.chart(figure, f"Strength of the gradient of layer {layer} against distance from the border: {', '.join(shares)}")

# %% [markdown]
# A jitter of 16 pixels spreads each border over 16 pixels to either side, and the deep dip is gone. What is left is broad
# and shallow; shifts as large as the picture would spread it over all of it.
#
# ## The grid inside
#
# Borders are the visible part. A layer with stride *s* has one cell for every *s* × *s* pixels, and within such a
# block the pixels are not equal either. Fold the map: lay all its blocks over one another and average. Jitter should
# flatten that as well. The second number of each line is what chance alone would leave: the same blocks, each shifted by an
# amount of its own before they are laid on one another.

# %%
stride = next(info.field.stride[0] for info in dk.layer_table(network) if info.name == layer)
blocks = lambda values: values[24:72, 24:72].unfold(0, stride, stride).unfold(1, stride, stride).flatten(0, 1)    # [blocks, stride, stride]
spread = lambda blocks: float(blocks.mean(0).std() / blocks.mean())
generator = torch.Generator().manual_seed(0)
shift = lambda: torch.randint(stride, (2,), generator=generator).tolist()
print(f"{layer} has one cell in {stride} pixels; spread among the {stride}² places of a block, laid on one another as they lie | shifted at random:")
for name, values in shares.items():
    chance = [spread(torch.stack([block.roll(shift(), (0, 1)) for block in blocks(values)])) for _ in range(20)]
    print(f"  {name:26} {spread(blocks(values)):5.1%} | {sum(chance) / 20:5.1%}")

# %% [markdown]
# ## In a dream
#
# In `dk.dream` it is one number: `dk.Settings(jitter=16)` draws both shifts anew before each step, from −16 to 16.
# Compare a dream without and with it. The slider chooses how many steps both take; look at the borders and at flat
# places.
# (Each stop takes about 5 seconds.)

# %%
photo = dk.sample("china", 224)
without, with_it = dk.Settings(octaves=1, smoothing=1.0, jitter=0), dk.Settings(octaves=1, smoothing=1.0, jitter=16)
dk.widgets.compare(network, photo, without, with_it, along="steps", values=(5, 10, 20, 40), start=10,
                   objective=dk.layer(dk.layer_at(network, 0.8)), width=336)

# %% [markdown]
# Without the panel: `dk.dream(score, photo, with_it)`.
#
# Rolling has a price. The picture's old borders now meet somewhere inside, and for one step the network sees an edge
# there that is none. But it is elsewhere at each step, so nothing adds up. That is the whole idea: jitter removes no
# error, it *spreads* it. Averaged over all shifts, every pixel has been in
# every place within 16 pixels; with shifts as large as the picture, in every place.
#
# ## Tiles
#
# A gradient needs the features of every layer in memory, for every pixel. A poster does not fit. So cut it into
# tiles, take the gradient of each by itself, and put them side by side: memory for one tile is enough. But each tile
# ends in zeros on all sides: a border wherever you cut. Measure it with noise, tiles of 32 pixels, and cuts after
# every 32. (About 5 seconds.)

# %%
fixed = strength(lambda picture, _: dk.tiled_gradient(score, picture, 32))
drawn = strength(lambda picture, number: dk.tiled_gradient(score, picture, 32, seed=number))
tiles = {"no tiles": plain, "tiles, no seed": fixed, "tiles, a seed a step": drawn}
views = {name: dk.show.heat(values / values.mean(), (240, 240), low=0.5, high=1.5) for name, values in tiles.items()}
dk.show.strip(views, height=2.0,
              alt="Mean gradient at each place: without tiles smooth, with fixed tiles a lattice, with a seed per "
                  "step nearly even")

# %%
figure = Figure(figsize=(7.2, 3.2), layout="constrained")
axis = figure.subplots()
for name, values in tiles.items():
    profile = (values.mean(0) + values.mean(1)) / (2 * values.mean())         # along both axes
    axis.plot(profile, label=f"{name}: spread {profile[8:88].std():.1%} between the borders")
axis.set(xlabel="row or column", ylabel="|gradient| over its mean", ylim=(None, 1.7))
axis.legend(fontsize=8, loc="upper center")
dk.show.chart(figure, f"Strength of the gradient of layer {layer} along rows and columns, with cuts at 32 and 64: {', '.join(tiles)}")

# %% [markdown]
# With a `seed`, `dk.tiled_gradient` rolls the picture by a random shift as large as the picture, so that the cuts
# fall elsewhere each time. Now look at the dreams of the first cell again. Fold the change that they made to the grey
# picture: all tiles laid over one another. A place within the tile that is always preferred then stands out. The
# baseline is a dream without tiles, folded just so.

# %%
def within_a_tile(dream, tile=64):
    """Mean change at each place of a tile [tile, tile], over the mean of all, a little blurred."""
    change = dk.smooth((dream - grey).abs(), 4.0).mean((0, 1))
    folded = change.unflatten(0, (-1, tile)).unflatten(2, (-1, tile)).mean((0, 2))
    return folded / folded.mean()

whole = dk.dream(score, grey, dk.Settings(steps=20, step_size=0.03, octaves=1, jitter=0, smoothing=0.5))
folded = {"no tiles": within_a_tile(whole), "still tiles": within_a_tile(still), "rolled tiles": within_a_tile(moving)}
views = {f"{name}: spread {values.std():.0%}": dk.show.heat(values, (256, 256), low=0.7, high=1.6) for name, values in folded.items()}
dk.show.strip(views,
              height=2.2,
              alt="Mean change within a tile: even without tiles, a bright middle with still tiles, more even with "
                  "rolled ones")

# %% [markdown]
# A still tile is a picture of its own, with its own middle and its own borders, and the network puts what it finds at
# the same places, tile after tile. Rolled tiles have no such places, and need no more memory. What they cannot give is
# context: no shape larger than a tile can be seen by a network that is shown one tile at a time.
#
# ## The ladder so far
#
# The same photo, layer and forty steps; now with jitter. (About 8 seconds.)

# %%
ladder = dk.ladder(network, rungs=["normalised", "smoothed", "jittered"])
dk.show.strip(ladder, height=2.0,
              alt=f"The ladder: {', '.join(ladder)}. With jitter the mesh in the sky stays, and some creatures stand elsewhere")

# %%
cut = lambda picture: picture[..., 10:80, 110:215]
dk.show.strip({name: cut(dream) for name, dream in ladder.items()}, height=2.0,
              alt="The sky of each rung, enlarged: fine speckles and lines, then without and with jitter a soft mesh of upright bars")

# %% [markdown]
# The mesh in the sky is still there. This layer likes upright bars, and draws them wherever the sky is flat: it was not the
# grid. What jitter evens out is the preference for *places* that you measured above: borders, blocks, the cuts of tiles.
# Still, everything has one size: the size of what this layer sees at this resolution. Lesson 07 changes the resolution.
#
# ## Exercises

# %% [markdown]
# ### Exercise 06.1 · How many shifts? · 3 minutes · ★☆☆
# With `jitter=16` both shifts are drawn independently from −16 to 16. How many different shifts (dy, dx) are there?
#
# <details><summary>Hint</summary>
#
# Count the whole numbers from −2 to 2 first.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# number_of_shifts = (2 * 16 + 1) ** 2
# ```
# </details>

# %% tags=["exercise"]
number_of_shifts = ...  # your answer


dk.exercises.check("shifts", number_of_shifts)

# %% [markdown]
# ### Exercise 06.2 · A step with jitter · 5 minutes · ★☆☆
# Write `jittered_step(image, step, shift)`: `step` is any function from a picture to the next picture, `shift` is
# (dy, dx). The picture must not wander.
#
# <details><summary>Hint</summary>
#
# `dk.roll(image, (dy, dx))` goes there. What goes back?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def jittered_step(image, step, shift):
#     dy, dx = shift
#     rolled = step(dk.roll(image, (dy, dx)))
#     return dk.roll(rolled, (-dy, -dx))
# ```
# </details>

# %% tags=["exercise"]
def jittered_step(image, step, shift):
    ...  # your lines


dk.exercises.check("jitter", jittered_step)

# %% [markdown]
# ### Exercise 06.3 · The gradient in tiles · 10 minutes · ★★★
# Write `my_tiled_gradient(score, image, tile)`: the gradient put together from tiles of at most `tile` pixels a side.
# The score is a *mean* over points, so make sure that the result is the gradient of the mean over the whole picture.
# The last tiles may be smaller.
#
# <details><summary>Hint</summary>
#
# In the mean over a tile each point counts 1 / (points of the tile), in that over the picture 1 / (points of the
# picture). By what do you multiply the tile's gradient?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_tiled_gradient(score, image, tile):
#     result = torch.zeros_like(image)
#     height, width = image.shape[-2:]
#     for top in range(0, height, tile):
#         for left in range(0, width, tile):
#             part = image[..., top:top + tile, left:left + tile]
#             share = part.shape[-2] * part.shape[-1] / (height * width)
#             result[..., top:top + tile, left:left + tile] = share * dk.gradient(score, part)
#     return result
# ```
# </details>

# %% tags=["exercise"]
def my_tiled_gradient(score, image, tile):
    ...  # your lines


dk.exercises.check("tiles", my_tiled_gradient)

# %% [markdown]
# ## Recap
#
# - You showed a network noise and saw its preferences for places, rolled pictures there and back, and dreamt in
#   tiles.
# - Borders and grids are built into a network by padding and strides: random weights have them too.
# - A random roll removes no error; it puts it elsewhere at each step, so that it never adds up.
#   `dk.Settings(jitter=16)` does it.
# - Tiles (`dk.tiled_gradient`, `dk.Settings(tile=256)`) need the memory of one tile, cost a border at each cut, and
#   with a seed per step no seam stays.
#
# ## Read next
#
# - Jitter of up to 32 pixels, drawn for each step: google/deepdream, `dream.ipynb`, 2015; the same in
#   gordicaleksa/pytorch-deepdream.
# - Tiles of 512 on a rolled picture: A. Mordvintsev, *DeepDreaming with TensorFlow*, 2016, and TensorFlow's DeepDream
#   tutorial.
# - Keras's first DeepDream example jittered by adding noise to the pixels; a pull request (keras-team/keras #2098)
#   replaced that by rolling.

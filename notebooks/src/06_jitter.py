# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 06 · Jitter: what a dream should not depend on
#
# Roll the picture by a random shift before each step, and roll it back after: two lines, called **jitter**. It serves two
# purposes. First, to a network not all pixels are alike: those at the border see zeros beyond the edge, and every cut
# between tiles is a new border. Jitter spreads such preferences over many pixels. Second, what must excite the network
# in *every* position cannot rely on one exact pixel pattern. That second idea goes further than shifts: turn and scale
# the picture as well. Olah, Mordvintsev & Schubert (Distill, 2017) call it **transformation robustness**. It is one of
# their three kinds of regularisation; the others are *frequency penalisation* (lesson 05's smoothing) and
# *preconditioning* (ascent in Fourier space, `dk.fourier`; lesson 08 uses none).
#
# - **You will do:** roll a picture; make a network's preference for positions visible with plain noise; measure what
#   shifts, turns and scales buy; dream in tiles, with seams and without.
# - **You will learn:** where borders show in a gradient; why a random roll evens them out; what "robust" means, as a number;
#   what tiles save and what they cost.
# - **You need:** lessons 03 to 05.
# - **Minutes:** 55

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# A dream of a deep layer out of noise, made in tiles of 64 pixels, as a picture too large for the memory would need them.
# Above, the tiles lie still. Below, the picture is rolled by a random shift before each step; nothing else is different.
# (5 to 10 seconds.)

# %%
from dataclasses import replace

import torch

deep, tile = dk.layer_at(network, 0.7), 64              # block6a.expand in EfficientNet-Lite0

def in_tiles(picture, rolled, steps=16):
    score, s = dk.scorer(network, dk.layer(deep)), dk.settings_for(network, deep)
    for step in range(steps):
        uphill = dk.tiled_gradient(score, picture, tile, seed=step if rolled else None)
        uphill = dk.scale_chroma(dk.smooth_laplacian(uphill, s.laplacian), s.chroma)
        picture = dk.ascend(picture, dk.normalize(dk.smooth(uphill, s.smoothing)), 0.02)
    return picture

grey = dk.noise(192, 480, contrast=0.15)
still, moving = in_tiles(grey, rolled=False), in_tiles(grey, rolled=True)
both = {"tiles that lie still": still, "tiles that are rolled": moving}
dk.show.grid(both, columns=1, height=3.5,
             alt=f"Two dreams of {deep} in tiles of 64 pixels: cut into a lattice, and whole")

# %% [markdown]
# In EfficientNet-Lite0 the still tiles leave a lattice of pale bands, and few heads cross a cut. Rolled, whole heads grow.
#
# ## What the network prefers before it has seen anything
#
# How do you measure a preference for *places*? Show the network pictures in which no place is special: plain noise.
# For any single one the gradient is strong here and weak there, by chance. But average |gradient| over many, and
# chance shrinks. What stays belongs to the network. (About two seconds.)

# %%
noises = [dk.noise(96, 96, seed=seed) for seed in range(40)]

def strength(gradient):
    """Mean |gradient| [96, 96]; `gradient` is a function of a picture and its number."""
    found = [gradient(picture, k).abs().mean((0, 1)) for k, picture in enumerate(noises)]
    return sum(found) / len(found)

layer = dk.layer_at(network, 0.4)                       # a middle layer: its grid is finer
score = dk.scorer(network, dk.layer(layer))
plain = strength(lambda picture, _: dk.gradient(score, picture))
parts = {"top row": plain[0], "bottom row": plain[-1], "middle": plain[40:56, 40:56]}
for name, values in parts.items():
    print(f"|gradient| over its mean, {name:10} {float(values.mean() / plain.mean()):.2f}")

# %% [markdown]
# The mean is 1. What stays after averaging is the network's own preference for positions. Now write the cure.

# %% [markdown]
# ### Exercise 06.1 · A roll of your own · 5 minutes · ★★☆
# Write `my_roll(image, shift)`: the picture moved down by `dy` and right by `dx` pixels; what leaves at one border comes
# in at the other. Use neither `dk.roll` nor a loop.
#
# <details><summary>Hint</summary>
#
# Row `y` of the result is row `y - dy` of the picture, modulo the height. `image[..., rows, :]` picks rows by number.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_roll(image, shift):
#     dy, dx = shift
#     rows = (torch.arange(image.shape[-2]) - dy) % image.shape[-2]
#     columns = (torch.arange(image.shape[-1]) - dx) % image.shape[-1]
#     return image[..., rows, :][..., columns]
# ```
# </details>

# %% tags=["exercise"]
def my_roll(image, shift):
    ...  # your lines


dk.exercises.check("roll", my_roll)

# %% [markdown]
# ### Exercise 06.2 · A step with jitter · 5 minutes · ★☆☆
# Write `jittered_step(image, step, shift)`: `step` is any function from a picture to the next picture, `shift` is
# (dy, dx). The picture must come back unshifted.
#
# <details><summary>Hint</summary>
#
# Roll it by `(dy, dx)`, take the step. How do you undo a roll?
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
# The same for the gradient alone, over the forty noises: roll, take the gradient, roll that back.

# %%
def jittered(score, jitter):
    """Mean |gradient| [96, 96], each noise rolled by a random shift of up to `jitter` pixels."""
    def one(picture, number):
        generator = torch.Generator().manual_seed(number)
        dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
        return dk.roll(dk.gradient(score, dk.roll(picture, (dy, dx))), (-dy, -dx))
    return strength(one)

# %% [markdown]
# **Predict, then reveal.** The next cell (5 to 10 seconds) shows four maps of mean |gradient| in one scale: the trained
# network without jitter and with it, and the same for *random weights*. Will the untrained network have a border too?
#
# <details><summary>Answer</summary>
#
# Yes: the border belongs to the architecture, not to what was learnt. Near an edge, part of each filter looks at the zeros
# that pad the picture, and fewer paths lead back to a border pixel. Jitter evens it out for both.
# </details>

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
maps = {"trained": plain, "trained, jitter 16": jittered(score, 16),
        "random weights": strength(lambda picture, _: dk.gradient(untrained, picture)),
        "random weights, jitter 16": jittered(untrained, 16)}
shares = {name: values / values.mean() for name, values in maps.items()}
heat = lambda values: dk.show.heat(values, (192, 192), low=0.5, high=1.5)
views = {name: heat(values) for name, values in shares.items()}
dk.show.strip(views, height=1.8, alt=f"Mean gradient of {layer} at each pixel: {', '.join(views)}")

# %% [markdown]
# Black is half the mean, bright yellow one and a half times the mean. How uneven is each map? One number, the standard
# deviation over the mean, at the border (16 pixels) and in the middle:

# %%
edge = torch.ones(96, 96, dtype=torch.bool)
edge[16:-16, 16:-16] = False
for name, values in shares.items():
    border, inside = float(values[edge].std()), float(values[~edge].std())
    print(f"{name:26} border {border:.1%}   middle {inside:.1%}")

# %% [markdown]
# The middle holds the network's grid (one cell for every few pixels) and what is left of chance after forty noises.
#
# ## Transformation robustness
#
# A score is any function from a picture to a number. So *robust* is one line: transform at random, then score. Here
# a deep layer's dream grows out of noise five times, with other random transformations at each step.

# %%
from torchvision.transforms.functional import InterpolationMode, affine

def transformed(picture, shift=0, turn=0, scale=0.0, generator=None):
    """Moved by up to `shift` pixels, turned by up to `turn` degrees, scaled by up to `scale`."""
    dy, dx, angle, size = (2 * torch.rand(4, generator=generator) - 1).tolist()
    return affine(picture, turn * angle, [shift * dx, shift * dy], 1 + scale * size, [0.0],
                  InterpolationMode.BILINEAR, fill=[0.5])

KINDS = {"none": {}, "shift 8": {"shift": 8}, "turn 15°": {"turn": 15},
         "scale 20 %": {"scale": 0.2},
         "all three": {"shift": 8, "turn": 15, "scale": 0.2}}

# %% [markdown]
# Each picture takes 40 steps at one size, without the loop's own jitter. (10 to 15 seconds.)

# %%
one, start = dk.scorer(network, dk.layer(deep)), dk.noise(160, 160, contrast=0.2)
steps = replace(dk.settings_for(network, deep), steps=40, octaves=1, jitter=0)

def robust(score, kind):
    generator = torch.Generator().manual_seed(0)
    return lambda picture: score(transformed(picture, generator=generator, **KINDS[kind]))

drawn = {kind: dk.dream(robust(one, kind), start, steps) for kind in KINDS}
dk.show.strip(drawn, height=2.2,
              alt=f"Dreams of {deep} out of noise, with transformations: {', '.join(drawn)}")

# %% [markdown]
# What does each buy? Transform each *finished* picture at random (20 draws) and see how much of its score survives. The
# score of the untransformed picture is 100 %. (3 to 8 seconds.)

# %%
def survives(score, picture, kind, draws=20):
    generator = torch.Generator().manual_seed(1)
    views = (transformed(picture, generator=generator, **KINDS[kind]) for _ in range(draws))
    return sum(float(score(view)) for view in views) / draws / float(score(picture))

print(f"{'drawn with':14}{'score':>8}   " + "".join(f"{kind:>12}" for kind in list(KINDS)[1:]))
for made, picture in drawn.items():
    row = (survives(one, picture, kind) for kind in list(KINDS)[1:])
    print(f"{made:14}{float(one(picture)):8.2f}   " + "".join(f"{share:12.0%}" for share in row))

# %% [markdown]
# And the control, the same layer of the same network with random weights. (3 to 8 seconds.)

# %%
random_one = dk.scorer(dk.randomized(network), dk.layer(deep))
blotches = {made: dk.dream(robust(random_one, made), start, steps)
            for made in ("none", "all three")}
for made, picture in blotches.items():
    row = (survives(random_one, picture, kind) for kind in list(KINDS)[1:])
    shares = "".join(f"{share:12.0%}" for share in row)
    print(f"{made:14}{float(random_one(picture)):8.2f}   {shares}")
dk.show.strip(blotches, height=1.8, alt=f"The same with random weights: {', '.join(blotches)}")

# %% [markdown]
# In EfficientNet-Lite0 the picture drawn with none has the highest score and keeps only about 40 % of it when it is moved,
# turned or scaled a little: most of the score hung on one exact pixel pattern. Each transformation buys robustness
# against the others too; all three keep about 90 % or more, and draw what to us are the plainest animals. The price is a
# lower score. With random weights there are no animals, robust or not, and even *none* keeps four fifths of its score: it is the trained
# network that fragile patterns can fool.
#
# ### Write before you reveal
# **Write down**, for the picture drawn with nothing and the one drawn with *all three*, what you see in one noun each.
# Which measurement could prove you wrong? Then run the next cell: what does the network itself see in each of the five?

# %%
note = """
With none I see …            With all three I see …            I would be wrong if …
"""

# %%
for kind, picture in drawn.items():
    guesses = dk.classify(network, dk.resize(picture, (224, 224)), top=3)
    print(f"{kind:12}", *(f"{label} {p:.0%}" for label, p in guesses), sep="   ")

# %% [markdown]
# A judge that must choose among its classes always names something: read the probabilities too. It is no
# surer of the picture drawn with all three than of that drawn with none, so "plainer" is our word, not the
# judge's.
#
# ## In a dream
#
# In `dk.dream` jitter is one number: `dk.Settings(jitter=16)` draws both shifts anew before each step, from −16 to 16. The
# panel compares a dream without and with it; the slider chooses how many steps both take. (Each stop takes 2 to 5
# seconds.)

# %%
photo = dk.sample("flower", 256)
with_it = replace(dk.settings_for(network, deep), octaves=1)
without = replace(with_it, jitter=0)
dk.widgets.compare(network, photo, without, with_it, along="steps", values=(5, 10, 20, 40),
                   start=20, objective=dk.layer(deep), width=336)

# %% [markdown]
# Without the panel: `dk.dream(dk.scorer(network, dk.layer(deep)), photo, with_it)`.
#
# Rolling has a price. The picture's old borders now meet somewhere inside, and for one step the network sees an edge that
# is not there. But it is elsewhere at each step, so nothing adds up. Jitter removes no error, it *spreads* it.
#
# ## Tiles
#
# A gradient needs the features of every layer in memory, for every pixel. A poster does not fit. So cut it into
# tiles, take the gradient of each by itself, and put them side by side: memory for one tile is enough. But each tile
# ends in zeros on all sides: a border wherever you cut. Measure it with noise and tiles of 32 pixels. (5 to 10 seconds.)

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
# The package's `dk.tiled_gradient`, without and with a new random shift at each step (`seed`). (5 to 10 seconds.)

# %%
fixed = strength(lambda picture, _: dk.tiled_gradient(score, picture, 32))
rolled = strength(lambda picture, number: dk.tiled_gradient(score, picture, 32, seed=number))
tiles = {"no tiles": plain, "tiles, no seed": fixed, "tiles, a seed a step": rolled}
views = {f"{name}: spread {float((values / values.mean()).std()):.0%}": heat(values / values.mean())
         for name, values in tiles.items()}
dk.show.strip(views, height=2.0, alt=f"Mean gradient at each pixel: {', '.join(views)}")

# %% [markdown]
# With a `seed`, the picture is rolled by a random shift as large as itself, so that the cuts fall elsewhere each time.
# A still tile is a picture of its own, with its own borders: that is the lattice of the first picture. Rolled tiles need no
# more memory. What they cannot give is context: a network that is shown one tile at a time sees nothing larger than it.
#
# ## What jitter buys in a photo dream
#
# The same photo, layer and forty steps, without jitter and with it. (5 to 10 seconds.)

# %%
ladder = dk.ladder(network, photo, rungs=["smoothed", "jittered"])
dk.show.strip(ladder, height=3.0, alt=f"Two dreams of {deep}: {', '.join(ladder)}")

# %%
score_of = dk.scorer(network, dk.layer(deep))
for name, picture in ladder.items():
    shifts = (5, 9), (8, 8), (11, 3), (-7, 6)
    moved = [float(score_of(dk.roll(picture, shift))) for shift in shifts]
    print(f"{name:10} score {float(score_of(picture)):.3f}, rolled by four other shifts "
          f"{min(moved):.3f} to {max(moved):.3f}")

# %% [markdown]
# In EfficientNet-Lite0 the heads are plainer with jitter, above all in the dark. The numbers say why: without jitter the
# score is higher, but rolled by a few pixels the finished dream loses about half of it; with jitter it keeps nearly all.
#
# ## Open investigation
#
# No answer is folded here. *How much jitter is enough?* Compare 0, 4, 16 and 64 pixels: which number do you read off the
# pictures, and does it follow the layer's stride, the size of its heads, or neither? A first cell to start from:

# %%
jitters = {f"jitter {most}": dk.dream(score_of, photo, replace(with_it, jitter=most, steps=15))
           for most in (4, 64)}
dk.show.strip(jitters, height=2.6, alt=f"The same dream with {' and '.join(jitters)}")

# %% [markdown]
# ## Recap
#
# - You rolled pictures there and back, and saw a network's preference for positions with plain noise.
# - Borders are built into this network: random weights have them too. A random roll spreads them over many pixels.
# - Transformation robustness: transform at random, then score. Dreams drawn without it lose most of their score when
#   shifted, turned or scaled (with random weights only a fifth); with it they keep most, and to us the animals become
#   plainer. One photo dream with jitter keeps its score when rolled; without, it loses about half.
# - Tiles (`dk.tiled_gradient`, `dk.Settings(tile=256)`) need the memory of one tile and cost a border at each cut; with a
#   seed per step the cuts leave no visible trace in the mean gradient.
#
# ## Read next
#
# - C. Olah, A. Mordvintsev, L. Schubert, [Feature Visualization](https://distill.pub/2017/feature-visualization/), Distill,
#   2017: frequency penalisation, transformation robustness, preconditioning.
# - Jitter of up to 32 pixels, drawn for each step: google/deepdream, `dream.ipynb`, 2015; the same in
#   gordicaleksa/pytorch-deepdream.
# - Tiles of 512 on a rolled picture: A. Mordvintsev, *DeepDreaming with TensorFlow*, 2016, and TensorFlow's DeepDream
#   tutorial.
# - Keras's first DeepDream example jittered by adding noise to the pixels; a pull request (keras-team/keras #2098)
#   replaced that by rolling.

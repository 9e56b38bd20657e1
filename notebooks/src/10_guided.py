# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 10 · Guided dreams
#
# In lesson 09 the network decided most of *what* appears. Now a second picture, the **guide**, takes part: each
# position of the photo looks for the position in the guide whose features fit best, and grows towards them.
#
# - **You will do:** tell four dreams apart without their titles; write the guided objective of 2015; measure how far
#   each dream moved to its guide, beside a dream without a guide; spoil a guide on purpose.
# - **You will learn:** how an objective is built from another picture's features; why the part that all pictures have
#   in common hides the guide; at which layer a guide gives its texture, and at which its things.
# - **You need:** lessons 08 and 09.
# - **Minutes:** 42

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# Three guides, and a sky to dream on. The sky is the sample `clouds`, which dreamkit draws from fractal noise: nobody
# photographed it, and nothing stands in it. It is made a little duller, so that there is room above and below each value.
# `common` is the mean of the features of nine other samples; what it is for comes below.

# %%
import torch
from dataclasses import replace
from functools import cache

side = 320 if network.base_name == "efficientnet_lite0" else 192          # others are slower
guides = {name: dk.sample(name, side) for name in ("flower", "coffee", "chelsea")}
others = [dk.sample(name, side) for name in dk.samples() if name not in guides]
sky = 0.15 + 0.6 * dk.sample("clouds", side)
LAYERS = [dk.layer_at(network, depth) for depth in (0.7, 0.85)]  # block6a and block6d in Lite0

def features(image, layer, network=network):
    return dk.capture(network, image, layer)[layer]                       # [1, C, h, w]

@cache
def common(layer, network=network):
    means = [features(image, layer, network).mean((2, 3)) for image in others]
    return torch.stack(means).mean(0)[..., None, None]                    # [1, C, 1, 1]

def towards(guide, layer, minus=1.0):
    """The objective: become like the guide at this layer, less what pictures have in common."""
    wanted = features(guide, layer) - minus * common(layer)
    return (1 / float(wanted.norm())) * dk.guide(layer, wanted)

# %% [markdown]
# Four dreams: three guided at two layers at once, and one of the same two layers without a guide. (10 to 20 seconds.)

# %%
settings = replace(dk.settings_for(network, LAYERS), octaves=4, steps=12)

def dreamt(objective, photo=sky):
    return dk.dream(dk.scorer(network, objective), photo, settings)

dreams = {name: dreamt(towards(guide, LAYERS[0]) + towards(guide, LAYERS[1]))
          for name, guide in guides.items()}
dreams["no guide"] = dreamt(dk.layer(LAYERS[0]) + dk.layer(LAYERS[1]))
order = torch.randperm(4, generator=torch.Generator().manual_seed(2)).tolist()
hidden = {letter: list(dreams)[index] for letter, index in zip("ABCD", order)}
dk.show.grid({letter: dreams[name] for letter, name in hidden.items()}, columns=2, height=3.4,
             alt=f"Four dreams of a sky by {network.name}: three guided, one not")

# %%
dk.show.strip(guides, height=1.9, alt=f"The guides: {', '.join(guides)}")

# %% [markdown]
# ## Write before you reveal
# One of the four dreams had no guide; each of the others had one of these three. **Write down** which is which, and
# the *parts* that tell you. Guessing gets all four right once in 24 times. How would you make sure that you do not
# see a flower only because you were told of one?

# %%
note = """
A: …, because of …      B: …, because of …
C: …, because of …      D: …, because of …        My control would be …
"""

# %%
print("; ".join(f"{letter}: {name}" for letter, name in hidden.items()))

# %% [markdown]
# In EfficientNet-Lite0: round blossoms of many petals; a cup with a rim, seen from above, with a second one behind
# it; a face with an eye, a nose and an ear. And without a guide animals, as in lesson 09. The guides' pixels are
# never used, only their features; nor do their colours come, because most of the gradient's colour is taken out
# (lesson 05). Where a thing stands in the guide does not matter either, as you will measure.
#
# ## The objective
#
# Take the features of photo and guide at one layer as two lists of **positions**, each a column of `C` numbers. For
# each position `x` of the photo look through all positions `y` of the guide for the greatest dot product `x·y`: that
# is its match. The sum of these products is the objective. The match is held fixed, so the gradient at `x` is its
# `y`: *become more like your match*.
#
# ### Exercise 10.1 · The guided objective · 8 minutes · ★★☆
# From the features of a picture and of its guide, `[1, C, h, w]` each (their maps may differ in size), return the
# objective, one number through which gradients flow.
#
# <details><summary>Hint</summary>
#
# `features[0].flatten(1)` is `[C, positions]`. One matrix product holds the products of all pairs.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_guided(features, guide):
#     ours, theirs = features[0].flatten(1), guide[0].flatten(1)
#     products = ours.T @ theirs
#     return products.max(dim=1).values.sum()
# ```
# </details>

# %% tags=["exercise"]
def my_guided(features, guide):
    ...  # your lines


dk.exercises.check("guided", my_guided)

# %% [markdown]
# `dk.guide` is this objective, with the products in pieces, so that large pictures fit into memory. It is the one in
# google/deepdream's notebook of 2015, which used it at GoogLeNet's `inception_3b/output` with a picture of flowers.
# The gradients of both are the same:

# %%
def guided(features, guide):
    products = features[0].flatten(1).T @ guide[0].flatten(1)             # [positions, positions]
    return products.max(dim=1).values.sum()

deep = LAYERS[1]
wanted = features(guides["coffee"], deep) - common(deep)
mine = dk.Objective((deep,), lambda found: guided(found[deep], wanted), "mine")
slopes = [dk.gradient(dk.scorer(network, one), sky) for one in (mine, dk.guide(deep, wanted))]
print(f"greatest difference of the gradients: {(slopes[0] - slopes[1]).abs().max():.1e}, "
      f"greatest value: {slopes[1].abs().max():.1e}")

# %% [markdown]
# ## What all pictures have in common
#
# Two things were added here to the formula of 2015: two layers instead of one, and `common` was subtracted from the
# guide's features. Features after a ReLU are never negative, so channels that respond to nearly every picture enter
# every dot product, whatever the guide shows. Here is the plain formula beside the centred one. (5 to 10 seconds.)

# %%
plain = {name: dreamt(towards(guides[name], LAYERS[0], 0) + towards(guides[name], LAYERS[1], 0))
         for name in ("flower", "coffee")}
pairs = {f"{name}, {how}": batch[name] for name in plain
         for how, batch in (("plain", plain), ("centred", dreams))}
dk.show.grid(pairs, columns=2, height=2.6,
             alt="A sky guided by flower and coffee, with the plain and the centred formula")

# %%
for layer in LAYERS:
    ours = features(sky, layer)[0].flatten(1)                             # [C, positions]
    for how, minus in (("plain", 0), ("centred", 1)):
        theirs = (features(guides["coffee"], layer) - minus * common(layer))[0].flatten(1)
        match = (ours.T @ theirs).argmax(1)
        print(f"{layer:15} {how:8} the sky's {len(match)} positions match "
              f"{len(match.unique())} of the guide's {theirs.shape[1]}")

# %% [markdown]
# In EfficientNet-Lite0 both formulas draw blossoms and cups; the numbers of the next section say which is nearer to
# its guide. Now the printed lines: the matches do not change at all! Subtract the same column from all positions of
# the guide, and all products of a position `x` change by the same amount: the greatest stays the greatest. What
# changes is the gradient, `y` less what is common.
#
# And few positions of the guide are used: 3 of 60 at the deeper layer. A dot product grows with the *length* of `y`,
# so a position with strong features becomes the best match of many.
#
# ## Whose dream is it? A number
#
# You saw petals, or whiskers. Or did you see them because you know? Ask another network, which took no part. Take its
# mean of each channel, a list of `C` numbers, and correlate dream and guide.
#
# ### Exercise 10.2 · How alike? · 7 minutes · ★★☆
# From the features of two pictures, `[1, C, h, w]` each, their maps perhaps of different sizes, return one number:
# the correlation of the two lists of channel means.
#
# <details><summary>Hint</summary>
#
# `a.mean((0, 2, 3))` leaves `[C]`. Subtract each list's own mean; then the dot product over both lengths.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_likeness(a, b):
#     a, b = a.mean((0, 2, 3)), b.mean((0, 2, 3))
#     a, b = a - a.mean(), b - b.mean()
#     return a @ b / (a.norm() * b.norm())
# ```
# </details>

# %% tags=["exercise"]
def my_likeness(a, b):
    ...  # your lines


dk.exercises.check("likeness", my_likeness)

# %% [markdown]
# ### Predict, then reveal
# How alike are the *untouched* sky and the flower, for the judge? Write a number from -1 to 1. And once what pictures
# have in common is subtracted from both? (5 to 10 seconds.)
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# As they are, 0.58: two pictures that have nothing in common look alike, because many channels respond to nearly
# everything. Without what is common, -0.17.
# </details>

# %%
other = "efficientnet_lite1" if "efficientnet_lite1" in dk.cached_networks() else "dreamnet"
judge = dk.load_network(other)
spot = dk.layer_at(judge, 0.85)
ground = common(spot, judge).flatten()

def table(rows, minus):
    """Likeness of pictures (rows) to the guides (columns), after `minus` is subtracted."""
    codes = [features(image, spot, judge).mean((0, 2, 3)) - minus
             for image in (*rows.values(), *guides.values())]
    return torch.corrcoef(torch.stack(codes))[:len(rows), len(rows):]

rows = {"the sky, untouched": sky, "no guide": dreams["no guide"]}
rows |= {f"guided by {name}": dreams[name] for name in guides}
rows |= {f"guided by {name}, plain": dreamed for name, dreamed in plain.items()}
for title, minus in (("as they are", 0 * ground), ("minus what is common", ground)):
    print(f"\n{title + ': like':26}" + "".join(f"{name:>10}" for name in guides))
    for name, values in zip(rows, table(rows, minus).tolist()):
        print(f"{name:26}" + "".join(f"{value:10.2f}" for value in values))

# %% [markdown]
# Read the second table down a column. In EfficientNet-Lite0 each column has its greatest number in the row of its own
# guide: about 0.55, 0.7, 0.85. The dream without a guide is the baseline: 0.3, 0.1, 0.65. It is like the cat anyway,
# since it is full of animals; so this guide added 0.2, and the coffee 0.6 to 0.7. The plain formula is nearly level
# with the centred one for the flower, and 0.2 to 0.3 behind for the coffee. It is one sky and one seed: a table for
# your own guide may look otherwise.
#
# ## Is it the guide's content?
#
# Perhaps any list of numbers would do, and the dream only looks guided. The control: a guide that has the same
# numbers and no meaning.
#
# ### Exercise 10.3 · A guide spoilt on purpose · 6 minutes · ★★☆
# Return the same features `[1, C, h, w]` with their channels in a random order: one order for the whole map, the same
# for the same seed, another for another seed.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(C, generator=torch.Generator().manual_seed(seed))` is a random order.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_spoilt(features, seed):
#     order = torch.randperm(features.shape[1], generator=torch.Generator().manual_seed(seed))
#     return features[:, order]
# ```
# </details>

# %% tags=["exercise"]
def my_spoilt(features, seed):
    ...  # your lines


dk.exercises.check("spoil", my_spoilt)

# %% [markdown]
# ### Predict, then reveal
# Spoil the guide in two ways and dream again: (1) its *positions* in another order; (2) its *channels* in another
# order. What becomes of the dream, each time? (5 to 10 seconds.)
#
# <details><summary>What happens, and why</summary>
#
# 1. Nothing: the gradient is the same, apart from rounding. Each position of the photo looks through *all* positions
#    of the guide, so their order cannot matter. A guided dream knows what is in the guide, and not where.
# 2. The guide is lost: no cups, and the likeness to the coffee falls to 0.2 or less (without a guide 0.07).
# </details>

# %%
def shuffled(layer, axis, seed=0):
    """The coffee's features with their channels (axis 1) or positions (axis 2) in another order."""
    wanted = (features(guides["coffee"], layer) - common(layer)).flatten(2)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(wanted.shape[axis], generator=generator)
    return (1 / float(wanted.norm())) * dk.guide(layer, wanted.index_select(axis, order)[..., None])

slope, same = (dk.gradient(dk.scorer(network, one), sky)
               for one in (towards(guides["coffee"], deep), shuffled(deep, 2)))
print(f"positions shuffled: the gradient changes by {(slope - same).abs().max() / slope.std():.1e} "
      "of its standard deviation")
variants = {"guided by coffee": dreams["coffee"], "no guide": dreams["no guide"],
            "channels shuffled": dreamt(shuffled(LAYERS[0], 1) + shuffled(LAYERS[1], 1))}
for name, values in zip(variants, table(variants, ground).tolist()):
    print(f"{name:20} like the coffee: {values[1]:.2f}")
dk.show.strip(variants, height=2.2, alt="A dream guided by the coffee, one without a guide, and "
              "one by the coffee's features with their channels shuffled")

# %% [markdown]
# ## At which layer?
#
# A shallow layer sees strokes and colours, a deep one parts and things. The coffee as a guide at single layers. (5 to
# 10 seconds.)

# %%
by_layer = {name: dreamt(towards(guides["coffee"], name))
            for name in (dk.layer_at(network, 0.3), *LAYERS)}
by_layer["the last two"] = dreams["coffee"]
for name, values in zip(by_layer, table(by_layer, ground).tolist()):
    print(f"{name:16} like the coffee: {values[1]:.2f}")
dk.show.grid(by_layer, columns=2, height=2.6,
             alt=f"A sky guided by the coffee at {', '.join(by_layer)}")

# %% [markdown]
# In EfficientNet-Lite0 block3b takes stripes from the guide and nothing of a cup. block6a draws round things with
# something in them, and fine strokes around them; block6d one large cup, pale; both together draw the cups of the
# first picture. In likeness about 0.2, 0.3, 0.5 and 0.7. (Without a guide: 0.07.)
#
# ## Your own guide
#
# Each stop is a guide; a stop takes 2 to 4 seconds. Without a panel: `show_guided("brick")`. For a picture of yours
# add `dk.load_image("my.jpg", side=320)` to `library`. A guide should show its things about as large as the network
# was trained to see them: a few hundred pixels.

# %%
library = guides | {name: dk.sample(name, side) for name in ("astronaut", "motorcycle", "brick")}

def show_guided(name):
    if name not in dreams:
        dreams[name] = dreamt(towards(library[name], LAYERS[0]) + towards(library[name], LAYERS[1]))
    return {"guide": library[name], "dream": dreams[name]}, f"guided by {name}"

dk.widgets.slide("guide", list(library), show_guided, start="chelsea")

# %% [markdown]
# ## Open investigation
#
# Nobody has written the answer down for you. *Does a photo resist its guide?* The sky was empty. A photo with things
# of its own may move less, and perhaps least where the network recognises something. Guide such a photo, let the
# judge say how far it moved, and find out where. Start here.

# %%
china = dk.sample("china", 256)
both = towards(guides["coffee"], LAYERS[0]) + towards(guides["coffee"], LAYERS[1])
busy = {"untouched": china, "guided": dreamt(both, china)}
print("like the coffee:", {name: round(values[1], 2)
                           for name, values in zip(busy, table(busy, ground).tolist())})

# %% [markdown]
# ## Recap
#
# - You wrote the guided objective: for each position of the photo the greatest dot product with a position of the
#   guide; its gradient is that position's features.
# - In EfficientNet-Lite0 one sky became blossoms, cups and a furry face (without a guide animals, too). Another network
#   finds each dream most like its own guide: about 0.55, 0.7 and 0.85, without a guide 0.3, 0.1 and 0.65.
# - A likeness means something beside its baseline only: as they are, the untouched sky is like the flower to 0.58.
# - It was the guide's content: with the same numbers and their channels shuffled, at most 0.2 in place of the
#   coffee's 0.7. The order of its positions does not matter.
# - With the coffee as the guide a shallow layer drew stripes, a deep one a cup; two layers together came nearest to it.
#
# ## Read next
#
# - The notebook of google/deepdream, 2015: the objective of this lesson, guided by a picture of flowers at
#   `inception_3b/output`. Subtracting what is common is ours.
# - Lesson 11 lays the published implementations side by side; neither the PyTorch program nor TensorFlow's tutorial
#   has a guide.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 09 · The photo matters: what decides what?
#
# One layer, one recipe, six pictures to start from. Do six pictures give six different dreams? This lesson measures
# three things that are easily mixed up: *what* appears, *where* it appears, and *how strongly*. They have different
# answers.
#
# - **You will do:** find the channels that a dream made stronger; draw a map of where it changed the picture; divide the
#   differences between dreams among layer and photo; dream from plain noise.
# - **You will learn:** what the network decides and what the photo; why two codes that agree to 0.99 may prove
#   nothing; how an analysis of variance splits a difference between two causes.
# - **You need:** lesson 08. A mean, a variance and a correlation are all the statistics there is.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# `dk.scenes` draws a horizon, a forest and leaves from simple shapes and fractal noise: no camera took them, and no
# network was trained on them. The other three are photos. All six go through the network as one batch. (5 to 10
# seconds.)

# %%
import torch
from dataclasses import replace
from torch.nn.functional import avg_pool2d, normalize

size, names = (192, 288), ("china", "chelsea", "flower")
starts = {"horizon": dk.scenes.horizon(*size), "forest": dk.scenes.forest(*size),
          "leaves": dk.scenes.leaves(*size)}
starts |= {name: dk.resize(dk.sample(name, 288), size) for name in names}
photos = torch.cat(list(starts.values()))                                 # [6, 3, 192, 288]

layer = dk.layer_at(network, 0.7)                     # block6a.expand in EfficientNet-Lite0
settings = replace(dk.settings_for(network, layer), octaves=4)
dreams = dk.dream(dk.scorer(network, dk.layer(layer)), photos, settings)

# %%
def rows(*batches, names=tuple(starts), columns=3):
    """{title: picture}: `columns` pictures of each batch, then the next ones."""
    found = {}
    for first in range(0, len(names), columns):
        for title, batch in batches:
            for index in range(first, min(first + columns, len(names))):
                found[f"{names[index]}, {title}"] = batch[index:index + 1]
    return found

dk.show.grid(rows(("start", photos), ("dream", dreams)), columns=3, height=2.1,
             alt=f"{', '.join(starts)}: each above its dream by layer {layer} of {network.name}")

# %% [markdown]
# ## Write before you reveal
# **Write down** what these six dreams have in common, and in what they differ. Then name one measurement for each: what
# would you count, and which result would prove you wrong? Keep the note for the end.

# %%
note = """
All six have …                   I would count …          I would be wrong if …
They differ in …                 I would measure …        I would be wrong if …
"""

# %% [markdown]
# ## What grew?
#
# A layer has hundreds of channels, and each responds to a pattern of its own (lesson 02). Average each channel's map over
# all positions, in the photo and in its dream. The difference says how much more of each pattern the picture holds now,
# wherever it stands.
#
# ### Exercise 09.1 · What grew? · 6 minutes · ★☆☆
# From the features of a picture before and after, `[1, C, h, w]` each, return a list: the indices of the `count` channels
# whose mean over the map grew most, the one that grew most first.
#
# <details><summary>Hint</summary>
#
# `tensor.topk(count).indices.tolist()` gives the positions of the greatest values, the greatest first.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_grown(before, after, count):
#     growth = (after - before).mean((0, 2, 3))
#     return growth.topk(count).indices.tolist()
# ```
# </details>

# %% tags=["exercise"]
def my_grown(before, after, count):
    ...  # your lines


dk.exercises.check("grown", my_grown)

# %% [markdown]
# ### Predict, then reveal
# Take the ten channels that grew most in each dream. For two photos, how many channels will be in both lists of ten?
# If each photo drew its ten by chance, two lists would share 100 / C of them: in EfficientNet-Lite0 (672 channels)
# 0.15. **Write your number** before you run the cell.
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# On average 5 or 6 of ten, from 3 to 8: over thirty times what chance gives. Even a horizon and a dahlia share
# seven or eight. What the six dreams share is the network's.
# </details>

# %%
def means(image, layer=layer, network=network):
    """The mean of each channel over the map: [N, C]."""
    return dk.capture(network, image, layer)[layer].flatten(2).mean(2)

def shared(growth, others, count=10):
    """How many of the `count` most-grown channels each pair of pictures shares: [N, M]."""
    ours, theirs = ([set(one.topk(count).indices.tolist()) for one in table]
                    for table in (growth, others))
    return torch.tensor([[float(len(a & b)) for b in theirs] for a in ours])

def off_diagonal(table):
    return table[~torch.eye(len(table), dtype=torch.bool)]

growth = means(dreams) - means(photos)
table = shared(growth, growth)
channels = growth.shape[1]
print(f"of ten channels two photos share {off_diagonal(table).mean():.1f} on average, "
      f"from {off_diagonal(table).min():.0f} to {off_diagonal(table).max():.0f}; "
      f"by chance {100 / channels:.2f}")
print("\n".join(f"{name:8}" + "".join(f"{value:4.0f}" for value in row)
                for name, row in zip(starts, table.tolist())))

# %% [markdown]
# ### Two controls
# Is this number high or low? It needs a floor and a ceiling. The ceiling: dream the same photo again with another seed.
# The floor: the same network with *random weights*, its own dreams, its own channels. Four photos are enough for
# both. (5 to 15 seconds.)

# %%
again = dk.dream(dk.scorer(network, dk.layer(layer)), photos[:4], replace(settings, seed=1))
untrained = dk.randomized(network)
blind = dk.dream(dk.scorer(untrained, dk.layer(layer)), photos[:4], settings)

# %%
def alike(growth):
    """The correlation of each picture's growth with each other picture's."""
    return off_diagonal(torch.corrcoef(growth))

second = shared(growth[:4], means(again) - means(photos[:4]))
print(f"{'':27}shared of ten | correlation of the changes | of the codes before, after")
for name, net, dreamt in ((network.name, network, dreams[:4]),
                          ("random weights", untrained, blind)):
    after, before = means(dreamt, network=net), means(photos[:4], network=net)
    grew = after - before
    print(f"{name + ', two photos':34}{off_diagonal(shared(grew, grew)).mean():6.1f}"
          f"{alike(grew).mean():29.2f}{alike(before).mean():22.2f}{alike(after).mean():7.2f}")
print(f"{'one photo, two seeds':34}{second.diag().mean():6.1f}")
dk.show.strip({f"{name}, random weights": one[None] for name, one in zip(starts, blind)},
              height=1.7, alt="Four pictures dreamt by random weights: blotches and no animals")

# %% [markdown]
# In EfficientNet-Lite0 one photo dreamt twice shares 8 or 9 of ten channels, two photos 5 or 6. So the photo takes
# part in *what*, but less than the network. Random weights have favourites, too: 1 or 2 shared channels are more
# than chance (0.15). A network that was never trained draws no animals, but it, too, draws some things everywhere.
#
# Look at the last columns. Compare the *codes* of the pictures, without subtracting the photos, and random weights
# find everything alike: 0.99 after the dream, and 0.99 before it. A measure that is full before the experiment begins
# cannot show its result. The *changes* can: 0.8 for the trained network, 0.3 to 0.4 for random weights.

# %% [markdown]
# ## Where did it grow?
#
# Channel means do not say where. The pixels do: subtract the photo from its dream.
#
# ### Exercise 09.2 · Where did it grow? · 7 minutes · ★★☆
# Return a map `[h, w]` of the change between two pictures `[1, 3, H, W]`: cut them into squares of `side` pixels and
# give each square the root mean square of its changes, over its pixels and colours.
#
# <details><summary>Hint</summary>
#
# Square first, then take means, then the root. `torch.nn.functional.avg_pool2d(maps, side)` takes the mean of each
# square.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_change_map(photo, dream, side):
#     squares = (dream - photo).square().mean(1, keepdim=True)
#     return torch.nn.functional.avg_pool2d(squares, side)[0, 0].sqrt()
# ```
# </details>

# %% tags=["exercise"]
def my_change_map(photo, dream, side):
    ...  # your lines


dk.exercises.check("change_map", my_change_map)

# %% [markdown]
# The same for whole batches, and as pictures: dark where little changed, bright where much did. The lowest row is the
# dream with another seed.

# %%
SIDE = 16  # pixels

def squares(values):
    """The mean of maps [N, 1, H, W] in each square: [N, squares]."""
    return avg_pool2d(values, SIDE).flatten(1)

def change(before, after):
    return squares((after - before).square().mean(1, keepdim=True)).sqrt()

where, elsewhere = change(photos, dreams), change(photos[:4], again)
grid = size[0] // SIDE, size[1] // SIDE
drawn = [torch.cat([dk.show.heat(one.view(grid), size, low=0, high=float(where.max()))
                    for one in maps]) for maps in (where, elsewhere)]
dk.show.grid(rows(("dream", dreams), ("its change", drawn[0]), ("seed 1", drawn[1]),
                  names=tuple(starts)[:4], columns=4), columns=4, height=1.7,
             alt=f"{', '.join(list(starts)[:4])}: the dream, where it changed the photo, and where with another seed")

# %% [markdown]
# ### Predict, then reveal
# What in the photo says where the dream will change it most? Rank these guesses: (1) dark parts; (2) parts of high
# contrast; (3) parts where the layer responds strongly *before* the first step; (4) nothing, the positions come from
# the seed.
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# None of the first three guesses holds: all correlate with the map of change by about 0.1 or less on average. (Look
# at single pictures and you will find a reason each time: dark parts of the flower, bright parts of the horizon.) And
# yet the photo decides: with another seed the map of change is alike to 0.3 or 0.4, and that of *another photo* not
# at all (0.0). What in the photo decides is open. Random weights change other parts.
# </details>

# %%
grey = photos.mean(1, keepdim=True)
contrast = (squares(grey.square()) - squares(grey).square()).clamp(min=0).sqrt()

def response(net):
    """How strongly the layer responds in each square of the photos."""
    maps = dk.capture(net, photos, layer)[layer].square().mean(1, keepdim=True)
    return dk.resize(maps, grid, "bilinear").flatten(1)

guesses = {"darkness": -squares(grey), "contrast": contrast, "the layer's response": response(network),
           "the response of random weights": response(untrained),
           "the change by random weights": change(photos[:4], blind)}
print(f"{'correlation of the map of change with':42}own photo | other photos")
guesses["the change with another seed"] = elsewhere
for name, maps in guesses.items():
    few = len(maps)                                                       # six, or four
    table = torch.corrcoef(torch.cat([where[:few], maps]))[:few, few:]
    print(f"{name:42}{table.diag().mean():9.2f} | {off_diagonal(table).mean():9.2f}")

# %% [markdown]
# ### And how strongly?
# Two numbers for each picture: the root mean square of the change, and the score (the mean square of the layer's
# features), before and after.

# %%
score = dk.scorer(network, dk.layer(layer))
for name, before, after in zip(starts, photos, dreams):
    levels = 255 * (after - before).square().mean().sqrt()
    print(f"{name:8} changed by {levels:3.0f} grey levels; score {float(score(before[None])):.2f} → "
          f"{float(score(after[None])):.2f}")

# %% [markdown]
# In EfficientNet-Lite0 the six scores differ by a factor of two before the dream; after it they lie within about a
# fifth of each other. All six pictures changed by 22 to 28 grey levels, because each step is normalised to the same
# length (lesson 04), whatever the photo. *How strongly* hardly depends on the photo.

# %% [markdown]
# ## Who decides? An analysis of variance
#
# Now both causes at once. Let three layers of the network dream of each of the six photos: 18 dreams, 18 lists of
# changes. How much of the differences between these lists goes with the *layer*, how much with the *photo*? Subtract
# the mean of all lists; what remains has a sum of squares, the total. Replace each list by its layer's mean: the sum
# of squares of that, over the total, is the layer's share. The same with the photo's mean. What is left belongs to
# the pair of both, and to chance.
#
# ### Exercise 09.3 · Who decides? · 12 minutes · ★★★
# `changes` is `[dreamers, photos, values]`. Return two numbers: the share of the dreamers and the share of the photos.
#
# <details><summary>Hint</summary>
#
# `rest = changes - changes.mean((0, 1))`. A dreamer's mean is `rest.mean(1)`; it stands in place of how many lists?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_shares(changes):
#     rest = changes - changes.mean((0, 1))
#     total = rest.square().sum()
#     dreamer = rest.mean(1).square().sum() * changes.shape[1] / total
#     photo = rest.mean(0).square().sum() * changes.shape[0] / total
#     return float(dreamer), float(photo)
# ```
# </details>

# %% tags=["exercise"]
def my_shares(changes):
    ...  # your lines


dk.exercises.check("shares", my_shares)

# %% [markdown]
# Each layer would see its own channels only, so a judge measures that took no part: another network. What its
# features `[C, h, w]` gained from photo to dream (losses count 0: the question is what *appears*) is averaged in two
# ways. Over the positions it says *what*, a list of C numbers; over the channels it says *where*, a list of h·w
# numbers. Each list is centred and scaled to length 1, so that *how strongly* does not count. (5 to 15 seconds.)

# %%
depths = {dk.layer_at(network, depth): None for depth in (0.3, 0.5)}
for name in depths:
    depths[name] = dk.dream(dk.scorer(network, dk.layer(name)), photos,
                            replace(dk.settings_for(network, name), octaves=4))
depths[layer] = dreams
dk.show.grid(rows(*depths.items(), names=tuple(starts)[:3]), columns=3, height=2.1,
             alt=f"Three photos (columns), dreamt by {', '.join(depths)} (rows)")

# %%
other = "efficientnet_lite1" if "efficientnet_lite1" in dk.cached_networks() else "dreamnet"
judge = dk.load_network(other)
spot = dk.layer_at(judge, 0.7)

def seen(image):
    """What the judge's features of the photos gained: what [N, C] and where [N, h·w]."""
    after, before = (dk.capture(judge, x, spot)[spot] for x in (image, photos))
    gained = (after - before).clamp(min=0)                                # [N, C, h, w]
    lists = {"what": gained.mean((2, 3)), "where": gained.mean(1).flatten(1)}
    return {name: normalize(one - one.mean(1, keepdim=True))
            for name, one in lists.items()}

def shares(changes):
    rest = changes - changes.mean((0, 1))
    parts = [rest.mean(1 - axis).square().sum() * changes.shape[1 - axis] for axis in (0, 1)]
    return [float(part / rest.square().sum()) for part in parts]

# %%
generator = torch.Generator().manual_seed(0)

def by_luck(changes, axis, count=100):
    """The shares of layers (axis 0) or photos (1) if their labels are shuffled in each row."""
    order = torch.rand(count, *changes.shape[:2], generator=generator).argsort(axis + 1)
    rows = torch.arange(changes.shape[1 - axis])
    pick = ((lambda o: changes[o, rows]) if axis == 0 else (lambda o: changes[rows[:, None], o]))
    return torch.tensor([shares(pick(one))[axis] for one in order])

gains = [seen(dreamt) for dreamt in depths.values()]
for name in ("what", "where"):
    changes = torch.stack([gain[name] for gain in gains])                 # [layers, photos, values]
    for axis, who in enumerate(("layer", "photo")):
        luck = by_luck(changes, axis)
        print(f"{name:6} goes with the {who}: {shares(changes)[axis]:4.0%}   "
              f"(labels shuffled: {luck.mean():.0%}, at most {luck.max():.0%})")

# %% [markdown]
# In EfficientNet-Lite0 the result is crossed. *What* appears goes with the layer (53 %) much more than with the photo
# (25 %), though the photo's share, too, is above all that shuffled labels reach. *Where* it appears goes with the
# photo (40 %, just above the highest of 100 shuffles), and with the layer no more than shuffled labels do (10 %). The
# rest, a quarter of *what* and half of *where*, belongs to the pair of both, and to chance.

# %% [markdown]
# ## Starting from nothing
#
# Noise is the photo that says nothing. Four seeds, four sheets of noise. What will be the same in all four dreams: what,
# where, both? (5 to 10 seconds.)

# %%
sheets = torch.cat([dk.noise(*size, seed=seed, contrast=0.2) for seed in range(4)])
visions = dk.dream(dk.scorer(network, dk.layer(layer)), sheets, settings)
dk.show.grid({f"from noise, seed {seed}": one[None] for seed, one in enumerate(visions)}, columns=2,
             height=3.2, alt=f"Dreams of layer {layer} that started from four sheets of noise")

# %%
grew = means(visions) - means(sheets)
maps = torch.corrcoef(change(sheets, visions))
print(f"what: of ten channels two noises share {off_diagonal(shared(grew, grew)).mean():.1f}, "
      f"a noise and a photo {shared(grew, growth).mean():.1f}, two photos "
      f"{off_diagonal(shared(growth, growth)).mean():.1f}")
print(f"where: the maps of change of two noises correlate {off_diagonal(maps).mean():.2f}")

# %% [markdown]
# In EfficientNet-Lite0 four sheets of noise share about 9 of ten channels, as many as one photo with two seeds,
# and the maps of change hardly agree (0.1 to 0.2). From noise you see the network, and chance decides where.
#
# ## How much photo does it take?
#
# Between noise and photo lies a slider: each stop starts from that share of the photo, and noise for the rest. From
# which share on does the dream grow *where* the photo's own dream grows? Without a panel: `from_share(0.5)`. (A stop
# takes 2 to 4 seconds.)

# %%
chosen = "chelsea"  # or any other name in starts

def from_share(share):
    start = share * starts[chosen] + (1 - share) * sheets[:1]
    dreamt = dk.dream(dk.scorer(network, dk.layer(layer)), start, settings)
    own = where[list(starts).index(chosen)][None]
    place = torch.corrcoef(torch.cat([change(start, dreamt), own]))[0, 1]
    return ({"start": start, "dream": dreamt},
            f"its map of change and that of the photo's dream correlate {place:.2f}")

dk.widgets.slide("share of the photo", [0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0], from_share, start=0.3)

# %% [markdown]
# ### Your note
# Go back to it. Which of your two measurements did this lesson make, and which of your claims did it prove wrong?
#
# ## Open investigation
#
# Nobody has written the answer down for you. *What in a photo makes it decide more?* A photo's own share of *what*
# may depend on its colours, its shapes, or on how much the layer recognises in it. Take the colours away, blur the
# photo, or turn it upside down, and measure how many of the ten most-grown channels survive. Start here.

# %%
altered = {"as it is": photos, "grey": grey.expand(-1, 3, -1, -1).contiguous(),
           "upside down": photos.flip(2)}
some = altered["grey"][3:4]                                               # the pavilion
dreamt = dk.dream(dk.scorer(network, dk.layer(layer)), some, settings)
print(f"of ten channels the grey photo shares "
      f"{float(shared(means(dreamt) - means(some), growth[3:4])):.0f} with the coloured one")

# %% [markdown]
# ## Recap
#
# In EfficientNet-Lite0, at one layer and for six pictures:
#
# - *What* grows is mostly the network's: of the ten channels that grew most, two photos share 5 or 6 on average
#   (chance 0.15, the same photo with another seed about 9, random weights 1 or 2). Four sheets of noise share about
#   9.
# - *Where* it grows is partly the photo's: the map of change is alike for two seeds (0.3 to 0.4), and not for two photos
#   (0.0). On average neither darkness nor contrast nor the layer's own response predicts it.
# - *How strongly* hardly depends on the photo: six scores that differed by a factor of two end within about a fifth
#   of each other, since the recipe gives each step the same length.
# - An analysis of variance over three layers and six photos, judged by another network: *what* goes with the layer to
#   53 % and with the photo to 25 %, *where* to about 10 % and 40 %; shuffled labels give the layer 13 and 10 %, the
#   photo 16 and 30 % (at most about 20 and 39 %, so the photo's share of *where* is just above chance).
# - That codes agree to 0.92 after a dream proves little: to random weights the photos are alike to 0.99 before any dream.
#
# ## Read next
#
# - A. Mordvintsev, C. Olah, M. Tyka,
#   [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks/), 2015. As others
#   quote it, it shows a horizon, trees and leaves, each with what became of it; we know of no source that names the
#   layer.
# - R. A. Fisher, *Statistical Methods for Research Workers*, 1925: the analysis of variance.
# - Lesson 10: another picture, the guide, takes part in deciding *what*.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 09 · The photo matters
#
# The same layer, the same settings, the same seed: and yet a hillside, a forest and a heap of leaves dream of different
# things. In this lesson nothing changes but the picture you start from, and you measure how much of the dream that decides.
#
# - **You will do:** dream on six starting pictures, three of them drawn for this lesson, one of them plain noise; then put
#   a number on how alike the results are.
# - **You will learn:** why what appears depends on the photo; how a layer sums up a picture in one list of numbers; and which
#   comparisons a claim like "the photo decides" needs before you may believe it.
# - **You need:** lesson 08 (the whole algorithm). A correlation is all the statistics there is.
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# ## Six places to start from
#
# `dk.scenes` draws a horizon, a forest and leaves from simple shapes and fractal noise. No camera took them, and no
# network was trained on them. Beside them stand two photos and a sheet of weak noise. All are of one size, so that they go
# through the network as one batch.

# %%
import torch

size = (128, 192)
starts = {"horizon": dk.scenes.horizon(*size), "forest": dk.scenes.forest(*size), "leaves": dk.scenes.leaves(*size),
          "china": dk.sample("china", 192), "chelsea": dk.sample("chelsea", 192), "noise": dk.noise(*size, contrast=0.2)}
photos = torch.cat(list(starts.values()))                                     # [6, 3, 128, 192]

# %% [markdown]
# Here is where this lesson ends: one deep layer, one recipe, six pictures. The next cell is the longest of the lesson (five
# to fifteen seconds).

# %%
deep = dk.layer_at(network, 0.8)
recipe = dk.Settings(steps=8, octaves=3)
dreams = dk.dream(dk.scorer(network, dk.layer(deep)), photos, recipe)
rows = [(name, photo[None], dreamt[None]) for name, photo, dreamt in zip(starts, photos, dreams, strict=True)]
shown = {}
for three in (rows[:3], rows[3:]):
    shown |= {name: photo for name, photo, _ in three} | {f"{name}, dreamt": dreamt for name, _, dreamt in three}
dk.show.grid(shown, columns=3, height=1.7, alt=f"{', '.join(starts)}: each above its dream by layer {deep} of {network.name}")

# %% [markdown]
# Go from picture to picture before you read on. What grew on the ridge of the hills? Between the trunks? On the leaves? What
# became of the cat's eyes? And compare the noise.
#
# Each cell of a feature map can only strengthen what it already finds a little of. The gradient of the squared features
# is twice the features themselves: *what is there gets more, what is not there gets nothing*. A row of verticals
# may become posts or legs, a round dark spot an eye. The noise gives no such hints, and in these few steps
# almost nothing grows on it; *Starting from nothing*, below, gives it more.
#
# The 2015 post, as others quote it, makes the same point with three photos: towers grew on a horizon, buildings from trees,
# birds and insects on leaves. Which network and layer drew those was never published.
#
# ## Ask the network
#
# One way of not fooling yourself is to ask somebody else. Here are the network's first guesses before and after.

# %%
for name, photo, dreamt in rows:
    before, after = dk.classify(network, photo, top=1)[0], dk.classify(network, dreamt, top=2)
    print(f"{name:8} {before[1]:4.0%} {before[0]:24} → {', '.join(f'{p:.0%} {label}' for label, p in after)}")

# %% [markdown]
# Take the labels with a pinch of salt: the network has to say *something*, and scenes without an object
# get wild guesses before and after. What you want is a measure that does not depend on names.
#
# ## A picture in one list of numbers
#
# Take a layer's features and average each map over all its places. What is left is one number a channel: *how much of
# each pattern is anywhere in the picture*. Call it the picture's **code**. Two pictures are alike, for this layer, as far
# as their codes rise and fall together: the correlation of the two lists.

# %%
def code(image, layer, network=network):
    return dk.capture(network, image, layer)[layer].flatten(2).mean(2)        # [N, C]


def likeness(codes, others):
    table = torch.corrcoef(torch.cat([codes, others]))                        # every row with every row
    return table[:len(codes), len(codes):]


alike_before = likeness(code(photos, deep), code(photos, deep))
print(f"leaves and forest before the dream: {alike_before[2, 1]:.2f}; leaves and china: {alike_before[2, 3]:.2f}")

# %% [markdown]
# ### Exercise 09.1 · How alike? · 7 minutes · ★★☆
#
# `torch.corrcoef` did the work above. Do it by hand: `my_likeness(a, b)` takes the features of two pictures, `[1, C, h, w]`
# each (the maps may differ in size), and gives one number: average each map, take the list's own mean away, and divide
# the inner product of the two lists by both their lengths.
#
# <details><summary>Hint</summary>
#
# `a.mean((0, 2, 3))` leaves `[C]`. The length of a vector is `v.norm()`, the inner product `v @ w`.
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
# ## Predict, then reveal
#
# All six pictures were pushed towards the same goal, by the same layer. So:
#
# 1. Does dreaming make their codes *more* alike, or *less*?
# 2. Dream on the same picture twice, with another seed for the jitter. How alike are the two dreams: about as alike as
#    dreams of two different pictures, or much more?
#
# <details><summary>What happens, and why</summary>
#
# 1. That depends on the network. The common goal pulls all of them some way towards the same favourite channels; each
#    photo pulls its own way. When this was written, DreamNet's dreams came out a little more alike than the photos were,
#    SqueezeNet's far more, those of the robust DreamNet a little less. Look at DreamNet's table row by row: the five pictures of something come
#    clearly closer to one another, while the noise moves away from all of them.
# 2. Much more, for all three. The seed shifts the pictures about, so that other pixels come out, and yet nearly the same
#    channels grow. Compare the numbers that the next two cells print, and believe those rather than this paragraph.
# </details>

# %%
from matplotlib.figure import Figure


def matrices(tables, rows, columns, alt):
    figure = Figure(figsize=(4.3 * len(tables), 3.9), dpi=100, layout="constrained")
    axes = figure.subplots(1, len(tables), squeeze=False)[0]
    for axis, (title, table) in zip(axes, tables.items(), strict=True):
        axis.imshow(table, vmin=0, vmax=1, cmap="viridis")
        axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
        axis.set_yticks(range(len(rows)), rows)
        axis.set_title(title)
        for (y, x), value in zip(torch.cartesian_prod(*map(torch.arange, table.shape)).tolist(), table.flatten().tolist(), strict=True):
            axis.text(x, y, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.6 else "white", fontsize=8)
    return dk.show.chart(figure, alt)


def others(table):
    return table[~torch.eye(len(table), dtype=torch.bool)].mean().item()      # the mean off the diagonal


alike_after = likeness(code(dreams, deep), code(dreams, deep))
for share, some in (("all six", slice(6)), ("without the noise", slice(5))):
    print(f"{share:18} alike to {others(alike_before[some, some]):.2f} before the dream, {others(alike_after[some, some]):.2f} after (off the diagonal)")
matrices({f"codes at {deep} before": alike_before, "after the dream": alike_after}, list(starts), list(starts),
         f"How alike six pictures are for {deep}: {others(alike_before):.2f} on average before dreaming, {others(alike_after):.2f} after")

# %% [markdown]
# The first question is answered by the printed means, with the noise and without; the second needs the same pictures dreamt once more
# with another seed. That second dream is a **baseline**: it says how alike two dreams can be at best, when the picture is
# the same and only chance differs. (About five seconds.)

# %%
again = dk.dream(dk.scorer(network, dk.layer(deep)), photos[:3], dk.Settings(steps=8, octaves=3, seed=1))
twice = likeness(code(dreams[:3], deep), code(again, deep))
print(f"two of the three scenes, before:       {others(alike_before[:3, :3]):.2f}")
print(f"two of the three scenes, dreamt:       {others(alike_after[:3, :3]):.2f}")
print(f"each of the three scenes, dreamt twice: {twice.diag().mean():.2f}")
dk.show.grid({**{f"{n}, seed 0": d[None] for n, d in zip(starts, dreams[:3], strict=False)},
              **{f"{n}, seed 1": d[None] for n, d in zip(starts, again, strict=False)}},
             columns=3, height=1.6, alt=f"Three scenes dreamt with seed 0 and with seed 1: alike to {twice.diag().mean():.2f}")

# %% [markdown]
# Chance changes details; what grows, and often even where, comes again. So the picture decides. That is the claim of this
# lesson, and the gap between the last two printed numbers is the evidence for it. Two doubts remain.
#
# ## Doubt one: would any network show this?
#
# Perhaps the measure is to blame, and dreams of one picture are always alike simply because the picture is still in there.
# So repeat it with the same architecture and random weights. (About five seconds.)

# %%
untrained = dk.randomized(network)
blind = dk.dream(dk.scorer(untrained, dk.layer(deep)), photos[:3], recipe)
codes = [code(x, deep, untrained) for x in (photos[:3], blind)]
for name, net_codes in (("untrained", codes), (network.name, [code(x, deep) for x in (photos[:3], dreams[:3])])):
    photo_table, dream_table = (likeness(c, c) for c in net_codes)
    print(f"{name:12} three scenes alike: {others(photo_table):.2f} before, {others(dream_table):.2f} after the dream")
dk.show.strip({f"{n}, untrained": d[None] for n, d in zip(starts, blind, strict=False)}, height=1.6,
              alt="Three scenes dreamt by a network with random weights: specks of colour, and no creature anywhere")

# %% [markdown]
# To the untrained network all pictures are nearly the same picture: its codes hardly tell a forest from a hillside, before
# or after, and its dream adds specks. "The photo decides" is something that *training* brought about: only a network that
# tells pictures apart can let them decide.
#
# ## Doubt two: is it one layer's whim?
#
# The same measure at a shallow layer. Before you run it: is a layer that sees small patterns more or less choosy about the
# photo than one that sees objects? (About five seconds.)

# %%
shallow = dk.layer_at(network, 0.3)
strokes = dk.dream(dk.scorer(network, dk.layer(shallow)), photos, recipe)
table = {shallow: likeness(code(strokes, shallow), code(photos, shallow)), deep: likeness(code(dreams, deep), code(photos, deep))}
for layer, own in table.items():
    print(f"{layer:12} a dream and its own photo: {own.diag().mean():.2f}; a dream and another photo: {others(own):.2f}")
matrices(table, [f"{n}, dreamt" for n in starts], list(starts), f"Dreams (rows) against the photos (columns), at {shallow} and at {deep}")

# %%
dk.show.grid({f"{n}, dreamt by {shallow}": d[None] for n, d in zip(starts, strokes, strict=True)}, columns=3, height=1.6,
             alt=f"Six pictures dreamt by the shallow layer {shallow}: every outline kept, coloured over and dotted with bright spots; the noise hardly changed")

# %% [markdown]
# At both layers a dream is, on average, more like its own photo than like another one: compare the two numbers in each
# printed line. The distance from photo to dream differs. The shallow layer leaves a picture what it was and only colours
# and dots it over; a deep layer turns it into something else, and yet into something of its own.

# %% [markdown]
# ### Exercise 09.2 · Does a dream remember its photo? · 6 minutes · ★★☆
#
# An average can hide a lot. Write `my_own_share(table)`: of all dreams (rows), for what share is the most like photo
# (column) its own? Then try it on `table[shallow]` and on `table[deep]`. With six pictures, guessing gives 1/6.
#
# <details><summary>Hint</summary>
#
# Row `i` is the dream of photo `i`. `argmax(1)` goes along the columns of each row.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_own_share(table):
#     return (table.argmax(1) == torch.arange(len(table))).float().mean().item()
# ```
# </details>

# %% tags=["exercise"]
def my_own_share(table):
    ...  # your lines


dk.exercises.check("own_share", my_own_share)

# %% [markdown]
# ## Starting from nothing
#
# Noise is the picture that says nothing. What the network draws then is its own taste: three different noises, one taste?
# (About five seconds.)

# %%
noises = torch.cat([dk.noise(*size, seed=seed, contrast=0.1) for seed in (0, 1, 2)])
tastes = dk.dream(dk.scorer(network, dk.layer(deep)), noises, dk.Settings(steps=12, octaves=3, octave_ratio=1.6))
alike = likeness(code(tastes, deep), code(tastes, deep))
print(f"dreams from three noises: alike to {others(alike):.2f}; dreams of five pictures: {others(alike_after[:5, :5]):.2f}")
dk.show.strip({f"from noise {seed}": dreamt[None] for seed, dreamt in enumerate(tastes)}, height=1.6,
              alt=f"Three dreams of layer {deep} that started from three different noises")

# %% [markdown]
# Compare the two numbers (the noises had more steps and a larger ratio): another noise is no other picture. From noise you see the network, from a photo you see the
# network *and* the photo. (Dreams out of noise: lesson 13. Feeding a dream to itself: lesson 12.)
#
# ## How much photo does it take?
#
# Between noise and photo lies a slider. At each stop the start is that share of the photo and noise for the rest; the text
# says how like the photo's own dream the result is. From which share on does the photo decide? The same without a panel:
# `from_share(0.5)`. (A stop takes a second or two on an idle laptop.)

# %%
chosen = "leaves"  # or any other name in starts


def from_share(share):
    start = share * starts[chosen] + (1 - share) * dk.noise(*size, contrast=0.2)
    dreamt = dk.dream(dk.scorer(network, dk.layer(deep)), start, recipe)
    own = likeness(code(dreamt, deep), code(dreams, deep)[list(starts).index(chosen)][None])
    return {"start": start, "dream": dreamt}, f"as like the dream of {chosen} as {own.item():.2f}"


dk.widgets.slide("share of the photo", [0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0], from_share, start=0.3)

# %% [markdown]
# ### Exercise 09.3 · What grew? · 6 minutes · ★☆☆
#
# Which channels did the dream feed? Write `my_grown(before, after, count)`: from the features of a picture before and after,
# `[1, C, h, w]` each, the numbers of the `count` channels whose mean over the map grew most, the one that grew most first.
# Then compare: how many of the ten that grew most in the forest did also grow most in the leaves?
#
# <details><summary>Hint</summary>
#
# `tensor.topk(count).indices.tolist()` gives the greatest entries' places, the greatest first.
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
# ## Recap
#
# - You dreamt on six pictures with one layer and one recipe, and got six different dreams.
# - What appears depends on the photo because a cell can only strengthen what it already finds a little of.
# - A picture's code, one mean a channel, lets you measure likeness: two dreams of one picture were far more alike than
#   dreams of two pictures.
# - The claim needed its baselines: the same picture with another seed (how alike can it get?), an untrained network (does
#   training matter?), another layer (is it a whim?), noise (what does the network draw by itself?).
#
# ## Read next
#
# - Mordvintsev, Olah & Tyka, *Inceptionism: Going Deeper into Neural Networks*, Google Research blog, 2015: the three
#   photos (horizon, trees, leaves) and what became of them.
# - The notebook of google/deepdream, 2015: its objective is half the sum of squares, so the gradient at the layer *is* the
#   features.
# - Lesson 10 turns the idea round: another picture, the guide, decides what appears.

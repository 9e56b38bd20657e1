# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 10 · Guided dreams
#
# So far the network dreamt of whatever the photo brought to its mind. Now a second picture, the **guide**, says what to
# dream of: every place of your photo looks for the place in the guide that it resembles most, and grows towards it.
#
# - **You will do:** write the guided objective in five lines; dream one photo towards a flower, a cup of coffee and a
#   motorcycle; draw which part of the guide each place is pulled to; and spoil the guide on purpose.
# - **You will learn:** how an objective can be built from another picture's features; what matches what; which layer to
#   guide at; and how to tell a guide's influence from any dream whatsoever.
# - **You need:** lessons 08 and 09 (the code of a picture, and how alike two codes are).
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %%
import torch

photo = dk.sample("china", 192)                                               # [1, 3, 128, 192]
guides = {name: dk.sample(name, 192) for name in ("flower", "coffee")} | {"motorcycle": dk.resize(dk.sample("motorcycle", 192), (128, 192))}
deep = dk.layer_at(network, 0.8)
recipe = dk.Settings(steps=10, octaves=3)

# %% [markdown]
# Here is where we are going: one photo, dreamt without a guide and with three. Nothing else differs. (Five to ten seconds.)

# %%
def guided(guide, layer=deep, network=network):
    wanted = dk.guide(layer, dk.capture(network, guide, layer))
    return dk.dream(dk.scorer(network, wanted), photo, recipe)


free = dk.dream(dk.scorer(network, dk.layer(deep)), photo, recipe)
dreams = {name: guided(guide) for name, guide in guides.items()}
dk.show.grid({"the photo": photo, **guides, "dreamt freely": free, **{f"guided by {name}": d for name, d in dreams.items()}}, columns=4,
             height=1.5, alt=f"A pagoda, dreamt by layer {deep} of {network.name}: freely, and guided by {', '.join(guides)}")

# %% [markdown]
# Look for petals, for rims of cups, for wheels. None of it was pasted: the guide's pixels are never used, only its features.
#
# ## Guiding, in five lines
#
# Take the features of photo and guide at one layer, and think of them as two lists of **cells**, each cell a column of `C`
# numbers. For each cell `x` of the photo look through all cells `y` of the guide for the greatest inner product `x·y`. That
# cell is its match, and the sum of all these products is what you make greater. Since the match itself is held
# fixed, the gradient at the cell `x` is simply its `y`: *become more like your match*.

# %%
def my_guide(features, guide):
    cells, columns = features[0].flatten(1), guide[0].flatten(1)              # [C, cells] and [C, guide cells]
    products = cells.T @ columns                                              # [cells, guide cells]
    return products.max(dim=1).values.sum()


wish = dk.capture(network, guides["flower"], deep)[deep]
mine = dk.Objective((deep,), lambda features: my_guide(features[deep], wish), "my guide")
difference = dk.gradient(dk.scorer(network, mine), photo) - dk.gradient(dk.scorer(network, dk.guide(deep, wish)), photo)
print(f"greatest difference from the gradient of dk.guide: {difference.abs().max():.1e}")

# %% [markdown]
# Yours and the package's agree (to rounding). `dk.guide` finds the same matches in pieces, so that large pictures fit
# into memory, and takes batches. This is the objective that the notebook of google/deepdream gave away in 2015, at its
# layer `inception_3b/output`.

# %% [markdown]
# ### Exercise 10.1 · Which cell of the guide? · 8 minutes · ★★☆
#
# `my_guide` adds the products up and forgets *who* matched *whom*. Write `my_match(photo, guide)`: for the features
# `[1, C, h, w]` of both, the number of the matching guide cell for each cell of the photo, a tensor of `h·w` whole numbers
# (cells are counted row by row).
#
# <details><summary>Hint</summary>
#
# The first two lines of `my_guide`, and `argmax` in place of `max`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_match(photo, guide):
#     cells, columns = photo[0].flatten(1), guide[0].flatten(1)
#     return (cells.T @ columns).argmax(1)
# ```
# </details>

# %% tags=["exercise"]
def my_match(photo, guide):
    ...  # your lines


dk.exercises.check("match", my_match)

# %% [markdown]
# ## What matches what
#
# Six cells of the photo, and the cell of the guide that each is pulled to, before the first step, at a layer half-way up.
# What do the sky (1) and the lake (6) find? The roofs (4)? The foliage (5)? A number marks a cell's own place; what
# the cell *sees* is larger, which is why a match can surprise. Try another guide, and a deeper layer.

# %%
from matplotlib.figure import Figure


def matching(image, guide, layer):
    ours, theirs = (dk.capture(network, x, layer)[layer][0] for x in (image, guide))
    return (ours.flatten(1).T @ theirs.flatten(1)).argmax(1), ours.shape[1:], theirs.shape[1:]


def mark(axis, image, shape, cells):
    axis.imshow(image[0].permute(1, 2, 0))
    axis.axis("off")
    height, width = (pixels / count for pixels, count in zip(image.shape[-2:], shape, strict=True))
    for cell in set(cells):
        numbers = [number for number, other in enumerate(cells, 1) if other == cell]
        y, x = (cell // shape[1] + 0.5) * height, (cell % shape[1] + 0.5) * width
        box = {"boxstyle": "square,pad=0.3", "facecolor": f"C{numbers[0] - 1}", "edgecolor": "white"}
        axis.text(x, y, " ".join(map(str, numbers)), color="white", ha="center", va="center", bbox=box, fontsize=9)


def draw_matches(name, places, layer):
    match, (h, w), other = matching(photo, guides[name], layer)
    cells = [int(down * h) * w + int(across * w) for down, across in places]
    figure = Figure(figsize=(8.6, 3.0), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    mark(left, photo, (h, w), cells)
    mark(right, guides[name], other, [int(match[cell]) for cell in cells])
    return dk.show.chart(figure, f"{len(places)} numbered cells of the photo, and the cells of the {name} that match them at {layer}")


draw_matches("motorcycle", [(0.1, 0.9), (0.2, 0.35), (0.5, 0.1), (0.62, 0.4), (0.9, 0.75), (0.45, 0.72)], dk.layer_at(network, 0.6))

# %% [markdown]
# Six cells are few. Here are all: each cell of the photo gives way to the piece of the guide that it is pulled to. At a
# deep layer the tiles are large; the shallower the layer, the smaller the tiles. Run it for another guide, too.

# %%
def mosaic(guide, layer):
    match, (h, w), (gh, gw) = matching(photo, guide, layer)
    side = 192 // w                                                           # of a tile, in pixels
    tiles = torch.nn.functional.unfold(dk.resize(guide, (gh * side, gw * side)), side, stride=side)     # [1, 3·side², guide cells]
    return torch.nn.functional.fold(tiles[:, :, match], (h * side, w * side), side, stride=side)


layers = [dk.layer_at(network, depth) for depth in (0.35, 0.6, 0.8)]
dk.show.grid({"the photo": photo} | {f"in pieces, by {layer}": dk.resize(mosaic(guides["flower"], layer), (128, 192)) for layer in layers},
             columns=4, height=1.5, alt=f"The photo put together from pieces of the flower that match it at {', '.join(layers)}")

# %% [markdown]
# At the deepest layer the same few pieces come again and again, even for the sky. An inner product grows with the *length* of
# both columns, so a cell of the guide with large features becomes the best match of many. At the two shallower layers flat
# still finds flat: sky and lake are put together from the guide's plain background.

# %% [markdown]
# ### Exercise 10.2 · How much of the guide is used? · 5 minutes · ★☆☆
#
# Write `my_used(choice, count)`: `choice` is the first thing that `matching` gives, the number of the chosen guide cell for
# each cell of the photo; `count` is how many cells the guide has. What share of the guide's cells was chosen at least once?
#
# <details><summary>Hint</summary>
#
# `choice.unique()` holds each number once.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_used(choice, count):
#     return len(choice.unique()) / count
# ```
# </details>

# %% tags=["exercise"]
def my_used(choice, count):
    ...  # your lines


dk.exercises.check("used", my_used)

# %% [markdown]
# ## Whose dream is it? A number
#
# You see petals in the dream guided by the flower. Or do you see them because you know? Take the codes of lesson 09 (one
# mean a channel) and ask: is each dream more like its own guide than like the other two? Two rows are **baselines**: the
# photo as it was, and the dream without a guide.

# %%
def code(image, layer):
    return dk.capture(network, image, layer)[layer].flatten(2).mean(2)


def likeness(dreams, guides, layer):
    codes = torch.cat([code(image, layer) for image in (*dreams, *guides)])
    return torch.corrcoef(codes)[:len(dreams), len(dreams):]


def matrix(rows, layer):
    table = likeness(rows.values(), guides.values(), layer)
    figure = Figure(figsize=(5.6, 0.9 + 0.45 * len(rows)), dpi=100, layout="constrained")
    axis = figure.subplots()
    axis.imshow(table, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axis.set_xticks(range(len(guides)), guides)
    axis.set_yticks(range(len(rows)), rows)
    for y, x in torch.cartesian_prod(*map(torch.arange, table.shape)).tolist():
        axis.text(x, y, f"{table[y, x]:.2f}", ha="center", va="center", color="black" if table[y, x] > 0.6 else "white")
    return dk.show.chart(figure, f"How alike dreams and the guides {', '.join(guides)} are at {layer}: "
                         + "; ".join(f"{row} {[round(v, 2) for v in values]}" for row, values in zip(rows, table.tolist(), strict=True)))


matrix({"the photo": photo, "dreamt freely": free} | {f"guided by {name}": dreamt for name, dreamt in dreams.items()}, deep)

# %% [markdown]
# Read it column by column: the guide's own dream should hold the greatest number of its column, greater than the photo's and
# than that of the dream without a guide.
#
# ## Predict, then reveal
#
# Spoil the guide in two ways, and dream again (about five seconds).
#
# 1. Cut the guide's feature map into its cells and shuffle the *cells*. What becomes of the dream?
# 2. Shuffle the *channels*, with one new order for the whole map. All the guide's numbers are still there; only their
#    meaning is lost. What becomes of the dream?
#
# <details><summary>What happens, and why</summary>
#
# 1. Nothing. Every cell of the photo looks through *all* cells of the guide, so their order cannot matter. A guided dream
#    knows what is in the guide, and never where.
# 2. The guide is lost. There is still a dream, towards columns that no real picture has, and it is less like the
#    guide. This is the baseline which shows that it was the guide's *content* that counted.
# </details>

# %%
def guided_by_features(features, layer=deep):
    return dk.dream(dk.scorer(network, dk.guide(layer, features)), photo, recipe)


generator = torch.Generator().manual_seed(0)
cells, channels = wish.flatten(2), wish.shape[1]
moved = cells[:, :, torch.randperm(cells.shape[2], generator=generator)].reshape(wish.shape)
spoilt = wish[:, torch.randperm(channels, generator=generator)]
variants = {"guided by flower": dreams["flower"], "its cells shuffled": guided_by_features(moved),
            "its channels shuffled": guided_by_features(spoilt)}
own = likeness(variants.values(), guides.values(), deep)[:, 0].tolist()
for name, value in zip(variants, own, strict=True):
    print(f"{name:22} like the flower: {value:.2f}")
dk.show.strip(variants, height=1.7, alt="The dream guided by the flower, by its cells in another order (the same dream), "
                                        "and by its channels in another order (another dream)")

# %% [markdown]
# ### Exercise 10.3 · A guide spoilt on purpose · 6 minutes · ★★☆
#
# Put that baseline into a function, `my_spoilt(features, seed)`: the same features `[1, C, h, w]` with their channels in a
# new order, one order for the whole map, the same for the same seed.
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
# ## At which layer?
#
# A shallow layer knows strokes and colours, a deep one parts and things. Guide at three depths, and let a number decide:
# how much more alike is a dream to its own guide than to the two others, at the layer it was guided at? (Ten to
# twenty seconds: six more dreams.)

# %%
by_layer = {layer: {name: dreams[name] if layer == deep else guided(guide, layer) for name, guide in guides.items()} for layer in layers}
for layer, three in by_layer.items():
    table = likeness(three.values(), guides.values(), layer)
    own, other = table.diag().mean(), table[~torch.eye(3, dtype=torch.bool)].mean()
    print(f"{layer:14} own guide {own:.2f}, other guides {other:.2f}, lead {own - other:.2f}")
dk.show.grid({f"{name}, {layer}": d for layer, three in by_layer.items() for name, d in three.items()}, columns=3, height=1.6,
             alt=f"The pagoda guided by {', '.join(guides)} (columns) at {', '.join(layers)} (rows)")

# %% [markdown]
# The number *lead* answers for this photo and these guides. Look, too: at the shallow layer the guide lends its texture and
# colour, to each region from what matches it; at the deep one parts appear, and where they do depends on the photo. Which layer "works best"
# depends on whether you want a texture or a thing.
#
# ## With which network?
#
# The second network of the course has the same layers, but was trained on pictures that had been altered to mislead it
# (lesson 15 says how). Same photo, same guides, same recipe. (About five seconds.)

# %%
robust = dk.load_network("dreamnet-robust")
firm = {f"{name}, {robust.name}": guided(guide, dk.layer_at(robust, 0.8), robust) for name, guide in guides.items()}
dk.show.strip({"the photo": photo} | firm, height=1.5,
              alt=f"The pagoda guided by {', '.join(guides)} with {robust.name}: whole things, large and plain")

# %% [markdown]
# Here whole things come out where you had to look for parts before. The guide proposes; what can be drawn depends on
# what the network's gradient is able to say.
#
# ## Your own guide
#
# Every stop of the slider is a guide at a layer, and takes a second or two. Without a panel: `guided(picture, layer)`, for
# any picture of yours (`dk.load_image("my.jpg", side=192)`). A guide may have any size, but should show its things about as
# large as those the network was trained on.

# %%
library = guides | {"chelsea": dk.sample("chelsea", 192), "leaves": dk.scenes.leaves(128, 192), "brick": dk.sample("brick", 128)}
stops = [f"{name} · {layer}" for name in library for layer in layers]


def show_guided(stop):
    name, layer = stop.split(" · ")
    dreamt = guided(library[name], layer)
    like = likeness([photo, dreamt], [library[name]], layer).flatten().tolist()
    return {"guide": library[name], "dream": dreamt}, f"like the guide at {layer}: the photo {like[0]:.2f}, the dream {like[1]:.2f}"


dk.widgets.slide("guide · layer", stops, show_guided, start=f"chelsea · {deep}")

# %% [markdown]
# ## Recap
#
# - You wrote the guided objective: for each cell of the photo the greatest inner product with a cell of the guide; its
#   gradient is the matching cell itself.
# - One photo became three different dreams under three guides, and the numbers tell whose dream is whose.
# - What matches what: at a deep layer a few strong cells match nearly everything, at shallower ones flat finds flat; where a thing stands in the guide does
#   not matter.
# - Shallow layers pass on the guide's texture, deep ones its parts; and the network matters as much as the layer.
# - It was the guide's content that counted: the same numbers with their channels shuffled did not do.
#
# ## Read next
#
# - The notebook of google/deepdream, 2015: the objective of this lesson, guided by a picture of flowers at
#   `inception_3b/output`.
# - Lesson 11 lays the published implementations side by side; neither the PyTorch nor the TensorFlow one has a guide.

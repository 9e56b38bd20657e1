# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 18 · Beyond one channel
#
# A channel picture (lesson 02) shows what one channel responds to. But a network never uses one channel alone: in every
# part of a photo hundreds are active together. This lesson draws such *mixtures*, and asks what a single picture hides.
#
# - **You will do:** draw what a layer sees in each part of a photo; grow a class, one idea at a time; ask one channel for
#   four different pictures; split a photo's features into groups; click through your own photo.
# - **You will learn:** why certainty of the network is not likeness; what negative pictures and diversity add; whether
#   channels are better than any other directions; which of these insights random weights give too.
# - **You need:** lessons 02 and 08.
# - **Minutes:** 55

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()

# %% [markdown]
# The photo is cut into 6 × 6 parts. In each, the mean of a layer's features is one vector, and for each vector a picture
# grows from noise, free of the photo. Put together at their places they form an **activation grid**. (10 to 20 seconds.)

# %%
import torch

ours = network.base_name == "efficientnet_lite0"
layer = "block5c" if ours else dk.layer_at(network, 0.7)      # it ends without an activation
photo = dk.sample("chelsea", 448)
middle = (photo.shape[-1] - photo.shape[-2]) // 2
cat = dk.resize(photo[..., middle:middle + photo.shape[-2]], (288, 288))   # a square
cells = 6 if ours else 4                                      # other networks are slower
seen = dk.inside.activation_grid(network, cat, layer, cells)
both = [dk.resize(picture, (600, 600), "bicubic").clamp(0, 1) for picture in (cat, seen.page())]
dk.show.picture(torch.cat(both, -1), f"A cat, and beside it {cells * cells} small pictures: "
                f"what {layer} sees in each part of the photo")

# %% [markdown]
# In EfficientNet-Lite0 rings with a bright middle stand where the eyes are, fur with its direction on the forehead, rays on the
# whiskers, and a dark hollow with a red rim near the mouth. Nothing of the photo was copied: each picture knows only one vector
# of 112 numbers. The eyes are larger than in the photo, because a picture shows what raises the score, at the size that suits
# the network.
#
# Is that the layer's knowledge, or would any network paint such things? The control: the same for a network with random
# weights, for the six parts of the row with the eyes. (About 3 seconds.)

# %%
random = dk.randomized(network)
row = [k for k, (y, x) in enumerate(seen.places.tolist()) if y == 2]
_, vectors, _ = dk.inside.grid_vectors(random, cat, layer, cells)
drawn = torch.cat(list(dk.inside.vector_pictures(random, layer, vectors[row], small=True)))
rows = {"trained": seen.pictures[row], "random weights": drawn}
dk.show.grid([picture[None] for pictures in rows.values() for picture in pictures], columns=cells,
             height=1.2, alt=f"What {layer} sees in the third row of the photo: above trained, "
             "below with random weights")

# %% [markdown]
# ## What a picture needs before it shows a dog
#
# All pictures of this lesson grow by one recipe. Lesson 08 needed a photo to begin with; here every picture begins as
# noise, and what keeps it from staying noise is a **prior**: an assumption about pictures that is made before the network
# is asked. Take one class and add one idea at a time:
#
# 1. **pixels**: plain gradient ascent (lesson 04);
# 2. **Fourier and shifts**: ascend on the coefficients of the picture's spectrum, each weighted by 1/frequency, as in photos;
#    and each step sees the picture moved, turned and scaled a little (lesson 06);
# 3. **crops**: each step sees a random crop, and the weights fall faster, by 1/frequency^1.2;
# 4. **noise, low frequencies first**: noise lies over each view and fades to nothing, and what is finer than the noise cannot
#    help; the highest frequency allowed rises with the steps; none may be louder than 2.5 times that of photos.

# %%
label = "golden retriever" if "golden retriever" in network.labels else network.labels[0]
score = dk.scorer(network, dk.logit(label))
SIDE, STEPS = 144 if ours else 96, 160 if ours else 60

def climb(views, steps=STEPS, score=score, **more):
    *_, picture = dk.fourier.growing(score, SIDE, SIDE, steps, 0.08, views, cosine=True, **more)
    return picture

def on_pixels(steps=60):
    picture = dk.noise(SIDE, SIDE, contrast=0.1)
    for _ in range(steps):
        picture = dk.ascend(picture, dk.normalize(dk.gradient(score, picture)), 0.01)
    return picture

# %% [markdown]
# **Predict, then reveal.** After each idea the network classifies its own picture. In which of the four is it nearly certain?
# In which do *you* see a dog? Write two numbers.
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# It is nearly certain (0.9 or more) after *Fourier and shifts* and after *crops*, pictures of fur without any dog. A head
# with a nose and an ear appears with the noise, less certain than the crops, and MACO's, a dog to our eyes, has least of
# these four (0.6 to 0.9). Certainty is not likeness: the network was never asked to say *none of these*.
# </details>
#
# (10 to 20 seconds.)

# %%
crops = dk.fourier.Crops(SIDE * 7 // 9, 0.6, 1.25)
low = dk.fourier.Prior(1.2, cap=2.5, limits=(0.02, 0.4))
ladder = {
    "pixels": on_pixels(),
    "Fourier and shifts": climb(dk.fourier.Views(), STEPS * 5 // 8),
    "crops": climb(crops, prior=dk.fourier.Prior(1.2)),
    "noise, low first": climb(crops, prior=low, noise=0.12),
}
blind = dk.scorer(random, dk.logit(label))
control = climb(crops, 60, blind, prior=low, noise=0.12)

# %% [markdown]
# The last idea in another form is **MACO** (2023): the amplitudes of the spectrum are those of photos and never change; only
# the phases, which say where things are, grow.

# %%
views = dk.fourier.Crops(SIDE * 7 // 9)
*_, maco = dk.maco.growing_phases(score, SIDE, SIDE, STEPS * 5 // 8, views=views, noise=0.15)
shown = ladder | {"MACO": maco, "random weights, idea 4": control}
dk.show.grid(shown, columns=3, height=3,
             alt=f"{label}, drawn with one idea more in each picture: {', '.join(shown)}")

# %%
other = dk.load_network("efficientnet_lite1" if "efficientnet_lite1" in dk.cached_networks()
                        else "dreamnet")

def belief(judge, picture):
    """The probability that the judge gives to the class, the picture enlarged to its size."""
    sized = dk.resize(picture, (judge.side, judge.side), "bicubic").clamp(0, 1)
    return float(dk.capture(judge, sized, "")[""].softmax(1)[0, judge.labels.index(label)])

judges = [network, other] if label in other.labels else [network]
print(f"{'':24}{' '.join(f'{judge.name:>20}' for judge in judges)}")
for name, picture in shown.items():
    print(f"{name:24}{' '.join(f'{belief(judge, picture):20.3f}' for judge in judges)}")

# %% [markdown]
# A second judge with weights of its own gives the first fur less than 0.3, and the dog of the noise 0.6 or more. The fur
# of *crops* got 0.3 from it on one machine and 0.9 on another, and MACO's dog 0.2 or less on both. One seed and one class
# are an anecdote: the numbers rank nothing. What they do show is that 0.97 or more can belong to a picture in which you
# see no dog. With random weights the best recipe draws haze.
#
# ## The other end of a channel
#
# `dk.channel` asks for a picture that raises a channel. The opposite, `-1 * dk.channel(…)`, asks for one that lowers it as
# far as possible. (In a layer that ends without a ReLU, as here, both ends are used by what follows.) `grow` is the recipe
# of idea 4 for any objective and a batch of pictures.

# %%
def grow(objective, net=network, count=1, side=96, steps=64):
    start = dk.fourier.spectrum(side, side, seed=0, batch=count)
    *_, pictures = dk.fourier.growing(
        dk.scorer(net, objective), side, side, steps, 0.08,
        dk.fourier.Crops(side * 4 // 5, 0.5, 1.1), start=start,
        prior=dk.fourier.Prior(1.2, limits=(0.02, 0.3)),
        noise=0.15, cosine=True)
    return pictures

ends = {}
for channel in (5, 75):
    for sign in (1, -1):
        ends[f"{sign:+} × channel {channel}"] = grow(sign * dk.channel(layer, channel))
for sign in (1, -1):
    ends[f"{sign:+}, random weights"] = grow(sign * dk.channel(layer, 5), random)
dk.show.grid(ends, columns=6, height=1.35,
             alt=f"Both ends of channels of {layer}: {', '.join(ends)}")

# %% [markdown]
# In EfficientNet-Lite0 channel 75 draws a dark hollow inside arcs at one end, and a flat relief of plates at the other; channel 5
# a blue, ribbed fan, and pale stripes beside a red one. Nothing in one end tells you the other. So "channel 75 is
# for dark hollows" is half of the truth at best. With random weights both ends give the same kind of haze.
#
# ## One channel, several pictures
#
# One picture is one answer. Ask for four that differ: let a batch grow, and subtract from the score how alike its pictures
# are. How alike are two pictures that need not have their things at the same positions? The **Gram matrix** says which
# channels are active together, wherever that is: G = M Mᵀ, where M is the map with one row for each channel and one column
# for each cell.
#
# ### Exercise 18.1 · How alike are the pictures of a batch? · 7 minutes · ★★☆
# `features` is `[N, C, h, w]`. Give back the mean cosine of the Gram matrices, over all pairs of *different* pictures: one
# number.
#
# <details><summary>Hint</summary>
#
# Flatten the cells, multiply, flatten each Gram matrix to one long vector and divide it by its norm. One matrix product
# then gives all N × N cosines; which of them do not count?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_likeness(features):
#     maps = features.flatten(2)                            # [N, C, cells]
#     grams = (maps @ maps.mT).flatten(1)                   # [N, C * C]
#     grams = grams / grams.norm(dim=1, keepdim=True)
#     table, n = grams @ grams.T, len(grams)
#     return (table.sum() - table.diagonal().sum()) / (n * (n - 1))
# ```
# </details>

# %% tags=["exercise"]
def my_likeness(features):
    ...  # your lines


dk.exercises.check("gram_likeness", my_likeness)

# %% [markdown]
# `dk.diversity(layer, weight)` is that, as a term to add. The price of being different is paid in the channel's own
# value. (About 6 seconds.)

# %%
wide, fur = ("block5c.expand", 134) if ours else (layer, 0)
four = {weight: grow(dk.channel(wide, fur) + dk.diversity(wide, weight), count=4)
        for weight in (0.001, 2)}
for weight, pictures in four.items():
    values = dk.capture(network, pictures, wide)[wide]
    differ = float(dk.diversity(wide).formula({wide: values})) / 4
    print(f"weight {weight}: likeness {1 - differ:.2f}, "
          f"the channel's mean {values[:, fur].mean():.2f}")
dk.show.grid([p[None] for pictures in four.values() for p in pictures], columns=4, height=1.7,
             alt=f"Channel {fur} of {wide}: four pictures without diversity, four with it")

# %% [markdown]
# In EfficientNet-Lite0 the first row shows near copies (likeness 0.97), although each began with noise of its own. In the
# second, arcs of fur stand beside a dark hollow under an arc, and a straight trunk of fur. The likeness falls to 0.85,
# and the channel's mean by about a tenth: the price. With a weight of 4, which we tried, one of the four gives the
# channel up and draws noise. Fur in arcs is what they share; the rest was luck of the first picture.
#
# ## A channel with two meanings
#
# Does a channel stand for one thing? The last channels speak directly to the classes: each has a weight for every class.
# Count, among the ten classes that a channel raises most, the animals (40 % of all classes). The control draws ten
# classes by random weights. (The cell after that takes about 15 seconds.)

# %%
weights = [m.weight for m in network.module.modules() if getattr(m, "weight", None) is not None
           and len(m.weight) == len(network.labels)][-1].detach().flatten(1)     # [classes, C]
animals = list(network.labels).index("abacus")                     # ImageNet lists them first
of_ten = lambda matrix: (matrix.topk(10, 0).indices < animals).sum(0)          # [C]
drawn = torch.randn(weights.shape, generator=torch.Generator().manual_seed(0))
for name, matrix in (("trained", weights), ("random", drawn)):
    found = of_ten(matrix)
    alone, both = (found < 2) | (found > 8), (found > 3) & (found < 7)
    print(f"{name:8} of {len(found)} channels {int(alone.sum()):4} raise nearly only one kind, "
          f"{int(both.sum()):4} raise both")

# %%
head = [i.name for i in dk.layer_table(network) if i.is_map and i.channels == len(weights.T)]
head = "top" if ours else head[-1]
mixed, single = (608, int(of_ten(weights).argmax())) if ours else (0, 1)
for channel in (mixed, single):
    print(channel, ", ".join(network.labels[k] for k in weights[:, channel].topk(8).indices))
wanted = dk.channel(head, mixed, before_activation=ours) + dk.diversity(head, 1)
answers = grow(wanted, count=2, side=128, steps=80)
usual = dk.figures.channel_picture(network, head, mixed)
shown = {"its usual picture": usual, "asked to differ": answers[:1], "and again": answers[1:]}
dk.show.strip(shown, height=2.4, alt=f"Channel {mixed} of {head}: {', '.join(shown)}")

# %% [markdown]
# Training makes channels one-sided: about 300 of 1,280 channels raise nearly only animals or nearly only things, where
# random weights give about 70. But as many channels mix them. Channel 608 raises a tripod, a lighter, a beer bottle *and* two
# dogs with long curly hair: it is **polysemantic**. Its usual picture shows a shiny metal vessel, with each of four seeds that we
# tried; of two pictures that are asked to differ one shows grey, curly hair. A picture is a witness of what a channel *can* mean; it
# never shows that this is all. The list of classes is the control that finds the second meaning, and the count over all
# channels is the control for the list, since in a list of eight one can always find a story.
#
# ## Are channels special?
#
# A channel is one axis of a layer's space. Szegedy et al. (2014) looked at the photos that raise a channel most, and at
# those that raise a *random direction* most, and could not tell which are the more meaningful. That is a caveat to
# every channel picture, so here is a measure: of the 20 cells in which a direction is strongest, how many lie in the *same*
# photo? Twelve photos, each channel with the same standard deviation; the control replaces the channels by as many random
# directions (a random rotation), five times.

# %%
photos = [dk.resize(dk.sample(name), (224, 224)) for name in dk.samples()]

def standard(net, name):
    """All cells of the photos, [P * cells, C], each channel with mean 0 and deviation 1."""
    maps = torch.cat([dk.capture(net, one, name)[name] for one in photos])     # [P, C, h, w]
    cells = maps.flatten(2).permute(0, 2, 1).flatten(0, 1)
    heard = (cells > 0).sum(0) >= 20                    # without channels that are nearly silent
    return ((cells - cells.mean(0)) / cells.std(0))[:, heard]

def concentration(cells, directions=None):
    """For each direction [C, K] the share of the 20 strongest cells that lie in one photo: [K]."""
    values = cells if directions is None else cells @ directions
    of = values.topk(20, 0).indices // (len(cells) // len(photos))             # [20, K]: photos
    return torch.stack([(of == k).sum(0) for k in range(len(photos))]).amax(0) / 20

# %%
draw = torch.Generator().manual_seed(0)
for name in dict.fromkeys((wide, layer)):
    for net in (network, random):
        cells = standard(net, name)
        some = concentration(cells, torch.randn(cells.shape[1], 200, generator=draw))
        every = concentration(cells)
        print(f"{name:16}{net.name:28}" + ", ".join(
            f"{len(v)} {what}: {v.mean():.3f} ± {v.std() / len(v)**0.5:.3f}"
            for what, v in (("channels", every), ("random directions", some))))

# %% [markdown]
# In EfficientNet-Lite0 (after ± the standard error of the mean):
#
# - In `block5c`, which ends without an activation, channels (0.382) and random directions (0.381) are alike, as Szegedy et al.
#   say. Nothing favours these axes: the next weights could undo any rotation.
# - In `block5c.expand`, after a ReLU, channels are more concentrated (0.404) than random directions (0.350). Are they then
#   meaningful? The control says no: with random weights the gap is larger (0.570 and 0.225). The ReLU acts on each channel by
#   itself, so it makes channels sparse, trained or not.
# - What training does change is every direction: 0.38 instead of 0.24 in `block5c`. It is the space that learnt, not its axes.
#
# Twelve photos are few, and to be concentrated on one photo is not yet to have a meaning.
#
# To draw a direction we need a score that rewards *only* this direction. The inner product is also large for a cell that is
# loud in everything.
#
# ### Exercise 18.2 · How far does a cell go in a direction? · 6 minutes · ★★☆
# `features` is `[N, C, h, w]`, `vector` `[C]`. Give back, for each cell, the inner product with the vector times the cosine
# to the given power: dot · max(0.1, cos)^power, `[N, h, w]`.
#
# <details><summary>Hint</summary>
#
# `torch.einsum("nchw,c->nhw", features, vector)` is the inner product. The cosine divides it by two lengths.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_towards(features, vector, power):
#     dots = torch.einsum("nchw,c->nhw", features, vector)
#     cosines = dots / (features.norm(dim=1) * vector.norm())
#     return dots * cosines.clamp(min=0.1) ** power
# ```
# </details>

# %% tags=["exercise"]
def my_towards(features, vector, power):
    ...  # your lines


dk.exercises.check("towards", my_towards)

# %% [markdown]
# `dk.direction(layer, vector)` is the mean of that over the cells. Above four channels, below four random directions:
# without the titles, could you tell which row is which? (About 4 seconds.)

# %%
count = len(seen.vectors.T)
axes = torch.eye(count)[[5, 40, 75, 100]] if ours else torch.eye(count)[:4]
others = torch.randn(4, count, generator=torch.Generator().manual_seed(0))
drawn = torch.cat(list(dk.inside.vector_pictures(network, layer, torch.cat([axes, others]), True)))
dk.show.grid([picture[None] for picture in drawn], columns=4, height=1.5,
             alt=f"{layer}: above four channels, below four random directions")

# %% [markdown]
# ### Exercise 18.3 · A vector for each part of a photo · 5 minutes · ★★☆
# Which directions are worth drawing? Those that the network uses on a photo. `features` is one photo's map `[C, h, w]`; cut it
# into `rows` × `columns` equal parts (they divide h and w) and give back the mean of each, along the rows:
# `[rows × columns, C]`. This is the first half of the picture at the top.
#
# <details><summary>Hint</summary>
#
# `features.reshape(C, rows, h // rows, columns, w // columns)`: which two axes go into the mean?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_means(features, rows, columns):
#     channels, height, width = features.shape
#     parts = features.reshape(channels, rows, height // rows, columns, width // columns)
#     return parts.mean((2, 4)).flatten(1).T
# ```
# </details>

# %% tags=["exercise"]
def my_means(features, rows, columns):
    ...  # your lines


dk.exercises.check("cell_means", my_means)

# %% [markdown]
# ## Groups of neurons
#
# The parts of a grid are squares, whatever the photo shows. **Non-negative matrix factorisation** (NMF) finds better parts: it
# writes the features of all cells as a sum of a few *groups*, each a direction times a map that says where it is active.
# Change the name to that of a file of yours (`dk.load_image("me.jpg")`).
#
# ### Write before you reveal
# Here are the pictures of six groups of the cat, without the maps. **Write down** for each what it shows and where in the
# photo you expect it, then what you would have to see in the maps to be wrong. (About 4 seconds.)

# %%
mine = cat  # or dk.load_image("me.jpg"), about 300 pixels a side
maps, directions, error = dk.inside.factorised(network, mine, layer, 6)
groups = torch.cat(list(dk.inside.vector_pictures(network, layer, directions, small=True)))
dk.show.grid({f"group {k}": picture[None] for k, picture in enumerate(groups)}, columns=6,
             height=1.35, alt=f"Pictures of six groups of channels of {layer} in the photo")

# %%
note = """
group 0: I see …, I expect it at …     group 1: …
I would be wrong if …
"""

# %% [markdown]
# Now the maps, and the same for random weights (the first three groups).

# %%
places, vectors, _ = dk.inside.factorised(random, mine, layer, 6)
painted = torch.cat(list(dk.inside.vector_pictures(random, layer, vectors[:3], small=True)))
light = lambda where: dk.show.spotlight(mine, where.sqrt(), 0.3)
lit = {f"where group {k} is": light(one) for k, one in enumerate(maps)}
lit |= {f"random weights, {k}": light(places[k]) for k in range(3)}
lit |= {f"their picture {k}": picture[None] for k, picture in enumerate(painted)}
dk.show.grid(lit, columns=6, height=1.35, alt=f"Where each group is active: {', '.join(lit)}")

# %% [markdown]
# In EfficientNet-Lite0, from left to right: short fur; the light fur with the whiskers; the dark spots and stripes; the rims of
# the eyes; nose and mouth; and the eyes themselves, as *two* round spots of one group. Compare that with your note.
# The random network's groups light up too, but each of them on nearly the whole face, and their pictures are haze.
# So a map alone proves little, and picture and map together a good deal.
#
# ## A small atlas
#
# A grid shows one photo. An **activation atlas** takes cells of many photos, lays them out so that similar ones are neighbours
# (t-SNE), cuts the plane into squares and draws the mean of each. Ours has only the twelve sample photos; the atlas of the paper
# used a million. (10 to 20 seconds.)

# %%
smaller = [dk.resize(picture, (160, 160)) for picture in photos]
atlas = dk.inside.activation_atlas(network, smaller, layer, side=5)
print(f"{len(atlas.places)} of 25 squares are filled, with {int(atlas.counts.min())} to "
      f"{int(atlas.counts.max())} cells each")
dk.show.picture(atlas.page(2), f"A small activation atlas of {layer}", scale=1.5)

# %% [markdown]
# In EfficientNet-Lite0 a weave lies at the left, sky at the top, rings and eyes in the middle and below, grain beside
# them, and blurred colours and bushes at the right. But read it with care. Each photo gave the same number of cells, so
# many squares are one photo: the atlas of twelve photos is a map of *these photos*, not of the layer. Empty squares are
# no gap in the network's knowledge. And t-SNE keeps neighbours only: the distance between far squares means nothing.
#
# ## Caricatures
#
# The last step: let *every* cell go in the direction that it has in a photo, and start from noise. What the layer keeps of the
# photo comes back exaggerated, what it does not keep does not come back. (About 10 seconds.)

# %%
pavilion = dk.sample("china", 240)[..., :160, 10:170]
subjects = {"cat": dk.resize(cat, (160, 160)), "pavilion": pavilion}
drawings = {}
for name, picture in subjects.items():
    drawings[name] = picture
    drawings[f"{name}, {layer}"] = dk.inside.caricature_picture(network, picture, layer, steps=100)
drawings["cat, random weights"] = dk.inside.caricature_picture(random, subjects["cat"], layer, 50)
dk.show.grid(drawings, columns=5, height=2, alt=f"Photos and caricatures: {', '.join(drawings)}")

# %% [markdown]
# Nothing but noise stood at the beginning. In EfficientNet-Lite0 the cat comes back with rounder, darker eyes and a dark nose like a
# dog's; the pavilion with its roofs, but its windows run together, the trees and the far shore become patches, and the pale
# sky becomes a grainy blue. With random weights half as many steps make haze, with no trace of the cat.
#
# ## Look around
#
# The panel draws what a layer sees at one position: a small picture after a second, then a larger one. Move the sliders for row,
# column and layer. Look for a position at which two layers disagree.

# %%
layers = (["block3b", "block4c", "block5c", "block6c"] if ours
          else list(dict.fromkeys(dk.layer_at(network, depth) for depth in (0.3, 0.5, 0.7, 0.9))))
dk.widgets.look(network, dk.sample("chelsea", 320), layers)

# %% [markdown]
# From a terminal the same pictures come from `dreamkit grid photo.jpg`, `dreamkit groups photo.jpg` and
# `dreamkit caricature photo.jpg`.
#
# ## Open investigation
#
# Nobody has written the answer down for you. *Are a photo's groups properties of the photo or of the network?* If another
# network finds the same parts of the cat, they belong to the photo. Match the maps of two networks, and do the same with
# random weights and with the photo's brightness. Start here.

# %%
def best_match(maps, others):
    """For each map the greatest correlation with one of the other maps, resized."""
    sized = dk.resize(others[None], maps.shape[-2:])[0].flatten(1)
    table = torch.corrcoef(torch.cat([maps.flatten(1), sized]))[:len(maps), len(maps):]
    return [round(float(best), 2) for best in table.amax(1)]

print("groups of the trained network, each with its best match with random weights:",
      best_match(maps, places))

# %% [markdown]
# ## Recap
#
# - One vector of a layer is enough to draw an eye where the cat has one; with random weights the same steps draw haze.
# - A network can be nearly certain (0.97 or more) of a picture in which we see no dog. A prior (noise that fades, low
#   frequencies first, or the amplitudes of photos) gives a dog, and then only what the network knows; random weights give
#   haze under the same prior.
# - A channel has two ends that need not have anything in common, and one picture is one of several answers.
# - About 300 of EfficientNet-Lite0's 1,280 last channels raise nearly only animals or nearly only things (random weights: 70),
#   but as many mix both. One picture need not tell which; the list of classes does.
# - In one layer without an activation, channels are not more concentrated on one photo than random directions (12 photos). After a
#   ReLU they are, but random weights show that too, and more.
# - Groups of channels find eyes, nose and whiskers of a cat; the groups of random weights light up on nearly the whole face.
# - What a layer keeps of a photo can be drawn: a caricature. From random weights came haze, in half as many steps.
#
# ## Read next
#
# - C. Olah, A. Mordvintsev, L. Schubert, [Feature Visualization](https://distill.pub/2017/feature-visualization/), 2017: priors,
#   negative pictures, diversity, interaction of channels.
# - C. Olah et al., [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks/), 2018: grids and groups.
# - S. Carter et al., [Activation Atlas](https://distill.pub/2019/activation-atlas/), 2019.
# - C. Szegedy et al., [Intriguing properties of neural networks](https://arxiv.org/abs/1312.6199), 2014: units and random
#   directions; and the caveat in Stanford's [CS231n](https://cs231n.github.io/understanding-cnn/).
# - T. Fel et al., [Unlocking Feature Visualization with MAgnitude Constrained Optimization](https://arxiv.org/abs/2306.06805),
#   2023: MACO.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 14b · Growth, invariance and the CS231n tour
#
# How does a network become one? What does it not mind? What could it do without, how little does it take to fool it,
# and how much of a picture is left in a layer? Each question gets one short experiment, a number, and a baseline.
#
# - **You will do:** watch filters and dreams grow; shift, scale and turn a cup; cover eyes; take a block apart; lay out
#   pictures as a map; fool two networks; find a picture again from its features.
# - **You will learn:** which layers settle first; what invariance is worth when everything is measured against a
#   stranger; why "the same part" and "the same place" are two things; what robust training changes; what depth forgets.
# - **You need:** lessons 01 to 04; 14a is no condition.
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# ## Growth
#
# A network like the embedded one was trained from nothing, and a snapshot kept now and then: a quarter into the first pass over
# the 100,000 pictures, after one pass, after two … Here are 15 filters of its first layer at each snapshot, with how many
# validation pictures it named rightly.

# %%
import torch

growth = dk.inside.growth()
places = torch.cartesian_prod(torch.arange(3), torch.arange(5))
sheets = {f"{epoch:g} passes, {right:.1%} right": dk.inside.mosaic(dk.inside.filter_pictures(filters[:15]), places)
          for epoch, right, filters in zip(growth.epochs, growth.accuracy, growth.filters)}
dk.show.grid(sheets, columns=4, height=1.0, pixelated=True, alt="15 filters of a first layer at seven snapshots: coloured noise at first, smooth blots after one pass, then clear edges and colour pairs")

# %% [markdown]
# **Predict, then reveal.** From which snapshot on do you recognise the final filters? And a deep layer: do its channels
# settle earlier than the first layer, at the same time, or later?
#
# <details><summary>Answer</summary>
#
# The first layer settles first: after two passes its filters correlate with the last ones at 0.6, after five at 0.9, when
# the dreams of both blocks are still at no more than 0.25. In the next picture, look for the pass at which you could first name
# what a row shows. Zeiler & Fergus drew the like up to epoch 64: low layers settle soon, high ones late.
# </details>

# %%
block = "inception5a"                                                         # titles: channel · passes
rows = {f"{index} · {epoch:g}": growth.dreams[block][at, c][None]
        for c, index in enumerate(growth.channels[block]) for at, epoch in enumerate(growth.epochs)}
dk.show.grid(rows, columns=len(growth.epochs), height=0.7,
             alt=f"What four channels of {block} dream of at seven snapshots, a row each: haze, then textures, and at the end faces, caps, arches and an eye")

# %%
from matplotlib.figure import Figure

figure = Figure(figsize=(6.5, 2.8), layout="constrained")
axis = figure.subplots()
settled = {"conv1's filters": growth.filters, **{f"dreams of {name}": dreams for name, dreams in growth.dreams.items()}}
settled = {name: dk.inside.likeness(snapshots).mean(1) for name, snapshots in settled.items()}
for (name, values), style in zip(settled.items(), ("o-", "s--", "^:")):
    axis.plot(growth.epochs, values, style, label=name)
axis.set(xlabel="passes over the training pictures", ylabel="correlation with the last snapshot", ylim=(-0.1, 1.05))
axis.legend()
said = "; ".join(f"{name}: {values[-2]:.2f} at {growth.epochs[-2]:g} passes" for name, values in settled.items())
dk.show.chart(figure, f"How like the last snapshot the earlier ones are. {said}")

# %% [markdown]
# Read the second and third curve with care. Two dreams of the same thing in different places do not correlate pixel by
# pixel, so these curves say "not yet the same picture", not "not yet the same idea". Trust your eyes on the rows above
# as well.
#
# ## What a layer does not mind
#
# A cup of espresso, moved. How far do its features go? A distance needs a unit. We take the distance to a *stranger*:
# the features of other photos at the same layer. 0 is not moved at all; 1 is no more alike than two different photos.

# %%
side = dk.figures.home_side(network)
cup = dk.resize(dk.sample("coffee")[..., 90:490], (side, side))
label, sure = dk.classify(network, cup, 1)[0]
layers = [dk.layer_at(network, 0), dk.layer_at(network, 1), ""]
others = torch.cat([dk.resize(dk.sample(name)[..., :300, :300], (side, side)) for name in ("china", "flower", "chelsea", "astronaut", "rocket")])
unit = lambda net: {layer: d.mean() for layer, d in dk.inside.distance(net, cup.expand(len(others), -1, -1, -1), others, layers).items()}
dk.show.strip({"as it is": cup, "8% down": dk.inside.moved(cup, shift=side / 12), "1.5 times": dk.inside.moved(cup, scale=1.5),
               "turned by 60°": dk.inside.moved(cup, turn=60)}, height=1.5, alt="A cup of espresso as it is, shifted, enlarged and turned")

# %% [markdown]
# **Predict, then reveal.** The three curves of the next cell are the first layer, the last block, and the answer (the
# logits). For which of shift, scale and turn will the answer stay? (5 to 10 seconds.)
#
# <details><summary>Answer</summary>
#
# A shift of two pixels sends the first layer most of the way to a stranger, and the answer hardly anywhere. Enlarging moves the answer less
# than turning does; shrinking to 0.6 moves it furthest of all, and the espresso is gone: crops in training made things larger and
# hardly ever smaller, and few cups lie on their side.
# </details>

# %%
amounts = {"shift": [-side / 4, -side / 8, -side / 32, 0, side / 32, side / 8, side / 4], "scale": [0.6, 0.8, 1, 1.2, 1.5, 1.8],
           "turn": [0, 15, 30, 60, 90, 135, 180]}

def curves(net, wanted=None):
    found = {kind: dk.inside.invariance(net, cup, kind, values, layers, wanted) for kind, values in amounts.items()}
    return found, unit(net)

def draw(found, unit, name):
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axis, (kind, seen) in zip(figure.subplots(1, 3, sharey=True), found.items()):
        for layer, style in zip(layers, ("o-", "s--", "^:")):
            axis.plot(seen.amounts, seen.distances[layer][0] / unit[layer], style, label=layer or "the answer")
        if seen.probability is not None:
            axis.plot(seen.amounts, seen.probability[0], color="0.6", label=f"probability of {label}")
        axis.set(xlabel={"shift": "pixels down", "scale": "times as large", "turn": "degrees"}[kind], ylim=(0, 1.4))
    axis.legend(fontsize=7)
    figure.supylabel("distance (1 = a stranger)", fontsize=9)
    far = "; ".join(f"{layer or 'the answer'} {found['turn'].distances[layer][0, -1] / unit[layer]:.2f}" for layer in layers)
    return dk.show.chart(figure, f"{name}: how far features go as a cup is shifted, scaled and turned. Turned by 180 degrees: {far}")

draw(*curves(network, label), network.name)

# %% [markdown]
# The baseline is the same with random weights. First without the unit, at the shift of an eighth: (5 to 10 seconds)

# %%
blind = dk.randomized(network)
seen, strange = curves(blind)
bare = {layer or "the answer": (float(seen["shift"].distances[layer][0, 5]), float(strange[layer])) for layer in layers}
for name, (moved, stranger) in bare.items():
    print(f"random weights, {name:12} shifted: {moved:.2f} of its length   a stranger: {stranger:.2f}")
draw(seen, strange, "random weights")

# %% [markdown]
# Without a unit the random network would win: its answer moves by a few percent of its length. But then even strangers lie
# close together. A layer that says nearly the same of everything is invariant, and useless: invariance is worth something only beside
# what the layer still tells apart. Measured in strangers, the two networks are closer than you may like: much of the invariance is the architecture's,
# which pools and averages. For a *small* shift or turn training about halves the
# distance of the answer; for a cup shrunk to 0.8 it does not.
#
# Walk through the movements yourself. (The first takes a few seconds.)

# %%
moves = {"none": {}, **{f"shift {s:+d}": {"shift": s} for s in (-8, -4, 4, 8)}, **{f"scale {s}": {"scale": s} for s in (0.7, 1.4)},
         **{f"turn {t}°": {"turn": t} for t in (20, 45, 90, 180)}}
strangers = unit(network)

def look(name):
    picture = dk.inside.moved(cup, **moves[name])
    far = dk.inside.distance(network, cup, picture, layers)
    said = ", ".join(f"{layer or 'the answer'} {float(far[layer] / strangers[layer]):.2f}" for layer in layers)
    best = ", ".join(f"{what} {p:.0%}" for what, p in dk.classify(network, picture, 3))
    return picture, f"distance in strangers: {said}\nthe network says: {best}"

dk.widgets.slide("movement", list(moves), look, start="turn 45°", width=256)

# %% [markdown]
# Without the panel: `look("turn 90°")`.
#
# ## Does it know that your eyes are my eyes?
#
# Zeiler & Fergus covered the same part in several pictures of dogs, and looked at how each feature changed: up, down or
# not at all. If the same part changes the features alike, these signs agree from picture to picture, and their Hamming
# distance is small. No dog's photos come with the course. We take 12 of the small grey faces in scikit-image (25 × 25
# pixels of "Labeled Faces in the Wild", enlarged): not one of the network's 200 classes. Below: their mean, with the boxes.

# %%
faces = dk.inside.faces(12)
boxes = {name: dk.inside.FACE_PARTS[name] for name in ("left eye", "right eye", "nose", "forehead", "corner")}
mean = dk.inside.faces(100).mean(0, keepdim=True)
dk.show.strip({name: dk.inside.masked(mean, box) for name, box in boxes.items()}, height=1.3, alt=f"The mean of 100 faces, with a grey box over the {', the '.join(boxes)}")

# %% [markdown]
# The faces are aligned, so the same part is also the same *place*. Beside the plain distance we therefore ask for one that
# knows no place: each map averaged over its cells. And we ask for boxes at random places, other ones in each face. (About 10 seconds.)

# %%
generator = torch.Generator().manual_seed(0)
corners = zip(torch.randint(0, 53, (12,), generator=generator).tolist(), torch.randint(0, 41, (12,), generator=generator).tolist())
boxes["random places"] = [(top, top + 12, left, left + 24) for top, left in corners]
middle = dk.layer_at(network, 0.45)
print(f"{middle}: mean Hamming distance of the signs; 0 = all faces change alike")
for name, box in boxes.items():
    plain, pooled = (dk.inside.correspondence(network, faces, box, middle, pooled=p) for p in (False, True))
    print(f"{name:14} with place {plain:.3f}   without place {pooled:.3f}   random weights, without place {dk.inside.correspondence(blind, faces, box, middle, pooled=True):.3f}")

# %% [markdown]
# With place, every fixed box beats the random ones, even the corner, which holds no face at all: the published comparison shows
# place as much as part. Without place, look at who is lowest. In the trained network it is the eyes and the nose. With random weights
# it is the corner and the forehead, the smooth parts. So there is *something* in the idea: a little correspondence that nobody asked for.
#
# ## What can it do without?
#
# We silence a part of the network and count what it still names rightly. No photos with labels come with the course, so the collection
# is grown: one picture a class, which the *robust* network made of noise. They are easier than photos. (About 10 seconds.)

# %%
pictures, names = dk.inside.class_pictures(network.labels)
pictures, names = dk.resize(pictures[::5], (side, side)), names[::5]
part = dk.layer_at(network, 0.6)
pieces = [name for name in dk.layer_names(network) if name.startswith(part + ".") and name.count(".") == part.count(".") + 1]
kept = {fill: dk.inside.ablation(network, pictures, names, [part, *pieces], fill) for fill in ("zero", "mean")}
for layer in ("", part, *pieces):
    print(f"without {layer or 'nothing':24} silenced {kept['zero'][layer]:4.0%} right   held at its mean {kept['mean'][layer]:4.0%}")
dk.show.grid({name: picture[None] for name, picture in list(zip(names, pictures))[::4]}, columns=5, height=1.1, alt=f"Class pictures, grown from noise by the robust network: {', '.join(names[::4])}")

# %% [markdown]
# Without the whole block nothing gets past it: there is no way round in a network of this kind, and every picture gets the same answer. Of the
# four branches of the embedded network's block, three can go, each by itself, and hardly a name is lost; without the first, the 1×1 convolutions, nearly all are.
# The branches were never asked to share the work evenly. "Held at its mean" tells the layers above "as always", where 0 may be something they have never
# seen: always ask which of the two an ablation has used.
#
# These are grown pictures; on photos the losses are others. The tests of this project measure them on Tiny ImageNet's validation photos, where those are at hand.
#
# ## Silent channels
#
# CS231n's first advice for a network's maps: look for those that are always black.

# %%
depths = [dk.layer_at(network, depth) for depth in (0, 0.3, 0.6, 1)]
for name, net in (("trained", network), ("random weights", blind)):
    shares = dk.inside.activity(net, pictures, depths)
    said = ", ".join(f"{layer} {int((s == 0).sum())} of {len(s)}" for layer, s in shares.items())
    print(f"{name}: silent for all {len(pictures)} pictures: {said}; on average a channel of {depths[-1]} wakes for {shares[depths[-1]].mean():.0%}")

# %% [markdown]
# Silent for forty pictures is not dead: on 10,000 validation pictures no channel of the embedded networks stays silent (their model
# card counts them). With random weights the
# deep channels are less choosy: awake for most pictures, or for none. Training makes specialists.
#
# ## A map of codes
#
# The last block's features, averaged over cells, are a *code*: one list of numbers for a picture. t-SNE lays out codes on a plane so
# that near ones stay near, and an assignment puts each picture into a cell of a grid of its own. (5 to 10 seconds.)

# %%
kinds = dict(zip(dk.inside.class_pictures()[1], ["animal"] * 59 + ["thing"] * 117 + ["food"] * 18 + ["place"] * 5 + ["food"]))
pictures, names = dk.inside.class_pictures(network.labels)
pictures, groups = dk.resize(pictures[::2], (side, side)), [kinds[name] for name in names[::2]]
codes = dk.inside.codes(network, pictures, depths[-1])
points = dk.inside.embedded(codes, perplexity=12)
dk.show.picture(dk.inside.mosaic(dk.resize(pictures, (48, 48)), dk.inside.grid_places(points)), f"{len(pictures)} class pictures as a map by t-SNE of {depths[-1]}: animals in one region, vehicles and buildings in others")

# %% [markdown]
# Regions: animals, things with wheels, towers. But a map like this flatters, so put a number on it. Of the five codes nearest to a picture, how many are of
# its kind (animal, food, thing, place)? The baselines: random weights, the bare pixels, and kinds dealt out at random.

# %%
alike = {"trained": codes, "random weights": dk.inside.codes(blind, pictures, depths[-1]), "pixels": dk.resize(pictures, (16, 16)).flatten(1)}
for name, code in alike.items():
    print(f"{name:15} {dk.inside.neighbours_alike(code, groups):.0%} of the five nearest are of the same kind")
mixed = [groups[i] for i in torch.randperm(len(groups), generator=generator)]
print(f"{'kinds shuffled':15} {dk.inside.neighbours_alike(codes, mixed):.0%}")

# %% [markdown]
# ## Fooling pictures
#
# How little must change before the cup is a goldfish? We go up the gradient of *goldfish's logit minus the greatest other one*, and
# allow less and less distance while it fools, more while it does not. The distance is the root of the summed squares (L2) of the change,
# pixels from 0 to 1. (5 to 15 seconds.)

# %%
robust = dk.load_network("dreamnet-robust")
target, shown = "goldfish", {}
for title, net in (("", network), ("robust: ", robust)):
    own = dk.resize(cup, (dk.figures.home_side(net),) * 2)
    found = dk.inside.smallest_fooling(net, own, target, steps=25)
    static = dk.noise(*own.shape[-2:], seed=1) - 0.5
    noisy = (own + static * found.radius / static.norm()).clamp(0, 1)
    print(f"{net.name}: L2 {found.radius:.2f}, then {target} {found.probability:.0%}; noise of that size: {dk.classify(net, noisy, 1)[0][0]}")
    shown |= {f"{title}{target}": found.image, f"{title}change × 5": 0.5 + 5 * (found.image - own)}
dk.show.strip({"the cup": cup, **{k: dk.resize(v, (side, side)).clamp(0, 1) for k, v in shown.items()}}, height=1.5, alt=f"The cup, then for {network.name} and the robust network the nearest picture taken for a {target}, with the change enlarged")

# %% [markdown]
# Noise of the same size changes nothing: it is the direction that counts. The robust network needs about three times the distance,
# and its change begins to look like something. It is harder to fool, not proof against it. These radii were *found*; nearer fooling pictures may exist.
#
# The panel gives both networks the same budget; each stop takes a few seconds.

# %%
def budget(radius):
    made = {net.name: dk.inside.fool(net, dk.resize(cup, (dk.figures.home_side(net),) * 2), target, radius, steps=12) for net in (network, robust)}
    says = {net.name: dk.classify(net, made[net.name], 1)[0] for net in (network, robust)}
    return made, "; ".join(f"{name} says {what}, {p:.0%}" for name, (what, p) in says.items())

dk.widgets.slide("radius (L2)", [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0], budget, start=4.0, width=220)

# %% [markdown]
# ## What depth forgets
#
# The last experiment turns the network round. Take a layer's features of the cup, forget the cup, and look for a picture that has these
# features: from noise, held as a spectrum, with a small price on roughness. What does not come back, the layer does not say. (15 to 25 seconds.)

# %%
asked = [dk.layer_at(network, depth) for depth in (0, 0.3, 0.6, 1)]
found = {layer: dk.inside.invert(network, cup, layer, steps=60) for layer in asked}
baseline = {layer: dk.inside.invert(blind, cup, layer, steps=60) for layer in asked[1:]}
tiles = {"the cup": cup, **{layer: f.image for layer, f in found.items()}, **{f"{layer}, random": f.image for layer, f in baseline.items()}}
dk.show.grid(tiles, columns=4, height=1.5, alt=f"The cup, then found again from {', '.join(asked)}: ever vaguer, but still a cup; from random weights only patches")

# %%
for name, results in (("trained", found), ("random weights", baseline)):
    for layer, f in results.items():
        print(f"{name:14} {layer:12} features missed by {f.error:4.0%}   pixels by {float((f.image - cup).square().mean().sqrt()):.2f} (root mean square)")

# %% [markdown]
# Colours go first, then places, then shapes; the rim of the cup stays longest. With random weights the features are met at least as well, and the cup is gone sooner:
# small error in the features does not mean that they hold the picture. Trained features keep what tells things apart.

# %%
dk.widgets.slide("layer", asked, lambda layer: ({"found again": found[layer].image, "the cup": cup}, f"features missed by {found[layer].error:.0%}"), start=asked[2], width=220)

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 14b.1 · How far is far? · 5 minutes · ★★☆
# `before`, `moved` and `stranger` are features of one size. Write `my_distance(before, moved, stranger)`: how far `moved` lies from
# `before`, where 1 is as far as the stranger.
#
# <details><summary>Hint</summary>
#
# `(a - b).norm()` is the length of a difference.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_distance(before, moved, stranger):
#     return float((moved - before).norm() / (stranger - before).norm())
# ```
# </details>

# %% tags=["exercise"]
def my_distance(before, moved, stranger):
    ...  # your lines


dk.exercises.check("in_strangers", my_distance)

# %% [markdown]
# ### Exercise 14b.2 · Do two changes agree? · 4 minutes · ★☆☆
# `a` and `b` hold signs: -1, 0 or 1 for each feature. Write `my_hamming(a, b)`: the share of features in which they differ.
#
# <details><summary>Hint</summary>
#
# `a != b` is true or false for each; make it a number, and average.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_hamming(a, b):
#     return float((a != b).double().mean())
# ```
# </details>

# %% tags=["exercise"]
def my_hamming(a, b):
    ...  # your lines


dk.exercises.check("sign_distance", my_hamming)

# %% [markdown]
# ### Exercise 14b.3 · Back into the ball · 6 minutes · ★★☆
# A fooling picture may lie at most `radius` (L2) from the photo. Write `my_ball(change, radius)`: the change as it is where it is short
# enough, else shortened to the radius in the same direction.
#
# <details><summary>Hint</summary>
#
# Its length is `change.norm()`; times `radius / length` it has the length `radius`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_ball(change, radius):
#     length = change.norm()
#     return change * (radius / length) if length > radius else change
# ```
# </details>

# %% tags=["exercise"]
def my_ball(change, radius):
    ...  # your lines


dk.exercises.check("into_the_ball", my_ball)

# %% [markdown]
# ### Exercise 14b.4 · Who never speaks? · 5 minutes · ★☆☆
# `maps` are the features `[N, C, h, w]` of N pictures. Give back `[C]`, True for each channel that no picture wakes: no cell of it is above 0.
#
# <details><summary>Hint</summary>
#
# `(maps <= 0)`, and then `.all(…)` over rows, columns and pictures; begin with the last dimension.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_silent(maps):
#     return (maps <= 0).all(3).all(2).all(0)
# ```
# </details>

# %% tags=["exercise"]
def my_silent(maps):
    ...  # your lines


dk.exercises.check("silent_channels", my_silent)

# %% [markdown]
# ## Recap
#
# - You watched a network grow, moved a cup, covered eyes, took a block apart, drew a map of codes, fooled two networks, and turned a network round.
# - The first layer settles first; deep channels go on changing to the end, and what they show comes late.
# - Invariance is measured against a stranger: a network that knows nothing is "invariant" too.
# - The same part and the same place are two things, and aligned pictures mix them; so do baselines that hold the place still.
# - Robust training makes the nearest fooling picture about three times as far, not unreachable.
# - Depth forgets colour and place first; the features of a random network can be met without the picture.
#
# ## Read next
#
# - Growth, invariance, correspondence, ablation: Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2013, figures 4, 5 and 8, tables 1
#   and 3. They trained anew without a layer; we made do without.
# - Dead filters, codes by t-SNE, fooling and inverting in one list: CS231n, "Visualizing what ConvNets learn".
# - t-SNE: van der Maaten & Hinton, 2008. Fooling: Szegedy et al., "Intriguing properties of neural networks", 2013; the search: Rony et al., "Decoupling direction
#   and norm", 2019.
# - Inverting: Mahendran & Vedaldi, "Understanding deep image representations by inverting them", 2015.

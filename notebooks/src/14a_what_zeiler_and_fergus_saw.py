# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 14a · What Zeiler & Fergus saw: down to the pixels, and a grey square
#
# In 2013 Matthew Zeiler and Rob Fergus asked a trained network two questions. *What in this photo made that unit fire?*
# They sent its activation back down to the pixels. *What does the answer depend on?* They covered the photo, position by
# position. This lesson makes their figures 1, 2 and 4 to 8 and two of their tables again, and puts a control beside them
# that the paper does not have: the same for a network that knows nothing.
#
# - **You will do:** write the deconvnet's two special rules and the occluder; project nine patches to pixels; move a photo;
#   alias a first layer; cover a photo; read every layer with a linear classifier.
# - **You will learn:** that a deconvnet is a backward pass with one rule changed, and that only the switches tell it
#   about the photo; what a stride of 4 folds; how our numbers stand beside the published ones.
# - **You need:** lessons 02 (patches) and 03 (the gradient).
# - **Minutes:** 55

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()
pooled = dk.load_network("dreamnet")  # small, with the max-pools that a deconvnet needs

# %% [markdown]
# Their figure 2, for five layers of `dreamnet`. Above, the nine patches that excite one channel most; below, what of each
# patch made the channel fire. The patches come from crops of the twelve sample photos. (About 10 seconds.)

# %%
import torch

photos = list(dk.collection("samples"))
bank = [photo[..., y:y + 96, x:x + 96] for photo in photos
        for y, x in ((0, 0), (60, 130))
        if photo[..., y:y + 96, x:x + 96].shape[-2:] == (96, 96)]
layers = [dk.layer_at(pooled, depth) for depth in (0.0, 0.15, 0.45, 0.6, 0.85)]
coffee = dk.sample("coffee", 96)


def busiest(net, layer, count=1):                        # the channels that the coffee excites most
    return dk.capture(net, coffee, layer)[layer][0].amax((1, 2)).topk(count).indices.tolist()


def pair(net, layer, channel, side=72):                  # patches, and what the channel saw of them
    found = dk.inside.top_projections(net, layer, channel, bank, widest=64)
    both = [p.patch.crop for p in found], [dk.show.signed(p.signal) for p in found]
    return [dk.show.mosaic(tiles, count=9, side=side, gap=5) for tiles in both]


sheets = {f"{layer} · {c}": pair(pooled, layer, c)
          for layer in layers for c in busiest(pooled, layer)}
tiles = {name: above for name, (above, _) in sheets.items()}
tiles |= {f"{name}, projected": below for name, (_, below) in sheets.items()}
dk.show.grid(tiles, columns=5, height=2.1, alt=f"Nine patches each for {', '.join(sheets)}, "
             "and below them their projections")

# %% [markdown]
# Grey is "nothing". Where a projection is bright, brighter pixels speak for the channel; where it is dark, darker ones.
# In the first layer the projection *is* the filter, cut at the border of some crops. Higher up it leaves most of a patch grey.
#
# ## Write before you reveal
# Choose one column. What do the nine patches have in common? **Write it down**, from the projections, and say which
# patch you would show the network to prove yourself wrong. The control comes below.

# %%
note = """
Column:                  the channel responds to:
I would show it:         and if I am wrong, I would see:
"""

# %% [markdown]
# ## Figure 1: down again, in three steps
#
# Keep one activation, set all others to 0, and go down layer by layer. (For `dreamnet`; EfficientNet-Lite0 has no
# max-pools, which will turn out to matter.)

# %%
dk.inside.deconvnet_diagram()

# %% [markdown]
# ### Exercise 14a.1 · Back to where the maximum was · 6 minutes · ★★☆
# `values` `[h, w]` come down from above. `switches` `[h, w]` say for each where its maximum was, counted row by row
# through a map of `height` rows and `width` columns. Return that map: 0, but for the values at their positions. Windows
# may overlap, so two values can belong to one position.
#
# <details><summary>Hint</summary>
#
# Begin with `torch.zeros(height * width)`. `index_add_(0, positions, values)` adds each value at its position; both must be flat.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_unpool(values, switches, height, width):
#     result = torch.zeros(height * width)
#     result.index_add_(0, switches.flatten(), values.flatten())
#     return result.reshape(height, width)
# ```
# </details>

# %% tags=["exercise"]
def my_unpool(values, switches, height, width):
    ...  # your lines


dk.exercises.check("unpool", my_unpool)

# %% [markdown]
# Two of the three steps are backpropagation as you know it: the gradient of a maximum flows to where the maximum was, and
# the gradient of a convolution is the transposed convolution. Only the ReLU differs:
#
# | method | the ReLU hands the signal down where … |
# |---|---|
# | gradient (Simonyan et al., 2013) | … what came *up* was positive |
# | deconvnet (Zeiler & Fergus, 2013) | … what comes *down* is positive |
# | guided backpropagation (Springenberg et al., 2014) | … both are |
#
# ### Exercise 14a.2 · The deconvnet's backward rule · 4 minutes · ★☆☆
# `came_up` is what went into the ReLU on the way up, `signal` what comes down to it. Return what the **deconvnet** hands on.
#
# <details><summary>Hint</summary>
#
# One of the two arguments is not needed. `clamp(min=0)` rectifies.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_relu_down(came_up, signal):
#     return signal.clamp(min=0)
# ```
# </details>

# %% tags=["exercise"]
def my_relu_down(came_up, signal):
    ...  # your lines


dk.exercises.check("relu_down", my_relu_down)

# %% [markdown]
# ## What carries the photo down?
#
# One unit, three rules, two photos. `dreamnet` has max-pools, EfficientNet-Lite0 has none. **Predict, then reveal:** for
# which rule and network are the maps of the *two photos* alike?
#
# <details><summary>Think first, then open</summary>
#
# The deconvnet's ReLU does not look at the photo (exercise 14a.2), and a transposed filter never does. So all that a
# deconvnet knows of the photo are the switches. Without max-pools there are none: the map of the coffee and the map of
# the cat are *the same picture*, correlation 1.00. It shows what the unit is wired to, not what it saw. With switches the
# maps differ, because the maxima lie elsewhere.
# </details>

# %%
RULES = {"deconvnet": dk.inside.deconvolution,
         "guided backprop": dk.inside.guided_backprop}
two = [dk.sample(name, 160)[..., :96, 30:126] for name in ("coffee", "chelsea")]
alike = lambda a, b: float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def units(net, layer, count=4):                          # in the middle, and awake in both photos
    maps = torch.cat([dk.capture(net, image, layer)[layer] for image in two])
    row, column = maps.shape[2] // 2, maps.shape[3] // 2
    low, high = maps[:, :, row, column].amin(0), maps[:, :, row, column].amax(0)
    awake = (low * (high < 6)).topk(count).indices.tolist()              # below the top of a ReLU6
    return [dk.neuron(layer, channel, row, column) for channel in awake]


def down(net, rule, image, unit):
    if rule == "gradient":
        return dk.gradient(dk.scorer(net, unit), image)
    return RULES[rule](net, image, unit)

# %%
table, shown = {}, {}
for net in (pooled, dk.load_network("efficientnet_lite0")):
    middle = dk.layer_at(net, 0.6)
    for rule in ("gradient", *RULES):
        maps = [[down(net, rule, image, unit) for image in two] for unit in units(net, middle)]
        table[net.name, rule] = [alike(a, b) for a, b in maps]
        if rule == "deconvnet":
            shown |= {f"{net.name},\n{name}": dk.show.signed(signal)
                      for name, signal in zip(("the coffee", "the cat"), maps[0])}
print("how alike the maps of two photos are: mean and range over four units")
for (name, rule), some in table.items():
    print(f"{name:20}{rule:17}{sum(some) / len(some):5.2f}  ({min(some):.2f} to {max(some):.2f})")
dk.show.strip(shown, height=2.2, alt="One unit by the deconvnet, for coffee and for a cat: "
              "different in dreamnet, the same in EfficientNet-Lite0")

# %% [markdown]
# So the third step of the diagram, the switches, is not a detail: it is the only road from the photo to the projection.
# A max-pool's switches follow the photo's edges **whatever the weights are**. That suggests the control for figure 2.
#
# ## Figure 2 again, for a network that knows nothing
#
# **Predict: what will the projections of random weights look like?** (About 8 seconds.)

# %%
untrained = dk.randomized(pooled)
deep = layers[3]
shown = {}
for title, net in (("trained", pooled), ("random", untrained)):
    for c in busiest(net, deep, 2):
        above, below = pair(net, deep, c)
        gap = torch.ones(1, 3, 10, above.shape[-1])
        shown[f"{title} · {c}"] = torch.cat([above, gap, below], 2)
dk.show.strip(shown, height=4.2, alt=f"Patches, projections below: two channels of {deep}, "
              "and two with random weights, whose projections outline whatever is in the patch")

# %% [markdown]
# From random weights the outlines of *whatever is in the patch* come down: arcs, roofs, a face. Those are the switches. The
# trained channels show less: a few strokes in one direction, and grey elsewhere. So outlines in a projection prove
# nothing; what it *leaves out* may. When you wrote your note, which of the two did you describe?
#
# ## Figure 4: how features grow
#
# They drew channels at eight moments of training. `dreamnet` has seven: drawings by gradient ascent, not projections.
# Lesson 14c asks which layer settles first, with one measure for all.

# %%
growth = dk.inside.growth()
block = "inception5a"
two_channels = list(enumerate(growth.channels[block]))[:2]
rows = {f"{c} · {epoch:g} passes": growth.dreams[block][at, i][None]
        for i, c in two_channels for at, epoch in enumerate(growth.epochs)}
dk.show.grid(rows, columns=len(growth.epochs), height=1.2,
             alt=f"Two channels of {block} at seven moments of training: haze, then shapes")

# %% [markdown]
# ## Figure 5: what a layer does not mind
#
# Move a photo. How far do its features go? A distance needs a unit: the distance to a **stranger**, another photo. 0 is
# not moved at all; 1 is as far as the next photo. Five photos, so that each curve has a band. (About 8 seconds.)

# %%
five = [dk.resize(dk.sample(n)[..., :300, :300], (128, 128)) for n in
        ("china", "flower", "chelsea", "astronaut", "coffee")]
five = torch.cat(five)
ends = {"first layer": dk.layer_at(network, 0), "last block": dk.layer_at(network, 1),
        "the answer": ""}


def in_strangers(net, kind, amounts):                    # {layer: [photos][amounts]}
    seen = dk.inside.invariance(net, five, kind, amounts, list(ends.values()))
    far = dk.inside.distance(net, five, five.roll(1, 0), list(ends.values()))
    return {name: (seen.distances[layer] / far[layer][:, None]).tolist()
            for name, layer in ends.items()}


turns = [0, 10, 20, 45, 90, 135, 180]
moved = {"": in_strangers(network, "turn", turns)}
moved[", random weights"] = in_strangers(dk.randomized(network), "turn", turns)
dk.show.lines({name + kind: runs for kind, found in moved.items() for name, runs in found.items()
               if not kind or name != "first layer"}, turns,
              "Distance in strangers as five photos are turned, trained and random weights",
              xlabel="turned by (degrees)", ylabel="distance (1 = a stranger)")

# %%
shifts = [0, 2, 4, 8, 16, 32]
moved = {"": in_strangers(network, "shift", shifts)}
moved[", random weights"] = in_strangers(dk.randomized(network), "shift", shifts)
dk.show.lines({name + kind: runs for kind, found in moved.items() for name, runs in found.items()
               if not kind or name != "first layer"}, shifts,
              "Distance in strangers as five photos are shifted, trained and random weights",
              xlabel="shifted down by (pixels of 128)", ylabel="distance (1 = a stranger)")

# %% [markdown]
# The deeper, the less a movement counts: two pixels down send the first layer of EfficientNet-Lite0 half of the way to a
# stranger, the answer an eighth. Turned by 45° the last block is most of the way there, the answer not half. And this is
# *learnt*: with random weights two pixels are enough to make nearly a stranger (0.9).
#
# ## Figure 6: a stride of 4 folds what it cannot hold
#
# Their first layer had filters of 11 × 11 at a stride of 4. They saw filters of very high and very low frequencies and few
# between, and **aliasing** patterns in layer 2; with 7 × 7 and a stride of 2 both became better. A stride of *s* keeps
# every *s*-th value; what changes faster than once in 2*s* pixels is not dropped but *folded* to a lower frequency.
# `dreamnet` has 7 × 7 filters at a stride of 1, so its maps can be thinned out to either stride. A picture of rings that
# get finer outwards shows it.

# %%
conv1 = pooled.module.conv1.conv.weight.detach()         # [48, 3, 7, 7]
axis = torch.arange(256) - 127.5
radius = axis[:, None].square() + axis.square()
rings = (0.5 + 0.5 * torch.cos(radius * 3.1416 / 2 / 128)).expand(1, 3, -1, -1)
strength = lambda maps, s: maps[..., ::s, ::s]           # a stride of s
first = torch.nn.functional.conv2d(rings - 0.5, conv1, padding=3)
finest = int(first.std((2, 3))[0].argmax())
tiles = {"rings": rings} | {f"filter {finest}, stride {s}": dk.resize(dk.show.signed(
    strength(first, s)[:, [finest]].expand(-1, 3, -1, -1)), (256, 256)) for s in (1, 2, 4)}
dk.show.strip(tiles, height=2.6, alt="Rings, finer outwards, and the map of one filter at strides "
              "of 1, 2 and 4: at 4 there are new rings that are not in the picture")

# %%
def folded(maps, stride):                                # the share of each map's energy that folds
    power = torch.fft.fft2(maps - maps.mean((2, 3), keepdim=True)).abs().square()
    down, across = (torch.fft.fftfreq(n).abs() for n in maps.shape[2:])
    high = torch.maximum(down[:, None], across[None]) >= 0.5 / stride
    return power[..., high].sum(-1) / power.sum((2, 3)).clamp(min=1e-12)


blank = dk.randomized(pooled).module.conv1.conv.weight.detach()
views = torch.cat([dk.resize(photo[..., :160, :160], (160, 160)) for photo in photos])
shares = {}
for title, filters in (("trained", conv1), ("random", blank)):
    maps = torch.nn.functional.conv2d(views, filters)
    for stride in (2, 4):
        share = folded(maps, stride).mean(1)             # of each photo
        shares[f"{title} filters, stride {stride}"] = share.tolist()
dk.show.bars(shares, "share of the energy of conv1's maps that is folded, by photo",
             "; ".join(f"{name}: {sum(v) / len(v):.0%}" for name, v in shares.items()))

# %%
power = torch.fft.fft2(conv1, s=(32, 32)).abs().square().sum(1)   # [48, 32, 32]
order = folded(conv1, 2).mean(1).argsort()               # from coarse to fine
some = order[torch.linspace(0, 47, 12).long()].tolist()
tiles = {f"filter {c}": dk.inside.filter_pictures(conv1[[c]]) for c in some}
tiles |= {f"spectrum {c}": dk.show.heat(torch.fft.fftshift(power[c]).sqrt()) for c in some}
dk.show.grid(tiles, columns=12, height=1.0, pixelated=True,
             alt="Twelve filters of conv1 from coarse to fine, and below each its spectrum")

# %%
size = conv1.square().mean((1, 2, 3)).sqrt()
print(f"{int((size > 0.1).sum())} of 48 filters have a root mean square above 0.1, "
      f"the largest {size.max():.2f}")

# %% [markdown]
# At a stride of 1 the rings of the picture come out; at 2 false rings begin at the rim; at 4 they are everywhere, as
# strong as true ones. In photos a stride of 2 folds about a twentieth of the energy of the maps, a stride of 4 about a fifth,
# in some photos two fifths. Random filters do the same, so aliasing is a matter of the stride and of the photos, not of
# training. The spectra, sorted from coarse to fine, show what Zeiler & Fergus looked for: several filters for the middle
# (low frequencies), few at the rim. They also rescaled filters whose root mean square exceeded 0.1, because a few
# dominated; by that rule some of ours would be rescaled too. What this experiment does not show: whether *training* at a
# stride of 4 makes the gaps. That needs a second training.
#
# ## Figure 7: cover the photo
#
# The second question needs no gradient. Lay a grey square over one position and ask again. If the probability of the
# right class falls, what was there mattered.
#
# ### Exercise 14a.3 · The occluder · 7 minutes · ★★☆
# Divide the photo into squares of `size` pixels. `score(image)` gives one number. Return a tensor `[rows, columns]`: for
# each square the score of the photo in which *only that square* is grey, 0.5.
#
# <details><summary>Hint</summary>
#
# Two loops. In each turn begin with `image.clone()`, and set a slice of it: `[..., row * size:(row + 1) * size, …] = 0.5`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_cover(score, image, size):
#     result = torch.zeros(image.shape[2] // size, image.shape[3] // size)
#     for row in range(result.shape[0]):
#         for column in range(result.shape[1]):
#             covered = image.clone()
#             covered[..., row * size:(row + 1) * size, column * size:(column + 1) * size] = 0.5
#             result[row, column] = score(covered)
#     return result
# ```
# </details>

# %% tags=["exercise"]
def my_cover(score, image, size):
    ...  # your lines


dk.exercises.check("cover", my_cover)

# %% [markdown]
# Their figure watches four things while the square goes round: the activity of the map that is strongest in a high
# layer, that map's projection, the probability of the class, and the most probable label. (About 5 seconds. Lesson 14b does
# it for several photos, with a control.)

# %%
photo = dk.resize(dk.sample("coffee")[..., 90:490], (192, 192))
panels = dk.inside.occlusion_panels(network, photo, size=56, stride=24)
right, sure = panels.name(panels.index), panels.uncovered[1]
print(f"{right!r}: {sure:.2f} uncovered; covered, {panels.probability.min():.2f} "
      f"to {panels.probability.max():.2f}")
dk.inside.occlusion_chart(photo, panels)

# %% [markdown]
# Push the square yourself: its size and position, and the layer and channel to watch.

# %%
dk.widgets.cover(network, photo)

# %% [markdown]
# ## Figure 8 and table 1: is my eye your eye?
#
# They covered the same part in five photos of dogs, and compared how a layer's features change: the signs of the
# changes, and how often two photos differ in them.
#
# ### Exercise 14a.4 · Do two changes agree? · 4 minutes · ★☆☆
# `a` and `b` hold signs: -1, 0 or 1 for each feature. Return the **Hamming distance** as a share: of all features, how many
# differ.
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
# No photos of dogs come with the course. We take small grey faces (25 × 25 pixels, scikit-image), five at a time as they
# did, ten times over. Numbers from two networks and two sets of pictures can be compared in their *order*, not in size.
# (About 8 seconds.)

# %%
PUBLISHED = {"right eye": (.067, .069), "left eye": (.069, .068), "nose": (.079, .069),
             "random": (.107, .073)}
faces = dk.inside.faces(50)
generator = torch.Generator().manual_seed(0)
tops, lefts = (torch.randint(0, high, (50,), generator=generator).tolist() for high in (53, 41))
boxes = {part: dk.inside.FACE_PARTS[part] for part in ("right eye", "left eye", "nose", "corner")}
boxes["random"] = [(top, top + 12, left, left + 24) for top, left in zip(tops, lefts)]
middle, top = dk.layer_at(network, 0.6), dk.layer_at(network, 1)
print(f"{'':12}{'published: layers 5, 7':28}ours: {middle}, {top} (mean ± standard deviation)")
for part, box in boxes.items():
    line = f"{', '.join(f'{p:.3f}' for p in PUBLISHED.get(part, ())) or 'not published':28}"
    for layer in (middle, top):
        fives = [dk.inside.hamming(s) for s in
                 dk.inside.sign_changes(network, faces, box, layer).split(5)]
        spread = torch.tensor(fives)
        line += f"{spread.mean():.3f} ± {spread.std():.3f}      "
    print(f"{part:12}{line}")

# %% [markdown]
# The order is theirs: in the middle layer the fixed parts are lower than random positions, in the last layer nothing is
# told apart within the spread, as in their layer 7. But look at the corner, which holds no part of a face: it is the
# lowest of all. The faces are aligned, so the same part is the same *position*, and the published comparison cannot tell the
# two apart. Lesson 14c separates them.
#
# Ours are five times theirs; the network, its layers, the pictures and the size of the box all differ.
#
# ## Table 3 and the features of each layer
#
# Two more of their questions need labels: what is lost without a part of the network, and how good are a layer's
# features for another task? The labelled pictures here are digits written by hand (scikit-learn, 8 × 8 pixels, enlarged):
# 500 to fit a **linear classifier** on a layer's features, 300 to test it. The network's weights stay as they are.

# %%
digits, values = dk.inside.digits(800, side=48)
values = torch.tensor(values)
targets = torch.nn.functional.one_hot(values, 10).float()


def features(net, layers):                               # {layer: [800, D]}, maps as 2 × 2 cells
    found = [dk.capture(net, part, layers) for part in digits.split(100)]
    cells = lambda f: torch.nn.functional.adaptive_avg_pool2d(f, 2).flatten(1)
    return {layer: torch.cat([cells(f[layer]) for f in found]) for layer in layers}


def fitted(cells):                                       # a linear classifier, by ridge regression
    mean, scale = cells[:500].mean(0), cells[:500].std(0).clamp(min=1e-6) * cells.shape[1] ** 0.5
    known = (cells[:500] - mean) / scale
    gram = known @ known.T + 0.01 * torch.eye(500)
    weights = known.T @ torch.linalg.solve(gram, targets[:500] - 0.1)
    return lambda cells: (cells - mean) / scale @ weights


def right_share(classifier, cells):                      # of the 300 digits that were held back
    return float((classifier(cells[500:]).argmax(1) == values[500:]).float().mean())

# %% [markdown]
# **Predict:** at which depth are ImageNet's features best for digits, and how far behind are random weights? (5 to 10
# seconds.)

# %%
depths = [*dk.suggested_layers(network)[::2], dk.layer_at(network, 1)]
nets = {"trained on ImageNet": [network],
        "random weights (2 seeds)": [dk.randomized(network, seed) for seed in (0, 1)]}
scores = {title: [[right_share(fitted(cells), cells) for cells in features(net, depths).values()]
                  for net in some] for title, some in nets.items()}
bare = dk.resize(digits, (8, 8))[:, 0].flatten(1)
scores["bare pixels"] = [right_share(fitted(bare), bare)] * len(depths)
dk.show.lines(scores, depths, "Share of 300 digits named by a linear classifier on each layer",
              ylabel="right")

# %% [markdown]
# In EfficientNet-Lite0 the middle layers are best: well above bare pixels, and above random weights. The last layers are
# made for ImageNet's classes, and fall below bare pixels. With random weights the first layer is as good as the trained one, and
# from there each layer loses. On 300 digits a share has a standard error of one to two in a hundred. Zeiler &
# Fergus have sections on both questions (generalisation and feature analysis); we know only their titles, so there is no
# number of theirs here. For photos the best layer may well be a later one.
#
# **Without a part of the network.** Each of these blocks adds what it computes to what came in. Silence that sum's second
# half, and the photo still passes by. With the classifier as it was, and with a classifier fitted anew to the damaged
# features (they retrained the whole network; here only the classifier learns). (About 10 seconds.)

# %%
if network.base_name == "efficientnet_lite0":
    skipped = [f"{block}.project" for block in ("block2b", "block5b", "block6c")]
else:
    skipped = [dk.layer_at(network, 0.6)]
last = dk.layer_at(network, 1)
intact = features(network, [last])[last]
whole = fitted(intact)
print(f"nothing removed: {right_share(whole, intact):.0%}")
for part in skipped:
    less = features(dk.inside.without(network, part), [last])[last]
    print(f"without {part:18} the old classifier {right_share(whole, less):4.0%}   "
          f"a new one {right_share(fitted(less), less):4.0%}")

# %% [markdown]
# In EfficientNet-Lite0 a removed block costs the old classifier up to half of what it had right; a new one comes back
# to within seven in a hundred of the intact network, or to its level. What a block does can be done without, once the classifier may adapt. An ablation *without* retraining
# says what the rest is used to, not what it needs; that is why their table 3 trains again.
#
# ## Open investigation
#
# Nobody has written the answer down. *Do nine projections agree more in a trained network than in a random one, and can
# you measure it?* People see agreement easily; a number is harder. Below is a first
# try: the mean correlation of the nine
# projections of a channel. Is it fair? Try it for more channels, other layers, and patches chosen at random. (About 5 seconds.)

# %%
def agreement(net, layer, channel):
    found = dk.inside.top_projections(net, layer, channel, bank, widest=48)
    small = [dk.resize(p.signal, (16, 16)).flatten() for p in found if p.signal.shape[-1] >= 16]
    return float(torch.corrcoef(torch.stack(small)).mean()) if len(small) > 1 else 0.0


for title, net in (("trained", pooled), ("random weights", untrained)):
    some = [agreement(net, deep, c) for c in busiest(net, deep, 2)]
    print(f"{title:15}", *(f"{value:.2f}" for value in some))

# %% [markdown]
# ## Recap
#
# - You wrote the deconvnet's two special rules: unpooling by switches, and a ReLU of the signal.
# - Only the switches carry the photo: in EfficientNet-Lite0, without max-pools, one unit's projections of two photos are the
#   same picture. In `dreamnet` random weights project the outlines of whatever is in the patch.
# - Two pixels down move the answer of EfficientNet-Lite0 an eighth of the way to a stranger; with random weights nine tenths.
# - A stride of 4 folds about a fifth of the energy of `dreamnet`'s first-layer maps of photos, a stride of 2 a twentieth; random
#   filters fold nearly as much.
# - In aligned faces covered parts change the middle layer more alike than covered random positions; so does a corner without a part.
# - A linear classifier reads digits best from the middle layers, above bare pixels and random weights. When one block is
#   removed (three were tried), the old classifier loses more than a new one.
#
# ## Read next
#
# - Lesson 14b: CS231n's list, from dead filters to adversarial pictures; 14c: inversion, growth and correspondence with controls.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional networks](https://arxiv.org/abs/1311.2901), 2013: the
#   figures and tables above have their numbers.
# - K. Simonyan, A. Vedaldi and A. Zisserman, [Deep inside convolutional networks](https://arxiv.org/abs/1312.6034), 2013: the gradient
#   as a map, and how it relates to the deconvnet.
# - J. Springenberg et al., [Striving for simplicity](https://arxiv.org/abs/1412.6806), 2014: guided backpropagation.
# - E. Alpaydin and C. Kaynak, *Optical recognition of handwritten digits*, 1998: the digits.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 14b · The CS231n tour: thirteen ways to look inside
#
# Stanford's course CS231n has one page, "Visualizing what ConvNets learn", that lists the field's methods. This lesson
# visits every entry, each with one short experiment, a number and a control. Some entries have a lesson of their own; then
# there is a signpost.
#
# - **You will do:** draw dead filters black; look at second-layer filters; compare channels with directions; lay photos out
#   as a map; cover photos; ask which maps notice that the network forgets; build adversarial pictures.
# - **You will learn:** what each method can show, and what its control takes away again.
# - **You need:** lessons 01 to 04.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()

# %% [markdown]
# To begin with, entry 4, **t-SNE of codes**: 144 crops of twelve photos, laid out so that crops with like features in the
# last layer lie side by side. Nothing but the features decides. (About 8 seconds.)

# %%
import torch

photos = list(dk.collection("samples"))
generator = torch.Generator().manual_seed(0)
cut = lambda image, y, x: dk.resize(image[..., y:y + 80, x:x + 80], (96, 96))
spots = [(int(torch.randint(0, p.shape[2] - 79, (1,), generator=generator)),
          int(torch.randint(0, p.shape[3] - 79, (1,), generator=generator)), i)
         for i, p in enumerate(photos) for _ in range(144 // len(photos))]
crops = torch.cat([cut(photos[i], y, x) for y, x, i in spots])
owner = [i for _, _, i in spots]                         # the photo of each crop

# %%
last = dk.layer_at(network, 1)
codes = dk.inside.codes(network, crops, last)            # [144, C]: each map averaged
places = dk.inside.grid_places(dk.inside.embedded(codes, perplexity=10))
dk.show.picture(dk.inside.mosaic(dk.resize(crops, (76, 76)), places, gap=2),
                f"{len(crops)} crops of photos as a map by t-SNE of {last}")

# %% [markdown]
# The map flatters. **Predict, then reveal:** of the five crops nearest to a crop, how many are of the same photo? With
# trained features, with random weights, and with bare pixels? And all three again when the crops are grey?
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# Chance gives 8 %. Trained features: 94 %, in colour and in grey. Random weights: about a third, no better than
# bare pixels, which reach a half. So the map shows more than colour. But a crop and its neighbours come from *one photo*, and may
# overlap: this says that the features recognise a scene, not that they know a class.
# </details>

# %%
blind = dk.randomized(network)
grey = crops.mean(1, keepdim=True).expand(-1, 3, -1, -1).contiguous()
for kind, some in (("in colour", crops), ("grey", grey)):
    seen = {"trained": dk.inside.codes(network, some, last),
            "random weights": dk.inside.codes(blind, some, last),
            "bare pixels, 8 × 8": dk.resize(some, (8, 8)).flatten(1)}
    for name, code in seen.items():
        share = dk.inside.neighbours_alike(code, owner)
        print(f"{kind:10}{name:20}{share:4.0%} of five neighbours")
print(f"{'by chance':30}{(144 // len(photos) - 1) / 143:4.0%}")

# %% [markdown]
# ## 1 · Activations, and dead filters
#
# The page's first advice: look at the maps, and beware of those that are **always black**. One picture shows all channels of a
# layer at once: a row for each photo, a column for each channel, as bright as its highest cell. A black *column* is a
# channel that no photo woke.

# %%
depths = [dk.layer_at(network, depth) for depth in (0, 0.45, 0.85)]


def peaks(net, layer):                                   # [photos, C]
    return torch.cat([dk.capture(net, p, layer)[layer].amax((2, 3)) for p in small]).clamp(min=0)


small = [dk.resize(p, tuple(round(s * 0.625) for s in p.shape[-2:])) for p in photos]

# %%
tiles = {}
for title, net in (("trained", network), ("random weights", blind)):
    for layer in depths:
        high = peaks(net, layer)[:, :160]
        silent = int((high.amax(0) <= 0).sum())
        bright = (high / high.amax().clamp(min=1e-9)).sqrt()
        tiles[f"{title}, {layer}: {silent} of {high.shape[1]} black"] = dk.show.heat(
            bright, (12 * len(high), 6 * high.shape[1]), low=0.0, high=1.0)
dk.show.grid(tiles, columns=1, height=0.9,
             alt=f"Photos by channels, black where silent: {'; '.join(tiles)}")

# %% [markdown]
# In EfficientNet-Lite0 four channels of the first layer are black for all twelve photos, and a few in block 6; with random
# weights nearly none is. So training makes silent channels, and selective ones: the deep trained map is mostly dark, the
# random one mostly bright. Silent for twelve photos is not dead: only more photos can tell.
#
# ### Exercise 14b.1 · Who never speaks? · 5 minutes · ★☆☆
# `maps` are the features `[N, C, h, w]` of N pictures. Return `[C]`, True for each channel that no picture wakes: no cell of it is above 0.
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
# ## 2 · Filters of the first and the second layer
#
# Filters of a well-trained first layer are smooth, says the page; noisy ones hint at too little training. EfficientNet-Lite0's
# are 3 × 3, too small to see; `dreamnet` has 7 × 7. A second-layer filter has no colours: one grey tile for each channel
# below it. Each row below is one filter.

# %%
embedded = dk.load_network("dreamnet")
grid = lambda rows, columns: torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
weights = {"dreamnet": embedded, "random weights": dk.randomized(embedded)}

# %%
tiles = {}
for title, net in weights.items():
    one, two = net.module.conv1.conv.weight.detach(), net.module.conv2[1].conv.weight.detach()
    first = dk.inside.filter_pictures(one[:24])
    second = 0.5 + 0.5 * two[:8, :16] / two[:8, :16].abs().amax((1, 2, 3), keepdim=True)
    second = second.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
    tiles[f"{title}, conv1"] = dk.inside.mosaic(first, grid(3, 8))
    tiles[f"{title}, conv2"] = dk.inside.mosaic(second, grid(8, 16))
    next_to = torch.corrcoef(torch.stack([one[..., 1:].flatten(), one[..., :-1].flatten()]))[0, 1]
    print(f"{title:15} correlation of neighbouring weights in conv1: {next_to:5.2f}")
dk.show.grid(tiles, columns=4, height=1.5, pixelated=True, alt=f"Filters: {', '.join(tiles)}")

# %% [markdown]
# ## 3 · Maximal patches: are channels special?
#
# Lesson 02 cut out the nine patches that excite a channel most. The page warns (after Szegedy et al., 2013): a random
# **direction**, a mixture of all channels, may give patches that look as meaningful as those of a channel. A second network
# is the judge: how alike does *it* find the nine patches?

# %%
deep = dk.layer_at(network, 0.75)
maps = torch.cat([dk.capture(network, some, deep)[deep].amax((2, 3)) for some in crops.split(48)])
maps = (maps - maps.mean(0)) / maps.std(0).clamp(min=1e-6)
judge = dk.inside.codes(dk.load_network("dreamnet"), dk.resize(crops, (64, 64)), "inception5b")
judge = torch.nn.functional.normalize(judge - judge.mean(0), dim=1)
awake = (maps.amax(0) > 0).nonzero().flatten()

# %%
def nine(values):                                        # the crops with the nine highest values
    return values.topk(9).indices


def judged(chosen):                                      # mean similarity of the pairs
    alike = judge[chosen] @ judge[chosen].T
    return float((alike.sum() - 9) / 72)

# %%
mixture = lambda: torch.randn(maps.shape[1], generator=generator)
some = awake[torch.randperm(len(awake), generator=generator)[:40]].tolist()
choices = {"channels": [maps[:, c] for c in some],
           "directions": [maps @ mixture() for _ in range(40)],
           "nine at random": [torch.rand(len(crops), generator=generator) for _ in range(40)]}
scores = {kind: [judged(nine(v)) for v in some] for kind, some in choices.items()}
dk.show.bars(scores, "how alike the judge finds the nine (mean cosine)",
             "; ".join(f"{kind} {sum(v) / 40:.2f}" for kind, v in scores.items()))

# %%
tiles = {f"{kind[:-1]} {k + 1}" if kind != "nine at random" else f"random nine {k + 1}":
         dk.show.mosaic([crops[[i]] for i in nine(some[k]).tolist()], side=64, gap=4)
         for kind, some in choices.items() for k in (0, 1)}
dk.show.strip(tiles, height=1.8, alt=f"Nine crops each: {', '.join(tiles)}")

# %% [markdown]
# The warning holds here: nine crops chosen by a random direction are, for the judge, as alike as nine chosen by a channel;
# nine at random are not. So nine alike patches do not prove that a *channel* is a special axis. Many of the nine come from one
# photo, though; with more photos the answer could be another.
#
# ## 5 · Occlusion
#
# Lesson 14a writes the occluder; one photo proves little. Four photos, each covered at 64 positions by a grey square.
# (About 8 seconds.)

# %%
four = {"coffee": (90, 490), "chelsea": (100, 400), "rocket": (100, 500), "astronaut": (100, 500)}
scenes = {name: dk.resize(dk.sample(name)[..., :high - low, low:high], (160, 160))
          for name, (low, high) in four.items()}
covered = {name: dk.inside.occlusion_panels(network, image, size=48, stride=20)
           for name, image in scenes.items()}

# %%
tiles = {}
for name, panel in covered.items():
    label, sure = panel.name(panel.index), panel.uncovered[1]
    tiles[f"{label} {sure:.2f}"] = scenes[name]
    fall = (sure - panel.probability).clamp(min=0)
    tiles[f"{name}: falls by up to {float(fall.max()):.2f}"] = dk.show.overlay(scenes[name], fall)
    print(f"{name:10} probability of {label!r}: {sure:.2f}; covered, half of the positions give "
          f"{panel.probability.median():.2f} or less, the lowest {panel.probability.min():.2f}")
dk.show.grid(tiles, columns=4, height=2.2,
             alt=f"Four photos, and where a grey square lowers the answer: {'; '.join(tiles)}")

# %% [markdown]
# ### Write before you reveal
# Choose one of the four maps. Is the brightest position on the thing that the network names? **Write down** another
# explanation for the fall than "the thing was hidden", and the picture that would decide between the two.

# %%
note = """
The brightest position lies on …
Another explanation: …            I would test it by showing …
"""

# %% [markdown]
# ## 6 to 8 · Data gradient, deconvnet, guided backpropagation
#
# Lesson 14a builds these rules. Here is the question that the page does not ask (Adebayo et al., 2018): **does the map
# notice that the network forgets?** Random weights in the classifier alone, then everywhere. The number is a rank
# correlation with the trained map: 1, the same order of pixels. Four photos each. (10 to 15 seconds.)

# %%
METHODS = {"gradient": dk.inside.saliency, "deconvnet": dk.inside.deconvolution,
           "guided backprop": dk.inside.guided_backprop, "Grad-CAM": dk.inside.grad_cam}
stages = list(dk.inside.forgetting(network))
stages = {"classifier": stages[0][1], "everything": stages[-1][1]}


def strength(image, method, net, index):                 # at the size of Grad-CAM's cells
    return dk.resize(method(net, image, index).abs().amax(1, keepdim=True), (20, 20))

# %%
noticed = {}
for name, method in METHODS.items():
    for stage, net in stages.items():
        pairs = [[strength(image, method, n, covered[k].index) for n in (network, net)]
                 for k, image in scenes.items()]
        noticed[f"{name}, random {stage}"] = [
            dk.inside.rank_correlation(a, b) for a, b in pairs if a.std() > 0 < b.std()] or [0.0]
dk.show.bars(noticed, "rank correlation with the map of the trained network",
             "; ".join(f"{name}: {sum(v) / len(v):.2f}" for name, v in noticed.items()))

# %%
image, index = scenes["chelsea"], covered["chelsea"].index
tiles = {"the photo": image}
for name, method in list(METHODS.items())[:3]:
    for title, net in (("trained", network), ("random", stages["everything"])):
        drawn = method(net, image, index).expand(-1, 3, -1, -1)
        tiles[f"{name},\n{title}"] = dk.show.signed(drawn)
dk.show.grid(tiles, columns=7, height=1.5, alt=f"A cat, and {', '.join(list(tiles)[1:])}")

# %% [markdown]
# In EfficientNet-Lite0, with the classifier random: deconvnet and guided backpropagation correlate with their old maps at 0.98
# or more, in all four photos. They explain a network that can no longer name anything in the same way. The gradient changes by
# a part, Grad-CAM for some photos completely and for others little: look at the dots, not at the bar. With everything random
# the deconvnet still keeps more than half: there are no switches here, so that is its fixed grid of strides (lesson 14a).
#
# ## 9 and 10 · Inversion and correspondence
#
# Both are lesson 14c.
#
# ## 11 · Accuracy against attributes of the picture
#
# How does the answer depend on blur, on brightness, on size? The page plots accuracy. Sample photos have no labels, so we
# ask how often the network *keeps its own answer*. Twelve photos; random weights beside them. (About 8 seconds.)

# %%
views = torch.cat([dk.resize(p[..., :160, -160:], (128, 128)) for p in photos])
answer = lambda net, pictures: dk.capture(net, pictures, "")[""].argmax(1)
CHANGES = {"blur (σ in pixels)": ([0, 1, 2, 3, 5], lambda x, v: dk.smooth(x, v) if v else x),
           "brightness (factor)": ([0.2, 0.5, 1, 1.5, 2], lambda x, v: (x * v).clamp(0, 1)),
           "size (of 128 pixels)": ([32, 48, 64, 96, 128], lambda x, v: dk.resize(x, (v, v)))}
for title, (amounts, change) in CHANGES.items():
    for name, net in (("trained", network), ("random weights", blind)):
        plain = answer(net, views)
        same = [float((answer(net, change(views, v)) == plain).float().mean()) for v in amounts]
        said = "  ".join(f"{v}: {share:3.0%}" for v, share in zip(amounts, same))
        print(f"{title:22}{name:16}{said}")

# %% [markdown]
# In EfficientNet-Lite0 a blur of one pixel already changes more than half of the answers, and half the size three quarters. The
# network was trained on sharp pictures of 224 pixels. Random weights look *more* robust, because they say nearly
# the same of everything: robustness without accuracy is worth nothing. Twelve photos: one photo is 8 %.
#
# ## 12 · Adversarial pictures
#
# How little must change before the cup is a goldfish? Go up the gradient of *goldfish's logit minus the greatest other
# one*, and allow less distance while it works, more while it does not. The page calls the result *fooling*; the field's word is
# **adversarial example** (Szegedy et al., 2013). The distance is L2, pixels from 0 to 1. The control is noise of the same
# distance, ten times. (About 10 seconds.)

# %%
target = "goldfish"
tiles = {}
for name in ("coffee", "chelsea"):
    own = scenes[name]
    made = dk.inside.smallest_fooling(network, own, target, steps=20)
    if made is None:
        continue
    first = dk.classify(network, own, 1)[0][0]
    kept = 0
    for seed in range(10):
        static = dk.noise(160, 160, seed=seed) - 0.5
        noisy = (own + static * made.radius / static.norm()).clamp(0, 1)
        kept += dk.classify(network, noisy, 1)[0][0] == first
    print(f"{name}: {first!r}; at L2 {made.radius:.2f} the first guess is {target!r}, "
          f"{made.probability:.0%}; noise of that size keeps the answer {kept} of 10 times")
    tiles |= {first: own, f"{target} (L2 {made.radius:.2f})": made.image,
              f"{name}: change × 20": (0.5 + 20 * (made.image - own)).clamp(0, 1)}
dk.show.grid(tiles, columns=3, height=3.0,
             alt=f"Photos, adversarial pictures and the changes: {', '.join(tiles)}")

# %% [markdown]
# ### Exercise 14b.2 · Back into the ball · 6 minutes · ★★☆
# An adversarial picture may lie at most `radius` (L2) from the photo. Write `my_ball(change, radius)`: the change as it is where it is short
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
# The panel gives a plain network and one that was trained to resist (`dreamnet-robust`) the same budget, each stop in a few seconds.

# %%
pair = [embedded, dk.load_network("dreamnet-robust")]
cup = dk.resize(scenes["coffee"], (64, 64))

# %%
def budget(radius):
    made = {net.name: dk.inside.fool(net, cup, target, radius, steps=10) for net in pair}
    says = {net.name: dk.classify(net, made[net.name], 1)[0] for net in pair}
    return made, "; ".join(f"{name} says {what}, {p:.0%}" for name, (what, p) in says.items())


dk.widgets.slide("radius (L2)", [0.0, 0.5, 1.0, 2.0, 4.0, 8.0], budget, start=2.0, width=260)

# %% [markdown]
# ## 13 · Comparison with human labelers
#
# Only a link, as on the page: A. Karpathy, [What I learned from competing against a ConvNet on
# ImageNet](https://karpathy.github.io/2014/09/02/what-i-learned-from-competing-against-a-convnet-on-imagenet/), 2014.
#
# ## Open investigation
#
# Nobody has written the answer down. *Which attribute decides that an answer flips?* A cup may become another thing by a
# new colour, a turn, or a neighbour. Begin with colour: how far can the cup's hue go before the answer goes?

# %%
for shift in (0, 1, 2):
    turned = scenes["coffee"].roll(shift, 1)             # red to green to blue
    print(shift, ", ".join(f"{what} {p:.0%}" for what, p in dk.classify(network, turned, 3)))

# %% [markdown]
# ## Recap
#
# - You drew silent channels black, looked at second-layer filters, covered four photos and made adversarial pictures.
# - Behind the map by t-SNE stands a number: in the features 94 % of the five nearest crops are of the same photo, against a third
#   with random weights and a half with bare pixels.
# - The filters of `dreamnet`'s first layer are smooth (neighbouring weights correlate at about 0.4), random ones are not.
# - In one deep layer random directions give nine crops as alike as those of channels (nine at random are not alike).
# - Deconvnet and guided backpropagation hardly notice a random classifier (0.98 or more, in four photos); the gradient does in part.
# - In two photos a change of L2 below 0.5 makes a goldfish the first guess; noise of that size kept the answer in all 20 trials.
#
# ## Read next
#
# - CS231n, [Visualizing what ConvNets learn](https://cs231n.github.io/understanding-cnn/): the page of this tour.
# - C. Szegedy et al., [Intriguing properties of neural networks](https://arxiv.org/abs/1312.6199), 2013: directions, and
#   adversarial examples; the search: J. Rony et al., [Decoupling direction and norm](https://arxiv.org/abs/1811.09600), 2019.
# - J. Adebayo et al., [Sanity checks for saliency maps](https://arxiv.org/abs/1810.03292), 2018.
# - L. van der Maaten and G. Hinton, [Visualizing data using t-SNE](https://jmlr.org/papers/v9/vandermaaten08a.html), 2008.
# - Lesson 14c: what comes back from a layer's features.

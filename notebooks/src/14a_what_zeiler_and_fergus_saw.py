# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 14a · What Zeiler & Fergus saw: the deconvnet, covering, and maps to distrust
#
# In 2013 Matthew Zeiler and Rob Fergus asked a trained network two questions. *What, of this photo, made that cell
# fire?* They sent the activation back down to the pixels. And *what does the answer hang on?* They covered the photo,
# place by place, and watched. This lesson does both, and then asks of every such map what it would look like if the
# network knew nothing. (How features grow, invariance and ablation are in lesson 14b.)
#
# - **You will do:** project activations down to pixels beside the patches that caused them; slide a grey square over a
#   photo; draw six kinds of attribution maps; make a network forget, layer by layer, and measure whether its maps notice.
# - **You will learn:** that a deconvnet is a backward pass with one rule changed; what covering tells and what it costs;
#   and which maps explain the network and which little more than the photo.
# - **You need:** lessons 02 (patches) and 03 (the gradient).
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Here is where we are going: figure 2 of their paper, for our network and a dozen photos. Above, nine patches that excite one
# channel of a layer most. Below, for each of the nine, what of the patch made the channel fire. (About six seconds.)

# %%
import torch


def mosaic(tiles, side=40):                                                   # nine small pictures as one square
    tiles = [dk.resize(tile, (side, side)) for tile in tiles[:9]]
    tiles += [torch.ones(1, 3, side, side)] * (9 - len(tiles))
    return torch.cat([torch.cat(tiles[i:i + 3], 3) for i in (0, 3, 6)], 2)


def pair(net, layer, channel):                                                # patches, and what the channel saw of them
    found = dk.inside.top_projections(net, layer, channel, widest=48, sides=(96,))
    return mosaic([p.patch.crop for p in found]), mosaic([dk.show.signed(p.signal) for p in found])


photo = dk.sample("coffee", 96)
layers = [dk.layer_at(network, depth) for depth in (0.0, 0.15, 0.45, 0.6, 0.85)]
busiest = {layer: int(maps[0].amax((1, 2)).argmax()) for layer, maps in dk.capture(network, photo, layers).items()}
pairs = {f"{layer} · {channel}": pair(network, layer, channel) for layer, channel in busiest.items()}
shown = {name: patches for name, (patches, _) in pairs.items()} | {f"{name}, seen": seen for name, (_, seen) in pairs.items()}
dk.show.grid(shown, columns=5, height=1.6, alt=f"Nine patches each that excite a channel of {', '.join(layers)} most, "
                                               "and below them what the channel saw of each: edges first, then shapes")

# %% [markdown]
# Grey is "nothing". Where the lower picture is bright, brighter pixels speak for the channel; where it is dark, darker
# ones. In the first layer the projection *is* the filter. Higher up it picks out a stroke, a curve, a rim, and leaves the
# rest of the patch grey: it says what the nine patches have in common, which the patches alone leave you to guess. In the
# last column a cell sees nearly everything, and its projection is no longer easy to read.
#
# ## Down again, in three steps
#
# Keep one activation, the strongest cell of a channel, and set all others to 0. Then go down, layer by layer:
#
# 1. **Unpool.** A max-pool kept one value of each window and forgot where it had been. So on the way up the places are
#    noted (the *switches*), and on the way down each value goes back to its place.
# 2. **Rectify.** All that is negative becomes 0.
# 3. **Filter** with the same weights, transposed: what a filter added up from a neighbourhood it now paints into it.

# %%
seen = {"the photo": photo}
for layer in dk.suggested_layers(network):
    channel = int(dk.capture(network, photo, layer)[layer][0].amax((1, 2)).argmax())
    seen[f"{layer} · {channel}"] = dk.show.signed(dk.inside.project(network, photo, layer, channel))
dk.show.grid(seen, columns=3, height=1.5, alt=f"A cup of coffee; one cell of each of {', '.join(list(seen)[1:])} projected down to it")

# %% [markdown]
# One cell each. The higher the layer, the more of the photo a single cell has gathered.
#
# ### Exercise 14a.1 · Back to where the maximum was · 6 minutes · ★★☆
# `values` `[h, w]` come down from above. `switches` `[h, w]` say for each where its maximum was, counted row by row
# through a map of `height` rows and `width` columns. Give back that map: 0, but for the values at their places. Windows
# may overlap, so two values can belong to one place.
#
# <details><summary>Hint</summary>
#
# Begin with `torch.zeros(height * width)`. `index_add_(0, places, values)` adds each value at its place; both must be flat.
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
# ## It is backpropagation, with one rule changed
#
# You know two of the three steps. The gradient of a maximum flows to where the maximum was: that is unpooling. The
# gradient of a convolution is the transposed convolution. Only the ReLU differs. On its way down a signal meets a ReLU
# through which a value once *came up*, and three methods treat it in three ways:
#
# | method | the ReLU hands the signal down where … |
# |---|---|
# | gradient (Simonyan et al., 2013) | … what came up was positive |
# | deconvnet (Zeiler & Fergus, 2013) | … what comes down is positive |
# | guided backpropagation (Springenberg et al., 2014) | … both are |
#
# ### Exercise 14a.2 · What a ReLU hands down · 4 minutes · ★☆☆
# `came_up` is what went into the ReLU on the way up, `signal` what comes down to it. Give back what the **deconvnet** hands on.
#
# <details><summary>Hint</summary>
#
# One of the two arguments is not needed at all. `clamp(min=0)` rectifies.
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
# The same cell by all three rules:

# %%
layer = layers[-1]
maps = dk.capture(network, photo, layer)[layer][0]
channel = busiest[layer]
row, column = divmod(int(maps[channel].argmax()), maps.shape[2])
cell = dk.neuron(layer, channel, row, column)
rules = {"gradient": dk.gradient(dk.scorer(network, cell), photo), "deconvnet": dk.inside.deconvolution(network, photo, cell),
         "guided backprop": dk.inside.guided_backprop(network, photo, cell)}
dk.show.strip({name: dk.show.signed(signal) for name, signal in rules.items()}, height=1.7,
              alt=f"One cell of {layer}, channel {channel}, sent down to a photo of coffee by three rules: a noisy one and two clear ones")

# %% [markdown]
# The gradient is noisy, the other two look like drawings. Does that make them better? Predict first.
#
# ## Predict, then reveal
#
# A network with random weights has never seen a cup. **Predict: what does each of the three rules show of its strongest cell?**
#
# <details><summary>Think first, then open</summary>
#
# The gradient is noise, as it should be. But the deconvnet and guided backpropagation still draw the rims and edges of the
# cup: the signal can come down only where the ReLUs and switches of *this photo* let it, so it picks out the photo's
# own edges, whatever the weights. Clear lines do not prove that the network knows anything.
# </details>

# %%
untrained = dk.randomized(network)
maps = dk.capture(untrained, photo, layer)[layer][0]
blind, place = divmod(int(maps.argmax()), maps[0].numel())
cell = dk.neuron(layer, blind, *divmod(place, maps.shape[2]))
rules = {"gradient": dk.gradient(dk.scorer(untrained, cell), photo), "deconvnet": dk.inside.deconvolution(untrained, photo, cell),
         "guided backprop": dk.inside.guided_backprop(untrained, photo, cell)}
dk.show.strip({f"{name}, random": dk.show.signed(signal) for name, signal in rules.items()}, height=1.7,
              alt=f"The strongest cell of {layer} with random weights, sent down to the photo of coffee by the same three rules")

# %% [markdown]
# And the nine patches with their projections, for channels of the trained network and of random weights. Look for what the
# nine have in common. (About six seconds.)

# %%
deep = layers[3]
strong = dk.capture(network, photo, deep)[deep][0].amax((1, 2)).topk(2).indices.tolist()
weak = dk.capture(untrained, photo, deep)[deep][0].amax((1, 2)).topk(2).indices.tolist()
shown = {f"{deep} · {c}": torch.cat(pair(network, deep, c), 2) for c in strong}
shown |= {f"random · {c}": torch.cat(pair(untrained, deep, c), 2) for c in weak}
dk.show.strip(shown, height=3.2, alt=f"Patches above, projections below: channels {strong} of {deep} with what is common to their "
                                     f"patches, and channels {weak} with random weights, which outline any patch")

# %% [markdown]
# ## Covering the photo
#
# The second question needs no gradient at all. Lay a grey square over one place and ask again. If the probability of the
# right class falls, what was there mattered.
#
# ### Exercise 14a.3 · Cover every place once · 7 minutes · ★★☆
# Divide the photo into squares of `size` pixels. `score(image)` gives one number. Give back a tensor `[rows, columns]`: for
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
# Their figure 7 watches four things while the square goes round: the activity of the map that is strongest in a high
# layer, that map's projection, the probability of the right class, and the most probable label. (About five seconds.)

# %%
right = dk.classify(network, photo, 1)[0][0]                                  # what it takes the photo for
others = [dk.sample(name, 96) for name in ("chelsea", "motorcycle", "flower")]
panels = dk.inside.occlusion_panels(network, photo, size=36, stride=8, others=others)
print(f"taken for {right!r} with a probability of {panels.uncovered[1]:.2f}; covered, between {panels.probability.min():.2f} "
      f"and {panels.probability.max():.2f}")
dk.inside.occlusion_chart(photo, panels)

# %% [markdown]
# Cover the cup and the answer goes; cover the wood and little happens. The map in (b) may watch another part than the one
# that decides (d), and where the label flips, (e) says into what. And what does that map see in other photos?

# %%
shown = {}
for name, (other, signal) in zip(("a cat", "a motorcycle", "a flower"), panels.others):
    shown |= {name: other, f"{name}, seen": dk.show.signed(signal)}
dk.show.grid(shown, columns=6, height=1.1, alt=f"Three other photos, and what map {panels.channel} of {panels.layer} saw in each")

# %% [markdown]
# Push the square yourself: its size and place, and the layer and channel to watch. Find the smallest square that changes the label.

# %%
dk.widgets.cover(network, photo)

# %% [markdown]
# ## Six ways to ask which pixels count
#
# Others have since asked the same. `dk.inside` has the usual ones, worked out by the library captum; all take a network, a
# picture and a target, here the class that the network sees. (About six seconds.)

# %%
square = dk.sample("coffee", 96)[..., :64, 16:80]
target = dk.classify(network, square, 1)[0][0]
methods = {"saliency": dk.inside.saliency, "guided backprop": dk.inside.guided_backprop, "deconvolution": dk.inside.deconvolution,
           "integrated gradients": dk.inside.integrated_gradients, "occlusion": dk.inside.occlusion, "Grad-CAM": dk.inside.grad_cam}
found = {name: method(network, square) for name, method in methods.items()}
drawn = {name: dk.show.signed(map_) if map_.shape[1] == 3 else dk.show.overlay(square, map_) for name, map_ in found.items()}
dk.show.grid(drawn, columns=3, height=1.7, alt=f"Six maps of what counts for {target}: {', '.join(drawn)}")

# %% [markdown]
# ## Does the map notice that the network forgets?
#
# *Sanity checks for saliency maps* (Adebayo et al., 2018): give the network random weights, layer by layer, from the answer
# down to the pixels. A map that explains what the network has *learnt* must change. Measure how alike the old and the new map
# are by rank correlation: order all pixels by strength, and compare the two orders (1: the same, 0: nothing in common).
# (About eight seconds.)

# %%
checked = ("saliency", "guided backprop", "deconvolution", "Grad-CAM")
steps = list(dk.inside.forgetting(network))
steps = [steps[round(i * (len(steps) - 1) / 3)] for i in range(4)]            # four stages of forgetting
index = network.labels.index(target) if target in network.labels else int(dk.capture(network, square, "")[""].argmax())
alike = {name: [1.0] for name in checked}
strength = lambda map_: map_.abs().amax(1) + 1e-9 * torch.arange(map_[0, 0].numel()).reshape(map_.shape[2:])     # even a silent map has an order
for _, forgetful in steps:
    for name in checked:
        alike[name].append(dk.inside.rank_correlation(strength(methods[name](forgetful, square, index)), strength(found[name])))

# %%
from matplotlib.figure import Figure

figure = Figure(figsize=(7, 3), layout="constrained")
axis = figure.subplots()
for (name, values), style in zip(alike.items(), ("o-", "s--", "^:", "d-.")):
    axis.plot(["trained"] + [step for step, _ in steps], values, style, label=name)
axis.set(xlabel="random from the answer down to this layer", ylabel="rank correlation with the first map", ylim=(-0.5, 1.05))
axis.legend(fontsize=8)
dk.show.chart(figure, "How alike maps stay while the network forgets: " +
              "; ".join(f"{name} ends at {values[-1]:.2f}" for name, values in alike.items()))

# %% [markdown]
# Read the second point: the last layer, the one that knows the classes, is random now. Guided backpropagation has hardly
# noticed. It draws nearly the same cup for a network that can no longer name it, and even with random weights everywhere,
# its map has more in common with the first one than the gradient's has. The gradient and Grad-CAM notice at once.
#
# ## A cup among its own pieces
#
# One more check, with a known answer. Plant a cup on a ground that is made of small pieces of that very cup. Colours are the same
# everywhere; only a network that knows the *whole* can find it. `dk.inside.overlap` compares the strongest tenth of a
# map with the place of the cup (intersection over union; chance gives about 0.06). (About eight seconds.)

# %%
cup = dk.resize(dk.sample("coffee", 256)[..., 2:100, 70:182], (28, 28))
picture, mask = dk.scenes.among_its_pieces(cup, 30, 6)
blurred = lambda map_: dk.smooth(map_.abs().amax(1, keepdim=True).expand(-1, 3, -1, -1), 3.0)     # by three pixels: where, not how fine
shown = {"the picture": picture, "the cup is here": mask[None, None].float().expand(-1, 3, -1, -1)}
for label, net in (("trained", network), ("random", untrained)):
    for name in ("saliency", "deconvolution", "occlusion"):                    # in each title: the overlap with the cup
        map_ = blurred(methods[name](net, picture, index))
        shown[f"{name}, {label} {dk.inside.overlap(map_, mask):.2f}"] = dk.show.overlay(picture, map_)
dk.show.grid(shown, columns=4, height=2.0, alt="A cup among its own pieces, its mask, and maps of three methods: " + "; ".join(list(shown)[2:]))

# %% [markdown]
# With trained weights all three methods find the cup, by three different roads. With random weights none does. A map proves something
# when a network without knowledge could not have drawn it.
#
# ## Recap
#
# - You projected activations down to pixels beside their patches: the deconvnet says what the patches have in common.
# - A deconvnet is a backward pass in which a ReLU rectifies the signal; max-pools and convolutions do as in any gradient.
# - Covering tells what an answer hangs on, without any gradient, at the price of one pass for each place.
# - Six kinds of maps, one question to all: would a network that knows nothing draw the same?
# - Guided backpropagation hardly changes when the top layers forget; the gradient, and a cup among its pieces, tell networks apart.
#
# ## Read next
#
# - Lesson 14b: how features grow in training, invariance, ablation, codes, and pictures that fool a network.
# - M. Zeiler and R. Fergus, [Visualizing and understanding convolutional networks](https://arxiv.org/abs/1311.2901), 2013: the
#   deconvnet (figure 1), nine projections beside patches (figure 2), the grey square (figure 7).
# - K. Simonyan, A. Vedaldi and A. Zisserman, [Deep inside convolutional networks](https://arxiv.org/abs/1312.6034), 2013: the gradient
#   as a map, and how it relates to the deconvnet.
# - J. Springenberg et al., [Striving for simplicity](https://arxiv.org/abs/1412.6806), 2014: guided backpropagation.
# - J. Adebayo et al., [Sanity checks for saliency maps](https://arxiv.org/abs/1810.03292), 2018: forgetting from the top.
# - The library [captum](https://captum.ai), which works out six of the maps.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 11 · Three implementations (and a fourth)
#
# DeepDream was published as a Caffe notebook in 2015, and again for TensorFlow, Keras and PyTorch. All four programs
# are called DeepDream, and their pictures look different. Is that the work of the program, or of the network and the
# layer that each of them dreams with? In this lesson you separate the two.
#
# - **You will do:** run four published programs, each on the layer that it used or the nearest one here; exchange
#   layer and program against each other; write the step of three of them; turn Caffe's program into PyTorch's in four
#   moves.
# - **You will learn:** which difference is larger, the layer's or the program's; how step sizes of different spaces
#   compare; when two correct programs may disagree in every pixel.
# - **You need:** lesson 08, and the verbs of lessons 03 to 07.
# - **Minutes:** 45, and 10 for the engineering at the end, which is optional

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# ## The network and the layer come first
#
# What each program dreamt with, as its own source says:
#
# | | caffe | pytorch | tensorflow | keras |
# |---|---|---|---|---|
# | published as | google/deepdream, 2015 | gordicaleksa/pytorch-deepdream | TensorFlow's tutorial | keras-io's example |
# | network | GoogLeNet | VGG16 | InceptionV3 | InceptionV3 |
# | layer | inception_4c/output | relu4_3 | mixed3 + mixed5 | mixed4 … mixed7, weights 1, 1.5, 2, 2.5 |
# | stride in pixels | 16 | 8 | 16 | 16 |
# | where among the layers of this stride | 3rd of 5 | last of 3 | 1st and 3rd of 5 | 2nd to 5th of 5 |
#
# None of these three networks is here. So each program gets the layer of *this* network that has the same stride and
# the same position among the layers of that stride: a rule, not a proof that the two layers see the same. (mixed3 to
# mixed7 are the five blocks of InceptionV3 with stride 16, 4a to 4e those of GoogLeNet.)

# %%
def nearest(stride, share):
    """The layer with this stride (or the nearest stride), at this share of the way through them."""
    table = [(dk.layer_info(network, name).stride[0], name)
             for name in dk.suggested_layers(network, 60)]
    best = min({step for step, _ in table}, key=lambda step: abs(step - stride))
    names = [name for step, name in table if step == best]
    return names[round(share * (len(names) - 1))]

four = {"caffe": nearest(16, 0.5), "pytorch": nearest(8, 1.0),
        "tensorflow": (nearest(16, 0.0), nearest(16, 0.5)),
        "keras": tuple(nearest(16, share) for share in (0.25, 0.5, 0.75, 1.0))}
print("\n".join(f"{name:11}{layers}" for name, layers in four.items()))

# %% [markdown]
# The objectives are the published ones: Caffe's and PyTorch's take the mean of squares, TensorFlow's the plain mean,
# and Keras's the squares without a border of two cells. Each program has the same number of steps here, 40 (Keras
# 39): the tutorial takes 250, and the Keras example up to 60. And the PyTorch program's step counts in standard
# deviations of the network's inputs: 0.226 on average where it was made, 0.5 in EfficientNet-Lite0. It is shortened
# here, so that it is as long in pixels as it was there. (10 to 20 seconds.)

# %%
ours = network.base_name == "efficientnet_lite0"       # other networks are slower
photo = dk.sample("china", 448 if ours else 256)
weights = (1.0, 1.5, 2.0, 2.5)
terms = [weight * dk.layer(name, border=2) for weight, name in zip(weights, four["keras"])]
wanted = {"caffe": dk.layer(four["caffe"]), "pytorch": dk.layer(four["pytorch"]),
          "tensorflow": dk.layer(four["tensorflow"][0], power=1)
          + dk.layer(four["tensorflow"][1], power=1),
          "keras": terms[0] + terms[1] + terms[2] + terms[3]}
there = 0.09 * 0.226 / (sum(network.std) / 3)         # PyTorch's step, as long as it was in pixels
budget = {"caffe": {}, "pytorch": {"step_size": there}, "tensorflow": {"steps": 8},
          "keras": {"steps": 13, "max_loss": None}}

def last(recipe, *given, net=network, **settings):
    *_, picture = getattr(dk.recipes, recipe)(net, *given, **settings)
    return picture

dreams = {name: last(name, wanted[name], photo, **budget[name]) for name in dk.recipes.NAMES}
dk.show.grid(dreams, columns=2, height=3.1,
             alt=f"A pavilion, dreamt by four published programs on {network.name}: "
             + ", ".join(f"{name} at {four[name]}" for name in dreams))

# %% [markdown]
# ### Write before you reveal
# **Write down** for each of the four pictures: what do you see, and what causes it: the layer, the objective or the
# program? Which one exchange would prove you wrong?

# %%
note = """
caffe: …        because of its …        I would be wrong if …
pytorch: …      tensorflow: …           keras: …
"""

# %% [markdown]
# ## Exchange one against the other
#
# Four programs, three layers, one objective (the mean of squares): twelve dreams of one photo. Down a column only the
# program changes, along a row only the layer. Before you run it: where are the larger differences? (10 to 20
# seconds, with two more photos for the numbers.)

# %%
import torch

layers = {"as Caffe": four["caffe"], "as PyTorch": four["pytorch"], "deepest": four["keras"][-1]}
half = {"caffe": {"steps": 5}, "pytorch": {"steps": 5, "step_size": there},
        "tensorflow": {"steps": 4}, "keras": {"steps": 7, "max_loss": None}}
size = (152, 224) if ours else (104, 152)
photos = torch.cat([dk.resize(dk.sample(name, 224), size)
                    for name in ("china", "chelsea", "flower")])          # [3, 3, h, w]

def twelve(photos, net):
    return {(name, layer): last(name, dk.layer(layer), photos, net=net, **half[name])
            for name in dk.recipes.NAMES for layer in layers.values()}

swapped = twelve(photos, network)
dk.show.grid({f"{name}, {layer}": found[:1] for (name, layer), found in swapped.items()},
             columns=3, height=2.0, alt=f"One photo, four programs (rows), three layers (columns): "
             f"{', '.join(dk.recipes.NAMES)}; {', '.join(layers.values())}")

# %% [markdown]
# Two measures for the same pairs of pictures. *Pixels*: the mean difference of two pictures, in grey levels of 255.
# *Content*: another network judges both; 1 minus the correlation of what changed in its channel means (lesson 09). 0
# is the same content, 1 has nothing in common. Two controls: Caffe's program with two seeds, and all twelve dreams of
# the first photo with *random weights*. (5 to 10 seconds.)

# %%
other = "efficientnet_lite1" if "efficientnet_lite1" in dk.cached_networks() else "dreamnet"
judge = dk.load_network(other)
spot = dk.layer_at(judge, 0.7)
seen = lambda image: dk.capture(judge, image, spot)[spot].flatten(2).mean(2)    # [N, C]

def pixels(a, b):
    return 255 * (a - b).abs().mean((1, 2, 3))                            # one value a photo

def content(a, b):
    changes = [seen(image) - seen(photos[:len(image)]) for image in (a, b)]
    return 1 - torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(*changes)])

def say(what, pairs):
    rows = [torch.stack([measure(a, b) for a, b in pairs]).mean(0) for measure in (pixels, content)]
    print(f"{what:34}" + "   |".join("".join(f"{v:7.2f}" for v in row) for row in rows))

# %%
from itertools import combinations

def compare(dreams, name=""):
    pairs = list(combinations(dreams, 2))
    for what, kept in (("program", 1), ("layer", 0)):                     # what stays the same
        say(f"{name}only the {what}", [(dreams[a], dreams[b]) for a, b in pairs
                                       if a[kept] == b[kept] and a[1 - kept] != b[1 - kept]])

print(f"{'what differs':34} pixels, each photo   | content, each photo")
compare(swapped)
say("only the seed", [[last("caffe", dk.layer(four["caffe"]), photos, seed=seed, **half["caffe"])
                       for seed in (1, 2)]])
compare(twelve(photos[:1], dk.randomized(network)), "random weights, ")

# %% [markdown]
# In EfficientNet-Lite0 the answer depends on the question, and for all three photos in the same way. In *pixels* the
# program makes the larger difference (14 to 15 grey levels against 10 to 11). In *content* the layer does (0.21 to
# 0.44 against 0.10 to 0.19); the seed makes almost none (0.03 to 0.04). In the grid: down a column the photo vanishes
# and comes back, but the lattices of the first column and the fur of the third stay what they are.
#
# With random weights the layer makes no difference in content (0.03, as little as a seed), and the program still does
# (0.24). That a layer has a content of its own is what training brought.
#
# The rule of the first table chose layers of one network. That the network matters, too, you saw in lesson 08 (random
# weights) and will see in lesson 15 (other architectures).

# %% [markdown]
# ## Three of their steps
#
# What makes the programs differ? Write the heart of three of them. Here a picture is always RGB in [0, 1], while each
# program works in a space of its own; what that changes is part of the task. `gradient` is always the gradient with
# respect to the picture in [0, 1].
#
# ### Exercise 11.1 · The step of 2015 · 6 minutes · ★☆☆
# The Caffe notebook works in grey levels from 0 to 255. It divides the gradient by its mean absolute value, with no
# epsilon, and moves the picture by `levels` of that; then it clips. Use no function of the package.
#
# <details><summary>Hint</summary>
#
# How long is one grey level in [0, 1]? The gradient's own unit cancels in the division.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_caffe_step(image, gradient, levels):
#     return (image + levels / 255 * gradient / gradient.abs().mean()).clamp(0, 1)
# ```
# </details>

# %% tags=["exercise"]
def my_caffe_step(image, gradient, levels):
    ...  # your lines


dk.exercises.check("caffe_step", my_caffe_step)

# %% [markdown]
# ### Exercise 11.2 · The step of TensorFlow's tutorial · 8 minutes · ★★☆
# The tutorial works in [-1, 1]. There it divides the gradient by its standard deviation plus 0.00000001, adds `size`
# times that to the picture and clips to [-1, 1]. TensorFlow's standard deviation divides by the number of values
# (`correction=0`). Picture and gradient come, and the result goes, in [0, 1]. Use no function of the package.
#
# <details><summary>Hint</summary>
#
# If z = 2 x - 1, the gradient with respect to z is that with respect to x, divided by 2.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_tensorflow_step(image, gradient, size):
#     slope = gradient / 2
#     step = size * slope / (slope.std(correction=0) + 1e-8)
#     return ((2 * image - 1 + step).clamp(-1, 1) + 1) / 2
# ```
# </details>

# %% tags=["exercise"]
def my_tensorflow_step(image, gradient, size):
    ...  # your lines


dk.exercises.check("tensorflow_step", my_tensorflow_step)

# %% [markdown]
# ### Exercise 11.3 · Three Gaussians that grow · 8 minutes · ★★☆
# The PyTorch program blurs the gradient three times *in parallel* and takes the mean. Step `t` counts from 0 in each
# octave, and σ grows in even steps: by the last step 2 has been added to 0.5, and the first adds its part already.
# The three Gaussians have half of σ, σ, and twice σ. Use `dk.smooth(gradient, s, radius=4)`: kernels of 9×9 pixels.
#
# <details><summary>Hint</summary>
#
# With ten steps σ is 0.7 at first and 2.5 in the end.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_three_blurs(gradient, t, steps):
#     sigma = 0.5 + 2 * (t + 1) / steps
#     return sum(dk.smooth(gradient, factor * sigma, radius=4) for factor in (0.5, 1, 2)) / 3
# ```
# </details>

# %% tags=["exercise"]
def my_three_blurs(gradient, t, steps):
    ...  # your lines


dk.exercises.check("three_blurs", my_three_blurs)

# %% [markdown]
# ## All the differences
#
# Everything in this table was read in the four sources, at their defaults. `help(dk.recipes.caffe)` and so on name each
# parameter; the functions lie in `dreamkit/published/recipes`.
#
# | | caffe | pytorch | tensorflow | keras |
# |---|---|---|---|---|
# | space | BGR 0…255 minus mean | (x - mean) / std | [-1, 1] | [-1, 1] |
# | objective | ½ Σ a² | mean a² | mean a | Σ a² / N without the border |
# | gradient divided by | mean of its size | standard deviation, mean subtracted | standard deviation + 10⁻⁸ | mean of its size, at least 10⁻⁶ |
# | gradient blurred | no | three Gaussians, growing | no | no |
# | step, in its space | 1.5 | 0.09 | 0.01 | 0.01 |
# | steps an octave | 10 | 10 | 50 (tiled: 100) | up to 20, while the score is below 15 |
# | jitter in pixels | 32 | 32 | none (tiled: 512) | none |
# | octaves | 4, ratio 1.4 | 4, ratio 1.8 | 5, ratio 1.3, around the photo's size | 3, ratio 1.4 |
# | next octave starts from | photo + detail | the whole picture | the whole picture, 8 bits | the whole picture + what shrinking lost |
# | clipped | at each step | at each step | at each step | at the end |
#
# ### Predict, then reveal: whose step is the longest?
# 1.5, 0.09, 0.01 and 0.01, each in another space. By how many grey levels of 255 does one step of each program move a
# value, on average? **Write down an order** before you run the cell.
#
# <details><summary>The arithmetic</summary>
#
# Caffe: 1.5 levels by definition. Keras: 0.01 of [-1, 1] is 0.005 of [0, 1], or 1.3 levels. TensorFlow fixes the
# *standard deviation* of the step at 0.005; the mean size of a step is smaller than that, by how much depends on the
# gradient (0.80 of it for normally distributed values). PyTorch: 0.09 standard deviations of the network's space;
# with a `std` of 0.5 that is 0.045, or 11 levels, and 5 levels with the `std` of 0.226 for which the program was
# made. **The same program dreams twice as strongly on a network that was trained with other units**, which is why its
# step was shortened above.
# </details>

# %%
soft = 0.25 + 0.5 * photos[:1]                        # far from black and white: nothing is clipped
for name in dk.recipes.NAMES:
    film = getattr(dk.recipes, name)(network, dk.layer(four["caffe"]), soft, steps=2, octaves=1,
                                     **({} if name == "tensorflow" else {"jitter": 0}))
    step = 255 * (next(film) - soft)
    print(f"{name:11} one step in grey levels: mean size {step.abs().mean():.2f}, "
          f"standard deviation {step.std():.2f}")

# %% [markdown]
# ## One into another, one difference at a time
#
# `dk.recipes.morph` is Caffe's program, with those parts that you name exchanged for PyTorch's:
#
# - `sizes`: a ratio of 1.8 and half-pixel resizing, instead of 1.4 with the corners kept in place;
# - `whole`: the whole picture goes on to the next octave, and the photo never comes back;
# - `blur`: the three Gaussians;
# - `norm`: the standard deviation in place of the mean size, in the network's space, with its longer step.
#
# Is this one program at one end and the other at the other? The cell compares the ends with the two recipes, bit by
# bit. (5 to 10 seconds.)

# %%
smaller, parts = dk.sample("china", 320 if ours else 160), dk.recipes.PARTS
stages = {}
for count in range(len(parts) + 1):
    name = f"+ {parts[count - 1]}" if count else "caffe"
    stages[name] = last("morph", dk.layer(four["caffe"]), smaller, *parts[:count], step_size=there)
for end, name in (("caffe", "caffe"), (f"+ {parts[-1]}", "pytorch")):
    own = last(name, dk.layer(four["caffe"]), smaller, **budget[name])
    same = torch.equal(stages[end], own)
    print(f"the end {end!r} is the picture of dk.recipes.{name}, bit by bit: {same}")

# %%
before, moved = list(stages.values()), {}
for previous, (name, picture) in zip(before, list(stages.items())[1:]):
    moved[name] = 255 * (picture - previous).abs().mean()
seed = last("caffe", dk.layer(four["caffe"]), smaller, seed=1)
moved["another seed"] = 255 * (seed - before[0]).abs().mean()
print("moved the picture, in grey levels:", {name: round(float(d), 1) for name, d in moved.items()})
dk.show.grid({"photo": smaller, **stages}, columns=3, height=2.1,
             alt=f"From Caffe's dream to PyTorch's in four moves: {', '.join(stages)}")

# %% [markdown]
# In EfficientNet-Lite0: `sizes` moves the picture hardly more than another seed would. With `whole` the photo's sharp
# outlines go: what enlarging has blurred stays blurred, and the dream draws over it. `blur` makes strokes softer, and
# `norm` makes them strong and colourful: its step is the longest. The order of the moves matters to these numbers;
# exchange two names and run the cell again.
#
# ## Step by step
#
# Each program's own way from the photo to its dream, at the same layer. Without the panel: `films["caffe"][5]`.
# (5 to 10 seconds.)

# %%
films = {name: [picture[:1] for picture in getattr(dk.recipes, name)(
    network, dk.layer(four["caffe"]), photos[:1], **half[name])] for name in dk.recipes.NAMES}

def at(step):
    return {name: film[step - 1] for name, film in films.items()}

dk.widgets.slide("step", list(range(1, 21)), at, start=20, width=224)

# %% [markdown]
# ## Open investigation
#
# Nobody has written the answer down for you. *Which part of a program decides its look?* Twelve dreams say that
# programs differ, four moves say in what order; but parts may also depend on each other. `dk.recipes.morph` takes any
# of the 16 subsets of its four parts. Find the part that matters most alone, and a pair that does more (or less)
# together than both apart. Start here.

# %%
alone = {part: last("morph", dk.layer(four["caffe"]), photos[:1], part, steps=5, step_size=there)
         for part in parts}
nothing = last("morph", dk.layer(four["caffe"]), photos[:1], steps=5)
print({part: round(float(255 * (one - nothing).abs().mean()), 1) for part, one in alone.items()})

# %% [markdown]
# ## Recap
#
# - The four published pictures differ in more than their programs: each dreamt with a network and a layer of its own.
#   Here each got the nearest layer of one network.
# - In EfficientNet-Lite0, for each of three photos: exchanging the layer changes the *content* more than exchanging
#   the program, exchanging the program changes the *pixels* more. Another seed changes both less. With random weights
#   the layer changes the content as little as a seed.
# - You wrote three of the steps. On one scale they are 1.5, 1.3, 0.65 grey levels (Caffe, Keras, TensorFlow), and
#   PyTorch's is the longest; its length depends on the units that the network was trained with.
# - In four moves Caffe's program becomes PyTorch's, bit by bit at both ends. In this order, on one photo, the
#   longer step (22 grey levels) and giving up the photo (17) move the picture most, the sizes (11) hardly more than
#   another seed (10).
#
# ## Engineering, optional: when correct programs disagree
#
# How would you test that a recipe is what its author published? Write the program again from its description, run
# both, compare. dreamkit's tests do that for all four, with second versions in NumPy and SciPy. But compare *how*?
# Start a dream twice, the second time with a picture changed by a hair: one part in 10¹⁵ in 64-bit numbers, in 10⁷ in
# 32-bit numbers. Two correct programs differ by no less, since they add numbers in another order.
#
# After 20 steps, how large is the largest difference between the two dreams, (a) in 64 bits, (b) in 32 bits? (5 to 15
# seconds.)

# %%
quiet = 0.1 + 0.8 * dk.sample("china", 80)
quiet = quiet + 0.004 * torch.randn(quiet.shape, generator=torch.Generator().manual_seed(0))
begin = {"64 bits": (quiet.double(), 1e-15), "32 bits": (quiet, 1e-7)}

def drift(start, hair):
    generator = torch.Generator().manual_seed(1)
    moved = start - hair * torch.rand(start.shape, generator=generator, dtype=start.dtype)
    runs = [dk.recipes.caffe(network, dk.layer(dk.layer_at(network, 0.5)), x.clamp(0, 1),
                             jitter=0, octaves=1, steps=20) for x in (start, moved)]
    return [float(255 * (a - b).abs().max()) for a, b in zip(*runs)]

drifts = {name: drift(*given) for name, given in begin.items()}
dk.show.lines(drifts, range(1, 21), "Largest difference of two dreams by step, in grey levels: "
              + ", ".join(f"{name} ends at {values[-1]:.0e}" for name, values in drifts.items()),
              yscale="log", xlabel="step", ylabel="largest difference (grey levels)")

# %% [markdown]
# The difference grows with nearly every step, as an error does in a weather forecast. In 64 bits it is still a
# hundred-millionth of a grey level after 20 steps. In 32 bits it passes one grey level by the second or third step,
# and in the end the largest difference is about 50 levels.
#
# So two programs are compared in 64 bits, and on a picture without ties: in pure white all values are equal, so a
# max-pool (in a network that has one) must choose one of them, and a hair decides which. Whoever sees a difference of
# 20 grey levels in 32 bits has learnt nothing about the programs.
#
# ## Read next
#
# - google/deepdream, `dream.ipynb`, 2015: the Caffe notebook. `dk.recipes.caffe` names each of its parameters.
# - gordicaleksa/pytorch-deepdream: `deepdream.py` and `utils/utils.py`. The values here are its command line's defaults.
# - TensorFlow tutorials, *DeepDream*: the plain and the tiled loop.
# - keras.io, *Deep Dream* by François Chollet, in its form of 2020.
# - Next: lesson 12 feeds a dream to itself and makes films.

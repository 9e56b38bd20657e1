# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 11 · Three implementations (and a fourth)
#
# DeepDream came out as a Caffe notebook in 2015. It was written again for TensorFlow and Keras, and once more in PyTorch, each
# time a little differently. All of them are called DeepDream, and no two of them draw the same picture. In this lesson you
# lay four of them side by side, find every difference, and turn one into another, one difference at a time.
#
# - **You will do:** run four published recipes on one photo, read each line by line, and rebuild PyTorch's from Caffe's in four
#   moves.
# - **You will learn:** which choices make the picture and which hardly matter; how to bring step sizes of different spaces onto
#   one scale; and when two correct programs may disagree in every pixel.
# - **You need:** lesson 08 (the whole algorithm), and the verbs of lessons 03 to 07.
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Here is where the lesson starts *and* ends: the same photo, the same network, the same objective, the same number of steps (40,
# for Keras 39), and four recipes. Every picture on the way is kept in `films`. (The longest cell of the lesson: ten to
# thirty seconds.)

# %%
photo, deep = dk.sample("china", 160), dk.layer_at(network, 0.8)
budget = {"caffe": {}, "pytorch": {}, "tensorflow": {"steps": 8}, "keras": {"steps": 13, "max_loss": None}}
films = {}
for name, settings in budget.items():                                         # 4 × 10, 4 × 10, 5 × 8 and 3 × 13 steps
    recipe = getattr(dk.recipes, name)
    films[name] = list(recipe(network, dk.layer(deep), photo, **settings))
dreams = {name: film[-1] for name, film in films.items()}
dk.show.grid({"photo": photo, **dreams}, columns=3, height=2.0,
             alt=f"A photo of a pavilion, and four dreams of it by layer {deep} of {network.name}: {', '.join(dreams)}")

# %% [markdown]
# You could not mistake one for another. Caffe's keeps the photo's sharp outlines and lays lattices over them; PyTorch's has dissolved the pavilion and put
# big, soft, colourful things in its place; TensorFlow's is a little blurred and quiet; Keras's is sharp and shimmering.
#
# (TensorFlow's tutorial takes 50 steps an octave. Keras's example takes 20, fewer where the score passes 15, which means something
# else for every network. Here all four get the same budget. The tutorial also dreams of the plain mean of its features, and the
# Keras example leaves out the border of the maps; here all four dream of the same thing, `dk.layer(deep)`. So what
# differs is the recipe alone.)
#
# Slide through the steps to see how each gets there. Without the panel: `films["caffe"][5]`.

# %%
def at(step):
    return {name: film[step - 1] for name, film in films.items()}


dk.widgets.slide("step", [1, 2, 5, 10, 11, 15, 20, 21, 25, 30, 31, 35, 39], at, start=20, width=160)

# %% [markdown]
# ## Line by line
#
# The recipes of `dk.recipes` are short functions made from verbs you know. Read them as the four authors' programs: every
# choice in them was read in the sources. One thing is changed for all four: here a picture is always RGB in [0, 1],
# while each program counts in a space of its own. What such a space changes stands in the code as a factor.

# %%
import inspect


def body(recipe):
    code = inspect.getsource(recipe).split('"""')[2].strip("\n")              # what comes after the docstring
    return "\n".join(line for line in code.splitlines() if "silent" not in line)   # without the warning for a zero gradient


print(body(dk.recipes.caffe))

# %% [markdown]
# **Caffe, 2015.** Work is done in grey levels (0 to 255, minus a mean), so a step of 1.5 levels is `1.5 / 255` here. The gradient
# is divided by its mean absolute value, with no epsilon to protect it. At every octave the *photo* is back, and only the
# detail found so far is laid over it: that is why the photo's fine detail survives wherever nothing was dreamt over it.

# %%
print(body(dk.recipes.pytorch))

# %% [markdown]
# **PyTorch, 2020.** Work is done in the space the network was trained in, `(x - mean) / std`. There the gradient is `std` times
# ours, and so is a step: hence `std` appears twice. The gradient is blurred three times and averaged, and the blur
# grows within an octave. Look for the photo: it goes in once, before the loop, and never comes back. The whole picture is enlarged.

# %%
print(body(dk.recipes.tensorflow))

# %% [markdown]
# **TensorFlow's tutorial, 2019.** Work is done in [-1, 1], which is twice as wide as ours: half the gradient, half the step. There is
# no jitter in its plain form, sizes go from below the photo's own to above it and back, and after each octave the
# picture is cut down to 8 bits: the fraction is dropped, not rounded. At the very end the picture is resized to the photo's size,
# and `tf.image.convert_image_dtype` brings it to 8 bits: it multiplies by 255.5 and drops the fraction again. (Rounding there
# would change about a fifth of all values by one grey level.) Its tiled form rolls by up to a tile and *drops the last tile* of
# each side.

# %%
print(body(dk.recipes.keras))

# %% [markdown]
# **Keras, 2020 form.** Also in [-1, 1]; mean absolute value again, but never less than 10⁻⁶. Nothing is clipped until the end.
# The photo comes back after each octave, by another road than Caffe's: what shrinking *lost* is added.
#
# Now the same verb in all four, side by side:

# %%
for verb in ("zoom(", "resize(", "gradient(", "ascend("):
    print(verb.rstrip("("))
    for name in dk.recipes.NAMES:
        for line in body(getattr(dk.recipes, name)).splitlines():
            if verb in line:
                print(f"    {name:11} {line.split('  #')[0].strip()}")

# %% [markdown]
# And in words, with what is published of each:
#
# | | caffe | pytorch | tensorflow | keras |
# |---|---|---|---|---|
# | its own space | BGR 0…255 minus mean | (x - mean) / std | [-1, 1] | [-1, 1] |
# | gradient divided by | mean of its size | deviation, mean taken away | deviation + 10⁻⁸ | mean of its size, at least 10⁻⁶ |
# | gradient blurred | no | three Gaussians, growing | no | no |
# | step, in its space | 1.5 | 0.09 | 0.01 | 0.01 |
# | steps an octave | 10 | 10 | 50 (tiled: 100) | up to 20, while the score is below 15 |
# | jitter | 32 | 32 | none (tiled: 512) | none |
# | octaves | 4, ratio 1.4 | 4, ratio 1.8 | 5, ratio 1.3, around the photo's size | 3, ratio 1.4 |
# | sizes | rounded, one from the next | rounded, from the photo's | cut, from the photo's | cut, from the photo's |
# | resizing | bilinear, corners in place | bilinear, half-pixel centres | the same | the same |
# | goes on with | photo + detail | the whole picture | the whole picture, 8 bits | the whole picture + what was lost |
# | clipped | at each step | at each step | at each step | at the end |
# | its own objective | ½ Σ a² | mean a² | mean a | Σ a² / N without the border |
#
# ## Predict, then reveal: whose step is the longest?
#
# The step sizes are 1.5, 0.09, 0.01 and 0.01, each in another space. Put them in order: whose single step changes a picture in
# [0, 1] the most, whose the least?
#
# <details><summary>The answer</summary>
#
# On average PyTorch's step changes a value by far the most (about 0.015), then Caffe's (0.006), Keras's (0.005) and TensorFlow's
# (0.003). A grey level is 1/255, so 1.5 of them are 0.0059. In [-1, 1] a step is half as long as it looks. PyTorch and TensorFlow
# fix the *deviation* of a step (0.09 deviations of the pixels are about 0.025), the other two its mean size. The next cell
# measures both.
# </details>

# %%
grey = 0.25 + 0.5 * photo                                                     # far from black and white, so that nothing is clipped
for name in dk.recipes.NAMES:
    pictures = getattr(dk.recipes, name)(network, dk.layer(deep), grey, steps=2, octaves=1, jitter=0)
    step = next(pictures) - grey
    print(f"{name:11} one step: mean {step.abs().mean():.4f}, deviation {step.std():.4f}, in grey levels {255 * step.abs().mean():.1f}")

# %% [markdown]
# So part of the PyTorch look is simply *more dreaming*: forty of its steps can take a pixel two to three times as far as
# forty of Caffe's.

# %% [markdown]
# ### Exercise 11.1 · The cascade · 7 minutes · ★★☆
#
# Write PyTorch's blur: `my_cascade(gradient, sigma)` gives the average of three Gaussian blurs of the *same* gradient, with half of,
# once and twice `sigma`. Use `dk.smooth(gradient, sigma)`.
#
# <details><summary>Hint</summary>
#
# Three parallel blurs, not one after the other; an average, not a sum.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_cascade(gradient, sigma):
#     return (dk.smooth(gradient, 0.5 * sigma) + dk.smooth(gradient, sigma) + dk.smooth(gradient, 2 * sigma)) / 3
# ```
# </details>

# %% tags=["exercise"]
def my_cascade(gradient, sigma):
    ...  # your lines


dk.exercises.check("cascade", my_cascade)

# %% [markdown]
# ## One into another, one difference at a time
#
# Between Caffe's recipe and PyTorch's lie four differences. `between` is Caffe's, with those parts that you name taken from PyTorch's:
#
# - `sizes`: a ratio of 1.8 and half-pixel resizing instead of 1.4 and corners kept in place;
# - `whole`: the whole picture goes on, the photo never comes back;
# - `blur`: the cascade on the gradient;
# - `norm`: the deviation instead of the mean size, in the network's space, with its longer step.

# %%
import torch

PARTS = ("sizes", "whole", "blur", "norm")


def direction(score, x, new, t, steps):
    g, std = dk.gradient(score, x), torch.tensor(network.std, dtype=x.dtype).view(1, 3, 1, 1)
    if "blur" in new:
        sigma = (t + 1) / steps * 2 + 0.5
        g = sum(dk.smooth(g, sigma * c, radius=4) for c in (0.5, 1, 2)) / 3
    if "norm" in new:
        return 0.09 * std * dk.normalize(std * g, "standardize")
    return 1.5 / 255 * dk.normalize(g, "mean_abs")


def pyramid(image, new):
    if "sizes" in new:
        return [dk.resize(image, [round(n / 1.8**k) for n in image.shape[-2:]], "bilinear") for k in (3, 2, 1, 0)]
    photos = [image]
    for _ in range(3):
        photos.insert(0, dk.resize(photos[0], [round(n / 1.4) for n in photos[0].shape[-2:]], "corners"))
    return photos

# %%
def between(*new, image=photo, layer=deep, steps=5):
    score, generator, photos = dk.scorer(network, dk.layer(layer)), torch.Generator().manual_seed(0), pyramid(image, new)
    x, detail, how = photos[0], torch.zeros_like(photos[0]), "bilinear" if "sizes" in new else "corners"
    for base in photos:
        size = base.shape[-2:]
        x = dk.resize(x, size, how) if "whole" in new else base + dk.resize(detail, size, how)
        for t in range(steps):
            dy, dx = torch.randint(-32, 33, (2,), generator=generator).tolist()
            x = dk.roll(x, (dy, dx))
            x = dk.ascend(x, direction(score, x, new, t, steps), 1.0)
            x = dk.roll(x, (-dy, -dx))
        detail = x - base
    return x

# %% [markdown]
# Is this really one recipe at one end and the other at the other? Do not believe it: measure it, in double precision and at a
# shallow layer. (Why so careful? That is the last section.)

# %%
shallow = dk.layer_at(network, 0.2)
small = (0.1 + 0.8 * dk.sample("china", 112)).double()
for parts, recipe in (((), dk.recipes.caffe), (PARTS, dk.recipes.pytorch)):
    *_, theirs = recipe(network, dk.layer(shallow), small, steps=2)
    difference = (between(*parts, image=small, layer=shallow, steps=2) - theirs).abs().max()
    print(f"{len(parts)} parts of PyTorch's: largest difference to dk.recipes.{recipe.__name__} {difference:.0e}")

# %% [markdown]
# Both ends are met to the last digits. Now the walk between them, five steps an octave. Before you run it: which of the four moves
# do you think changes the picture most? (Ten to twenty seconds.)

# %%
stages = {"caffe": between()}
for count in range(1, len(PARTS) + 1):
    stages[f"+ {PARTS[count - 1]}"] = between(*PARTS[:count])
before = list(stages.values())
for (name, picture), previous in zip(list(stages.items())[1:], before, strict=False):
    print(f"{name:8} moved the picture by {(picture - previous).abs().mean():.3f}")
dk.show.grid({"photo": photo, **stages}, columns=3, height=2.0,
             alt=f"From Caffe's dream to PyTorch's in four moves: {', '.join(stages)}; layer {deep} of {network.name}")

# %% [markdown]
# Watch two things. With `whole` the photo goes: what was blurred by enlarging stays blurred, and at that ratio the smallest octave
# has a sixth of the photo's width to work with. With `blur` and `norm` the strokes turn soft and strong. The order of the
# moves matters to the numbers, though; exchange two names in `PARTS` and run the last cell again.
#
# ### Exercise 11.2 · What shrinking lost · 6 minutes · ★★☆
#
# Keras brings the photo back in its own way. Write `my_lost_detail(photo, small, large)`: `small` and `large` are sizes (height,
# width); what does the photo at size `large` have that its small version, enlarged to `large`, has lost? Resize
# with `dk.resize(image, size, "bilinear")`.
#
# <details><summary>Hint</summary>
#
# Both terms have size `large` in the end: the photo resized once, and the photo resized twice.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_lost_detail(photo, small, large):
#     shrunk = dk.resize(photo, small, "bilinear")
#     return dk.resize(photo, large, "bilinear") - dk.resize(shrunk, large, "bilinear")
# ```
# </details>

# %% tags=["exercise"]
def my_lost_detail(photo, small, large):
    ...  # your lines


dk.exercises.check("lost_detail", my_lost_detail)

# %% [markdown]
# ### Exercise 11.3 · The tile that was dropped · 6 minutes · ★★☆
#
# In TensorFlow's tiled form the tiles of a side start at 0, `tile`, 2 `tile` …, as long as they start within the side, and *the last
# start is left out, unless it is the only one*. Write `my_starts(length, tile)`, a list. How much of a side of 1000 pixels never gets
# a gradient with tiles of 512? (The random roll moves that gap about, so that over many steps every pixel gets some.)
#
# <details><summary>Hint</summary>
#
# `list(range(0, length, tile))` has all of them; an empty list counts as false, so `a or b` helps.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_starts(length, tile):
#     return list(range(0, length, tile))[:-1] or [0]
# ```
# </details>

# %% tags=["exercise"]
def my_starts(length, tile):
    ...  # your lines


dk.exercises.check("starts", my_starts)

# %% [markdown]
# ## Is it the recipe, or only chance?
#
# A baseline, or two. First: Caffe's and PyTorch's recipes draw random shifts. How far apart are two runs of the *same* recipe with
# different seeds? Only what goes beyond that is the recipe's doing. Second: an untrained network. (About ten seconds.)

# %%
def film_end(recipe, net=network, seed=0):
    *_, picture = recipe(net, dk.layer(deep), photo, steps=5, seed=seed)
    return picture


def apart(a, b):
    return (a - b).abs().mean().item()


seeds = [film_end(dk.recipes.caffe, seed=seed) for seed in (1, 2)]
blind = film_end(dk.recipes.caffe, dk.randomized(network))
print(f"caffe, two seeds: {apart(*seeds):.3f};  caffe and pytorch, both seed 0: {apart(stages['caffe'], stages['+ norm']):.3f}")
dk.show.strip({"caffe, seed 1": seeds[0], "caffe, seed 2": seeds[1], "caffe, untrained network": blind}, height=2.0,
              alt=f"Caffe's recipe with two seeds at layer {deep}, and through a network with random weights")

# %% [markdown]
# Two seeds give two pictures of one kind; two recipes give two kinds. And no recipe helps an untrained network: what appears is the
# network's, *how* it appears is the recipe's.
#
# ## When correct programs disagree
#
# How would you test that a recipe is what its author published? Write the program again from its description, run both, compare.
# dreamkit's tests do that for all four, with second versions in NumPy and SciPy. But compare *how*? Start a dream twice,
# the second time with a picture changed by a hair: one part in 10¹⁵ in double precision, in 10⁷ in single. Two correct programs
# differ by no less, since they add numbers in another order.
#
# **Predict:** after 20 steps, how large is the largest difference between the two dreams, (a) in double precision, (b) in single,
# (c) in double precision on a picture with a stripe of pure white across the sky?
#
# <details><summary>What happens, and why</summary>
#
# (a) It grows with nearly every step, as an error does in a weather forecast, and yet after 20 steps it is far too small to see.
# (b) It starts 10⁸ times larger, and where two values nearly tie, rounding can now swap them: within ten steps or so the two
# dreams differ visibly. (c) In pure white all values are *equal*. A max-pool has to choose one of several equal values, the
# gradient goes that way only, and a hair decides which. The very first step differs by several grey levels, even in double
# precision.
#
# So two recipes are compared in double precision, on a picture without ties. Whoever sees a difference of 0.1 in single
# precision has learnt nothing about the programs.
# </details>
#
# (Five to fifteen seconds.)

# %%
quiet = 0.1 + 0.8 * dk.sample("china", 80)
quiet = quiet + 0.004 * torch.randn(quiet.shape, generator=torch.Generator().manual_seed(0))    # no two pixels alike
white = dk.sample("china", 80)
white[..., :24, :] = 1.0
starts = {"double": (quiet.double(), 1e-15), "single": (quiet, 1e-7), "double, a white stripe": (white.double(), 1e-15)}


def growth(start, hair):
    moved = start - hair * torch.rand(start.shape, generator=torch.Generator().manual_seed(1), dtype=start.dtype)
    wanted = dk.layer(dk.layer_at(network, 0.5))
    runs = [dk.recipes.caffe(network, wanted, x.clamp(0, 1), jitter=0, octaves=1, steps=20) for x in (start, moved)]
    return [(a - b).abs().max().item() for a, b in zip(*runs, strict=True)]


grown = {name: growth(*start) for name, start in starts.items()}
for name, differences in grown.items():
    print(f"{name:23} after step 1: {differences[0]:.0e}, after step 20: {differences[-1]:.0e}")

# %%
from matplotlib.figure import Figure

figure = Figure(figsize=(7, 3.6), dpi=100, layout="constrained")
axis = figure.subplots()
for (name, differences), style in zip(grown.items(), ("o-", "s--", "^:"), strict=True):
    axis.semilogy(range(1, 21), differences, style, markersize=4, label=name)
axis.set(xlabel="step", ylabel="largest difference", title="two dreams that began a hair apart")
axis.axhline(1 / 255, color="grey", linewidth=0.8)
axis.annotate("one grey level", (1, 1 / 255), xytext=(0, 3), textcoords="offset points", fontsize=8, color="grey")
axis.legend()
ends = "; ".join(f"{name} ends at {differences[-1]:.0e}" for name, differences in grown.items())
dk.show.chart(figure, f"Largest difference of two dreams by step, on a log scale: {ends}")

# %% [markdown]
# ## Recap
#
# - You ran four published recipes on one photo, with one objective and one budget of steps, and got four kinds of picture.
# - You read each line by line: same verbs, but another space, another divisor, another road for the photo between octaves.
# - You rebuilt PyTorch's from Caffe's in four moves and met both ends to the last digits; what changed the picture you saw and measured.
# - Step sizes can be compared only on one scale: as the mean change of a value in [0, 1], 1.5 grey levels are 0.006, 0.09
#   deviations 0.015, and 0.01 of [-1, 1] is 0.005 for Keras and 0.003 for TensorFlow (it divides by the deviation).
# - The claim needed its baselines (another seed, an untrained network), and correct programs may disagree: differences grow with every
#   step, and ties decide by a hair.
#
# ## Read next
#
# - google/deepdream, `dream.ipynb`, 2015: the Caffe notebook. `dk.recipes.caffe` names each of its parameters.
# - gordicaleksa/pytorch-deepdream, 2020: `deepdream.py` and `utils/utils.py`. The values here are its command line's defaults.
# - TensorFlow tutorials, *DeepDream*: the plain and the tiled loop.
# - keras.io, *Deep Dream* by François Chollet: the form of 2020 with the lost detail.
# - Next: lesson 12 feeds a dream to itself and makes films.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 03 · One step: the gradient with respect to the pixels
#
# Training asks: *how must the weights change, so that the network does better?* DeepDream asks the same question of the
# other side: the weights stay, and **the picture** changes. This lesson takes one single step, slowly.
#
# - **You will do:** measure a slope by hand, get all slopes at once from backpropagation, and take one step uphill.
# - **You will learn:** what a score is; what the gradient with respect to the pixels says, its sign and its size; what it
#   looks like; how far its promise holds; and why the same step in another order gains nothing.
# - **You need:** lesson 01, and to know what a derivative is.
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Here is where we are going: a photo, the gradient of a deep layer's activity with respect to its pixels, and the photo
# after one step along it. The step is so small that you cannot see it. The network can. (About three seconds.)

# %%
photo = dk.sample("china", 224)                                               # [1, 3, H, W], values in [0, 1]
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))                                   # a function: picture in, one number out
slopes = dk.gradient(score, photo)                                            # [1, 3, H, W], like the photo


def as_picture(values):                                                       # slopes around mid-grey
    return (0.5 + values / (6 * values.std())).clamp(0, 1)


after = dk.ascend(photo, dk.normalize(slopes), 0.005)
dk.show.strip({f"score {score(photo):.3f}": photo, "gradient": as_picture(slopes), f"score {score(after):.3f}": after},
              height=1.9, alt=f"A photo, the gradient of {layer} with respect to its pixels (coloured noise, strongest in the "
                              "bushes and on the pavilion), and the photo after one step, which looks the same")

# %% [markdown]
# ## The score: one number for a picture
#
# `dk.scorer` joins a wish to a network. The wish here is `dk.layer(layer)`: the mean of the squared activations of a
# whole layer. Any function from a picture to one number is a score; nothing that follows knows of a network. These two
# lines are the same score, written out:

# %%
features = dk.capture(network, photo, layer)[layer]
print(f"mean of squares: {features.square().mean():.6f}    dk.scorer: {score(photo):.6f}")

# %% [markdown]
# ## One slope, by hand
#
# How does the score change with *one* value of *one* pixel? Nudge it up a little, nudge it down, and compare. That is a
# **finite difference**. We do it on a small picture in double precision, so that the tiny change does not drown in
# rounding.
#
# ### Exercise 03.1 · The slope at one value of one pixel · 7 minutes · ★★☆
# `place` is `(colour, row, column)`. Give back (score with the value nudged up − score with it nudged down), divided by
# the way between the two. Leave the picture that you were given as it was.
#
# <details><summary>Hint</summary>
#
# `up = image.clone()`, then `up[(0, *place)] += nudge`. How far is it from `-nudge` to `+nudge`?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_slope(score, image, place, nudge):
#     up, down = image.clone(), image.clone()
#     up[(0, *place)] += nudge
#     down[(0, *place)] -= nudge
#     return (score(up) - score(down)) / (2 * nudge)
# ```
# </details>

# %% tags=["exercise"]
def my_slope(score, image, place, nudge):
    ...  # your lines


dk.exercises.check("slope", my_slope)

# %% [markdown]
# Now compare. **Backpropagation** gives the slope at every value of every pixel from one pass forward and one back. With
# PyTorch it is three lines; `dk.gradient` holds little more.

# %%
import torch

small = dk.sample("chelsea", 96).double()
leaf = small.clone().requires_grad_(True)
score(leaf).backward()
exact = leaf.grad                                                             # [1, 3, H, W]: all slopes
print(f"{exact.numel():,} slopes at once; dk.gradient differs by {(exact - dk.gradient(score, small)).abs().max():.0e} at most")

# %% [markdown]
# Sixteen places drawn at random, by hand and by backpropagation:

# %%
from matplotlib.figure import Figure

generator = torch.Generator().manual_seed(0)
places = [tuple(int(torch.randint(n, (), generator=generator)) for n in small.shape[1:]) for _ in range(16)]
by_hand = []
for place in places:
    nudge = torch.zeros_like(small)
    nudge[(0, *place)] = 1e-5
    by_hand.append(float((score(small + nudge) - score(small - nudge)) / 2e-5))
figure = Figure(figsize=(4.2, 3.4), layout="constrained")
axis = figure.subplots()
axis.axline((0, 0), slope=1, color="grey", linewidth=0.8)
axis.plot([float(exact[(0, *place)]) for place in places], by_hand, "o")
axis.set(xlabel="slope by backpropagation", ylabel="slope by hand")
dk.show.chart(figure, "Sixteen slopes by hand against those by backpropagation: all lie on the diagonal")

# %% [markdown]
# ## Predict, then reveal
#
# The nudge above was 0.00001. **Predict: what happens to the error by hand for a much larger nudge, and for a much smaller
# one? And in single precision?**
#
# <details><summary>Think first, then open</summary>
#
# Too large, and the score bends on the way (a ReLU switches, a max-pool takes another winner): you measure a chord, not
# the slope. Too small, and the difference of two nearly equal numbers drowns in rounding. In between lies the best nudge;
# in single precision, with 7 digits instead of 16, the best is far worse.
# </details>

# %%
nudges = [10.0**-k for k in range(1, 11)]
place = max(places, key=lambda p: abs(float(exact[(0, *p)])))
figure = Figure(figsize=(5.5, 3), layout="constrained")
axis = figure.subplots()
for name, picture in (("double precision", small), ("single precision", small.float())):
    one = torch.zeros_like(picture)
    one[(0, *place)] = 1
    by_hand = [float((score(picture + h * one) - score(picture - h * one)) / (2 * h)) for h in nudges]
    errors = [abs(slope / float(exact[(0, *place)]) - 1) for slope in by_hand]
    axis.loglog(nudges, [max(error, 1e-12) for error in errors], "o-", label=name)
axis.axhline(1, color="grey", linewidth=0.8)
axis.set(xlabel="nudge (the picture's range is 1)", ylabel="relative error of the slope")
axis.legend()
dk.show.chart(figure, "Error of a slope by hand against the nudge, on log scales: best in between, and much worse in single precision")

# %% [markdown]
# By hand, the gradient of this small picture takes two scores per value; backpropagation takes the time of two or three.

# %%
import time

begun = time.perf_counter()
score(small)
one = time.perf_counter() - begun
dk.gradient(score, small)
both = time.perf_counter() - begun - one
print(f"one score {one * 1000:.0f} ms; the whole gradient {both * 1000:.0f} ms; by hand it would take {2 * small.numel() * one / 60:.0f} minutes")

# %% [markdown]
# ## What a gradient looks like
#
# It has a sign: bright where more of a colour would raise the score, dark where less would. And it has a size: how much
# a value matters. As a picture it looks like coloured noise. Sum its size over the colours, and you see where the
# score hangs on the photo:

# %%
def where(slopes):
    size = dk.smooth(slopes.square().sum(1, keepdim=True), 2.0)[0, 0].sqrt()
    return size.clamp(max=size.quantile(0.995))                               # or one bright spot would dim all others


blind = dk.gradient(dk.scorer(dk.randomized(network), dk.layer(layer)), photo)
dk.show.grid({"gradient": as_picture(slopes), "its size": dk.show.overlay(photo, where(slopes)), "random weights": as_picture(blind),
              "size, random weights": dk.show.overlay(photo, where(blind))}, columns=2, height=1.8,
             alt="The gradient and where it is large, above for the trained network, below for random weights: there, too, it follows the pavilion")

# %% [markdown]
# Is the glow on the pavilion a sign that the network knows pavilions? The lower row has **random weights**, and draws the
# pavilion no less clearly. Where a photo has strong contrast, any network has large activations, and the score, a square,
# weighs those most. So a gradient picture proves little by itself. In lesson 14 this question comes back with better tools.
#
# Layer by layer the gradient changes its face. For the first layer it is nearly the photo itself, with its contrasts
# strengthened; the deeper the layer, the more it is noise to our eyes.

# %%
grains = {}
for depth in (0.0, 0.3, 0.6, 1.0):
    name = dk.layer_at(network, depth)
    grain = dk.gradient(dk.scorer(network, dk.layer(name)), photo)
    grains[name] = as_picture(grain)[..., 20:90, 60:165]
dk.show.strip(grains, height=1.6, alt=f"A detail of the gradient for the layers {', '.join(grains)}: at first much like the photo, then coloured grain")

# %% [markdown]
# ## One step
#
# To raise the score, move every value along its slope. How far? The raw slopes are tiny and depend on the layer, so divide
# by their standard deviation first; then `step_size` says how far a typical value moves, of a range of 1.
#
# ### Exercise 03.2 · One step uphill · 5 minutes · ★☆☆
# Give back the picture after one step: add `step_size` times the gradient over its standard deviation, and keep every
# value in [0, 1].
#
# <details><summary>Hint</summary>
#
# `gradient.std()` is one number for all values. `.clamp(0, 1)` comes last.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_step(image, gradient, step_size):
#     return (image + step_size * gradient / gradient.std()).clamp(0, 1)
# ```
# </details>

# %% tags=["exercise"]
def my_step(image, gradient, step_size):
    ...  # your lines


dk.exercises.check("one_step", my_step)

# %% [markdown]
# In this package the step is two verbs, `dk.normalize` and `dk.ascend`. Here is what it changes, forty times enlarged:

# %%
change = after - photo
dk.show.strip({"before": photo, "after": after, "the change × 40": (0.5 + 40 * change).clamp(0, 1)}, height=1.9,
              alt=f"Before and after one step of size 0.005 (no visible difference), and the change made 40 times as strong; "
                  f"the score rose from {score(photo):.3f} to {score(after):.3f}")

# %% [markdown]
# ## How far does the promise hold?
#
# The gradient promises: for a small step the score rises by *slope × change, summed over all values*.
#
# ### Exercise 03.3 · How much should the score rise? · 5 minutes · ★★☆
# Given the gradient and the picture before and after a step, give back the rise that the gradient predicts: one number.
#
# <details><summary>Hint</summary>
#
# Each value contributes its own slope times its own change. They add up.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_gain(gradient, before, after):
#     return (gradient * (after - before)).sum()
# ```
# </details>

# %% tags=["exercise"]
def my_gain(gradient, before, after):
    ...  # your lines


dk.exercises.check("gain", my_gain)

# %% [markdown]
# Now hold the promise against the truth, for steps of growing size.

# %%
sizes = [0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016]
promised, true = [], []
for size in sizes:
    stepped = dk.ascend(photo, dk.normalize(slopes), size)
    promised.append(float(score(photo) + (slopes * (stepped - photo)).sum()))
    true.append(float(score(stepped)))
figure = Figure(figsize=(5.5, 3), layout="constrained")
axis = figure.subplots()
axis.plot(sizes, promised, "--", label="promised by the gradient")
axis.plot(sizes, true, "o-", label="true")
axis.set(xlabel="step size", ylabel="score")
axis.legend()
dk.show.chart(figure, f"Score against step size: promised {promised[-1]:.2f} and true {true[-1]:.2f} at size {sizes[-1]}; "
                      "they part as the step grows")

# %% [markdown]
# For tiny steps they agree; then they part, because other ReLUs switch on and off on the way. So it takes *many small steps*,
# with a fresh gradient before each: that is lesson 04.
#
# Try it yourself: one single step, of any size. From where on can you see it? When does the score stop rising?

# %%
def one_step(size):
    stepped = dk.ascend(photo, dk.normalize(slopes), size)
    return stepped, f"score {score(photo):.3f} → {score(stepped):.3f}"


dk.widgets.slide("step size", [0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], one_step, start=0.02, width=448)

# %% [markdown]
# ## Sanity baseline: the same step in another order
#
# Is it the *direction* that counts, or would any change of that size do? Take the very same numbers and shuffle them over
# the picture; turn the gradient by half a turn; or go straight downhill.

# %%
def shuffled(values):
    return values.flatten()[torch.randperm(values.numel(), generator=torch.Generator().manual_seed(0))].reshape(values.shape)


directions = {"uphill": slopes, "shuffled": shuffled(slopes), "upside down": slopes.rot90(2, (2, 3)), "downhill": -slopes}
for name, direction in directions.items():
    stepped = dk.ascend(photo, dk.normalize(direction), 0.005)
    print(f"{name:12} the score changes by {(score(stepped) / score(photo) - 1) * 100:+6.1f} %   (mean change of a value {(stepped - photo).abs().mean():.4f})")

# %% [markdown]
# The same numbers in other places do next to nothing. In a space of a hundred thousand dimensions nearly every direction
# is nearly level; the gradient is the one that is not.
#
# ## The first rung of the ladder
#
# Repeat the step forty times, always with the raw gradient times one constant, and you have the plainest DeepDream there is.
# You will see this photo in every lesson up to 08, each time with one more idea. (About five seconds.)

# %%
plain = dk.ladder(network, rungs=["plain"])["plain"]
dk.show.strip({"photo": photo, "one step": after, "forty plain steps": plain}, height=2.2,
              alt=f"The photo, after one step, and after forty plain steps on {layer}: shapes have come up, under a layer of coloured noise")

# %% [markdown]
# ## Recap
#
# - You measured a slope by hand, and got all of them at once by backpropagation: the gradient with respect to the pixels.
# - A score is any function from a picture to one number. The sign of a slope says which way, its size says how much it matters.
# - As a picture the gradient is noise-like, and where it is large proves little: random weights glow there, too.
# - The promise of the gradient holds for small steps only; so one takes many.
# - The same change in another order gains next to nothing: the direction is everything.
#
# ## Read next
#
# - Lesson 04: many steps, and why the picture turns to noise.
# - K. Simonyan, A. Vedaldi and A. Zisserman, [Deep inside convolutional networks](https://arxiv.org/abs/1312.6034), 2013:
#   the gradient of a class score with respect to the pixels, as a map and as a way to draw.
# - [CS231n on backpropagation](https://cs231n.github.io/optimization-2/) and on
#   [gradient checks](https://cs231n.github.io/neural-networks-3/#gradcheck): why two-sided, and in double precision.
# - A. Mordvintsev, C. Olah and M. Tyka, [DeepDream](https://github.com/google/deepdream), 2015: the step in its first published form.

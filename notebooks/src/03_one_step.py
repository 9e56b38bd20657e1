# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 03 · One step: the gradient with respect to the pixels
#
# Training asks: *how must the weights change so that the network does better?* DeepDream asks the
# same question of the other side. The weights stay, and **the picture** changes. This lesson takes
# one single step, slowly.
#
# - **You will do:** measure a slope by hand, get all slopes at once from backpropagation, find out
#   which activations the score favours, and take one step uphill.
# - **You will learn:** what an objective and its score are; what the gradient with respect to the
#   pixels says; why DeepDream *squares* the activations; how far the gradient's promise holds.
# - **You need:** lesson 01, and to know what a derivative is.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit

network = dk.course_network()  # or a name: dk.course_network("dreamnet-robust")

# %% [markdown]
# Here is where we are going: a photo, the gradient of a deep layer's activation with respect to its
# pixels, and the photo after one step along that gradient. The step is so small that you cannot
# see it. The network can. (About five seconds.)

# %%
photo = dk.sample("chelsea", 336)                       # [1, 3, H, W], values in [0, 1]
layer = dk.layer_at(network, 0.7)
score = dk.scorer(network, dk.layer(layer))             # a function: picture in, one number out
gradient = dk.gradient(score, photo)                    # [1, 3, H, W], like the photo
after = dk.ascend(photo, dk.normalize(gradient), 0.003)
first = {f"score {score(photo):.3f}": photo, f"gradient of {layer}": dk.show.signed(gradient),
         f"score {score(after):.3f}": after}
dk.show.strip(first, height=2.4, alt=f"A photo of a cat, the gradient of {layer} (fine coloured "
              "grain around grey), and the photo after one step, which looks the same")

# %% [markdown]
# ## The score: one number for a picture
#
# An **objective** says what the picture should excite. Here it is `dk.layer(layer)`: the mean of
# the squared activations of a whole layer. `dk.scorer` joins the objective to a network and gives a
# **score**, a function from a picture to one number. Any such function will do; nothing that
# follows knows of a network. Written out, the score is:

# %%
activations = dk.capture(network, photo, layer)[layer]  # [1, channels, h, w]
print(f"{tuple(activations.shape)}: mean of squares {activations.square().mean():.6f}, "
      f"dk.scorer {score(photo):.6f}")

# %% [markdown]
# ## One slope, by hand
#
# How does the score change with *one* value of *one* pixel? Make it a little larger, make it a
# little smaller, and compare. That is a **central finite difference**, an estimate of the **partial
# derivative**. We do it in double precision, so that the small change does not drown in rounding.
#
# ### Exercise 03.1 · The slope at one value of one pixel · 7 minutes · ★★☆
# `position` is `(colour, row, column)`. Return (score with the value larger by `nudge` − score with
# it smaller by `nudge`), divided by the distance between the two. Do not change the picture that
# you were given.
#
# <details><summary>Hint</summary>
#
# `up = image.clone()`, then `up[(0, *position)] += nudge`. How far is it from `-nudge` to `+nudge`?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_slope(score, image, position, nudge):
#     up, down = image.clone(), image.clone()
#     up[(0, *position)] += nudge
#     down[(0, *position)] -= nudge
#     return (score(up) - score(down)) / (2 * nudge)
# ```
# </details>


# %% tags=["exercise"]
def my_slope(score, image, position, nudge): ...  # your lines


dk.exercises.check("slope", my_slope)

# %% [markdown]
# **Backpropagation** gives the slope at every value of every pixel from one forward and one
# backward pass. In PyTorch it is three lines; `dk.gradient` holds little more.

# %%
import torch

small = dk.sample("chelsea", 96).double()
leaf = small.clone().requires_grad_(True)
score(leaf).backward()
exact = leaf.grad                                       # [1, 3, H, W]: all slopes
difference = (exact - dk.gradient(score, small)).abs().max()
print(f"{exact.numel():,} slopes at once; dk.gradient differs by {difference:.0e} at most")

# %% [markdown]
# ## Predict, then reveal: how large a nudge?
#
# Now check backpropagation by hand, at seven positions drawn at random. **Predict before you run:
# what happens to the error of the finite difference for a large nudge, and for a tiny one? And in
# single precision (7 digits instead of 16)?** (About five seconds.)
#
# <details><summary>Think first, then open</summary>
#
# Too large, and the score bends between the two ends (a ReLU6 switches on the way): you measure a
# chord, not the slope. Too small, and the difference of two nearly equal numbers drowns in
# rounding. The best nudge lies in between. In single precision the best is worse by far.
# </details>

# %%
generator = torch.Generator().manual_seed(0)
positions = torch.stack([torch.randint(n, (7,), generator=generator) for n in small.shape[1:]], 1)


def error(image, nudge):                                # the median over the positions
    found = []
    for position in positions.tolist():
        change = torch.zeros_like(image)
        change[(0, *position)] = nudge
        by_hand = (score(image + change) - score(image - change)) / (2 * nudge)
        found.append(abs(float(by_hand / exact[(0, *position)] - 1)))
    return max(sorted(found)[3], 1e-12)


nudges = [10.0**-k for k in range(1, 11, 2)]
errors = {"double precision": (nudges, [error(small, h) for h in nudges]),
          "single precision": (nudges, [error(small.float(), h) for h in nudges])}
dk.show.curves(errors, "nudge (the picture's range is 1)", "relative error of the slope (median)",
               "Error of slopes by hand against the nudge: lowest in between", log="xy")

# %% [markdown]
# By hand, the gradient of this small picture takes two scores for each value. Backpropagation takes
# the time of one to a few scores, whatever the number of pixels.

# %%
import time

begun = time.perf_counter()
score(small)
one = time.perf_counter() - begun
dk.gradient(score, small)
whole = time.perf_counter() - begun - one
print(f"one score {one * 1000:.0f} ms; the whole gradient {whole * 1000:.0f} ms; "
      f"by hand {2 * small.numel() * one / 60:.0f} minutes")

# %% [markdown]
# ## What a gradient looks like
#
# It has a sign: bright where more of a colour would raise the score, dark where less would. And it
# has a size: how much a value matters. Here is the size, summed over the colours and blurred a
# little, as a glow over the photo.


# %%
def size_of(gradient):
    size = dk.smooth(gradient.square().sum(1, keepdim=True), 3.0)[0, 0].sqrt()
    return size.clamp(max=size.quantile(0.995))         # or one bright spot dims all others


dk.show.strip({"gradient": dk.show.signed(gradient),
               "where it is large": dk.show.overlay(photo, size_of(gradient))}, height=3.0,
              alt="The gradient as coloured grain, and its size as a glow over the photo")

# %% [markdown]
# ## Interpretation: what does the glow prove?
#
# **Write before you go on.** In the cell below: (1) where is the gradient large? (2) What would a
# hasty reader conclude about what the network *knows*? (3) Which control could prove that reader
# wrong: what would you show to the same measure, and what must it *not* do? (5 minutes)

# %%
note = """
1. The gradient is large at …
2. One could conclude that …
3. My control: …; the conclusion is wrong if …
"""

# %% [markdown]
# The control used throughout this course is the same network with **random weights**.

# %%
photos = [dk.sample(name, 224) for name in
          ("chelsea", "china", "clouds", "coffee", "motorcycle", "flower")]
blind = dk.scorer(dk.randomized(network), dk.layer(layer))
for image in photos:
    glows = [size_of(dk.gradient(one, image)).flatten() for one in (score, blind)]
    print(f"correlation of the two glows: {torch.corrcoef(torch.stack(glows))[0, 1]:+.2f}")
blind_glow = dk.show.overlay(photo, size_of(dk.gradient(blind, photo)))
dk.show.strip({"trained": dk.show.overlay(photo, size_of(gradient)), "random weights": blind_glow},
              height=3.0, alt="Where the gradient is large, trained and with random weights")

# %% [markdown]
# A network that knows nothing glows, too, and its glow is as easy to tell a story about. On six
# photos the two glows have little in common (the correlations above), so the glow does depend on
# the weights; *what* it says about them, it does not tell. Lesson 14a has better tools.
#
# ## Why is the score squared?
#
# The score could be the plain mean of the activations, or one channel. Google's program of 2015
# used half the sum of squares. What does the square do? Ask the objective first, before any pixel.
#
# ### Exercise 03.2 · What each activation is worth · 7 minutes · ★★☆
# The score is the mean of `activations ** power` over all N values of a layer. Return the slope of
# this score with respect to *each activation*, a tensor of the same shape. Write the formula; no
# `backward()`.
#
# <details><summary>Hint</summary>
#
# The derivative of aᵖ is p·aᵖ⁻¹. A mean divides by the number of values, `.numel()`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_weights(activations, power):
#     return power * activations ** (power - 1) / activations.numel()
# ```
# </details>


# %% tags=["exercise"]
def my_weights(activations, power): ...  # your lines


dk.exercises.check("weights", my_weights)

# %% [markdown]
# With a plain mean every activation is worth the same. With squares each is **weighted by itself**:
# what the layer sees strongly pulls hardest. That is the feedback for which the post of 2015 had
# the words *whatever you see there, I want more of it*.
#
# Does it survive the trip to the pixels, where all units pull at the same values? Measure it. Take
# one tiny step, then sort the units of the layer (one channel at one position each) by how active
# they were before: by how much did each group rise? Six photos; the dots are the photos.


# %%
def rises(network, image, power):
    """The mean rise of the strongest quarter of active units, of the weakest, of silent ones."""
    slopes = dk.gradient(dk.scorer(network, dk.layer(layer, power=power)), image)
    stepped = dk.ascend(image, dk.normalize(slopes), 0.001)
    before, later = (dk.capture(network, x, layer)[layer].flatten() for x in (image, stepped))
    active = before.argsort(descending=True)[: int((before > 0).sum())].chunk(4)
    rise = later - before
    return [float(rise[group].mean()) for group in (active[0], active[-1], before <= 0)]


groups = {}
for name, net, power in (("mean", network, 1), ("squares", network, 2), ("cubes", network, 3),
                         ("squares, random weights", dk.randomized(network), 2)):
    found = [rises(net, image, power) for image in photos]
    groups[name] = [strongest / weakest for strongest, weakest, _ in found]
ratios = zip(groups["mean"], groups["squares"], groups["cubes"])
in_order = sum(mean < squares < cubes for mean, squares, cubes in ratios)
print(f"the ratio grows with the power on {in_order} of {len(photos)} photos")
dk.show.bars(groups, "rise of the strongest quarter / rise of the weakest quarter",
             f"How much more strong units rise than weak ones, for {', '.join(groups)}")

# %% [markdown]
# The higher the power, the more the step favours strong units, on every photo. With random weights
# the objective asks for the same, but in EfficientNet-Lite0 the strongest units even fall.
#
# And there is a second selection, which needs no square: a unit that is *silent* (its ReLU6
# returns 0) passes no slope back, so nothing works for it.

# %%
for power, name in ((1, "mean"), (2, "squares")):
    found = [rises(network, image, power) for image in photos]
    ratio = [min(a, b) / c for a, b, c in found]
    print(
        f"{name:8} active units rise {min(ratio):.0f} to {max(ratio):.0f} times as much as silent"
    )

# %% [markdown]
# So *more of what you see* has two causes: silent units have no vote, and with squares the loud
# ones have more of it. What does the choice look like? Here are many steps on three objectives,
# with all that lessons 04 to 08 add. (About ten seconds.)

# %%
loudest = int(dk.capture(network, photo, layer)[layer].square().mean((0, 2, 3)).argmax())
goals = {"mean": dk.layer(layer, power=1), "mean of squares": dk.layer(layer),
         f"channel {loudest} only": dk.channel(layer, loudest)}
settings = dk.settings_for(network, layer)
dreams = {name: dk.dream(dk.scorer(network, goal), photo, settings) for name, goal in goals.items()}
dk.show.grid({"photo": photo, **dreams}, columns=2, height=2.9,
             alt=f"A photo of a cat and dreams of three objectives: {', '.join(goals)}")

# %% [markdown]
# In EfficientNet-Lite0 the *mean of squares* makes one large face of this cat, more bear than cat,
# and smaller animals around it; the *mean* draws more things, smaller and in more colours; one
# channel covers everything with its own pattern. That is one photo: a picture, not a proof.
#
# ## One step
#
# To raise the score, move every value along its slope. How far? The raw slopes are tiny, and they
# depend on the layer. Divide them by their **standard deviation**; then the **step size** says how
# far a typical value moves, in a range of 1.
#
# ### Exercise 03.3 · One step uphill · 5 minutes · ★☆☆
# Return the picture after one step: add `step_size` times the gradient over its standard deviation,
# and keep every value in [0, 1].
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
def my_step(image, gradient, step_size): ...  # your lines


dk.exercises.check("one_step", my_step)

# %% [markdown]
# The package splits the step into two functions, `dk.normalize` and `dk.ascend`. Here is what the
# step of the first picture changed, made forty times stronger:

# %%
change = after - photo
dk.show.strip({"before": photo, "after": after, "change × 40": (0.5 + 40 * change).clamp(0, 1)},
              height=2.4, alt="Before and after one step of size 0.003 (no visible difference), "
              f"and the change × 40; the score rose from {score(photo):.3f} to {score(after):.3f}")

# %% [markdown]
# ## How far does the promise hold?
#
# A gradient makes a promise about every small change of the picture: how much the score will rise.
#
# ### Exercise 03.4 · How much should the score rise? · 5 minutes · ★★☆
# Given the gradient and the picture before and after a step, return the rise that the gradient
# predicts: one number.
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
def my_gain(gradient, before, after): ...  # your lines


dk.exercises.check("gain", my_gain)

# %% [markdown]
# Now hold the promise against the truth, for steps of growing size.


# %%
def promise_and_truth(score, image, sizes):
    slopes, promised, true = dk.gradient(score, image), [], []
    for size in sizes:
        stepped = dk.ascend(image, dk.normalize(slopes), size)
        promised.append(float(score(image) + (slopes * (stepped - image)).sum()))
        true.append(float(score(stepped)))
    return promised, true


sizes = [0.0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.004]
promised, true = promise_and_truth(score, photo, sizes)
lines = {"promised by the gradient": (sizes, promised), "true": (sizes, true)}
dk.show.curves(lines, "step size", "score", "Score against step size: promised "
               f"{promised[-1]:.2f}, true {true[-1]:.2f} at size {sizes[-1]}",
               dashed=["promised by the gradient"])

# %% [markdown]
# For tiny steps they agree. Then they part, and soon, because other units switch on and off on the
# way. So one takes *many small steps*, with a fresh gradient before each: lesson 04.
#
# Try it: one single step, of any size. From where on can you see it? When does the score stop
# rising?


# %%
def one_step(size):
    stepped = dk.ascend(photo, dk.normalize(gradient), size)
    return stepped, f"score {score(photo):.3f} → {score(stepped):.3f}"


dk.widgets.slide("step size", [0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], one_step,
                 start=0.02, width=504)

# %% [markdown]
# ## Sanity baseline: the same step in another order
#
# Is it the *direction* that counts, or would any change of that size do? Take the very same numbers
# and shuffle them over the picture (five times); turn the gradient by half a turn; go downhill.


# %%
def shuffled(values, seed):
    order = torch.randperm(values.numel(), generator=torch.Generator().manual_seed(seed))
    return values.flatten()[order].reshape(values.shape)


directions = {"uphill": gradient,
              **{f"shuffled, seed {s}": shuffled(gradient, s) for s in range(5)},
              "half a turn": gradient.rot90(2, (2, 3)), "downhill": -gradient}
for name, direction in directions.items():
    stepped = dk.ascend(photo, dk.normalize(direction), 0.003)
    print(f"{name:17} the score changes by {score(stepped) / score(photo) - 1:+7.1%}   "
          f"(mean change of a value {(stepped - photo).abs().mean():.4f})")

# %% [markdown]
# The same numbers at other positions do next to nothing. Among hundreds of thousands of dimensions
# nearly every direction is nearly level; the gradient is the one that is not.
#
# ## Open investigation: how long is the promise good?
#
# Nobody has a formula for the step size at which the truth falls to half of the promise. Does it
# grow or shrink with depth? With the photo, with the power of the objective, with random weights?
# A first cell to start from (20 minutes at home; write down what you expect first):

# %%
sizes = [0.0002, 0.0005, 0.001, 0.002, 0.004]
for depth in (0.0, 0.4, 0.7, 1.0):
    probe = dk.scorer(network, dk.layer(dk.layer_at(network, depth)))
    promised, true = promise_and_truth(probe, photos[0], sizes)
    start = float(probe(photos[0]))
    kept = [(t - start) / (p - start) for p, t in zip(promised, true, strict=True)]
    print(f"{dk.layer_at(network, depth):16}", *(f"{s:g}: {k:4.0%}  " for s, k in zip(sizes, kept)))

# %% [markdown]
# ## Where it leads
#
# One step cannot be seen. The next lessons repeat it, smooth it, shift it and take it at several
# sizes, and this is what becomes of the same photo, layer and score:

# %%
end = f"{settings.steps * settings.octaves} steps, as in lesson 08"
dk.show.strip({"one step": after, end: dreams["mean of squares"]}, height=3.4,
              alt=f"The cat after one step on {layer}, and after a whole DeepDream: new faces")

# %% [markdown]
# ## Recap
#
# - You measured a slope by hand, and got all of them at once by backpropagation: the gradient with
#   respect to the pixels. Two-sided, in double precision, with a nudge neither too large nor too
#   small.
# - An objective joined to a network is a score, a function from a picture to one number.
# - Squares weight each activation by itself: compared with the mean, strong units gain on weak
#   ones, on every photo measured. Silent units have no vote even in the plain mean.
# - Where the gradient is large depends on the weights, but a glow is no proof of knowledge: random
#   weights glow, too.
# - In the deeper layers the promise of the gradient holds for tiny steps only; so one takes many.
# - The same change in another order gains nothing: the direction is what counts.
#
# ## Read next
#
# - Lesson 04: many steps, and where the gradient's grain comes from.
# - A. Mordvintsev, C. Olah and M. Tyka,
#   [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks/),
#   2015: *whatever you see there, I want more of it*.
# - K. Simonyan, A. Vedaldi and A. Zisserman,
#   [Deep inside convolutional networks](https://arxiv.org/abs/1312.6034), 2013: the gradient of a
#   class score with respect to the pixels, as a map and as a means to draw.
# - [CS231n on backpropagation](https://cs231n.github.io/optimization-2/) and on
#   [gradient checks](https://cs231n.github.io/neural-networks-3/#gradcheck): why two-sided, and in
#   double precision.
# - [DeepDream](https://github.com/google/deepdream), 2015: the step in its first published form.

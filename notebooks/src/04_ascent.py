# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 04 · Ascent: many steps, and why the picture turns to noise
#
# One step along the gradient is invisible. Forty in a row are a dream, of sorts: shapes come up, but under a crust of
# coloured noise. This lesson builds the loop, makes every step count the same, and then looks hard at that noise.
#
# - **You will do:** write gradient ascent in six lines, normalise it, and take its result apart by frequency.
# - **You will learn:** why steps are normalised; how score and step size hang together; that the noise is made of fine
#   waves, is wanted by the network, and comes from how a network is built.
# - **You need:** lesson 03.
# - **Minutes:** 30

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Here is where we are going: the first two rungs of the ladder, forty steps each. (About six seconds.)

# %%
rungs = dk.ladder(network, rungs=["plain", "normalised"])
china = dk.sample("china", 224)
detail = {f"{name}, detail": dk.resize(image[..., 70:120, 95:170], (149, 224)) for name, image in rungs.items()}
dk.show.grid({"photo": china, **rungs, "photo, detail": dk.resize(china[..., 70:120, 95:170], (149, 224)), **detail}, columns=3, height=1.9,
             alt="A photo, forty plain steps, forty normalised steps; below a detail of each: shapes among coloured noise")

# %% [markdown]
# ## The loop
#
# A step, and again, with a *fresh* gradient each time, since the old one belongs to the old picture:

# %%
import torch

photo = dk.sample("china", 160)                                               # smaller, to be quick
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))


def climb(score, image, steps, constant):                                     # the plain loop: raw gradient times a constant
    scores, sizes = [float(score(image))], []
    for _ in range(steps):
        slopes = dk.gradient(score, image)
        image = (image + constant * slopes).clamp(0, 1)
        scores.append(float(score(image)))
        sizes.append(float(slopes.std()))
    return image, scores, sizes


constant = float(0.012 / dk.gradient(score, photo).std())                     # the first step moves a typical value by 0.012
plain, plain_scores, sizes = climb(score, photo, 24, constant)
print(f"constant {constant:.3g}; score {plain_scores[0]:.4g} → {plain_scores[-1]:.4g}; "
      f"the gradient is at first {sizes[0]:.2g}, at most {max(sizes):.2g}, at last {sizes[-1]:.2g}")

# %% [markdown]
# It climbs. But where does the constant come from? We had to measure the first gradient to find one. Is it at least good
# for other layers, other photos?

# %%
from matplotlib.figure import Figure

layers = [dk.layer_at(network, depth) for depth in (0.0, 0.25, 0.5, 0.75, 1.0)]
figure = Figure(figsize=(6, 3), layout="constrained")
axis = figure.subplots()
for name, marker in (("china", "o-"), ("chelsea", "s--"), ("clouds", "^:")):
    image = dk.sample(name, 160)
    axis.semilogy(layers, [float(dk.gradient(dk.scorer(network, dk.layer(one)), image).std()) for one in layers], marker, label=name)
axis.set(ylabel="typical slope", xlabel="layer, shallow to deep")
axis.tick_params(axis="x", rotation=15)
axis.legend()
dk.show.chart(figure, f"Standard deviation of the gradient for the layers {', '.join(layers)} and three photos: it differs several times over between layers")

# %% [markdown]
# The slopes differ several times over from layer to layer (the axis is logarithmic), and up to twice from photo to photo. A
# constant that is right for one layer is much too large or too small for another.
#
# ## Normalise
#
# So use the gradient's *direction* only, and choose the length of each step yourself: divide by the standard deviation.
#
# ### Exercise 04.1 · A gradient of known size · 5 minutes · ★☆☆
# Give back the gradient divided by its standard deviation (one number, over all values). A gradient that is zero
# everywhere should come back as it is.
#
# <details><summary>Hint</summary>
#
# What is 0 / 0? Ask `if` the deviation is above zero.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_normalised(gradient):
#     size = gradient.std()
#     return gradient / size if size > 0 else gradient
# ```
# </details>

# %% tags=["exercise"]
def my_normalised(gradient):
    ...  # your lines


dk.exercises.check("normalised", my_normalised)

# %% [markdown]
# ### Exercise 04.2 · Gradient ascent · 8 minutes · ★★☆
# Now the whole loop. Take `steps` steps uphill, each along the normalised gradient times `step_size`, each followed by a
# clamp to [0, 1]. `dk.gradient(score, image)` gives the gradient.
#
# <details><summary>Hint</summary>
#
# Three lines in a `for` loop. `image` must be what the last step left.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_ascent(score, image, steps, step_size):
#     for _ in range(steps):
#         slopes = dk.gradient(score, image)
#         image = (image + step_size * slopes / slopes.std()).clamp(0, 1)
#     return image
# ```
# </details>

# %% tags=["exercise"]
def my_ascent(score, image, steps, step_size):
    ...  # your lines


dk.exercises.check("ascent", my_ascent)

# %% [markdown]
# With the package: `dk.normalize`, `dk.ascend`; and `dk.dreaming` is the loop around them, here with everything else
# switched off. It yields the picture after each step. (About three seconds.)

# %%
bare = dk.Settings(steps=24, step_size=0.012, octaves=1, jitter=0, smoothing=0.0)
steps = [photo, *dk.dreaming(score, photo, bare)]
scores = [float(score(image)) for image in steps]
figure = Figure(figsize=(6, 3), layout="constrained")
axis = figure.subplots()
axis.plot(plain_scores, "--", label="plain: raw gradient × constant")
axis.plot(scores, "o-", markersize=3, label="normalised")
axis.set(xlabel="step", ylabel="score")
axis.legend()
dk.show.chart(figure, f"Score step by step: plain to {plain_scores[-1]:.3g}, normalised to {scores[-1]:.3g} after {len(scores) - 1} steps")

# %% [markdown]
# Here the plain loop may even run ahead, because its steps grow with the gradient. Normalised steps are even: nothing to
# tune for the layer, no running away. And the picture, step by step:

# %%
dk.show.strip({f"step {k}, score {scores[k]:.2f}": steps[k] for k in (0, 3, 8, 24)}, height=1.5,
              alt="The photo after 0, 3, 8 and 24 normalised steps: patterns grow, and with them coloured noise")

# %% [markdown]
# How long should a step be? Slide. Twelve steps each; watch what comes up, and how grainy it is.

# %%
def twelve(step_size):
    settings = dk.Settings(steps=12, step_size=step_size, octaves=1, jitter=0, smoothing=0.0)
    for image in dk.dreaming(score, photo, settings):
        yield image, "climbing …"
    yield image, f"after 12 steps of {step_size:g}: score {scores[0]:.2f} → {float(score(image)):.2f}"


dk.widgets.slide("step size", [0.001, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1], twelve, start=0.012, width=400)

# %% [markdown]
# ## Predict, then reveal
#
# **Predict: what scores higher, 24 steps of 0.012, or 4 steps of 0.072? The way is equally long.**
#
# <details><summary>Think first, then open</summary>
#
# Many small steps. Every step follows the slope where it starts; the longer the step, the sooner that slope is out of date
# (lesson 03: the promise holds only near by). A few big steps also drive more values into the stops at 0 and 1.
# </details>

# %%
big = dk.dream(score, photo, dk.Settings(steps=4, step_size=0.072, octaves=1, jitter=0, smoothing=0.0))
dk.show.strip({f"24 steps of 0.012: {scores[-1]:.2f}": steps[-1], f"4 steps of 0.072: {float(score(big)):.2f}": big}, height=2.0,
              alt=f"Many small steps (score {scores[-1]:.2f}) beside four big ones (score {float(score(big)):.2f}), which look grainier")

# %% [markdown]
# ## Look at the noise
#
# Take away the photo, and look at what the ascent has *added*: all of it, and a detail, each pixel as a square.

# %%
added = steps[-1] - photo                                                     # [1, 3, H, W], around 0
shown = (0.5 + added / (6 * added.std())).clamp(0, 1)
close = dk.resize(shown[..., 50:78, 60:102].repeat_interleave(8, 2).repeat_interleave(8, 3), (224, 336))
dk.show.strip({"added by 24 steps": dk.resize(shown, (224, 336)), "a detail, pixel by pixel": close}, height=2.2,
              alt="What the ascent added to the photo: shapes, made of coloured grain; in the detail neighbouring pixels go opposite ways")

# %% [markdown]
# There are shapes in it, but they are made of grain: neighbouring pixels go opposite ways. To put a number on such grain, split a picture into waves: its **spectrum**. In the
# middle lie the long waves, outside the short ones; bright is strong.

# %%
def spectrum(image):                                                          # log of the energy, long waves in the middle
    plane = image.mean(1)[0]
    return torch.fft.fftshift(torch.fft.fft2(plane - plane.mean()).abs().square()).clamp(min=1e-9).log10()


views = {"the photo": photo, "its gradient": dk.gradient(score, photo), "added by 24 steps": added}
dk.show.strip({name: dk.show.heat(spectrum(v) - spectrum(v).max(), low=-6, high=0) for name, v in views.items()}, height=1.7,
              alt="Spectra: of the photo, bright in the middle only; of its gradient and of what was added, bright far out to the edges")

# %% [markdown]
# ### Exercise 04.3 · How much of a pattern is fine detail? · 8 minutes · ★★★
# `plane` is `[H, W]`. Give back the share of its energy (squared amplitude, without the mean) in waves whose frequency is
# above `limit`, in cycles per pixel. 0.25 means waves shorter than four pixels.
#
# <details><summary>Hint</summary>
#
# `torch.fft.fft2` gives the waves, `torch.fft.fftfreq(n)` the frequencies along one side of n pixels, in the same order.
# The frequency of a wave is the length of its two parts: `torch.hypot(down[:, None], across[None, :])`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_fine(plane, limit):
#     energy = torch.fft.fft2(plane - plane.mean()).abs().square()
#     down, across = (torch.fft.fftfreq(n) for n in plane.shape)
#     frequency = torch.hypot(down[:, None], across[None, :])
#     return energy[frequency > limit].sum() / energy.sum()
# ```
# </details>

# %% tags=["exercise"]
def my_fine(plane, limit):
    ...  # your lines


dk.exercises.check("fine", my_fine)

# %% [markdown]
# The same by frequency, from long waves to short, each curve as a share of its own energy:

# %%
def by_frequency(image, bins=24):
    plane = image.mean(1)[0]
    energy = torch.fft.fft2(plane - plane.mean()).abs().square()
    frequency = torch.hypot(*torch.meshgrid(*(torch.fft.fftfreq(n) for n in plane.shape), indexing="ij"))
    ring = (frequency * 2 * bins).long().clamp(max=bins).flatten()
    share = torch.zeros(bins + 1).scatter_add_(0, ring, energy.flatten()) / energy.sum()
    return share[:bins], float(energy[frequency > 0.25].sum() / energy.sum())


blind = dk.gradient(dk.scorer(dk.randomized(network), dk.layer(layer)), photo)
figure = Figure(figsize=(6, 3.2), layout="constrained")
axis, fine = figure.subplots(), {}
for name, view in {**views, "gradient, random weights": blind}.items():
    share, fine[name] = by_frequency(view)
    axis.semilogy((torch.arange(24) + 0.5) / 48, share.clamp(min=1e-7), label=f"{name}: {fine[name]:.0%} above 0.25")
axis.set(xlabel="frequency (cycles per pixel; 0.5 is every other pixel)", ylabel="share of the energy")
axis.legend(fontsize=8)
dk.show.chart(figure, "Share of energy by frequency; above 0.25 cycles per pixel: " + ", ".join(f"{k} {v:.0%}" for k, v in fine.items()))

# %% [markdown]
# A photo keeps nearly all its energy in long waves; the gradient has most of it in short ones. And the gradient of **random
# weights** has the same fault, or more of it: the grain is not learnt, it comes from how the network is built. The usual
# suspects are pooling and strides: a max-pool passes the slope on to the one pixel that won, and its neighbours get nothing.
# The more of that lies between a layer and the pixels, the rougher the gradient, and the first few layers do most of it:

# %%
for name in layers:
    _, share = by_frequency(dk.gradient(dk.scorer(network, dk.layer(name)), photo))
    print(f"{name:14} waves shorter than four pixels hold {share:4.0%} of the gradient's energy")

# %% [markdown]
# ## Sanity baseline: is it *this* noise?
#
# If the result looks like noise, would noise do? Add patterns of exactly the same size instead: random noise; the very
# values of `added`, shuffled; a pattern with the same spectrum but random phases; `added` seen in a mirror.

# %%
generator = torch.Generator().manual_seed(0)
phases = torch.fft.rfft2(torch.randn(added.shape[-2:], generator=generator)).angle()
patterns = {"what the ascent added": added,
            "random noise": torch.randn(added.shape, generator=generator) * added.std(),
            "the same values, shuffled": added.flatten()[torch.randperm(added.numel(), generator=generator)].reshape(added.shape),
            "the same spectrum": torch.fft.irfft2(torch.fft.rfft2(added) * torch.polar(torch.ones_like(phases), phases), s=added.shape[-2:]),
            "mirrored": added.flip(-1)}
print(f"{'the photo alone':28} score {float(score(photo)):8.3f}")
for name, pattern in patterns.items():
    print(f"{name:28} score {float(score((photo + pattern).clamp(0, 1))):8.3f}   (typical change of a value {pattern.std():.3f})")

# %% [markdown]
# Noise of the same size does not raise the score; most often it lowers it. (In the mirror shapes are still shapes, so a little
# of the gain may survive.) What the ascent adds *looks* like noise to you, but every pixel of it has been placed. This is close kin to adversarial pictures: networks care about fine patterns that we
# hardly see. And a score alone is no sign of meaning: the same climb on **random weights** succeeds, too.

# %%
untrained = dk.randomized(network)
other = dk.scorer(untrained, dk.layer(layer))
climbed = dk.dream(other, photo, bare)
dk.show.strip({f"trained: {scores[0]:.2g} → {scores[-1]:.2g}": steps[-1],
               f"random weights: {float(other(photo)):.2g} → {float(other(climbed)):.2g}": climbed}, height=2.0,
              alt="24 steps on the trained network and on random weights: both scores have climbed; only the first picture shows shapes")

# %% [markdown]
# So the loop works, and the fault is clear: too much of every step goes into waves that are too short to mean anything to
# us. Three cures follow, one a lesson: blur the gradient (05), move the picture under the network's grid (06), and begin
# with a small picture, in which long waves are short (07).
#
# ## Recap
#
# - You wrote gradient ascent: fresh gradient, known step, clamp, again.
# - Raw slopes differ several times over between layers, and up to twice between photos; normalised, one step size fits all.
# - Many small steps beat a few big ones.
# - The picture turns to noise because the gradient lives in short waves; that comes from pooling and strides, and random
#   weights show it, too.
# - It is placed, not random: noise of the same size and spectrum does not raise the score.
#
# ## Read next
#
# - Lesson 05: smoothing the gradient, and its spectrum before and after.
# - A. Mordvintsev, C. Olah and M. Tyka, [DeepDream](https://github.com/google/deepdream), 2015: each step divided by the mean of |g|;
#   [TensorFlow's tutorial](https://www.tensorflow.org/tutorials/generative/deepdream) divides by the standard deviation, as here.
# - C. Olah, A. Mordvintsev and L. Schubert, [Feature visualization](https://distill.pub/2017/feature-visualization/), 2017:
#   the section on the enemy of feature visualization, high-frequency patterns.
# - C. Szegedy et al., [Intriguing properties of neural networks](https://arxiv.org/abs/1312.6199), 2013: tiny, placed changes.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 05 · Smoothing: what a blur, even bands and less colour do for the gradient
#
# Lesson 04 found most of the gradient's power in waves shorter than four pixels, and the parts of
# the network that put it there. Rebuilding the network is one cure. The cheaper one, which every
# published program uses, is to *change the gradient* before the step.
#
# - **You will do:** write a Gaussian blur, even out the bands of a Laplacian pyramid, and turn down
#   the colour of a gradient.
# - **You will learn:** what σ chooses; why it is the gradient that is blurred and not the picture;
#   what Laplacian normalisation and less colour buy, each in a picture.
# - **You need:** lessons 03 and 04 (the gradient, normalised steps, the spectrum).
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # or a name: dk.course_network("dreamnet-robust")

# %% [markdown]
# Where this begins and ends: 24 steps along the gradient as it is, and 24 steps with all that this
# lesson adds. Same photo, layer, score and step size. (About six seconds.)

# %%
import torch
from torch.nn import functional as F  # noqa: F401 (for exercise 05.1)

photo = dk.sample("chelsea", 360)
layer = dk.layer_at(network, 0.7)
score = dk.scorer(network, dk.layer(layer))


def ascent(score=score, **changes):                     # 24 steps at one size, without jitter
    settings = {"smoothing": 0.0, **changes}
    return dk.dream(score, photo, dk.Settings(steps=24, step_size=0.015, octaves=1, jitter=0,
                                              **settings))


plain, final = ascent(), ascent(smoothing=0.7, laplacian=4, chroma=0.2)
dk.show.strip({"gradient as it is": plain, "all of this lesson": final}, height=3.1,
              alt="Two dreams of a cat: left fine coloured lines everywhere, right calmer, in "
              "colours close to the photo's")

# %% [markdown]
# ## Predict, then reveal: blur the gradient
#
# A **Gaussian blur** replaces each value by a weighted mean of its neighbours. The weight of a
# neighbour at *d* pixels is proportional to exp(−d²/2σ²); σ is the standard deviation, in pixels.
# **Predict: the gradient has about two thirds of its power in waves shorter than four pixels. How
# much is left of that share after a blur of σ = 1? And of σ = 2?** You will see after you have
# written the blur yourself.
#
# ### Exercise 05.1 · A Gaussian blur of your own · 10 minutes · ★★☆
# Write `my_smooth(gradient, sigma)` for a gradient `[N, C, H, W]` with any number of channels: a
# kernel that reaches 4σ, weights that sum to 1, along the height and along the width, with mirrored
# borders.
#
# <details><summary>Hint</summary>
#
# `F.pad(x, (r, r, r, r), mode="reflect")` mirrors the borders. `F.conv2d(x, weights, groups=C)`
# with weights of shape `[C, 1, 1, k]` blurs each channel along its rows; `[C, 1, k, 1]` along its
# columns.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_smooth(gradient, sigma):
#     radius, channels = int(4 * sigma + 0.5), gradient.shape[1]
#     weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
#     weights = (weights / weights.sum()).expand(channels, 1, 1, -1)
#     padded = F.pad(gradient, (radius,) * 4, mode="reflect")
#     return F.conv2d(F.conv2d(padded, weights, groups=channels), weights.mT, groups=channels)
# ```
# </details>

# %% tags=["exercise"]
def my_smooth(gradient, sigma):
    ...  # your lines


dk.exercises.check("smooth", my_smooth)

# %% [markdown]
# <details><summary>The answer to the prediction, in theory</summary>
#
# A blur multiplies the amplitude of a wave of frequency f by exp(−2π²σ²f²), and its power by the
# square of that. At σ = 1 and f = 0.25 that leaves 8 % of the power; at f = 0.5 less than a
# hundredth of a percent. At σ = 2 nothing worth mentioning is left above 0.25.
# </details>
#
# The package's `dk.smooth` does the same. The gradient, before and after:

# %%
gradient = dk.gradient(score, photo)
blurs = {"as it is": gradient, **{f"σ = {s:g}": dk.smooth(gradient, s) for s in (0.7, 1.0, 2.0)}}
titled = {f"{name}: {dk.fine_share(x):.0%} fine": dk.show.signed(x)[..., 60:150, 120:255]
          for name, x in blurs.items()}
dk.show.grid(titled, columns=2, height=2.1, alt=f"A detail of the gradient, {', '.join(titled)}: "
             "dots melt into patches")

# %% [markdown]
# As a spectrum. Each curve is scaled to the same standard deviation, as a normalised step is; so
# what is cut off on the right is given to the left.

# %%
def spectra(views, alt):
    curves = {}
    for name, view in views.items():
        frequency, power = dk.spectrum(view / view.std())
        curves[f"{name}: {dk.fine_share(view):.0%} above 0.25"] = (frequency, power + 1e-2)
    return dk.show.curves(curves, "frequency (cycles a pixel)", "mean power",
                          f"{alt}: {', '.join(curves)}", log="xy", marker="")


spectra({"photo": photo, **blurs}, "Spectra of a photo and of its gradient, blurred")

# %% [markdown]
# And the dream? What 24 steps *add* is a sum of gradients, each taken at a new picture. Its
# spectrum, without a blur and with one in each step:

# %%
dreams = {"as it is": plain, **{f"σ = {s:g}": ascent(smoothing=s) for s in (0.7, 1.5)}}
spectra({name: dream - photo for name, dream in dreams.items()}, "Spectra of what was added")

# %% [markdown]
# The blur reaches the dream: its share of fine detail falls nearly as the gradient's does. What do
# you see of it?

# %%
dk.show.strip(dreams, height=2.6,
              alt=f"Dreams of a cat, {', '.join(dreams)}: finer to broader lines")

# %% [markdown]
# Lines become broader from left to right: at σ = 1.5 even the finest hairs that the ascent draws
# are several pixels wide.
#
# Move the slider (or use the arrow keys). Each stop is a fresh dream and takes a few seconds.

# %%
def with_blur(sigma):
    dream = ascent(smoothing=sigma)
    return dream, (f"σ = {sigma:g} pixels; {dk.fine_share(dream - photo):.0%} of what was added is "
                   f"fine; score {score(dream):.2f}")


dk.widgets.slide("σ (pixels)", [0.0, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0], with_blur, start=0.7, width=540)

# %% [markdown]
# ### Exercise 05.2 · Blurring twice · 3 minutes · ★☆☆
# A gradient is blurred by a Gaussian of σ = 3 pixels, and the result by one of σ = 4. Which single
# σ does the same?
#
# <details><summary>Hint</summary>
#
# Which of these adds up when independent random lengths are added: their standard deviations, or
# their variances? Chained Gaussians do the same.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# sigma_of_both = (3**2 + 4**2) ** 0.5
# ```
# </details>

# %% tags=["exercise"]
sigma_of_both = ...  # your answer, in pixels


dk.exercises.check("blur_twice", sigma_of_both)

# %% [markdown]
# ## Why not blur the picture?
#
# It would take the fine lines out as well. Blur the *picture* by σ = 0.7 after each step:

# %%
picture = photo
for _ in range(24):
    step = dk.ascend(picture, dk.normalize(dk.gradient(score, picture)), 0.015)
    picture = dk.smooth(step, 0.7)


def sharpness(image):                                   # mean difference of neighbours
    return float((image[..., 1:] - image[..., :-1]).abs().mean())


pair = {"gradient blurred": dreams["σ = 0.7"], "picture blurred": picture}
for name, image in pair.items():
    print(f"{name:17} neighbours differ {sharpness(image) / sharpness(photo):.2f} times as much")
dk.show.strip(pair, height=2.8, alt="Left the gradient was blurred, and the photo is still sharp; "
              "right the picture was blurred, and its details are gone")

# %% [markdown]
# You have computed why: 24 blurs of σ = 0.7 are one of σ = 0.7·√24 ≈ 3.4. What the photo had finer
# than that is gone; what you still see was drawn anew in the last steps. Blur the *gradient*, and
# the photo is never touched.
#
# ## Even bands: the Laplacian-normalised gradient
#
# A blur only takes away. The notebook that came with TensorFlow in 2016 does the opposite: it turns
# the *slow* waves up. A **Laplacian pyramid** splits the gradient into bands, each holding waves
# about twice as long as the band before. Divide each band by its own strength (its root mean
# square, RMS), put them together again, and all bands have the same say.
#
# ### Exercise 05.3 · A pyramid of two bands · 5 minutes · ★★☆
# The smallest pyramid has two bands: what a blur keeps, and what it takes away. Write
# `my_two_bands(gradient, sigma)`: split, bring each band to RMS 1, and add them. You may use
# `dk.smooth` and `dk.normalize(band, by="rms")`.
#
# <details><summary>Hint</summary>
#
# The fine band is a difference.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_two_bands(gradient, sigma):
#     low = dk.smooth(gradient, sigma)
#     high = gradient - low
#     return dk.normalize(low, by="rms") + dk.normalize(high, by="rms")
# ```
# </details>

# %% tags=["exercise"]
def my_two_bands(gradient, sigma):
    ...  # your lines


dk.exercises.check("two_bands", my_two_bands)

# %% [markdown]
# How unequal are the bands of this gradient? The package splits it into four and a rest:

# %%
bands = dk.laplacian_split(gradient, 4)                 # fine to coarse
strength = [float(band.square().mean().sqrt()) for band in bands]
for band, size in zip(bands, strength, strict=True):
    print(f"{band.shape[-2]:4} × {band.shape[-1]:<4} RMS {size / strength[0]:6.3f}  "
          f"{'█' * round(30 * size / max(strength))}")
evened = dk.laplacian_merge([dk.normalize(band, by="rms") for band in bands])
print("the same as dk.smooth_laplacian:", torch.allclose(evened, dk.smooth_laplacian(gradient, 4),
                                                         atol=1e-4))

# %% [markdown]
# The finest band drowns the others. With all bands even, the spectrum changes its slope, and the
# dream gets broad tones. (About six seconds.)

# %%
dreams["even bands"] = ascent(laplacian=4)
dreams["even bands, σ = 0.7"] = ascent(laplacian=4, smoothing=0.7)
spectra({name: dreams[name] - photo for name in ("as it is", "σ = 0.7", "even bands")},
        "Spectra of what was added")

# %%
chosen = ("σ = 0.7", "even bands", "even bands, σ = 0.7")
dk.show.strip({name: dreams[name] for name in chosen}, height=2.6,
              alt=f"Dreams of a cat: {', '.join(chosen)}; even bands bring broad tints of colour")

# %% [markdown]
# Visible at once: broad tints, pink and green, over whole cheeks. The blurs above did not bring
# them: a blur takes fine waves away, it does not favour the slowest. Shapes get light and shadow of
# their own; but the photo loses its colours.
#
# ## The colour of a gradient
#
# Where do the garish colours come from? Split each value into **luma** (light and dark) and
# **chroma** (colour): chroma is what is left when luma is taken away. How much of the power is
# chroma?

# %%
def chroma_share(view):
    colour = dk.scale_chroma(view, 1.0) - dk.scale_chroma(view, 0.0)
    return float(colour.square().sum() / view.square().sum())


def centred(image):
    return image - image.mean((2, 3), keepdim=True)


random = dk.randomized(network)
goals = {"gradient": score, "random weights": dk.scorer(random, dk.layer(layer))}
shares = {"photo": [], "gradient": [], "random weights": []}
for name in ("chelsea", "china", "clouds", "coffee", "motorcycle", "flower"):
    image = dk.sample(name, 224)
    shares["photo"].append(chroma_share(centred(image)))
    for kind, goal in goals.items():
        shares[kind].append(chroma_share(dk.gradient(goal, image)))
means = ", ".join(f"{name} {sum(v) / len(v):.0%}" for name, v in shares.items())
dk.show.bars(shares, "share of the power that is colour", f"Share of chroma, six photos: {means}")

# %% [markdown]
# Photos have most of their contrast in light and dark. A gradient has most of its power in colour,
# where this network is free to draw what no photo contains; with random weights even more so,
# about as much as noise that is independent in red, green and blue (78 %).
#
# ### Exercise 05.4 · Less colour · 6 minutes · ★★☆
# Write `my_less_colour(gradient, share)` for a gradient `[N, 3, H, W]`: keep its luma,
# 0.299 R + 0.587 G + 0.114 B, and multiply its chroma (each value minus the luma there) by `share`.
#
# <details><summary>Hint</summary>
#
# `(gradient * weights).sum(1, keepdim=True)` is the luma `[N, 1, H, W]`, for weights of shape
# `[3, 1, 1]`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_less_colour(gradient, share):
#     weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
#     luma = (gradient * weights).sum(1, keepdim=True)
#     return luma + share * (gradient - luma)
# ```
# </details>

# %% tags=["exercise"]
def my_less_colour(gradient, share):
    ...  # your lines


dk.exercises.check("less_colour", my_less_colour)

# %% [markdown]
# `dk.Settings(chroma=0.2)` keeps a fifth of it in every step. The settings that this course uses
# for deep layers, `dk.settings_for`, have all three: σ = 0.7, four even bands, a fifth of the
# colour.

# %%
print(dk.settings_for(network, layer))
dreams["… and a fifth of the colour"] = final
chosen = ("σ = 0.7", "even bands, σ = 0.7", "… and a fifth of the colour")
dk.show.strip({name: dreams[name] for name in chosen}, height=2.6,
              alt=f"Dreams of a cat: {', '.join(chosen)}; the last is close to the photo's colours")

# %% [markdown]
# The strong tints are gone, the light and shadow of the even bands are still there, and the colours
# are again close to those of the photo.
#
# ## Interpretation: who drew this?
#
# Two dreams of one photo, made by the same program with the same settings. One network was trained
# on a million photos, the other has random weights. **Write before you go on:** (1) which is which,
# and by what do you know? (2) Name two things in A and two in B, with their positions. (3) Which
# third picture would test whether you see things or shapes of chance? (5 minutes)

# %%
made = {"trained": final, "random weights": ascent(goals["random weights"], smoothing=0.7,
                                                   laplacian=4, chroma=0.2)}
order = sorted(made, key=len, reverse=len(layer) % 2 == 0)
dk.show.strip({"A": made[order[0]], "B": made[order[1]]}, height=3.1,
              alt="Two dreams of one cat, A and B, for you to judge")

# %%
note = """
1. A is …, since …
2. In A: …; in B: …
3. I would look at …
"""

# %% [markdown]
# <details><summary>Open when you have written</summary>
#
# Evaluate `order` in a cell of your own: the first name is A. A blur, even bands and less colour
# are in both pictures, so whatever is in both (soft lines, light and shadow) is theirs. *What* is
# drawn comes from the weights.
# </details>
#
# ## Open investigation: which σ for which layer?
#
# `dk.settings_for` uses σ = 0.7 for every layer. pytorch-deepdream takes the mean of three blurs
# (σ/2, σ, 2σ) and lets σ grow from step to step; nobody has published a rule. Is there a σ that
# suits a layer, say in proportion to its stride or receptive field? What would count as "suits"? A
# first cell (30 minutes at home; about four seconds):

# %%
small = dk.sample("flower", 160)
for depth in (0.2, 0.7):
    probe = dk.scorer(network, dk.layer(dk.layer_at(network, depth)))
    for sigma in (0.0, 0.7, 1.4, 2.8):
        settings = dk.Settings(steps=12, octaves=1, jitter=0, smoothing=sigma)
        dream = dk.dream(probe, small, settings)
        print(f"{dk.layer_at(network, depth):15} σ {sigma:g}: "
              f"score × {probe(dream) / probe(small):.2f}, fine {dk.fine_share(dream - small):.0%}")

# %% [markdown]
# ## One idea at a time
#
# The whole lesson in one picture: the gradient as it is, blurred, with even bands, with less
# colour.

# %%
stages = ("as it is", "σ = 0.7", "even bands, σ = 0.7", "… and a fifth of the colour")
dk.show.grid({name: dreams[name] for name in stages}, columns=2, height=2.9,
             alt=f"Four dreams of a cat, one idea more in each: {', '.join(stages)}")

# %% [markdown]
# ## Recap
#
# - You wrote a Gaussian blur, evened out two bands, and turned down the colour of a gradient.
# - A blur of the gradient lowers the share of fine detail in the gradient and in the dream; σ says
#   which waves a step may draw. Lines get broader.
# - Blur the gradient, not the picture: blurs of the picture add up, and the photo's detail is lost.
# - The finest band of the cat's gradient is the strongest by far. With even bands the dream gets
#   broad tints and shading, which the blurs did not bring.
# - Most of a gradient's power is colour, with random weights, too; most of a photo's is not. With a
#   fifth of it the dream stays close to the photo's colours.
# - All of this decides *how* a mark is drawn. *What* is drawn needs trained weights: with the same
#   settings random ones draw blotches.
#
# ## Read next
#
# - Lesson 06: what a small random shift before each step does.
# - Laplacian gradient normalisation: A. Mordvintsev, *DeepDreaming with TensorFlow*, TensorFlow's
#   examples, 2016.
# - The three blurs and their growing σ: gordicaleksa/pytorch-deepdream on GitHub, `deepdream.py`.
# - The pyramid itself: P. Burt and E. Adelson, *The Laplacian Pyramid as a Compact Image Code*,
#   1983.
# - C. Olah, A. Mordvintsev and L. Schubert,
#   [Feature visualization](https://distill.pub/2017/feature-visualization/), 2017: blurring is
#   *frequency penalisation*; colours are handled by decorrelating them.
# - google/deepdream's `dream.ipynb` of 2015 smooths nothing: it relies on jitter and octaves, which
#   are the next two lessons.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 05 · Smoothing: why the gradient is rough, and what a blur does about it
#
# Lesson 04 ended in a picture full of noise: every step was as long as the last, and still about half of it
# went into speckles. In this lesson you find out where in the *spectrum* that noise sits, and take it out of the gradient
# before it gets into the picture.
#
# - **You will do:** measure the spectrum of a gradient; write a Gaussian blur; even out the bands of a Laplacian
#   pyramid.
# - **You will learn:** why a network's gradient is far rougher than any photo; what σ chooses; three ways of
#   smoothing that published programs use; why it is the gradient that is blurred and not the picture.
# - **You need:** lessons 03 and 04 (the gradient, and normalised steps). Fourier transforms: that they say how much
#   of each frequency there is.
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: forty steps with the gradient as it is, and forty with the gradient blurred by one pixel before
# each step. A cut-out, enlarged. (This cell takes 5 to 10 seconds.)

# %%
rungs = dk.ladder(network, rungs=["normalised", "smoothed"])
cut = lambda picture: picture[..., 50:130, 104:224]
dk.show.strip({name: cut(dream) for name, dream in rungs.items()}, height=2.2,
              alt="Cut-outs of two dreams of one photo: left full of fine speckles, right smooth and with clearer shapes")

# %% [markdown]
# ## Look at the gradient
#
# One photo, one layer, one gradient. To see it as a picture, divide it by its deviation and put zero at grey.

# %%
import torch

photo = dk.sample("china", 224)
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))
uphill = dk.gradient(score, photo)
seen = lambda gradient: (0.5 + 0.15 * dk.normalize(gradient)).clamp(0, 1)     # zero becomes grey
dk.show.strip({"the photo": cut(photo), f"its gradient for {layer}": cut(seen(uphill))}, height=2.2,
              alt=f"A photo and the gradient of layer {layer}, which looks like coloured noise with some structure in it")

# %% [markdown]
# Neighbouring pixels of the photo are nearly alike. Neighbouring pixels of the gradient often point in opposite
# directions. The Fourier transform turns that impression into a curve: how much power is there at each **frequency**,
# from slow waves (many pixels long) to the fastest there is (up, down, up, down: half a cycle per pixel)?
#
# The *window* fades the picture out towards its borders, since the transform would take a border for an edge. And all
# waves of one length, whatever their direction, lie on a ring of the transform, so you average over rings.

# %%
def power_of(field):
    """(frequency, power) of every wave in a field [1, 3, h, w], in cycles per pixel."""
    height, width = field.shape[-2:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    power = torch.fft.fft2((field - field.mean()) * window).abs().square().mean((0, 1))
    return (torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.fftfreq(width) ** 2).sqrt(), power

def rings(field, count=30):
    """The mean power in `count` rings from frequency 0 to half a cycle per pixel."""
    frequency, power = power_of(field)
    ring = (2 * count * frequency).long()
    return torch.stack([power[ring == r].mean() for r in range(count)])

# %% [markdown]
# **Predict, then reveal.** A photo's power falls steeply from slow to fast waves. Beside it you will see the gradient
# of the trained network, that of the *same network with random weights*, and plain noise. Which of the four curves
# are close to flat? And what does it mean if the untrained network's gradient is rough as well?
#
# <details><summary>Answer</summary>
#
# Noise is flat by construction. The gradients are far flatter than the photo: they hold much more fast detail than
# any photo would. The untrained network's gradient is just as rough or rougher, so the roughness is not something the
# network has learnt to want. It comes from the way gradients travel back: each ReLU and each max-pool opens or shuts
# a path, pixel by pixel, and strided layers reach some pixels by more paths than others.
# </details>

# %%
from matplotlib.figure import Figure

def spectra(fields, title, count=30):
    """A chart of the spectra of several fields, each divided by its deviation first."""
    figure = Figure(figsize=(7.2, 3.9), layout="constrained")
    axis, frequency = figure.subplots(), (torch.arange(count) + 0.5) / (2 * count)
    for name, field in fields.items():
        axis.loglog(frequency, rings(field / field.std(), count), label=name)
    axis.set(xlabel="frequency (cycles per pixel)", ylabel="mean power", title=title, ylim=(1, None))
    axis.legend(fontsize=9)
    return dk.show.chart(figure, f"Power against frequency on logarithmic axes, {title}: {', '.join(fields)}")

# %%
untrained = dk.randomized(network)
baseline = dk.gradient(dk.scorer(untrained, dk.layer(layer)), photo)
spectra({"photo": photo, f"gradient, {layer}": uphill, "gradient, random weights": baseline, "noise": dk.noise(*photo.shape[-2:])},
        "a photo and its gradients")

# %% [markdown]
# One number goes with the eye: the share of the power that lies above a quarter of a cycle per pixel, in waves
# shorter than four pixels. (Lesson 04's numbers differ: it took a smaller photo, the mean of the colours, and no window.)

# %%
def fast_share(field):
    frequency, power = power_of(field)
    return float(power[frequency > 0.25].sum() / power.sum())

robust = dk.load_network("dreamnet-robust")                                   # trained to resist small disturbances
calm = dk.gradient(dk.scorer(robust, dk.layer(dk.layer_at(robust, 0.8))), photo)
for name, field in {"photo": photo, "gradient": uphill, "robust network": calm, "random weights": baseline,
                    "noise": dk.noise(*photo.shape[-2:])}.items():
    print(f"{name:15} {fast_share(field):4.0%} of the power in waves shorter than four pixels")

# %% [markdown]
# Training can help: the embedded *robust* network was taught to keep its answer when the pixels are disturbed a
# little, and its gradient is calmer. Any other has to be calmed by you: a normalised step spends much of its length
# on waves that hardly any photo contains. Steps add up: forty of them, and you have the noise of lesson 04.
#
# ## Blur the gradient
#
# A **Gaussian blur** replaces each value by a weighted mean of its neighbours, with weights exp(−d²/2σ²) for a
# neighbour *d* pixels away. It takes fast waves away and leaves slow ones alone; σ (in pixels) says where the border
# lies. In one dimension it is three lines, and a picture is blurred along its rows, then along its columns.

# %%
from torch.nn import functional as F

sigma, radius = 1.0, 4
weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
weights = (weights / weights.sum()).expand(3, 1, 1, -1)                       # one row of weights for each colour
padded = F.pad(uphill, (radius,) * 4, mode="reflect")                         # mirror the borders
blurred = F.conv2d(F.conv2d(padded, weights, groups=3), weights.mT, groups=3) # along the rows, then the columns
same = lambda a, b: bool((a - b).abs().max() < 1e-4 * b.abs().max())
print("the same as dk.smooth:", same(blurred, dk.smooth(uphill, 1.0)))

# %% [markdown]
# Theory says what a blur does to each frequency *f*: its amplitude shrinks by exp(−2π²σ²f²), so at σ = 1 the fastest
# waves all but vanish while those longer than twenty pixels keep nine tenths or more of their power. See whether the
# gradient agrees. All curves are scaled to the same deviation, as a normalised step is, so a blur seems to lift the slow waves:
# compare *shapes*, how far a curve falls from its left end to its right.

# %%
smooth = {f"σ = {sigma:g}": dk.smooth(uphill, sigma) for sigma in (0.5, 1.0, 2.0)}
spectra({"photo": photo, "gradient": uphill, **smooth}, f"the gradient of {layer}, blurred")

# %%
dk.show.grid({name: cut(seen(field)) for name, field in {"as it is": uphill, **smooth}.items()}, columns=2, height=1.9,
             alt="The gradient as it is and blurred by 0.5, 1 and 2 pixels: speckles melt into patches of a few pixels")

# %% [markdown]
# ## How much?
#
# Now the whole ascent, with σ under your hand. Too little and the speckles stay; too much and the dream loses its
# outlines. Move the slider (or use the arrow keys): each stop is a fresh dream of fifteen steps, and takes a few
# seconds.

# %%
def ascent(change, score=score, steps=15, step_size=0.025):
    """The photo after normalised steps along the gradient, changed by `change` first."""
    picture = photo
    for _ in range(steps):
        picture = dk.ascend(picture, dk.normalize(change(dk.gradient(score, picture))), step_size)
    return picture

def with_blur(sigma):
    dream = ascent(lambda gradient: dk.smooth(gradient, sigma))
    return dream, f"σ = {sigma:g} pixels; {fast_share(dream - photo):.0%} of what was added is in waves shorter than four pixels"

dk.widgets.slide("σ (pixels)", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0], with_blur, start=1.0, width=448)

# %% [markdown]
# Without the panel: `with_blur(0.5)[0]` is the picture, and `dk.Settings(smoothing=0.5)` puts a blur into `dk.dream`.
#
# ## Several blurs at once
#
# Every single σ is a compromise. pytorch-deepdream avoids the choice: it takes the **mean of three blurs**, of σ/2, σ
# and 2σ, so that what is slow survives in all three and what is fast in only one. And it lets σ grow from step to
# step, from 0.7 to 2.5 pixels over ten steps: first detail, then shapes.

# %%
def cascade(gradient, sigma):
    return (dk.smooth(gradient, sigma / 2) + dk.smooth(gradient, sigma) + dk.smooth(gradient, 2 * sigma)) / 3

spectra({"gradient": uphill, "one blur, σ = 1": dk.smooth(uphill, 1.0), "three blurs around σ = 1": cascade(uphill, 1.0)},
        "one blur and a cascade of three")

# %% [markdown]
# The cascade keeps the slow waves as well as one blur does, and more of the fast ones: its curve bends down more
# gently.
#
# ## Even bands instead of a blur
#
# A blur throws fast waves away. The notebook that came with TensorFlow in 2016 does something else: it *turns the
# slow ones up*. A **Laplacian pyramid** splits the gradient into bands, each holding waves about twice as long as the
# band before: fine detail first, and at the end a small blurry rest. Put together again, they give the gradient back.

# %%
bands = dk.laplacian_split(uphill, 4)
strength = [float(band.square().mean().sqrt()) for band in bands]
print("merged again:", same(dk.laplacian_merge(bands), uphill))
for band, size in zip(bands, strength, strict=True):
    print(f"{band.shape[-2]:4} × {band.shape[-1]:<4} strength {size / strength[0]:5.2f}  {'█' * round(20 * size / max(strength))}")

# %% [markdown]
# The finest band is much the strongest, and it drowns the others. Divide each by its own strength (its RMS), merge,
# and all have the same say. That is `dk.smooth_laplacian`.

# %%
evened = dk.laplacian_merge([dk.normalize(band, by="rms") for band in bands])
print("the same as dk.smooth_laplacian:", same(evened, dk.smooth_laplacian(uphill, levels=4)))
spectra({"photo": photo, "gradient": uphill, "blurred, σ = 1": dk.smooth(uphill, 1.0), "bands made even": evened}, "blur or even bands")

# %% [markdown]
# At the fast end nothing is cut off: the curve keeps the gradient's shape there, and lies lower only because all curves are
# scaled to the same deviation. At the slow end it climbs towards that of a photo. Both ways, with the same number of steps (this cell takes about 5 seconds):

# %%
ways = {"as it is": ascent(lambda g: g), "blurred, σ = 1": ascent(lambda g: dk.smooth(g, 1.0)),
        "bands made even": ascent(dk.smooth_laplacian)}
dk.show.strip(ways, height=2.0,
              alt=f"Dreams of layer {layer}: as it is, speckled; blurred, calm; bands made even, with broad tints "
                  f"and fine detail")

# %% [markdown]
# Even bands bring broad tints of colour along, which no blur can: a blur only takes away.
#
# ## Two sanity checks
#
# **Why not blur the picture?** It would take the noise out as well. Blur the picture after each step, and look for
# the photo. (A few seconds.)

# %%
def ascent_of_blurred_pictures(sigma, steps=15, step_size=0.025):
    picture = photo
    for _ in range(steps):
        picture = dk.smooth(dk.ascend(picture, dk.normalize(dk.gradient(score, picture)), step_size), sigma)
    return picture

sharp = lambda picture: float((picture[..., 1:] - picture[..., :-1]).abs().mean())     # mean difference of neighbours
pair = {"the gradient blurred": ways["blurred, σ = 1"], "the picture blurred": ascent_of_blurred_pictures(1.0)}
for name, picture in pair.items():
    print(f"{name:22} {sharp(picture) / sharp(photo):.2f} times as sharp as the photo")
dk.show.strip(pair, height=2.2,
              alt="Left: the gradient was blurred and the photo is still sharp. Right: the picture was blurred and "
                  "the photo is gone")

# %% [markdown]
# Fifteen blurs of σ = 1 in a row are one of σ = √15 ≈ 3.9: what the photo had finer than that is gone, and only what
# the network draws anew at each step stays visible. Smooth the *gradient*, and the photo is never touched.
#
# **Does smoothing make the shapes?** Give the same blur to the network with random weights.

# %%
random_score = dk.scorer(untrained, dk.layer(layer))
from_nobody = ascent(lambda g: dk.smooth(g, 1.0), random_score)
dk.show.strip({"trained": cut(ways["blurred, σ = 1"]), "random weights": cut(from_nobody)}, height=2.2,
              alt="The same blur with two networks: shapes with the trained one; with random weights only smooth "
                  "blotches and harder contrast")

# %% [markdown]
# Smooth, and nobody there. A blur decides *how coarse* a mark may be; *what* is drawn comes from the weights.
#
# ## The ladder so far
#
# The same photo, layer and forty steps, one idea more on each rung. (About 5 seconds, for the first rung.)

# %%
ladder = {**dk.ladder(network, rungs=["plain"]), **rungs}
dk.show.strip(ladder, height=2.0, alt=f"The ladder: {', '.join(ladder)}. Each rung is calmer than the one before")

# %% [markdown]
# Look at the sky: a mesh of short upright bars is left. How much of it comes from *where* a pixel lies, under which cell of
# the network's grid, how far from the border? Lesson 06 finds out.
#
# ## Exercises

# %% [markdown]
# ### Exercise 05.1 · Blurring twice · 3 minutes · ★☆☆
# A gradient is blurred by a Gaussian of σ = 3 pixels, and the result by one of σ = 4. Which single σ does the same?
#
# <details><summary>Hint</summary>
#
# Which of these adds up when independent random lengths are added: their standard deviations, or their variances?
# Chained Gaussians do the same.
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
# ### Exercise 05.2 · A Gaussian blur of your own · 8 minutes · ★★☆
# Write `my_smooth(gradient, sigma)` for a gradient `[N, C, H, W]` with any number of channels: a Gaussian kernel that
# reaches 4σ, along both axes, with mirrored borders.
#
# <details><summary>Hint</summary>
#
# The cell above does it for three channels and σ = 1. Take the radius from σ and the number of channels from the
# gradient.
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
# ### Exercise 05.3 · A pyramid of two bands · 5 minutes · ★★☆
# The smallest pyramid has two bands: what a blur keeps, and what it takes away. Write `my_two_bands(gradient,
# sigma)`: split, bring each band to RMS 1, and add them.
#
# <details><summary>Hint</summary>
#
# `dk.normalize(band, by="rms")` does the second part. The fine band is a difference.
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
# ## Recap
#
# - You measured a gradient's spectrum, wrote a Gaussian blur, and evened out the bands of a Laplacian pyramid.
# - A gradient is far rougher than a photo, with trained or random weights: that comes from how it travels, not from
#   what was learnt.
# - σ chooses which waves a step may draw: those much shorter than about 2πσ pixels are taken away.
# - One blur (`dk.smooth`), a mean of several (pytorch-deepdream), or even bands (`dk.smooth_laplacian`, after
#   TensorFlow's notebook of 2016).
# - Blur the gradient, not the picture: the photo keeps its detail, and the blur never adds up.
#
# ## Read next
#
# - The three blurs and their growing σ: gordicaleksa/pytorch-deepdream on GitHub, `deepdream.py` and `utils`.
# - Laplacian gradient normalisation: A. Mordvintsev, *DeepDreaming with TensorFlow*, TensorFlow's examples, 2016.
# - The pyramid itself: P. Burt & E. Adelson, *The Laplacian Pyramid as a Compact Image Code*, 1983.
# - google/deepdream's `dream.ipynb` of 2015 smooths nothing: it relies on jitter and octaves, which are the next two
#   lessons.

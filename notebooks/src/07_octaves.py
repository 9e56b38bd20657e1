# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 07 · Octaves: from small to large
#
# A layer draws things of one size: as large, in pixels, as what its cells can see. So far every dream had that one
# size all over. Shrink the picture, dream, enlarge, dream again, and the same layer draws on every scale: large
# shapes with smaller ones inside. Each size is called an **octave**.
#
# - **You will do:** write the loop over octaves; watch what each of them adds; grow a picture out of noise.
# - **You will learn:** why only what was *dreamt* is enlarged, and laid over the original photo of the next size;
#   what is lost otherwise, with a number; what the count and the ratio of octaves do; why dreams look fractal.
# - **You need:** lessons 03 to 06.
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: the same photo, layer and forty steps, first all at full size, then ten at each of four sizes.
# (This cell takes 5 to 10 seconds.)

# %%
rungs = dk.ladder(network, rungs=["jittered", "with octaves"])
dk.show.strip(rungs, height=2.6,
              alt="Two dreams of a pagoda: at one size many small shapes; with octaves fewer and larger ones, and a "
                  "calmer sky")

# %% [markdown]
# ## One layer, four sizes
#
# Take one layer and four sizes of one photo. Dream at each by itself, eight steps, and show all at the same width.
# (About 5 seconds.)

# %%
import torch

photo = dk.sample("china", 224)
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))
few_steps = dk.Settings(steps=8, octaves=1, jitter=8, smoothing=0.7, step_size=0.016)

sizes = dk.octaves(photo, count=4, ratio=1.4)                                 # four pictures, small to large
dreams = {"{} × {} pixels".format(*small.shape[-2:]): dk.dream(score, small, few_steps) for small in sizes}
dk.show.grid(dreams, columns=2, height=1.8, pixelated=True,
             alt=f"Layer {layer} dreamt at {len(dreams)} sizes, shown equally wide: the smaller the picture, the "
                 f"more of the scene one shape takes up")

# %% [markdown]
# In pixels the shapes are equally large everywhere; in the scene they are not. The smaller the picture, the more of
# the scene one shape takes the place of. So: let the small picture decide on the large shapes, and each larger one
# fill in smaller detail.
#
# ## The loop
#
# You could simply enlarge the dream and go on. But a small picture holds no fine detail, so enlarging it gives a
# blurred one, and the photo's own leaves and roof tiles would be gone. google/deepdream does this instead, at each
# octave:
#
# 1. take the **original** photo at this size,
# 2. lay over it the **detail** found so far: what was dreamt minus the original it was dreamt over, enlarged,
# 3. take the steps.

# %%
def my_dream(picture, climb, count=4, ratio=1.4):
    """The dream at each octave; `climb` takes the steps of one octave."""
    detail, found = None, []
    for base in dk.octaves(picture, count, ratio):
        start = base if detail is None else (base + dk.resize(detail, base.shape[-2:])).clamp(0, 1)
        found.append(climb(start))
        detail = found[-1] - base
    return found

def enlarging(picture, climb, count=4, ratio=1.4):
    """The simple way: the whole dream is enlarged from octave to octave; the original is used only once."""
    found = []
    for base in dk.octaves(picture, count, ratio):
        found.append(climb(dk.resize(found[-1], base.shape[-2:]) if found else base))
    return found

# %% [markdown]
# The steps of one octave are those of lesson 06. (About 5 seconds.) The last line holds your loop against the
# package's, without jitter so that nothing is left to chance.

# %%
climb = lambda picture: dk.dream(score, picture, few_steps)
over, enlarged = my_dream(photo, climb), enlarging(photo, climb)
still = dk.Settings(steps=2, octaves=1, jitter=0)
mine = my_dream(photo, lambda picture: dk.dream(score, picture, still), count=3, ratio=1.4)[-1]
print("the same as dk.dream:", torch.equal(mine, dk.dream(score, photo, dk.Settings(steps=2, octaves=3, octave_ratio=1.4, jitter=0))))

# %% [markdown]
# ## What each octave adds
#
# Above: the dream after each octave. Below: how far each octave moved each pixel from where it started.

# %%
starts = [base if k == 0 else (base + dk.resize(over[k - 1] - sizes[k - 1], base.shape[-2:])).clamp(0, 1) for k, base in enumerate(sizes)]
added = [dk.show.heat((dream - start).abs().mean((0, 1)), low=0.0, high=0.2) for dream, start in zip(over, starts, strict=True)]
names = [f"octave {k + 1}: {dream.shape[-2]} × {dream.shape[-1]}" for k, dream in enumerate(over)]
dk.show.grid({**dict(zip(names, over, strict=True)), **{f"{name} moved": heat for name, heat in zip(names, added, strict=True)}},
             columns=4, height=1.4, pixelated=True,
             alt="The dream after each of four octaves, and the change each made: first in large patches, then in "
                 "ever finer ones")

# %% [markdown]
# Patches of change shrink from left to right, while the shapes laid down at first stay where they are: later octaves
# see them and add to them.
#
# ## What is lost without the original
#
# **Predict, then reveal.** Both loops took the same steps. Which of the two pictures is sharper, and by what can you
# tell *whose* sharpness it is, the photo's or the dream's? And what does each loop give with **no steps at all**?
#
# <details><summary>Answer</summary>
#
# Laid over the original, the photo's own detail is there, fresh at each octave; with no steps the loop gives the
# photo back, exactly. Enlarged, it is lost at the first octave and never comes back: with no steps you get a blurred
# photo. Sharpness alone does not tell, because a dream is sharp as well. So ask how much of the *photo's* fine detail
# is still in the picture: project the one on the other.
# </details>

# %%
fine = lambda picture: picture - dk.smooth(picture, 1.5)                      # what a blur of 1.5 pixels takes away
sharpness = lambda picture: float(fine(picture).square().mean().sqrt() / fine(photo).square().mean().sqrt())
kept = lambda picture: float((fine(picture) * fine(photo)).sum() / fine(photo).square().sum())
nothing = lambda picture: picture
pictures = {"the photo": photo, "laid over the original": over[-1], "enlarged": enlarged[-1],
            "laid over, no steps": my_dream(photo, nothing)[-1], "enlarged, no steps": enlarging(photo, nothing)[-1]}
for name, picture in pictures.items():
    print(f"{name:24} sharpness {sharpness(picture):4.2f}   of the photo's fine detail {kept(picture):4.0%}")

# %%
pagoda = lambda picture: picture[..., 24:94, 28:140]
dk.show.grid({name: pagoda(pictures[name]) for name in ("laid over the original", "enlarged", "laid over, no steps", "enlarged, no steps")},
             columns=2, height=2.2,
             alt="The pagoda, enlarged: laid over the original its railings and roof tiles are clear; enlarged they "
                 "are smeared, with steps or without")

# %% [markdown]
# The baseline without steps uses no network at all: what is lost, is lost by resizing. That is what the next picture
# shows, around grey: the photo minus the photo shrunk to the first octave and enlarged again.

# %%
lost = photo - dk.resize(dk.resize(photo, sizes[0].shape[-2:]), photo.shape[-2:])
dk.show.strip({"what the first octave can hold": photo - lost, "what it cannot": (0.5 + 2 * lost).clamp(0, 1)}, height=2.4,
              alt="Left a blurred pagoda; right only its edges, leaves and railings on grey")

# %% [markdown]
# ## How many, and how far apart?
#
# More octaves start from a smaller picture: larger shapes. A larger ratio gets there in fewer octaves, but leaves
# gaps: sizes at which nothing was drawn. Move the slider; each stop dreams twice, eight steps an octave, and takes 5
# to 10 seconds. The first octave must not get too small for the layer: then `dk.dream` says so and how small it may
# be.

# %%
def with_octaves(count):
    settings = [dk.Settings(steps=8, octaves=count, octave_ratio=ratio, smoothing=0.7, step_size=0.02) for ratio in (1.2, 1.6)]
    views = {f"ratio {each.octave_ratio:g}": dk.dream(score, photo, each) for each in settings}
    smallest = [round(photo.shape[-1] / ratio ** (count - 1)) for ratio in (1.2, 1.6)]
    return views, f"{count} octaves; the first is {smallest[0]} and {smallest[1]} pixels wide"

dk.widgets.slide("octaves", [1, 2, 3, 4, 5], with_octaves, start=3, width=336)

# %% [markdown]
# Without the panel: `with_octaves(2)[0]`, or `dk.Settings(octaves=4, octave_ratio=1.4)`, which is google/deepdream's
# choice.
#
# ## Out of noise
#
# With a photo you see where the shapes come from. Start from noise, and everything that appears is the network's. One
# size gives a carpet: one kind of shape, repeated. Octaves give shapes made of shapes. For the baseline, the same
# with random weights. (5 to 10 seconds.)

# %%
noise = dk.noise(144, 216, contrast=0.2)
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
one_size, four_sizes = (dk.Settings(steps=32 // n, octaves=n, octave_ratio=1.6, step_size=0.03, smoothing=0.7) for n in (1, 4))
grown = {"noise": noise, "one octave": dk.dream(score, noise, one_size), "four octaves": dk.dream(score, noise, four_sizes),
         "one octave, random weights": dk.dream(untrained, noise, one_size), "four octaves, random weights": dk.dream(untrained, noise, four_sizes)}
dk.show.strip({name: picture for name, picture in grown.items() if name != "noise"}, height=1.9,
              alt="Grown out of noise: one octave gives an even carpet, four octaves shapes inside shapes, random "
                  "weights only mottled colour")

# %% [markdown]
# "Fractal" can be measured: in a picture with structure on all scales the power falls steadily with frequency, as a
# power law. On logarithmic axes that is a straight line, and its slope is a number: 0 for noise, steep for a photo.

# %%
from matplotlib.figure import Figure

def rings(picture, count=24):
    """Mean power in rings of equal frequency, up to half a cycle per pixel (lesson 05)."""
    height, width = picture.shape[-2:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    power = torch.fft.fft2((picture - picture.mean()) * window).abs().square().mean((0, 1))
    ring = (2 * count * (torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.fftfreq(width) ** 2).sqrt()).long()
    return torch.stack([power[ring == r].mean() for r in range(count)])

# %%
figure = Figure(figsize=(7.2, 3.9), layout="constrained")
axis, frequency = figure.subplots(), (torch.arange(24) + 0.5) / 48
for name, picture in {"the photo": photo, **grown}.items():
    power = rings(picture / picture.std())
    x, y = frequency.log(), power.log()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())
    axis.loglog(frequency, power, label=f"{name}: slope {slope:.1f}")
axis.set(xlabel="frequency (cycles per pixel)", ylabel="mean power")
axis.legend(fontsize=9)
dk.show.chart(figure, f"Power against frequency on logarithmic axes: {', '.join(['the photo', *grown])}")

# %% [markdown]
# Octaves make the line steeper, and so more like a photo's, whatever network is asked: that much of the fractal *look* is
# theirs. But look at the left end, the large shapes. Only the trained network's is lifted: it builds large things of small
# ones, where random weights only blow up their blotches. A slope alone proves no shapes inside shapes.
#
# ## The ladder, complete
#
# Plain, normalised, smoothed, jittered, with octaves: the same photo, the same layer, forty steps each. (5 to 10
# seconds for the three rungs that are still missing.)

# %%
ladder = {**dk.ladder(network, rungs=["plain", "normalised", "smoothed"]), **rungs}
dk.show.grid({"the photo": photo, **ladder}, columns=3, height=1.7,
             alt=f"The photo and the ladder: {', '.join(ladder)}. From speckle to a few large and clear shapes")

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 07.1 · The sizes of the octaves · 5 minutes · ★☆☆
# Write `my_sizes(height, width, count, ratio)`: the list of (height, width), small to large: the picture's own size divided
# by `ratio ** k` and rounded, the last the picture's own. (Divide the full size each time, not a rounded one.)
#
# <details><summary>Hint</summary>
#
# Octave *k*, counted from the last, is the picture divided by `ratio ** k`. Which way does *k* run? And pixels are
# whole: `round`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_sizes(height, width, count, ratio):
#     return [(round(height / ratio**k), round(width / ratio**k)) for k in reversed(range(count))]
# ```
# </details>

# %% tags=["exercise"]
def my_sizes(height, width, count, ratio):
    ...  # your lines


dk.exercises.check("sizes", my_sizes)

# %% [markdown]
# ### Exercise 07.2 · What a small octave cannot hold · 4 minutes · ★★☆
# Write `my_lost(image, size)`: what of the picture is lost when it is brought to `size` (height, width) and back.
#
# <details><summary>Hint</summary>
#
# `dk.resize(image, size)` goes there; `image.shape[-2:]` is the way back. Keep the sign.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_lost(image, size):
#     return image - dk.resize(dk.resize(image, size), image.shape[-2:])
# ```
# </details>

# %% tags=["exercise"]
def my_lost(image, size):
    ...  # your lines


dk.exercises.check("lost", my_lost)

# %% [markdown]
# ### Exercise 07.3 · From one octave to the next · 6 minutes · ★★☆
# `dreamt` was dreamt over `base`, the photo at one octave; `next_base` is the photo at the next. Write
# `my_relay(dreamt, base, next_base)`: the picture that the next octave starts from.
#
# <details><summary>Hint</summary>
#
# Three lines: the detail, its enlargement, the sum. And a picture's values stay in [0, 1].
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_relay(dreamt, base, next_base):
#     detail = dreamt - base
#     enlarged = dk.resize(detail, next_base.shape[-2:])
#     return (next_base + enlarged).clamp(0, 1)
# ```
# </details>

# %% tags=["exercise"]
def my_relay(dreamt, base, next_base):
    ...  # your lines


dk.exercises.check("relay", my_relay)

# %% [markdown]
# ## Recap
#
# - You wrote the loop over octaves, watched what each adds, and grew pictures out of noise.
# - A layer draws shapes of one size in pixels; octaves let it draw on every scale of the scene.
# - Only the detail is enlarged, and laid over the original of the next size: with no steps the loop gives the photo
#   back exactly.
# - Enlarging the whole dream loses the photo's fine detail at the first octave; how much is left can be measured by
#   projection.
# - The count sets the largest shapes, the ratio how densely the scales are covered: `dk.Settings(octaves=4,
#   octave_ratio=1.4)`.
#
# ## Read next
#
# - The loop with detail laid over the original, four octaves of 1.4 with ten steps each: google/deepdream,
#   `dream.ipynb`, 2015.
# - pytorch-deepdream (ratio 1.8) and TensorFlow's tutorial (ratio 1.3) enlarge the whole picture; lesson 11 shows
#   them side by side.
# - Keras's example adds back, at each octave, just what shrinking lost: exercise 07.2 inside the loop.
# - Next, lesson 08: all of this in a dozen lines, with a live studio.

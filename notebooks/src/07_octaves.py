# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 07 · Octaves: from small to large
#
# A layer draws things of one size: about as large, in pixels, as its units can see. Shrink the picture, dream, enlarge,
# dream again, and the same layer draws large things first and smaller ones between them. Each size is an **octave**.
#
# - **You will do:** grow animals out of noise; write the loop over octaves; watch what each octave adds.
# - **You will learn:** why one size gives a carpet; why only the *detail* (what was dreamt) is enlarged, and laid over the
#   original photo of the next size; what is lost otherwise, as a number; what octaves cost.
# - **You need:** lessons 03 to 06.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# No photo this time. The start is plain noise; everything that you see is the network's. (10 to 20 seconds.)

# %%
from dataclasses import replace

layer, animals = dk.layer_at(network, 0.7), dk.styles()["animals"]    # the style's layers are
ours = network.base_name == animals.network                           # those of EfficientNet-Lite0
score = dk.scorer(network, animals.objective if ours else dk.layer(layer))
settings = replace(dk.settings_for(network, layer), octaves=5, octave_ratio=1.6, steps=12)
ends = slice(settings.steps - 1, None, settings.steps)                # the last step of each octave
height = 608 if ours else 320                                         # others are slower
stages = list(dk.dreaming(score, dk.noise(height, height * 3 // 2, contrast=0.2), settings))[ends]
dk.show.picture(stages[-1], f"Grown out of noise by {network.name} in five octaves")

# %% [markdown]
# ## Write before you reveal
# Count the heads of about the same size, largest first. **Write down** which were drawn first, and what you would see if
# you were wrong. The next cell shows the picture at the end of each octave.

# %%
note = """
The largest heads were drawn in octave …, the smallest in octave …
I would be wrong if …
"""

# %%
titles = [f"octave {k}: {stage.shape[-1]} wide" for k, stage in enumerate(stages, 1)]
dk.show.strip(dict(zip(titles, stages)), height=1.8,
              alt=f"The picture at the end of each octave, shown at one size: {', '.join(titles)}")

# %% [markdown]
# In EfficientNet-Lite0 the composition stands after the second octave. The later ones put fur, eyes and new, smaller heads
# into it.
#
# ## One size gives a carpet
#
# The same number of steps from the same noise: all at full size, or divided among four sizes. The third picture is the
# control, the same octaves with random weights. (8 to 15 seconds.)

# %%
noise = dk.noise(256, 384, contrast=0.2)
untrained = dk.randomized(network)
control = dk.scorer(untrained, animals.objective if ours else dk.layer(layer))
one, four = (replace(settings, octaves=n, steps=32 // n) for n in (1, 4))
grown = {"one octave": dk.dream(score, noise, one), "four octaves": dk.dream(score, noise, four),
         "four octaves, random weights": dk.dream(control, noise, four)}
dk.show.strip(grown, height=2.6, alt=f"Out of noise: {', '.join(grown)}")

# %% [markdown]
# With one octave, small heads of one size fill the picture. With four there are heads of several sizes. Can that be
# measured? Ask the trained network: shrink each picture, and see how strongly the layer responds at each size, compared
# with the plain noise shrunk by as much.

# %%
def smaller(picture, by):
    height, width = picture.shape[-2:]
    return dk.resize(picture, (round(height / by), round(width / by)))

sizes = (1.0, 1.6, 2.6, 4.1)
print(f"{'shrunk by':30}" + "".join(f"{by:7}" for by in sizes))
for name, picture in grown.items():
    found = (float(score(smaller(picture, by)) / score(smaller(noise, by))) for by in sizes)
    print(f"{name:30}" + "".join(f"{value:7.1f}" for value in found))

# %% [markdown]
# One octave: the trained layer finds its things at full size only, and the response falls quickly when they are shrunk.
# Four octaves: it finds things at every size. Random weights:
# about 1.5 whatever the size, so nothing of any size.
#
# ## One layer, four sizes
#
# The reason: dream out of noise at four sizes, each by itself, and show them equally wide. (About 4 seconds.)

# %%
import torch

photo = dk.sample("flower", 288)
single = replace(settings, octaves=1, steps=10)
widths = (96, 144, 216, 324)
dreams = {f"{width} pixels wide": dk.dream(score, dk.noise(width * 2 // 3, width, contrast=0.2),
                                           replace(single, steps=16)) for width in widths}
dk.show.strip(dreams, height=1.9,
              alt=f"Dreams out of noise at four sizes, shown equally wide: {', '.join(dreams)}")

# %% [markdown]
# In pixels the heads are about equally large everywhere; in the *picture* they are not. The smaller the picture, the more of
# it one head takes up. So let the small picture decide on the large things, and each larger one add smaller things.
#
# ## Build it
#
# You could enlarge the dream and go on. But a small picture holds no fine detail, so the photo's own petals would be lost.
# google/deepdream (2015) does this at each octave: take the **original** photo at this size; add the **detail** found so
# far (what was dreamt minus the original that it was dreamt over), enlarged; take the steps.

# %% [markdown]
# ### Exercise 07.1 · From one octave to the next · 6 minutes · ★★☆
# `dreamt` was dreamt over `base`, the photo at one octave; `next_base` is the photo at the next. Write
# `my_relay(dreamt, base, next_base)`: the picture that the next octave starts from.
#
# <details><summary>Hint</summary>
#
# Three lines: the detail, its enlargement (`dk.resize(detail, next_base.shape[-2:])`), the sum. A picture's values stay
# in [0, 1].
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
# ### Exercise 07.2 · The loop over octaves · 8 minutes · ★★★
# `climb(picture)` returns the picture after the steps at its size. Go through the `count` sizes of `image`, each `ratio`
# times the one before (`dk.octaves(image, count, ratio)`), and carry the detail along. Return the last picture.
#
# <details><summary>Hint</summary>
#
# What is the detail before the first octave? A picture of zeros, resized like any other.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_octaves(image, climb, count, ratio):
#     detail = torch.zeros_like(image)
#     for base in dk.octaves(image, count, ratio):
#         picture = climb((base + dk.resize(detail, base.shape[-2:])).clamp(0, 1))
#         detail = picture - base
#     return picture
# ```
# </details>

# %% tags=["exercise"]
def my_octaves(image, climb, count, ratio):
    ...  # your lines


dk.exercises.check("octaves", my_octaves)

# %% [markdown]
# ## The package's loop, and the simple way
#
# `laid_over` is the loop of `dk.dream` with the steps left to `climb`. `enlarging` is the simple way: the whole dream
# is enlarged, and the original is used only once.

# %%
def laid_over(image, climb, count=4, ratio=1.4):
    detail = torch.zeros_like(image)
    for base in dk.octaves(image, count, ratio):
        picture = climb((base + dk.resize(detail, base.shape[-2:])).clamp(0, 1))
        detail = picture - base
    return picture

def enlarging(image, climb, count=4, ratio=1.4):
    picture = image
    for base in dk.octaves(image, count, ratio):
        picture = climb(dk.resize(picture, base.shape[-2:]))
    return picture

still = replace(single, steps=2, jitter=0)                            # nothing is left to chance
mine = laid_over(photo, lambda picture: dk.dream(score, picture, still), count=3)
package = dk.dream(score, photo, replace(still, octaves=3, octave_ratio=1.4))
print("the same as dk.dream, bit by bit:", torch.equal(mine, package))

# %% [markdown]
# ## What is lost without the original
#
# **Predict, then reveal.** Both loops take the same steps. Which result is sharper, and *whose* sharpness is it, the
# photo's or the dream's? And what does each loop give with **no steps at all**?
#
# <details><summary>Answer</summary>
#
# Laid over the original, the photo's own detail is there, fresh at each octave; with no steps the loop returns the photo
# exactly. Enlarged, it is lost at the first octave and does not come back: with no steps you get a blurred photo.
# Sharpness alone does not tell, because a dream is sharp as well. So ask how much of the *photo's* fine detail is still
# in the picture: project the one on the other.
# </details>
#
# (About 5 seconds.)

# %%
climb, nothing = lambda picture: dk.dream(score, picture, single), lambda picture: picture
pictures = {"the photo": photo,
            "laid over": laid_over(photo, climb), "enlarged": enlarging(photo, climb),
            "laid over, no steps": laid_over(photo, nothing),
            "enlarged, no steps": enlarging(photo, nothing)}

# %%
fine = lambda picture: picture - dk.smooth(picture, 1.5)  # what a blur of 1.5 pixels takes away
power = lambda picture: float(fine(picture).square().sum())
for name, picture in pictures.items():
    sharpness = (power(picture) / power(photo)) ** 0.5
    kept = float((fine(picture) * fine(photo)).sum()) / power(photo)
    print(f"{name:20} sharpness {sharpness:4.2f}   of the photo's fine detail {kept:4.0%}")

# %%
flower = lambda picture: picture[..., 40:150, 75:200]
dk.show.strip({name: flower(pictures[name]) for name in pictures}, height=2.0,
              alt=f"The middle of the flower: {', '.join(pictures)}")

# %% [markdown]
# The two pictures without steps use no network at all: what is lost there is lost by resizing.
#
# ## How many, and how far apart?
#
# More octaves start from a smaller picture: larger things. A larger ratio gets there in fewer octaves, but leaves out the
# sizes between. Move the slider; each stop dreams twice and takes about 5 seconds. If the first octave is too small for
# the layer, `dk.dream` says so.

# %%
def with_octaves(count):
    views = {f"ratio {ratio}, first {round(photo.shape[-1] / ratio ** (count - 1))} wide":
             dk.dream(score, photo, replace(settings, octaves=count, octave_ratio=ratio, steps=8))
             for ratio in (1.2, 1.6)}
    return views, f"{count} octaves"

dk.widgets.slide("octaves", [1, 2, 3, 4, 5], with_octaves, start=3, width=336)

# %% [markdown]
# Without the panel: `with_octaves(2)[0]`. google/deepdream's choice is four octaves of 1.4.

# %% [markdown]
# ### Exercise 07.3 · What do the octaves cost? · 5 minutes · ★★☆
# A step costs in proportion to the number of pixels. Call the cost of the full size alone 1. What do `count` octaves cost,
# each `ratio` times smaller (in height *and* width) than the next? Guess for four of ratio 1.4 before you compute it.
#
# <details><summary>Hint</summary>
#
# The octave `k` sizes below the full one has `1 / ratio**k` of its height and as much of its width.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_work(count, ratio):
#     return sum(1 / ratio ** (2 * k) for k in range(count))
# ```
# </details>

# %% tags=["exercise"]
def my_work(count, ratio):
    ...  # your lines


dk.exercises.check("octave_work", my_work)

# %% [markdown]
# ## Open investigation
#
# No answer is folded here. *Does the first octave decide the composition?* Take the first octave with one seed of the
# noise and the rest with another; which of the two does the result resemble? Design the comparison, and its control. A
# first cell to start from: the same settings, two noises. (About 5 seconds.)

# %%
starts = {f"noise {seed}": dk.noise(256, 384, contrast=0.2, seed=seed) for seed in (1, 2)}
dk.show.strip({name: dk.dream(score, start, four) for name, start in starts.items()}, height=2.6,
              alt="Two dreams with four octaves, grown out of two different noises")

# %% [markdown]
# ## Recap
#
# - You grew animals out of noise and wrote the loop over octaves.
# - The layers tried here draw things of about one size in pixels. With one octave they fill the picture like a carpet;
#   with four the trained layers respond 2 to 5 times as strongly as to noise at all of four sizes, to the picture of
#   random weights 1.5 times.
# - Only the detail is enlarged, and laid over the original of the next size: with no steps the loop returns the photo
#   exactly. Enlarging the whole dream loses most of the photo's fine detail.
# - Count and ratio together set the first size, and with it the largest things; the ratio sets how densely the sizes are
#   covered. An octave of ratio 1.4 costs half as much as the next larger one.
#
# ## Read next
#
# - The detail laid over the original, four octaves of 1.4 with ten steps each: google/deepdream, `dream.ipynb`, 2015.
# - pytorch-deepdream (ratio 1.8) and TensorFlow's tutorial (ratio 1.3) enlarge the whole picture; lesson 11 shows them side
#   by side.
# - Keras's example adds back, at each octave, what shrinking lost.
# - Next, lesson 08: all of this in a dozen lines, and why it is dogs that appear.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 08 · DeepDream: the whole algorithm in a dozen lines
#
# Every idea of lessons 03 to 07 was one short function. Here they come together, and there is nothing else: no hidden
# trick, no second network. You write the algorithm, check it against the package's to the last bit, and then play.
#
# - **You will do:** write DeepDream in a dozen lines, dream live in the studio, and save a dream that can be made again.
# - **You will learn:** what each line buys; what each knob does; how to choose a layer; what belongs to the network,
#   what to the photo and what to chance.
# - **You need:** lessons 03 to 07, or some trust: every verb used here is one line long in words.
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# A photo, and forty small steps later what a layer high up in the network would rather see. (About 5 seconds.)

# %%
photo = dk.sample("china", 320)
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))               # picture -> one number: how strongly that layer is excited
dream = dk.dream(score, photo)
dk.show.strip({"the photo": photo, f"the dream of {layer}": dream}, height=3.2,
              alt=f"A Chinese pavilion by a lake, and the dream of {layer} of {network.name}: things have grown that were not there")

# %% [markdown]
# Look closely before you read on. What grew in the bushes, on the roof, in the sky? The network was trained to name
# things; now it draws what it half saw.
#
# ## A dozen lines
#
# In words: *for each size, from small to large: lay the detail found so far over the photo at that size. Take some steps:
# shift the picture a little, take the gradient of the score, smooth and normalise it, step uphill, shift back. What has
# changed is the detail.* In Python it is hardly longer:

# %%
import torch


def my_dream(score, image, s):
    generator, detail = torch.Generator().manual_seed(s.seed), None
    for base in dk.octaves(image, s.octaves, s.octave_ratio):                       # 07: from small to large
        picture = base if detail is None else (base + dk.resize(detail, base.shape[-2:])).clamp(0, 1)
        for _ in range(s.steps):                                                    # 04: many small steps
            dy, dx = torch.randint(-s.jitter, s.jitter + 1, (2,), generator=generator).tolist()
            picture = dk.roll(picture, (dy, dx))                                    # 06: jitter
            uphill = dk.gradient(score, picture)                                    # 03: which way is up?
            uphill = dk.normalize(dk.smooth(uphill, s.smoothing))                   # 05 and 04: smooth, even steps
            picture = dk.roll(dk.ascend(picture, uphill, s.step_size), (-dy, -dx))  # 03: one step
        detail = picture - base                                                     # what was dreamt
    return picture


small = dk.sample("china", 224)
settings = dk.Settings(steps=5)
difference = (my_dream(score, small, settings) - dk.dream(score, small, settings)).abs().max()
print(f"greatest difference from dk.dream, in 255 grey levels: {255 * difference:.3f}")

# %% [markdown]
# The same dream, to the last bit. `dk.dream` only adds tiles (for posters) and a warning when a layer is silent. Note what
# is *not* there: no network. `my_dream` sees a score, any function from a picture to a number.

# %% [markdown]
# ### Exercise 08.1 · One step of the dream · 6 minutes · ★★☆
# Close your eyes to the lines above and write the six verbs of one step: `shift` is `(dy, dx)`, `sigma` the smoothing.
# Give back the picture after the step, not shifted.
#
# <details><summary>Hint</summary>
#
# roll, gradient, smooth, normalize, ascend, roll back. All are in `dk`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_step(image, score, shift, sigma, step_size):
#     dy, dx = shift
#     rolled = dk.roll(image, (dy, dx))
#     uphill = dk.normalize(dk.smooth(dk.gradient(score, rolled), sigma))
#     return dk.roll(dk.ascend(rolled, uphill, step_size), (-dy, -dx))
# ```
# </details>

# %% tags=["exercise"]
def my_step(image, score, shift, sigma, step_size):
    ...  # your lines


dk.exercises.check("dream_step", my_step)

# %% [markdown]
# ### Exercise 08.2 · The loop over octaves · 8 minutes · ★★★
# Now the outer loop. `steps_of_one_octave(picture)` gives back the picture after the steps at its size; you do the rest:
# go through the `count` sizes of `image`, each `ratio` times the one before, and carry the detail along.
#
# <details><summary>Hint</summary>
#
# `dk.octaves(image, count, ratio)` gives the photo at each size, `dk.resize(detail, base.shape[-2:])` brings the detail
# to the next one. What is the detail before the first octave?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_octaves(image, steps_of_one_octave, count, ratio):
#     detail = torch.zeros_like(image)
#     for base in dk.octaves(image, count, ratio):
#         picture = steps_of_one_octave((base + dk.resize(detail, base.shape[-2:])).clamp(0, 1))
#         detail = picture - base
#     return picture
# ```
# </details>

# %% tags=["exercise"]
def my_octaves(image, steps_of_one_octave, count, ratio):
    ...  # your lines


dk.exercises.check("octaves", my_octaves)

# %% [markdown]
# ## The ladder: what each idea bought
#
# The same photo, layer, seed and forty steps in all; each picture has one idea more than the one before it. (About 12 seconds.)

# %%
rungs = dk.ladder(network)
dk.show.grid({"the photo": small} | rungs, columns=3, height=2.0,
             alt=f"The ladder of ideas on one photo, {layer}: {', '.join(rungs)}; from hard static to clear shapes")

# %% [markdown]
# Read it as a before and after: **normalising** makes every step count, **smoothing** turns the static in the sky into
# soft marks, **jitter** evens out what clings to borders and to the network's grid, and **octaves** clear the sky, make the
# shapes large and then fill them with detail.
#
# ## Predict, then reveal
#
# You change nothing but the seed, which decides only by how many pixels the picture is shifted before each step. **Predict:
# the same things in the same places? The same things elsewhere? Other things?**
#
# <details><summary>Think first, then open</summary>
#
# The same *kinds* of things, in places of the same *kind*, but with other details and often a few steps to the side. The
# network decides what can appear, the photo decides where it may (a bush can become a head, a flat wall hardly), and
# chance decides which of many near-equal possibilities wins: whatever is a little ahead early on grows.
# </details>
#
# (About 6 seconds.)

# %%
seeds = {f"seed {seed}": dk.dream(score, small, dk.Settings(seed=seed)) for seed in (0, 1, 2)}
dk.show.strip(seeds, height=2.1, alt=f"The same dream with three seeds: things of the same kinds at other places ({layer})")

# %%
one, two, three = [(dreamt - small).flatten() for dreamt in seeds.values()]
alike = lambda a, b: torch.corrcoef(torch.stack([a, b]))[0, 1]
print(f"how alike the changes are, pixel by pixel (correlation): {alike(one, two):.2f}, {alike(one, three):.2f}, {alike(two, three):.2f}")

# %% [markdown]
# Above 0, the value for unrelated changes, and far from 1: a dream is one of many that this photo and this layer could
# have had.
#
# ## One knob at a time
#
# Each row turns one knob of `dk.Settings` down and up and leaves the others alone; in the middle stands always the same
# dream. (With more octaves, fewer steps at each, so that every dream has 24 in all. About 8 seconds.)

# %%
from dataclasses import replace

little = dk.sample("china", 192)
middle = dk.Settings(steps=6)
turns = [({"step_size": 0.003}, {"step_size": 0.04}), ({"smoothing": 0.0}, {"smoothing": 4.0}), ({"jitter": 0}, {"jitter": 64}),
         ({"octaves": 1, "steps": 24}, {"octaves": 6, "steps": 4})]
usual = dk.dream(score, little, middle)
knobs = {}
for down, up in turns:
    for turn in (down, {}, up):
        changed = turn or {name: getattr(middle, name) for name in down}
        title = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changed.items())
        knobs[title] = dk.dream(score, little, replace(middle, **turn)) if turn else usual
dk.show.grid(knobs, columns=3, height=1.4, alt=f"One knob at a time, dreams of {layer}: {'; '.join(knobs)}")

# %% [markdown]
# - **Step size**: too small, and nothing gets finished; too large, and the picture is driven into black, white and pure colours.
# - **Smoothing**: none leaves fine static; much leaves soft shapes without detail.
# - **Jitter**: in so small a picture it mostly decides where things grow. What it is for shows at borders and tiles (lesson 06).
# - **Octaves**: one gives what fits the layer at this size; many let large things take hold first.

# %% [markdown]
# ### Exercise 08.3 · What do the octaves cost? · 5 minutes · ★★☆
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
# ## Which layer?
#
# The most important knob of all: lesson 01's maps, run backwards. With this smoothing the two lowest layers mostly drive colour
# and contrast, the middle ones lay spots and textures over everything, and the fifth draws parts of animals. The highest is
# not the clearest. (About 7 seconds.)

# %%
layers = [dk.layer_at(network, depth) for depth in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
dreams = {name: dk.dream(dk.scorer(network, dk.layer(name)), little, dk.Settings(steps=8)) for name in layers}
dk.show.grid(dreams, columns=3, height=1.7, alt=f"The same photo dreamt by six layers from shallow to deep: {', '.join(layers)}")

# %% [markdown]
# A layer need not dream as a whole: one channel is an objective too, and objectives add up. Here the two channels of the
# layer that the photo excites to the highest peaks, each alone, and their sum. (About 4 seconds.)

# %%
first, second = dk.capture(network, little, layer)[layer][0].amax((1, 2)).topk(2).indices.tolist()
wishes = [dk.channel(layer, first), dk.channel(layer, second), dk.channel(layer, first) + dk.channel(layer, second)]
granted = [dk.dream(dk.scorer(network, wish), little) for wish in wishes]
dk.show.strip(dict(zip((f"channel {first}", f"channel {second}", "their sum"), granted)), height=2.0,
              alt=f"Dreams of {', '.join(wish.name for wish in wishes)}")

# %% [markdown]
# Objectives add up as they are, so in a sum the one whose score rises faster has more say. Weigh them to balance them:
# `5 * dk.channel(…) + dk.channel(…)`.
#
# ## The studio
#
# Everything at once. **Start**, and move a slider while it dreams: it starts anew with your value. **Stop**, go back with
# the frame slider, and **Branch** from there. The panel always shows the Python and the command line that make what you
# see. Upload a photo of your own: low contrast and soft textures, skies, bark, cloth, leave the network room to see things.

# %%
studio = dk.widgets.studio(network, little, source="china", layer=layer, settings=dk.Settings(steps=5))
studio.run()                                              # one dream in step, so that there is something to see; then Start is yours

# %% [markdown]
# ## A dream that can be made again
#
# The studio's **Save** and the command `dreamkit dream` write a *passport* into the picture: network, weights, layer,
# settings, seed, versions, and a fingerprint of the photo. Nothing is drawn on the picture; it travels in the file's metadata.

# %%
saved = studio.save()
passport = dk.read_passport(saved)
print(saved.name, *(f"{key}: {passport[key]}" for key in ("network", "objective", "settings")), sep="\n")

# %% [markdown]
# So anybody can make it again. On a command line: `dreamkit again dream.png`; the same from here. (It starts a fresh Python
# and dreams once more: about 10 seconds.)

# %%
import subprocess
import sys

again = subprocess.run([sys.executable, "-m", "dreamkit", "again", str(saved)], capture_output=True, text=True)
print(again.stdout or again.stderr)

# %% [markdown]
# ## Sanity baseline: does it take a trained network?
#
# Three ascents of the same length: on the trained layer, on the same layer with random weights, and along fresh noise at
# each step, which is what "forty normalised, smoothed steps" look like without any network. (About 5 seconds.)

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
generator = torch.Generator().manual_seed(0)
static = lambda image: (image * torch.randn(image.shape, generator=generator)).sum()     # its gradient is plain noise
trials = {"trained": seeds["seed 0"], "random weights": dk.dream(untrained, small), "plain noise": dk.dream(static, small)}
dk.show.strip(trials, height=2.1, alt="Ascent on trained weights gives shapes, on random weights hard contrasts, along noise only grain")

# %%
print("how strongly the trained layer is excited, the photo being 1:")
for name, picture in trials.items():
    print(f"  {name:15} {float(score(picture) / score(small)):.2f}")

# %% [markdown]
# Random weights harden contrasts, noise gives grain; only the trained network draws things one could name, and only its
# own ascent excites it. The things in a dream come from training, not from the algorithm; lesson 15 shows how another
# training makes other dreams.
#
# ## Recap
#
# - You wrote DeepDream in a dozen lines, equal to the package's to the last bit; dreamt live; and saved a dream with its recipe.
# - Each line buys something you can see: normalising even steps, smoothing less static, jitter no favourite places, octaves
#   large shapes and a calmer sky.
# - Step size, smoothing, jitter and octaves change how it is drawn; the layer changes *what* is drawn.
# - The network decides what can appear, the photo where, and chance which of it. Random weights dream of nothing.
#
# ## Read next
#
# - Lesson 09: one layer, many photos. Lesson 11: how three published implementations differ from these dozen lines.
# - A. Mordvintsev, C. Olah, M. Tyka, [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks/),
#   2015, and their notebook [google/deepdream](https://github.com/google/deepdream): octaves, jitter and normalised steps
#   come from there; the smoothing has its own lesson, 05.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 08 · DeepDream: the whole algorithm in a dozen lines
#
# Lessons 03 to 07 gave you one short function each. This lesson puts them together. There is no second network, no
# training and no hidden trick: two loops around six function calls make the picture below.
#
# - **You will do:** write DeepDream; check it against the package bit by bit; measure what grows; dream live; take a
#   version home that needs only torch and torchvision.
# - **You will learn:** what each line buys; why so many dogs and eyes appear, and which measurement can show it; what
#   belongs to the network, what to the photo, and what to chance.
# - **You need:** lessons 03 to 07.
# - **Minutes:** 55

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# A dahlia, and sixty small steps later what a deep layer makes of it. The settings are those that suit the layer's depth,
# with one more octave because this picture is large. (10 to 20 seconds.)

# %%
from dataclasses import replace

ours = network.base_name == "efficientnet_lite0"       # other networks are slower
photo = dk.sample("flower", 912 if ours else 480)
layer = dk.layer_at(network, 0.7)                      # block6a.expand in EfficientNet-Lite0
score = dk.scorer(network, dk.layer(layer))            # picture -> one number
settings = replace(dk.settings_for(network, layer), octaves=6 if ours else 4)
ends = slice(settings.steps - 1, None, settings.steps)  # the last step of each octave
stages = list(dk.dreaming(score, photo, settings))[ends]
dream = stages[-1]
dk.show.picture(dream, f"The dream of {layer} of {network.name} over a photo of a dahlia, large")

# %% [markdown]
# ## Write before you reveal
# Look at the flower's centre, then at the dark background. **Write down** what you see, and for each thing whose it is:
# the network's, the photo's, or yours (people see faces in clouds too). How could you find out? Name one measurement
# that could prove you wrong. You will need your note below.

# %%
note = """
In the centre I see …            In the dark I see …
It comes from …                  I would be wrong if …
"""

# %% [markdown]
# ## Build it
#
# The verbs are those of the earlier lessons: `dk.roll` (06), `dk.gradient` (03), `dk.smooth` (05), `dk.normalize` (04),
# `dk.ascend` (03), `dk.octaves` and `dk.resize` (07).

# %% [markdown]
# ### Exercise 08.1 · One step of the dream · 6 minutes · ★★☆
# Write one step. `shift` is `(dy, dx)` in pixels, `sigma` the standard deviation of the smoothing. Return the picture
# after the step, not shifted.
#
# <details><summary>Hint</summary>
#
# Six verbs: shift, gradient, smooth, normalise, step, shift back. Which picture does the gradient belong to?
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
# ### Exercise 08.2 · The whole algorithm · 10 minutes · ★★★
# Now the two loops. `s` is a `dk.Settings`: you need `s.octaves`, `s.octave_ratio`, `s.steps`, `s.step_size`,
# `s.smoothing`, `s.jitter` and `s.seed`. Draw each shift with
# `torch.randint(-s.jitter, s.jitter + 1, (2,), generator=generator).tolist()`; the stub says where the generator comes from.
#
# <details><summary>Hint</summary>
#
# The outer loop is that of lesson 07: the photo at this size, plus the detail found so far. The inner one takes
# `s.steps` steps. What is the detail before the first octave?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# import torch
#
#
# def my_loops(score, image, s):
#     generator = torch.Generator().manual_seed(s.seed)
#     detail = torch.zeros_like(image)
#     for base in dk.octaves(image, s.octaves, s.octave_ratio):
#         picture = (base + dk.resize(detail, base.shape[-2:])).clamp(0, 1)
#         for _ in range(s.steps):
#             shift = torch.randint(-s.jitter, s.jitter + 1, (2,), generator=generator).tolist()
#             picture = my_step(picture, score, shift, s.smoothing, s.step_size)
#         detail = picture - base
#     return picture
# ```
# </details>

# %% tags=["exercise"]
import torch


def my_loops(score, image, s):
    ...  # your lines; begin with generator = torch.Generator().manual_seed(s.seed)


dk.exercises.check("deepdream", my_loops)

# %% [markdown]
# ## The package's dozen
#
# The loop of `dk.dream` has the same lines and two more from lesson 05: bands of the gradient get equal strength, and
# most of its colour is taken out.

# %%
def my_dream(score, image, s):
    generator, detail = torch.Generator().manual_seed(s.seed), None
    for base in dk.octaves(image, s.octaves, s.octave_ratio):                # 07: small to large
        picture = (base if detail is None
                   else (base + dk.resize(detail, base.shape[-2:])).clamp(0, 1))
        for _ in range(s.steps):                                             # 04: many small steps
            dy, dx = torch.randint(-s.jitter, s.jitter + 1, (2,), generator=generator).tolist()
            picture = dk.roll(picture, (dy, dx))                             # 06: jitter
            uphill = dk.gradient(score, picture)                             # 03: which way is up?
            if s.laplacian:
                uphill = dk.smooth_laplacian(uphill, s.laplacian)            # 05: equal bands
            uphill = dk.scale_chroma(uphill, s.chroma)                       # 05: less colour
            uphill = dk.normalize(dk.smooth(uphill, s.smoothing))            # 05, 04: even steps
            picture = dk.roll(dk.ascend(picture, uphill, s.step_size), (-dy, -dx))
        detail = picture - base                                              # what was dreamt
    return picture


tiny, few = dk.sample("flower", 256), replace(settings, steps=2, octaves=3)
print("the same as dk.dream, bit by bit:",
      torch.equal(my_dream(score, tiny, few), dk.dream(score, tiny, few)))

# %% [markdown]
# What is *not* there: the network. `my_dream` sees a score, any function from a picture to one number.
#
# ## What each idea buys
#
# The same photo, layer, seed and forty steps in all; each picture has one idea more than the one before it. The settings
# are those of the first picture, but with four octaves, and the photo is 256 pixels wide. (About 10 seconds.)

# %%
ideas = dk.ladder(network, tiny)
dk.show.grid({"the photo": tiny} | ideas, columns=3, height=2.2,
             alt=f"One photo, {layer}, one idea more in each picture: {', '.join(ideas)}")

# %% [markdown]
# In EfficientNet-Lite0:
#
# - **plain → normalised** changes little here, because the plain picture's constant was chosen so that its first step has
#   the same length. Lesson 04 shows a layer on which one constant fails.
# - **smoothed** is the largest change: thin bright lines become soft shapes, and the first heads appear.
# - **jittered**: the heads become clearer, above all in the flat, dark parts. Lesson 06 measures why.
# - **with octaves**: fewer and larger heads. Only a quarter of the steps is taken at full size, so they are softer. What
#   octaves do for a large picture shows at the top of this lesson.
#
# ## Whatever you see there, more of it
#
# The score is a mean of *squares*; the derivative of a square is twice the activation, so what is active already is
# pushed most (lesson 03). And each step starts from the picture that the last step changed: a feedback loop. Watch it in
# the flower, at the end of each octave.

# %%
def middle(picture):
    height, width = picture.shape[-2:]
    return picture[..., int(0.18 * height):int(0.85 * height), int(0.26 * width):int(0.71 * width)]

heads = {f"octave {k}": middle(stage) for k, stage in enumerate(stages, 1)}
dk.show.grid({"the photo": middle(photo)} | heads, columns=7, height=1.7,
             alt="The middle of the flower, in the photo and at the end of each octave")

# %% [markdown]
# In EfficientNet-Lite0 two of the flower's dark folds become eyes by the third or fourth octave. From then on the face
# stays where it is, and the larger octaves only add detail to it.

# %% [markdown]
# ## Why dogs?
#
# The network learnt to tell 1,000 classes apart. What are they?

# %%
def dogs_and_animals(judge):
    """The numbers of the classes that are dogs, and animals: ImageNet lists the animals first."""
    labels = list(judge.labels)
    after = labels.index("timber wolf" if "timber wolf" in labels else "tabby")
    return range(labels.index("Chihuahua"), after), range(labels.index("abacus"))

count = len(network.labels)
for kind, classes in zip(("dogs", "animals"), dogs_and_animals(network)):
    print(f"{len(classes)} of {count} classes ({len(classes) / count:.1%}) are {kind}, "
          f"from {network.labels[classes[0]]} to {network.labels[classes[-1]]}")

# %% [markdown]
# Many classes that differ in small things, such as 118 breeds in ImageNet, force a network to learn eyes, muzzles and fur
# in detail. That is an explanation, not yet a measurement. So let a judge look at crops of three photos, of their dreams,
# and of dreams of the *same network with random weights* (the control).
#
# **Predict, then reveal.** How much of its probability will the judge give to *animals*, and how much to *dogs*: in the
# photos, in the dreams, in the random-weights dreams? Write six numbers. (A judge that knows nothing gives each class the
# same: what does it give to the animals, to the dogs?)
#
# <details><summary>What happened with EfficientNet-Lite0</summary>
#
# A judge that knows nothing gives 39.8 % to animals and 11.8 % to dogs. "Animal" is a weak measure: in china and the
# clouds random weights raise it too, in the clouds from 15 to over 60 %. They paint blotches, and the judge must answer
# something. "Dog" holds: below 11.8 % in all photos and all random-weights dreams, above it in all dreams. A measure is
# worth what its control says.
# </details>
#
# (10 to 20 seconds for six dreams, then 5 to 10 seconds for 270 classifications.)

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
small = {name: dk.sample(name, 384) for name in ("flower", "china", "clouds")}
less = replace(settings, octaves=4)
trials = {name: {"photo": picture, "dream": dk.dream(score, picture, less),
                 "random weights": dk.dream(untrained, picture, less)}
          for name, picture in small.items()}

# %%

def crops(picture, side):
    """Square crops [N, 3, side, side], each half a side from the next."""
    rows = picture.unfold(2, side, side // 2).unfold(3, side, side // 2)
    return rows[0].permute(1, 2, 0, 3, 4).flatten(0, 1)

def beliefs(judge, picture, side=128):
    """The mean probability that the judge gives to animals and to dogs, over the crops."""
    seen = dk.resize(crops(picture, side), (min(judge.side, 160),) * 2)
    logits = [dk.capture(judge, crop[None], "")[""] for crop in seen]
    shares = torch.cat(logits).softmax(1).mean(0)
    dogs, animals = dogs_and_animals(judge)
    return float(shares[animals].sum()), float(shares[dogs].sum())

# %% [markdown]
# Two judges, each crop at most 160 pixels wide (5 to 10 seconds):

# %%
other = "efficientnet_lite1" if "efficientnet_lite1" in dk.cached_networks() else "dreamnet"
print(f"{'judge':20}{'crops of':16}animals | dogs   (in {', '.join(small)})")
for judge in (network, dk.load_network(other)):
    for kind in ("photo", "dream", "random weights"):
        found = zip(*(beliefs(judge, pictures[kind]) for pictures in trials.values()))
        rows = (" ".join(f"{share:4.0%}" for share in row) for row in found)
        print(f"{judge.name:20}{kind:16}{' | '.join(rows)}")

# %%
shown = {f"{name}: {kind}": picture for name in trials for kind, picture in trials[name].items()}
dk.show.grid(shown, columns=3, height=1.9,
             alt=f"Three photos, their dreams of {layer}, and the same with random weights")

# %% [markdown]
# The second judge is another network with weights of its own, so the dogs are not a private code between the layer and its
# own classifier. Both learnt from ImageNet, though, and neither can answer *none of these*. What the numbers do not show
# is why the dreams hold more dogs than their share of the classes. That is open.
#
# Now the judge's names for some crops of the first picture (every ninth, not the best). Compare them with your note.

# %%
pieces = crops(dream, 160)[4::9]
guesses = [dk.classify(network, dk.resize(piece[None], (224, 224)), top=1)[0] for piece in pieces]
titles = [f"{number}: {label} {p:.0%}" for number, (label, p) in enumerate(guesses, 1)]
dk.show.grid({title: piece[None] for title, piece in zip(titles, pieces)}, columns=4, height=1.5,
             alt=f"Crops of the dream with the network's first guess: {', '.join(titles)}")

# %% [markdown]
# ## What the algorithm does without a trained network
#
# Three ascents of the same length: on the trained layer, on the same layer with random weights, and along fresh noise
# at each step. (About 3 seconds.)

# %%
generator = torch.Generator().manual_seed(0)
static = lambda image: (image * torch.randn(image.shape, generator=generator)).sum()
controls = {**trials["flower"], "plain noise": dk.dream(static, small["flower"], less)}
print("how strongly the trained layer responds, the photo being 1:")
for name, picture in controls.items():
    print(f"  {name:15} {float(score(picture) / score(small['flower'])):.2f}")

# %% [markdown]
# Without training there are no heads in the pictures above, and the trained layer does not respond to what such an ascent
# makes.
#
# ## What belongs to chance?
#
# **Predict, then reveal.** You change nothing but the seed, which decides only the shifts before each step. The same
# things at the same positions? The same things elsewhere? Other things?
#
# <details><summary>Answer</summary>
#
# In EfficientNet-Lite0: heads again, in the same dark parts, but other heads, often a little to the side. The network
# decides *what* can appear, the photo *where* it may start, and chance which of many nearly equal beginnings wins.
# </details>
#
# (About 4 seconds.)

# %%
seeds = {f"seed {seed}": dk.dream(score, tiny, replace(less, seed=seed)) for seed in (0, 1, 2)}
dk.show.strip(seeds, height=2.2, alt=f"A dream of {layer} with three seeds: {', '.join(seeds)}")

# %%
one, two, three = [dreamt - tiny for dreamt in seeds.values()]
alike = lambda a, b: float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])
pairs = ((one, two), (one, three), (two, three))
print("how alike the changes are, pixel by pixel (correlation), seed against seed:",
      *(f"{alike(a, b):.2f}" for a, b in pairs))
print("control, one of them upside down:", *(f"{alike(a, b.flip(-2)):.2f}" for a, b in pairs))

# %% [markdown]
# Above the control, and far from 1: a dream is one of many that this photo and this layer could have had.
#
# ## Which layer?
#
# The most important choice. Shallow layers give strokes and ornament, deep ones parts and whole animals.
# `dk.settings_for` adapts the settings to the depth: a shallow layer gets fewer octaves and smaller steps, or its strokes
# would cover the picture. (About 7 seconds.)

# %%
layers = [dk.layer_at(network, depth) for depth in (0.0, 0.15, 0.3, 0.4, 0.6, 0.7)]
depths = {name: dk.dream(dk.scorer(network, dk.layer(name)), tiny, dk.settings_for(network, name))
          for name in layers}
dk.show.grid(depths, columns=3, height=2.2,
             alt=f"The dahlia dreamt by six layers from shallow to deep: {', '.join(depths)}")

# %% [markdown]
# In EfficientNet-Lite0, from left to right and top to bottom: fine strokes; curved ornament; a weave of ribbons; ribbed
# patches; one large **eye** in the flower, with strokes like hair around it; heads in the dark. In this photo the eye
# belongs to a shallower layer than the heads.
#
# ## The studio
#
# **Start**, and move a slider while it dreams: it starts again with your value. **Stop**, go back with the frame slider,
# and **Branch** from there. The panel always shows the Python and the command line that make what you see. Upload a
# photo of your own; dark or textured regions work best here.

# %%
quick = replace(less, steps=5)
studio = dk.widgets.studio(network, tiny, source="flower", layer=layer, settings=quick)
studio.run()  # one dream in step; then Start is yours

# %% [markdown]
# ## A dream that can be made again
#
# The studio's **Save** and the command `dreamkit dream` write a *passport* into the file's metadata: network, layer,
# settings, seed, versions, and a fingerprint of the photo. On a command line `dreamkit again dream.png` makes it again;
# the same from here. (A fresh Python that dreams once more: 5 to 10 seconds.)

# %%
import subprocess
import sys

saved = studio.save()
passport = dk.read_passport(saved)
for key in ("network", "objective", "settings"):
    print(f"{key}: {passport[key]}")
again = [sys.executable, "-m", "dreamkit", "again", str(saved)]
print(subprocess.run(again, capture_output=True, text=True).stdout)

# %% [markdown]
# ## To take home: torch and torchvision alone
#
# These two functions are the heart of `notebooks/deepdream.py`, a file of 60 lines that needs nothing of this course:
# `python deepdream.py photo.jpg` writes `photo-dream.png`, with SqueezeNet or any other classifier of torchvision that
# takes pictures of any size. Its weights come through torchvision, or from a file that you name.

# %%
from torch.nn.functional import interpolate
from torchvision.transforms.functional import gaussian_blur, normalize

MEAN, STD = network.mean, network.std  # in the file those of torchvision's networks


def activation(network, layer, picture):
    """How strongly the layer responds: the mean of its squared activations."""
    found = []
    save = lambda module, inputs, output: found.append(output.clone())
    with network.get_submodule(layer).register_forward_hook(save):
        network(normalize(picture, MEAN, STD))
    return found[0].square().mean()

# %%
def dream(score, photo, octaves=5, ratio=1.4, steps=10, step_size=0.015, sigma=0.7, jitter=16):
    """The dream of a photo [1, 3, H, W] in [0, 1]; `score` gives one number for a picture."""
    generator, detail = torch.Generator().manual_seed(0), torch.zeros(1, 3, 1, 1)
    for k in reversed(range(octaves)):  # from small to large
        size = [round(side / ratio**k) for side in photo.shape[-2:]]
        base = interpolate(photo, size, mode="area")
        picture = (base + interpolate(detail.to(base), size, mode="bilinear")).clamp(0, 1)
        for _ in range(steps):
            dy, dx = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
            picture = picture.detach().roll((dy, dx), (-2, -1)).requires_grad_()
            (uphill,) = torch.autograd.grad(score(picture), picture)
            uphill = gaussian_blur(uphill, 2 * int(4 * sigma + 0.5) + 1, sigma)
            uphill = uphill / uphill.std(correction=0)
            picture = (picture + step_size * uphill).clamp(0, 1).roll((-dy, -dx), (-2, -1))
        detail = picture.detach() - base  # what was dreamt
    return picture.detach()

# %% [markdown]
# Beside `dk.dream` with the same settings, without bands. In 64-bit numbers they agree; in 32 bits a rounding error of
# 0.0000001 grows from step to step until single heads differ, as with another seed. (5 to 10 seconds.)

# %%
from copy import deepcopy

exact = dk.as_network(deepcopy(network.module).double(), MEAN, STD)
sized = dk.sample("flower", 192).double()
mine = dream(lambda picture: activation(exact.module, layer, picture), sized, octaves=3, steps=4)
package = dk.dream(dk.scorer(exact, dk.layer(layer)), sized,
                   dk.Settings(octaves=3, steps=4, step_size=0.015, smoothing=0.7))
print(f"greatest difference: {255 * float((mine - package).abs().max()):.6f} of 255 grey levels")
dk.show.strip({"torch and torchvision alone": mine, "dk.dream": package}, height=2.6,
              alt=f"The same dream of {layer} twice: by the forty lines, and by the package")

# %% [markdown]
# ## Open investigation
#
# Nobody has written the answer down for you. *Would a network that never saw a dog dream of dogs?* You cannot retrain
# EfficientNet here, but `dreamnet` learnt from only 6 dogs in 200 classes. Does it dream of fewer? Or change the
# question: which layer gives most dogs, and is it the layer that excites you most? Start here.

# %%
candidate = dk.layer_at(network, 0.6)
its_score = dk.scorer(network, dk.layer(candidate))
dreamt = dk.dream(its_score, tiny, dk.settings_for(network, candidate))
animals, dogs = beliefs(network, dreamt)
print(f"{candidate}: {dogs:.0%} of the probability goes to dogs")

# %% [markdown]
# ## Recap
#
# - You wrote DeepDream, equal to the package's bit by bit, dreamt live, saved a dream with its recipe, and have a version
#   that needs only torch and torchvision.
# - On the dahlia smoothing (with even bands and less colour) and jitter make heads out of thin lines; octaves make
#   them larger. Random weights draw none. Normalising matters where one constant step fails (lesson 04).
# - In EfficientNet-Lite0: dogs are 12 % of ImageNet's classes. In crops of three dreams two judges find more dogs than
#   that, in the photos and in the random-weights dreams fewer. "Animal" is a weak measure: random weights can
#   raise it too.
# - Each step starts from what the last one drew: the face in the flower, once begun, stays and gains detail.
# - On this photo the layer decides *what* is drawn, from strokes to eyes to heads. Another seed draws other heads, again
#   in the dark parts (correlation about 0.4; with one of the two upside down, about 0.2 or less).
#
# ## Read next
#
# - Lesson 09: one layer, many photos. Lesson 11: how three published implementations differ from these lines.
# - A. Mordvintsev, C. Olah, M. Tyka, [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks/),
#   2015, and their notebook [google/deepdream](https://github.com/google/deepdream): octaves, jitter and the normalised
#   step come from there; bands of equal strength from Mordvintsev's TensorFlow notebook of 2016.
# - O. Russakovsky et al., [ImageNet Large Scale Visual Recognition Challenge](https://arxiv.org/abs/1409.0575), 2015: the
#   1,000 classes, and why 120 kinds of dogs were put among them.

# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 04 · Ascent: many steps, and where the grain comes from
#
# One step along the gradient cannot be seen. Two dozen in a row are a dream: furry, leafy, eyed
# shapes in a sky, drawn in lines as fine as the pixels allow. This lesson builds the loop, makes
# every step count the same, and then finds out by an **experiment** which part of a network makes
# the gradient so grainy.
#
# - **You will do:** write gradient ascent, measure how fine a pattern is, and exchange parts of a
#   network to find the cause of the grain.
# - **You will learn:** why steps are normalised; why many small steps beat a few big ones; what
#   strides and max-pooling do to a gradient on its way back to the pixels.
# - **You need:** lesson 03.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install dreamkit
network = dk.course_network()  # or a name: dk.course_network("dreamnet-robust")

# %% [markdown]
# Where we start from: a photo of clouds and the same after 24 steps uphill, with nothing else.
# (About five seconds.)

# %%
clouds = dk.sample("clouds", 420)
layer = dk.layer_at(network, 0.7)
score = dk.scorer(network, dk.layer(layer))
bare = dk.Settings(steps=24, step_size=0.015, octaves=1, jitter=0, smoothing=0.0)
dream = dk.dream(score, clouds, bare)
dk.show.strip({"photo": clouds, f"24 steps on {layer}": dream}, height=3.1,
              alt=f"A photo of clouds; the same after 24 steps on {layer}: shapes in fine lines")

# %% [markdown]
# ## The loop
#
# A step, and again, with a *fresh* gradient each time, since the old one belongs to the old
# picture. The plainest loop multiplies the raw gradient by a constant:

# %%
import torch

photo = dk.sample("clouds", 224)                        # smaller, to be quick


def climb(score, image, steps, constant):
    for _ in range(steps):
        image = (image + constant * dk.gradient(score, image)).clamp(0, 1)
    return image


constant = float(0.012 / dk.gradient(score, photo).std())       # first step: 0.012 for most values
climbed = climb(score, photo, 15, constant)
print(f"constant {constant:.3g}; score {score(photo):.3f} → {score(climbed):.3f}")

# %% [markdown]
# It climbs. But the constant had to be measured first. Is it good for another layer? Below, the
# *same* constant for the deepest layer, and beside it the same number of steps of a fixed length:
# each gradient divided by its own standard deviation, times 0.012.

# %%
deep = dk.layer_at(network, 1.0)
other = dk.scorer(network, dk.layer(deep))
even = dk.Settings(steps=15, step_size=0.012, octaves=1, jitter=0, smoothing=0.0)
pictures = {f"{layer}, constant": climbed, f"{layer}, normalised": dk.dream(score, photo, even),
            f"{deep}, same constant": climb(other, photo, 15, constant),
            f"{deep}, normalised": dk.dream(other, photo, even)}
dk.show.grid(pictures, columns=2, height=2.1, alt="Fifteen steps on two layers, each with one "
             f"constant and normalised: {', '.join(pictures)}")

# %% [markdown]
# In EfficientNet-Lite0 the constant that suits one layer is several times too large for the deepest
# one: the picture is driven into hard contrasts. Normalised, both layers get steps of the same
# length. How different are the raw gradients?

# %%
layers = [dk.layer_at(network, depth) for depth in (0.0, 0.25, 0.5, 0.75, 1.0)]
sizes = {name: [] for name in ("china", "chelsea", "clouds", "coffee")}
for name, found in sizes.items():
    for one in layers:
        slopes = dk.gradient(dk.scorer(network, dk.layer(one)), dk.sample(name, 224))
        found.append(float(slopes.std()))
dk.show.curves({name: (layers, found) for name, found in sizes.items()}, "layer, shallow to deep",
               "standard deviation of the gradient", "Size of the gradient for the layers "
               f"{', '.join(layers)}, four photos", log="y")

# %% [markdown]
# They differ several times over from layer to layer, and in the deepest layer from photo to photo
# (the axis is logarithmic). So use the gradient's *direction* only, and choose the length of the
# step yourself.
#
# ### Exercise 04.1 · Gradient ascent · 8 minutes · ★★☆
# Write the whole loop. Take `steps` steps uphill, each along the gradient divided by its standard
# deviation, times `step_size`, each followed by a clamp to [0, 1]. `dk.gradient(score, image)`
# gives the gradient.
#
# <details><summary>Hint</summary>
#
# Two lines in a `for` loop. `image` must be what the last step left.
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
# In the package, `dk.dreaming` is the loop around `dk.gradient`, `dk.normalize` and `dk.ascend`,
# here with everything else switched off. How long should a step be? Slide. Twelve steps each.

# %%
def twelve(step_size):
    settings = dk.Settings(steps=12, step_size=step_size, octaves=1, jitter=0, smoothing=0.0)
    for image in dk.dreaming(score, photo, settings):
        yield image, "climbing …"
    yield image, f"12 steps of {step_size:g}: score {score(photo):.2f} → {score(image):.2f}"


dk.widgets.slide("step size", [0.001, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1], twelve, start=0.012,
                 width=504)

# %% [markdown]
# ## Predict, then reveal: many small steps or a few big ones?
#
# **Predict: what scores higher, 24 steps of 0.012, or 4 steps of 0.072? The total length is the
# same.** Three photos.
#
# <details><summary>Think first, then open</summary>
#
# Many small steps. Every step follows the slope where it starts, and lesson 03 has shown how soon
# that slope is out of date. Big steps also drive more values into the stops at 0 and 1.
# </details>

# %%
few, many = ({"steps": n, "step_size": s} for n, s in ((4, 0.072), (24, 0.012)))
for name in ("clouds", "chelsea", "china"):
    image = dk.sample(name, 160)
    ends = [dk.dream(score, image, dk.Settings(octaves=1, jitter=0, smoothing=0.0, **setting))
            for setting in (many, few)]
    print(f"{name:8} start {score(image):.2f}; many small steps {score(ends[0]):.2f}, "
          f"few big ones {score(ends[1]):.2f}")

# %% [markdown]
# ## How fine is the grain?
#
# Look at a detail of the dream, and at what was *added* to the photo there, each pixel a square.

# %%
def detail(image):
    return image[..., 150:206, 130:214]


added = dream - clouds
details = {"photo": detail(clouds), "dream": detail(dream),
           "added": dk.show.signed(detail(added))}
dk.show.strip(details, height=2.0, alt="A detail of the photo, the dream, and what was added: "
              "lines and dots one or two pixels wide")

# %% [markdown]
# Lines and dots, one or two pixels wide, side by side with their opposites. To put a number on it,
# split a pattern into waves, its **Fourier spectrum**. Their **frequency** is in cycles a pixel:
# 0.5 is up, down, up, down; 0.25 is a wave four pixels long.
#
# ### Exercise 04.2 · How much of a pattern is fine detail? · 8 minutes · ★★★
# `plane` is `[H, W]`. Return the share of its power (squared amplitude, without the mean) in waves
# whose frequency is above `limit`, in cycles a pixel.
#
# <details><summary>Hint</summary>
#
# `torch.fft.fft2` gives the waves, `torch.fft.fftfreq(n)` the frequencies along a side of n pixels,
# in the same order. The frequency of a wave is the length of its two parts:
# `torch.hypot(down[:, None], across[None, :])`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_fine(plane, limit):
#     power = torch.fft.fft2(plane - plane.mean()).abs().square()
#     down, across = (torch.fft.fftfreq(n) for n in plane.shape)
#     frequency = torch.hypot(down[:, None], across[None, :])
#     return power[frequency > limit].sum() / power.sum()
# ```
# </details>

# %% tags=["exercise"]
def my_fine(plane, limit):
    ...  # your lines


dk.exercises.check("fine", my_fine)

# %% [markdown]
# `dk.spectrum` and `dk.fine_share` do the same for pictures with channels, after fading the borders
# out. The photo, its gradient, and what 24 steps added:

# %%
views = {"photo": clouds, "its gradient": dk.gradient(score, clouds), "added by 24 steps": added}
curves, shares = {}, {name: dk.fine_share(view) for name, view in views.items()}
for name, view in views.items():
    frequency, power = dk.spectrum(view / view.std())
    curves[f"{name}: {shares[name]:.0%} above 0.25"] = (frequency, power)
dk.show.curves(curves, "frequency (cycles a pixel)", "mean power", "Power by frequency: "
               + ", ".join(curves), log="y", marker="")

# %% [markdown]
# A photo has nearly all its power in long waves. The gradient has most of it in waves shorter than
# four pixels, and the dream, a sum of gradients, inherits it. (White noise has four fifths there.)
#
# ## Which part of the network makes the grain?
#
# **Write down your guess before you go on:** (a) the ReLUs, which open and shut unit by unit; (b)
# max- pooling, which passes each slope to the one winner; (c) strides, which skip every second
# position; (d) the training, since the weights are what the network has learnt.
#
# Begin with the simplest case, without a network. A layer with a stride *keeps* every second row
# and column and drops the others. What reaches its input on the way back?
#
# ### Exercise 04.3 · The way back through a stride · 6 minutes · ★★☆
# A layer keeps the rows and columns 0, `step`, 2·`step`, … of its input `[N, C, h·step, w·step]`.
# Given the slopes `[N, C, h, w]` with respect to its output, return those with respect to its
# input.
#
# <details><summary>Hint</summary>
#
# What was dropped had no influence. Start from zeros. `x[..., ::step, ::step]` is what was kept.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_way_back(slopes, step):
#     n, c, h, w = slopes.shape
#     back = torch.zeros(n, c, h * step, w * step)
#     back[..., ::step, ::step] = slopes
#     return back
# ```
# </details>

# %% tags=["exercise"]
def my_way_back(slopes, step):
    ...  # your lines


dk.exercises.check("way_back", my_way_back)

# %% [markdown]
# Send smooth slopes back through such a layer, and through one that takes the *mean* of each block
# of four instead:

# %%
smooth = dk.smooth(torch.randn(1, 3, 40, 60, generator=torch.Generator().manual_seed(0)), 2.0)
kept = torch.zeros(1, 3, 80, 120)
kept[..., ::2, ::2] = smooth
mean = smooth.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4
ways = {"slopes above": smooth, "back through a stride": kept, "back through a mean": mean}
titled = {f"{name}: {dk.fine_share(x):.0%} fine": dk.show.signed(x)[..., :40, :60]
          for name, x in ways.items()}
dk.show.grid(titled, columns=3, height=2.2, pixelated=True, alt=", ".join(titled))

# %% [markdown]
# The stride alone makes fine grain out of smooth slopes: three of four pixels get nothing. The mean
# spreads each slope over its block. Max-pooling is like the stride, except that the winner's
# position changes from block to block. So much for the mechanism. Is it what happens in a real
# network?
#
# ## The experiment: exchange the parts
#
# Copy the network and exchange every part of one kind. A convolution with a stride becomes the same
# convolution at *every* position, followed by the mean of each block; a max-pool becomes an
# average-pool. All weights stay.

# %%
import copy
from dataclasses import replace
from torch import nn
from torch.nn import functional as F


def exchanged(network, kind, make):
    """A copy of the network in which `make(part)` stands for each part of a kind."""
    module = copy.deepcopy(network.module)
    for parent in list(module.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, kind) and getattr(part, "stride", 2) != (1, 1):
                setattr(parent, name, make(part))
    return replace(network, module=module, name=f"{network.name}-exchanged", digest="")


class MeanOfBlocks(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.dense, self.stride = copy.deepcopy(conv), conv.stride
        self.dense.stride = (1, 1)

    def forward(self, x):
        return F.avg_pool2d(self.dense(x), self.stride, ceil_mode=True)

# %% [markdown]
# For the ReLUs, leave the answer as it is and change only the way back: let *every* slope through.
# And one **control**: perhaps any averaging would calm the gradient? So average just as much, but
# *after* the stride.

# %%
class OpenWayBack(nn.Module):
    def __init__(self, relu):
        super().__init__()
        self.relu = relu

    def forward(self, x):
        return x + (self.relu(x.clone()) - x).detach()  # the value of relu(x), the slope of x


def average(pool):
    return nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode, False)


def strides(network):
    return exchanged(exchanged(network, nn.Conv2d, MeanOfBlocks), nn.MaxPool2d, average)


def relus(network):
    return exchanged(network, (nn.ReLU, nn.ReLU6), OpenWayBack)


def control(network):
    then_blur = lambda part: nn.Sequential(part, nn.AvgPool2d(3, 1, 1, count_include_pad=False))
    return exchanged(network, (nn.Conv2d, nn.MaxPool2d), then_blur)

# %% [markdown]
# Six photos, each a dot; the same layer; the share of the gradient's power above a quarter of a
# cycle a pixel. (About ten seconds.)

# %%
photos = [dk.sample(name, 224) for name in
          ("china", "chelsea", "clouds", "motorcycle", "coffee", "flower")]


def shares_of(network, name, photos=photos):
    score = dk.scorer(network, dk.layer(name))
    return [dk.fine_share(dk.gradient(score, image)) for image in photos]


random = dk.randomized(network)
kinds = {"as it is": network, "no strides or max-pools, but means": strides(network),
         "control: strides, then means": control(network), "ReLUs let all back": relus(network),
         "means, and ReLUs let all back": relus(strides(network)),
         "random weights": random, "random weights, means": strides(random)}
found = {name: shares_of(net, layer) for name, net in kinds.items()}
dk.show.bars(found, "share of the gradient's power above 0.25 cycles a pixel", ", ".join(
    f"{name}: {sum(v) / len(v):.0%}" for name, v in found.items()))

# %% [markdown]
# In EfficientNet-Lite0, which has no max-pooling, the **strides** make the grain: without them the
# share falls from 70 to 17 %, on every photo. The ReLU6s, by themselves, change almost nothing;
# what is left without strides is theirs (it falls to zero). Averaging as much, but after the
# stride, does not help. Random weights are grainier than trained ones, and lose their grain in the
# same way. So (c) is the cause, and (d) training makes it a little better, not worse.
#
# The embedded *dreamnet* is built like the GoogLeNet of 2014: no strides, but max-pools. Its guess
# is yours to make before you run; and its twin, *dreamnet-robust*, was trained to keep its answer
# when pixels are disturbed a little. (About ten seconds.)

# %%
three, table = photos[:3], {}
for name in ("dreamnet", "dreamnet-robust"):
    net = dk.load_network(name)
    where = dk.layer_at(net, 0.8)
    for what, part in (("as it is", net), ("max-pools averaged", strides(net)),
                       ("ReLUs let all back", relus(net))):
        table[f"{name}, {what}"] = shares_of(part, where, three)
dk.show.bars(table, f"share above 0.25 cycles a pixel, {where}", ", ".join(
    f"{name}: {sum(v) / len(v):.0%}" for name, v in table.items()))

# %% [markdown]
# There it is the max-pools, and again not the ReLUs. The two networks have one thing in common:
# whatever throws positions away on the way up leaves holes on the way back. And training matters:
# the robust twin has the same parts and much less grain.
#
# ## Open investigation: the same answers, another way back
#
# `MeanOfBlocks` changes what the network *sees*, too. Use the trick of `OpenWayBack`: keep the
# answer of the strided convolution to the last bit, and take the slope of the mean. The share of
# fine detail falls as far. But look at the dream: blurred, with ghost lines. We do not know why.
# The slopes no longer belong to the score, but which of the five strides matters? (30 minutes at
# home.)

# %%
class OnlyTheWayBack(MeanOfBlocks):
    def __init__(self, conv):
        super().__init__(conv)
        self.conv = conv

    def forward(self, x):
        smooth = super().forward(x)
        return smooth + (self.conv(x) - smooth).detach()


same_answer = exchanged(network, nn.Conv2d, OnlyTheWayBack)
back = dk.scorer(same_answer, dk.layer(layer))
for one in (score, back):
    print(f"score {one(photo):.6f}, fine {dk.fine_share(dk.gradient(one, photo)):.0%}")
dreams = {"as it is": dk.dream(score, photo, even), "another way back": dk.dream(back, photo, even)}
dk.show.strip(dreams, height=2.0,
              alt="Fifteen steps with the true gradient, and with the slope of the mean")

# %% [markdown]
# ## Sanity baseline: is it *this* grain?
#
# If the result is so fine, would any fine pattern do? Add others of exactly the same size: noise;
# the very values of `added`, shuffled; a pattern with the same spectrum, but random phases; its
# mirror image. Three seeds.

# %%
def patterns(added, seed):
    generator = torch.Generator().manual_seed(seed)
    waves = torch.fft.rfft2(added)
    phases = torch.fft.rfft2(torch.randn(added.shape[-2:], generator=generator)).angle()
    order = torch.randperm(added.numel(), generator=generator)
    return {"random noise": torch.randn(added.shape, generator=generator) * added.std(),
            "shuffled": added.flatten()[order].reshape(added.shape),
            "same spectrum": torch.fft.irfft2(waves * torch.exp(1j * phases), s=added.shape[-2:]),
            "mirrored": added.flip(-1)}


print(f"photo {score(clouds):.3f}, with what the ascent added {score(clouds + added):.3f}")
tried = [patterns(added, seed) for seed in range(3)]
for name in tried[0]:
    print(f"{name:14}", *(f"{score((clouds + one[name]).clamp(0, 1)):.3f}" for one in tried))

# %% [markdown]
# Nothing else of this size comes near. However much it looks like texture, what raises the score is
# *where* each line is. This is close kin to adversarial pictures: networks answer to fine patterns
# that we hardly see.
#
# ## What the exchange does to the dream
#
# The same loop, 24 steps and no smoothing, through the network without its strides. (About eight
# seconds.)

# %%
calm = strides(network)
calm_dream = dk.dream(dk.scorer(calm, dk.layer(layer)), clouds, bare)
titles = {f"as it is: {dk.fine_share(added):.0%} fine": dream,
          f"means for strides: {dk.fine_share(calm_dream - clouds):.0%} fine": calm_dream}
dk.show.strip(titles, height=3.4, alt="24 steps on the same photo and layer: with strides, fine "
              "lines; with means in their place, broad furry shapes with eyes")

# %% [markdown]
# The right one was not smoothed in any way; its lines are broad because its gradients are. (It is
# not the same network any more: each mean blurs what it sees, so the shapes change, too.)
#
# ## Interpretation: what is in the sky?
#
# **Write before you go on:** (1) name three things that you see in the right picture, with their
# positions; (2) what would you have to be shown to take a name back? (5 minutes)

# %%
note = """
1. I see …
2. I would take a name back if …
"""

# %% [markdown]
# One control: let the *unchanged* network name the six squares of each picture. Beside the two
# dreams, the photo, and a dream of the same loop with random weights. (About eight seconds.)

# %%
blind_dream = dk.dream(dk.scorer(strides(random), dk.layer(layer)), clouds, bare)
seen = {"photo": clouds, "dream": dream, "means": calm_dream, "random": blind_dream}
for name, image in seen.items():
    squares = [image[..., y : y + 140, x : x + 140] for y in (0, 140) for x in (0, 140, 280)]
    print(f"{name:7}", ", ".join(dk.classify(network, square, top=1)[0][0] for square in squares))

# %% [markdown]
# The network is a judge in its own case: it was asked for what it likes. And its names prove little,
# says the control: in EfficientNet-Lite0 the photo gets two names for six squares, but the dream of
# random weights gets five or six. Animals among them (a tick is one, a kite is a bird, a teddy is
# neither) do not tell the left dream from it either. The right dream has four or five, but six
# squares are few. Did it name yours?
#
# ## Recap
#
# - You wrote gradient ascent: fresh gradient, known step length, clamp, again.
# - Raw gradients differ several times over between layers, and in the deepest between photos: one
#   constant suited one layer and overdrove another. Normalised steps have the same length everywhere.
# - Many small steps beat a few big ones (three photos).
# - In EfficientNet-Lite0 most of the gradient's power lies in waves shorter than four pixels (with
#   random weights still more), and so does much of a dream's.
# - The grain comes from throwing positions away: strides in EfficientNet-Lite0, max-pools in
#   dreamnet. Exchanged for means, most of it is gone, in EfficientNet-Lite0 also with random weights;
#   the ReLUs by themselves matter little.
# - It is placed, not random: noise of the same size, or with the same spectrum, gains nothing; its
#   mirror image gains a little.
#
# ## Read next
#
# - Lesson 05: smoothing the gradient instead of rebuilding the network.
# - A. Odena, V. Dumoulin and C. Olah,
#   [Deconvolution and checkerboard artifacts](https://distill.pub/2016/deconv-checkerboard/), 2016:
#   also on the gradients of strided convolutions.
# - R. Zhang, [Making convolutional networks shift-invariant
#   again](https://arxiv.org/abs/1904.11486), 2019: blur before you drop positions.
# - [DeepDream](https://github.com/google/deepdream), 2015: each step divided by the mean of |g|;
#   [TensorFlow's tutorial](https://www.tensorflow.org/tutorials/generative/deepdream) divides by
#   the standard deviation, as here.
# - C. Olah, A. Mordvintsev and L. Schubert,
#   [Feature visualization](https://distill.pub/2017/feature-visualization/), 2017: the section on
#   high-frequency patterns.
# - C. Szegedy et al., [Intriguing properties of neural networks](https://arxiv.org/abs/1312.6199),
#   2013: tiny, placed changes.

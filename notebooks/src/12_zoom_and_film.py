# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 12 · Zoom and film
#
# Dream, enlarge the dream a little, dream again: so begins an endless zoom, in which the network makes up every
# detail that you come closer to. Then a harder film: a video, in which the dreamt detail must stay on the things that
# move.
#
# - **You will do:** write the zoom; find the mistake in a published formula; dream a moving picture; walk from layer
#   to layer.
# - **You will learn:** how to give a motion per second instead of per frame; what optical flow is and where it cannot
#   be trusted; how to measure flicker.
# - **You need:** lessons 03 to 08, and OpenCV, which comes with `dreamkit[film]`.
# - **Minutes:** 35

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "dreamnet-robust", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends: a little more than a second of a zoom into a sky. (This cell takes 4 to 15 seconds.)

# %%
sky = dk.sample("clouds", 144)
layer = dk.layer_at(network, 0.8)
score = dk.scorer(network, dk.layer(layer))
settings = dk.Settings(steps=4, octaves=2, step_size=0.015)
frames = list(dk.film.zooming(score, sky, settings, frames=10, fps=8, zoom=4.0, turn=10.0))
dk.show.grid({f"frame {i + 1}": frames[i] for i in (0, 2, 4, 5, 7, 9)}, columns=3, height=1.5,
             alt=f"Six frames of a zoom into a sky, dreamt at {layer}: the clouds fill with shapes, and each shape with others")

# %% [markdown]
# ## The loop
#
# google/deepdream's notebook had it in three lines: dream, enlarge by 1 / 0.95 about the middle, begin again. Moving a
# picture means asking, for each pixel of the new one, where it lay in the old one. Count positions from the middle and
# write them as *z = x + iy*; then one complex number enlarges *and* turns: the new picture at *z* shows the old one at
# *z* / factor. `dk.film.move` does that. (About 5 seconds.)

# %%
def my_zoom(picture, factor, count):
    found = []
    for _ in range(count):
        picture = dk.dream(score, picture, settings)
        found.append(picture)
        picture = dk.film.move(picture, factor)
    return found

mine = my_zoom(sky, 1 / 0.95, 4)
dk.show.strip({f"frame {i + 1}": frame for i, frame in enumerate(mine)}, height=1.4,
              alt="Four frames of your own zoom: nearly the same picture, each a little larger and more dreamt")

# %% [markdown]
# ## A second is a second
#
# 1 / 0.95 is the enlargement of a *frame*. Play the film at another frame rate, and it is faster or slower. A published
# program corrects for that with a factor of `1.04 * (30 / fps)` a frame.
#
# **Predict, then reveal.** What does that formula give at 15 frames a second? And at 60?
#
# <details><summary>Answer</summary>
#
# 2.08 and 0.52: at 15 frames a second every frame is twice as large as the one before, and at 60 the film zooms *out*.
# Enlargements multiply, so the factor of a frame is a root: rate ** (1 / fps).
# </details>

# %%
rate = 1.04**30                                                               # what a second should enlarge by
for fps in (15, 24, 30, 60):
    published, root = 1.04 * (30 / fps), rate ** (1 / fps)
    print(f"{fps} frames a second: published {published:.2f} a frame, {published**fps:8.2g} a second;   root {root:.4f} a frame, "
          f"{root**fps:.2f} a second")

# %% [markdown]
# `dk.film.motion(seconds, zoom, turn, shift)` is the root for all three motions together: two moves of half a second
# are one move of a second, but for rounding in the last digits.

# %%
half, whole = (dk.film.motion(seconds, zoom=3.0, turn=40.0, shift=(5.0, -2.0)) for seconds in (0.5, 1.0))
z = 20 + 10j
print("twice half a second:", half[0] * (half[0] * z + half[1]) + half[1])
print("once a second:      ", whole[0] * z + whole[1])

# %% [markdown]
# ## Whose pictures are these?
#
# The baseline: the same zoom with random weights. By the eighth frame the picture is 3.4 times as large as at first, so
# every fine detail you see was made up on the way. (4 to 10 seconds.)

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
baseline = list(dk.film.zooming(untrained, sky, settings, frames=8, fps=8, zoom=4.0, turn=10.0))
dk.show.strip({"trained, frame 8": frames[7], "random weights, frame 8": baseline[7]}, height=2.2,
              alt="Eighth frame of two zooms: scales and eyes where the network is trained, glaring patches without form with random weights")

# %% [markdown]
# ## A video
#
# Now the motion is not ours to choose. Here is a small video: a camera that pans over the cat, six frames, 4 pixels a
# frame. (Your own: `dk.film.read_video("cat.mp4", side=200)`.)

# %%
cat = dk.sample("chelsea", 190)
video = [cat[..., 10:110, 4 * t:4 * t + 150] for t in range(6)]
dk.show.strip({f"frame {t + 1}": video[t] for t in (0, 2, 5)}, height=1.6, alt="Three frames of a camera that pans over a cat to the right")

# %% [markdown]
# Dream each frame by itself, and the detail jumps about: each frame falls for other shapes. So begin each frame from
# the dream before. But where? If the cat has moved 4 pixels, the dream of its eye must move as well. **Optical flow**
# says, for each pixel of a frame, where it was in the frame before. OpenCV's DIS finds it from the two frames alone.

# %%
flow = dk.film.optical_flow(video[0], video[1])
print(f"median flow: {float(flow.back[0, 0].median()):+.2f} pixels to the right, {float(flow.back[0, 1].median()):+.2f} down")
dk.show.strip({"to the right (0 to 8 pixels)": dk.show.heat(flow.back[0, 0], low=0.0, high=8.0), "trusted": flow.trusted.float().expand(-1, 3, -1, -1)},
              height=1.8, alt="Left the flow, 4 pixels everywhere; right, in white, where it is trusted: all but the right border, where new things come into view")

# %% [markdown]
# The known answer is 4: what is here now was 4 pixels further right. Black on the right is where it cannot be trusted:
# going back and forth again does not return. There something came into view, which no earlier frame has seen, and the
# frame starts plain.
#
# Three films of the same video, with the same settings: each frame by itself; begun from the dream before, left where
# it is; carried along the flow. (5 to 15 seconds.)

# %%
brief = dk.Settings(steps=3, octaves=2)
films = {"each by itself": list(dk.film.dreaming_video(score, video, brief, blend=0.0)),
         "blended in place": list(dk.film.dreaming_video(score, video, brief, flow=False)),
         "carried along the flow": list(dk.film.dreaming_video(score, video, brief))}
dk.show.grid({f"{name}, frame {t + 1}": film[t] for name, film in films.items() for t in (4, 5)}, columns=2, height=1.6,
             alt=f"Frames 5 and 6 of three films: {', '.join(films)}. Blended in place, the dreamt shapes stay where they were; along the flow they move with the cat")

# %% [markdown]
# Flicker can be measured: carry each frame along the *video's* flow, and take the difference to the next. What moves
# with the things does not count.

# %%
flows = [dk.film.optical_flow(a, b) for a, b in zip(video, video[1:])]
for name, film in {"the video itself": video, **films}.items():
    depth = sum(float((a - b).abs().mean()) for a, b in zip(film, video)) / len(video)
    print(f"{name:24} flicker {dk.film.flicker(film, flows):.4f}   distance from the video {depth:.4f}")

# %% [markdown]
# The second column is the check that makes the first one honest: a film in which nothing is dreamt does not flicker
# either. Set the one against the other. Carried along the flow, the film is further from the video than frames dreamt
# each by itself, because detail adds up, and yet it flickers no more. Blended in place, part of the distance is no dream
# at all: the cat itself is smeared.
#
# ## A walk through the layers
#
# Several scores make a walk: the film slides from the first to the last. Layers differ in size by orders of magnitude,
# so each is divided by the size of its own gradient; half-way, both pull equally. (5 to 10 seconds.)

# %%
layers = [dk.layer_at(network, depth) for depth in (0.15, 0.5, 0.85)]
walk = list(dk.film.walking([dk.scorer(network, dk.layer(name)) for name in layers], cat, brief, frames=5, blend=0.5))
dk.show.strip({f"frame {i + 1}": frame for i, frame in enumerate(walk)}, height=1.4,
              alt=f"Five frames of a walk from {layers[0]} over {layers[1]} to {layers[2]}: from strokes to shapes")

# %% [markdown]
# ## The film in your hands

# %%
dk.widgets.slide("frame", list(range(1, len(frames) + 1)), lambda i: (frames[i - 1], f"{(i - 1) / 8:.2f} s"), start=10, width=320)

# %% [markdown]
# Without the panel: `frames[3]`. To keep it: `dk.film.write_film(frames, "zoom.gif", fps=8)`; `.webp` and `.mp4` as
# well. In a terminal, with a bar that says how long it takes, and frames that survive Ctrl-C:
#
# ```
# dreamkit zoom clouds --seconds 3 --fps 30 --turn 10 -o zoom.mp4
# dreamkit film cat.mp4 -o dream.mp4        # --resume goes on with one that was stopped
# ```
#
# ## Exercises

# %% [markdown]
# ### Exercise 12.1 · A rate per second · 4 minutes · ★☆☆
# Write `my_per_frame(rate, fps)`: the factor of one frame for an enlargement of `rate` a second.
#
# <details><summary>Hint</summary>
#
# `fps` such factors, multiplied, make the rate.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_per_frame(rate, fps):
#     return rate ** (1 / fps)
# ```
# </details>

# %% tags=["exercise"]
def my_per_frame(rate, fps):
    ...  # your lines


dk.exercises.check("per_frame", my_per_frame)

# %% [markdown]
# ### Exercise 12.2 · What a frame is begun from · 6 minutes · ★★☆
# `carried` is the dream before, moved to where it belongs; `trusted` [1, 1, H, W] is True where that is known. Write
# `my_begin(frame, carried, trusted, blend)`: there, a share `blend` of the dream and the rest of the frame; elsewhere,
# the frame.
#
# <details><summary>Hint</summary>
#
# `torch.where(condition, this, that)`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# import torch
#
# def my_begin(frame, carried, trusted, blend):
#     return torch.where(trusted, frame + blend * (carried - frame), frame)
# ```
# </details>

# %% tags=["exercise"]
def my_begin(frame, carried, trusted, blend):
    ...  # your lines


dk.exercises.check("begin", my_begin)

# %% [markdown]
# ### Exercise 12.3 · There and back again · 6 minutes · ★★★
# `back` [1, 2, H, W] leads each pixel to the frame before; `forth`, taken at the place it leads to, leads on from
# there. Write `my_returns(back, forth)`: True [1, 1, H, W] where the whole way ends less than one pixel from where it
# began.
#
# <details><summary>Hint</summary>
#
# The whole way is `back + forth`. Its squared length is the sum over the two components, along dimension 1.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_returns(back, forth):
#     return (back + forth).square().sum(1, keepdim=True) < 1
# ```
# </details>

# %% tags=["exercise"]
def my_returns(back, forth):
    ...  # your lines


dk.exercises.check("returns", my_returns)

# %% [markdown]
# ## Recap
#
# - You wrote the zoom, found the mistake in a published formula, dreamt a moving picture and walked through layers.
# - Motion is given per second; a frame's factor is a root, so that a film is the same at any frame rate.
# - Optical flow says where each pixel was; where going back and forth does not return, it is not trusted.
# - Flicker is the difference between neighbours, carried along the video's own flow; to be read beside how far the
#   film is from the video.
#
# ## Read next
#
# - The zoom, 1 / 0.95 a frame: google/deepdream, `dream.ipynb`, 2015.
# - The published formula, and blending with the dream before: gordicaleksa/pytorch-deepdream, `deepdream.py`.
# - Dense inverse search, the flow used here: Kroeger, Timofte, Dai & Van Gool, ECCV 2016.
# - The check there and back: Sundaram, Brox & Keutzer, ECCV 2010.

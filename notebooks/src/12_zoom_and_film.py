# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 12 · Zoom and film
#
# Dream, enlarge the dream a little, dream again: an endless zoom, in which the network makes up every detail that you come
# closer to. Then a harder film: a video, in which the dreamt detail must stay on the things that move.
#
# - **You will do:** write the zoom; give a motion per second instead of per frame; dream a moving picture with and without
#   optical flow; walk from layer to layer.
# - **You will learn:** what a feedback loop makes of a photo; what optical flow is and where it cannot be trusted; how to
#   measure flicker, and why that number alone says nothing.
# - **You need:** lessons 03 to 08, and OpenCV, which comes with `dreamkit[film]`.
# - **Minutes:** 45

# %%
import dreamkit as dk  # Colab, Kaggle, Binder: first %pip install "dreamkit[film]"
network = dk.course_network()  # EfficientNet-Lite0, trained on ImageNet

# %% [markdown]
# Where this ends: a zoom into an evening sky, forwards and back. The films of this lesson loop; if your system asks for
# reduced motion, you see their last frame instead. (5 to 15 seconds.)

# %%
from dataclasses import replace

ours = network.base_name == "efficientnet_lite0"        # other networks are slower
sky = dk.scenes.evening(*((192, 288) if ours else (128, 192)))
layer = dk.layer_at(network, 0.7)                       # block6a.expand in EfficientNet-Lite0
score = dk.scorer(network, dk.layer(layer))
settings = replace(dk.settings_for(network, layer), steps=3, octaves=3)
frames = list(dk.film.zooming(score, sky, settings, frames=16, fps=8, zoom=1.8, turn=12.0))

def there_and_back(film):
    return [*film, *film[-2:0:-1]]

dk.show.film(there_and_back(frames),
             f"A zoom into a sky, dreamt at {layer}: what is there comes nearer; then back")

# %% [markdown]
# ## The loop
#
# google/deepdream's notebook had it in three lines: dream, enlarge by 1 / 0.95 about the middle, begin again.
# `dk.film.move(picture, factor)` enlarges. It asks for each pixel of the new picture where it lay in the old one; with
# positions counted from the middle and written as *z = x + iy*, one complex number enlarges *and* turns: the new
# picture at *z* shows the old one at *z* / factor.
#
# ### Exercise 12.1 · The endless zoom · 6 minutes · ★★☆
# Write `my_zoom(dream, picture, factor, count)`: a list of `count` frames. `dream` is a function from a picture to its
# dream. The first frame is the dream of `picture`; each later one the dream of the frame before, moved by `factor`.
#
# <details><summary>Hint</summary>
#
# Three lines in a loop: dream, keep, move. Which of the two pictures does the next frame begin from?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_zoom(dream, picture, factor, count):
#     found = []
#     for _ in range(count):
#         picture = dream(picture)
#         found.append(picture)
#         picture = dk.film.move(picture, factor)
#     return found
# ```
# </details>

# %% tags=["exercise"]
def my_zoom(dream, picture, factor, count):
    ...  # your lines


dk.exercises.check("endless_zoom", my_zoom)

# %% [markdown]
# ## A second is a second
#
# 1 / 0.95 is the enlargement of a *frame*. Play the film at another frame rate, and it is faster or slower. So give the
# motion per second, and let each frame take its share.
#
# ### Exercise 12.2 · A rate per second · 4 minutes · ★☆☆
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
# A published program (pytorch-deepdream) corrects for the frame rate with a factor of `1.04 * (30 / fps)` a frame.
#
# **Predict, then reveal.** What does that formula give at 15 frames a second? And at 60?
#
# <details><summary>Answer</summary>
#
# 2.08 and 0.52: at 15 frames a second every frame is twice as large as the one before, and at 60 the film zooms *out*.
# Only at 30 is it what was meant. `dk.film.motion` takes the share of a second for zoom, turn and shift together.
# </details>

# %%
rate = 1.04**30                                                  # what a second should enlarge by
for fps in (15, 24, 30, 60):
    published, ours_ = 1.04 * (30 / fps), abs(dk.film.motion(1 / fps, rate)[0])
    print(f"{fps} frames a second: published {published:.2f} a frame, {published**fps:8.2g} a "
          f"second;   dk.film.motion {ours_:.4f} a frame, {ours_**fps:.2f} a second")

# %% [markdown]
# ## Whose pictures are these?
#
# The last frame shows the sky 3.0 times as large as at first: every fine detail was made up on the way. By whom? The control is
# the same zoom with *random weights*. (5 to 15 seconds.)

# %%
untrained = dk.scorer(dk.randomized(network), dk.layer(layer))
baseline = list(dk.film.zooming(untrained, sky, settings, frames=16, fps=8, zoom=1.8, turn=12.0))
ends = {"the sky": sky, "trained, frame 16": frames[-1], "random weights, frame 16": baseline[-1]}
dk.show.strip(ends, height=2.5, alt=f"A sky, and the end of two zooms into it: {', '.join(ends)}")

# %% [markdown]
# In EfficientNet-Lite0 the trained network fills the enlarged sky with heads and eyes, and of the sky little is left but its two
# colours. Random weights make coloured blots, again at every size, in which nothing has a form. The loop makes up detail
# with any network; what it makes up is in the weights.
#
# ## A video
#
# Now the motion is not ours to choose. Two small videos: a camera pans over a dahlia and over a cat, nine frames, 4
# pixels a frame. (Your own: `dk.film.read_video("cat.mp4", side=200)`.)

# %%
def pan(photo, count=9):
    return [photo[..., 10:130, 4 * t:4 * t + 168] for t in range(count)]

cat, flower = dk.sample("chelsea", 224), dk.sample("flower", 224)
videos = {"flower": pan(flower), "cat": pan(cat)}
video = videos["flower"]
dk.show.film(there_and_back(video), "A camera that pans over a dahlia, to the right and back")

# %% [markdown]
# Dream each frame by itself, and the detail jumps: each frame falls for other shapes. So begin each frame from the dream
# before. But the flower has moved 4 pixels, so the dream of a petal must move as well. **Optical flow** says, for each
# pixel of a frame, where it was in the frame before. OpenCV's DIS finds it from the two frames alone.

# %%
flow = dk.film.optical_flow(video[0], video[1])
across, down = (float(flow.back[0, axis].median()) for axis in (0, 1))
print(f"median flow: {across:+.2f} pixels to the right, {down:+.2f} down (known: +4 and 0)")
dk.show.strip({"to the right (0 to 8 pixels)": dk.show.heat(flow.back[0, 0], low=0.0, high=8.0),
               "trusted": flow.trusted.float().expand(-1, 3, -1, -1)}, height=2.0,
              alt="Left the flow, 4 pixels nearly everywhere; right, in white, where it is trusted")

# %% [markdown]
# What is here now was 4 pixels further right. Where is the flow trusted? Where going back to the frame before and forth again ends
# where it began. At the right border it does not: something came into view, and there is nothing to follow.
#
# ### Exercise 12.3 · There and back again · 6 minutes · ★★★
# `back` [N, 2, H, W] leads each pixel to the frame before; `forth`, taken at the position it leads to, leads on from
# there. Write `my_returns(back, forth)`: True [N, 1, H, W] where the whole path ends less than one pixel from its start.
#
# <details><summary>Hint</summary>
#
# The whole path is `back + forth`. Its squared length is the sum over the two components, along dimension 1.
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
# ### Exercise 12.4 · What a frame is begun from · 6 minutes · ★★☆
# `carried` is the dream before, moved along the flow; `trusted` [N, 1, H, W] is True where that is known. Write
# `my_begin(frame, carried, trusted, blend)`: where it is trusted, a share `blend` of the dream and the rest of the
# frame; elsewhere the frame.
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
# Three films of each video with the same settings: each frame by itself; begun from the dream before, left where it is;
# begun from the dream before, carried along the flow. (15 to 30 seconds.)

# %%
brief = replace(settings, steps=5, octaves=3)
ways = {"each by itself": dict(blend=0.0), "left in place": dict(flow=False),
        "carried along the flow": dict()}
films = {name: {way: list(dk.film.dreaming_video(score, one, brief, **how))
                for way, how in ways.items()} for name, one in videos.items()}

# %%
import torch

side_by_side = [torch.cat(three, 3) for three in zip(*films["flower"].values())]
dk.show.film(there_and_back(side_by_side), f"Three dreamt pans over a dahlia: {', '.join(ways)}",
             fps=6)

# %% [markdown]
# ### Write before you reveal
# Left, middle, right: each by itself, left in place, carried along the flow. **Write down** what jumps, what stands still
# and what moves with the flower. Which film looks best to you? How would you turn that into one number, and how could a bad film
# get a good number?

# %%
note = """
Left …            Middle …            Right …
I would measure …                     A bad film cheats by …
"""

# %% [markdown]
# ## Flicker
#
# A usual measure: carry each frame along the *video's* flow and take the mean absolute difference to the next. What moves
# with the things does not count. Two videos, and as a control a film that cheats: nothing is dreamt at all.

# %%
for name, one in videos.items():
    flows = [dk.film.optical_flow(a, b) for a, b in zip(one, one[1:])]
    print(f"{name:26}flicker | distance from the video | flicker / distance")
    for way, film in {"nothing dreamt": one, **films[name]}.items():
        flicker = 255 * dk.film.flicker(film, flows)
        far = 255 * sum(float((a - b).abs().mean()) for a, b in zip(film, one)) / len(one)
        print(f"  {way:24}{flicker:7.1f} |{far:24.1f} |{flicker / far if far else 0:19.2f}")

# %% [markdown]
# In EfficientNet-Lite0, in both videos: carried along the flow, the film is more than one and a half times as far from the video as
# frames dreamt each by itself, because detail adds up from frame to frame, and still it flickers less. The film in which nothing was dreamt shows
# why both columns are needed: its flicker is 0. Left in place, the film is furthest away, but not by dreaming alone: the flower
# itself is smeared, since it has moved and its dream has not.
#
# ## A walk through the layers
#
# Several scores make a walk: the film slides from the first to the last. Layers differ in the size of their gradients by orders of
# magnitude, so each is divided by the standard deviation of its own; half-way, both pull equally. (5 to 15 seconds.)

# %%
layers = [dk.layer_at(network, depth) for depth in (0.15, 0.4, 0.7)]
photo = dk.sample("flower", 288 if ours else 160)
gentle = replace(settings, steps=5, octaves=4)
scores = [dk.scorer(network, dk.layer(name)) for name in layers]
walk = list(dk.film.walking(scores, photo, gentle, frames=11, blend=0.6))
dk.show.film(there_and_back(walk), f"A dahlia dreamt by {', '.join(layers)} and back", fps=5)

# %%
dk.show.strip({name: walk[index] for name, index in zip(layers, (0, 5, 10))}, height=3.2,
              alt=f"Three frames of the walk, at {', '.join(layers)}")

# %% [markdown]
# ## The film in your hands

# %%
dk.widgets.slide("frame", list(range(1, len(frames) + 1)),
                 lambda i: (frames[i - 1], f"{(i - 1) / 8:.2f} s"), start=16, width=576)

# %% [markdown]
# Without the panel: `frames[3]`. To keep it: `dk.film.write_film(frames, "zoom.gif", fps=8)`; `.webp` and `.mp4` as
# well. In a terminal, with a bar that says how long it takes, and frames that survive Ctrl-C:
#
# ```
# dreamkit zoom clouds --seconds 3 --fps 30 --turn 10 -o zoom.mp4
# dreamkit film cat.mp4 -o dream.mp4        # --resume goes on with one that was stopped
# ```
#
# ## Open investigation
#
# Nobody has written the answer down for you. *Where does an endless zoom end?* Does the film reach a state that it never
# leaves, does it wander for ever, or does it come back? And does that depend on the photo it began from? Compare the
# channels' means of late frames of two films (lesson 09). Start here. (5 to 10 seconds.)

# %%
def code(picture):
    return dk.capture(network, picture, layer)[layer].mean((0, 2, 3))

dahlia = dk.resize(flower, sky.shape[-2:])
late = list(dk.film.zooming(score, dahlia, settings, frames=8, fps=8, zoom=1.8))
pair = torch.stack([code(frames[7]) - code(sky), code(late[7]) - code(sky)])
print(f"after 8 frames from a sky and from a dahlia, changes against the sky correlate "
      f"{torch.corrcoef(pair)[0, 1]:.2f}")

# %% [markdown]
# ## Recap
#
# - You wrote the zoom, found the mistake in a published formula, dreamt a moving picture in three ways and walked through layers.
# - The loop is a feedback loop: in EfficientNet-Lite0 the sky is full of heads after 16 frames; with random weights there are
#   blots.
# - Motion is given per second; a frame's factor is a root, so that a zoom is as fast at any frame rate.
# - Optical flow says where each pixel was. It found the 4 pixels of the pan; at the border, where something comes into view, it is
#   not trusted.
# - Flicker is the difference between neighbours, carried along the video's flow. An undreamt film has none, so it is read beside
#   the distance from the video. In both videos the film carried along the flow flickered
#   least of the three, and was further from the video than frames dreamt each by itself.
#
# ## Read next
#
# - The zoom, 1 / 0.95 a frame: [google/deepdream](https://github.com/google/deepdream), `dream.ipynb`, 2015.
# - The published formula, and blending with the dream before:
#   [gordicaleksa/pytorch-deepdream](https://github.com/gordicaleksa/pytorch-deepdream), `deepdream.py`.
# - Dense inverse search, the flow used here: Kroeger, Timofte, Dai & Van Gool, ECCV 2016.
# - The check there and back: Sundaram, Brox & Keutzer, ECCV 2010.

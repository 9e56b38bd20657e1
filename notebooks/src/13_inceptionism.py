# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 13 · Inceptionism
#
# In June 2015 a post on Google's research blog showed bananas brought out of noise, dumbbells with arms on them, and skies
# full of animals. This lesson goes through its figures one by one. For each: what
# was shown, what is known of how, what is our guess, and ours, made by the code beside it.
#
# - **You will do:** grow a banana from noise under three priors; look for the arm on the dumbbell; name creatures in a
#   cloud; let the picture decide; zoom out of noise.
# - **You will learn:** what a prior is and that it is not the only way to a banana; to ask a second network whether a
#   picture shows what its maker says; to keep apart what is known and what is retold.
# - **You need:** lessons 03 to 09
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet-robust"  # or any name that dk.load_network knows: "dreamnet", "googlenet", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Where this ends, in small. From faint noise, one class at a time is turned up: nothing but the gradient of one number of
# the network's last layer has drawn these. (5 to 10 seconds.)

# %%
side = dk.figures.home_side(network)                                          # what the network was trained on: 64 pixels for ours
names = [name for name in ("banana", "king penguin", "school bus", "lighthouse") if name in network.labels]
grown = {name: dk.figures.class_picture(network, name, steps=50, side=side) for name in names}
dk.show.strip(grown, height=1.7, alt=f"Pictures grown from noise by {network.name}: {', '.join(names)}")

# %% [markdown]
# ## What is known, and how well
#
# Of the post only the opening could be read at its source when this was written; most of what is said of its figures is
# **second-hand**, quoted on other pages. The code and settings of the class pictures were *never* published. What was published is
# the notebook `dream.ipynb`, with the layer, octaves and zoom that you know from lessons 08 and 12.
# So `dk.figures` says of each figure what was shown, what is known and what is our guess, and marks with *as quoted*
# what only others tell.

# %%
for name in dk.figures.names():
    item = dk.figures.figure(name)
    print(f"{name}\n   shown: {item.shown}\n   known: {item.known}\n   guess: {item.guess}")

# %% [markdown]
# `dreamkit figures` in a terminal makes them all, at full size and with captions, in some minutes. Here we make
# them small and look closely.
#
# ## Figure 1 · A banana out of noise
#
# *Shown, as quoted:* noise, and beside it a picture full of bananas. *Known:* the post brings a class out of noise
# under a **prior**, that neighbouring pixels be correlated, as they are in photos. *Guess:* which prior, and every number.
#
# So let us compare. The same class, the same network, three priors, from noise:
#
# - **none**: each step changes each pixel as the gradient says;
# - **blur**: after each step the picture is blurred, strongly at first, ever less later, and it grows in stages (after the
#   public recipe of Øygard's *deepdraw*);
# - **fourier**: the picture is held as waves, long ones louder than short ones, with its colours made independent, and is
#   seen turned and shifted a little at each step (Olah, Mordvintsev & Schubert, 2017).
#
# First by the *standard* network, `dreamnet`. (8 to 15 seconds.)

# %%
other = "dreamnet" if network.name != "dreamnet" else "dreamnet-robust"
standard = dk.load_network("dreamnet")
steps = {"none": 80, "blur": 40, "fourier": 80}
bananas = {prior: dk.figures.class_picture(standard, "banana", prior, steps[prior], side=64 if prior != "blur" else 96) for prior in steps}
dk.show.strip(bananas, height=2.2, alt="Bananas by the standard network. With no prior: a grey mesh with a yellow spot; blur and fourier: yellow, rounded shapes")

# %% [markdown]
# **Predict, then reveal.** Ask the maker how sure it is that these are bananas. Then ask *another* network, that has seen
# the same photos but was trained differently. For which of the three do the two differ most?
#
# <details><summary>What happens, and why</summary>
#
# The maker is sure of all three: that is what they were made for, and it tells you nothing. The other network sees no banana
# in the one without a prior, and a banana, with more or less confidence, in those with one. A picture made by a gradient
# against one network may please that network alone. The second opinion is the baseline of this lesson.
# </details>

# %%
def opinion(judge, picture, label):
    """How sure the judge is of the label, and what it would rather say."""
    guesses = dict(dk.classify(judge, dk.resize(picture, (64, 64)), top=200))
    return f"{guesses[label]:4.0%} {label}, first guess {max(guesses, key=guesses.get)}"

robust = dk.load_network("dreamnet-robust")
for prior, picture in bananas.items():
    print(f"{prior:8} maker: {opinion(standard, picture, 'banana'):42} other network: {opinion(robust, picture, 'banana')}")

# %% [markdown]
# ### Is a prior the only way?
#
# Now the same without any prior, by the *robust* network: same architecture, same photos, but while it was trained, each photo was
# first changed a little so as to mislead it. (3 to 6 seconds.)

# %%
tries = {"robust network, no prior": dk.figures.class_picture(robust, "banana", "none", 60, side=64),
         "random weights, fourier": dk.figures.class_picture(dk.randomized(robust), "banana", "fourier", 40, side=64),
         "robust, lemon, no prior": dk.figures.class_picture(robust, "lemon", "none", 60, side=64)}
for name, picture in tries.items():
    print(f"{name:26} {opinion(standard, picture, 'banana')}")
dk.show.strip(tries, height=1.9, alt="A banana by the robust network without any prior; a coloured haze by random weights; a lemon from the same noise")

# %% [markdown]
# A banana, with no prior at all. For a network that small changes cannot mislead, the way uphill leads through changes that
# people see as well: the prior has moved from the picture into the weights. The middle picture is the control for the
# prior: whatever *fourier* makes by itself, it makes no banana, so that is the network's. The right one is the control for the noise: it
# began from the very same, and only the class is another.
#
# ### Exercise 13.1 · How much do neighbours agree? · 6 minutes · ★★☆
# The post's prior as a number. Write `my_neighbours(picture)`: the correlation, over all of a picture `[1, 3, H, W]`, of each
# pixel with the one to its right. Then try it on `bananas`, on a photo, and on `dk.noise(64, 64)`.
#
# <details><summary>Hint</summary>
#
# `a, b = picture[..., :-1], picture[..., 1:]`. From each take its mean; then the mean of the products, divided by the root
# of the two mean squares.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_neighbours(picture):
#     a, b = picture[..., :-1], picture[..., 1:]
#     a, b = a - a.mean(), b - b.mean()
#     return (a * b).mean() / (a.square().mean() * b.square().mean()).sqrt()
# ```
# </details>

# %% tags=["exercise"]
def my_neighbours(picture):
    ...  # your lines


dk.exercises.check("neighbours", my_neighbours)

# %% [markdown]
# ### Exercise 13.2 · A prior that fades · 4 minutes · ★☆☆
# The blur of step 0 is `first` pixels, that of the last step (`steps - 1`) is `last`, and between them it goes down evenly.
# Write `my_sigma(step, steps, first, last)`.
#
# <details><summary>Hint</summary>
#
# How many intervals lie between five steps?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_sigma(step, steps, first, last):
#     return first + (last - first) * step / (steps - 1)
# ```
# </details>

# %% tags=["exercise"]
def my_sigma(step, steps, first, last):
    ...  # your lines


dk.exercises.check("fading_blur", my_sigma)

# %% [markdown]
# ## Figure 2 · Eight classes
#
# *Shown, as quoted:* hartebeest, measuring cup, ant, starfish, anemone fish, banana, parachute, screw. *Known:* nothing. On a
# network trained on ImageNet, `dreamkit figures classes --network googlenet` draws these eight; of ours only the banana is
# among its 200 classes, so choose others. Each picture shows itself as it grows; the text is what the *other*
# network says. Change `prior` and run the cell again. (A class takes about 4 seconds.)

# %%
prior = "fourier"  # or "blur" or "none"
judge = dk.load_network(other)
classes = [name for name in ("goldfish", "king penguin", "monarch", "mushroom", "triumphal arch", "school bus") if name in network.labels]

def growing(name):
    for steps in (10, 80):
        picture = dk.figures.class_picture(network, name, prior, steps, side=side)
        yield picture, f"{name}, prior {prior}, {steps} steps. {judge.name} says: {dk.classify(judge, dk.resize(picture, (64, 64)), 1)[0][0]}"


dk.widgets.slide("class", classes, growing, start=classes[1], width=256)

# %% [markdown]
# Without the panel: `dk.figures.class_picture(network, "mushroom")`.
#
# ## Figure 3 · The arm on the dumbbell
#
# *Shown, as quoted:* dumbbells, each with an arm attached; the network, the post says, had never seen one without.
# *Known:* nothing of the settings. Here are three starts of ours. What is there besides the dumbbell? (6 to 10 seconds.)

# %%
dumbbells = {f"start {seed}": dk.figures.class_picture(robust, "dumbbell", steps=60, seed=seed, side=64) for seed in range(3)}
dk.show.strip(dumbbells, height=2.0, alt="Three dumbbells grown from noise; skin-coloured arms or hands grow out of them")

# %% [markdown]
# A class picture shows what the network *takes for* the class, and that includes what always came along in the photos. The post
# reads its own figure so, as others quote it: as a way to see that a network has learnt the wrong thing. Go through some
# classes of yours with that eye: what stands beside the mushroom?
#
# ## Figures 4 and 5 · Strokes
#
# *Shown, as quoted:* an animal's photo and a painting, turned into strokes and ornaments by a low layer. *Known:* the
# published notebook does the like with the layer `inception_3b/5x5_reduce`. *Guess:* ours. (3 to 6 seconds.)

# %%
cat = dk.sample("chelsea", 256)
low = [dk.layer_at(standard, depth) for depth in (0.15, 0.4)]
gentle = dk.Settings(step_size=0.006, octaves=3)
strokes = {name: dk.dream(dk.scorer(standard, dk.layer(name)), cat, gentle) for name in low}
dk.show.strip({"photo": cat, **strokes}, height=1.7, alt=f"A cat, and the same in strokes by {low[0]} and in ornaments by {low[1]}")

# %% [markdown]
# ## Figures 6 and 7 · A sky full of creatures
#
# *Shown, as quoted:* a sky, the same sky full of animals, and four crops with names: "Admiral Dog!", "The Pig-Snail", "The
# Camel-Bird", "The Dog-Fish". *Known:* the notebook dreams `inception_4c/output` on a photo of a sky. *Guess:* that our
# layer answers to that one. (5 to 10 seconds.)

# %%
sky = dk.sample("clouds", 288)
high = dk.layer_at(standard, 0.86)
dreamt = dk.dream(dk.scorer(standard, dk.layer(high)), sky, dk.Settings(steps=12))
dk.show.strip({"the sky": sky, f"dreamt at {high}": dreamt}, height=2.4, alt=f"A sky, and what {standard.name} sees in it: faces and bodies of animals in the clouds")

# %% [markdown]
# Who names the creatures? In the post, people did. Let the network do it: cut squares out of the sky, ask what each is, and keep those
# with the greatest logits that lie apart. And once more the baseline: the same on the sky before the dream. (4 to 8 seconds.)

# %%
crops = {}
for what, picture in (("before", sky), ("dreamt", dreamt)):
    for crop, label in dk.figures.busiest(standard, picture, 3, side=80):
        sure = dk.classify(standard, dk.resize(crop, (64, 64)), 1)[0][1]
        crops[f"{label}\n{sure:.0%}, {what}\nother: {dk.classify(robust, dk.resize(crop, (64, 64)), 1)[0][0]}"] = crop
dk.show.grid(crops, columns=3, height=2.2, alt="Three crops of the sky and three of the dream, each with the names that two networks give it")

# %% [markdown]
# The network has a name for plain clouds too: it must say something. What the dream adds is certainty, and a crop that
# *you* can name. Where the second network agrees as well, the name is worth something.
#
# ### Exercise 13.3 · The best crops, apart from each other · 8 minutes · ★★★
# `found` is a list of (how sure, top, left, name). Write `my_apart(found, count, least)`: at most `count` of its entries, the surest
# first, leaving out what is nearer than `least` to one chosen before (in rows *and* in columns), and names that are taken.
#
# <details><summary>Hint</summary>
#
# `sorted(found, reverse=True)`; then one loop that appends. Two entries are apart where the greater of the two distances is
# at least `least`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_apart(found, count, least):
#     chosen = []
#     for entry in sorted(found, reverse=True):
#         far = all(max(abs(entry[1] - c[1]), abs(entry[2] - c[2])) >= least for c in chosen)
#         if far and entry[3] not in [c[3] for c in chosen]:
#             chosen.append(entry)
#     return chosen[:count]
# ```
# </details>

# %% tags=["exercise"]
def my_apart(found, count, least):
    ...  # your lines


dk.exercises.check("apart", my_apart)

# %% [markdown]
# ## Figure 8 · The picture decides
#
# *Shown, as quoted:* a horizon that fills with towers, trees that become buildings, leaves that become birds and insects, with
# the caption that the original picture influences what forms. *Known:* that caption. *Guess:* everything else; the towers very
# likely came from a network trained on places. Lesson 09 measures the claim; here it is once more, by one layer. (5 to 10 seconds.)

# %%
import torch

scenes = {"horizon": dk.scenes.horizon(112, 168), "forest": dk.scenes.forest(112, 168), "leaves": dk.scenes.leaves(112, 168)}
became = dk.dream(dk.scorer(standard, dk.layer(high)), torch.cat(list(scenes.values())), dk.Settings(octaves=3))
dk.show.grid({**scenes, **{f"{name} become": picture[None] for name, picture in zip(scenes, became)}}, columns=3, height=1.6,
             alt=f"A horizon, a forest and leaves, and what {high} makes of each: another thing each time")

# %% [markdown]
# ## Figure 9 · Out of nothing but noise
#
# *Shown, as quoted:* landscapes made from noise alone, by a network trained on places. *Known:* the notebook's last loop: dream,
# enlarge by 1 / 0.95, dream again (lesson 12). *Guess:* layer and number of turns. Near the classes the robust
# network makes itself a ground to stand on, and something to stand on it: ours was trained on things, not places. (6 to 12 seconds.)

# %%
start = dk.noise(112, 168, contrast=0.1)
uphill = dk.scorer(robust, dk.layer(dk.layer_at(robust, 0.95)))
zoom = list(dk.film.zooming(uphill, start, dk.Settings(steps=6, octaves=4, step_size=0.01), frames=8, fps=1, zoom=1 / 0.95))
dk.show.strip({"noise": start, "1 dream": zoom[0], "4 dreams": zoom[3], "8 dreams": zoom[7]}, height=1.6,
              alt="Noise, and what becomes of it after one, four and eight dreams, each on the one before, enlarged: a ground, an animal on it")

# %% [markdown]
# ## Recap
#
# - You grew bananas under three priors, found (or missed) arms on dumbbells, named creatures, let scenes decide, and zoomed out
#   of noise.
# - A prior says what pictures are like before any network is asked. The standard network needs one; the robust network carries one in its
#   weights.
# - A maker is always sure of its own pictures. A second network's opinion, random weights, another class and the picture before the
#   dream are what make the claim worth something.
# - Of the post's figures the notebook's dreams and the zoom are documented; layers, priors and numbers of the rest are guesses, and
#   are called so.
#
# ## Read next
#
# - Mordvintsev, Olah & Tyka, *Inceptionism: Going Deeper into Neural Networks*, Google Research blog, June 2015. What we say of
#   its figures is as others quote it, unless it is said to be known.
# - google/deepdream, `dream.ipynb`, July 2015: the layers of figures 4 and 6, the zoom of figure 9.
# - auduno/deepdraw, 2015: the public recipe behind our prior *blur*.
# - Olah, Mordvintsev & Schubert, *Feature Visualization*, Distill, 2017: priors compared, and our prior *fourier*.
# - Engstrom et al., *Adversarial Robustness as a Prior for Learned Representations*, 2019: why the robust network needs no other.

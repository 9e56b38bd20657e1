# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 15 · Networks: what the building plan and the training change
#
# So far one network dreamt. Here several do, with the same photo and the same settings. What differs is how they are
# built and what they were trained for. Some of it shows in the picture, some in a number, and some not at all.
#
# - **You will do:** dream with several networks at the same relative depth; measure the gradient's spectrum of a
#   standard and of a robust network; watch a gradient travel through thirty layers; bring a network of your own.
# - **You will learn:** why the robust network needs far less smoothing; what 3 × 3 against 5 × 5, residuals and BatchNorm
#   change; what becomes of feature maps in a transformer; how layers are named in the papers.
# - **You need:** lessons 02 (receptive fields), 03 to 05 (gradient and spectrum) and 08 (the whole algorithm).
# - **Minutes:** 40

# %%
import dreamkit as dk
NETWORK = "dreamnet"  # or any name that dk.load_network knows: "googlenet", "vgg16", …
network = dk.course_network(NETWORK)

# %% [markdown]
# Two networks of one building plan are shipped: one trained as usual, one trained to keep its answer when somebody
# changes the pixels a little (*robust*). The same plan with random weights is the baseline. GoogLeNet, VGG16, ResNet-50
# and Inception v3 join in if their weights are in torch's cache; nothing is fetched. (This cell takes 5 to 15 seconds,
# and more with each further network.)

# %%
robust = dk.load_network("dreamnet-robust")
found = [name for name in ("googlenet", "vgg16", "resnet50", "inception_v3") if name in dk.cached_networks()]
print("taken up from the cache:", ", ".join(found) or "none, so the embedded networks dream alone")
networks = {"as usual": network, "robust": robust, "random weights": dk.randomized(network)}
networks |= {name: dk.load_network(name) for name in found}

photo = dk.sample("china", 192)
bare = dk.Settings(smoothing=0, octaves=2, steps=6)                           # no smoothing at all
score_at = lambda net, depth: dk.scorer(net, dk.layer(dk.layer_at(net, depth)))
dreams = {name: dk.dream(score_at(net, 0.8), photo, bare) for name, net in networks.items()}
dk.show.grid(dreams, columns=3, height=2.3,
             alt=f"One photo dreamt without smoothing by {', '.join(dreams)}: dots and speckle as usual and at random, smooth strokes with a few dots robust")

# %% [markdown]
# `dk.layer_at(network, 0.8)` is the layer four fifths of the way up, whatever the network calls it: networks can only be
# compared at comparable depth. No smoothing was used, and yet the robust network
# draws broad strokes with only a few dots, where the other two leave dots and speckle.
#
# ## Trained as usual, trained to be robust
#
# In lesson 05 the gradient's power was far too high in fast waves. Here is that computation again, for all of them.
#
# **Predict, then reveal.** Both networks have the same plan and name the same classes. Which gradient holds more power in
# waves shorter than four pixels: as usual, robust, or with random weights? And does it depend on the depth?
#
# <details><summary>Answer</summary>
#
# Random weights hold most, then the network trained as usual, then the robust one, at each depth measured. The roughness
# comes with the plan (strides, ReLUs, max-pools); training brings it down; robust training brings it down much further. During robust
# training, each picture was disturbed along just this gradient. Fine patterns that could turn the answer were punished,
# and the network learnt not to look at them.
# </details>

# %%
import torch


def fast_share(field):                                                        # as in lesson 05
    height, width = field.shape[-2:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    power = torch.fft.fft2((field - field.mean()) * window).abs().square().mean((0, 1))
    frequency = (torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.fftfreq(width) ** 2).sqrt()
    return float(power[frequency > 0.25].sum() / power.sum())


print(f"{'in waves shorter than four pixels':34} depth 0.3   0.5   0.8")
for name, net in networks.items():
    print(f"{name:40}" + "".join(f"{fast_share(dk.gradient(score_at(net, depth), photo)):6.0%}" for depth in (0.3, 0.5, 0.8)))
print(f"{'(the photo itself)':40}{fast_share(photo):6.1%}")

# %%
seen = {name: (0.5 + 0.15 * dk.normalize(dk.gradient(score_at(net, 0.8), photo))).clamp(0, 1)[..., 30:110, 60:172]
        for name, net in networks.items()}
dk.show.grid(seen, columns=3, height=1.9,
             alt=f"Cut-outs of the gradient of {', '.join(seen)}: salt and pepper, and for robust smooth strokes along edges")

# %% [markdown]
# A blur (lesson 05) forces this calm on any network from outside. The robust one brings it along. For
# large networks this is known to cost accuracy. It cost ours none: the robust one was trained further, and names 38.7 % of the
# validation pictures rightly, the other 36.3 % (see `dreamkit/weights/README.md`). Move along the depth; each stop is two fresh dreams
# without smoothing, and takes a few seconds.

# %%
def at_depth(depth):
    pair = {"as usual": network, "robust": robust}
    layers = " | ".join(dk.layer_at(net, depth) for net in pair.values())
    return {name: dk.dream(score_at(net, depth), photo, bare) for name, net in pair.items()}, f"{layers}, smoothing 0"


dk.widgets.slide("relative depth", [0.0, 0.3, 0.5, 0.65, 0.8, 1.0], at_depth, start=0.5, width=320)

# %% [markdown]
# Without the panel: `at_depth(0.3)[0]` is both pictures.
#
# ## How far it sees: 3 × 3 or 5 × 5
#
# A cell behind two 3 × 3 layers sees 5 × 5 pixels, as one 5 × 5 layer does. VGG (2014) is built on that.

# %%
from torch import nn

plans = {"one 5 × 5": nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 5)),
         "two 3 × 3": nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3))}
for name, plan in plans.items():
    last = dk.layer_table(dk.as_network(plan, (0.5,) * 3, (0.5,) * 3))[-1]
    weights = sum(layer.weight.numel() for layer in plan[1:] if isinstance(layer, nn.Conv2d))
    print(f"{name}: sees {last.field.size[0]} × {last.field.size[1]} pixels with {weights:,} weights")

# %% [markdown]
# ### Exercise 15.1 · Twice three or once five · 3 minutes · ★☆☆
# All layers have C channels in and C out, and no biases. How large are the weights of two 3 × 3 layers, as a share of the weights
# of one 5 × 5 layer?
#
# <details><summary>Hint</summary>
#
# A k × k layer has k · k · C · C weights, and C cancels.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# share = 2 * 3 * 3 / (5 * 5)
# ```
# </details>

# %% tags=["exercise"]
share = ...  # your answer, a number


dk.exercises.check("share_of_weights", share)

# %% [markdown]
# ### Exercise 15.2 · How far a stack of layers sees · 6 minutes · ★★☆
# `kernels` and `strides` list a stack's layers from the picture upwards. Give back the side, in pixels, of what one cell of the
# last layer sees.
#
# <details><summary>Hint</summary>
#
# Keep two numbers: the size so far (1 pixel), and how many pixels lie between neighbours (1). Which of the two changes first?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_field(kernels, strides):
#     size, step = 1, 1
#     for kernel, stride in zip(kernels, strides):
#         size += (kernel - 1) * step
#         step *= stride
#     return size
# ```
# </details>

# %% tags=["exercise"]
def my_field(kernels, strides):
    ...  # your lines


dk.exercises.check("field_of_stack", my_field)

# %% [markdown]
# ## How far a gradient gets: residuals and BatchNorm
#
# Thirty 3 × 3 layers with ReLUs and PyTorch's own starting weights, untrained. A random signal comes down from the top. How large is
# it when it arrives at each layer? Three plans: plain, each layer's result added to what came in (*residual*, as in
# ResNet), and each layer's result standardised over the batch (*BatchNorm*).

# %%
def sizes_down(kind, depth=30, width=16):
    torch.manual_seed(0)
    values = torch.randn(4, width, 24, 24, requires_grad=True)
    passed = [values]
    for _ in range(depth):
        conv = nn.Conv2d(width, width, 3, padding=1)
        norm = nn.BatchNorm2d(width) if kind == "BatchNorm" else nn.Identity()
        new = norm(conv(passed[-1])).relu()
        passed.append(passed[-1] + new if kind == "residual" else new)
    (passed[-1] * torch.randn(passed[-1].shape)).sum().backward(inputs=passed[:-1])
    return [float(value.grad.norm()) for value in passed[:-1]]

# %%
from matplotlib.figure import Figure

figure = Figure(figsize=(7.2, 3.6), layout="constrained")
axis, arrived = figure.subplots(), {kind: sizes_down(kind) for kind in ("plain", "residual", "BatchNorm")}
for kind, sizes in arrived.items():
    axis.semilogy(sizes, label=kind)
axis.set(xlabel="layer (0: at the picture, 29: at the top)", ylabel="length of the gradient")
axis.legend()
print({kind: f"picture : top = {sizes[0] / sizes[-1]:.1e}" for kind, sizes in arrived.items()})
dk.show.chart(figure, "Length of the gradient against the layer, logarithmic: plain falls by many powers of ten towards the picture; "
                      "residual and BatchNorm stay within reach")

# %% [markdown]
# In the plain plan next to nothing arrives: its lowest layers could hardly learn. A residual gives the signal a road on
# which nothing is multiplied. BatchNorm scales each layer's values back to size, and keeps the gradient from fading (here
# both let it grow towards the picture). Better starting weights (He et al., 2015) also help; neither plan depends on them as
# much. For dreams it matters little, since `dk.normalize` takes the length out of each step. It decides which deep networks
# can be *trained*.
#
# ### Exercise 15.3 · Fold a BatchNorm into a convolution · 7 minutes · ★★☆
# After training, BatchNorm's numbers are fixed: `(y - mean) / sqrt(variance + eps) * scale + shift` for each channel. Behind a
# convolution that is another convolution. Give back its `weight` `[out, in, k, k]` and `bias` `[out]`.
#
# <details><summary>Hint</summary>
#
# One factor for each *output* channel. `factor.view(-1, 1, 1, 1)` lines it up with the first axis.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_fold(weight, bias, mean, variance, scale, shift, eps):
#     factor = scale / (variance + eps).sqrt()
#     return weight * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift
# ```
# </details>

# %% tags=["exercise"]
def my_fold(weight, bias, mean, variance, scale, shift, eps):
    ...  # your lines


dk.exercises.check("fold_norm", my_fold)

# %% [markdown]
# ## How the first layer grew
#
# A run of the same plan was kept at seven moments (lesson 14b shows its dreams). A number goes with the eye: how far a filter prefers
# one direction, from 0 (a blob) to 1 (stripes).

# %%
growth = dk.inside.growth()
for epoch, right, filters in zip(growth.epochs, growth.accuracy, growth.filters, strict=True):
    chosen = dk.orientation_selectivity(filters)
    print(f"epoch {epoch:<4}  {right:6.1%} named rightly   direction {chosen.mean():.2f}   {'█' * round(60 * float(chosen.mean()))}")
order = dk.orientation_selectivity(growth.filters[-1]).argsort(descending=True)[::4]     # from stripes to blobs
rows = torch.cat([growth.filters[i][order] for i in (0, 3, 4, 6)])
dk.show.filters(rows, columns=12,
                alt="Twelve first-layer filters at epochs 0, 1, 2 and 10, one row each: noise becomes edges, stripes and blobs")

# %% [markdown]
# Directions settle within the first two epochs, while the accuracy still climbs: what comes later is learnt higher up.
#
# ## Transformers
#
# A vision transformer cuts the picture into patches, makes a vector of each (a *token*), and lets every token look at every
# other. Lay the tokens out as they lay in the picture and you have maps `[N, C, h, w]` again, so layers and channels work as
# before. The weights here are random, so there is nothing to see yet; look at the *shapes*. (A few seconds for torchvision.)

# %%
from torchvision.models import VisionTransformer

small = VisionTransformer(image_size=64, patch_size=8, num_layers=4, num_heads=4, hidden_dim=64, mlp_dim=128)
transformer = dk.as_network(small, (0.5,) * 3, (0.5,) * 3, "a small transformer")
for net in (network, transformer):
    for layer in (dk.layer_at(net, 0.0), dk.layer_at(net, 1.0)):
        info = dict((i.name, i) for i in dk.layer_table(net))[layer]
        print(f"{net.name:20} {layer:32} stride {info.stride[0]:2}  sees {info.field.size if info.field else 'everything'}")

# %% [markdown]
# Two things change. The grid is the same at every depth: no layer is coarser than the patches, and each one's border may show in a
# dream. And already the first block sees the whole picture, so "small things low, large things high" no longer follows from the plan. The
# places are added to the tokens as numbers that belong to one size of picture: another size needs them stretched, which
# `dk.as_network` does.
#
# ## Your own network
#
# Any `nn.Module` that takes pictures will do. Say with which mean and deviation its inputs were standardised.

# %%
class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.edges = nn.Sequential(nn.Conv2d(3, 16, 7, stride=2, padding=3), nn.ReLU())
        self.parts = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU())
        self.head = nn.Linear(32, 10)

    def forward(self, picture):
        return self.head(self.parts(self.edges(picture)).mean((2, 3)))


torch.manual_seed(0)
mine = dk.as_network(Mine(), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), name="mine")
print(dk.layer_names(mine))
dreamt = dk.dream(dk.scorer(mine, dk.layer("parts")), photo, dk.Settings(octaves=2, steps=5))
dk.show.strip({"the photo": photo, "dreamt by mine, untrained": dreamt}, height=2.2,
              alt="A photo, and the photo with harsher colours and contrast: no shapes")

# %% [markdown]
# The contrast grows and nothing appears: it has not learnt anything. It is the baseline of your own network.
#
# ## What papers call a layer
#
# Papers and old programs say `inception_4c/output` or `mixed4c`, `relu4_3` in VGG16. These names work wherever a layer is named.

# %%
names = dk.layer_aliases(network)
for layer in dk.suggested_layers(network):
    print(f"{layer:14} is also", ", ".join(alias for alias, name in names.items() if name == layer) or "(no other name)")

# %% [markdown]
# ## Recap
#
# - You dreamt with several networks at the same relative depth, with a random one beside them.
# - The robust network's gradient holds far less power in fast waves, though still more than a photo;
#   it needs far less smoothing.
# - Two 3 × 3 layers see as far as one 5 × 5, with fewer weights; residuals and BatchNorm let a gradient through thirty layers.
# - In a transformer the grid stays the same, and the first block already sees everything.
# - Any module of yours can dream, and layers answer to the papers' names.
#
# ## Read next
#
# - Lesson 16: the same features through ONNX.
# - K. Simonyan and A. Zisserman, [Very deep convolutional networks](https://arxiv.org/abs/1409.1556), 2014: 3 × 3 only.
# - K. He et al., [Deep residual learning](https://arxiv.org/abs/1512.03385), 2015, and
#   [Delving deep into rectifiers](https://arxiv.org/abs/1502.01852), 2015: residuals; starting weights.
# - S. Ioffe and C. Szegedy, [Batch normalization](https://arxiv.org/abs/1502.03167), 2015.
# - D. Tsipras et al., [Robustness may be at odds with accuracy](https://arxiv.org/abs/1805.12152), 2018: the calmer gradients of robust
#   networks, and what they cost in accuracy.
# - A. Dosovitskiy et al., [An image is worth 16x16 words](https://arxiv.org/abs/2010.11929), 2020: the vision transformer.

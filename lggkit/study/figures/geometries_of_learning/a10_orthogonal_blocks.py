"""Figures of article 10: blocks traversed as images, reconstructions, responses, maps of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

FIVE, THREE = ("plain", "dae_g", "dae_og"), ("plain-three", "dae_g-three", "dae_og-three")
MANY = ("plain-many", "dae_g-many", "dae_og-many")
TRIOS = {"three": THREE, "five": FIVE, "many": MANY}
LEADS = {
    "three": "With three blocks",
    "five": "With five blocks",
    "many": "With five blocks and 24,000 images",
}
FACTORS = {
    5: ("garment", "turn", "scale", "ground", "thing"),
    3: ("scale", "turn", "thing"),
}
COLUMNS = 6
SHORT = {"plain": "plain", "dae_g": "DAE-G", "dae_og": "DAE-OG"}


def short_title(arm: str) -> str:
    """An arm's title without the number of its blocks."""
    return SHORT[arm.partition("-")[0]]


def _image(array: np.ndarray) -> np.ndarray:
    return array.transpose(1, 2, 0)


def traversals_figure(shown: Shown) -> Figure:
    """Every block of one image moved to that of another, with both images at the sides; seed 0."""
    import matplotlib.pyplot as plt

    arms = [arm for arm in FIVE[1:] if shown.arm(arm)]
    runs = [shown.arrays(arm) for arm in arms]
    blocks, steps = runs[0]["traversals"][:, ::2].shape[:2]
    figure, axes = plt.subplots(len(arms) * blocks, steps + 2, figsize=(6, 0.72 * blocks * len(arms)))
    for a, (arm, arrays) in enumerate(zip(arms, runs, strict=True)):
        for block in range(blocks):
            row = axes[a * blocks + block]
            images = [arrays["ends"][0], *arrays["traversals"][block, ::2], arrays["ends"][1]]
            for ax, image in zip(row, images, strict=True):
                ax.imshow(_image(image), interpolation="nearest")
                ax.axis("off")
            label = f"{short_title(arm)}\nblock {block + 1}"
            row[0].text(-0.15, 0.5, label, fontsize=9, ha="right", va="center", transform=row[0].transAxes)
    return figure


def images_figure(shown: Shown) -> Figure:
    """Held-out images, their reconstructions, and images of noise, of each arm; seed 0."""
    import matplotlib.pyplot as plt

    arms = [arm for arm in (*FIVE, *THREE) if shown.arm(arm)]
    rows = []
    for arm in arms:
        arrays, of = shown.arrays(arm), "" if arm in FIVE else ", three"
        if arm in ("plain", "plain-three"):
            rows.append((f"held out{of}", arrays["inputs"]))
        rows.append((f"{short_title(arm)}{of}", arrays["outputs"]))
        rows.append(("of noise", arrays["samples"]))
    figure, axes = plt.subplots(len(rows), COLUMNS, figsize=(6, 0.72 * len(rows)))
    for axs, (title, images) in zip(axes, rows, strict=True):
        for ax, image in zip(axs, images[:COLUMNS], strict=True):
            ax.imshow(_image(image), interpolation="nearest")
            ax.axis("off")
        axs[0].text(-0.15, 0.5, title, fontsize=9, ha="right", va="center", transform=axs[0].transAxes)
    return figure


def responses_figure(shown: Shown) -> Figure:
    """Which factor changes in the image when one block is exchanged: mean shares of pairs over seeds.

    Blocks have no order. Each seed's are put in the one in which block and factor of the same place go
    together best, before the mean is taken.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(6.6, 4.6))
    for place, (ax, arm) in enumerate(zip(axes.flat, (*FIVE, *THREE), strict=True)):
        values = np.array(shown.values(arm, "swaps"))
        if not len(values):
            ax.set_visible(False)
            continue
        k = int(np.sqrt(values.shape[1]))
        mean = np.mean([_in_order(one.reshape(k, k)) for one in values], axis=0)
        drawn = ax.imshow(mean, cmap="cividis", vmin=0, vmax=1)
        for (i, j), value in np.ndenumerate(mean):
            ax.text(
                j,
                i,
                f"{value:.2f}".lstrip("0"),
                ha="center",
                va="center",
                fontsize=8,
                color="black" if value > 0.55 else "white",
            )
        ax.set_xticks(range(k), FACTORS[k], rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(k), range(1, k + 1))
        ax.set_title(f"{short_title(arm)}, {k} blocks")
        ax.set_ylabel("block" if place % 3 == 0 else "")
    figure.colorbar(drawn, ax=axes, label="share of exchanges that change the factor", shrink=0.5)
    return figure


def _in_order(swaps: np.ndarray) -> np.ndarray:
    """Rows, which are blocks, in the order in which the sum of the diagonal is largest."""
    from scipy.optimize import linear_sum_assignment

    blocks, factors = linear_sum_assignment(swaps, maximize=True)
    return swaps[blocks[np.argsort(factors)]]


def maps_figure(shown: Shown) -> Figure:
    """t-SNE of each of three blocks, points coloured by the factor that the block tells most of; seed 0."""
    import matplotlib.pyplot as plt
    import torch
    from sklearn.manifold import TSNE

    from lggkit.generative import factor_response_matrix

    arms = [arm for arm in ("dae_g-three", "dae_og-three") if shown.arm(arm)]
    figure, axes = plt.subplots(len(arms), 3, figsize=(7.2, 2.5 * len(arms)), squeeze=False)
    for row, arm in zip(axes, arms, strict=True):
        arrays = shown.arrays(arm)
        factors = arrays["factors"].astype(np.int64)
        codes = [arrays[f"block{i}"].astype(np.float32) for i in range(3)]
        shares = factor_response_matrix([torch.from_numpy(c) for c in codes], torch.from_numpy(factors))
        for block, ax in enumerate(row):
            own = int(shares[block].argmax())
            perplexity = min(15, (len(codes[block]) - 1) // 3)
            flat = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(codes[block])
            for value in np.unique(factors[:, own]):
                of = flat[factors[:, own] == value]
                mark = {"color": CLASS_COLORS[value], "marker": CLASS_MARKERS[value]}
                ax.plot(of[:, 0], of[:, 1], ls="", ms=4, **mark)
            ax.set(xticks=[], yticks=[], title=f"block {block + 1}: {FACTORS[3][own]}")
        row[0].set_ylabel(f"t-SNE, {short_title(arm)}")
    return figure

"""How much a network deforms the space from depth to depth, and how far its decisions are (paper 1, 4.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.data.checks import a_tensor, as_integer
from lggkit.evaluation import _given
from lggkit.evaluation._attackable import attackable, by_batch, check, logits
from lggkit.evaluation.gradients import gradient_of, margin_loss
from lggkit.graph import pairwise_distance
from lggkit.graph._precision import widest
from lggkit.similarity._scale import in_own_unit


def largest_variation_step(variations: Tensor) -> float:
    """The largest ``|σ_{l+1} - σ_l|`` over neighbouring depths, averaged over batches.

    The largest term of the sum that paper 1, eq. 8 penalises.

    Args:
        variations: label variation σ of every batch at every depth, (batches, depths), at least two depths.

    Raises:
        TypeError: ``variations`` is no tensor.
        ValueError: ``variations`` has another shape, fewer than two depths, or no batch.
    """
    variations = a_tensor("variations", variations)
    if variations.dim() != 2 or variations.shape[1] < 2 or not len(variations):
        raise ValueError(f"variations have shape {tuple(variations.shape)}; give (batches, depths >= 2)")
    return float(variations.double().diff(dim=1).abs().amax(1).mean())


@torch.no_grad()
def distance_expansion(latents: Sequence[Tensor], labels: Tensor) -> float:
    """How far close images of different classes are driven apart from one depth to the next, at most.

    Each image makes a pair with its nearest image of another class at the first depth, which stays its
    partner. A depth's scaled distance is the mean distance of these pairs over the mean distance of all
    pairs of images at that depth; the result is the largest ratio of a depth's scaled distance to that of
    the depth before. Distances are Euclidean. Our reading of paper 1, section 4.3, which says that small
    distances become large ones suddenly, and measures none.

    Args:
        latents: (n, ...) tensors of one batch in the order of the depths, the input first; at least two.
        labels: integers (n,), at least two classes.

    Returns:
        The ratio: 1 or less where no depth drives these images apart. From a distance of 0 to 0 it is 1, from
        0 to any other infinite; NaN where latents are not finite.

    Raises:
        TypeError: latents are no tensors, or labels no integers.
        ValueError: there are fewer than two depths, a depth has not one row a label, or all images are of one
            class.
    """
    if len(latents) < 2:
        raise ValueError(f"{len(latents)} depths are given; give at least two")
    labels = _given.classes(labels)
    sizes = [len(a_tensor("latents", x)) for x in latents]
    if set(sizes) != {len(labels)}:
        raise ValueError(f"depths have {sizes} rows for {len(labels)} labels; give one row for each label")
    other = labels.unsqueeze(1) != labels.unsqueeze(0)
    if not other.any():
        raise ValueError("all images are of one class; give at least two classes")
    rows = [in_own_unit(x.flatten(1).to(widest(x)), (0, 1)) for x in latents]
    nearest = _distances(rows[0]).masked_fill(~other.to(rows[0].device), torch.inf).argmin(1)
    scaled = torch.stack([_scaled(x, nearest) for x in rows])
    before, after = scaled[:-1], scaled[1:]
    return float(torch.where(before == after, 1.0, after / before).max())


def _distances(x: Tensor) -> Tensor:
    # By differences: a Gram matrix is faster, but nearest images are where its rounding is worst.
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")


def _scaled(x: Tensor, partner: Tensor) -> Tensor:
    # The zeros on the diagonal take the same share of every depth's mean, which no ratio shows.
    pairs, every = (x - x[partner]).norm(dim=1).double(), pairwise_distance(x).double()
    return pairs.mean() / every.mean().clamp(min=torch.finfo(every.dtype).tiny)


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """The true class's logit less the largest other one, (n,): negative where the answer is wrong.

    Args:
        logits: (n, c), c >= 2.
        labels: integers (n,) in [0, c).

    Raises:
        TypeError: logits are no tensor, or labels no integers.
        ValueError: logits and labels do not fit, there is one class only, or a label is none of the classes.
    """
    logits = a_tensor("logits", logits)
    labels = _given.classes(labels, device=logits.device)
    if logits.dim() != 2 or logits.shape[1] < 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)}; give (n, c >= 2) and (n,)"
        )
    if len(labels):
        _given.in_range(labels, logits.shape[1])
    logits = logits if logits.is_floating_point() else logits.float()
    return -margin_loss(logits, labels)


def input_margins(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 250) -> Tensor:
    """The distance (n,) at which an image's answer changes, to first order: margin over its gradient's norm.

    ``m(x) / ‖∇_x m(x)‖₂`` with the m of `margins` in evaluation mode. Exact where the network is linear as
    far as that, but for a third class that may be nearer.

    Args:
        model: its modes, weights and gradients are as before afterwards. It returns logits (n, c), or what
            `lggkit.networks.outputs.logits_of` finds them in.
        images: floats (n, ...) as the model takes them, which give the result its unit.
        labels: integers (n,).

    Returns:
        Distances in float32 at least, negative where the answer is wrong; where the gradient vanishes the
        value is the largest that the type holds, not infinite, and where it is not finite NaN.

    Raises:
        TypeError: images are no floats, labels or batch_size no integers, or the model returns no logits.
        ValueError: there are no images, one is not finite, there is not one label an image, or a label is
            none of the classes.
    """
    images, labels = check(images, labels, model=model)
    size = as_integer("batch_size", batch_size, 1)
    with attackable(model):
        return by_batch(lambda x, y: _first_order(model, x.detach().clone(), y), images, labels, size)


def _first_order(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    answers = logits(model, x.requires_grad_())
    margin = margins(answers, labels)
    # Squares of a float32 gradient may overflow, or vanish, where the gradient itself does not.
    slope = gradient_of(margin, x).double().flatten(1).norm(dim=1)
    most = torch.finfo(margin.dtype).max
    distance = (margin.detach().double() / slope).clamp(-most, most)
    return distance.masked_fill(~slope.isfinite(), torch.nan).to(margin.dtype)

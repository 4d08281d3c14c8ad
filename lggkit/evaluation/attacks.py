"""Adversarial attacks on image classifiers: one gradient step at a given signal-to-noise ratio, and stronger.

FGSM at a signal-to-noise ratio is the attack of paper 1, section 4.3 (as its authors' code has it); PGD,
DeepFool and the minimum-norm attack are foolbox's. Networks are attacked in evaluation mode; their modes,
weights and gradients are as before afterwards. They return logits (n, c), or what
`lggkit.networks.outputs.logits_of` finds them in. Images are floats (n, c, h, w) on the network's device and,
unless said otherwise, in [0, 1], the input normalisation being part of the network; labels are integers (n,)
of any width. Gradients are those of losses that do not saturate, see `lggkit.evaluation.gradients`.
"""

from __future__ import annotations

from lggkit.evaluation._attackable import misled
from lggkit.evaluation.descents import deepfool, pgd
from lggkit.evaluation.ensemble import strong
from lggkit.evaluation.fast_gradient import fgsm, fgsm_direction, moved_along, snr_epsilon
from lggkit.evaluation.gradients import VanishedGradients, vanished_gradients

__all__ = [
    "VanishedGradients",
    "deepfool",
    "fgsm",
    "fgsm_direction",
    "misled",
    "moved_along",
    "pgd",
    "snr_epsilon",
    "strong",
    "vanished_gradients",
]

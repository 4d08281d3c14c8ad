"""Losses and regularisers, each one equation of one paper, usable alone in any training loop."""

from lggkit.graph import depth_variations
from lggkit.objectives.densification import densification
from lggkit.objectives.gkd import gkd
from lggkit.objectives.graph_divergence import graph_divergence
from lggkit.objectives.graph_smoothness import graph_smoothness
from lggkit.objectives.knowledge_distillation import hinton
from lggkit.objectives.l2 import l2
from lggkit.objectives.l2_sp import l2_sp
from lggkit.objectives.omega_i import omega_i
from lggkit.objectives.omega_p import omega_p
from lggkit.objectives.omega_u import omega_u
from lggkit.objectives.orthonormality import block_cosines, orthonormality
from lggkit.objectives.pair_losses import least_pair_loss, pair_sum_violation, random_pair_loss
from lggkit.objectives.pairs import Latents, check_latents, paired
from lggkit.objectives.parseval import parseval_step, spectral_norms
from lggkit.objectives.rkd import relative_distance, rkd_angle, rkd_distance
from lggkit.objectives.similarity_preserving import similarity_preserving
from lggkit.objectives.variation_smoothness import variation_smoothness

__all__ = [
    "Latents",
    "block_cosines",
    "check_latents",
    "densification",
    "depth_variations",
    "gkd",
    "graph_divergence",
    "graph_smoothness",
    "hinton",
    "l2",
    "l2_sp",
    "least_pair_loss",
    "omega_i",
    "omega_p",
    "omega_u",
    "orthonormality",
    "pair_sum_violation",
    "paired",
    "parseval_step",
    "random_pair_loss",
    "relative_distance",
    "rkd_angle",
    "rkd_distance",
    "similarity_preserving",
    "spectral_norms",
    "variation_smoothness",
]

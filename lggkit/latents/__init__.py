"""Named intermediate representations of a network (paper 1, Definition 1), tapped from outside."""

from lggkit.latents.defaults import default_depths
from lggkit.latents.names import resolve_depths
from lggkit.latents.once import latents
from lggkit.latents.taps import Taps
from lggkit.latents.wrappers import unwrapped

__all__ = ["Taps", "default_depths", "latents", "resolve_depths", "unwrapped"]

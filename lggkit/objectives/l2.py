"""L2: weights stay near zero."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from lggkit.graph._precision import accumulating


def l2(parameters: Iterable[Tensor]) -> Tensor:
    """``½ Σ w²``, whose gradient is w: α times it is weight decay α of plain SGD.

    Args:
        parameters: floating point, such as ``model.parameters()``. All that are given count, biases and
            those of batch normalisation too; the paper does not say which it takes.

    Returns:
        The penalty >= 0, a scalar in at least float32.

    Raises:
        ValueError: there are none.
        TypeError: one is no tensor or not floating point.

    Source: Li, Grandvalet, Davoine, "Explicit inductive bias for transfer learning with convolutional
    networks" (2018); paper 3, section 4.2.
    """
    squares = [accumulating(w, "Each parameter").square().sum() for w in parameters]
    if not squares:
        raise ValueError("there are 0 parameters; model.parameters() can be read once, give them anew")
    return sum(squares) / 2

"""One style: a class has the same colour and mark everywhere, both told apart without seeing colour."""

from __future__ import annotations

CLASS_COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8A7A00",
    "#332288",
    "#999999",
    "#000000",
)
"""Ten colours, seven of them after Okabe and Ito, darkened where white paper would swallow them."""

CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")

ARM_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#555555")

PAPER_COLOR = "#000000"
"""The papers' own values, always black diamonds."""


def arm_color(index: int) -> str:
    """The colour of an experiment's ``index``-th arm; repeats after eight."""
    return ARM_COLORS[index % len(ARM_COLORS)]


def use_style() -> None:
    """Sets matplotlib up for the book: small, plain, 96 dots an inch, no chart junk."""
    import matplotlib as mpl
    import seaborn as sns

    sns.set_theme(context="paper", style="ticks", font_scale=1.25)
    mpl.rcParams.update(
        {
            "figure.dpi": 96,
            "savefig.dpi": 96,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "axes.titlesize": "medium",
        }
    )

"""Sentences of article 5 that its numbers choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.judging.texts import sign_text
from lggkit.study.judging.verdicts import CONTRADICTED, HOLDS

if TYPE_CHECKING:
    from lggkit.study.judging.verdicts import ClaimVerdict
    from lggkit.study.shown.view import Shown


def order_said(shown: Shown) -> list[str]:
    """Which of best fit, PCA and flag mean is ahead, and what centring has to do with it."""
    ours = "svbf_prototypes"
    centred, plain = (
        shown.paired(ours, arm, "accuracy") for arm in ("pca_centred_prototypes", "pca_prototypes")
    )
    many = shown.paired(ours, "pca_prototypes", "accuracy_of_many")
    flag = shown.paired(ours, "flag_mean_prototypes", "accuracy")
    return [
        f"Over all k and l = m, best fits have {apart_text(centred, 'class PCA with centring')}, and "
        f"{apart_text(plain, 'class PCA without it')}. From three images a set on they have "
        f"{apart_text(many, 'PCA without centring')}. The flag mean of the same sets is "
        f"{sign_text(flag, 'behind', 'ahead')}: best fits have {apart_text(flag, 'it')}. {seeds_text(flag)}",
        _switch(centred.above(0), many.below(0)),
    ]


def _switch(ahead: bool, behind: bool) -> str:
    if ahead and behind:
        return (
            "So the order depends on a word that the article leaves out. Against PCA as libraries have it, "
            "which centres, best fits are ahead; against PCA of the same vectors without centring they are "
            "behind as soon as sets are large."
        )
    return "Best fits are not ahead of both kinds of PCA, and the article does not say which it took."


def angles_said(shown: Shown) -> list[str]:
    """How far apart the two angles are that algorithm II compares."""
    if not shown.arm("angles"):
        return ["The angles of test sets are not measured yet."]
    own, other = (shown.interval("angles", f"angle_{which}") for which in ("own", "other"))
    return [
        f"Test sets of three images meet the best fit of their own class, k = 4, at {mean_text(own)}° on "
        f"average, and that of the other class at {mean_text(other)}°."
    ]


def distance_said(shown: Shown) -> list[str]:
    """What a distance that does not depend on bases brings algorithm I, and what is left to algorithm II."""
    by_metric = {m: shown.interval("svbf_coordinates", f"accuracy_{m}") for m in ("frobenius", "projection")}
    gap = shown.paired("svbf_prototypes", "svbf_coordinates", "accuracy")
    return [
        f"From two images a set on, algorithm I has {mean_text(by_metric['frobenius'])} % with the Frobenius "
        f"distance and {mean_text(by_metric['projection'])} % with the projection distance of the same "
        f"coordinates. Algorithm II has {apart_text(gap, 'algorithm I as published')}."
    ]


def node_said(shown: Shown) -> list[str]:
    """Algorithm III beside tanh units that see one image, and as many."""
    many, single, vote = (
        shown.interval(*place)
        for place in (
            ("svbf_node", "many_images"),
            ("tanh_layer", "accuracy"),
            ("tanh_layer", "vote_of_many"),
        )
    )
    return [
        "With three to five images a decision, algorithm III has "
        f"{mean_text(many)} %. A tanh layer has {mean_text(single)} % with one image, and "
        f"{mean_text(vote)} % if its answers for the same images are averaged. {seeds_text(many)}"
    ]


def splits_said(shown: Shown, judged: Sequence[ClaimVerdict]) -> list[str]:
    """What becomes of verdicts over splits if the images that splits share are taken into account.

    An interval over n splits, each with a share t of all images tested, is then √(1 + n t / (1 - t)) times as
    wide (Nadeau and Bengio, 2003).
    """
    share = shown.arm("svbf_prototypes")[0].settings["share"]
    splits = len(shown.arm("svbf_prototypes"))
    over = [j for j in judged if j.n == splits and j.claim.kind not in ("exact", "all_of")]
    decided = [j for j in over if j.verdict in (HOLDS, CONTRADICTED)]
    factor = (1 + splits * (1 - share) / share) ** 0.5
    lost = [j.claim.number for j in decided if not _decides(j, factor)]
    return [
        f"A seed is a split of the same images, {100 * share:.0f} % of them for training. Splits overlap: "
        "intervals over splits speak of other splits of these images, and not of other images. Corrected for "
        'the overlap ([Nadeau and Bengio, 2003](../../book/bibliography.md "nadeau2003")) they are '
        f"{factor:.1f} times as wide, and {len(lost)} of {len(decided)} verdicts over splits would be "
        f"undecided: {', '.join(lost) or 'none'}."
    ]


def _decides(judged: ClaimVerdict, factor: float) -> bool:
    """Whether a verdict stands with an interval that is ``factor`` times as wide."""
    mean, half = judged.interval.mean, factor * judged.interval.half_width
    margin = judged.claim.margin or 0.0
    if judged.claim.kind == "equivalent" and judged.verdict == HOLDS:
        return abs(mean) + half <= margin
    return abs(mean) - half > margin


def solvers_said(shown: Shown) -> list[str]:
    """Fits and times of the solvers."""
    fits = {name: shown.interval("solver", f"fit_{name}") for name in ("alternating", "adam", "riemannian")}
    speedup = shown.values("solver", "speedup")
    reached = [mean_text(one, 4) for one in fits.values()]
    return [
        f"The ascent reaches {reached[0]}, Adam {reached[1]} and the steepest ascent on the Grassmannian "
        f"{reached[2]}. The ascent with eight starts is {min(speedup):,.0f} to {max(speedup):,.0f} times as "
        "fast as Adam here, on a processor that was shared."
    ]

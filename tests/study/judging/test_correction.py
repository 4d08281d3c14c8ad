"""Holm's marks of single and of compound claims."""

import pytest

from lggkit.study.judging.correction import survives, survivors

YES, NO, OPEN = "holds", "contradicted", "undecided"


def test_families_are_corrected_by_themselves():
    weak = [("a", f"weak{i}", 0.03) for i in range(4)]
    assert survivors([*weak, ("b", "alone", 0.03)]) == {"alone"}
    assert survivors([]) == set()


@pytest.mark.parametrize(
    ("verdict", "parts", "expected"),
    [
        (YES, [(YES, True)], True),
        (YES, [(YES, False)], False),
        (YES, [(YES, True), (YES, True)], True),
        (YES, [(YES, True), (YES, False)], False),
        (NO, [(NO, True), (YES, False), (OPEN, False)], True),
        (NO, [(NO, False), (YES, True)], False),
        (NO, [(NO, False), (NO, True)], True),
        (OPEN, [(OPEN, True)], False),
        ("still moving", [(YES, True), ("still moving", True)], False),
    ],
    ids=str,
)
def test_a_contradiction_needs_one_part_and_what_holds_all(verdict, parts, expected):
    assert survives(verdict, parts) == expected

import pytest
from torch import nn

from lggkit.evaluation.cost import relative_cost


def test_costs_are_in_percent_of_the_reference():
    one, two = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), nn.Sequential(nn.Flatten(), nn.Linear(4, 8))
    cost = relative_cost(one, two, (1, 2, 2))
    assert cost == {"parameters": 10, "macs": 8, "relative_parameters": 25.0, "relative_macs": 25.0}


@pytest.mark.parametrize(
    ("reference", "said"),
    [(nn.Flatten(), "no parameters"), (nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4)), "no macs")],
)
def test_a_reference_that_costs_nothing_is_refused(reference, said):
    with pytest.raises(ValueError, match=f"the reference has {said}: compare with a network of weighted"):
        relative_cost(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), reference, (1, 2, 2))

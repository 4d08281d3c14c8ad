"""What is measured on a film, on frames made up."""

import pytest
import torch

from lggkit.evaluation.clusters import silhouette
from lggkit.experiments.graph_smoothness_loss import s42_visualisation as s42


def test_measures_are_of_each_frame_and_its_labels():
    """Two classes that lie apart, coincide, and lie apart on twice the scale."""
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    apart = torch.tensor([[0.0, 1], [0.2, 1.3], [0.1, 0.8], [5, 1], [5.2, 1.3], [5.1, 0.8]])
    film = torch.stack([apart, apart[[0, 1, 2, 0, 1, 2]], 2 * apart])
    metrics = s42._of_film(film, labels)
    by_moment = metrics["silhouette_by_moment"]
    assert by_moment == pytest.approx([silhouette(frame, labels) for frame in film])
    assert by_moment[0] == pytest.approx(by_moment[2]) and by_moment[0] > 0.8 > 0 > by_moment[1]
    follows = metrics["initial_distance_correlation_by_moment"]
    assert follows[0] == pytest.approx(1) and follows[2] == pytest.approx(1) and follows[1] < 0.9

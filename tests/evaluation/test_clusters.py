import pytest
import torch
from sklearn.metrics import silhouette_samples

from lggkit.evaluation import (
    class_elongation,
    clusters_per_class,
    initial_distance_correlation,
    scatter_ratio,
    silhouette,
)

CENTERS = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [9.0, 9.0], [-6.0, 2.0], [3.0, -7.0]])


def blobs(counts, seed=0, scale=0.3, d=2):
    """Points around the first centers, so many around each."""
    source = torch.Generator().manual_seed(seed)
    center = CENTERS[torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))]
    places = torch.cat([center, torch.zeros(len(center), d - 2)], 1)
    return places + scale * torch.randn(len(center), d, generator=source)


def zeros(x):
    return torch.zeros(len(x), dtype=torch.int64)


@pytest.mark.parametrize("d", [2, 10])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_clusters_are_counted(parts, d):
    x = blobs([60] * parts, d=d)
    assert clusters_per_class(x, zeros(x)) == [parts]


@pytest.mark.parametrize("d", [3, 10, 64, 512])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_what_is_ten_deviations_apart_is_told_apart_in_any_dimension(parts, d):
    """The noise is as large in every dimension, so that in 512 it drowns all distances."""
    source = torch.Generator().manual_seed(1)
    part = torch.arange(450) % parts
    x = torch.randn(450, d, generator=source)
    x[torch.arange(450), part] += 10 / 2**0.5 * (parts > 1)
    assert clusters_per_class(x, zeros(x)) == [parts]


def test_clusters_are_counted_class_by_class():
    x = torch.cat([blobs([60, 60]), blobs([120], seed=1)])
    labels = torch.tensor([7] * 120 + [2] * 120)
    assert clusters_per_class(x, labels) == [1, 2]


def test_the_few_that_lie_among_other_classes_are_no_clusters():
    x = blobs([100, 15, 5, 4, 4])
    assert clusters_per_class(x, zeros(x)) == [2]
    assert clusters_per_class(x, zeros(x), share=0.15) == [1]


def test_a_ray_and_a_ring_are_one_cluster():
    source = torch.Generator().manual_seed(0)
    along, angle = (torch.rand(150, generator=source) * a for a in (8.0, 6.2832))
    noise = 0.05 * torch.randn(150, 2, generator=source)
    ray = torch.stack([along, along], 1) + noise
    ring = 3 * torch.stack([angle.cos(), angle.sin()], 1) + noise
    assert clusters_per_class(torch.cat([ray, ring]), torch.arange(2).repeat_interleave(150)) == [1, 1]


def test_small_and_coinciding_classes_are_one_cluster():
    assert clusters_per_class(torch.zeros(40, 3), torch.arange(40) % 2) == [1, 1]
    assert clusters_per_class(torch.rand(3, 2), torch.tensor([0, 1, 1])) == [1, 1]
    far = torch.tensor([[0.0, 0.0], [9.0, 9.0]]).repeat(30, 1)
    assert clusters_per_class(far, zeros(far)) == [2]


def test_a_draw_bounds_the_points_and_its_seed_decides():
    x = blobs([200, 40])
    assert clusters_per_class(x, zeros(x), per_class=60) == [2]
    assert clusters_per_class(x, zeros(x), per_class=3) == [1]
    one, other = (blobs([80] * 2), torch.arange(160) % 2)
    silhouettes = [silhouette(one, other, subset=30, seed=seed) for seed in (0, 0, 1)]
    assert silhouettes[0] == silhouettes[1] != silhouettes[2]


def test_elongation_is_the_median_ratio_of_principal_deviations():
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]])
    classes = [corners, corners * torch.tensor([3.0, 1.0]) @ turn + 5, corners * torch.tensor([1.0, 20.0])]
    labels = torch.arange(3).repeat_interleave(4)
    assert class_elongation(torch.cat(classes), labels) == pytest.approx(3, rel=1e-5)
    assert class_elongation(torch.cat(classes[:2]), labels[:8]) == pytest.approx(2, rel=1e-5)


def test_elongation_of_a_line_and_of_a_point_is_finite():
    line = torch.arange(5.0)[:, None] * torch.tensor([[1.0, 2.0]])
    assert class_elongation(line, zeros(line)) == pytest.approx(1e6)
    assert class_elongation(torch.ones(5, 2), torch.zeros(5, dtype=torch.int64)) == 1


def test_silhouette_by_hand():
    x, labels = torch.tensor([[0.0], [1.0], [10.0], [12.0]]), torch.tensor([0, 0, 1, 1])
    by_hand = [1 - 1 / 11, 1 - 1 / 10, 1 - 2 / 9.5, 1 - 2 / 11.5]
    assert silhouette(x, labels) == pytest.approx(sum(by_hand) / 4)
    assert silhouette(x, torch.tensor([0, 1, 0, 1])) < 0


def test_cosine_silhouette_sees_rays():
    lengths = torch.tensor([1.0, 3.0, 30.0])
    x = torch.cat(
        [lengths[:, None] * torch.tensor([[1.0, 0.0]]), lengths[:, None] * torch.tensor([[0.0, 1.0]])]
    )
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    assert silhouette(x, labels, metric="cosine") == pytest.approx(1)
    assert silhouette(x, labels) < 0.2


def test_scatter_ratio_by_hand():
    x, labels = torch.tensor([[0.0], [1.0], [10.0], [12.0]]), torch.tensor([0, 0, 1, 1])
    assert scatter_ratio(x, labels) == pytest.approx(1.5 / 10.5)
    assert scatter_ratio(x.half(), labels) == pytest.approx(1.5 / 10.5)
    assert scatter_ratio(torch.zeros(4, 2), labels) == 1
    assert scatter_ratio(labels[:, None].float(), labels) == 0


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_scatter_ratio_needs_both_kinds_of_pairs(labels):
    with pytest.raises(ValueError, match="lack pairs"):
        scatter_ratio(torch.rand(3, 2), torch.tensor(labels))


def test_correlation_of_distances_is_of_ranks():
    x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert initial_distance_correlation(x, 5 * x + 2) == pytest.approx(1)
    stretched = torch.tensor([[0.0], [1.0], [30.0], [700.0]])
    assert initial_distance_correlation(x, stretched) > 0.9
    # distances 1, 3, 2 before and 3, 1, 2 after
    turned = initial_distance_correlation(
        torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [3.0], [1.0]])
    )
    assert turned == pytest.approx(-1)


def test_correlation_uses_the_same_images_of_both():
    source = torch.Generator().manual_seed(0)
    x = torch.rand(60, 4, generator=source)
    assert initial_distance_correlation(x, 2 * x, subset=20) == pytest.approx(1)
    mixed = x[torch.randperm(60, generator=source)]
    assert abs(initial_distance_correlation(x, mixed)) < 0.3
    assert initial_distance_correlation(x, torch.ones(60, 2)) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="4 embeddings before and 3 after"):
        initial_distance_correlation(torch.rand(4, 2), torch.rand(3, 2))
    with pytest.raises(ValueError, match="4 embeddings and 3 labels"):
        silhouette(torch.rand(4, 2), torch.tensor([0, 1, 1]))


def test_distances_that_overflow_have_no_ratio():
    x = torch.tensor([[0.0], [1e200], [-1e200], [1e199]], dtype=torch.float64)
    with pytest.raises(ValueError, match="mean distance between classes is inf; rescale"):
        scatter_ratio(x, torch.tensor([0, 0, 1, 1]))


def test_far_and_tight_classes_are_measured_as_near_ones():
    x, y = torch.randn(60, 3, dtype=torch.float64), torch.arange(60) % 3
    for moved in (x + 1e7, torch.cat((x, x)) + 1e8):
        labels = y if len(moved) == 60 else torch.cat((y, y))
        still = moved - moved.mean(0).round()
        for measure in (silhouette, scatter_ratio, class_elongation):
            assert measure(moved, labels) == pytest.approx(measure(still, labels), rel=1e-6)


def test_a_cluster_beside_an_outlier_keeps_its_silhouette():
    x = torch.tensor([[0.0], [1e-6], [1.0], [1.0 + 1e-6], [1e9]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 3])
    distance = (x - x.T).abs().numpy()
    expected = silhouette_samples(distance, labels.numpy(), metric="precomputed").mean()
    assert silhouette(x, labels) == pytest.approx(float(expected))


@pytest.mark.parametrize("measure", [silhouette, scatter_ratio, class_elongation, clusters_per_class])
def test_what_is_no_tensor_is_told(measure):
    x, y = torch.rand(6, 2), torch.arange(6) % 2
    for call in ((x.numpy(), y), (x.tolist(), y), (x, y.numpy()), (x, y.tolist())):
        with pytest.raises(TypeError, match=r"must be a tensor, got \w+: convert it by torch\.as_tensor"):
            measure(*call)

"""Similarity, topology, regions and subspaces on a GPU that is not there; those that wait for it say so."""

from __future__ import annotations

import importlib

import pytest
import torch

from lggkit import generative, regions, similarity, subspaces, topology

CUDA = {"device": "cuda"}


def rdms():
    return torch.rand(3, 12, 12, requires_grad=True, **CUDA)


def duals():
    return torch.rand(6, 2, 4, **CUDA)


def bases(r=5, n=8, l=3):
    return torch.linalg.qr(torch.rand(r, n, l, **CUDA)).Q.requires_grad_()


SIMILARITY = {
    "BatchedCKA": lambda s: _cka(s).value(),
    "LinearFit": lambda s: similarity.LinearFit(0.1, intercept=True).update(s.x, s.x).solve().weight,
    "LinearMap": lambda s: similarity.LinearMap(torch.rand(7, 2, **CUDA), torch.rand(2, **CUDA))(s.x),
    "RelativeSpace": lambda s: [
        similarity.RelativeSpace(s.x[:3], statistics, "cosine", root_scaled=True)(s.x)
        for statistics in (None, similarity.Statistics.of(s.x))
    ],
    "Statistics": lambda s: similarity.Statistics.of(s.x).moved(similarity.Statistics.of(s.x), 0.3).mean,
    "choose_anchors": lambda s: [similarity.choose_anchors(s.x, 3, how) for how in ("random", "far")],
    "category_rdms": lambda s: similarity.category_rdms(s.labels, range(2)),
    "cka": lambda s: [similarity.cka(s.x, s.x, unbiased) for unbiased in (True, False)],
    "compare_rdms": lambda s: [
        similarity.compare_rdms(rdms(), rdms(), how) for how in ("pearson", "spearman", "kendall", "cosine")
    ],
    "compute_rdm": lambda s: [similarity.compute_rdm(s.x, how) for how in ("correlation", "euclidean")],
    "fit_linear_map": lambda s: similarity.fit_linear_map(s.x, s.x, 0.1).weight,
    "mapping_mse": lambda s: [similarity.mapping_mse(s.x, s.x, how) for how in ("element", "vector")],
    "mean_rdm": lambda s: similarity.mean_rdm(rdms()),
    "mean_reciprocal_rank": lambda s: similarity.mean_reciprocal_rank(s.x, s.x),
    "neighbor_overlap": lambda s: similarity.neighbor_overlap(s.x, s.x, 3),
    "overlap_of_depths": lambda s: similarity.overlap_of_depths([s.x], [s.x], 3),
    "neighbour_jaccard": lambda s: similarity.neighbour_jaccard(s.x, s.x, 3),
    "noise_ceiling": lambda s: similarity.noise_ceiling(rdms()),
    "paired_cosine": lambda s: similarity.paired_cosine(s.x, s.x),
    "permutation_diagonal": lambda s: similarity.permutation_diagonal(s.x[0]),
    "r2_score": lambda s: similarity.r2_score(s.x, s.x),
    "rdm_matrix": lambda s: similarity.rdm_matrix(similarity.rdm_vector(rdms())),
    "rdm_vector": lambda s: similarity.rdm_vector(rdms()),
    "relative_map": lambda s: [
        similarity.relative_map(s.x, s.x[:3], kind) for kind in ("cosine", "inner", "euclidean")
    ],
    "resampled_rdm": lambda s: similarity.resampled_rdm(
        rdms()[0], torch.zeros(2, 5, dtype=torch.int64, **CUDA)
    ),
    "robust_relative_map": lambda s: [
        similarity.robust_relative_map(s.x, s.x[:3], shared=shared) for shared in (True, False)
    ],
    "stitch": lambda s: similarity.stitch(lambda x: x, lambda x: x, lambda x: x)(s.x),
    "without_copies": lambda s: similarity.without_copies(
        rdms()[:2], torch.zeros(2, 12, dtype=torch.int64, **CUDA)
    ),
}
BY_VALUES, BY_SENDING = ("read",), ("read", "send")
WAITING = {
    "similarity": {
        **dict.fromkeys(
            (
                *("BatchedCKA", "LinearFit", "cka", "compute_rdm", "fit_linear_map", "mapping_mse"),
                *("neighbor_overlap", "r2_score"),
            ),
            BY_VALUES,
        ),
        **dict.fromkeys(("choose_anchors", "overlap_of_depths", "permutation_diagonal"), BY_SENDING),
        "category_rdms": ("send",),
    },
    "topology": {},
    "generative": {"BlockAutoencoder": ("send",), "frechet_distance": BY_VALUES},
    "regions": dict.fromkeys(
        ("activation_patterns", "align_maps", "local_affine_maps", "map_fits"), BY_VALUES
    ),
    "subspaces": {
        **dict.fromkeys(
            (
                "SchubertBestFit",
                "SubspaceNeighbors",
                "SubspacePrototypes",
                "flag_mean",
                "flag_median",
                "haar_subspaces",
                "orthonormal_basis",
                "principal_angles",
                "schubert_distance",
                "schubert_fit",
                "set_distances",
            ),
            BY_VALUES,
        ),
        "SchubertNode": BY_SENDING,
        "SquaredCosineHead": ("send",),
    },
}
"""By wing and name, in which ways the host waits."""
ONE_CPU = "draws its stimuli on the CPU and gives numbers"
OTHERS = {
    "similarity": {
        **dict.fromkeys(("Null", "Resampled", "WeightedRDM"), "a type"),
        **dict.fromkeys(("bootstrap_stimuli", "compare_resampled", "subsample_stimuli"), ONE_CPU),
        **dict.fromkeys(("cka_with_null", "overlap_with_null"), "permutes on the CPU and gives numbers"),
        "compare_within": "numbers the groups by their values",
        "fit_weighted_rdm": "by SciPy's solver, on the CPU",
        "intertwiner_residual": "least squares, which fake tensors do not have",
        "random_rotation": "draws on the CPU",
    },
    "topology": {},
    "generative": dict.fromkeys(
        (
            *("binned", "dcimig", "factor_response_matrix", "jemmig", "matched_share", "mig", "mig_sup"),
            "mutual_information_matrix",
        ),
        "numbers of a whole set of codes, counted once",
    ),
    "regions": {
        **dict.fromkeys(
            (
                *("Ball", "Cell", "Crossings", "Enumeration", "Piece", "Plane", "Polyhedron"),
                *("MapAlignment", "MapClusters"),
            ),
            "a type",
        ),
        **dict.fromkeys(
            (
                *("Cells", "bisection_crossings", "enumerate_cells", "planar_partition", "segment_crossings"),
                *("enclosed_parts", "piece_maps"),
            ),
            "in float64 by linear programs and NumPy, on the CPU",
        ),
        "cluster_maps": "scikit-learn's k-means, on the CPU",
        "square": "of numbers",
    },
    "subspaces": {},
}
"""By wing and name, why one is not rehearsed."""
TOPOLOGY = {
    "beta_connected": lambda s: topology.beta_connected(s.x, 0.5),
    "component_deaths": lambda s: [topology.component_deaths(x) for x in (s.x, s.x.view(3, 4, 7), s.x[:1])],
    "spanning_tree": lambda s: topology.spanning_tree(torch.rand(2, 5, 5, **CUDA)),
}
REGIONS = {
    "align_maps": lambda s: regions.align_maps(duals(), duals())(duals()),
    "dual_outputs": lambda s: regions.dual_outputs(duals(), torch.rand(6, 3, **CUDA)),
    "dual_points": lambda s: regions.dual_points(duals(), torch.rand(6, 2, **CUDA)),
    "map_fits": lambda s: [fit.solve().weight for fit in regions.map_fits(duals(), duals())],
    "activation_patterns": lambda s: regions.activation_patterns(s.model, s.images),
    "hamming": lambda s: regions.hamming(s.x > 0.5),
    "local_affine_maps": lambda s: regions.local_affine_maps(s.model, s.images),
}
SUBSPACES = {
    "SchubertBestFit": lambda s: subspaces.SchubertBestFit(2).fit(bases().detach()).basis_,
    "SchubertNode": lambda s: subspaces.SchubertNode(8, 4, 2).to("cuda")(bases()),
    "SquaredCosineHead": lambda s: subspaces.SquaredCosineHead(4, 3).to("cuda")(torch.rand(5, 4, 2, **CUDA)),
    "SubspaceNeighbors": lambda s: [
        subspaces.SubspaceNeighbors(bases(), s.labels[:5], how, 2).predict(bases(4))
        for how in subspaces.neighbors.DISTANCES
    ],
    "SubspacePrototypes": lambda s: subspaces.SubspacePrototypes(list(bases(3))).predict(bases()),
    "flag_mean": lambda s: subspaces.flag_mean(bases(), 2),
    "flag_median": lambda s: subspaces.flag_median(bases(), 2, iterations=2),
    "haar_subspaces": lambda s: subspaces.haar_subspaces(2, 8, 3, torch.Generator("cuda")),
    "orthonormal_basis": lambda s: [
        subspaces.orthonormal_basis(torch.rand(2, 8, 3, **CUDA), how) for how in ("qr", "svd")
    ],
    "principal_angles": lambda s: subspaces.principal_angles(bases(), bases()),
    "schubert_distance": lambda s: subspaces.schubert_distance(bases(), bases()),
    "schubert_fit": lambda s: [
        subspaces.schubert_fit(bases(), bases(1)[0], 2, how) for how in ("cos", "cos2")
    ],
    "set_distances": lambda s: [
        subspaces.set_distances(bases(), bases(), how) for how in subspaces.neighbors.DISTANCES
    ],
}


def _cka(s):
    made = similarity.BatchedCKA()
    made.update([s.x, s.x], [s.x])
    return made


GENERATIVE = {
    "BlockAutoencoder": lambda s: blocks()(torch.rand(2, 3, 64, 64, **CUDA)),
    "frechet_distance": lambda s: generative.frechet_distance(s.x, s.x[:4]),
    "path_roughness": lambda s: generative.path_roughness(torch.rand(2, 5, 1, 4, 4, **CUDA)),
}


def blocks():
    return generative.BlockAutoencoder(64, (2, 2), 8).to("cuda")


CASES = {
    "similarity": SIMILARITY,
    "topology": TOPOLOGY,
    "regions": REGIONS,
    "subspaces": SUBSPACES,
    "generative": GENERATIVE,
}
EACH = [(wing, name) for wing, cases in CASES.items() for name in cases]


@pytest.mark.parametrize(("wing", "name"), EACH)
def test_a_wing(wing, name, rehearse):
    rehearse(CASES[wing][name], *WAITING[wing].get(name, ()))


@pytest.mark.parametrize("wing", CASES)
def test_a_wing_is_complete_and_says_whether_it_waits(wing, complete):
    complete(wing, CASES[wing], OTHERS[wing])
    assert "wait" in importlib.import_module(f"lggkit.{wing}").__doc__
    assert WAITING[wing].keys() <= CASES[wing].keys()

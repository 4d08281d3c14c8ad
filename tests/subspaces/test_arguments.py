"""What is refused, each in one sentence that says what was seen and what to do."""

import pytest
import torch

from lggkit import subspaces as s

X = torch.linalg.qr(torch.randn(5, 6, 2, generator=torch.Generator().manual_seed(0))).Q
LABELS = torch.tensor([0, 1, 0, 1, 1])
REFUSED = {
    "rank": (lambda: s.orthonormal_basis(torch.ones(6, 2)), "rank 1; leave out"),
    "zero": (lambda: s.orthonormal_basis(torch.zeros(6, 2)), "rank 0; leave out"),
    "too many": (lambda: s.orthonormal_basis(torch.rand(3, 4)), r"shape \(3, 4\); give"),
    "method": (lambda: s.orthonormal_basis(X, "lu"), "method must be one of"),
    "dependent": (lambda: s.principal_angles(2 * X, X), "pass it through orthonormal_basis"),
    "spaces": (lambda: s.principal_angles(X, X[:, :2].clone() * 0 + torch.eye(2)), "6 and 2 coordinates"),
    "measure": (lambda: s.schubert_distance(X, X[0], measure="cos"), "measure must be one of"),
    "norm": (lambda: s.schubert_distance(X, X[0], norm=0.5), "norm is 0.5; give"),
    "c": (lambda: s.schubert_fit(X, X[0], 3), "c is 3, but subspaces of dimensions 2 and 2 have 2 angles"),
    "c of a fit": (lambda: s.SchubertBestFit(1, 2).fit(X), "c is 2, but .* have 1 angles; lower it"),
    "k": (lambda: s.SchubertBestFit(7).fit(X), "k is 7, but the space has 6 dimensions"),
    "k of a mean": (lambda: s.flag_mean(X, 7), "choose 1 to 6"),
    "sizes": (lambda: s.SchubertBestFit(2).fit([X[0], X[0, :, :1]]), r"shapes \(6, 1\), \(6, 2\); give"),
    "none": (lambda: s.flag_mean([], 1), "shapes none"),
    "one": (lambda: s.SchubertBestFit(2).fit(X[0]), r"shape \(6, 2\); give at least one basis"),
    "objective": (lambda: s.SchubertBestFit(2, objective="sin"), "objective must be one of"),
    "solver": (lambda: s.SchubertBestFit(2, solver="sgd"), "solver must be one of"),
    "adam": (lambda: s.SchubertBestFit(2, 2, solver="adam_penalty"), "choose another solver"),
    "tolerance": (lambda: s.SchubertBestFit(2, tolerance=-1), "tolerance is -1; give"),
    "unfitted": (lambda: s.SchubertBestFit(2).transform(X), "call fit first"),
    "weights": (lambda: s.flag_mean(X, 2, torch.ones(3)), "one for each of 5 sets"),
    "no class": (lambda: s.SubspacePrototypes([]), "one subspace for each class"),
    "gap": (lambda: s.SubspacePrototypes.of(X, 2 * LABELS, lambda x: x[0]), "class 1 has no set"),
    "labels": (lambda: s.SubspaceNeighbors(X, LABELS[:3]), "one integer for each of 5 sets"),
    "float labels": (lambda: s.SubspaceNeighbors(X, LABELS.float()), "torch.float32"),
    "metric": (lambda: s.set_distances(X, X, "euclid"), "metric must be one of"),
    "matrices": (lambda: s.set_distances(X, X[:, :, :1]), r"y has shape \(5, 6, 1\); give"),
    "neighbours": (lambda: s.SubspaceNeighbors(X, LABELS, k=6), "choose 1 to 5"),
    "temperature": (lambda: s.SquaredCosineHead(3, 2, 0), "temperature is 0; give"),
    "coordinates": (lambda: s.SquaredCosineHead(3, 2)(torch.rand(4, 2, 1)), r"give \(..., 3, c\)"),
    "node": (lambda: s.SchubertNode(6, 3)(torch.eye(5, 2)), "5 and 6 coordinates"),
    "negative labels": (lambda: s.SubspaceNeighbors(X, LABELS - 1), "a label is -1; give classes from 0 on"),
    "of negative labels": (lambda: s.SubspacePrototypes.of(X, LABELS - 1, lambda x: x[0]), "a label is -1"),
    "no set": (lambda: s.schubert_fit(X[:0], X[0]), r"shape \(0, 6, 2\); give at least one basis"),
    "unfitted score": (lambda: s.SchubertBestFit(2).score(X), "call fit first"),
    "NaN": (lambda: s.set_distances(X, X / 0 * 0), "y has entries that are NaN"),
    "NaN asked": (
        lambda: s.SubspaceNeighbors(X, LABELS).predict(X * torch.nan),
        "x has entries that are NaN",
    ),
    "c of a node": (lambda: s.SchubertNode(6, 3, 2)(torch.eye(6, 1)), "have 1 angles"),
}
TYPES = {
    "list": (lambda: s.principal_angles([[1.0]], X), "x must be a tensor"),
    "integers": (lambda: s.orthonormal_basis(torch.eye(3).long()), "must be floating point"),
    "k": (lambda: s.SchubertBestFit(2.0), "k must be an int"),
    "tolerance": (lambda: s.SchubertBestFit(2, tolerance="a"), "tolerance must be a number, got 'a'"),
    "tolerance of a median": (lambda: s.flag_median(X, 2, tolerance="a"), "tolerance must be a number"),
    "norm": (lambda: s.schubert_distance(X, X[0], norm="a"), "norm must be a number"),
    "temperature": (lambda: s.SquaredCosineHead(3, 2, "a"), "temperature must be a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_are_refused(case):
    work, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        work()


@pytest.mark.parametrize("case", TYPES)
def test_types_are_refused(case):
    work, said = TYPES[case]
    with pytest.raises(TypeError, match=said):
        work()

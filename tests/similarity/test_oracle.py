"""RDMs, their comparison, ceilings and weighted models against rsatoolbox's."""

import numpy as np
import pytest
import torch
from rsatoolbox.data import Dataset
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.model import ModelWeighted
from rsatoolbox.model.fitter import fit_regress
from rsatoolbox.rdm import RDMs, calc_rdm, compare

from lggkit.similarity import (
    compare_rdms,
    compute_rdm,
    fit_weighted_rdm,
    noise_ceiling,
    rdm_matrix,
    rdm_vector,
)

THEIRS = {"pearson": "corr", "spearman": "spearman", "kendall": "tau-a", "cosine": "cosine"}
SEEDS = range(5)


def features(seed, stimuli=14, count=30):
    return torch.randn(stimuli, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def people(seed, count=4, digits=None):
    """RDMs (count, 14, 14) that share a part; with few digits many pairs are tied."""
    pairs = features(seed, 1, 91).abs() + features(seed + 100, count, 91).abs()
    return rdm_matrix(pairs if digits is None else pairs.round(decimals=digits))


def given(rdms):
    return RDMs(rdm_vector(rdms).numpy())


@pytest.mark.parametrize("seed", SEEDS)
def test_rdms_are_theirs(seed):
    x = features(seed)
    theirs = calc_rdm(Dataset(x.numpy()), method="correlation").dissimilarities[0]
    np.testing.assert_allclose(rdm_vector(compute_rdm(x)).numpy(), theirs, rtol=1e-10)
    squares = calc_rdm(Dataset(x.numpy()), method="euclidean").dissimilarities[0] * x.shape[1]
    np.testing.assert_allclose(rdm_vector(compute_rdm(x, "euclidean")).square().numpy(), squares, rtol=1e-10)


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("method", THEIRS)
def test_comparisons_are_theirs_with_and_without_ties(method, digits):
    rdms = people(1, digits=digits)
    ours = compare_rdms(rdms[:, None], rdms[None], method)
    np.testing.assert_allclose(ours.numpy(), compare(given(rdms), given(rdms), THEIRS[method]), atol=1e-12)


@pytest.mark.parametrize("method", THEIRS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:Noise ceiling for tau")
def test_ceilings_are_theirs(method, seed):
    rdms = people(seed)
    ours = [end.mean().item() for end in noise_ceiling(rdms, method)]
    assert ours == pytest.approx(boot_noise_ceiling(given(rdms), THEIRS[method]), abs=1e-12)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_weights_point_where_theirs_do(seed, intercept):
    basis = people(seed, 5)
    parts = torch.tensor([2.0, 0.0, 1.0, -0.5, 1.0], dtype=torch.float64)
    target = (parts[:, None, None] * basis).sum(0) + 0.1 * people(seed + 1, 1)[0]
    ours = fit_weighted_rdm(basis, target, False, intercept).weights
    model = ModelWeighted("basis", rdm_vector(basis).numpy())
    theirs = fit_regress(model, given(target[None]), "corr" if intercept else "cosine")
    np.testing.assert_allclose((ours / ours.norm()).numpy(), np.ravel(theirs), atol=1e-8)

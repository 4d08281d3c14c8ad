"""Gradients of polar factors, eigenvectors and bases, also where singular values are equal."""

import pytest
import torch

from lggkit.subspaces import SchubertNode, haar_subspaces, orthonormal_basis
from lggkit.subspaces._factors import polar, top_vectors


def inputs():
    drawn = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return {"drawn": drawn, "eye": torch.eye(6, 3, dtype=torch.float64), "equal": torch.linalg.qr(drawn).Q}


@pytest.mark.parametrize("name", ["drawn", "eye", "equal"])
def test_gradients_are_those_of_finite_differences(name):
    x = inputs()[name].requires_grad_()
    assert torch.autograd.gradcheck(polar, x)
    for method in ("qr", "svd"):
        assert torch.autograd.gradcheck(lambda z, m=method: _projector(orthonormal_basis(z, m)), x)


def _projector(q):
    return q @ q.mT


def test_vectors_of_eigenvalues_apart_have_the_gradient_of_finite_differences():
    assert torch.autograd.gradcheck(lambda z: top_vectors(z.mT @ z, 2), inputs()["drawn"].requires_grad_())


def test_vectors_of_equal_eigenvalues_have_a_finite_gradient():
    node = SchubertNode(6, 3, c=2)
    with torch.no_grad():
        node.weight.copy_(torch.eye(6, 3))
    node(torch.eye(6, 2)[None])[..., 0].sum().backward()
    assert node.weight.grad.isfinite().all()


@pytest.mark.parametrize("start", ["drawn", "eye"])
def test_a_node_learns_from_its_first_step_in_float32(start):
    node, x = SchubertNode(20, 5), haar_subspaces(8, 20, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        node.weight.copy_(torch.eye(20, 5) if start == "eye" else node.weight)
    node.angle_loss(x).backward()
    wide = node.weight.detach().double().requires_grad_()
    # 1 - ‖XᵀK‖₂² needs no polar factor where K is made orthonormal by QR: the same function of the subspace.
    loss = 1 - torch.linalg.matrix_norm(x.double().mT @ torch.linalg.qr(wide).Q, 2).square().mean()
    loss.backward()
    torch.testing.assert_close(node.weight.grad.double(), wide.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["qr", "svd"])
def test_vectors_of_very_different_lengths_span_what_they_span(method):
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).clamp(-3, 3)
    lengths = torch.tensor([1e38, 1.0, 1e-30])
    torch.testing.assert_close(
        _projector(orthonormal_basis(x * lengths, method)), _projector(torch.linalg.qr(x).Q)
    )


def test_left_singular_vectors_keep_order_and_sign():
    x = torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(orthonormal_basis(x, "svd"), torch.linalg.svd(x, full_matrices=False).U)

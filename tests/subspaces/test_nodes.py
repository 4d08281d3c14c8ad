import pytest
import torch

from lggkit.subspaces import SchubertBestFit, SchubertNode, SquaredCosineHead, schubert_fit


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("l", [2, 4])
def test_a_node_gives_the_nearest_vectors_whatever_the_basis(haar, turned, c, l):
    node, x = SchubertNode(9, 3, c).double(), haar(5, 9, l)
    b = node(x)
    assert b.shape == (5, 3, c)
    torch.testing.assert_close(node(turned(x)), b)
    _, _, vh = torch.linalg.svd(x.mT @ node.basis.detach())
    torch.testing.assert_close((vh[:, :c] @ b).abs(), torch.eye(c, dtype=torch.float64).expand(5, c, c))
    assert (b.detach().amax(-2) >= -b.detach().amin(-2)).all()


def test_the_basis_stays_orthonormal_and_learns_by_the_angles(planted):
    _, x = planted(20, 10, 2, 2, 0.1)
    node = SchubertNode(10, 2).double()
    optimiser = torch.optim.Adam(node.parameters(), lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        node.angle_loss(x).backward()
        optimiser.step()
    best = SchubertBestFit(2).fit(x).fit_
    assert schubert_fit(x, node.basis.detach()).item() == pytest.approx(best, abs=0.01)
    torch.testing.assert_close(node.basis.T @ node.basis, torch.eye(2, dtype=torch.float64))


@pytest.mark.parametrize("detached", [True, False])
def test_a_classifier_reaches_the_subspace_unless_detached(haar, detached):
    node, head = SchubertNode(9, 3, detached=detached).double(), SquaredCosineHead(3, 2).double()
    loss = torch.nn.functional.cross_entropy(head(node(haar(6, 9, 2))), torch.arange(6) % 2)
    loss.backward()
    assert head.weight.grad.abs().sum() > 0
    assert (node.weight.grad is None) == detached


def test_a_head_does_not_see_signs():
    head, b = SquaredCosineHead(4, 3), torch.randn(5, 4, 2)
    torch.testing.assert_close(head(b), head(b * torch.tensor([1.0, -1.0])))
    expected = (b[..., 0] @ head.weight) ** 2 + (b[..., 1] @ head.weight) ** 2
    torch.testing.assert_close(head(b), expected / 0.1)


def test_batches_of_any_shape_and_of_three_go_through(haar):
    node = SchubertNode(9, 3).double()
    assert node(haar(3, 9, 2)).shape == (3, 3, 1) and node(haar(1, 9, 2)[0]).shape == (3, 1)
    assert node(haar(6, 9, 2).reshape(2, 3, 9, 2)).shape == (2, 3, 3, 1)

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from lggkit.data import apply_augmentation, augment, draw_augmentation

DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda])]


@pytest.fixture(params=DEVICES)
def device(request) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    return request.param


def naive(images: np.ndarray, offsets: np.ndarray, flips: np.ndarray, pad: int) -> np.ndarray:
    """Pixel by pixel: crop of the zero-padded image, then mirror."""
    n, c, h, w = images.shape
    result = np.zeros_like(images)
    for i, k, y, x in np.ndindex(n, c, h, w):
        row = y + offsets[i, 0] - pad
        column = (w - 1 - x if flips[i] else x) + offsets[i, 1] - pad
        if 0 <= row < h and 0 <= column < w:
            result[i, k, y, x] = images[i, k, row, column]
    return result


def random_images(*shape: int) -> torch.Tensor:
    return torch.randint(1, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def every_draw(pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    side = torch.arange(2 * pad + 1)
    grid = torch.cartesian_prod(side, side, torch.arange(2))
    return grid[:, :2].contiguous(), grid[:, 2] == 1


@pytest.mark.parametrize(("shape", "pad"), [((3, 5, 5), 2), ((1, 4, 7), 3), ((2, 6, 3), 1), ((3, 4, 4), 0)])
def test_every_offset_and_flip_gives_the_pixels_of_the_definition(shape, pad, device):
    offsets, flips = every_draw(pad)
    images = random_images(len(flips), *shape)
    ours = apply_augmentation(images.to(device), offsets.to(device), flips.to(device), pad).cpu()
    np.testing.assert_array_equal(ours.numpy(), naive(images.numpy(), offsets.numpy(), flips.numpy(), pad))


def test_pixels_equal_torchvisions_for_every_offset_and_flip():
    from torchvision.transforms.v2 import functional as tv

    offsets, flips = every_draw(4)
    images = random_images(len(flips), 3, 32, 32)
    expected = [
        tv.crop(tv.pad(x, [4]), int(i), int(j), 32, 32) for x, (i, j) in zip(images, offsets, strict=True)
    ]
    expected = [tv.horizontal_flip(x) if f else x for x, f in zip(expected, flips, strict=True)]
    assert torch.equal(apply_augmentation(images, offsets, flips, 4), torch.stack(expected))


def draws_seen_in(augmented: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Which of the 162 draws each augmented copy of ``image`` is, int64 (n,)."""
    offsets, flips = every_draw(4)
    candidates = apply_augmentation(image.expand(162, *image.shape).contiguous(), offsets, flips, 4)
    distances = torch.cdist(augmented.flatten(1).float(), candidates.flatten(1).float(), p=1)
    assert (distances == 0).sum(1).eq(1).all(), "a result is none of the 162 crops, or two of them"
    return distances.argmin(1)


def test_every_offset_and_flip_is_equally_often(generator):
    image = random_images(1, 8, 8)
    seen = draws_seen_in(augment(image.expand(16_200, 1, 8, 8).contiguous(), generator), image)
    counts = torch.bincount(seen, minlength=162).numpy()
    assert chisquare(counts).pvalue > 1e-3


def test_images_and_their_parts_of_the_draw_are_independent(generator):
    offsets, flips = draw_augmentation(20_000, generator)
    draws = torch.cat([offsets, flips[:, None]], 1).double()
    paired = torch.cat([draws[:-1], draws[1:]], 1)
    correlations = torch.corrcoef(paired.T) - torch.eye(6, dtype=torch.float64)
    assert correlations.abs().max() < 0.03


def test_offsets_and_flips_have_the_distribution_of_torchvisions(generator):
    from torchvision.transforms import RandomCrop, RandomHorizontalFlip

    torch.manual_seed(3)
    image = random_images(1, 8, 8)
    crop, mirror = RandomCrop(8, padding=4), RandomHorizontalFlip()
    theirs = draws_seen_in(torch.stack([mirror(crop(image)) for _ in range(4_000)]), image)
    ours = draws_seen_in(augment(image.expand(4_000, 1, 8, 8).contiguous(), generator), image)
    counts = [torch.bincount(seen, minlength=162).double() for seen in (theirs, ours)]
    statistic = ((counts[0] - counts[1]) ** 2 / (counts[0] + counts[1])).sum()
    assert statistic < 225  # the 0.999 quantile of chi-square with 161 degrees of freedom is 221.4


def test_without_flip_offsets_are_those_with_flip():
    draws = [draw_augmentation(50, torch.Generator().manual_seed(5), flip=flip) for flip in (True, False)]
    assert torch.equal(draws[0][0], draws[1][0])
    assert draws[0][1].any() and not draws[1][1].any()


def test_the_generator_alone_decides(generator):
    images, state = random_images(9, 3, 8, 8), generator.get_state()
    first, second = augment(images, generator), augment(images, generator)
    generator.set_state(state)
    torch.manual_seed(99)
    assert torch.equal(augment(images, generator), first)
    assert not torch.equal(first, second)


def test_seeds_are_a_leading_dimension(generator):
    images = random_images(3, 7, 2, 6, 6)
    offsets, flips = draw_augmentation((3, 7), generator, pad=2)
    together = apply_augmentation(images, offsets, flips, 2)
    apart = [apply_augmentation(images[s], offsets[s], flips[s], 2) for s in range(3)]
    assert torch.equal(together, torch.stack(apart))
    assert augment(images, generator).shape == images.shape


def test_input_is_untouched_and_may_be_strided(generator):
    images = random_images(6, 3, 8, 8)
    before, offsets_flips = images.clone(), draw_augmentation(6, generator)
    ours = apply_augmentation(images, *offsets_flips)
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(apply_augmentation(strided, *offsets_flips), ours)
    assert torch.equal(images, before)


def test_empty_batch_stays_empty(generator):
    assert augment(random_images(0, 3, 8, 8), generator).shape == (0, 3, 8, 8)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_it_can_be_captured_in_a_cuda_graph():
    images = random_images(16, 3, 32, 32).cuda()
    offsets, flips = (t.cuda() for t in draw_augmentation(16, torch.Generator().manual_seed(0)))
    graph = torch.cuda.CUDAGraph()
    apply_augmentation(images, offsets, flips)
    with torch.cuda.graph(graph):
        result = apply_augmentation(images, offsets, flips)
    offsets.copy_(torch.flip(offsets, [0]))
    graph.replay()
    assert torch.equal(result, apply_augmentation(images, offsets, flips))


def test_wrong_images_are_refused(generator):
    with pytest.raises(TypeError, match=r"uint8, not torch\.float32"):
        augment(torch.zeros(2, 3, 8, 8), generator)
    with pytest.raises(ValueError, match=r"\(3, 8, 8\): add a batch dimension"):
        augment(torch.zeros(3, 8, 8, dtype=torch.uint8), generator)


def test_wrong_draws_are_refused(generator):
    images, (offsets, flips) = random_images(4, 1, 5, 5), draw_augmentation(4, generator)
    with pytest.raises(TypeError, match="int64 and flips bool"):
        apply_augmentation(images, offsets.float(), flips)
    with pytest.raises(ValueError, match="one for each image"):
        apply_augmentation(images, offsets[:3], flips)
    for wrong in (torch.full_like(offsets, 9), torch.full_like(offsets, -1)):
        with pytest.raises(ValueError, match=r"outside 0\.\.8"):
            apply_augmentation(images, wrong, flips)
    with pytest.raises(ValueError, match="pad is -1"):
        draw_augmentation(4, generator, pad=-1)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x, g: augment(x.numpy(), g), TypeError, "images are a ndarray: give a tensor"),
        (lambda x, g: augment(x.half(), g), TypeError, r"uint8, not torch\.float16"),
        (lambda x, g: augment(x.bfloat16(), g), TypeError, r"uint8, not torch\.bfloat16"),
        (lambda x, g: augment(x, g, pad=float("nan")), TypeError, "pad is nan: give an integer"),
        (lambda x, g: augment(x, g, pad=1.0), TypeError, r"pad is 1\.0"),
        (lambda x, g: augment(x, g, pad=-1), ValueError, "pad is -1: give an integer from 0"),
        (lambda x, g: apply_augmentation(x, *draw_augmentation(2, g), pad=None), TypeError, "pad is None"),
        (lambda x, g: augment(x, None), TypeError, "the generator is a NoneType: give a torch.Generator"),
        (lambda x, g: apply_augmentation(x, [[0, 0]] * 2, [True] * 2), TypeError, "offsets are a list"),
        (lambda x, g: draw_augmentation(-1, g), ValueError, "n is -1"),
        (lambda x, g: draw_augmentation(2.5, g), TypeError, r"n is 2\.5"),
    ],
)
def test_options_that_are_none_are_one_sentence(call, error, said, generator):
    with pytest.raises(error, match=said) as refusal:
        call(random_images(2, 1, 8, 8), generator)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_numbers_may_be_numpys(generator):
    offsets, flips = draw_augmentation(np.int64(5), generator, pad=np.int32(2))
    assert offsets.shape == (5, 2) and flips.shape == (5,)
    assert augment(random_images(3, 1, 8, 8), generator, pad=np.uint8(3)).shape == (3, 1, 8, 8)

"""The fifteen corruptions in the usual way: one image after another, with numpy, scipy and Pillow.

Images are uint8 (h, w, c). ``random`` gives ``uniform(low, high, shape)``, ``normal(shape)``,
``poisson(rates)``, ``integers(end, shape)`` and ``signs(shape)`` (-1 or 0); shapes begin with the channel.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from scipy import ndimage


class NumpyRandom:
    """The numbers that one would take."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def uniform(self, low, high, shape):
        return self.rng.uniform(low, high, shape)

    def normal(self, shape):
        return self.rng.normal(size=shape)

    def poisson(self, rates):
        return self.rng.poisson(rates)

    def integers(self, end, shape):
        return self.rng.integers(end, size=shape)

    def signs(self, shape):
        return self.rng.integers(-1, 1, size=shape)


def to_bytes(x, whole=2e-4):
    return (np.clip(x, 0, 1) * 255 + whole).clip(0, 255).astype(np.uint8)


def unit(image, dtype):
    """As numbers of a type of torch, which sums see in float64."""
    return (image.astype(str(dtype).removeprefix("torch.")) / np.float32(255)).astype(np.float64)


def channels_last(planes):
    return np.moveaxis(planes, 0, -1)


def gaussian_noise(image, random, scale):
    noise = channels_last(random.normal(image.shape[2:] + image.shape[:2]))
    return to_bytes(image / 255 + scale * noise)


def shot_noise(image, random, photons):
    counts = random.poisson(np.moveaxis(image, -1, 0) / 255 * photons)
    return to_bytes(channels_last(counts) / photons)


def impulse_noise(image, random, amount):
    chance = channels_last(random.uniform(0, 1, image.shape[2:] + image.shape[:2]))
    salted = np.where(chance < amount / 2, 1.0, image / 255)
    return to_bytes(np.where((chance >= amount / 2) & (chance < amount), 0.0, salted))


def defocus_blur(image, random, radius, alias, whole, dtype, kernel):
    rows, columns = np.mgrid[-8:9, -8:9]
    disk = (rows**2 + columns**2 <= radius**2).astype(kernel)
    soft = np.exp(-np.array([1.0, 0.0, 1.0]) / (2 * alias**2))
    beside, middle, _ = (soft / soft.sum()).astype(kernel)
    disk /= disk.sum()
    for axis in (1, 0):
        disk = middle * disk + beside * (np.roll(disk, 1, axis) + np.roll(disk, -1, axis))
    kernel = disk.astype(float)
    planes = np.moveaxis(unit(image, dtype), -1, 0)
    planes = [ndimage.correlate(plane, kernel, mode="mirror") for plane in planes]
    return to_bytes(np.stack(planes, -1), whole)


def soft(image, sigma, dtype):
    planes = np.moveaxis(unit(image, dtype), -1, 0)
    return np.stack([ndimage.gaussian_filter(p, sigma, mode="nearest", truncate=4) for p in planes], -1)


def glass_blur(image, random, sigma, rounds, whole, dtype):
    x = to_bytes(soft(image, sigma, dtype), whole)
    height, width = x.shape[:2]
    for _ in range(rounds):
        down, right = random.signs((2, height - 2, width - 2))
        for h in range(height - 1, 1, -1):
            for w in range(width - 1, 1, -1):
                x[h, w] = x[h + down[h - 2, w - 2], w + right[h - 2, w - 2]]
    return to_bytes(soft(x, sigma, dtype), whole)


def line_blur(image, angle, radius, sigma, carry):
    """ImageMagick's: ``radius`` > 0 makes 2 · radius + 1 taps; ``carry`` is added before the floor."""
    taps = np.arange(2 * radius + 1)
    weights = np.exp(-(taps**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    theta, total = np.deg2rad(float(angle)), np.zeros(image.shape)
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    for tap, weight in zip(taps, weights / weights.sum(), strict=True):
        r = np.clip(rows + int(np.ceil(tap * np.sin(theta) - 0.5)), 0, image.shape[0] - 1)
        c = np.clip(columns + int(np.ceil(tap * np.cos(theta) - 0.5)), 0, image.shape[1] - 1)
        total += weight * image[r][:, c]
    return np.floor(total + carry).clip(0, 255).astype(np.uint8)


def motion_blur(image, random, radius, sigma, carry):
    return line_blur(image, random.uniform(-45, 45, ()), radius, sigma, carry)


def clipped_zoom(x, factor):
    height, width = x.shape[:2]
    parts = [int(np.ceil(side / factor)) for side in (height, width)]
    top, left = (height - parts[0]) // 2, (width - parts[1]) // 2
    x = x[top : top + parts[0], left : left + parts[1]]
    x = ndimage.zoom(x, (factor, factor, 1), order=1, mode="nearest")
    top, left = (x.shape[0] - height) // 2, (x.shape[1] - width) // 2
    return x[top : top + height, left : left + width]


def zoom_blur(image, random, largest):
    x, factors = image / 255, np.arange(1, largest, 0.01)
    return to_bytes((x + sum(clipped_zoom(x, factor) for factor in factors)) / (len(factors) + 1))


def grey(x):
    return x if x.shape[-1] == 1 else (x @ [0.299, 0.587, 0.114])[..., None]


def snow(image, random, mean, spread, zoom, threshold, radius, sigma, share, carry):
    x = image / 255
    layer = random.normal((1, *image.shape[:2]))[0] * spread + mean
    layer = clipped_zoom(layer[..., None], zoom)
    layer[layer < threshold] = 0
    layer = line_blur(to_bytes(layer), random.uniform(-135, -45, ()), radius, sigma, carry) / 255
    x = share * x + (1 - share) * np.maximum(x, grey(x) * 1.5 + 0.5)
    return to_bytes(x + layer + np.rot90(layer, 2))


def frost(image, random, share, amount, textures):
    """``textures`` (5, side, side, c), periodic."""
    texture = textures[random.integers(len(textures), ())]
    top, left = random.integers(texture.shape[0], (2,))
    part = np.roll(texture, (-top, -left), (0, 1))[: image.shape[0], : image.shape[1]]
    return to_bytes((share * image.astype(float) + amount * part) / 255)


def plasma(random, side, decay):
    land, mesh, wibble = np.zeros((side, side)), side, 100.0
    while mesh >= 2:
        half, count = mesh // 2, side // mesh
        push = random.uniform(-(wibble**2), wibble**2, (3, count, count))
        for i in range(count):
            for j in range(count):
                r, c = i * mesh, j * mesh
                corners = [land[(r + a) % side, (c + b) % side] for a in (0, mesh) for b in (0, mesh)]
                land[r + half, c + half] = sum(corners) / 4 + push[0, i, j]
        for i in range(count):
            for j in range(count):
                for r, c, plane in ((i * mesh, j * mesh + half, 1), (i * mesh + half, j * mesh, 2)):
                    near = [(half, 0), (-half, 0), (0, half), (0, -half)]
                    around = sum(land[(r + a) % side, (c + b) % side] for a, b in near)
                    land[r, c] = around / 4 + push[plane, i, j]
        mesh, wibble = half, wibble / decay
    land -= land.min()
    return land / land.max()


def fog(image, random, amount, decay):
    x, side = image / 255, 32
    while side < max(image.shape[:2]):
        side *= 2
    while side // 2 >= max(image.shape[:2]):
        side //= 2
    clouds = plasma(random, side, decay)[: image.shape[0], : image.shape[1], None]
    return to_bytes((x + amount * clouds) * x.max() / (x.max() + amount))


def brightness(image, random, more):
    from matplotlib.colors import hsv_to_rgb, rgb_to_hsv

    hsv = rgb_to_hsv(np.broadcast_to(image, (*image.shape[:2], 3)) / 255)
    hsv[..., 2] = np.clip(hsv[..., 2] + more, 0, 1)
    return to_bytes(hsv_to_rgb(hsv)[..., : image.shape[2]])


def contrast(image, random, share):
    x = image / 255
    means = x.mean((0, 1), keepdims=True)
    return to_bytes((x - means) * share + means)


def elastic_transform(image, random, strength, smooth, corners):
    x, (height, width) = image / 255, image.shape[:2]
    side = min(height, width)
    s, cx, cy = side // 3, width // 2, height // 2
    before = np.array([[cx + s, cy + s], [cx + s, cy - s], [cx - s, cy - s]], dtype=float)
    after = before + random.uniform(-corners * side, corners * side, (3, 2))
    forward = np.eye(3)
    forward[:2] = np.linalg.solve(np.column_stack([before, np.ones(3)]), after).T
    rows, columns = np.mgrid[:height, :width]
    points = np.linalg.inv(forward) @ np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])
    x = resampled(x, points[1].reshape(rows.shape), points[0].reshape(rows.shape), "mirror")
    if strength:
        noise = random.uniform(-1, 1, (2, height, width))
        across, down = (
            ndimage.gaussian_filter(plane, smooth * side, mode="reflect", truncate=3) * strength * side
            for plane in noise
        )
        x = resampled(x, rows + down, columns + across, "reflect")
    return to_bytes(x)


def resampled(x, rows, columns, mode):
    planes = [ndimage.map_coordinates(p, [rows, columns], order=1, mode=mode) for p in np.moveaxis(x, -1, 0)]
    return np.stack(planes, -1)


def pillow(image):
    from PIL import Image

    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def pixelate(image, random, share):
    from PIL import Image

    height, width = image.shape[:2]
    small = pillow(image).resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX)).reshape(image.shape)


def jpeg_compression(image, random, quality):
    from PIL import Image

    stream = BytesIO()
    pillow(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream)).reshape(image.shape)

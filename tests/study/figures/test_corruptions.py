import numpy as np
import pytest
import torch

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt, corruption_sheet
from lggkit.study.figures.corruptions import GAP, contact_sheet


@pytest.mark.parametrize(("n", "c", "h", "w"), [(2, 3, 32, 32), (1, 1, 16, 8)])
def test_every_corruption_and_severity_has_its_place_on_the_sheet(n, c, h, w):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    images = torch.randint(256, (n, c, h, w), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    figure = contact_sheet(corruption_sheet(images, seed=3).numpy())
    (ax,) = figure.axes
    sheet = np.asarray(ax.images[0].get_array())
    assert sheet.shape == (6 * (h + GAP), 15 * (w + GAP), 3)
    for column, name in enumerate(CORRUPTIONS):
        clean = images[column % n][None]
        for row, severity in enumerate((None, *SEVERITIES)):
            cell = clean if severity is None else corrupt(clean, name, severity, seed=3)
            top, left = row * (h + GAP), column * (w + GAP)
            seen = sheet[top : top + h, left : left + w]
            assert np.array_equal(seen, cell[0].permute(1, 2, 0).expand(-1, -1, 3).numpy())
            assert (sheet[top + h : top + h + GAP, left : left + w] == 255).all()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["clean", "1", "2", "3", "4", "5"]
    assert [t.get_text().replace(" ", "_") for t in ax.get_xticklabels()] == list(CORRUPTIONS)
    plt.close(figure)


def test_no_images_no_sheet():
    with pytest.raises(ValueError, match="no images to corrupt"):
        corruption_sheet(torch.zeros(0, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match="15 corruptions"):
        contact_sheet(np.zeros((2, 6, 3, 8, 8), dtype=np.uint8))

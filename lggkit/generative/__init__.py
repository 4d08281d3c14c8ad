"""Networks that generate, and what their codes have to do with known factors (article 10).

An autoencoder whose code is cut into blocks, measures of disentanglement, of codes and factors alone: any
encoder's will do, and the distance of the features of two sets of images. Factors are integers (n, f), codes
and features floating point (n, m), samples are rows. The measures and the distance wait for the device, the
autoencoder and `path_roughness` do not.
"""

from lggkit.generative.block_autoencoder import BlockAutoencoder
from lggkit.generative.disentanglement import (
    binned,
    dcimig,
    jemmig,
    mig,
    mig_sup,
    mutual_information_matrix,
)
from lggkit.generative.frechet import frechet_distance
from lggkit.generative.responses import factor_response_matrix, matched_share, path_roughness

__all__ = [
    "BlockAutoencoder",
    "binned",
    "dcimig",
    "factor_response_matrix",
    "frechet_distance",
    "jemmig",
    "matched_share",
    "mig",
    "mig_sup",
    "mutual_information_matrix",
    "path_roughness",
]

"""Zero-dimensional persistence of weighted graphs, and the sliced Wasserstein kernel on it."""

from skparietal.persistence.diagrams import persistence_diagram, persistence_diagrams
from skparietal.persistence.sliced_wasserstein import (
    SlicedWassersteinKernel,
    sliced_wasserstein_distances,
)

__all__ = [
    "SlicedWassersteinKernel",
    "persistence_diagram",
    "persistence_diagrams",
    "sliced_wasserstein_distances",
]

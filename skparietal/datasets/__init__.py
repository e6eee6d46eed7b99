"""Generators with known truth and loaders of real data."""

from skparietal.datasets.collapse import (
    make_collapse_regression,
)
from skparietal.datasets.feedback import (
    make_feedback,
    make_synthetic_labels,
)
from skparietal.datasets.mixing import (
    make_mixed_regression,
)
from skparietal.datasets.ratings import (
    reconstruct_ratings,
)
from skparietal.datasets.real import (
    load_ames,
    load_diamonds,
    load_flights,
    load_insteval,
    load_movielens,
    load_movielens_100k,
)
from skparietal.datasets.text import (
    load_python_topics,
    load_reuters,
    split_headline,
)
from skparietal.datasets.zipf import (
    make_zipf_associations,
)

__all__ = [
    "load_ames",
    "load_diamonds",
    "load_flights",
    "load_insteval",
    "load_movielens",
    "load_movielens_100k",
    "load_python_topics",
    "load_reuters",
    "make_collapse_regression",
    "make_feedback",
    "make_mixed_regression",
    "make_synthetic_labels",
    "make_zipf_associations",
    "reconstruct_ratings",
    "split_headline",
]

"""Generators with known truth and loaders of real data."""

from skparietal.datasets.real import (
    load_ames,
    load_diamonds,
    load_flights,
    load_insteval,
    load_movielens,
    load_movielens_100k,
)

__all__ = [
    "load_ames",
    "load_diamonds",
    "load_flights",
    "load_insteval",
    "load_movielens",
    "load_movielens_100k",
]

"""Simulated chains of models and simulated environments."""

from skparietal.simulation.bandits import (
    ConcaveBanditEnvironment,
    ScalarizedBandit,
    make_concave_bandit,
    regret_slope,
    simulate,
)
from skparietal.simulation.chain import collapse_chain

__all__ = [
    "ConcaveBanditEnvironment",
    "ScalarizedBandit",
    "collapse_chain",
    "make_concave_bandit",
    "regret_slope",
    "simulate",
]

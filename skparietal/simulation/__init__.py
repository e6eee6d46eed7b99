"""Simulated chains of models and simulated environments."""

from skparietal.simulation.attacks import deepfool_attack, gradient_sign_attack
from skparietal.simulation.bandits import (
    ConcaveBanditEnvironment,
    ScalarizedBandit,
    make_concave_bandit,
    simulate,
)
from skparietal.simulation.chain import collapse_chain
from skparietal.simulation.clicks import ClickEnvironment, RankingGoal, make_click_environment

__all__ = [
    "ClickEnvironment",
    "ConcaveBanditEnvironment",
    "RankingGoal",
    "ScalarizedBandit",
    "collapse_chain",
    "deepfool_attack",
    "gradient_sign_attack",
    "make_click_environment",
    "make_concave_bandit",
    "simulate",
]

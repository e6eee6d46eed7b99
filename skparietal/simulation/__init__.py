"""Simulated chains of models and simulated environments."""

from skparietal.simulation.chain import collapse_chain

__all__ = ["collapse_chain"]

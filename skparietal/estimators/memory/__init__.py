"""Associative memory of discrete tokens."""

from skparietal.estimators.memory.associative_memory import AssociativeMemory

__all__ = ["AssociativeMemory"]

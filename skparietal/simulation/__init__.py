"""Simulated chains of models and simulated environments."""

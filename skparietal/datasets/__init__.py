"""Generators with known truth and loaders of real data."""

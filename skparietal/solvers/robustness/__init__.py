"""Least squares under attack: paths, faces, descents, and their certificates."""

"""Solvers as functions: a problem in, a solution and its certificate out."""

"""Solvers as functions: a problem in, a solution and its certificate out; a folder per family."""

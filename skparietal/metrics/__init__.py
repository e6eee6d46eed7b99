"""Risks, scorers and measures of exposure."""

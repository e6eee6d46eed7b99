"""Displays in scikit-learn's style, drawn with matplotlib."""

"""Robust fits of scaling laws."""

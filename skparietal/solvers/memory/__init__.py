"""Memory matrices: written, trained, and read with calibrated doubt."""

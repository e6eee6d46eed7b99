"""Private and version-dependent names of scikit-learn that skparietal uses, in one place."""

"""Ridge paths on synthetic rows and what chooses on them."""

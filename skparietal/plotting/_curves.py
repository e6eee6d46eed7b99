"""Check of the curves that a display is asked to draw."""

from collections.abc import Mapping


def check_curves(curves, name):
    """Refuse curves without labels.

    Parameters
    ----------
    curves : dict
        What to draw by label.
    name : str
        Name of the argument.

    Raises
    ------
    TypeError
        If the curves are no mapping.
    """
    if not isinstance(curves, Mapping):
        raise TypeError(
            f"{name} must be a dict from the label of each curve to what it draws, got "
            f"{type(curves).__name__}: write {{'label': ...}}."
        )

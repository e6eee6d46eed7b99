"""Warnings of this package's own."""


class CollapseWarning(UserWarning):
    """Training on these labels is likely to make the model worse than its data's source.

    Raised as a warning when a filter cannot be told from one past its breakdown point, or when a
    class is about to vanish.

    Examples
    --------
    >>> import warnings
    >>> from skparietal.exceptions import CollapseWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", CollapseWarning)
    """

"""How fast a regret vanishes."""

import numpy as np


def regret_slope(rounds, regret, *, since=200):
    """Slope of the regret against the number of rounds in logarithmic axes.

    Parameters
    ----------
    rounds : array-like of shape (n_recorded,)
        Rounds.
    regret : array-like of shape (n_recorded,) or (n_seeds, n_recorded)
        Regrets; averaged over the seeds first.
    since : int, default=200
        First round that counts.

    Returns
    -------
    slope : float
        -0.5 for a regret of order T^-1/2. Least squares on the rounds of positive regret.

    Raises
    ------
    ValueError
        If fewer than two rounds of positive regret are left.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.metrics import regret_slope
    >>> rounds = np.array([100, 1000, 10_000])
    >>> regret_slope(rounds, 3 / np.sqrt(rounds))
    -0.5
    """
    rounds, mean = np.asarray(rounds), np.atleast_2d(regret).mean(axis=0)
    used = (rounds >= since) & (mean > 0)
    if used.sum() < 2:
        raise ValueError(
            f"A slope needs two rounds of positive regret from since={since} on, got {used.sum()}: "
            "record more rounds or lower since."
        )
    return float(np.polyfit(np.log(rounds[used]), np.log(mean[used]), 1)[0])

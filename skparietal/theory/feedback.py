"""Feedback on synthetic labels: breakdown point, purity, best of several candidates.

A row has true label y and synthetic label y'. With chance ``error_rate`` the synthetic label is
wrong. Feedback keeps a right row with chance ``phi`` and a wrong row with chance ``psi``, so the
kept share is (1 - error_rate) phi + error_rate psi. The breakdown point as a measurable proxy of a
verifier is the paper's; its form for several classes and the other formulas are derived here.

References
----------
Feng, Dohmatob, Yang, Charton, Kempe, Beyond Model Collapse: Scaling Up with Synthesized Data
Requires Verification, 2025 (ICLR).
"""

import numpy as np


def breakdown_point(phi, psi, n_classes=2):
    """Generator error above which the kept labels point away from the truth.

    With wrong labels spread evenly over the other classes, training on the kept rows recovers the
    Bayes rule if error_rate < phi / (phi + psi / (n_classes - 1)), given data enough, and ends
    below chance if it is larger.

    Parameters
    ----------
    phi, psi : float or array-like
        Chances that a right and that a wrong label is kept, in [0, 1], not both zero.
    n_classes : int, default=2
        Number of classes.

    Returns
    -------
    point : float or ndarray
        1 for a perfect verifier, 1 - 1 / n_classes for one that knows nothing (phi = psi).

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or both are zero.

    References
    ----------
    Feng, Dohmatob, Yang, Charton, Kempe, Beyond Model Collapse: Scaling Up with Synthesized Data
    Requires Verification, 2025. The case of more than two classes is derived here.

    Examples
    --------
    >>> from skparietal.theory import breakdown_point
    >>> breakdown_point(0.9, 0.3)
    0.75
    """
    phi, psi = _probability("phi", phi), _probability("psi", psi)
    if np.any((phi == 0) & (psi == 0)):
        raise ValueError("phi and psi are both 0: nothing is kept, so there is nothing to break")
    return _plain(phi / (phi + psi / (n_classes - 1)))


def kept_share(error_rate, phi, psi):
    """Share of the rows that the feedback keeps.

    Parameters
    ----------
    error_rate : float or array-like
        Chance that a synthetic label is wrong.
    phi, psi : float or array-like
        Chances that a right and that a wrong label is kept.

    Returns
    -------
    share : float or ndarray
        The sum (1 - error_rate) phi + error_rate psi.
    """
    error_rate = _probability("error_rate", error_rate)
    right, wrong = _probability("phi", phi), _probability("psi", psi)
    return _plain((1 - error_rate) * right + error_rate * wrong)


def kept_purity(error_rate, phi, psi):
    """Share of the kept labels that are right.

    Parameters
    ----------
    error_rate : float or array-like
        Chance that a synthetic label is wrong.
    phi, psi : float or array-like
        Chances that a right and that a wrong label is kept.

    Returns
    -------
    purity : float or ndarray
        The share (1 - error_rate) phi of right and kept rows over the kept share.

    Examples
    --------
    >>> from skparietal.theory import kept_purity
    >>> round(kept_purity(0.4, 0.8, 0.2), 3)
    0.857
    """
    return _plain((1 - np.asarray(error_rate)) * phi / kept_share(error_rate, phi, psi))


def label_margin(purity, n_classes=2):
    """Advantage of the right label over each wrong one among the kept rows.

    Parameters
    ----------
    purity : float or array-like
        Share of right labels.
    n_classes : int, default=2
        Number of classes; the wrong labels are taken to be spread evenly over the others.

    Returns
    -------
    margin : float or ndarray
        Equal to purity - (1 - purity) / (n_classes - 1): 1 when all labels are right, 0 at the
        breakdown point.
    """
    return purity - (1 - purity) / (n_classes - 1)


def effective_size(n_kept, purity, *, mu_norm, n_classes=2):
    """Number of rightly labelled rows that partly wrong ones are worth to a ridge student.

    With n rows of margin a the student's accuracy is Phi(mu^2 / sqrt(mu^2 + d / n_eff)) to leading
    order in d / n, where n_eff = n / (1 + (1 / a^2 - 1) (1 + mu^2)^2). The easier the task (large
    mu_norm), the dearer a wrong label. Derived here for two classes; for more, `purity` enters
    through its margin.

    Parameters
    ----------
    n_kept : float or array-like
        Number of kept rows.
    purity : float or array-like
        Share of right labels among them.
    mu_norm : float
        Half the distance between two class means, in standard deviations. 0 gives n a^2, the value
        of an average of noisy labels.
    n_classes : int, default=2
        Number of classes.

    Returns
    -------
    size : float or ndarray
        Zero at and beyond the breakdown point.

    Examples
    --------
    >>> from skparietal.theory import effective_size
    >>> round(effective_size(1000, 0.9, mu_norm=0)), round(effective_size(1000, 0.9, mu_norm=2))
    (640, 66)
    """
    square = np.maximum(label_margin(np.asarray(purity, dtype=float), n_classes), 0) ** 2
    return _plain(n_kept * square / (square + (1 - square) * (1 + np.square(mu_norm)) ** 2))


def best_of_k(error_rate, phi, psi, n_candidates, *, fallback="drop"):
    """Yield and purity of keeping one accepted label among several independent candidates.

    Parameters
    ----------
    error_rate, phi, psi : float or array-like
        As for `kept_purity`; verdicts are independent given which candidates are right.
    n_candidates : int or array-like
        Candidates per row; 1 is plain pruning.
    fallback : {"drop", "first"}, default="drop"
        What becomes of a row none of whose candidates is accepted: left out, or given the first of
        its rejected candidates (of verdicts, any other has the same chances).

    Returns
    -------
    kept_share : float or ndarray
        Share of the rows that get a label.
    purity : float or ndarray
        Share of those labels that are right.

    Notes
    -----
    With "drop" the purity does not depend on the number of candidates: best-of-K buys rows (and no
    preference for easy ones), a graded score is needed to buy purity. Derived here.

    Examples
    --------
    >>> from skparietal.theory import best_of_k
    >>> share, purity = best_of_k(0.4, 0.8, 0.2, 8)
    >>> print(f"{share:.3f} {purity:.3f}")
    0.999 0.857
    """
    if fallback not in ("drop", "first"):
        raise ValueError(f"fallback must be 'drop' or 'first', got {fallback!r}")
    purity = kept_purity(error_rate, phi, psi)
    rejected = 1 - kept_share(error_rate, phi, psi)
    none = rejected ** np.asarray(n_candidates)
    if fallback == "drop":
        return 1 - none, purity
    right_rejected = (1 - np.asarray(error_rate)) * (1 - np.asarray(phi))
    # Nothing is ever rejected when `rejected` is 0, and then `none` is 0 too.
    purity_rejected = right_rejected / np.where(rejected > 0, rejected, 1)
    return np.ones_like(none), purity * (1 - none) + none * purity_rejected


def _probability(name, value):
    value = np.asarray(value, dtype=float)
    if not np.all((value >= 0) & (value <= 1)):
        raise ValueError(f"{name} must lie in [0, 1], got {value}")
    return value


def _plain(value):
    """A float for a scalar, the array otherwise."""
    return float(value) if np.ndim(value) == 0 else value

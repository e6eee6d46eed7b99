"""Probabilities from the scores of a memory, when some inputs are facts and some mean nothing."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp


@dataclass(frozen=True)
class Calibration:  # numpydoc ignore=PR02
    """Map from scores to probabilities, p_y proportional to exp(s_y / t) + exp(floor / t).

    It says little about the label while no score reaches the floor, as for an input never seen.

    Parameters
    ----------
    temperature : float
        The t of the formula, in the units of the scores.
    floor : float
        In the units of the scores.
    of_leads : bool
        Whether s_y is the lead of a label (see `score_leads`) instead of its score.
    agreement : float
        Share of the inputs whose label is that of the fact; the others have any label.
    """

    temperature: float
    floor: float
    of_leads: bool
    agreement: float = 1.0

    def probabilities(self, scores):
        """Probabilities of labels given scores.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            Scores of all labels.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Increasing in the scores of a row; for two classes in their difference.
        """
        evidence = score_leads(scores) if self.of_leads else scores
        p = np.exp(_log_probabilities(evidence, self.temperature, self.floor))
        return self.agreement * p + (1.0 - self.agreement) / scores.shape[1]


def calibrate_scores(scores, labels, weights, *, agreement=1.0):
    """Calibration with the largest likelihood of labels given scores.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Scores of all labels.
    labels : ndarray of shape (n_samples,) of int
        Label of the fact, or -1 for an input whose label is as likely any.
    weights : ndarray of shape (n_samples,)
        Probability of each input, up to a factor.
    agreement : float, default=1.0
        See `Calibration`.

    Returns
    -------
    calibration : Calibration
        Of scores or of leads, whichever is likelier; of leads for two classes. The temperature is
        at least a twentieth of the typical evidence for a right label, so that probabilities keep
        the order of the scores in double precision.
    """
    share = weights / weights.sum()
    kinds = [True] if scores.shape[1] == 2 else [False, True]
    fits = [_fit(score_leads(scores) if leads else scores, labels, share) for leads in kinds]
    best = int(np.argmin([loss for *_, loss in fits]))
    temperature, floor, _ = fits[best]
    return Calibration(temperature, floor, kinds[best], agreement)


def _fit(evidence, labels, share):
    """Temperature, floor and mean negative log-likelihood (natural log)."""
    known = labels >= 0
    columns = np.maximum(labels, 0)[:, None]
    own = np.take_along_axis(evidence, columns, axis=1)[:, 0]
    unit = np.average(np.abs(own[known]), weights=share[known]) or 1.0

    def loss(parameters):
        log_p = _log_probabilities(evidence / unit, np.exp(parameters[0]), parameters[1])
        of_label = np.take_along_axis(log_p, columns, axis=1)[:, 0]
        return -share @ np.where(known, of_label, log_p.mean(axis=1))

    fit = minimize(
        loss,
        [np.log(0.2), 0.5],
        method="L-BFGS-B",
        bounds=[(np.log(0.05), np.log(20.0)), (-1.0, 2.0)],
        options={"maxiter": 30},
    )
    return float(np.exp(fit.x[0]) * unit), float(fit.x[1] * unit), float(fit.fun)


def score_leads(scores):
    """Score of each label less the best score of the other labels.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Scores of two labels or more.

    Returns
    -------
    leads : ndarray of shape (n_samples, n_classes)
        In the order of the scores of a row; positive for the best label only.
    """
    second, best = np.partition(scores, -2, axis=1)[:, -2:].T
    rival = np.repeat(best[:, None], scores.shape[1], axis=1)
    rival[np.arange(len(scores)), scores.argmax(axis=1)] = second
    return scores - rival


def _log_probabilities(leads, temperature, floor):
    log_weights = np.logaddexp(leads / temperature, floor / temperature)
    return log_weights - logsumexp(log_weights, axis=1, keepdims=True)

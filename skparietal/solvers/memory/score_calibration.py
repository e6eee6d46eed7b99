"""Probabilities from the scores of a memory, when some inputs are facts and some mean nothing."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.isotonic import IsotonicRegression

from skparietal.solvers.memory.associations import probe_keys

# The isotonic map is flat in places; this much of a strictly increasing map is mixed in.
_STRICT = 0.01


@dataclass(frozen=True)
class Calibration:  # numpydoc ignore=PR02
    """Map from scores to probabilities, fitted by `calibrate_scores`.

    First p_y proportional to exp(s_y / t) + exp(floor / t), which says little about the label while
    no score reaches the floor, as for an input never seen. Then the probability of the best label
    is set to how often the best label was right at that probability: a smaller one moves p towards
    equal probabilities, a larger one towards certainty, so that the order of the labels stays.

    Parameters
    ----------
    temperature : float
        The t of the formula, in the units of the scores.
    floor : float
        In the units of the scores.
    of_leads : bool
        Whether s_y is the lead of a label (see `score_leads`) instead of its score.
    confidence : IsotonicRegression, default=None
        How often the best label is right, given its p; None leaves p.
    """

    temperature: float
    floor: float
    of_leads: bool
    confidence: IsotonicRegression | None = None

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
        leads = score_leads(scores)
        evidence = leads if self.of_leads else scores
        p = np.exp(_log_probabilities(evidence, self.temperature, self.floor))
        if self.confidence is None:
            return p
        lead = leads.max(axis=1)
        least = 1.0 / scores.shape[1]
        strict = least + (1.0 - least) * lead / (lead + self.temperature)
        right = self.confidence.predict(p.max(axis=1))
        return _with_best(p, scores.argmax(axis=1), (1.0 - _STRICT) * right + _STRICT * strict)


def calibrate_scores(scores, labels, weights, *, certainty):
    """Calibration on inputs of known labels.

    Temperature and floor have the largest likelihood; the confidence is isotonic in p.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Scores of all labels.
    labels : ndarray of shape (n_samples,) of int
        Most probable label of each input.
    weights : ndarray of shape (n_samples,)
        Probability of each input, up to a factor.
    certainty : ndarray of shape (n_samples,)
        Probability of that label given the input, in [1 / n_classes, 1]; the other labels share the
        rest equally.

    Returns
    -------
    calibration : Calibration
        Of scores or of leads, whichever is likelier; of leads for two classes. The temperature is
        at least a twentieth of the typical evidence for a right label, so that probabilities keep
        the order of the scores in double precision.
    """
    n_classes = scores.shape[1]
    leads = score_leads(scores)
    kinds = {True: leads} if n_classes == 2 else {False: scores, True: leads}
    # Two parameters need few rows, spread over the mass; with many labels rows are long.
    rows, mass = probe_keys(weights, max(300, 50_000 // n_classes))
    fits = {
        of_leads: _fit(evidence[rows], labels[rows], mass, certainty[rows])
        for of_leads, evidence in kinds.items()
    }
    of_leads = min(fits, key=lambda kind: fits[kind][2])
    temperature, floor, _ = fits[of_leads]
    p = np.exp(_log_probabilities(kinds[of_leads], temperature, floor))
    is_best = scores.argmax(axis=1) == labels
    right = np.where(is_best, certainty, (1.0 - certainty) / (n_classes - 1))
    # Less than equal probabilities would not keep the best label the best.
    confidence = IsotonicRegression(y_min=1.0 / n_classes, y_max=1.0, out_of_bounds="clip")
    confidence.fit(p.max(axis=1), right, sample_weight=weights)
    return Calibration(temperature, floor, of_leads, confidence)


def _fit(evidence, labels, share, certainty):
    """Temperature, floor and mean negative log-likelihood (natural log)."""
    own = np.arange(len(labels)), labels
    rest = (1.0 - certainty) / (evidence.shape[1] - 1)
    unit = np.average(np.abs(evidence[own]), weights=share * certainty) or 1.0

    def loss(parameters):
        log_p = _log_probabilities(evidence / unit, np.exp(parameters[0]), parameters[1])
        return -share @ ((certainty - rest) * log_p[own] + rest * log_p.sum(axis=1))

    fit = minimize(
        loss,
        [np.log(0.2), 0.5],
        method="L-BFGS-B",
        bounds=[(np.log(0.05), np.log(20.0)), (-1.0, 2.0)],
        options={"maxiter": 30},
    )
    return float(np.exp(fit.x[0]) * unit), float(fit.x[1] * unit), float(fit.fun)


def _with_best(p, label, best):
    """Distributions p, largest at a label, with another value there and the same order."""
    top = np.arange(len(p)), label
    old, least = p[top], 1.0 / p.shape[1]
    more = best >= old
    # Where all labels are equally probable there is no order to keep: 0 / 0 becomes 0.
    gap = np.maximum(np.where(more, 1.0 - old, old - least), 1e-300)
    step = np.clip(np.abs(best - old) / gap, 0.0, 1.0)
    moved = p * (1.0 - step)[:, None] + np.where(more, 0.0, step * least)[:, None]
    moved[top] += np.where(more, step, 0.0)
    return moved


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

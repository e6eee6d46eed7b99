"""Which label a row gets, whether it is kept, and what the verified rows say about that."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skparietal.estimators.feedback._feedback_counts import FeedbackCounts
from skparietal.estimators.feedback._label_threshold import (
    are_verdicts,
    can_choose,
    class_separation,
    cross_fitted,
    fixed_threshold,
    probability_right,
    search_threshold,
    weight_above,
    zero_margin_threshold,
)
from skparietal.theory.feedback import effective_size, label_margin

# No class is weighted above this multiple of its share, nor below its inverse.
MAX_BALANCE = 10.0
# Weight of a row that is kept for its class's sake only.
MIN_MARGIN = 0.1
# Labels past the breakdown point weigh next to nothing, but keep their classes alive.
MIN_TRUST = 1e-3
# Level of an interval that reaches one standard error to both sides.
ONE_STANDARD_ERROR = 0.683


@dataclass(frozen=True)
class FilteredLabels:  # numpydoc ignore=PR02
    """One label a row, the filter's verdict on it, and what the verified rows say.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Selected label of every row, kept or not.
    scores : ndarray of shape (n_samples,)
        Its score, -inf where it was not looked at.
    accepted : ndarray of bool of shape (n_samples,)
        Verdict, before verified rows and rare classes are added.
    margins : ndarray of shape (n_samples,)
        Weight of each label: 1, or its margin under strategy "reweight".
    threshold : float
        Least accepted score.
    pairs : FeedbackCounts
        Verified counts of all candidate labels.
    chosen : FeedbackCounts
        Verified counts of the selected labels.
    confusion : ndarray of shape (n_classes, n_classes)
        Weight of the verified, accepted rows by true class (row) and selected label (column).
    mu_norm : float
        Separation of the classes that the accuracies suggest.
    trust : float
        Weight of an accepted label beside a verified one.
    """

    codes: np.ndarray
    scores: np.ndarray
    accepted: np.ndarray
    margins: np.ndarray
    threshold: float
    pairs: FeedbackCounts
    chosen: FeedbackCounts
    confusion: np.ndarray
    mu_norm: float = 0.0
    trust: float = 1.0


def filter_labels(
    table,
    scores,
    *,
    strategy,
    threshold,
    keep_fraction,
    fallback,
    accuracy,
    trust_verified,
    discount,
):
    """Select one label a row, accept or reject it, and count on the verified rows.

    Parameters
    ----------
    table : LabelTable
        Candidates and known truth.
    scores : ndarray of shape (n_samples, n_candidates)
        Higher is better; NaN is never accepted.
    strategy, threshold, keep_fraction, fallback : object
        As in `FeedbackFilteredClassifier`.
    accuracy : float
        Accuracy that the verified rows alone teach, 0 if unknown.
    trust_verified : bool
        Whether the verified rows are trained on besides.
    discount : bool
        Whether the other labels may be weighted down beside them.

    Returns
    -------
    filtered : FilteredLabels
        The selection.
    """
    scores = np.where(np.isnan(scores), -np.inf, scores)
    column = scores.argmax(axis=1)[:, None]
    codes, best = (np.take_along_axis(a, column, axis=1)[:, 0] for a in (table.codes, scores))
    weight, right = table.weight[table.known], codes[table.known] == table.truth
    if right.size:
        accuracy = max(accuracy, np.average(right, weights=weight))
    mu_norm = class_separation(accuracy, table.n_classes)
    if strategy == "reweight":
        search, least = partial(zero_margin_threshold, pool=best), 1 / table.n_classes
    else:
        pool = np.ones(len(best), dtype=bool)
        pool[table.known] = not trust_verified
        search = partial(
            search_threshold,
            pool=weight_above(best[pool], table.weight[pool]),
            n_trusted=weight.sum() if trust_verified else 0.0,
            mu_norm=mu_norm,
            discount=discount,
        )
        least = 0.5
    choose = threshold == "auto" and keep_fraction is None and can_choose(best, right, weight)
    if choose:
        search = partial(search, n_classes=table.n_classes)
        known = best[table.known], right, weight
        threshold, judged = search(*known), cross_fitted(search, *known)
        # Without its part of the rows a fold may choose to accept nothing.
        judged = np.where(np.isinf(judged), threshold, judged)
    else:
        threshold = fixed_threshold(best, threshold, keep_fraction, least)
        judged = np.full(right.size, threshold)
    filtered = _count(table, scores, codes, best, threshold, judged, fallback)
    if strategy == "reweight":
        probability = probability_right(best, best[table.known], right, weight)
        margins = label_margin(probability, table.n_classes)
        accepted = filtered.accepted & (margins > 0)
        filtered = replace(filtered, margins=margins, accepted=accepted)
    trust = 1.0
    if trust_verified and discount and right.size:
        # One standard error below the estimate: to trust too much costs more than too little.
        purity, _ = filtered.chosen.interval("purity", ONE_STANDARD_ERROR)
        trust = relative_trust(purity, mu_norm, table.n_classes)
    return replace(filtered, mu_norm=mu_norm, trust=trust)


def relative_trust(purity, mu_norm, n_classes):
    """Best weight of labels of some purity beside right ones of weight 1.

    Many half-wrong labels would outvote the few verified ones. If n labels of margin a are worth
    n e right ones, their best weight is e / a: then the values of both kinds add up. (The wrong
    labels that a verifier fitted on the verified rows accepts are another matter: they are the
    mistakes that those rows would teach by themselves.)

    Parameters
    ----------
    purity : float
        Share of right labels.
    mu_norm : float
        Separation of the classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    weight : float
        Between MIN_TRUST and 1.
    """
    margin = label_margin(purity, n_classes)
    if margin <= 0:
        return MIN_TRUST
    worth = effective_size(1, purity, mu_norm=mu_norm, n_classes=n_classes)
    return float(np.clip(worth / margin, MIN_TRUST, 1))


def unfiltered(table):
    """Every row with its first label, accepted, and nothing counted.

    Parameters
    ----------
    table : LabelTable
        Labels.

    Returns
    -------
    filtered : FilteredLabels
        With threshold and scores NaN.
    """
    n, size = len(table.codes), table.n_classes
    accepted, scores, nothing = np.ones(n, dtype=bool), np.full(n, np.nan), FeedbackCounts()
    return FilteredLabels(
        table.codes[:, 0],
        scores,
        accepted,
        np.ones(n),
        np.nan,
        nothing,
        nothing,
        np.zeros((size, size)),
    )


def at_least_per_class(kept, codes, scores, minimum):
    """Kept rows, with the best-scored ones of each class that has too few.

    Parameters
    ----------
    kept : ndarray of bool of shape (n_samples,)
        Rows kept so far.
    codes : ndarray of int of shape (n_samples,)
        Their labels.
    scores : ndarray of shape (n_samples,)
        Scores of these.
    minimum : ndarray of int of shape (n_classes,)
        Rows wanted of each class.

    Returns
    -------
    kept : ndarray of bool of shape (n_samples,)
        A new array. Rows that were not looked at, or have the verdict 0, stay out.
    """
    kept, eligible = kept.copy(), np.isfinite(scores)
    if are_verdicts(scores):
        eligible &= scores > 0
    missing = minimum - np.bincount(codes[kept], minlength=minimum.size)
    for code in np.flatnonzero(missing > 0):
        rows = np.flatnonzero((codes == code) & ~kept & eligible)
        kept[rows[np.argsort(-scores[rows], kind="stable")][: missing[code]]] = True
    return kept


def training_rows(table, filtered, *, use_verified, minimum, balance):
    """Rows to train on, the classes of their labels and their weights.

    Parameters
    ----------
    table : LabelTable
        Labels and truth.
    filtered : FilteredLabels
        Verdicts.
    use_verified : bool
        Whether the verified rows are added, with their true labels.
    minimum : ndarray of int of shape (n_classes,)
        Rows wanted of each class.
    balance : bool
        Whether to restore the class mix.

    Returns
    -------
    rows, codes : ndarray of int of shape (n_train,)
        Row numbers and classes.
    weights : ndarray of shape (n_train,)
        Positive where the sample weight is.
    """
    kept, codes = filtered.accepted.copy(), filtered.codes.copy()
    margins = np.maximum(filtered.margins, MIN_MARGIN) * filtered.trust
    if use_verified:
        kept[table.known], codes[table.known], margins[table.known] = True, table.truth, 1.0
    kept = at_least_per_class(kept, codes, filtered.scores, minimum)
    rows = np.flatnonzero(kept)
    codes, weights = codes[rows], (table.weight * table.weight_unit * margins)[rows]
    if balance and rows.size:
        weights = weights * class_balance(table, filtered, codes, weights)
    return rows, codes, weights


def class_balance(table, filtered, codes, weights):
    """Factor for each training row that gives the training set the class mix expected of the truth.

    The mix is that of the verified rows, with a Dirichlet prior worth one row a class around the
    mix of the labels before the filter: without verified rows it is the latter.

    Parameters
    ----------
    table : LabelTable
        For the verified rows.
    filtered : FilteredLabels
        For the labels before the filter.
    codes : ndarray of int of shape (n_train,)
        Classes of the training rows.
    weights : ndarray of shape (n_train,)
        Their weights so far.

    Returns
    -------
    factors : ndarray of shape (n_train,)
        Between 1 / MAX_BALANCE and MAX_BALANCE.
    """
    size = table.n_classes
    before = np.bincount(filtered.codes, weights=table.weight, minlength=size)
    verified = np.bincount(table.truth, weights=table.weight[table.known], minlength=size)
    wanted = verified + size * before / before.sum()
    trained = np.bincount(codes, weights=weights, minlength=size)
    ratio = (wanted / wanted.sum())[codes] / (trained / trained.sum())[codes]
    return np.clip(ratio, 1 / MAX_BALANCE, MAX_BALANCE)


def _count(table, scores, codes, best, threshold, judged, fallback):
    """Verdict on every row, and counts on the verified rows at thresholds not chosen by them."""
    known, weight = table.known, table.weight[table.known]
    right = table.codes[known] == table.truth[:, None]
    pairs = FeedbackCounts.of(
        right, scores[known] >= judged[:, None], np.broadcast_to(weight[:, None], right.shape)
    )
    accepted, kept_known = best >= threshold, best[known] >= judged
    if fallback == "first":
        codes = np.where(accepted, codes, table.codes[:, 0])
        best = np.where(accepted, best, scores[:, 0])
    if fallback != "drop":
        accepted, kept_known = np.ones_like(accepted), np.ones_like(kept_known)
    chosen = FeedbackCounts.of(codes[known] == table.truth, kept_known, weight)
    confusion = np.zeros((table.n_classes, table.n_classes))
    np.add.at(confusion, (table.truth, codes[known]), weight * kept_known)
    return FilteredLabels(
        codes, best, accepted, np.ones(len(best)), threshold, pairs, chosen, confusion
    )

"""Associative memories: what a sum of outer products recalls, and how it scales.

A memory W = sum_x q(x) u_f(x) e_x' stores the facts x -> f(x) in n_components^2 numbers. The key
embeddings e_x are random unit vectors, the label embeddings u_y are unit vectors, and a key is
recalled when u_f(x)' W e_x is the largest of the scores u_y' W e_x. What finitely many rows cost is
another law: `skparietal.theory.tails.clean_error`.
"""

import numpy as np
from scipy.special import log_ndtr, wrightomega

# Nodes of the Gauss-Hermite rule for the standard normal law; 24 give four digits.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


def storage_weights(counts, storage="flat", *, n_classes=2):
    """Strength q(x) with which a scheme stores a key that was seen counts[x] times.

    Parameters
    ----------
    counts : ndarray of shape (n_keys,)
        Times (or total weight) that each key was seen; 0 is never stored.
    storage : {"flat", "frequency", "cross-entropy"}, float or callable, default="flat"
        Flat: 1 for every key. Frequency: the share p(x) of the key. A float rho: p(x)^rho, so that
        1 is "frequency" and 0 is "flat". Cross-entropy: see `cross_entropy_storage`. A callable
        maps the shares (n_keys,) to non-negative strengths.
    n_classes : int, default=2
        Number of labels; used by "cross-entropy".

    Returns
    -------
    weights : ndarray of shape (n_keys,)
        Divided by the largest, which changes no prediction.

    Raises
    ------
    ValueError
        If a callable returns another shape, negative or non-finite values, or zeros only.

    References
    ----------
    Cabannes, Dohmatob, Bietti, Scaling laws for associative memories, 2024 (flat, frequency and
    power schemes).
    """
    shares = counts / counts.sum()
    if callable(storage):
        weights = np.asarray(storage(shares), dtype=np.float64)
        if weights.shape != shares.shape or not np.all(np.isfinite(weights) & (weights >= 0)):
            raise ValueError(
                "storage must return one finite, non-negative strength for each key: "
                f"expected shape {shares.shape}, got {weights.shape}, e.g. {weights.ravel()[:3]}."
            )
    elif storage == "cross-entropy":
        weights = cross_entropy_storage(counts, n_classes)
    else:
        rho = {"flat": 0.0, "frequency": 1.0}.get(storage, storage)
        weights = (shares / shares.max()) ** rho
    weights = np.where(counts > 0, weights, 0.0)
    if not weights.any():
        raise ValueError("storage gave every key strength 0: nothing would be stored.")
    return weights / weights.max()


def cross_entropy_storage(counts, n_classes, *, learning_rate=1.0, n_competitors=None):
    """Strength that cross-entropy SGD gives a key after a number of visits, in closed form.

    With the other keys frozen, a visit adds learning_rate / (1 + exp(q) / m) to the strength q of
    the key, where m is the number of labels that compete. The small-step limit solves
    q + exp(q) / m = learning_rate n + 1 / m. Below n = log(m) / learning_rate the strength grows
    like n (the frequency scheme), then like log n (almost flat).

    Parameters
    ----------
    counts : array-like of shape (n_keys,)
        Visits n of each key.
    n_classes : int
        Number of labels M.
    learning_rate : float, default=1.0
        Step size of SGD. From about 1 the first steps are larger than the limit says.
    n_competitors : float, default=None
        The m of the formula; None means n_classes. SGD itself has n_classes - 1 competitors.

    Returns
    -------
    strength : ndarray of shape (n_keys,)
        q in natural-log units of the softmax; 0 without a visit.

    Notes
    -----
    The recursion is that of the paper's experiments; its closed form is derived here. It ignores
    interference between keys, so that trained memories store somewhat more.
    """
    m = n_classes if n_competitors is None else n_competitors
    c = learning_rate * np.asarray(counts, dtype=np.float64) + 1.0 / m
    return c - wrightomega(c - np.log(m)).real


def label_coherence(n_classes, n_components):
    """Mean squared cosine between two labels of a unit-norm tight frame.

    No set of unit label embeddings has less (the Welch bound); random ones have 1 / n_components.

    Parameters
    ----------
    n_classes : int
        Number of labels M, at least 2.
    n_components : int
        Dimension d.

    Returns
    -------
    coherence : float
        (M - d) / (d (M - 1)) if M > d, else 0: the labels are orthonormal.

    References
    ----------
    Welch, Lower bounds on the maximum cross correlation of signals, 1974.
    """
    return max(n_classes - n_components, 0) / (n_components * (n_classes - 1))


def recall_probability(
    weights, labels, n_components, *, n_classes=None, coherence=0.0, resolution=64
):
    """Probability that each stored key is recalled, over the draw of the embeddings.

    The interference formula: the scores of a key are its own strength plus Gaussian noise from
    the other keys. In units of 1 / sqrt(d), label y receives noise of variance
    v_y = S_y + coherence (S - S_y), where S_y is the sum of q^2 over the other keys of label y and
    S the sum over all other keys; with correlated labels a competitor also receives a random share
    of the key itself, q^2 d coherence. The key is recalled when its label beats all others::

        E_z prod_{y != f(x)} Phi((q sqrt(d) + sqrt(v_f(x)) z) / sqrt(v_y + q^2 d coherence))

    Parameters
    ----------
    weights : ndarray of shape (n_keys,)
        Strengths q(x) >= 0.
    labels : ndarray of shape (n_keys,) of int
        Label f(x) of each key, in 0..n_classes - 1.
    n_components : int
        Dimension d of the embeddings.
    n_classes : int, default=None
        Number of labels M; None means the largest label plus one.
    coherence : float, default=0.0
        Mean squared cosine between two labels: 0 when orthonormal, 1 / d when drawn at random,
        `label_coherence` for a tight frame.
    resolution : int, default=64
        Up to this many different noise levels of labels, and 32 times as many pairs of strength
        and label, the formula is evaluated for each; beyond, on a grid of strengths, where keys of
        strength 0 are treated as those of the least.

    Returns
    -------
    recall : ndarray of shape (n_keys,)
        Near 1 / M for keys of strength 0.

    Notes
    -----
    Exact up to the normal approximation for orthonormal labels. Correlated labels make the scores
    of the competitors depend on each other and makes their tails lighter, which the formula
    ignores: it errs by up to a tenth, on the low side.

    References
    ----------
    Derived here from the setting of Cabannes, Dohmatob, Bietti, Scaling laws for associative
    memories, 2024.
    """
    weights = np.asarray(weights, dtype=np.float64)
    n_classes = int(labels.max()) + 1 if n_classes is None else n_classes
    energy = np.bincount(labels, weights**2, minlength=n_classes)
    group, levels, sizes = _noise_levels(energy, resolution)
    model = (energy.sum(), levels, sizes, n_components, coherence)
    # Keys of equal strength, own energy and own group are equal: integer codes sort fast.
    strengths, of_strength = np.unique(weights, return_inverse=True)
    energies, of_energy = np.unique(energy, return_inverse=True)
    sizes_of_codes = len(strengths), len(energies), len(levels)
    codes = np.ravel_multi_index((of_strength, of_energy[labels], group[labels]), sizes_of_codes)
    distinct, position = np.unique(codes, return_inverse=True)
    if len(distinct) <= 32 * resolution:
        q, own, own_group = np.unravel_index(distinct, sizes_of_codes)
        return _recall(strengths[q], energies[own], own_group, *model)[position]
    return _interpolated_recall(weights, group[labels], model, resolution)


def _noise_levels(energy, resolution):
    """Classes grouped by energy: (group of each class, mean energy and size of each group)."""
    levels, group, sizes = np.unique(energy, return_inverse=True, return_counts=True)
    if len(levels) > resolution:
        ranks = np.argsort(np.argsort(energy, kind="stable"))
        group = ranks * resolution // len(energy)
        sizes = np.bincount(group)
        levels = np.bincount(group, energy) / sizes
    return group, levels, sizes


def _recall(q, own, own_group, total, levels, sizes, d, coherence):
    """Interference formula for strengths q (n,), own-label energies and groups (n,)."""
    tiny = 1e-12 * max(total, 1e-300)  # without any noise 0/0 is a tie, broken at random
    q2 = q**2
    noise = np.maximum(own - q2, 0.0) + coherence * (total - own) + tiny
    competitor = (
        levels + coherence * (total - q2[:, None] - levels) + coherence * d * q2[:, None]
    ) + tiny
    rivals = sizes - (np.arange(len(levels)) == own_group[:, None])
    log_recall = np.empty((len(q), len(_NODES)))
    for k, z in enumerate(_NODES):
        lead = (q * np.sqrt(d) + np.sqrt(noise) * z)[:, None] / np.sqrt(competitor)
        log_recall[:, k] = np.einsum("ng,ng->n", rivals, log_ndtr(lead))
    return np.exp(log_recall) @ _NODE_WEIGHTS


def _interpolated_recall(weights, group, model, resolution):
    """Recall on a grid of strengths for each noise level, linear in the log of the strength."""
    levels = model[1]
    positive = weights[weights > 0]
    grid = np.geomspace(positive.min(), positive.max(), 2 * resolution)
    logs = np.log(np.maximum(weights, grid[0]))
    recall = np.empty(len(weights))
    for g in np.unique(group):
        of_group = group == g
        # A key's own energy is part of its label's, whatever the mean of the group says.
        own = np.maximum(levels[g], grid**2)
        values = _recall(grid, own, np.full(len(grid), g), *model)
        recall[of_group] = np.interp(logs[of_group], np.log(grid), values)
    return recall


def best_max_stored(weights, labels, shares, n_components, *, n_classes, coherence=0.0):
    """Number of most frequent keys to store for the least error that the formula predicts.

    Parameters
    ----------
    weights : ndarray of shape (n_keys,)
        Strengths, keys sorted from the most to the least frequent.
    labels : ndarray of shape (n_keys,) of int
        Labels in the same order.
    shares : ndarray of shape (n_keys,)
        Probabilities of the keys, decreasing.
    n_components : int
        Dimension d.
    n_classes : int
        Number of labels M.
    coherence : float, default=0.0
        See `recall_probability`.

    Returns
    -------
    max_stored : int
        The best P of 40 in geometric progression.
    error : float
        Predicted error with it: shares of keys not recalled, 1 - 1 / M of them for those left out.
    """
    candidates = np.unique(np.geomspace(1, len(weights), 40).round().astype(int))
    stored_share = np.cumsum(shares)
    errors = []
    for P in candidates:
        recall = recall_probability(
            weights[:P],
            labels[:P],
            n_components,
            n_classes=n_classes,
            coherence=coherence,
            resolution=12,
        )
        left_out = max(1.0 - stored_share[P - 1], 0.0)
        errors.append(shares[:P] @ (1.0 - recall) + left_out * (1.0 - 1.0 / n_classes))
    best = int(np.argmin(errors))
    return int(candidates[best]), float(errors[best])


def capacity(n_components, n_classes):
    """Order of magnitude of the number of facts that a flat memory recalls.

    Parameters
    ----------
    n_components : int
        Dimension d.
    n_classes : int
        Number of labels M, at least 2.

    Returns
    -------
    capacity : float
        d min(M, d) / (2 log M): linear in d for few labels, nearly quadratic for many.
    """
    return n_components * min(n_classes, n_components) / (2.0 * np.log(n_classes))


def dimension_exponent(alpha, rho, *, thresholded=False):
    """Exponent c of the error d^-c of a memory with infinite data and few labels.

    Parameters
    ----------
    alpha : float
        The keys follow p(x) proportional to x^-alpha, alpha > 1.
    rho : float
        The scheme stores q = p^rho: 1 is "frequency", 0 is "flat".
    thresholded : bool, default=False
        Whether only the best number of most frequent keys is stored.

    Returns
    -------
    exponent : float
        Infinity for the flat scheme without threshold, whose error is no power law: it stays of
        order one until d is of the order of the number of keys, then decays exponentially. With
        rho < 1 / (2 alpha) and no threshold the constant grows with the number of keys.

    References
    ----------
    Cabannes, Dohmatob, Bietti, Scaling laws for associative memories, 2024; exponents re-derived
    from `recall_probability`.
    """
    if thresholded and rho <= 1.0 / (2.0 * alpha):
        return alpha - 1.0
    return np.inf if rho == 0 else (alpha - 1.0) / (2.0 * alpha * rho)

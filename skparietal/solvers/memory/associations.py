"""Memory matrices: outer products, least squares and passive-aggressive corrections."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve
from sklearn.utils import gen_batches

from skparietal.tokens import hashed_embeddings

_CHUNK = 4096  # keys whose embeddings are held at a time


def frame_labels(n_classes, n_components, *, random_state):
    """Label embeddings with the least interference: a unit-norm tight frame.

    Parameters
    ----------
    n_classes : int
        Number of labels M.
    n_components : int
        Dimension d.
    random_state : numpy.random.Generator
        Draws the frame.

    Returns
    -------
    embeddings : ndarray of shape (n_classes, n_components) of float32
        Orthonormal rows if M <= d. Otherwise unit rows whose mean squared cosine is that of
        ``theory.memory.label_coherence``, about (1 - d / M) of that of random unit vectors.
    """
    draw = random_state.standard_normal((n_classes, n_components))
    if n_classes <= n_components:
        return np.linalg.qr(draw.T)[0].T.astype(np.float32)
    # Alternating projections on tight frames (polar factor) and unit rows: three are enough.
    for _ in range(3):
        values, vectors = np.linalg.eigh(draw.T @ draw)
        draw = draw @ (vectors / np.sqrt(values)) @ vectors.T
        draw /= np.linalg.norm(draw, axis=1, keepdims=True)
    return draw.astype(np.float32)


@dataclass(frozen=True)
class Associations:  # numpydoc ignore=PR02
    """Facts to store: keys with strengths, and a combination of labels for each.

    Parameters
    ----------
    keys : ndarray of shape (n_keys,) of uint64
        Keys, from the most to the least frequent.
    targets : scipy.sparse.csr_array of shape (n_keys, n_classes)
        Coefficient of each label on each key.
    weights : ndarray of shape (n_keys,)
        Strengths q >= 0.
    label_embeddings : ndarray of shape (n_classes, n_components)
        Unit rows.
    seed : int
        Seed of the key embeddings.
    centre : ndarray of shape (n_classes,), default=None
        Label coefficients subtracted from every key; None means none.
    key_embeddings : ndarray of shape (n_keys, n_components), default=None
        Learned embeddings; None means hashed ones.
    """

    keys: np.ndarray
    targets: sp.csr_array
    weights: np.ndarray
    label_embeddings: np.ndarray
    seed: int
    centre: np.ndarray | None = None
    key_embeddings: np.ndarray | None = None

    @property
    def n_components(self):  # numpydoc ignore=RT01
        """Dimension of the embeddings."""
        return self.label_embeddings.shape[1]

    def embed(self, keys, dtype=np.float32):
        """Embeddings of keys, known or not.

        Parameters
        ----------
        keys : ndarray of shape (n,) of uint64
            Any keys.
        dtype : numpy dtype, default=numpy.float32
            Floating type of the result.

        Returns
        -------
        embeddings : ndarray of shape (n, n_components)
            A key without a learned embedding has the mean of all, weighted by strength.
        """
        if self.key_embeddings is None:
            return hashed_embeddings(keys, self.n_components, seed=self.seed, dtype=dtype)
        order = np.argsort(self.keys)
        position = order[np.searchsorted(self.keys, keys, sorter=order) % len(order)]
        embeddings = self.key_embeddings[position].astype(dtype)
        unknown = self.keys[position] != keys
        embeddings[unknown] = np.average(self.key_embeddings, axis=0, weights=self.weights)
        return embeddings

    def values(self, rows):  # numpydoc ignore=PR01,RT01
        """Strength times label vector of the keys of a slice, float32."""
        values = self.targets[rows] @ self.label_embeddings
        if self.centre is not None:
            values = values - self.centre @ self.label_embeddings
        return (values * self.weights[rows, None]).astype(np.float32, copy=False)

    def chunks(self, start, stop):  # numpydoc ignore=PR01,YD01,RT01
        """Slices of start:stop that fit in memory."""
        for chunk in gen_batches(stop - start, _CHUNK):
            yield slice(chunk.start + start, chunk.stop + start)


def outer_products(facts, stop, *, start=0, memory=None):
    """Sum of the outer products of label and key over facts start:stop.

    Parameters
    ----------
    facts : Associations
        What to store.
    stop : int
        Last fact to store, exclusive.
    start : int, default=0
        First fact to store.
    memory : ndarray of shape (n_components, n_components), default=None
        What to add to; it is left as it is.

    Returns
    -------
    memory : ndarray of shape (n_components, n_components) of float32
        W = sum of q u e'.
    """
    d = facts.n_components
    memory = np.zeros((d, d), dtype=np.float32) if memory is None else memory.copy()
    for rows in facts.chunks(start, stop):
        memory += facts.values(rows).T @ facts.embed(facts.keys[rows])
    return memory


def least_squares(facts, stop, *, reg):
    """Linear map from keys to labels with the least weighted squared error.

    Parameters
    ----------
    facts : Associations
        What to store; strengths are the weights of the squared errors.
    stop : int
        Number of facts to use.
    reg : float
        Ridge, relative to the mean eigenvalue of the keys' second moments.

    Returns
    -------
    memory : ndarray of shape (n_components, n_components) of float32
        (sum q u e') (sum q e e' + reg tr / d I)^-1. Two matrices of d^2 numbers, O(d^3) time.
    """
    d = facts.n_components
    moments = np.zeros((d, d))
    for rows in facts.chunks(0, stop):
        # In float32 the smallest eigenvalues would be rounding errors, of either sign.
        embeddings = facts.embed(facts.keys[rows], np.float64)
        moments += (embeddings * facts.weights[rows, None]).T @ embeddings
    moments.flat[:: d + 1] += reg * np.trace(moments) / d
    right = outer_products(facts, stop).T.astype(np.float64)
    return cho_solve(cho_factor(moments), right).T.astype(np.float32)


def scores(facts, memory, keys, dtype=np.float64):
    """Scores of all labels on keys.

    Parameters
    ----------
    facts : Associations
        Gives the embeddings.
    memory : ndarray of shape (n_components, n_components)
        W.
    keys : ndarray of shape (n,) of uint64
        Any keys, stored or not.
    dtype : numpy dtype, default=numpy.float64
        Double precision gives a key the same score in every batch.

    Returns
    -------
    scores : ndarray of shape (n, n_classes)
        u_y' W e_x.
    """
    factors = facts.embed(keys, dtype), memory.T.astype(dtype), facts.label_embeddings.T
    return np.linalg.multi_dot(factors)


def probe_keys(shares, n_probes=2000):
    """Keys spread evenly over the probability mass, to measure recall on.

    Parameters
    ----------
    shares : ndarray of shape (n_keys,)
        Probabilities of the keys, up to a factor.
    n_probes : int, default=2000
        Number of points.

    Returns
    -------
    rows : ndarray of shape (n_distinct,)
        Indices of the keys that a point falls on.
    weights : ndarray of shape (n_distinct,)
        Share of the points on each.
    """
    mass = np.cumsum(shares)
    points = (np.arange(n_probes) + 0.5) / n_probes * mass[-1]
    rows, counts = np.unique(np.searchsorted(mass, points), return_counts=True)
    return rows, counts / n_probes


def missed_share(facts, memory, labels, probes):
    """Share of the probes whose label does not have the best score.

    Parameters
    ----------
    facts : Associations
        Gives the embeddings.
    memory : ndarray of shape (n_components, n_components)
        W.
    labels : ndarray of shape (n_keys,) of int
        Label of each fact.
    probes : tuple of ndarrays
        From `probe_keys`.

    Returns
    -------
    missed : float
        In [0, 1].
    """
    rows, weights = probes
    best = scores(facts, memory, facts.keys[rows], np.float32).argmax(axis=1)
    return float(weights @ (best != labels[rows]))


def best_prefix(facts, labels, shares, start):
    """Number of first facts to store for the best measured recall of all facts.

    Parameters
    ----------
    facts : Associations
        What to store, from the most to the least frequent.
    labels : ndarray of shape (n_keys,) of int
        Label of each fact.
    shares : ndarray of shape (n_keys,)
        Probabilities of the keys, up to a factor.
    start : int
        A guess; numbers from half to five times the guess are tried, in ratios of 1.06.

    Returns
    -------
    stop : int
        The best of them.
    """
    sizes = np.minimum(start * 1.06 ** np.arange(-12, 28), len(labels)).astype(int)
    sizes = np.unique(np.maximum(sizes, 1))
    probes = probe_keys(shares)
    memory, done, errors = None, 0, []
    for size in sizes:
        memory, done = outer_products(facts, size, start=done, memory=memory), size
        errors.append(missed_share(facts, memory, labels, probes))
        if len(errors) - 1 - np.argmin(errors) >= 10:
            break
    return int(sizes[np.argmin(errors)])


def passive_aggressive(facts, labels, shares, start, *, stop, max_iter, margin=0.3):
    """Outer products, then corrections of the facts whose label does not win by a margin.

    A fact whose label leads the best other label by less than the margin gets the smallest change
    of W that restores it: the shortfall over |u_own - u_other|^2, times (u_own - u_other) e'. Rare
    facts are corrected first, so that the frequent ones have the last word. When a sweep over the
    stored facts missed at most one in twenty, a quarter more are stored. The memory with the best
    recall at the end of a sweep is returned, so that storing too many does no harm.

    Parameters
    ----------
    facts : Associations
        What to store, from the most to the least frequent.
    labels : ndarray of shape (n_keys,) of int
        Label of each fact.
    shares : ndarray of shape (n_keys,)
        Probabilities of the keys, up to a factor.
    start : int
        Number of facts to begin with.
    stop : int
        Number of facts to store at most.
    max_iter : int
        Number of sweeps at most.
    margin : float, default=0.3
        In units of the strength of a fact.

    Returns
    -------
    memory : ndarray of shape (n_components, n_components) of float32
        W.
    n_stored : int
        Number of facts in it.
    n_iter : int
        Sweeps made; fewer than max_iter when all facts are stored and recalled.

    References
    ----------
    Crammer, Dekel, Keshet, Shalev-Shwartz, Singer, Online passive-aggressive algorithms, 2006
    (the multiclass update); as a way to store associations it is our extension.
    """
    probes = probe_keys(shares)
    memory, n_iter = outer_products(facts, start), 0
    best = missed_share(facts, memory, labels, probes), memory, start
    while n_iter < max_iter:
        memory, n_missed = _correct(memory, facts, labels, start, margin)
        n_iter += 1
        error = missed_share(facts, memory, labels, probes)
        if error <= best[0]:
            best = error, memory, start
        if n_missed == 0 and start == stop:
            break
        if n_missed <= start // 20 and start < stop:
            more = min(start + start // 4 + 1, stop)
            memory, start = outer_products(facts, more, start=start, memory=memory), more
    return best[1], best[2], n_iter


def _correct(memory, facts, labels, stop, margin, batch_size=256):
    """One sweep over facts :stop; (memory, facts not recalled when the sweep reached them)."""
    memory, n_missed = memory.copy(), 0
    for batch in reversed(list(gen_batches(stop, batch_size))):
        # Embeddings of a batch are nearly orthogonal: correcting it at once is safe.
        embeddings = facts.embed(facts.keys[batch])
        missed, change = _corrections(memory, embeddings, labels[batch], facts, margin)
        stored = facts.weights[batch] > 0
        change[~stored] = 0.0
        n_missed += int(np.count_nonzero(missed & stored))
        memory += change.T @ embeddings
    return memory, n_missed


def _corrections(memory, embeddings, own, facts, margin):
    """Whether each fact is missed, and the vector to add to W e for the margin, float32."""
    U = facts.label_embeddings
    score = embeddings @ memory.T @ U.T
    rows = np.arange(len(own))
    lead = score[rows, own].copy()
    score[rows, own] = -np.inf
    rival = score.argmax(axis=1)
    lead -= score[rows, rival]
    direction = U[own] - U[rival]
    # Two labels can share an embedding when n_components is 1: then no correction helps.
    squared = np.maximum(np.einsum("ij,ij->i", direction, direction), 1e-12)
    shortfall = np.maximum(margin - lead, 0.0) / squared
    return lead <= 0, direction * shortfall[:, None]

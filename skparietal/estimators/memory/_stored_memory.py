"""From counts of (key, label) to a memory: what to store, how much of it, and how to read it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from skparietal.key_table import merge_tables
from skparietal.solvers.memory.associations import (
    Associations,
    best_prefix,
    frame_labels,
    least_squares,
    outer_products,
    passive_aggressive,
    probe_keys,
    scores,
)
from skparietal.solvers.memory.memory_training import draw_batches, train_memory
from skparietal.solvers.memory.score_calibration import calibrate_scores
from skparietal.theory.memory import (
    best_max_stored,
    label_coherence,
    recall_probability,
    storage_weights,
)


class MemoryState:
    """Counts and settings, and the memory that is built from them when first read.

    Parameters
    ----------
    tables : list of KeyTable
        Counts; see `skparietal.key_table.add_table`.
    edges : dict of int to ndarray
        Bins of the measured columns.
    settings : dict
        Arguments of `build_memory`.
    """

    def __init__(self, tables, edges, settings):
        self.tables = tables
        self.edges = edges
        self.settings = settings

    @cached_property
    def table(self):  # numpydoc ignore=RT01
        """All counts in one table."""
        return merge_tables(self.tables, max_keys=self.settings["max_keys"])

    @cached_property
    def memory(self):  # numpydoc ignore=RT01
        """The memory that stores the table."""
        settings = {name: value for name, value in self.settings.items() if name != "max_keys"}
        return build_memory(self.table, **settings)


@dataclass(frozen=True)
class StoredMemory:  # numpydoc ignore=PR01
    """A memory matrix, the facts in it, and the statistics that calibrate its scores."""

    facts: Associations
    labels: np.ndarray
    totals: np.ndarray
    shares: np.ndarray
    matrix: np.ndarray
    n_stored: int
    unseen_mass: float
    n_iter: int
    certainty: np.ndarray

    def scores(self, keys):  # numpydoc ignore=PR01,RT01
        """Scores u_y' W e_x of keys, float64 of shape (n_keys, n_classes)."""
        return scores(self.facts, self.matrix, keys)

    @cached_property
    def calibration(self):  # numpydoc ignore=RT01
        """Map from scores to probabilities (joint columns).

        Fitted on known keys by their mass, whose scores are the same in every later batch, and on
        keys never seen.
        """
        rows, mass = probe_keys(self.shares)
        n_classes = len(self.facts.label_embeddings)
        unseen = np.random.default_rng(self.facts.seed).integers(2**64, size=200, dtype=np.uint64)
        return calibrate_scores(
            self.scores(np.concatenate([self.facts.keys[rows], unseen])),
            np.append(self.labels[rows], np.zeros(len(unseen), dtype=int)),
            np.append(
                mass * (1.0 - self.unseen_mass),
                np.full(len(unseen), self.unseen_mass / len(unseen)),
            ),
            certainty=np.append(self.certainty[rows], np.full(len(unseen), 1.0 / n_classes)),
        )

    @cached_property
    def coherence(self):  # numpydoc ignore=RT01
        """Mean squared cosine between two labels."""
        return label_coherence(*self.facts.label_embeddings.shape)

    @cached_property
    def recall(self):  # numpydoc ignore=RT01
        """Predicted probability that each key is recalled, for a sum of outer products."""
        facts = self.facts
        return recall_probability(
            facts.weights,
            self.labels,
            facts.n_components,
            n_classes=len(facts.label_embeddings),
            coherence=self.coherence,
        )

    @property
    def lost_share(self):  # numpydoc ignore=RT01
        """Predicted probability of a known key that is not recalled."""
        return float(self.shares @ (1.0 - self.recall))

    @property
    def expected_error(self):  # numpydoc ignore=RT01
        """Predicted error on new rows, where an unseen key is guessed at random."""
        return self._error(self.recall)

    @property
    def irreducible_error(self):  # numpydoc ignore=RT01
        """The same with all known keys recalled."""
        return self._error(np.ones(len(self.shares)))

    def _error(self, recall):
        # A key that is not recalled gets any of the other labels.
        others = len(self.facts.label_embeddings) - 1
        right = recall * self.certainty + (1.0 - recall) * (1.0 - self.certainty) / others
        return float(self.shares @ (1.0 - right) + self.unseen_mass * others / (others + 1))


def build_memory(
    table,
    *,
    seed,
    n_components,
    storage,
    max_stored,
    joint,
    majority,
    solver,
    reg,
    target_error,
    training,
):
    """Store the counts of a table.

    Parameters
    ----------
    table : KeyTable
        Counts.
    seed : int
        Seed of the embeddings.
    n_components : int or "auto"
        As in `AssociativeMemory`.
    storage : str, float or callable
        As in `AssociativeMemory`.
    max_stored : int, "auto" or None
        As in `AssociativeMemory`.
    joint : bool
        Whether a key is a whole row; only then keys can be never seen, or too rare to store.
    majority : bool
        Whether a key is stored with its most frequent label, or with its conditional
        probabilities less the overall ones.
    solver : str
        As in `AssociativeMemory`.
    reg : float
        As in `AssociativeMemory`.
    target_error : float
        As in `AssociativeMemory`.
    training : dict
        Further arguments of the iterative solvers.

    Returns
    -------
    memory : StoredMemory
        Keys ranked from the most to the least frequent, ties by key.
    """
    n_classes = len(table.label_weights)
    keys, totals, targets, labels, top = _ranked_facts(table, majority)
    weights = storage_weights(totals, storage, n_classes=n_classes)
    unseen = _unseen_mass(table, totals) if joint else 0.0
    shares = _known_shares(totals, unseen)
    if n_components == "auto":
        n_components = _sufficient_components(
            weights, labels, shares, n_classes, unseen + target_error
        )
    centre = None if majority else table.label_weights / table.label_weights.sum()
    embeddings = frame_labels(n_classes, n_components, random_state=np.random.default_rng(seed))
    facts = Associations(keys, targets, weights, embeddings, seed, centre)
    n_stored = _number_to_store(facts, labels, shares, max_stored, solver, joint)
    matrix, facts, n_stored, n_iter = _solve(
        facts, labels, totals, shares, n_stored, max_stored, solver, reg, training
    )
    weights[n_stored:] = 0.0
    certainty = np.maximum(_label_certainty(totals, top), 1.0 / n_classes)
    n_stored = int(np.count_nonzero(weights))
    return StoredMemory(facts, labels, totals, shares, matrix, n_stored, unseen, n_iter, certainty)


def _ranked_facts(table, majority):
    """Keys by decreasing weight: (keys, totals, label coefficients, labels, weight of label)."""
    keys, totals, indptr = table.by_key()
    starts, n_labels = indptr[:-1], len(table.label_weights)
    of_pair = np.repeat(np.arange(len(keys)), np.diff(indptr))
    top = np.maximum.reduceat(table.weights, starts)
    is_top = table.weights == top[of_pair]
    labels = np.minimum.reduceat(np.where(is_top, table.labels, n_labels), starts)
    if majority:
        columns, data, indptr = labels, np.ones(len(keys)), np.arange(len(keys) + 1)
    else:
        columns, data = table.labels, table.weights / totals[of_pair]
    targets = sp.csr_array((data, columns, indptr), shape=(len(keys), n_labels))
    rank = np.lexsort((keys, -totals))
    return keys[rank], totals[rank], targets[rank], labels[rank], top[rank]


def _unseen_mass(table, totals):
    """Good-Turing estimate of the probability of a new key; weights count as repetitions."""
    total = table.label_weights.sum()
    singletons = totals[totals <= 1.0].sum()
    dropped = total - np.minimum(totals + table.undercount, total).sum()
    return float(np.clip(max(singletons, dropped) / total, 0.0, 1.0 - 1e-6))


def _known_shares(totals, unseen):
    """Probabilities of the keys: the mass of the unseen is taken off in equal parts.

    Relative frequencies of rare keys are too high, those of frequent keys are right.
    """
    discounted = np.maximum(totals - unseen * totals.sum() / len(totals), 0.0)
    return discounted * (1.0 - unseen) / discounted.sum()


def _label_certainty(totals, top):
    """Probability that a new row of each key has the key's most frequent label.

    One row of a key tells nothing about the next, so that it counts as one with the mean certainty
    of the other rows.
    """
    again = totals > 1.0
    mean = (top[again] - 1.0).sum() / (totals[again] - 1.0).sum() if again.any() else 1.0
    return np.clip((top - 1.0 + mean) / np.maximum(totals, 1.0), 0.0, 1.0)


def _sufficient_components(weights, labels, shares, n_classes, target):
    """Smallest power of two whose predicted error reaches the target (at most 2^13)."""
    for exponent in range(2, 14):
        d = 2**exponent
        _, error = best_max_stored(
            weights, labels, shares, d, n_classes=n_classes, coherence=label_coherence(n_classes, d)
        )
        if error <= target:
            break
    return d


def _number_to_store(facts, labels, shares, max_stored, solver, joint):
    n_keys = len(labels)
    if max_stored != "auto":
        return n_keys if max_stored is None else min(max_stored, n_keys)
    if not joint or solver in {"lstsq", "sgd", "adam"}:
        return n_keys
    n_classes, d = facts.label_embeddings.shape
    coherence = label_coherence(n_classes, d)
    guess, _ = best_max_stored(
        facts.weights, labels, shares, d, n_classes=n_classes, coherence=coherence
    )
    # The formula errs on the low side: what it says to fit, fits.
    return n_keys if guess == n_keys else best_prefix(facts, labels, shares, guess)


def _solve(facts, labels, totals, shares, n_stored, max_stored, solver, reg, training):
    """Memory matrix, facts (with learned embeddings, if any), facts stored and iterations."""
    if solver == "counts":
        return outer_products(facts, n_stored), facts, n_stored, 1
    if solver == "lstsq":
        return least_squares(facts, n_stored, reg=reg), facts, n_stored, 1
    if solver == "passive-aggressive":
        stop = len(labels) if max_stored == "auto" else n_stored
        matrix, n_stored, n_iter = passive_aggressive(
            facts, labels, shares, n_stored, stop=stop, max_iter=training["max_iter"]
        )
        return matrix, facts, n_stored, n_iter
    matrix, facts = _train(facts, totals, n_stored, solver, training)
    return matrix, facts, n_stored, training["max_iter"]


def _train(facts, totals, n_stored, optimizer, training):
    learned = training["embedding"] == "learned"
    pairs = facts.targets[:n_stored].tocoo()
    batches = draw_batches(
        pairs.row.astype(np.int64),
        pairs.col.astype(np.int64),
        pairs.data * totals[pairs.row],
        batch_size=training["batch_size"],
        n_steps=training["max_iter"] * -int(-totals.sum() // training["batch_size"]),
        random_state=np.random.default_rng(facts.seed),
    )
    trained = train_memory(
        np.zeros((facts.n_components,) * 2),
        facts.embed(facts.keys),
        facts.label_embeddings,
        batches,
        optimizer=optimizer,
        learning_rate=training["learning_rate"],
        layer_norm=training["layer_norm"],
        learn_embeddings=learned,
        device=training["device"],
    )
    if learned:
        facts = replace(
            facts,
            key_embeddings=trained.key_embeddings,
            label_embeddings=trained.label_embeddings,
        )
    return trained.matrix, facts

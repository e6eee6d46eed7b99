"""Weighted counts of (key, label) pairs: additive, subtractable, and bounded in size on demand."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np


@dataclass(frozen=True)
class KeyTable:  # numpydoc ignore=PR02
    """How much weight each label has on each key, as sorted pairs.

    Parameters
    ----------
    keys : ndarray of shape (n_pairs,) of uint64
        Key of each pair, sorted.
    labels : ndarray of shape (n_pairs,) of int64
        Label of each pair, in 0..n_labels - 1 and sorted within a key.
    weights : ndarray of shape (n_pairs,)
        Positive total weight of each pair.
    label_weights : ndarray of shape (n_labels,)
        Total weight of every label ever counted, also of keys that `bounded` dropped.
    undercount : float, default=0.0
        No key weighs more than its weight here plus this (0 unless `bounded` dropped keys).
    """

    keys: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    label_weights: np.ndarray
    undercount: float = 0.0

    @classmethod
    def of(cls, keys, labels, weights, n_labels):
        """Table of a batch of rows.

        Parameters
        ----------
        keys : ndarray of shape (n_rows,) of uint64
            Key of each row.
        labels : ndarray of shape (n_rows,) of int64
            Label of each row.
        weights : ndarray of shape (n_rows,)
            Positive weight of each row.
        n_labels : int
            Number of labels.

        Returns
        -------
        table : KeyTable
            With one pair for each distinct (key, label).
        """
        label_weights = np.bincount(labels.astype(np.int64), weights, minlength=n_labels)
        return cls(*_sum_pairs(keys, labels, weights), label_weights)

    def merge(self, other):
        """Table of the rows of both.

        Parameters
        ----------
        other : KeyTable
            With the same number of labels.

        Returns
        -------
        table : KeyTable
            Neither operand changes.
        """
        pairs = _sum_pairs(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.weights, other.weights]),
        )
        return KeyTable(
            *pairs, self.label_weights + other.label_weights, self.undercount + other.undercount
        )

    def subtract(self, other):
        """Table without the rows of another; pairs of weight zero disappear.

        Parameters
        ----------
        other : KeyTable
            Rows that were counted here before.

        Returns
        -------
        table : KeyTable
            Neither operand changes.

        Raises
        ------
        ValueError
            If the other table has a pair, or a weight, that this one has not (unless this table is
            bounded: then what it dropped cannot be told from what it never saw).
        """
        keys, labels, weights = _sum_pairs(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.weights, -other.weights]),
        )
        rounding = 1e-9 * other.weights.max(initial=0.0)
        if self.undercount == 0 and np.any(weights < -rounding):
            raise ValueError(
                "Cannot forget more than was learned: some (row, label) pairs have less weight in "
                "the memory than the weight to forget."
            )
        left = weights > rounding
        label_weights = np.maximum(self.label_weights - other.label_weights, 0.0)
        return KeyTable(keys[left], labels[left], weights[left], label_weights, self.undercount)

    def bounded(self, max_keys):
        """Table of at most max_keys keys: the heaviest, each with an equal weight taken off.

        The weight of the first key that does not fit is taken off every key, in proportion of its
        labels. Whatever the order of batches and merges, a key that weighs more than
        total weight / (max_keys + 1) is kept, and `undercount` is below that bound.

        Parameters
        ----------
        max_keys : int
            Number of keys to keep, at least 1.

        Returns
        -------
        table : KeyTable
            This one, if it is small enough.

        References
        ----------
        Misra, Gries, Finding repeated elements, 1982; Agarwal, Cormode, Huang, Phillips, Wei, Yi,
        Mergeable summaries, 2012.
        """
        totals, of_pair = self._totals()
        if len(totals) <= max_keys:
            return self
        cut = np.partition(totals, -max_keys - 1)[-max_keys - 1]
        shrunk = self.weights * np.maximum(1.0 - cut / totals, 0.0)[of_pair]
        kept = (totals > cut)[of_pair]
        return replace(
            self,
            keys=self.keys[kept],
            labels=self.labels[kept],
            weights=shrunk[kept],
            undercount=self.undercount + float(cut),
        )

    def by_key(self):
        """Keys with their totals, and the pairs as rows of a sparse matrix.

        Returns
        -------
        keys : ndarray of shape (n_keys,) of uint64
            Distinct keys, sorted.
        totals : ndarray of shape (n_keys,)
            Weight of each key.
        indptr : ndarray of shape (n_keys + 1,)
            Pairs indptr[i]:indptr[i + 1] belong to key i.
        """
        starts = _first_of_each(self.keys)
        totals = np.add.reduceat(self.weights, starts) if len(starts) else np.zeros(0)
        return self.keys[starts], totals, np.append(starts, len(self.keys))

    @property
    def n_keys(self):  # numpydoc ignore=RT01
        """Number of distinct keys."""
        return len(_first_of_each(self.keys))

    def _totals(self):
        """Weight of each key, and the index of the key of each pair."""
        _, totals, indptr = self.by_key()
        return totals, np.repeat(np.arange(len(totals)), np.diff(indptr))


def add_table(tables, table, *, max_keys=None):
    """Add a batch to a list of tables whose merge is the table of all batches.

    Tables of similar size are merged at once, so that a row is moved a logarithmic number of times
    however many batches there are.

    Parameters
    ----------
    tables : list of KeyTable
        What was counted before.
    table : KeyTable
        The new batch.
    max_keys : int, default=None
        Bound on the keys to keep; a merged table is bounded once it has twice as many.

    Returns
    -------
    tables : list of KeyTable
        A new list; the given one does not change.
    """
    tables = [*tables, table]
    while len(tables) > 1 and len(tables[-2].keys) < 2 * len(tables[-1].keys):
        merged = tables[-2].merge(tables[-1])
        if max_keys is not None and merged.n_keys > 2 * max_keys:
            merged = merged.bounded(max_keys)
        tables[-2:] = [merged]
    return tables


def merge_tables(tables, *, max_keys=None):
    """Merge a list of tables into one.

    Parameters
    ----------
    tables : list of KeyTable
        At least one.
    max_keys : int, default=None
        Bound on the number of keys of the result.

    Returns
    -------
    table : KeyTable
        Of all rows.
    """
    table = reduce(KeyTable.merge, reversed(tables))
    return table if max_keys is None else table.bounded(max_keys)


def _sum_pairs(keys, labels, weights):
    """Sorted distinct pairs with summed weights."""
    order = np.lexsort((labels, keys))
    keys, labels, weights = keys[order], labels[order], weights[order]
    starts = _first_of_each(keys, labels)
    if len(starts) == 0:
        return keys, labels, np.zeros(0)
    return keys[starts], labels[starts], np.add.reduceat(weights, starts)


def _first_of_each(*sorted_columns):
    """Index of the first row of each run of equal rows."""
    changes = np.zeros(max(len(sorted_columns[0]) - 1, 0), dtype=bool)
    for column in sorted_columns:
        changes |= column[1:] != column[:-1]
    return np.flatnonzero(np.append(len(sorted_columns[0]) > 0, changes))

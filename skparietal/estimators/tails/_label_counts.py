"""What a counting memory knows: labels of each row, and the statistics of its tail."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from skparietal.key_table import KeyTable, merge_tables


@dataclass(frozen=True, eq=False)
class LabelCounts:  # numpydoc ignore=PR02
    """Merged view of a list of key tables; everything is worked out when first asked for.

    Parameters
    ----------
    tables : list of KeyTable
        Whose merge holds the counts.
    capacity : int or None
        Number of rows that answer.
    min_count : float
        Least weight of a row that answers.
    """

    tables: list[KeyTable]
    capacity: int | None
    min_count: float

    @cached_property
    def _grouped(self):
        table = merge_tables(self.tables)
        return table, *table.by_key()

    @property
    def keys(self):  # numpydoc ignore=RT01
        """Distinct rows, as sorted keys."""
        return self._grouped[1]

    @property
    def totals(self):  # numpydoc ignore=RT01
        """Weight of each row."""
        return self._grouped[2]

    @cached_property
    def counts(self):  # numpydoc ignore=RT01
        """Weight of each label on each row, a sparse matrix."""
        table, keys, _, indptr = self._grouped
        shape = len(keys), len(table.label_weights)
        return csr_array((table.weights, table.labels, indptr), shape=shape)

    @cached_property
    def best_labels(self):  # numpydoc ignore=RT01
        """Label with the largest weight on each row; the first of equals."""
        table, keys, _, indptr = self._grouped
        rows = np.repeat(np.arange(len(keys)), np.diff(indptr))
        order = np.lexsort((table.labels, -table.weights, rows))
        return table.labels[order][indptr[:-1]]

    @cached_property
    def label_weights(self):  # numpydoc ignore=RT01
        """Total weight of each label."""
        return np.sum([table.label_weights for table in self.tables], axis=0)

    @cached_property
    def answers(self):  # numpydoc ignore=RT01
        """Which rows answer: heavy enough, and among the heaviest that the capacity admits."""
        enough = self.totals >= self.min_count
        if self.capacity is None or self.capacity >= len(self.keys):
            return enough
        heaviest = np.argsort(-self.totals, kind="stable")[: self.capacity]
        return enough & (np.bincount(heaviest, minlength=len(self.keys)) > 0)

    def about(self, keys):
        """Counts that answer for some keys, without merging all tables for a few of them.

        Parameters
        ----------
        keys : ndarray of shape (n_samples,) of uint64
            Keys of the rows asked for.

        Returns
        -------
        counts : LabelCounts
            Of these keys alone; all of them if they are merged already, if the keys are many, or
            if a capacity makes the answer depend on all other rows.
        """
        merged = "_grouped" in vars(self) or len(self.tables) == 1
        few = 4 * len(keys) < sum(len(table.keys) for table in self.tables)
        if merged or self.capacity is not None or not few:
            return self
        wanted = np.unique(keys)
        tables = [_pairs_of(table, wanted) for table in self.tables]
        return LabelCounts(tables, None, self.min_count)

    def find(self, keys):
        """Places of keys among the rows that answer.

        Parameters
        ----------
        keys : ndarray of shape (n_samples,) of uint64
            Keys of the rows asked for.

        Returns
        -------
        places : ndarray of shape (n_samples,)
            Index of the row; -1 where it is unknown or does not answer.
        """
        if len(self.keys) == 0:
            return np.full(len(keys), -1)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where((self.keys[places] == keys) & self.answers[places], places, -1)


def _pairs_of(table, keys):
    """Table of the pairs of some distinct keys; the weights of labels remain those of all."""
    first, last = (np.searchsorted(table.keys, keys, side) for side in ("left", "right"))
    length = last - first
    places = np.arange(length.sum()) + np.repeat(first - np.cumsum(length) + length, length)
    return replace(
        table,
        keys=table.keys[places],
        labels=table.labels[places],
        weights=table.weights[places],
    )

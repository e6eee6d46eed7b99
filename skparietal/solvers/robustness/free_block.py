"""Linear systems of a block of S whose members come and go one at a time."""

import numpy as np
from scipy.linalg.blas import dger

# A new column is refused when the part of it that the block does not explain is this small.
DEPENDENT = 1e-10

# Relative residual that one refinement brings to rounding; beyond it a fresh inverse is needed.
STALE = 1e-8


class FreeBlock:
    """Inverse of S on a changing set of features, bordered and kept honest by refinement.

    Works on "atoms": columns of the root of S where the loss has one, rows of S otherwise.
    Combinations of atoms are cheap; one product turns a combination into pulls on all features.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    """

    def __init__(self, loss):
        self.factor = loss.factor
        self.atoms = loss.gram if loss.factor is None else np.ascontiguousarray(loss.factor.T)
        squares = np.diagonal(loss.gram) if loss.factor is None else None
        self.sizes = np.einsum("ij,ij->i", self.atoms, self.atoms) if squares is None else squares
        self._size = 0
        self._resize(8)

    def __len__(self):
        return self._size

    @property
    def members(self):  # numpydoc ignore=RT01
        """Features in the block, in the order of its equations."""
        return self._members[: self._size]

    def pulls(self, combination):
        """Change of the pulls on all features by a combination of atoms.

        Parameters
        ----------
        combination : ndarray of shape (n_rows,) or (n_features,)
            Sum of multiples of atoms.

        Returns
        -------
        pulls : ndarray of shape (n_features,)
            S times the multiples.
        """
        return combination if self.factor is None else self.factor.T @ combination

    def on_members(self, combination):
        """The same on the members alone.

        Parameters
        ----------
        combination : ndarray of shape (n_rows,) or (n_features,)
            Sum of multiples of atoms.

        Returns
        -------
        pulls : ndarray of shape (n_members,)
            In the order of the members.
        """
        if self.factor is None:
            return combination[self.members]
        return self._columns[: len(self)] @ combination

    def combine(self, x):
        """Combination of the members' atoms.

        Parameters
        ----------
        x : ndarray of shape (n_members,)
            Multiples.

        Returns
        -------
        combination : ndarray of shape (n_rows,) or (n_features,)
            For `pulls`.
        """
        return x @ self._columns[: len(self)]

    def solve(self, right):
        """Solution of the block's equations, refined once.

        Parameters
        ----------
        right : ndarray of shape (n_members,)
            Right-hand side.

        Returns
        -------
        x : ndarray of shape (n_members,)
            In the order of the members.
        """
        k = len(self)
        block, inverse = self._block[:k, :k], self._inverse[:k, :k]
        x = inverse @ right
        rest = right - block @ x
        if rest @ rest > STALE**2 * (right @ right):
            inverse[:] = np.linalg.pinv(block, hermitian=True)
            x = inverse @ right
            rest = right - block @ x
        return x + inverse @ rest

    def add(self, j):
        """Let one feature in.

        Parameters
        ----------
        j : int
            Feature.

        Returns
        -------
        added : bool
            False if its column is a combination of the members'.
        """
        k, atom = len(self), self.atoms[j]
        border = self.on_members(atom)
        size = self.sizes[j]
        solved = self.solve(border) if k else border
        rest = size - border @ solved
        if rest <= DEPENDENT * size:
            return False
        if k == len(self._block):
            self._resize(2 * k)
        border_of_inverse = np.zeros(len(self._block))
        border_of_inverse[:k], border_of_inverse[k] = solved, -1.0
        self._update(border_of_inverse, 1 / rest)
        self._block[k, :k] = self._block[:k, k] = border
        self._block[k, k] = size
        self._columns[k], self._members[k] = atom, j
        self._size += 1
        return True

    def remove(self, j):
        """Let one feature out.

        Parameters
        ----------
        j : int
            Member; the last member takes its place.
        """
        i, last = int(np.argmax(self.members == j)), len(self) - 1
        for matrix in (self._inverse, self._block):
            matrix[[i, last], : last + 1] = matrix[[last, i], : last + 1]
            matrix[: last + 1, [i, last]] = matrix[: last + 1, [last, i]]
        border = self._inverse[last].copy()
        self._update(border, -1 / border[last])
        self._inverse[last] = self._inverse[:, last] = 0.0
        self._columns[i], self._members[i] = self._columns[last], self._members[last]
        self._size = last

    def _update(self, v, factor):
        """Add factor v v' to the inverse, which is zero beyond the members; in place."""
        self._inverse = dger(factor, v, v, a=self._inverse, overwrite_a=1)

    def _resize(self, size):
        k = len(self)
        # Column order, so that BLAS can work in place.
        inverse, block = np.zeros((size, size), order="F"), np.zeros((size, size))
        columns, members = np.zeros((size, self.atoms.shape[1])), np.zeros(size, dtype=int)
        if k:
            inverse[:k, :k], block[:k, :k] = self._inverse[:k, :k], self._block[:k, :k]
            columns[:k], members[:k] = self._columns[:k], self._members[:k]
        self._inverse, self._block, self._columns = inverse, block, columns
        self._members = members

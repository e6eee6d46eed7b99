"""Linear systems of a block of S whose members come and go one at a time."""

import numpy as np

# A new column is refused when the part of it that the block does not explain is this small.
DEPENDENT = 1e-10

# Relative residual after one refinement that calls for a fresh inverse.
STALE = 1e-13


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
        self.members = []
        self._resize(8)

    def __len__(self):
        return len(self.members)

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
        x = x + inverse @ rest
        if np.linalg.norm(right - block @ x) > STALE * np.linalg.norm(right):
            inverse[:] = np.linalg.pinv(block, hermitian=True)
            x = inverse @ right
            x = x + inverse @ (right - block @ x)
        return x

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
        self._inverse[k, : k + 1] = self._inverse[: k + 1, k] = 0.0
        self._update(np.append(solved, -1.0), 1 / rest)
        self._block[k, :k] = self._block[:k, k] = border
        self._block[k, k] = size
        self._columns[k] = atom
        self.members.append(j)
        return True

    def remove(self, j):
        """Let one feature out.

        Parameters
        ----------
        j : int
            Member; the last member takes its place.
        """
        i, last = self.members.index(j), len(self) - 1
        for matrix in (self._inverse, self._block):
            matrix[[i, last], : last + 1] = matrix[[last, i], : last + 1]
            matrix[: last + 1, [i, last]] = matrix[: last + 1, [last, i]]
        self._update(self._inverse[:last, last], -1 / self._inverse[last, last])
        self._columns[i] = self._columns[last]
        self.members[i] = self.members[last]
        self.members.pop()

    def _update(self, v, factor):
        """Add factor v v' to the leading part of the inverse."""
        k = len(v)
        # Fresh memory for the product would cost more than the product.
        product = np.multiply.outer(factor * v, v, out=self._product[:k, :k])
        self._inverse[:k, :k] += product

    def _resize(self, size):
        k = len(self)
        inverse, block = np.zeros((size, size)), np.zeros((size, size))
        columns = np.zeros((size, self.atoms.shape[1]))
        if k:
            inverse[:k, :k], block[:k, :k] = self._inverse[:k, :k], self._block[:k, :k]
            columns[:k] = self._columns[:k]
        self._inverse, self._block, self._columns = inverse, block, columns
        self._product = np.empty((size, size))

"""Splits for questions that random folds do not ask."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable


class SizeExtrapolationSplit(BaseCrossValidator):
    """Train on the small sizes, test on the large ones.

    Random folds judge a scaling law by interpolation; what it is for is extrapolation. Equal sizes
    stay on one side.

    Parameters
    ----------
    n_splits : int, default=1
        Number of splits. The first trains on ``train_fraction`` of the distinct sizes, the others
        on ever more, in equal steps; all test on every larger size.
    column : int or str, default=0
        Column of X that holds the size.
    train_fraction : float, default=0.5
        Share of the distinct sizes, from the least up, in the first training set.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.model_selection import SizeExtrapolationSplit
    >>> sizes = np.array([[100], [800], [200], [400], [100]])
    >>> for train, test in SizeExtrapolationSplit(n_splits=2).split(sizes):
    ...     print(sizes[train].ravel(), sizes[test].ravel())
    [100 200 100] [800 400]
    [100 200 400 100] [800]
    """

    def __init__(self, n_splits=1, *, column=0, train_fraction=0.5):
        self.n_splits = n_splits
        self.column = column
        self.train_fraction = train_fraction

    def split(self, X, y=None, groups=None):
        """Indices of the training and test rows of each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows with a size in one column.
        y : array-like of shape (n_samples,), default=None
            Not used.
        groups : object, default=None
            Not used.

        Yields
        ------
        train, test : ndarrays of int
            Rows of the smaller and of the larger sizes.

        Raises
        ------
        ValueError
            If n_splits or train_fraction is out of range, or the sizes are too few.
        """
        (X,) = indexable(X)
        by_name = hasattr(X, "columns") and self.column in list(X.columns)
        size = np.asarray(X[self.column]) if by_name else np.asarray(X)[:, self.column]
        index = np.arange(len(size))
        for limit in self._limits(np.unique(size)):
            yield index[size <= limit], index[size > limit]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used.

        Returns
        -------
        n_splits : int
            As given.
        """
        return self.n_splits

    def _limits(self, sizes):
        """Largest training size of each split."""
        if self.n_splits < 1 or not 0 < self.train_fraction < 1:
            raise ValueError(
                "n_splits must be >= 1 and train_fraction within (0, 1), got "
                f"{self.n_splits} and {self.train_fraction}."
            )
        step = (1 - self.train_fraction) / self.n_splits
        shares = self.train_fraction + step * np.arange(self.n_splits)
        # The tiny shift keeps .1 + .2 of ten sizes at three of them.
        n_train = np.floor(shares * len(sizes) + 1e-9).astype(int)
        if n_train[0] < 1 or len(np.unique(n_train)) < self.n_splits:
            raise ValueError(
                f"{len(sizes)} distinct sizes are too few for n_splits={self.n_splits} from "
                f"train_fraction={self.train_fraction} on."
            )
        return sizes[n_train - 1]

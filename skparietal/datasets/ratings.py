"""Relevance of every item to every user, from the few ratings that exist."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds


def reconstruct_ratings(ratings, *, n_components=20, n_items=None):
    """Low-rank relevance in [0, 1] from ratings, the missing ones counted as 0.

    Parameters
    ----------
    ratings : Bunch
        Arrays user, item and rating of the same shape, as the loaders of ratings return.
    n_components : int, default=20
        Rank of the reconstruction.
    n_items : int, default=None
        Keeps only the items rated most; None keeps all.

    Returns
    -------
    relevance : ndarray of shape (n_users, n_items)
        Truncated singular value decomposition of the ratings over the largest rating, clipped to
        [0, 1].
    items : ndarray of shape (n_items,)
        Numbers of the items kept, increasing.

    Examples
    --------
    >>> from sklearn.utils import Bunch
    >>> from skparietal.datasets import reconstruct_ratings
    >>> ratings = Bunch(user=[0, 0, 1, 2], item=[0, 1, 1, 2], rating=[5.0, 4.0, 3.0, 1.0])
    >>> relevance, items = reconstruct_ratings(ratings, n_components=2, n_items=2)
    >>> relevance.shape, items
    ((3, 2), array([0, 1]))
    """
    rating = np.asarray(ratings.rating, dtype=float)
    table = sparse.csr_array((rating / rating.max(), (ratings.user, ratings.item)))
    count = np.bincount(ratings.item, minlength=table.shape[1])
    items = np.sort(np.argsort(-count, kind="stable")[:n_items])
    left, values, right = svds(table, n_components, random_state=0)
    return np.clip((left * values) @ right[:, items], 0.0, 1.0), items

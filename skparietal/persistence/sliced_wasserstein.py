"""Sliced Wasserstein distances between persistence diagrams, and the kernel on them."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted


def sliced_wasserstein_distances(diagrams, others, *, n_directions=20):
    """Sliced Wasserstein distances between persistence diagrams.

    Parameters
    ----------
    diagrams : list of n_diagrams ndarrays of shape (n_points, 2)
        Birth and death.
    others : list of n_others ndarrays of shape (n_points, 2)
        The same.
    n_directions : int, default=20
        Directions on the half circle, equally spaced.

    Returns
    -------
    distances : ndarray of shape (n_diagrams, n_others)
        Mean over the directions of the 1-Wasserstein distances of the projections, each diagram
        completed by the projections of the other's points to the diagonal.

    References
    ----------
    Carriere, Cuturi, Oudot, Sliced Wasserstein Kernel for Persistence Diagrams, 2017.
    """
    size = max((len(diagram) for diagram in [*diagrams, *others]), default=0)
    points, shadows = _project(diagrams, size, n_directions)
    other_points, other_shadows = _project(others, size, n_directions)
    distances = np.empty((len(diagrams), len(others)))
    for i, (point, shadow) in enumerate(zip(points, shadows)):
        one = np.concatenate([np.broadcast_to(point, other_points.shape), other_shadows], axis=2)
        two = np.concatenate([other_points, np.broadcast_to(shadow, other_points.shape)], axis=2)
        moved = np.abs(np.sort(one, axis=2) - np.sort(two, axis=2))
        distances[i] = moved.sum(axis=2).mean(axis=1)
    return distances


def _project(diagrams, size, n_directions):
    """Project the points, and their shadows on the diagonal, on each direction.

    Shorter diagrams are filled with zeros in both, which cancel in every distance.
    """
    angles = np.linspace(-np.pi / 2, np.pi / 2, n_directions, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    filled = np.zeros((len(diagrams), size, 2))
    for row, diagram in zip(filled, diagrams):
        row[: len(diagram)] = diagram
    shadow = np.repeat(filled.mean(axis=2, keepdims=True), 2, axis=2)
    return tuple(np.swapaxes(part @ directions, 1, 2) for part in (filled, shadow))


class SlicedWassersteinKernel(TransformerMixin, BaseEstimator):
    """Kernel of persistence diagrams, for models with a precomputed kernel.

    exp(-SW / (2 bandwidth^2)), SW the sliced Wasserstein distance (not squared).

    Parameters
    ----------
    n_directions : int, default=20
        Directions on the half circle.
    bandwidth : "median" or float, default="median"
        "median" makes 2 bandwidth^2 the median distance between fitted diagrams.

    Attributes
    ----------
    diagrams_ : list of ndarray
        Fitted diagrams.
    bandwidth_ : float
        Bandwidth in use.

    References
    ----------
    Carriere, Cuturi, Oudot, Sliced Wasserstein Kernel for Persistence Diagrams, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.persistence import SlicedWassersteinKernel
    >>> diagrams = [np.array([[-2.0, -1.0]]), np.array([[-2.0, -1.5]]), np.array([[-3.0, -1.0]])]
    >>> SlicedWassersteinKernel().fit_transform(diagrams).diagonal()
    array([1., 1., 1.])
    """

    def __init__(self, *, n_directions=20, bandwidth="median"):
        self.n_directions = n_directions
        self.bandwidth = bandwidth

    def fit(self, X, y=None):
        """Keep the diagrams and choose the bandwidth.

        Parameters
        ----------
        X : list of ndarray of shape (n_points, 2)
            Persistence diagrams.
        y : None
            Ignored.

        Returns
        -------
        self : SlicedWassersteinKernel
            Fitted.
        """
        self.diagrams_ = _check_diagrams(X)
        if self.bandwidth == "median":
            distances = sliced_wasserstein_distances(
                self.diagrams_, self.diagrams_, n_directions=self.n_directions
            )
            positive = distances[distances > 0]
            self.bandwidth_ = np.sqrt(np.median(positive) / 2) if positive.size else 1.0
        elif not isinstance(self.bandwidth, str) and self.bandwidth > 0:
            self.bandwidth_ = float(self.bandwidth)
        else:
            raise ValueError(f'bandwidth must be "median" or positive, got {self.bandwidth!r}.')
        return self

    def transform(self, X):
        """Kernel between diagrams and the fitted ones.

        Parameters
        ----------
        X : list of n_samples ndarrays of shape (n_points, 2)
            Persistence diagrams.

        Returns
        -------
        kernel : ndarray of shape (n_samples, n_fitted)
            Values in (0, 1].
        """
        check_is_fitted(self)
        distances = sliced_wasserstein_distances(
            _check_diagrams(X), self.diagrams_, n_directions=self.n_directions
        )
        return np.exp(-distances / (2 * self.bandwidth_**2))


def _check_diagrams(diagrams):
    diagrams = [np.asarray(diagram, dtype=float) for diagram in diagrams]
    for i, diagram in enumerate(diagrams):
        if diagram.ndim != 2 or diagram.shape[1] != 2 or not np.all(np.isfinite(diagram)):
            raise ValueError(
                f"X[{i}] must be a finite array of shape (n_points, 2), got shape {diagram.shape}."
            )
    return diagrams

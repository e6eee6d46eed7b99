"""How clean a sample's graph looks: scorers that learn from clean graphs only."""

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer

# Of more units than this the covariance is that of their leading directions.
MAX_UNITS, N_DIRECTIONS = 2048, 256


def predicted_classes(output):
    """Class that a network predicts for each sample.

    Parameters
    ----------
    output : ndarray of shape (n_samples, ...)
        Logits: one column a class, or a single score whose sign decides.

    Returns
    -------
    classes : ndarray of int of shape (n_samples,)
        From 0.
    """
    output = output.reshape(len(output), -1)
    return (output[:, 0] > 0).astype(int) if output.shape[1] == 1 else output.argmax(axis=1)


def top_margins(output):
    """How sure a network is of its prediction.

    Parameters
    ----------
    output : ndarray of shape (n_samples, ...)
        Logits, as in :func:`predicted_classes`.

    Returns
    -------
    margins : ndarray of shape (n_samples,)
        Natural logarithm of the ratio of the two largest softmax probabilities. Unlike the largest
        probability itself it does not round to 1.
    """
    output = output.reshape(len(output), -1).astype(float)
    if output.shape[1] == 1:
        return np.abs(output[:, 0])
    second, first = np.partition(output, -2, axis=1)[:, -2:].T
    return first - second


class UnitStrengths:
    """How strongly the units send through the kept edges: the sum of the edges that leave a unit.

    Parameters
    ----------
    edges : Edges
        Kept edges.

    Attributes
    ----------
    weights : ndarray of shape (n_units,)
        Weight of each unit: the root of the share of its layer's edges that leave it, over the root
        of the number of layers. Each layer counts alike, or a convolution would drown the rest.
    """

    def __init__(self, edges):
        starts = np.cumsum([0] + [n_in for n_in, _ in edges.n_units])
        unit, edge, counts = np.unique(
            starts[edges.layers] + edges.cols, return_inverse=True, return_counts=True
        )
        layer = np.searchsorted(starts, unit, side="right") - 1
        n_layers = len(np.unique(layer))
        self.weights = np.sqrt(counts / np.bincount(edges.layers)[layer] / n_layers)
        ones = np.ones(len(edge), dtype=np.float32)
        self.sums = csr_array((ones, (edge, np.arange(len(edge)))), (len(unit), len(edge)))

    def __call__(self, flows):
        """Add up the flows of each unit.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.

        Returns
        -------
        strengths : ndarray of shape (n_samples, n_units)
            In double precision.
        """
        return (self.sums @ flows.T).T.astype(float)


class ClassConditionalScorer:
    """How much closer a graph is to the clean graphs of its class than to those of any other.

    With d_c the squared Mahalanobis distance to the mean strengths of class c, the score is the
    logarithm of the least d of the other classes over that of the predicted one; minus the
    logarithm of d where there is one class only. The covariance within the classes is shared by
    them and shrunk (Ledoit and Wolf) towards that of standardised, uncorrelated units.

    Parameters
    ----------
    reg : float
        Share of the overall standard deviation that is added to that within the classes.
    weights : ndarray of shape (n_units,)
        Factors of the standardised strengths.
    """

    def __init__(self, reg, weights):
        self.reg = reg
        self.weights = weights

    def fit(self, strengths, classes):
        """Learn the means of the classes and the covariance within them.

        Parameters
        ----------
        strengths : ndarray of shape (n_samples, n_units)
            Of clean samples.
        classes : ndarray of int of shape (n_samples,)
            Predicted classes.

        Returns
        -------
        self : ClassConditionalScorer
            Fitted.
        """
        self.classes, position = np.unique(classes, return_inverse=True)
        centred = strengths - class_means(strengths, position)[position]
        scale = centred.std(axis=0) + self.reg * strengths.std(axis=0)
        # A unit that never changed on clean samples says nothing that has a scale.
        used = scale > 1e-7 * np.max(scale, initial=0)
        self.scale = np.where(used, self.weights / np.where(used, scale, 1), 0)
        # The identity transformer, unless there are many units.
        self.directions = FunctionTransformer()
        if strengths.shape[1] > MAX_UNITS:
            n_directions = min(N_DIRECTIONS, len(strengths))
            self.directions = PCA(n_directions, svd_solver="randomized", random_state=0)
        standard = self.directions.fit_transform(strengths * self.scale)
        means = class_means(standard, position)
        covariance, _ = ledoit_wolf(standard - means[position], assume_centered=True)
        covariance += np.eye(len(covariance)) * np.finfo(float).eps
        self.whitening = np.linalg.cholesky(np.linalg.inv(covariance))
        self.centres = means @ self.whitening
        return self

    def distances(self, strengths):
        """Squared Mahalanobis distances to the classes.

        Parameters
        ----------
        strengths : ndarray of shape (n_samples, n_units)
            Strengths.

        Returns
        -------
        distances : ndarray of shape (n_samples, n_classes)
            At least the smallest positive number that adds to 1.
        """
        white = self.directions.transform(strengths * self.scale) @ self.whitening
        return np.maximum(cdist(white, self.centres, "sqeuclidean"), np.finfo(float).eps)

    def score(self, strengths, classes):
        """Score samples.

        Parameters
        ----------
        strengths : ndarray of shape (n_samples, n_units)
            Strengths.
        classes : ndarray of int of shape (n_samples,)
            Predicted classes; one that no clean sample had is scored by its distance to the
            nearest.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Natural logarithm; higher is cleaner.
        """
        distances = np.log(self.distances(strengths))
        if len(self.classes) == 1:
            return -distances[:, 0]
        own = classes[:, None] == self.classes
        nearest = np.where(own, np.inf, distances).min(axis=1)
        return np.where(own.any(axis=1), nearest - np.sum(distances * own, axis=1), -nearest)


def class_means(X, position):
    """Mean of the rows of each class.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    position : ndarray of int of shape (n_samples,)
        Class of each row, from 0 without a gap.

    Returns
    -------
    means : ndarray of shape (n_classes, n_features)
        Means.
    """
    return np.stack([X[position == c].mean(axis=0) for c in range(position.max() + 1)])


class CleanTail:
    """Fisher's combination of several scores, each by its tail probability on clean samples.

    Parameters
    ----------
    scores : ndarray of shape (n_clean, n_scores)
        Scores of clean samples that whatever gives the scores has not seen.

    References
    ----------
    Fisher, Statistical Methods for Research Workers, 1932.
    """

    def __init__(self, scores):
        self.sorted = np.sort(scores, axis=0)

    def __call__(self, scores):
        """Combine the scores of samples.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_scores)
            Higher is cleaner.

        Returns
        -------
        combined : ndarray of shape (n_samples,)
            Sum of the logarithms of (1 + number of clean samples that score no higher) /
            (1 + number of clean samples); higher is cleaner.
        """
        columns = zip(self.sorted.T, scores.T)
        ranks = [np.searchsorted(clean, column, side="right") for clean, column in columns]
        return np.sum(np.log((1.0 + np.array(ranks)) / (1.0 + len(self.sorted))), axis=0)


class ClassBlindScorer:
    """One-class model that ignores the predicted classes.

    Parameters
    ----------
    model : estimator
        With `score_samples`.
    """

    def __init__(self, model):
        self.model = model

    def fit(self, features, classes):
        """Fit on clean graphs.

        Parameters
        ----------
        features : ndarray of shape (n_samples, n_edges) or (n_samples,)
            Flows, or diagrams as objects.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        self : ClassBlindScorer
            Fitted.
        """
        self.model.fit(features)
        self.n_samples = len(features)
        return self

    def score(self, features, classes):
        """Score samples.

        Parameters
        ----------
        features : ndarray of shape (n_samples, n_edges) or (n_samples,)
            Flows, or diagrams as objects.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is cleaner.
        """
        # A machine's score adds up over its rows: per row, those of fits of any size compare.
        return self.model.score_samples(features) / self.n_samples

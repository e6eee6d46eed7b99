"""How clean a sample's graph looks: scorers that learn from clean graphs only."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skparietal.persistence import SlicedWassersteinKernel, persistence_diagram


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


class ClassConditionalScorer:
    """How much closer a graph is to the clean graphs of its class than to those of any other.

    With d_c the squared standardised distance to the mean graph of class c, averaged over the edges
    of a layer and then over layers, the score is the logarithm of the least d of the other classes
    over that of the predicted one; minus the logarithm of d where there is one class only.

    Parameters
    ----------
    reg : float
        Share of the overall standard deviation that is added to that within the classes.
    layers : list of slice
        Edges of each layer. Each counts alike, or a convolution's many edges would drown the rest.
    """

    def __init__(self, reg, layers):
        self.reg = reg
        self.layers = layers

    def fit(self, flows, classes):
        """Learn the mean of each class and the spread within classes.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows of clean samples.
        classes : ndarray of int of shape (n_samples,)
            Predicted classes.

        Returns
        -------
        self : ClassConditionalScorer
            Fitted.
        """
        self.classes, counts = np.unique(classes, return_counts=True)
        groups = [flows[classes == c] for c in self.classes]
        self.means = np.stack([group.mean(axis=0, dtype=float) for group in groups])
        squares = [np.sum((group - m) ** 2, axis=0) for group, m in zip(groups, self.means)]
        within = np.sum(squares, axis=0) / len(flows)
        shares = counts / len(flows)
        between = shares @ (self.means - shares @ self.means) ** 2
        scale = np.sqrt(within) + self.reg * np.sqrt(within + between)
        self.precision = np.concatenate([_inverse_scale(scale[part]) for part in self.layers])
        self.precision /= np.sqrt(len(self.layers))
        return self

    def distances(self, flows):
        """Squared standardised distances to the classes.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.

        Returns
        -------
        distances : ndarray of shape (n_samples, n_classes)
            Mean over layers of the mean over edges.
        """
        z, centres = flows * self.precision, self.means * self.precision
        # |z - c|^2 by one matrix product; it may round to below zero at a centre itself.
        squares = np.sum(z**2, axis=1)[:, None] - 2 * z @ centres.T + np.sum(centres**2, axis=1)
        return np.maximum(squares, np.finfo(float).eps)

    def score(self, flows, classes):
        """Score samples.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.
        classes : ndarray of int of shape (n_samples,)
            Predicted classes; one that no clean sample had is scored by its distance to the
            nearest.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Natural logarithm; higher is cleaner.
        """
        distances = np.log(self.distances(flows))
        if len(self.classes) == 1:
            return -distances[:, 0]
        own = classes[:, None] == self.classes
        nearest = np.where(own, np.inf, distances).min(axis=1)
        return np.where(own.any(axis=1), nearest - np.sum(distances * own, axis=1), -nearest)


def _inverse_scale(scale):
    """Factors that make the sum of squares over the edges of a layer their mean square."""
    # An edge that never changed on clean samples says nothing that has a scale.
    used = scale > 1e-7 * np.max(scale, initial=0)
    return used / np.where(used, scale, 1) / np.sqrt(max(used.sum(), 1))


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


class OneClassSVMScorer:
    """One-class support vector machine on standardised flows.

    Parameters
    ----------
    nu : float
        As in :class:`~sklearn.svm.OneClassSVM`.
    """

    def __init__(self, nu):
        self.model = make_pipeline(StandardScaler(), OneClassSVM(nu=nu))

    def fit(self, flows, classes):
        """Fit on clean flows; the classes are ignored.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        self : OneClassSVMScorer
            Fitted.
        """
        self.model.fit(flows.astype(float))
        return self

    def score(self, flows, classes):
        """Score samples.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is cleaner.
        """
        return self.model.score_samples(flows.astype(float))


class SlicedWassersteinScorer:
    """One-class support vector machine on the persistence diagrams of the graphs.

    Parameters
    ----------
    nu : float
        As in :class:`~sklearn.svm.OneClassSVM`.
    nodes : tuple
        Heads, tails and number of nodes of the edges.
    """

    def __init__(self, nu, nodes):
        self.nodes = nodes
        self.model = make_pipeline(
            SlicedWassersteinKernel(), OneClassSVM(nu=nu, kernel="precomputed")
        )

    def fit(self, flows, classes):
        """Fit on clean flows; the classes are ignored.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        self : SlicedWassersteinScorer
            Fitted.
        """
        self.model.fit(self._diagrams(flows))
        return self

    def score(self, flows, classes):
        """Score samples.

        Parameters
        ----------
        flows : ndarray of shape (n_samples, n_edges)
            Normalised flows.
        classes : ndarray of int of shape (n_samples,)
            Ignored.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is cleaner.
        """
        return self.model.score_samples(self._diagrams(flows))

    def _diagrams(self, flows):
        return [persistence_diagram(row, *self.nodes) for row in flows]

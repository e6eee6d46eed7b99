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


class ClassConditionalScorer:
    """How much closer a graph is to the clean graphs of its class than to those of any other.

    With d_c the mean squared standardised distance to the mean graph of class c, the score is the
    logarithm of the least d of the other classes over that of the predicted one; minus the
    logarithm of d where there is one class only.

    Parameters
    ----------
    reg : float
        Share of the overall standard deviation that is added to that within the classes.
    """

    def __init__(self, reg):
        self.reg = reg

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
        flows = flows.astype(float)
        self.classes, position = np.unique(classes, return_inverse=True)
        self.means = np.stack([flows[classes == c].mean(axis=0) for c in self.classes])
        within = np.sqrt(np.mean((flows - self.means[position]) ** 2, axis=0))
        scale = within + self.reg * flows.std(axis=0)
        # An edge that never changed on clean samples says nothing that has a scale.
        used = scale > 1e-7 * np.max(scale, initial=0)
        inverse = np.where(used, 1 / np.where(used, scale, 1), 0)
        self.precision = inverse / np.sqrt(max(used.sum(), 1))
        return self

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
        z = flows * self.precision
        centres = self.means * self.precision
        # |z - c|^2 by one matrix product; it may round to below zero at a centre itself.
        distances = np.sum(z**2, axis=1)[:, None] - 2 * z @ centres.T + np.sum(centres**2, axis=1)
        distances = np.log(np.maximum(distances, np.finfo(float).eps))
        if len(self.classes) == 1:
            return -distances[:, 0]
        own = classes[:, None] == self.classes
        nearest = np.where(own, np.inf, distances).min(axis=1)
        return np.where(own.any(axis=1), nearest - np.sum(distances * own, axis=1), -nearest)


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

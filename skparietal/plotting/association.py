"""Display of what an associative memory has stored: scores of labels on keys."""

import numpy as np
from scipy.special import softmax


class AssociationDisplay:
    """Heat map of the scores of all labels on some keys, one row a key.

    The label of a key is framed; a cross marks the keys whose label does not have the best score.

    Parameters
    ----------
    scores : ndarray of shape (n_keys, n_classes)
        Scores, or probabilities.
    labels : ndarray of shape (n_keys,) of int
        Column of the label of each key.
    key_names : list of str, default=None
        Names of the rows; None means their ranks, from 1.
    class_names : list of str, default=None
        Names of the columns; None means their numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    image_ : matplotlib AxesImage
        The heat map.
    missed_ : ndarray of shape (n_keys,) of bool
        Keys whose label does not have the best score.

    Examples
    --------
    >>> from skparietal import AssociativeMemory
    >>> from skparietal.plotting import AssociationDisplay
    >>> cities, countries = [["Rome"], ["Oslo"], ["Milan"]], ["Italy", "Norway", "Italy"]
    >>> memory = AssociativeMemory(16, random_state=0).fit(cities, countries)
    >>> display = AssociationDisplay.from_estimator(memory, cities, countries)
    >>> display.missed_.any()
    np.False_
    """

    def __init__(self, *, scores, labels, key_names=None, class_names=None):
        self.scores = scores
        self.labels = labels
        self.key_names = key_names
        self.class_names = class_names

    @classmethod
    def from_estimator(cls, estimator, X=None, y=None, *, n_keys=30, normalize="softmax", ax=None):
        """Draw a fitted memory.

        Parameters
        ----------
        estimator : AssociativeMemory
            A fitted estimator.
        X : array-like of shape (n_keys, n_features), default=None
            Rows to draw, by name; None means the most frequent keys, by rank.
        y : array-like of shape (n_keys,), default=None
            Their labels; needed with X.
        n_keys : int, default=30
            Number of most frequent keys, without X.
        normalize : {"softmax", "raw"}, default="softmax"
            "softmax" draws the softmax of the scores over the temperature of the estimator (over
            their standard deviation for summed columns), "raw" the scores.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AssociationDisplay
            With the drawing.

        Raises
        ------
        ValueError
            If X comes without y, or normalize is none of the two.
        """
        if normalize not in {"softmax", "raw"}:
            raise ValueError(f"normalize must be 'softmax' or 'raw', got {normalize!r}.")
        classes, names = estimator.classes_, None
        if X is None:
            scores, y = estimator.association_matrix(n_keys), estimator.key_labels_[:n_keys]
        elif y is None:
            raise ValueError("Give the labels y of the rows X.")
        else:
            ranked, scores = estimator.predict_topk(X, len(classes))
            scores = np.take_along_axis(scores, np.argsort(ranked, axis=1), axis=1)
            names = [", ".join(str(value) for value in row) for row in np.asarray(X, dtype=object)]
        if normalize == "softmax":
            joint = estimator.columns == "joint"
            scores = softmax(scores / (estimator.temperature_ if joint else scores.std()), axis=1)
        labels = np.searchsorted(classes, y)
        display = cls(scores=scores, labels=labels, key_names=names, class_names=list(classes))
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AssociationDisplay
            Itself.
        """
        import matplotlib.pyplot as plt
        from matplotlib.patches import Rectangle

        if ax is None:
            _, ax = plt.subplots()
        scores, n_keys = np.asarray(self.scores), len(self.scores)
        self.ax_, self.figure_ = ax, ax.figure
        self.image_ = ax.imshow(scores, aspect="auto", cmap="Greys")
        self.missed_ = scores.argmax(axis=1) != self.labels
        for row, label in enumerate(self.labels):
            color = "C3" if self.missed_[row] else "C0"
            ax.add_patch(Rectangle((label - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=color))
        missed = np.flatnonzero(self.missed_)
        ax.plot(np.asarray(self.labels)[missed], missed, "x", color="C3")
        names = range(1, n_keys + 1) if self.key_names is None else self.key_names
        ax.set_yticks(range(n_keys), list(names))
        if self.class_names is not None:
            ax.set_xticks(range(scores.shape[1]), list(self.class_names))
        ax.set_xlabel("label")
        ax.set_ylabel("key, by frequency" if self.key_names is None else "key")
        return self

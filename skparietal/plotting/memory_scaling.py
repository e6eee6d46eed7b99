"""Display of the error of an associative memory against its number of components."""

import numpy as np


class MemoryScalingDisplay:
    """Error on new rows against n_components, on logarithmic axes, with what no size can lower.

    Build it with :meth:`from_estimator`, to choose `n_components` for rows at hand. For the error
    against the number of rows see scikit-learn's ``LearningCurveDisplay``.

    Parameters
    ----------
    n_components : ndarray of shape (n_sizes,)
        Dimensions, increasing.
    predicted : ndarray of shape (n_sizes,), default=None
        Errors by the interference formula (`skparietal.theory.recall_probability`), the mean over
        draws of the embeddings.
    measured : ndarray of shape (n_sizes,), default=None
        Errors of one memory of each size on rows held out.
    irreducible : float, default=0.0
        Error of a memory of any size, of rows never seen and of labels that disagree; drawn as a
        level when positive.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    lines_ : dict of str to matplotlib Line2D
        "predicted", "measured" and "irreducible", as far as drawn.

    Examples
    --------
    >>> from skparietal import AssociativeMemory
    >>> from skparietal.datasets import make_zipf_associations
    >>> from skparietal.plotting import MemoryScalingDisplay
    >>> X, y = make_zipf_associations(5000, beta=1.5, n_classes=20, random_state=0)
    >>> memory = AssociativeMemory(64, random_state=0).fit(X, y)
    >>> display = MemoryScalingDisplay.from_estimator(memory, n_components=[32, 128, 512])
    >>> display.predicted.round(2)
    array([0.2 , 0.09, 0.06])
    """

    def __init__(self, *, n_components, predicted=None, measured=None, irreducible=0.0):
        self.n_components = n_components
        self.predicted = predicted
        self.measured = measured
        self.irreducible = irreducible

    @classmethod
    def from_estimator(cls, estimator, X=None, y=None, *, n_components=None, ax=None):
        """Draw the errors of memories of other sizes with the rows of a fitted one.

        The memories are built from the counts of the fitted one (`AssociativeMemory.resize`): the
        training rows are not needed again.

        Parameters
        ----------
        estimator : AssociativeMemory
            Fitted.
        X : array-like of shape (n_samples, n_features), default=None
            Rows held out, to measure on; needed unless the recall formula holds, that is for
            ``solver="counts"`` and ``columns="joint"``.
        y : array-like of shape (n_samples,), default=None
            Their labels.
        n_components : array-like of shape (n_sizes,) of int, default=None
            Sizes; None means the powers of two from an eighth to four times the size of the
            estimator.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : MemoryScalingDisplay
            Drawn.

        Raises
        ------
        ValueError
            If only one of X and y is given, or neither is and there is no formula.
        """
        if (X is None) != (y is None):
            raise ValueError("Give X and y of the rows to measure on, or neither.")
        predicts = hasattr(estimator, "expected_error_")
        if X is None and not predicts:
            raise ValueError(
                "The recall formula holds for solver='counts' and columns='joint' only: give X and "
                "y of rows held out, to measure on."
            )
        sizes = _sizes_around(estimator) if n_components is None else np.unique(n_components)
        memories = [estimator.resize(int(size)) for size in sizes]
        return cls(
            n_components=sizes,
            predicted=np.array([m.expected_error_ for m in memories]) if predicts else None,
            measured=None if X is None else np.array([1 - m.score(X, y) for m in memories]),
            irreducible=getattr(estimator, "irreducible_error_", 0.0),
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : MemoryScalingDisplay
            Itself, with `ax_`, `figure_` and `lines_`.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.lines_ = {}
        for name, errors, style in [
            ("predicted", self.predicted, "--"),
            ("measured", self.measured, "o-"),
        ]:
            if errors is not None:
                (self.lines_[name],) = ax.plot(self.n_components, errors, style, label=name)
        if self.irreducible > 0:
            self.lines_["irreducible"] = ax.axhline(
                self.irreducible, color="k", linewidth=0.8, linestyle=":", label="at any size"
            )
        ax.set(xscale="log", yscale="log", xlabel="number of components", ylabel="error")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _sizes_around(estimator):
    largest = int(np.log2(len(estimator.memory_matrix_))) + 2
    return 2 ** np.arange(max(largest - 5, 2), largest + 1)

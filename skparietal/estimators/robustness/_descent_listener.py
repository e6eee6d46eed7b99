"""Scikit-learn's callbacks on a descent whose whole path is known at once."""

from skparietal._compat import has_callbacks


class DescentListener:
    """Shows callbacks the model of every time, and lets them stop the descent.

    Parameters
    ----------
    estimator : EarlyStoppedRobustGD
        Being fitted.
    X : ndarray of shape (n_samples, n_features)
        Rows of the fit.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self.estimator = estimator
        self.watched = has_callbacks(estimator)
        self.arguments = {"estimator": estimator, "X": X, "y": y}
        if sample_weight is not None:
            self.arguments["metadata"] = {"sample_weight": sample_weight}

    def watch(self, model, best, n_times):
        """Report every time, from 0 on.

        Parameters
        ----------
        model : callable
            Fitted attributes by the positions of the times, one per target.
        best : list of int
            Positions that the stopping rule picks.
        n_times : int
            Number of times.

        Returns
        -------
        best : list of int
            The same, or the position at which a callback asks to stop.
        """
        if not self.watched:
            return best
        self.context = self.estimator._init_callback_context(max_subtasks=n_times)
        self.context.call_on_fit_task_begin(**self.arguments)
        for position in range(n_times):
            context = self.context.subcontext(task_name="time")
            context.call_on_fit_task_begin(**self.arguments)
            if self._end(context, model, [position] * len(best)):
                return [position] * len(best)
        return best

    def close(self, model, best):
        """Report the end of the fit.

        Parameters
        ----------
        model : callable
            As in `watch`.
        best : list of int
            Positions of the fit.
        """
        if self.watched:
            self._end(self.context, model, best)

    def _end(self, context, model, positions):
        return context.call_on_fit_task_end(
            **self.arguments, reconstruction_attributes=lambda: model(positions)
        )

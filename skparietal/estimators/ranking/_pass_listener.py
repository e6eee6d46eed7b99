"""Callbacks and printed progress of a fit that passes over its users many times."""


class PassListener:
    """Tells scikit-learn's callbacks, and the terminal if asked, about each pass.

    Parameters
    ----------
    estimator : FairRankingFW
        Being fitted.
    X : ndarray or CSR matrix of shape (n_users, n_items)
        What it is fitted on.
    solution : callable
        `solution(path, result)` returns the fitted attributes that a pass would leave.
    """

    def __init__(self, estimator, X, solution):
        self.estimator = estimator
        self.X = X
        self.solution = solution
        self.context = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        self.context.call_on_fit_task_begin(estimator=estimator, X=X)

    def __call__(self, path, result):
        """Report a pass.

        Parameters
        ----------
        path : BonusPath
            Bonuses so far.
        result : FrankWolfeResult
            Policy so far.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        if self.estimator.verbose and result.history["passes"][-1:] == [result.n_iter]:
            print(f"pass {result.n_iter}: objective {result.value:.6g}, gap {result.gap:.2g}")
        context = self.context.subcontext(task_name="pass")
        context.call_on_fit_task_begin(estimator=self.estimator, X=self.X)
        return self._end(context, path, result)

    def close(self, path, result):
        """Report the end of the fit.

        Parameters
        ----------
        path : BonusPath
            Bonuses of the policy.
        result : FrankWolfeResult
            Policy found.
        """
        self._end(self.context, path, result)

    def _end(self, context, path, result):
        return context.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            reconstruction_attributes=lambda: self.solution(path, result),
        )

"""Train a classifier on the synthetic labels that feedback lets through."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import Bunch, get_tags
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.feedback._delegated_prediction import DelegatedPrediction, base_has
from skparietal.estimators.feedback._filter_steps import FilterSteps
from skparietal.estimators.feedback._filter_tally import FilterTally, warn_of_lost_classes
from skparietal.metrics.verified import verified_score


class FeedbackFilteredClassifier(
    FilterSteps, DelegatedPrediction, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Classifier trained on the synthetic labels that feedback lets through.

    Labels made by a model can make the next model worse. Feedback on them, even from a verifier
    that is often wrong, can prevent that: what counts is how much likelier a right label is to be
    kept than a wrong one. The few rows whose true label is known measure this, choose the
    threshold, and say with which probability the filter fails.

    Parameters
    ----------
    estimator : classifier, default=None
        Trained on the kept rows. None is LogisticRegression(max_iter=1000).
    verifier : classifier or callable, default=None
        Scores candidate labels when `fit` is given no feedback. A fitted classifier, or an object
        of `skparietal.verifiers`, is used as it is; a function is called as verifier(X, labels) and
        returns one score a row, higher is better; an unfitted classifier is fitted on the verified
        rows by cross-validation. None fits a clone of `estimator` there if any row is verified, and
        otherwise filters nothing. A grid search clones its estimator: wrap a fitted classifier in
        FrozenEstimator or in a verifier object to keep it fitted.
    strategy : {"prune", "best_of", "reweight"}, default="prune"
        "prune" keeps or drops the label of each row. "best_of" takes the best of several
        candidates a row, then keeps or drops it. "reweight" weights each label by its margin, the
        chance that it is right less the chance of each wrong one.
    generator : fitted classifier, default=None
        For "best_of" without `candidates`: draws them from its `predict_proba`.
    n_candidates : int, default=5
        Number of candidates then, the given label included.
    threshold : float or "auto", default="auto"
        Least score that is kept. "auto" is 0.5 for verdicts (0 or 1) and with fewer than 30 right
        labels verified; otherwise the lowest threshold whose effective size
        (`skparietal.theory.effective_size`) is within one standard error of the best.
    keep_fraction : float, default=None
        Share of the rows to keep, ties included; replaces `threshold`.
    balance_keep : bool or "auto", default="auto"
        Weight the training rows to the class mix of the verified rows (without any, of the labels
        before the filter). "auto" does so when there is a filter and `estimator` takes weights.
    fallback : {"drop", "best", "first"}, default="drop"
        What becomes of a row none of whose candidates is accepted under "best_of": left out, given
        its best candidate, or its first.
    use_verified : bool, default=True
        Train on the verified rows too, with their true labels. If feedback or a given verifier
        judged and `estimator` takes weights, the other rows then weigh what their measured purity
        makes them worth beside a verified one, at the cautious end of one standard error.
    min_per_class : int, default=1
        Least number of rows of every class, verified ones included; its best-scored ones are kept
        if it has fewer, but for those of verdict 0.
    cv : int, splitter or iterable, default=5
        Folds of the verified rows on which an unfitted verifier is fitted.
    breakdown_level : float, default=0.05
        Warn (`CollapseWarning`) when the breakdown probability is above it; 1 never warns.
    random_state : int, RandomState instance or None, default=None
        Draws the candidates of `generator` and shuffles the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels given, proposed or verified.
    estimator_ : classifier
        Fitted on the kept rows.
    verifier_ : callable or None
        What scored the labels, None if the feedback did or nothing was filtered.
    verifier_score_ : float
        Held-out accuracy of a classifier fitted on the verified rows alone: cross-validated of the
        verifier fitted here, else of a clone of `estimator` fitted on one half of them (of at most
        1,000) and tried on the other. NaN if none could be fitted. It tells how easy the task is,
        and is to be beaten.
    threshold_ : float
        Least accepted score; NaN without a filter.
    kept_mask_ : ndarray of bool of shape (n_samples,)
        Rows trained on.
    selected_labels_ : ndarray of shape (n_samples,)
        Label of every row, true where verified and used.
    feedback_scores_ : ndarray of shape (n_samples,)
        Score of the selected labels, -inf where not looked at, NaN without a filter.
    n_kept_ : int
        Number of rows trained on.
    n_kept_per_class_ : ndarray of int of shape (n_classes,)
        The same by class.
    keep_rate_ : float
        Share of the rows whose label the filter accepted.
    class_keep_rate_ : ndarray of shape (n_classes,)
        The same by class of the label.
    n_verified_ : int
        Number of verified rows.
    error_rate_, phi_, psi_ : float
        Share of wrong labels, and the shares of right and of wrong ones that are accepted, over all
        candidates of the verified rows (Jeffreys posterior means). These and the following are NaN
        without verified rows.
    purity_ : float
        Share of right labels among those selected and accepted, at thresholds that the row judged
        had no part in. It, `margin_`, `breakdown_probability_` and `effective_size_` are NaN if no
        verified row is among them.
    margin_ : float
        `purity_` less the share of each wrong class.
    breakdown_point_ : float
        Error rate above which this feedback cannot prevent collapse.
    breakdown_probability_ : float
        Posterior chance that the accepted labels are past it.
    class_margins_ : ndarray of shape (n_classes,)
        Log of the ratio of right labels to the most frequent wrong one, by true class, among the
        accepted; a class with a negative margin is lost to another one.
    effective_size_ : float
        Number of right labels that the accepted ones are worth.
    n_features_in_ : int
        Number of features, if `estimator` says it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X has names.

    See Also
    --------
    skparietal.metrics.verified_scorer : Model selection by the verified rows.
    skparietal.theory.breakdown_point : The formula.

    Notes
    -----
    With error rate p, the labels kept carry a positive signal iff p < p* = phi / (phi +
    psi / (C - 1)). p* as a measurable proxy of a verifier is the paper's. The form for C classes,
    the posterior of the breakdown, threshold and weights by effective size, the cross-fitting and
    the class balance are extensions made here.

    A verifier fitted on the verified rows knows no more than they do: it gains from the rows that
    the generator labels, which a self-trained classifier gains from too. Feedback from elsewhere
    (an exact check, people, tests) gains most.

    References
    ----------
    Feng, Dohmatob, Yang, Charton, Kempe, Beyond Model Collapse: Scaling Up with Synthesized Data
    Requires Verification, 2025 (ICLR).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skparietal import FeedbackFilteredClassifier
    >>> from skparietal.datasets import make_feedback, make_synthetic_labels
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y_test, X_test, y = X[:1000] / 16, y[1000:], X[1000:] / 16, y[:1000]
    >>> y_synthetic = make_synthetic_labels(y, error_rate=0.8, random_state=0)
    >>> feedback = make_feedback(y, y_synthetic, phi=0.9, psi=0.1, random_state=1)
    >>> y_verified = np.where(np.arange(1000) < 100, y, np.nan)
    >>> model = FeedbackFilteredClassifier()
    >>> model.fit(X, y_synthetic, feedback=feedback, y_verified=y_verified)
    FeedbackFilteredClassifier()
    >>> print(f"error {model.error_rate_:.2f}, breakdown at {model.breakdown_point_:.2f}")
    error 0.83, breakdown at 0.99
    >>> model.score(X_test, y_test) > 0.8
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "verifier": [HasMethods(["predict"]), callable, None],
        "strategy": [StrOptions({"prune", "best_of", "reweight"})],
        "generator": [HasMethods(["predict_proba"]), None],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "threshold": [StrOptions({"auto"}), Interval(Real, None, None, closed="neither")],
        "keep_fraction": [Interval(Real, 0, 1, closed="right"), None],
        "balance_keep": ["boolean", StrOptions({"auto"})],
        "fallback": [StrOptions({"drop", "best", "first"})],
        "use_verified": ["boolean"],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
        "cv": ["cv_object"],
        "breakdown_level": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        verifier=None,
        strategy="prune",
        generator=None,
        n_candidates=5,
        threshold="auto",
        keep_fraction=None,
        balance_keep="auto",
        fallback="drop",
        use_verified=True,
        min_per_class=1,
        cv=5,
        breakdown_level=0.05,
        random_state=None,
    ):
        self.estimator = estimator
        self.verifier = verifier
        self.strategy = strategy
        self.generator = generator
        self.n_candidates = n_candidates
        self.threshold = threshold
        self.keep_fraction = keep_fraction
        self.balance_keep = balance_keep
        self.fallback = fallback
        self.use_verified = use_verified
        self.min_per_class = min_per_class
        self.cv = cv
        self.breakdown_level = breakdown_level
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, candidates=None, feedback=None, y_verified=None, sample_weight=None):
        """Filter the labels and fit the classifier on those kept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows; whatever can be indexed by row and `estimator` can read.
        y : array-like of shape (n_samples,)
            Synthetic labels.
        candidates : array-like of shape (n_samples, n_candidates), default=None
            Several labels a row, for strategy "best_of"; y usually is the first column.
        feedback : array-like of shape (n_samples,) or (n_samples, n_candidates), default=None
            Verdicts (booleans or 0 and 1) or graded scores (higher is better) of the labels, NaN
            or None where not looked at. It replaces the verifier.
        y_verified : array-like of shape (n_samples,), default=None
            True label where it is known, NaN (numbers) or None (objects) elsewhere. An array of
            integers or strings is known everywhere; -1 and "" are refused as marks.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in the fit and in the counts. They count as repetitions of the
            rows; weights that are all below 1 cannot be that, and are counted at a mean of 1.

        Returns
        -------
        self : FeedbackFilteredClassifier
            Fitted.

        Raises
        ------
        ValueError
            If arguments contradict one another or have wrong shapes, a weight is negative, a
            verifier must be fitted without verified rows, or no row is kept.
        TypeError
            If `estimator` is a regressor, or takes no sample weights and some are given.
        """
        X, table = self._read(X, y, candidates, y_verified, sample_weight)
        judgement = self._judge(X, table, feedback)
        filtered = self._filter(table, judgement, self.threshold)
        model = clone(self._base())
        rows, codes, weight = self._training_set(model, table, filtered, sample_weight)
        # Without a filter X is passed on as it came.
        X_kept = X if rows.size == len(table.codes) else take_rows(X, rows)
        model.fit(X_kept, table.classes[codes], **weight)
        tally = FilterTally.of(table, filtered, codes)
        warn_of_lost_classes(tally, table.classes)
        return self._store(model, table, judgement, filtered, rows, codes, tally)

    @available_if(base_has("partial_fit"))
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self,
        X,
        y,
        classes=None,
        *,
        candidates=None,
        feedback=None,
        y_verified=None,
        sample_weight=None,
    ):
        """Filter one more batch of labels and update the classifier with those kept.

        The first threshold chosen stays; counts add up; an unfitted verifier is refitted on the
        last 10,000 verified rows whenever there are new ones. Masks, labels and scores are those of
        the batch. Scores outside [0, 1] need 30 right labels verified in the first batch, or a
        `threshold`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Synthetic labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come; needed at the first call.
        candidates, feedback, y_verified, sample_weight : array-like, default=None
            As in `fit`.

        Returns
        -------
        self : FeedbackFilteredClassifier
            Updated.
        """
        past = getattr(self, "_tally", None)
        if past is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        classes = np.unique(classes) if past is None else self.classes_
        X, table = self._read(X, y, candidates, y_verified, sample_weight, classes)
        # Stored verified rows of all batches are stacked: arrays, whatever X is.
        X_array = X if sparse.issparse(X) else np.asarray(X)
        judgement = self._judge(X_array, table, feedback, getattr(self, "_judgement", None))
        first = getattr(self, "threshold_", np.nan)
        filtered = self._filter(table, judgement, first if np.isfinite(first) else self.threshold)
        model = clone(self._base()) if past is None else self.estimator_
        rows, codes, weight = self._training_set(model, table, filtered, sample_weight, past)
        if rows.size:
            model.partial_fit(take_rows(X, rows), table.classes[codes], classes=classes, **weight)
        tally = FilterTally.of(table, filtered, codes)
        tally = tally if past is None else past + tally
        return self._store(model, table, judgement, filtered, rows, codes, tally)

    def score(self, X, y, *, y_verified=None, sample_weight=None):
        """Accuracy, on the verified rows when they are told.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels; not used with `y_verified`.
        y_verified : array-like of shape (n_samples,), default=None
            True labels, NaN or None where unknown. Without it, synthetic labels in y score the
            agreement with their generator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Share of right predictions.
        """
        predicted = self.predict(X)
        if y_verified is None:
            return accuracy_score(y, predicted, sample_weight=sample_weight)
        return verified_score(y, predicted, y_verified=y_verified, sample_weight=sample_weight)

    def diagnose(self, level=0.95):
        """What the filter did and how sure that is.

        Parameters
        ----------
        level : float, default=0.95
            Posterior chance of the intervals.

        Returns
        -------
        report : Bunch
            The fitted quantities by their names without underscore, and `intervals`: (low, high) of
            error_rate, phi, psi and purity.
        """
        check_is_fitted(self)
        return Bunch(
            **self._tally.quantities(self._mu_norm),
            threshold=self.threshold_,
            verifier_score=self.verifier_score_,
            intervals=self._tally.intervals(level),
        )

    def __sklearn_tags__(self):
        tags, base = super().__sklearn_tags__(), get_tags(self._base())
        tags.input_tags.sparse = base.input_tags.sparse
        tags.input_tags.allow_nan = base.input_tags.allow_nan
        tags.classifier_tags.multi_class = base.classifier_tags.multi_class
        return tags

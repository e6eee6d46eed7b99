"""Associative memory: heavy-tailed token -> label facts in a fixed number of floats."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skparietal._torch import check_device
from skparietal.estimators.memory._memory_attributes import MemoryAttributes
from skparietal.estimators.memory._token_counts import TokenCounts


class AssociativeMemory(TokenCounts, MemoryAttributes, ClassifierMixin, BaseEstimator):
    """Classifier that stores which label goes with which tokens in n_components^2 floats.

    Every distinct row of tokens (or every cell, with ``columns="sum"``) is a key x with a random
    unit embedding e_x that is computed from its hash. The memory is the sum over keys of
    q(x) u_f(x) e_x', where u_y embeds label y and f(x) is the key's label, and predicts the label
    with the largest score u_y' W e_x. `fit` and `partial_fit` count (key, label) pairs; the matrix
    is built from the counts, so that batches, merges and deletions are exact.

    Parameters
    ----------
    n_components : int or "auto", default=256
        Dimension d of the embeddings. "auto" is the smallest power of two (4 to 8192) whose
        predicted error is at most `target_error` above the share of unseen keys.
    storage : {"flat", "frequency", "cross-entropy"}, float or callable, default="flat"
        Strength q(x) of a key of share p(x): see `skparietal.theory.memory.storage_weights`.
        Not used by "sgd" and "adam", which find their own.
    max_stored : int, "auto" or None, default="auto"
        Number of most frequent keys to store; None means all. "auto" takes the number with the best
        recall, measured on known keys by frequency, starting from the theory's; it means all for
        ``columns="sum"`` and for the solvers "lstsq", "sgd" and "adam".
    columns : {"joint", "sum"}, default="joint"
        "joint": a row is one key; an exact lookup, with nothing to say about a row never seen.
        "sum": every (column, value) is a key and a row's embedding is the mean of its cells';
        an additive model, which generalises.
    labels : {"auto", "majority", "conditional"}, default="auto"
        What is stored for a key: its most frequent label, or all labels by their conditional
        probabilities less the overall ones. "auto" is "majority" for joint columns, else
        "conditional".
    solver : {"counts", "passive-aggressive", "lstsq", "sgd", "adam"}, default="counts"
        "counts": the sum of outer products. "passive-aggressive": then `max_iter` sweeps that
        correct facts which do not win by a margin, and store more as long as it helps.
        "lstsq": linear least squares, for few more keys than n_components. "sgd" and "adam":
        cross-entropy, trained with torch on pairs drawn by frequency. All but "counts" and
        "lstsq" need joint columns.
    embedding : {"rademacher", "learned"}, default="rademacher"
        "learned" trains key and label embeddings too (solvers "sgd" and "adam"), and then needs
        n_components floats more for each key; a key never seen has the mean embedding.
    n_bins : int or None, default=16
        Columns that hold a number that is not whole and more than n_bins distinct values are cut
        at their quantiles; the cuts are those of the first batch. None means never.
    reg : float, default=1e-3
        Ridge of "lstsq", relative to the mean eigenvalue.
    learning_rate : float, default=10.0
        Step of "sgd"; "adam" has betas (0, 0) and scales it: see
        `skparietal.solvers.memory.memory_training.train_memory`.
    batch_size : int, default=64
        Pairs in a step of "sgd" and "adam".
    max_iter : int, default=10
        Sweeps of the iterative solvers: over the stored keys for "passive-aggressive" (fewer if all
        are recalled), over as many pairs as rows were seen for "sgd" and "adam".
    layer_norm : bool, default=False
        Whether "sgd" and "adam" train with normalised W e_x. Predictions do not depend on it.
    max_keys : int or None, default=None
        Bound on the keys counted, for streams; see `skparietal.key_table.KeyTable.bounded`.
        Several times the number of stored keys is enough.
    target_error : float, default=0.01
        For ``n_components="auto"``.
    device : str, default="cpu"
        Where torch trains.
    random_state : int, RandomState instance or None, default=None
        Seed of the embeddings. Memories to be merged need the same int.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X has string names.
    seed_ : int
        Seed of the embeddings.
    memory_matrix_ : ndarray of shape (n_components, n_components) of float32
        W.
    label_embeddings_ : ndarray of shape (n_classes, n_components)
        Unit rows: orthonormal if n_classes <= n_components, else a tight frame.
    keys_ : ndarray of shape (n_keys,) of uint64
        Keys from the most to the least frequent.
    key_labels_ : ndarray of shape (n_keys,)
        Most frequent label of each key.
    key_weights_ : ndarray of shape (n_keys,)
        Total weight of each key; with `max_keys` less by up to `key_weight_error_`.
    key_weight_error_ : float
        See `key_weights_`.
    storage_weights_ : ndarray of shape (n_keys,)
        q(x), 0 for keys that are not stored; the largest is 1.
    n_stored_ : int
        Number of keys with q(x) > 0.
    stored_ : ndarray of shape (n_keys,) of bool
        Whether the key is stored and its label has the best score.
    expected_recall_ : ndarray of shape (n_keys,)
        Predicted probability that a key is recalled (joint columns and solver "counts" only).
    expected_error_ : float
        Predicted error on new rows: keys not recalled, keys never seen, and rows whose label is not
        the most frequent one of their key (same condition).
    irreducible_error_ : float
        The same without the first: no `n_components` goes below it (joint columns only).
    unseen_mass_ : float
        Good-Turing estimate of the probability of a key never seen; it takes weights for
        repetitions. 0 for ``columns="sum"``.
    alpha_ : float
        Minus the slope of log weight against log rank, over keys of weight 5 or more.
    temperature_ : float
        Scale of the scores in `predict_proba` (joint columns).
    n_iter_ : int
        Sweeps made; 1 for "counts" and "lstsq".

    Notes
    -----
    An exact dictionary of the most frequent keys, with as many bytes, beats any such memory as a
    plain lookup. What the memory gives is a fixed size, addition, merging, deletion, soft output,
    and an instrument to study what gets stored. With few labels it holds in the order of
    n_components facts, with many labels up to n_components^2 / (2 log n_classes); the error on
    unseen keys, 1 - 1 / n_classes with joint columns, stays.

    The storing schemes, their scaling, and training by gradients are the paper's. Automatic
    `max_stored`, label frames, "lstsq", "passive-aggressive", summed columns and calibrated
    probabilities are ours.

    References
    ----------
    Cabannes, Dohmatob, Bietti, Scaling laws for associative memories, 2024.

    Examples
    --------
    >>> from skparietal import AssociativeMemory
    >>> from skparietal.datasets import make_zipf_associations
    >>> X, y = make_zipf_associations(20_000, beta=1.5, n_classes=50, random_state=0)
    >>> memory = AssociativeMemory(n_components=128, random_state=0).fit(X, y)
    >>> X_test, y_test = make_zipf_associations(5_000, beta=1.5, n_classes=50, random_state=1)
    >>> round(memory.score(X_test, y_test), 1), round(1 - memory.expected_error_, 1)
    (0.9, 0.9)
    >>> memory.memory_matrix_.shape
    (128, 128)
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "storage": [
            StrOptions({"flat", "frequency", "cross-entropy"}),
            Interval(Real, 0, None, closed="left"),
            callable,
        ],
        "max_stored": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "columns": [StrOptions({"joint", "sum"})],
        "labels": [StrOptions({"auto", "majority", "conditional"})],
        "solver": [StrOptions({"counts", "passive-aggressive", "lstsq", "sgd", "adam"})],
        "embedding": [StrOptions({"rademacher", "learned"})],
        "n_bins": [Interval(Integral, 2, None, closed="left"), None],
        "reg": [Interval(Real, 0, None, closed="neither")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "layer_norm": ["boolean"],
        "max_keys": [Interval(Integral, 1, None, closed="left"), None],
        "target_error": [Interval(Real, 0, None, closed="left")],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=256,
        *,
        storage="flat",
        max_stored="auto",
        columns="joint",
        labels="auto",
        solver="counts",
        embedding="rademacher",
        n_bins=16,
        reg=1e-3,
        learning_rate=10.0,
        batch_size=64,
        max_iter=10,
        layer_norm=False,
        max_keys=None,
        target_error=0.01,
        device="cpu",
        random_state=None,
    ):
        self.n_components = n_components
        self.storage = storage
        self.max_stored = max_stored
        self.columns = columns
        self.labels = labels
        self.solver = solver
        self.embedding = embedding
        self.n_bins = n_bins
        self.reg = reg
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.layer_norm = layer_norm
        self.max_keys = max_keys
        self.target_error = target_error
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Store the labels of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens: numbers, strings, or both. None and NaN in an object column are one token.
        y : array-like of shape (n_samples,)
            Labels, of two classes or more.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative; weight 2 is the row twice, weight 0 no row.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If X holds NaN or infinity in a numeric array, y has one class or is continuous, or the
            parameters do not go together.
        ImportError
            If the solver needs torch, which is not installed.
        """
        self._check_compatible()
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=True)
        classes = np.unique(y[sample_weight > 0])
        self._learn(X, y, sample_weight, classes, tables=[], edges=None, seed=self._draw_seed())
        return self._warn_if_too_small()

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add the rows of X to the memory; in any split, the same as one `fit` of all tokens.

        The matrix is built when it is next read. Quantile bins stay those of the first batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If classes is missing in the first call or differs later, or y holds another label; the
            memory is then what it was.
        """
        self._check_compatible()
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if (
            not first
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise ValueError(
                f"classes={np.unique(classes)} is not the same as on the first call to "
                f"partial_fit: {self.classes_}."
            )
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=first)
        if first:
            state = {"tables": [], "edges": None, "seed": self._draw_seed()}
            return self._learn(X, y, sample_weight, np.unique(classes), **state)
        return self._learn(
            X,
            y,
            sample_weight,
            self.classes_,
            tables=self._state.tables,
            edges=self._state.edges,
            seed=self.seed_,
        )

    def decision_function(self, X):
        """Scores u_y' W e of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,)
            A fact stored with strength q has a score near q (for joint columns and "counts"). With
            two classes, the score of ``classes_[1]`` less that of ``classes_[0]``.
        """
        scores = self._scores(self._keys_of(X))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X):
        """Label with the best score for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens; a row never seen gets a random-looking label with joint columns.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        keys, position = self._keys_of(X), slice(None)
        if self.columns == "joint":
            keys, position = np.unique(keys, return_inverse=True)
        # The scores of all rows at once may be larger than the data by far.
        best = [self._scores(keys[rows]).argmax(axis=1) for rows in gen_batches(len(keys), 4096)]
        return self.classes_[np.concatenate(best)[position]]

    def predict_proba(self, X):
        """Calibrated probabilities, increasing in the scores.

        Joint columns: see `skparietal.solvers.memory.score_calibration.Calibration`; a row never
        seen gets nearly equal probabilities. Summed columns: a rule of thumb, naive Bayes to first
        order in the conditional probabilities with the square root of the number of columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        scores = self._scores(self._keys_of(X))
        if self.columns == "sum":
            # Naive Bayes to first order, with the evidence of sqrt(n_features) columns, because
            # columns depend on each other.
            return softmax(scores * len(self.classes_) * self.n_features_in_**0.5, axis=1)
        return self._state.memory.calibration.probabilities(scores)

    def predict_topk(self, X, k):
        """The k labels with the best scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.
        k : int
            Number of labels, at most n_classes.

        Returns
        -------
        labels : ndarray of shape (n_samples, k)
            From the best to the k-th.
        scores : ndarray of shape (n_samples, k)
            Their scores.

        Raises
        ------
        ValueError
            If k is not in 1..n_classes.
        """
        check_is_fitted(self)
        if not 1 <= k <= len(self.classes_):
            raise ValueError(f"k must lie in 1..{len(self.classes_)}, got {k}.")
        scores = self._scores(self._keys_of(X))
        top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return self.classes_[top], np.take_along_axis(scores, top, axis=1)

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_compatible(self):
        iterative = self.solver in {"sgd", "adam"}
        if self.columns == "sum" and (iterative or self.solver == "passive-aggressive"):
            raise ValueError(
                f"solver={self.solver!r} needs columns='joint'; use 'counts' or 'lstsq' for 'sum'."
            )
        if self.solver == "passive-aggressive" and self.labels == "conditional":
            raise ValueError("solver='passive-aggressive' stores one label per key: leave labels.")
        if self.embedding == "learned" and not iterative:
            raise ValueError("embedding='learned' needs solver='sgd' or 'adam'.")
        if iterative:
            check_device(self.device)

    def _keys_of(self, X):
        check_is_fitted(self)
        return self._keys(self._validate_tokens(X))

    def _scores(self, keys):
        """Scores of all classes, float64; keys that come more than once are embedded once."""
        distinct, position = np.unique(keys, return_inverse=True)
        of_key = self._state.memory.scores(distinct)
        if self.columns == "joint":
            return of_key[position.ravel()]
        return sum(of_key[column] for column in position.reshape(keys.shape).T) / keys.shape[1]

    def _warn_if_too_small(self):
        memory = self._state.memory  # built now, so that fit raises what there is to raise
        if self.solver == "counts" and self.columns == "joint":
            # Lucky guesses at keys never seen make up for some.
            lost = memory.lost_share - memory.unseen_mass / len(self.classes_)
            if lost > 0.1:
                warnings.warn(
                    f"The memory is too small: {lost:.0%} of the rows are expected to be lost in "
                    f"{memory.facts.n_components} components. Raise n_components, or use "
                    "max_stored='auto' with storage='flat'.",
                    UserWarning,
                    stacklevel=3,
                )
        return self

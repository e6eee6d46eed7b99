"""The steps of a fit on filtered labels: read, judge, filter, train, store."""

from dataclasses import replace

import numpy as np
from sklearn.base import is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.utils import indexable
from sklearn.utils.validation import has_fit_parameter

from skparietal.estimators.feedback._filter_tally import warn_of_collapse
from skparietal.estimators.feedback._label_filter import filter_labels, training_rows, unfiltered
from skparietal.estimators.feedback._label_judge import judge_labels
from skparietal.estimators.feedback._label_table import read_labels, sample_candidates


class FilterSteps:
    """Mixin of `FeedbackFilteredClassifier`: what `fit` and `partial_fit` share."""

    def _base(self):
        return LogisticRegression(max_iter=1000) if self.estimator is None else self.estimator

    def _read(self, X, y, candidates, y_verified, sample_weight, classes=None):
        """X that can be indexed by row, and the labels."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        if self.threshold != "auto" and self.keep_fraction is not None:
            raise ValueError("threshold and keep_fraction exclude one another: give one of them")
        if is_regressor(self._base()):
            raise TypeError(f"estimator must be a classifier, got {self._base()!r}")
        if candidates is not None and self.strategy != "best_of":
            raise ValueError(f"candidates need strategy='best_of', not {self.strategy!r}")
        X, y = indexable(X, y)
        if candidates is None and self.strategy == "best_of":
            if self.generator is None:
                raise ValueError("strategy='best_of' needs candidates in fit, or a generator")
            candidates = sample_candidates(
                self.generator, X, y, self.n_candidates, self.random_state
            )
        return X, read_labels(X, y, candidates, y_verified, sample_weight, classes)

    def _judge(self, X, table, feedback, previous=None):
        return judge_labels(
            X,
            table,
            feedback=feedback,
            verifier=self.verifier,
            estimator=self._base(),
            cv=self.cv,
            random_state=self.random_state,
            previous=previous,
        )

    def _filter(self, table, judgement, threshold):
        if judgement.scores is None:
            return unfiltered(table)
        if table.n_classes < 2:
            raise ValueError("all labels are of one class: a filter needs at least two")
        return filter_labels(
            table,
            judgement.scores,
            strategy=self.strategy,
            threshold=threshold,
            keep_fraction=self.keep_fraction if threshold == self.threshold else None,
            fallback=self.fallback if self.strategy == "best_of" else "drop",
            accuracy=judgement.cautious_accuracy,
            trust_verified=self.use_verified,
            discount=not judgement.is_own and has_fit_parameter(self._base(), "sample_weight"),
        )

    def _training_set(self, model, table, filtered, sample_weight, past=None):
        """Row numbers, classes and weights (as keyword arguments) to train on."""
        takes_weight = has_fit_parameter(model, "sample_weight")
        if sample_weight is not None and not takes_weight:
            raise TypeError(f"{type(model).__name__} takes no sample_weight")
        is_filter = not np.isnan(filtered.threshold)
        balance = is_filter and (takes_weight if self.balance_keep == "auto" else self.balance_keep)
        weighted = balance or (is_filter and self.strategy == "reweight")
        if weighted and not takes_weight:
            raise ValueError(
                f"{type(model).__name__} takes no sample_weight: use balance_keep=False and "
                "another strategy than 'reweight'"
            )
        so_far = np.zeros(table.n_classes, dtype=int) if past is None else past.n_kept
        rows, codes, weights = training_rows(
            table,
            filtered,
            use_verified=self.use_verified,
            minimum=self.min_per_class - so_far,
            balance=balance,
        )
        if rows.size == 0 and past is None:
            raise ValueError(
                f"no row is kept (threshold {filtered.threshold:.3g}): lower threshold, raise "
                "keep_fraction or min_per_class, or verify rows"
            )
        weighted = weighted or filtered.trust < 1 or sample_weight is not None
        weight = {"sample_weight": weights} if weighted else {}
        return rows, codes, weight

    def _store(self, model, table, judgement, filtered, rows, codes, tally):
        """Set the fitted attributes, all at once and last."""
        self.estimator_, self.classes_ = model, table.classes
        self.verifier_, self.verifier_score_ = judgement.verifier, judgement.accuracy
        self._judgement = replace(judgement, scores=None)
        self._tally, self._mu_norm = tally, filtered.mu_norm
        self.threshold_, self.feedback_scores_ = filtered.threshold, filtered.scores
        self.kept_mask_ = np.zeros(len(table.codes), dtype=bool)
        self.kept_mask_[rows] = True
        selected = filtered.codes.copy()
        selected[rows] = codes
        self.selected_labels_ = table.classes[selected]
        found = tally.quantities(filtered.mu_norm)
        for name, value in found.items():
            setattr(self, f"{name}_", value)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(model, name):
                setattr(self, name, getattr(model, name))
            elif hasattr(self, name):
                delattr(self, name)  # of an earlier fit
        warn_of_collapse(found, self.breakdown_level, use_verified=self.use_verified)
        return self

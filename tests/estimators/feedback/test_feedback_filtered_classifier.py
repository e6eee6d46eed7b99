"""FeedbackFilteredClassifier: selection, counts, routing, batches, bad input."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from skparietal import FeedbackFilteredClassifier
from skparietal.datasets import make_feedback, make_synthetic_labels
from skparietal.estimators.feedback._label_filter import relative_trust
from skparietal.estimators.feedback._label_threshold import class_separation
from skparietal.exceptions import CollapseWarning
from skparietal.metrics import VerifiedKFold, verified_scorer
from skparietal.theory import best_of_k, effective_size, label_margin
from skparietal.verifiers import AgreementVerifier, ProbabilityVerifier, ResidualVerifier


def problem(n=600, n_classes=3, error_rate=0.4, n_candidates=1, seed=0):
    """Well separated classes, synthetic labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    X = 3 * np.eye(n_classes, 5)[y] + rng.normal(size=(n, 5))
    return X, y, make_synthetic_labels(y, error_rate, n_candidates=n_candidates, random_state=seed)


def verified(y, n, seed=0):
    rows = np.random.default_rng(seed).permutation(len(y))[:n]
    y_verified = np.full(len(y), np.nan)
    y_verified[rows] = y[rows]
    return y_verified


def first_feature_is_label(X, labels):
    return np.abs(X[:, 0] - labels)


# ---------------------------------------------------------------- limits and identities


def test_without_feedback_it_is_the_base_estimator():
    X, _, y_synthetic = problem()
    base = LogisticRegression().fit(X, y_synthetic)
    model = FeedbackFilteredClassifier(LogisticRegression()).fit(X, y_synthetic)
    np.testing.assert_array_equal(model.predict_proba(X), base.predict_proba(X))
    assert model.kept_mask_.all()
    assert np.isnan([model.threshold_, model.purity_, model.breakdown_point_]).all()


def test_verdicts_keep_exactly_the_accepted_rows():
    X, y, y_synthetic = problem()
    feedback = make_feedback(y, y_synthetic, 0.9, 0.2, random_state=0)
    model = FeedbackFilteredClassifier(LogisticRegression(), balance_keep=False)
    model.fit(X, y_synthetic, feedback=feedback)
    np.testing.assert_array_equal(model.kept_mask_, feedback)
    expected = LogisticRegression().fit(X[feedback], y_synthetic[feedback])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.keep_rate_ == feedback.mean()


def test_an_oracle_leaves_no_wrong_label_and_is_never_warned_of():
    X, y, y_synthetic = problem(error_rate=0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = FeedbackFilteredClassifier().fit(
            X, y_synthetic, feedback=y_synthetic == y, y_verified=verified(y, 100)
        )
    assert (model.selected_labels_ == y)[model.kept_mask_].all()
    assert model.breakdown_point_ > 0.99
    assert model.class_margins_.min() > 0


def test_verified_rows_are_trained_on_with_their_true_label():
    X, y, y_synthetic = problem()
    y_verified = verified(y, 50)
    known = ~np.isnan(y_verified)
    feedback = np.zeros(len(y))
    feedback[:300] = 1
    model = FeedbackFilteredClassifier(breakdown_level=1).fit(
        X, y_synthetic, feedback=feedback, y_verified=y_verified
    )
    assert model.kept_mask_[known].all()
    np.testing.assert_array_equal(model.selected_labels_[known], y[known])
    model.set_params(use_verified=False, min_per_class=0).fit(
        X, y_synthetic, feedback=feedback, y_verified=y_verified
    )
    np.testing.assert_array_equal(model.kept_mask_, feedback == 1)


def test_keep_fraction_keeps_the_best_scores():
    X, _, y_synthetic = problem()
    scores = np.random.default_rng(0).normal(size=len(X))
    model = FeedbackFilteredClassifier(keep_fraction=0.25).fit(X, y_synthetic, feedback=scores)
    assert model.kept_mask_.sum() == 150
    assert scores[model.kept_mask_].min() > scores[~model.kept_mask_].max()
    assert model.threshold_ == scores[model.kept_mask_].min()


def test_labels_not_looked_at_are_never_kept():
    X, y, y_synthetic = problem()
    feedback = make_feedback(y, y_synthetic, 1, 0).astype(float)
    feedback[::3] = np.nan
    model = FeedbackFilteredClassifier().fit(X, y_synthetic, feedback=feedback)
    assert not model.kept_mask_[::3].any()


@pytest.mark.parametrize("fallback", ["drop", "best", "first"])
def test_best_of_takes_the_best_candidate(fallback):
    X, y, candidates = problem(n_candidates=4, error_rate=0.6)
    scores = np.random.default_rng(0).uniform(size=candidates.shape)
    model = FeedbackFilteredClassifier(
        strategy="best_of", threshold=0.8, fallback=fallback, min_per_class=0
    ).fit(X, candidates[:, 0], candidates=candidates, feedback=scores)
    best, rows = scores.argmax(axis=1), np.arange(len(y))
    accepted = scores.max(axis=1) >= 0.8
    np.testing.assert_array_equal(model.kept_mask_, accepted | (fallback != "drop"))
    expected = candidates[rows, np.where(accepted | (fallback != "first"), best, 0)]
    np.testing.assert_array_equal(model.selected_labels_[accepted], expected[accepted])
    if fallback != "drop":
        np.testing.assert_array_equal(model.selected_labels_, expected)


@pytest.mark.parametrize("fallback", ["drop", "first"])
def test_best_of_k_yields_what_the_theory_says(fallback):
    _, y, candidates = problem(n=20_000, n_classes=2, n_candidates=4)
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    feedback = make_feedback(y, candidates, 0.8, 0.2, random_state=1)
    model = FeedbackFilteredClassifier(strategy="best_of", fallback=fallback).fit(
        X, candidates[:, 0], candidates=candidates, feedback=feedback, y_verified=verified(y, 5000)
    )
    share, purity = best_of_k(0.4, 0.8, 0.2, 4, fallback=fallback)
    # Standard errors: .0014 for the share of 20,000 rows, .005 for a purity of about 4,800.
    assert model.keep_rate_ == pytest.approx(share, abs=0.005)
    assert model.purity_ == pytest.approx(purity, abs=0.017)
    assert model.error_rate_ == pytest.approx(0.4, abs=0.012)
    assert model.phi_ == pytest.approx(0.8, abs=0.012)
    assert model.psi_ == pytest.approx(0.2, abs=0.015)


def test_generator_draws_the_candidates_from_its_probabilities():
    X, y, y_synthetic = problem()
    generator = LogisticRegression().fit(X[:30], y[:30])
    model = FeedbackFilteredClassifier(
        strategy="best_of",
        generator=generator,
        n_candidates=8,
        verifier=lambda X, labels: labels == y,
        random_state=0,
    ).fit(X, y_synthetic)
    assert (model.selected_labels_ == y)[model.kept_mask_].all()
    assert model.keep_rate_ > (y_synthetic == y).mean() + 0.1


def test_a_class_never_vanishes_by_default():
    X, y, y_synthetic = problem()
    scores = np.random.default_rng(0).uniform(0.5, 1, size=len(y))
    scores[y_synthetic == 2] *= 0.5
    model = FeedbackFilteredClassifier(min_per_class=3).fit(X, y_synthetic, feedback=scores)
    assert model.n_kept_per_class_[2] == 3
    rare = scores[(y_synthetic == 2) & ~model.kept_mask_]
    assert rare.max() < scores[(y_synthetic == 2) & model.kept_mask_].min()
    with pytest.warns(CollapseWarning, match="no row with label 2"):
        FeedbackFilteredClassifier(min_per_class=0).fit(X, y_synthetic, feedback=scores)


def test_balance_restores_the_class_mix_of_the_verified_rows():
    # Verdicts that keep one class four times as often; a base that only knows class shares.
    X, y, _ = problem(n=4000, n_classes=2, error_rate=0)
    X = np.zeros((len(y), 1))
    feedback = np.random.default_rng(0).random(len(y)) < np.where(y == 1, 0.8, 0.2)
    model = FeedbackFilteredClassifier(DummyClassifier(strategy="prior"), balance_keep=False)
    model.fit(X, y, feedback=feedback)
    assert model.estimator_.class_prior_[1] == pytest.approx(0.8, abs=0.03)
    for y_verified in (None, verified(y, 400)):
        model.set_params(balance_keep="auto").fit(X, y, feedback=feedback, y_verified=y_verified)
        # 400 verified rows know the mix with a standard error of .025.
        assert model.estimator_.class_prior_[1] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("phi, psi", [(0.8, 0.3), (0.5, 0.5)])
def test_doubtful_verdicts_do_not_drown_the_verified_rows(phi, psi):
    X, y = load_digits(return_X_y=True)
    X, gains = X / 16, []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        train, test = order[:1200], order[1200:]
        y_synthetic = make_synthetic_labels(y[train], 0.7, random_state=seed)
        feedback = make_feedback(y[train], y_synthetic, phi, psi, random_state=seed)
        y_verified = np.where(np.arange(1200) < 150, y[train], np.nan)
        model = FeedbackFilteredClassifier().fit(
            X[train], y_synthetic, feedback=feedback, y_verified=y_verified
        )
        alone = LogisticRegression(max_iter=1000).fit(X[train[:150]], y[train[:150]])
        gains.append(model.score(X[test], y[test]) - alone.score(X[test], y[test]))
    # Without weights the synthetic rows cost more than .1.
    assert np.mean(gains) > -0.02


def test_judged_labels_are_trusted_at_the_cautious_end_of_one_standard_error():
    X, y, y_synthetic = problem()
    weights = []

    class Recorder(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            weights.append(sample_weight.min())
            return super().fit(X, y, sample_weight)

    feedback, y_verified = make_feedback(y, y_synthetic, 0.9, 0.2, random_state=0), verified(y, 100)
    model = FeedbackFilteredClassifier(Recorder(), balance_keep=False)
    model.fit(X / 3, y_synthetic, feedback=feedback, y_verified=y_verified)
    accuracy = model.verifier_score_
    mu_norm = class_separation(accuracy + np.sqrt(accuracy * (1 - accuracy) / 50), 3)
    low = model.diagnose(level=0.683).intervals["purity"][0]
    assert weights[-1] == pytest.approx(relative_trust(low, mu_norm, 3))
    assert weights[-1] < relative_trust(model.purity_, mu_norm, 3)


@pytest.mark.parametrize("strategy", ["prune", "reweight"])
@pytest.mark.parametrize("kind", ["verdicts", "good scores", "useless scores"])
def test_feedback_does_no_harm_to_verified_rows_of_an_easy_task(strategy, kind):
    # Right in .96 of the cases with 100 verified rows, while the labels are right in .65: how easy
    # the task is must be asked of the verified rows.
    X, y = load_breast_cancer(return_X_y=True)
    X, gains = StandardScaler().fit_transform(X), []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        train, test = np.split(rng.permutation(len(y)), [340])
        y_synthetic = make_synthetic_labels(y[train], 0.35, random_state=seed)
        right = y_synthetic == y[train]
        feedback = {
            "verdicts": make_feedback(y[train], y_synthetic, 0.6, 0.5, random_state=seed),
            "good scores": right + 0.7 * rng.normal(size=340),
            "useless scores": rng.normal(size=340),
        }[kind]
        y_verified = np.where(np.arange(340) < 100, y[train], np.nan)
        model = FeedbackFilteredClassifier(strategy=strategy, breakdown_level=1).fit(
            X[train], y_synthetic, feedback=feedback, y_verified=y_verified
        )
        alone = LogisticRegression(max_iter=1000).fit(X[train[:100]], y[train[:100]])
        gains.append(model.score(X[test], y[test]) - alone.score(X[test], y[test]))
    # Standard errors are .001 to .003; trusting the labels' own accuracy costs .014 to .04.
    assert np.mean(gains) > -0.007


def test_a_class_that_is_verified_needs_no_rejected_label():
    # 9 of 10 labels are wrong whatever their score: no threshold is better than none of them.
    X, y, y_synthetic = problem(n_classes=2, error_rate=0.9)
    y_verified, scores = verified(y, 500), np.random.default_rng(0).normal(size=len(y))
    model = FeedbackFilteredClassifier(min_per_class=5)
    model.fit(X, y_synthetic, feedback=scores, y_verified=y_verified)
    assert model.threshold_ == np.inf
    np.testing.assert_array_equal(model.kept_mask_, ~np.isnan(y_verified))


def test_the_score_of_the_verified_rows_alone_is_told_beside_feedback():
    X, y, y_synthetic = problem(n=900)
    feedback, y_verified = make_feedback(y, y_synthetic), verified(y, 300)
    known = ~np.isnan(y_verified)
    expected = cross_val_score(LogisticRegression(), X[known] / 3, y[known], cv=5).mean()
    fitted = ProbabilityVerifier(LogisticRegression().fit(X / 3, y))
    for given in ({"verifier": fitted}, {"feedback": feedback}):
        model = FeedbackFilteredClassifier(verifier=given.pop("verifier", None), random_state=0)
        model.fit(X / 3, y_synthetic, y_verified=y_verified, **given)
        # Two standard errors of the difference of two cross-validations on the same 300 rows.
        assert model.verifier_score_ == pytest.approx(expected, abs=0.03)
    y_verified[y_verified > 0] = np.nan  # one class: nothing can be fitted, and nothing is told
    model.fit(X / 3, y_synthetic, y_verified=y_verified, feedback=feedback)
    assert np.isnan(model.verifier_score_)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_trust_is_the_weight_at_which_values_add_up(n_classes):
    purity, mu_norm, n, n_verified = 0.7, 1.1, 1000.0, 200.0
    margin = label_margin(purity, n_classes)
    worth = effective_size(1, purity, mu_norm=mu_norm, n_classes=n_classes)

    def value(w):  # (sum of weighted margins)^2 over the sum of weighted variances
        variance = margin**2 / worth
        return (n_verified + n * w * margin) ** 2 / (n_verified + n * w**2 * variance)

    trust = relative_trust(purity, mu_norm, n_classes)
    assert value(trust) == pytest.approx(n_verified + n * worth)
    assert value(trust) >= max(value(trust * 0.9), value(trust * 1.1))
    assert relative_trust(1.0, mu_norm, n_classes) == 1


def test_reweighting_prefers_surer_labels():
    X, y, y_synthetic = problem(n=3000)
    right = y_synthetic == y
    scores = np.clip(np.random.default_rng(0).normal(np.where(right, 0.65, 0.35), 0.2), 0, 1)

    class Recorder(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            type(self).weights = sample_weight
            return super().fit(X, y, sample_weight)

    model = FeedbackFilteredClassifier(Recorder(), strategy="reweight", balance_keep=False)
    model.fit(X, y_synthetic, feedback=scores, y_verified=verified(y, 600))
    weights = Recorder.weights
    synthetic = np.isnan(verified(y, 600))[model.kept_mask_]
    order = np.argsort(scores[model.kept_mask_][synthetic])
    assert (np.diff(weights[synthetic][order]) >= 0).all()
    assert weights.max() <= 1
    assert weights[synthetic].min() < 0.5


# ---------------------------------------------------------------- estimates


@pytest.mark.parametrize("strategy", ["prune", "best_of"])
def test_purity_estimate_is_right_on_average(strategy):
    gaps = []
    for seed in range(20):
        X, y, candidates = problem(1500, 3, 0.5, 1 + 3 * (strategy == "best_of"), seed)
        X = X / 2  # a verifier that is sometimes wrong
        given = {} if strategy == "prune" else {"candidates": candidates}
        y_synthetic = candidates if strategy == "prune" else candidates[:, 0]
        y_verified = verified(y, 400, seed)
        model = FeedbackFilteredClassifier(GaussianNB(), strategy=strategy, random_state=seed)
        model.fit(X, y_synthetic, y_verified=y_verified, **given)
        others = model.kept_mask_ & np.isnan(y_verified)
        gaps.append(model.purity_ - (model.selected_labels_ == y)[others].mean())
    assert abs(np.mean(gaps)) < 0.03


def test_breakdown_probability_is_calibrated():
    # Purity of the kept rows drawn from Jeffreys' prior: the posterior is exact by construction.
    rng = np.random.default_rng(0)
    predicted, observed = [], []
    for _ in range(400):
        purity = rng.beta(0.5, 0.5)
        y = rng.integers(2, size=24)
        y_synthetic = np.where(rng.random(24) < purity, y, 1 - y)
        if np.unique(y_synthetic).size < 2:
            continue
        model = FeedbackFilteredClassifier(
            GaussianNB(), breakdown_level=1, use_verified=False, balance_keep=False
        )
        model.fit(rng.normal(size=(24, 1)), y_synthetic, feedback=np.ones(24), y_verified=y)
        predicted.append(model.breakdown_probability_)
        observed.append(purity <= 0.5)
    predicted, observed = np.array(predicted), np.array(observed)
    doubtful = (predicted > 0.1) & (predicted < 0.9)
    # About 60 doubtful draws: a standard error of .06.
    assert abs(predicted[doubtful].mean() - observed[doubtful].mean()) < 0.2
    assert abs(predicted.mean() - observed.mean()) < 0.04


def test_past_the_breakdown_point_it_warns_with_the_numbers():
    X, y, y_synthetic = problem(n_classes=2, error_rate=0.9)
    feedback = make_feedback(y, y_synthetic, 0.6, 0.5, random_state=0)
    with pytest.warns(CollapseWarning, match=r"error rate 0\.\d+ against a breakdown point of 0"):
        model = FeedbackFilteredClassifier().fit(
            X, y_synthetic, feedback=feedback, y_verified=verified(y, 100)
        )
    assert model.breakdown_probability_ > 0.99
    assert model.class_margins_.max() < 0
    assert model.effective_size_ == 0


def test_a_good_verifier_is_not_warned_of_when_few_rows_are_verified():
    # Parts of 60 verified rows often choose to accept nothing; all of them together do not.
    X, y = load_wine(return_X_y=True)
    X, gaps = StandardScaler().fit_transform(X), []
    verifier = ProbabilityVerifier(GaussianNB().fit(X, y))
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y_verified = verified(y, 60, seed)
        known = ~np.isnan(y_verified)
        y_synthetic = np.where(rng.random(len(y)) < 0.35, rng.integers(3, size=len(y)), y)
        generator = GaussianNB().fit(X[known], y[known])
        for given in ({}, {"strategy": "best_of", "generator": generator}):
            model = FeedbackFilteredClassifier(verifier=verifier, random_state=seed, **given)
            model.fit(X, y_synthetic, y_verified=y_verified)  # a warning is an error
            others = model.kept_mask_ & ~known
            gaps.append(model.purity_ - (model.selected_labels_ == y)[others].mean())
    # Jeffreys' prior takes .01 off a purity near 1.
    assert abs(np.mean(gaps)) < 0.03


def test_nothing_is_said_of_accepted_labels_none_of_which_was_verified():
    X, y, y_synthetic = problem()
    y_verified = verified(y, 50)
    feedback = np.where(np.isnan(y_verified), y == y_synthetic, 0)
    model = FeedbackFilteredClassifier().fit(
        X, y_synthetic, feedback=feedback, y_verified=y_verified
    )
    for name in ("purity_", "margin_", "breakdown_probability_", "effective_size_"):
        assert np.isnan(getattr(model, name)), name
    assert model.phi_ < 0.05


def test_rejected_labels_are_not_trained_on_in_silence():
    X, y, y_synthetic = problem()
    with pytest.raises(ValueError, match="no row is kept"):
        FeedbackFilteredClassifier().fit(X, (y + 1) % 3, feedback=np.zeros(len(y)))
    scores = np.random.default_rng(0).uniform(size=len(y))
    model = FeedbackFilteredClassifier(threshold=2.0)
    with pytest.warns(CollapseWarning, match="accepts no label"):
        model.fit(X, y_synthetic, feedback=scores)
    assert model.n_kept_ == 3
    # Beside verified rows a class judged wrong throughout stays out, or comes from them.
    model = FeedbackFilteredClassifier()
    with pytest.warns(CollapseWarning, match="no row with label 2"):
        model.fit(X, y_synthetic, feedback=y_synthetic < 2)


@pytest.mark.parametrize("scale", [1e-3, 0.999])
def test_weights_below_one_count_like_weights_of_mean_one(scale):
    X, y, y_synthetic = problem()
    scores = np.random.default_rng(0).normal(y == y_synthetic, 0.7)
    weights = np.random.default_rng(1).uniform(0.2, 1, size=len(y))
    weights /= weights.max()
    given = {"feedback": scores, "y_verified": verified(y, 150)}
    one, other = (
        FeedbackFilteredClassifier(GaussianNB()).fit(X, y_synthetic, sample_weight=w, **given)
        for w in (weights / weights.mean(), scale * weights)
    )
    assert one.threshold_ == other.threshold_
    for name in ("phi_", "psi_", "purity_", "breakdown_probability_"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-9)


def test_integer_weights_choose_the_threshold_of_repeated_rows():
    X, y, y_synthetic = problem(n=900)
    scores = np.random.default_rng(0).normal(y == y_synthetic, 0.7)
    y_verified = verified(y, 300)
    weights = np.where(np.isnan(y_verified), np.random.default_rng(1).integers(1, 9, 900), 1)
    rows = np.repeat(np.arange(900), weights)
    # Verified rows have weight 1 here: folds deal out rows, and not the weight of a row.
    once, repeated = (
        FeedbackFilteredClassifier(GaussianNB()).fit(
            X[r], y_synthetic[r], feedback=scores[r], y_verified=y_verified[r], sample_weight=w
        )
        for r, w in ((np.arange(900), weights), (rows, None))
    )
    assert once.threshold_ == repeated.threshold_
    np.testing.assert_allclose(once.predict_proba(X), repeated.predict_proba(X), atol=1e-9)


def test_negative_weights_are_refused():
    X, _, y_synthetic = problem(n=60)
    with pytest.raises(ValueError, match="Negative values"):
        FeedbackFilteredClassifier().fit(X, y_synthetic, sample_weight=np.arange(60) - 1.0)


def test_weights_of_verified_rows_are_repetitions_in_the_counts():
    X, y, y_synthetic = problem(n=200)
    feedback = make_feedback(y, y_synthetic, 0.9, 0.3, random_state=0)
    weights = np.random.default_rng(0).integers(1, 4, size=len(y))
    y_verified = verified(y, 80)
    once = FeedbackFilteredClassifier().fit(
        X, y_synthetic, feedback=feedback, y_verified=y_verified, sample_weight=weights
    )
    rows = np.repeat(np.arange(len(y)), weights)
    repeated = FeedbackFilteredClassifier().fit(
        X[rows], y_synthetic[rows], feedback=feedback[rows], y_verified=y_verified[rows]
    )
    for name in ("phi_", "psi_", "purity_", "error_rate_", "breakdown_probability_"):
        assert getattr(once, name) == pytest.approx(getattr(repeated, name))


def test_diagnosis_holds_the_attributes_and_their_intervals():
    X, y, y_synthetic = problem()
    feedback = make_feedback(y, y_synthetic, 0.9, 0.3, random_state=0)
    model = FeedbackFilteredClassifier().fit(
        X, y_synthetic, feedback=feedback, y_verified=verified(y, 200)
    )
    report = model.diagnose(level=0.9)
    for name, (low, high) in report.intervals.items():
        assert low < report[name] < high
        assert report[name] == getattr(model, name + "_")
    wide = model.diagnose(level=0.99).intervals["phi"]
    assert wide[0] < report.intervals["phi"][0]


# ---------------------------------------------------------------- verifiers


def test_every_form_of_a_fitted_verifier_is_the_same():
    X, y, y_synthetic = problem()
    fitted = LogisticRegression().fit(X[:200], y[:200])

    def by_hand(X, labels):
        return fitted.predict_proba(X)[np.arange(len(labels)), labels]

    masks = [
        FeedbackFilteredClassifier(verifier=verifier).fit(X, y_synthetic).kept_mask_
        for verifier in (fitted, FrozenEstimator(fitted), ProbabilityVerifier(fitted), by_hand)
    ]
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])
    np.testing.assert_array_equal(masks[0], by_hand(X, y_synthetic) >= 0.5)


def test_a_verifier_without_probabilities_gives_verdicts():
    X, y, y_synthetic = problem()
    fitted = LinearSVC().fit(X[:200], y[:200])
    model = FeedbackFilteredClassifier(verifier=fitted).fit(X, y_synthetic)
    np.testing.assert_array_equal(model.kept_mask_, fitted.predict(X) == y_synthetic)
    np.testing.assert_array_equal(AgreementVerifier(fitted)(X, y_synthetic), model.kept_mask_)


def test_an_unfitted_verifier_learns_from_the_verified_rows_only():
    X, y, y_synthetic = problem(error_rate=0.5)
    model = FeedbackFilteredClassifier(
        KNeighborsClassifier(), verifier=LogisticRegression(), random_state=0
    ).fit(X, y_synthetic, y_verified=verified(y, 100))
    others = model.kept_mask_ & np.isnan(verified(y, 100))
    assert (model.selected_labels_ == y)[others].mean() > 0.9
    assert model.verifier_score_ > 0.9
    # Verified rows were scored by models that had not seen them: fitted labels play no part.
    shuffled = np.random.default_rng(0).permutation(y)
    lied_to = clone(model).set_params(breakdown_level=1)
    lied_to.fit(X, y_synthetic, y_verified=verified(shuffled, 100))
    assert lied_to.verifier_score_ < 0.6


def test_the_stated_precedence_of_feedback_over_verifier():
    X, y, y_synthetic = problem()

    def must_not_be_called(X, labels):
        raise AssertionError

    model = FeedbackFilteredClassifier(verifier=must_not_be_called)
    model.fit(X, y_synthetic, feedback=y_synthetic == y)
    assert model.verifier_ is None


@pytest.mark.parametrize(
    "verifier",
    [
        ProbabilityVerifier(LogisticRegression().fit([[0.0], [1.0]], [0, 1])),
        AgreementVerifier(LogisticRegression().fit([[0.0], [1.0]], [0, 1])),
        ResidualVerifier(first_feature_is_label, tolerance=0.5),
    ],
    ids=lambda verifier: type(verifier).__name__,
)
def test_clone_and_pickle_keep_a_verifier_fitted(verifier):
    X = np.array([[0.1], [0.9], [0.2], [0.8]])
    y = np.array([0, 1, 1, 0])
    model = FeedbackFilteredClassifier(verifier=verifier)
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        kept = copy.fit(X, y).kept_mask_
        np.testing.assert_array_equal(kept, [True, True, False, False])
        again = pickle.loads(pickle.dumps(copy))
        np.testing.assert_array_equal(again.predict(X), copy.predict(X))


# ---------------------------------------------------------------- forms of data


def test_words_as_labels_and_none_where_not_verified():
    X, y, y_synthetic = problem(n=300)
    words = np.array(["ant", "bee", "cat"])
    y_verified = np.where(np.isnan(verified(y, 60)), None, words[y])
    model = FeedbackFilteredClassifier(random_state=0)
    model.fit(X, words[y_synthetic], y_verified=y_verified)
    numbers = FeedbackFilteredClassifier(random_state=0)
    numbers.fit(X, y_synthetic, y_verified=verified(y, 60))
    np.testing.assert_array_equal(model.kept_mask_, numbers.kept_mask_)
    np.testing.assert_array_equal(model.predict(X), words[numbers.predict(X)])
    assert model.purity_ == numbers.purity_


@pytest.mark.parametrize("make", [lambda v: pd.array(v, dtype="boolean"), np.array, list])
def test_every_mark_of_a_label_not_looked_at_is_read(make):
    X, y, y_synthetic = problem(n=300)
    verdicts = [None if row % 3 == 0 else bool(v) for row, v in enumerate(y == y_synthetic)]
    expected = np.where(np.arange(300) % 3 == 0, np.nan, y == y_synthetic)
    one, other = (
        FeedbackFilteredClassifier().fit(X, y_synthetic, feedback=feedback)
        for feedback in (make(verdicts), expected)
    )
    np.testing.assert_array_equal(one.kept_mask_, other.kept_mask_)


def test_a_class_known_from_verified_rows_only_extends_the_classes():
    X, y, _ = problem(n=300)
    y_synthetic = np.where(y == 2, 0, y)
    model = FeedbackFilteredClassifier().fit(X, y_synthetic, y_verified=verified(y, 150))
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.score(X, y) > 0.9


def test_probabilities_have_a_column_for_a_class_that_was_not_trained_on():
    X, _, y_synthetic = problem(n=300)
    feedback = y_synthetic != 1
    with pytest.warns(CollapseWarning, match="no row with label 1"):
        model = FeedbackFilteredClassifier(min_per_class=0).fit(X, y_synthetic, feedback=feedback)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (300, 3)
    assert not probabilities[:, 1].any()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities), atol=1e-12)
    decision = model.decision_function(X)
    np.testing.assert_array_equal(decision.argmax(axis=1), model.predict(X))
    assert (decision[:, 1] == -np.inf).all()


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
def test_sparse_rows_are_the_dense_rows(container):
    X, y, y_synthetic = problem(n=300)
    arguments = {"y_verified": verified(y, 100)}
    dense = FeedbackFilteredClassifier(random_state=0).fit(X, y_synthetic, **arguments)
    model = FeedbackFilteredClassifier(random_state=0).fit(container(X), y_synthetic, **arguments)
    np.testing.assert_array_equal(model.kept_mask_, dense.kept_mask_)
    np.testing.assert_allclose(model.predict_proba(X), dense.predict_proba(X), atol=1e-3)


def test_texts_and_frames_go_straight_to_the_base():
    texts = ["good fun", "bad dull", "fun good", "dull bad"] * 10
    y = np.array([1, 0, 1, 0] * 10)
    y_synthetic = make_synthetic_labels(y, 0.3, random_state=0)
    model = FeedbackFilteredClassifier(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    model.fit(texts, y_synthetic, feedback=y == y_synthetic)
    assert model.score(texts, y) == 1
    X, y, y_synthetic = problem(n=100)
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = FeedbackFilteredClassifier().fit(frame, y_synthetic, y_verified=verified(y, 40))
    assert list(model.feature_names_in_) == list("abcde")
    assert model.n_features_in_ == 5
    model.fit(X, y_synthetic, y_verified=verified(y, 40))
    assert not hasattr(model, "feature_names_in_")


# ---------------------------------------------------------------- scoring and routing


def test_score_with_verified_rows_ignores_the_synthetic_labels():
    X, y, y_synthetic = problem()
    model = FeedbackFilteredClassifier().fit(X, y_synthetic, feedback=y == y_synthetic)
    y_verified = verified(y, 100)
    known = ~np.isnan(y_verified)
    expected = (model.predict(X) == y)[known].mean()
    assert model.score(X, y_synthetic, y_verified=y_verified) == expected


def test_feedback_and_truth_are_routed_through_pipeline_and_grid_search():
    X, y, y_synthetic = problem(n=400, error_rate=0.6)
    feedback = np.random.default_rng(0).normal(y_synthetic == y, 0.5)
    y_verified = verified(y, 120)
    with config_context(enable_metadata_routing=True):
        model = FeedbackFilteredClassifier().set_fit_request(feedback=True, y_verified=True)
        pipeline = make_pipeline(StandardScaler(), model)
        name = "feedbackfilteredclassifier__keep_fraction"
        search = GridSearchCV(
            pipeline,
            {name: [0.4, 1.0]},
            scoring=verified_scorer(),
            cv=VerifiedKFold(3, random_state=0).set_split_request(y_verified=True),
        )
        with warnings.catch_warnings():
            # Keeping all of 60 % wrong labels of three classes is past the breakdown point.
            warnings.simplefilter("ignore", CollapseWarning)
            search.fit(X, y_synthetic, feedback=feedback, y_verified=y_verified)
        assert search.best_params_ == {name: 0.4}
        fitted = search.best_estimator_[-1]
        assert fitted.n_verified_ == 120
        direct = FeedbackFilteredClassifier(keep_fraction=0.4)
        direct.fit(
            StandardScaler().fit_transform(X), y_synthetic, feedback=feedback, y_verified=y_verified
        )
        np.testing.assert_array_equal(fitted.kept_mask_, direct.kept_mask_)
        truth = y[~np.isnan(y_verified)]
        scored = search.score(X, y_synthetic, y_verified=y_verified)
        predicted = search.predict(X)[~np.isnan(y_verified)]
        assert scored == (predicted == truth).mean()


# ---------------------------------------------------------------- batches


def test_batches_add_up_and_keep_the_first_threshold():
    X, y, y_synthetic = problem(n=900)
    scores = np.random.default_rng(0).normal(np.where(y_synthetic == y, 1, -1), 1)
    y_verified = verified(y, 600)
    settings = {"balance_keep": False, "use_verified": False}
    model, thresholds = FeedbackFilteredClassifier(GaussianNB(), **settings), []
    for start in range(0, 900, 300):
        batch = slice(start, start + 300)
        model.partial_fit(
            X[batch],
            y_synthetic[batch],
            classes=[0, 1, 2],
            feedback=scores[batch],
            y_verified=y_verified[batch],
        )
        thresholds.append(model.threshold_)
    threshold = thresholds[0]
    assert thresholds == 3 * [threshold]
    whole = FeedbackFilteredClassifier(GaussianNB(), threshold=threshold, **settings)
    whole.fit(X, y_synthetic, feedback=scores, y_verified=y_verified)
    assert model.n_kept_ == whole.n_kept_
    assert model.n_verified_ == 600
    np.testing.assert_allclose(model.predict_proba(X), whole.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_an_unfitted_verifier_grows_with_the_batches(make):
    X, y, y_synthetic = problem(n=900, error_rate=0.5)
    X = np.abs(X)
    y_verified = verified(y, 450)
    y_verified[600:] = np.nan
    model = FeedbackFilteredClassifier(
        MultinomialNB(), verifier=LogisticRegression(), random_state=0
    )
    sizes = []
    for start in range(0, 900, 300):
        batch = slice(start, start + 300)
        model.partial_fit(
            make(X[batch]), y_synthetic[batch], [0, 1, 2], y_verified=y_verified[batch]
        )
        sizes.append(len(model._judgement.verified[1]))
    known = ~np.isnan(y_verified)
    assert sizes == [known[:300].sum(), known[:600].sum(), known.sum()]
    # The last batch has no verified row, and is filtered all the same.
    assert model.keep_rate_ < 0.8
    assert (model.selected_labels_ == y[600:])[model.kept_mask_].mean() > 0.85


def test_how_easy_the_task_is_is_asked_again_when_twice_as_much_is_known():
    X, y, y_synthetic = problem(n=400)
    model, scores = FeedbackFilteredClassifier(GaussianNB()), []
    for start in range(0, 400, 100):
        batch = slice(start, start + 100)
        truth = np.where(np.arange(100) < 50, y[batch], np.nan)
        model.partial_fit(
            X[batch] / 3, y_synthetic[batch], [0, 1, 2], feedback=np.ones(100), y_verified=truth
        )
        scores.append(model.verifier_score_)
    # 50, 100, 150 and 200 verified rows.
    assert scores[0] != scores[1] == scores[2] != scores[3]


def test_the_question_how_easy_the_task_is_costs_one_small_fit():
    X, y, y_synthetic = problem(n=4000)
    sizes = []

    class Recorder(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            sizes.append(len(y))
            return super().fit(X, y, sample_weight)

    FeedbackFilteredClassifier(Recorder()).fit(
        X, y_synthetic, feedback=y == y_synthetic, y_verified=y
    )
    assert sizes == [500, 4000]


def test_a_failed_batch_leaves_what_was_learned():
    X, y, y_synthetic = problem()
    model = FeedbackFilteredClassifier(GaussianNB())
    model.partial_fit(X, y_synthetic, [0, 1, 2], feedback=y == y_synthetic)
    before = model.predict_proba(X), model.n_kept_
    with pytest.raises(ValueError, match="not among the classes"):
        model.partial_fit(X, y_synthetic + 5, feedback=y == y_synthetic)
    with pytest.raises(ValueError, match="infinite"):
        model.partial_fit(X, y_synthetic, feedback=np.full(len(y), np.inf))
    np.testing.assert_array_equal(model.predict_proba(X), before[0])
    assert model.n_kept_ == before[1]


def test_partial_fit_is_there_only_if_the_base_has_it():
    assert hasattr(FeedbackFilteredClassifier(GaussianNB()), "partial_fit")
    assert not hasattr(FeedbackFilteredClassifier(), "partial_fit")
    with pytest.raises(ValueError, match="classes must be passed"):
        FeedbackFilteredClassifier(GaussianNB()).partial_fit([[0.0], [1.0]], [0, 1])


# GaussianNB takes the logarithm of the zero prior of a class of weight 0.
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_scikit_learn_checks_hold_with_partial_fit():
    check_estimator(FeedbackFilteredClassifier(GaussianNB()), on_skip=None)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "parameters, arguments, message",
    [
        ({"threshold": 0.3, "keep_fraction": 0.5}, {}, "exclude one another"),
        ({"verifier": LogisticRegression()}, {}, "no verified rows to fit it on"),
        ({}, {"feedback": np.ones(3)}, "feedback has shape"),
        ({}, {"feedback": ["yes"] * 60}, "feedback must be numbers"),
        ({}, {"feedback": np.full(60, np.inf)}, "infinite"),
        ({}, {"feedback": np.linspace(-3, 3, 60)}, "no natural threshold"),
        ({}, {"candidates": np.zeros((60, 2))}, "strategy='best_of'"),
        ({"strategy": "best_of"}, {}, "needs candidates in fit, or a generator"),
        ({"strategy": "best_of"}, {"candidates": np.zeros((3, 2))}, "candidates has shape"),
        ({"min_per_class": 0}, {"feedback": np.zeros(60)}, "no row is kept"),
        ({}, {"feedback": np.full(60, np.nan)}, "no row is kept"),
        ({}, {"y_verified": np.zeros(3)}, "y_verified has 3 rows"),
        ({}, {"y_verified": np.r_[np.zeros(20), np.full(40, np.nan)]}, "one class only"),
        ({"verifier": lambda X, labels: np.ones(2)}, {}, "one score a row"),
        ({}, {"y_verified": np.r_[np.zeros(20), np.ones(20), np.full(20, -1)]}, "NaN or None"),
        ({"cv": [([0, 1, 2], [3, 4])]}, {"y_verified": np.arange(60) % 3}, "exactly once"),
    ],
)
def test_bad_input_is_named(parameters, arguments, message):
    X, _, y_synthetic = problem(n=60)
    with pytest.raises(ValueError, match=message):
        FeedbackFilteredClassifier(**parameters).fit(X, y_synthetic, **arguments)


def test_a_regressor_is_refused():
    with pytest.raises(TypeError, match="must be a classifier"):
        FeedbackFilteredClassifier(LinearRegression()).fit([[0.0], [1.0]], [0, 1])


def test_a_batch_of_other_columns_is_told():
    X, y, y_synthetic = problem(n=120)
    model = FeedbackFilteredClassifier(GaussianNB(), verifier=LogisticRegression())
    model.partial_fit(X, y_synthetic, [0, 1, 2], y_verified=verified(y, 60))
    with pytest.raises(ValueError, match="X has 4 features, but the batches before had 5"):
        model.partial_fit(X[:, :4], y_synthetic, y_verified=verified(y, 60))


def test_a_base_without_weights_is_told():
    X, y, y_synthetic = problem(n=60)
    feedback = y == y_synthetic
    model = FeedbackFilteredClassifier(KNeighborsClassifier())
    model.fit(X, y_synthetic, feedback=feedback)  # "auto" does not balance then
    with pytest.raises(TypeError, match="takes no sample_weight"):
        model.fit(X, y_synthetic, feedback=feedback, sample_weight=np.ones(60))
    with pytest.raises(ValueError, match="balance_keep=False"):
        model.set_params(balance_keep=True).fit(X, y_synthetic, feedback=feedback)


def test_an_unfitted_model_says_so():
    with pytest.raises(NotFittedError):
        FeedbackFilteredClassifier().diagnose()


# ---------------------------------------------------------------- the point of it


def test_on_digits_feedback_undoes_the_generators_errors():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    train = np.random.default_rng(0).random(len(y)) < 0.7
    y_synthetic = make_synthetic_labels(y[train], 0.8, random_state=0)
    feedback = make_feedback(y[train], y_synthetic, 0.9, 0.1, random_state=0)
    naive = LogisticRegression(max_iter=1000).fit(X[train], y_synthetic).score(X[~train], y[~train])
    model = FeedbackFilteredClassifier().fit(X[train], y_synthetic, feedback=feedback)
    assert model.score(X[~train], y[~train]) > naive + 0.1

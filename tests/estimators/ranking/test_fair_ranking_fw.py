"""FairRankingFW: limits, serving, replay, invariances, formats, callbacks, checkpoints, errors."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skparietal import FairRankingFW, fair_ranking_path
from skparietal.metrics import (
    exposure_merit_gap,
    gini_index,
    group_exposure_gap,
    item_exposure,
    make_tradeoff_refit,
    score_ranking,
    user_utility,
)
from skparietal.objectives import (
    BalancedExposure,
    GiniWelfare,
    QualityWeighted,
    TwoSidedWelfare,
)


def scores(n_users=120, n_items=25, seed=0):
    """Relevance between 0 and 1, without ties, of which some items have more than others."""
    rng = np.random.default_rng(seed)
    return expit(rng.normal(size=(n_users, n_items)) + np.linspace(-2, 2, n_items))


def ranking(**parameters):
    return FairRankingFW(**{"top_k": 5, "tol": 0, "max_iter": 8, "random_state": 0, **parameters})


GROUPS = np.arange(120) % 2
OBJECTIVES = {
    "welfare": TwoSidedWelfare(),
    "concave": TwoSidedWelfare(user_alpha=0.5),
    "quality": QualityWeighted(),
    "balanced": BalancedExposure(),
    "gini": GiniWelfare(),
}


def groups_for(name):
    return {"user_groups": GROUPS} if name == "balanced" else {}


# Limits and meaning


@pytest.mark.parametrize("solver", ["offr", "fw"])
def test_beta_zero_sorts_by_relevance(solver):
    X = scores()
    model = ranking(beta=0, solver=solver).fit(X)
    expected = np.argsort(-X, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(
        np.take_along_axis(X, model.predict(X), axis=1), np.take_along_axis(X, expected, axis=1)
    )
    assert model.gap_ == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("solver", ["offr", "fw"])
def test_the_solution_beats_relevance_within_its_certificate(name, solver):
    X = scores()
    X[GROUPS == 1] = X[GROUPS == 1, ::-1]
    model = ranking(objective=OBJECTIVES[name], beta=0.3, solver=solver, max_iter=64)
    model.fit(X, **groups_for(name))
    # One batch pass is the ranking by relevance, with its value under this objective.
    relevance = clone(model).set_params(max_iter=1, solver="fw").fit(X, **groups_for(name))
    assert relevance.objective_value_ < model.objective_value_
    assert relevance.objective_value_ + relevance.gap_ >= model.objective_value_
    assert 0 <= model.gap_ < relevance.gap_


@pytest.mark.parametrize("name", OBJECTIVES)
def test_online_and_batch_agree_within_their_certificates(name):
    X = scores()
    online, batch = (
        ranking(objective=OBJECTIVES[name], beta=0.2, solver=solver, max_iter=n, batch_size=4).fit(
            X, **groups_for(name)
        )
        for solver, n in (("offr", 64), ("fw", 256))
    )
    assert online.objective_value_ <= batch.objective_value_ + batch.gap_ + 1e-9
    assert batch.objective_value_ <= online.objective_value_ + online.gap_ + 1e-9
    assert abs(online.objective_value_ - batch.objective_value_) < 0.01


def test_more_weight_on_items_is_less_unequal_and_less_useful():
    X = scores()
    models = [ranking(beta=beta, max_iter=32).fit(X) for beta in (0.0, 0.05, 0.3, 2.0)]
    ginis = [gini_index(model.item_exposure_) for model in models]
    utilities = [model.user_utility_.mean() for model in models]
    assert (np.diff(ginis) < 0).all()
    assert (np.diff(utilities) < 0).all()


def test_quality_brings_exposure_towards_merit():
    X = scores()
    merit = X.mean(axis=0)
    gaps = [
        exposure_merit_gap(
            ranking(objective="quality", beta=beta, max_iter=32).fit(X).item_exposure_, merit
        )
        for beta in (0.0, 0.3, 3.0)
    ]
    assert gaps[2] < gaps[1] < gaps[0]


def test_given_merit_replaces_relevance():
    X = scores()
    merit = np.linspace(1, 0, X.shape[1])
    model = ranking(objective="quality", beta=5.0, item_merit=merit, max_iter=64).fit(X)
    own = ranking(objective="quality", beta=5.0, max_iter=64).fit(X)
    assert exposure_merit_gap(model.item_exposure_, merit) < 0.3
    assert exposure_merit_gap(own.item_exposure_, merit) > 0.6


def test_balanced_brings_user_groups_together():
    X = scores()
    X[GROUPS == 1] = X[GROUPS == 1, ::-1]
    gaps = [
        group_exposure_gap(
            ranking(objective="balanced", beta=beta, max_iter=64)
            .fit(X, user_groups=GROUPS)
            .group_exposure_
        )
        for beta in (0.0, 0.3)
    ]
    assert gaps[1] < gaps[0] / 3


def test_item_groups_share_exposure_between_groups_only():
    X = scores()
    labels = np.where(np.arange(25) < 20, "long tail", "hits")
    grouped = ranking(item_groups=labels, beta=1.0, max_iter=64).fit(X)
    plain = ranking(beta=0).fit(X)
    assert grouped.group_exposure_.shape == (1, 2)
    tail = grouped.item_exposure_[:20].sum() / grouped.item_exposure_.sum()
    assert tail > plain.item_exposure_[:20].sum() / plain.item_exposure_.sum()
    # Within a group the bonus is the same, so that relevance alone decides.
    assert len(np.unique(grouped.item_bonus_)) == 2


def test_one_group_per_item_is_no_groups():
    X = scores()
    plain = ranking(beta=0.3).fit(X)
    named = ranking(beta=0.3, item_groups=np.arange(25)).fit(X)
    np.testing.assert_allclose(named.item_exposure_, plain.item_exposure_, rtol=1e-12)


def test_exposure_and_utility_are_those_of_one_policy():
    # Utility summed over users is relevance times exposure; with equal rows, through the items.
    X = np.tile(scores(1), (50, 1))
    model = ranking(beta=0.5, max_iter=16).fit(X)
    assert model.user_utility_.mean() == pytest.approx(X[0] @ model.item_exposure_, rel=1e-9)
    assert model.item_exposure_.sum() == pytest.approx(model.position_weights_.sum())


# Weights, groups of threads, formats


@pytest.mark.parametrize("solver", ["offr", "fw"])
@pytest.mark.parametrize("objective", ["welfare", "quality", "gini", TwoSidedWelfare(0.5)])
def test_integer_weights_are_repetitions(objective, solver):
    X = scores(20)
    weights = np.arange(20) % 3
    parameters = {"objective": objective, "beta": 0.3, "solver": solver, "batch_size": 64}
    weighted = ranking(**parameters).fit(X, sample_weight=weights)
    repeated = ranking(**parameters).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.item_exposure_, repeated.item_exposure_, rtol=1e-9)
    assert weighted.objective_value_ == pytest.approx(repeated.objective_value_, rel=1e-9)
    assert weighted.gap_ == pytest.approx(repeated.gap_, rel=1e-6, abs=1e-12)


def test_single_precision_input_is_ranked_in_single_precision():
    X = scores().astype(np.float32)
    single, double = ranking(beta=0.1).fit(X), ranking(beta=0.1).fit(X.astype(float))
    # Rounding of the scores may swap near ties; each swap moves little.
    assert single.objective_value_ == pytest.approx(double.objective_value_, abs=1e-3)


@pytest.mark.parametrize("convert", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
def test_implicit_candidates_equal_the_dense_table(convert):
    # Every row stores top_k items, and merits differ: no ties that the two could break differently.
    X = np.where(scores() > 0.5, scores(), 0.0)
    assert (X > 0).sum(axis=1).min() >= 5
    parameters = {"objective": "quality", "item_merit": np.linspace(1, 2, 25), "beta": 1.0}
    dense = ranking(**parameters).fit(X)
    implicit = ranking(**parameters, candidates="implicit").fit(convert(X))
    np.testing.assert_allclose(implicit.item_exposure_, dense.item_exposure_, rtol=1e-12)
    np.testing.assert_array_equal(implicit.predict(convert(X)), dense.predict(X))


def test_stored_candidates_only_are_shown_and_short_rows_are_padded():
    X = sparse.csr_array(np.where(scores() > 0.9, scores(), 0.0))
    model = ranking(beta=0.2, candidates="stored").fit(X)
    rankings = model.sample(X, 3, random_state=0)
    stored = X.toarray() > 0
    for sample in rankings:
        for row, shown in zip(stored, sample):
            assert row[shown[shown >= 0]].all()
            assert (shown >= 0).sum() == min(5, row.sum())
    assert (model.expected_exposure(X).toarray()[~stored] == 0).all()


def test_all_candidates_stored_is_the_dense_problem():
    X = scores() + 0.01
    dense = ranking(beta=0.2).fit(X)
    stored = ranking(beta=0.2, candidates="stored").fit(sparse.csr_array(X))
    np.testing.assert_allclose(stored.item_exposure_, dense.item_exposure_, rtol=1e-12)


# The stored policy


@pytest.mark.parametrize("name", OBJECTIVES)
def test_expected_exposure_is_what_sampling_gives(name):
    X = scores(60)
    groups = {"user_groups": GROUPS[:60]} if name == "balanced" else {}
    model = ranking(objective=OBJECTIVES[name], beta=0.3, n_stored=6).fit(X, **groups)
    expected = np.asarray(model.expected_exposure(X, **groups).mean(axis=0)).ravel()
    drawn = item_exposure(model.sample(X, 400, random_state=0, **groups), 25)
    # 400 x 60 draws of exposures of at most 1: standard error below 1 / sqrt(24,000) = 0.0065.
    np.testing.assert_allclose(drawn, expected, atol=4 * 0.0065)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_score_is_the_objective_of_the_expected_exposure(name):
    X = scores()
    groups = groups_for(name)
    model = ranking(objective=OBJECTIVES[name], beta=0.3).fit(X, **groups)
    exposures = model.expected_exposure(X, **groups).toarray()
    total = model.position_weights_.sum()
    welfare = OBJECTIVES[name].user_value((X * exposures).sum(axis=1) / total).mean()
    item_part = model.score(X, **groups) - welfare
    relative = exposures.mean(axis=0) * 25 / total
    if name in ("welfare", "concave"):
        assert item_part == pytest.approx(0.3 * np.sqrt(relative + 0.01).mean(), rel=1e-9)
    if name == "gini":
        assert item_part == pytest.approx(0.3 * (1 - gini_index(relative)), rel=1e-9)
    if name == "balanced":
        halves = np.stack(
            [exposures[groups["user_groups"] == label].mean(axis=0) for label in (0, 1)]
        )
        deviation = (halves - halves.mean(axis=0)) * 25 / total
        distance = np.sqrt(0.01 + (deviation**2).sum(axis=0))
        assert item_part == pytest.approx(-0.3 * distance.mean(), rel=1e-9)
    if name == "quality":
        gap = exposure_merit_gap(relative, X.mean(axis=0))
        assert item_part == pytest.approx(-0.3 * np.sqrt(0.01 + gap**2), rel=1e-9)


def test_score_counts_other_relevance_when_given():
    X = scores()
    model = ranking(beta=0.3).fit(X)
    assert model.score(X, X) == pytest.approx(model.score(X), rel=1e-12)
    assert model.score(X, sparse.csr_array(X)) == pytest.approx(model.score(X), rel=1e-12)
    # A linear users' part: half the relevance, half the utility.
    utility = model.score(X, X) - model.score(X, 0 * X)
    assert model.score(X, X / 2) == pytest.approx(model.score(X, X) - utility / 2, rel=1e-9)
    assert model.score(X, np.zeros(len(X))) == model.score(X)  # a flat y is ignored
    with pytest.raises(ValueError, match="y has shape"):
        model.score(X, X[:, :3])


def test_the_stored_policy_keeps_the_value_of_the_fitted_one():
    X = scores(300)
    model = ranking(beta=0.2, solver="fw", max_iter=100, n_stored=32).fit(X)
    greedy = ranking(beta=0.2, solver="fw", max_iter=1).fit(X)
    gain = model.objective_value_ - greedy.objective_value_
    assert model.score(X) >= greedy.objective_value_ + 0.9 * gain


@pytest.mark.parametrize("user_alpha", [1.0, 0.5])
def test_predict_does_not_depend_on_the_other_rows(user_alpha):
    X = scores()
    model = ranking(objective=TwoSidedWelfare(user_alpha), beta=0.3).fit(X)
    alone = np.vstack([model.predict(X[[i]]) for i in range(10)])
    np.testing.assert_array_equal(model.predict(X)[:10], alone)
    np.testing.assert_array_equal(model.predict(X[::-1])[::-1][:10], alone)


def test_samples_follow_their_random_state():
    X = scores()
    model = ranking(beta=0.3).fit(X)
    one, two, three = (model.sample(X, 2, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()
    assert one.shape == (2, 120, 5)


# Serving


def test_served_exposure_and_utility_are_what_was_shown():
    X = scores()
    model = ranking(beta=0.3, batch_size=7)
    shown = np.vstack([model.partial_fit_predict(X[a : a + 10]) for a in range(0, 120, 10)])
    np.testing.assert_allclose(model.item_exposure_, item_exposure(shown, 25), rtol=1e-12)
    assert model.n_seen_ == 120


def test_user_state_is_the_mean_utility_of_what_each_was_shown():
    X = scores(10)
    ids = np.array(list("abcabcabca"))
    model = ranking(objective=TwoSidedWelfare(0.5), beta=0.3, batch_size=4)
    utility = user_utility(X, model.partial_fit_predict(X, user_ids=ids))
    for name in "abc":
        visits, mean = model.user_state_[name]
        assert visits == (ids == name).sum()
        assert mean == pytest.approx(utility[ids == name].mean())


def test_batches_may_arrive_in_any_cut():
    X = scores()
    whole = ranking(beta=0.3, batch_size=1).partial_fit(X)
    cut = ranking(beta=0.3, batch_size=1)
    for start, stop in ((0, 1), (1, 50), (50, 120)):
        cut.partial_fit(X[start:stop])
    np.testing.assert_array_equal(cut.item_exposure_, whole.item_exposure_)
    np.testing.assert_array_equal(cut.bonus_path_, whole.bonus_path_)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_stream_resumed_from_a_pickle_continues_bit_by_bit(name):
    X, ids = scores(), np.arange(120) % 30
    model = ranking(objective=OBJECTIVES[name], beta=0.3, batch_size=8)

    def serve(model, rows):
        groups = {"user_groups": GROUPS[rows]} if name == "balanced" else {}
        return model.partial_fit_predict(X[rows], user_ids=ids[rows], **groups)

    serve(model, slice(0, 48))
    checkpoint = pickle.dumps(model)
    expected = serve(model, slice(48, 120))
    resumed = pickle.loads(checkpoint)
    np.testing.assert_array_equal(serve(resumed, slice(48, 120)), expected)
    np.testing.assert_array_equal(resumed.item_exposure_, model.item_exposure_)
    np.testing.assert_array_equal(resumed.item_bonus_, model.item_bonus_)


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"X": np.full((2, 25), np.nan)}, "NaN"),
        ({"X": np.ones((2, 24))}, "24 features"),
        ({"sample_weight": [1.0, -1.0]}, "[Nn]egative"),
        ({"sample_weight": [0.0, 0.0]}, "positive sum|non-zero"),
        ({"user_ids": [1, 2, 3]}, "user_ids has 3 entries"),
        ({"user_ids": None}, "pass user_ids"),
        ({"X": -np.ones((2, 25))}, "Negative values in data passed"),
    ],
)
def test_a_refused_batch_changes_nothing(bad, message):
    X = scores()
    model = ranking(objective=TwoSidedWelfare(0.5)).partial_fit(X, user_ids=range(120))
    before = pickle.dumps(vars(model))
    batch = {"X": X[:2], "user_ids": [1, 2], **bad}
    with pytest.raises(ValueError, match=message):
        model.partial_fit(**batch)
    assert pickle.dumps(vars(model)) == before


def test_serving_goes_on_from_a_fit():
    X = scores()
    fitted = ranking(beta=0.3, max_iter=32).fit(X)
    optimal = gini_index(fitted.item_exposure_)
    fitted.partial_fit(X)
    assert fitted.n_seen_ == 240
    # One pass from nothing is still far away; one from the solution stays there.
    fresh = ranking(beta=0.3).partial_fit(X)
    distances = [abs(gini_index(m.item_exposure_) - optimal) for m in (fitted, fresh)]
    assert distances[0] < distances[1]


def test_unknown_users_after_fit_start_from_nothing():
    X = scores()
    model = ranking(objective=TwoSidedWelfare(0.5), beta=0.3).fit(X)
    model.partial_fit(X[:2], user_ids=[0, "new"])
    assert model.user_state_[0][0] == 2
    assert model.user_state_["new"][0] == 1


def test_user_groups_may_come_one_by_one():
    X = scores()
    model = ranking(objective="balanced", beta=0.3)
    for label in ("b", "a", "c"):
        model.partial_fit(X[:20], user_groups=[label] * 20)
    np.testing.assert_array_equal(model.user_groups_, ["b", "a", "c"])
    assert model.group_exposure_.shape == (3, 25)
    assert model.predict(X[:2], user_groups=["c", "b"]).shape == (2, 5)
    with pytest.raises(ValueError, match=r"not seen in fit: .*z"):
        model.predict(X[:2], user_groups=["c", "z"])


def test_merit_of_a_stream_is_the_relevance_served():
    X = scores()
    streamed = ranking(objective="quality", beta=0.3).partial_fit(X[:60]).partial_fit(X[60:])
    np.testing.assert_allclose(streamed._problem.merit, X.sum(axis=0))


# scikit-learn


def test_in_a_pipeline_after_a_matrix_factorisation():
    class Scores(NMF):
        """Reconstructed ratings."""

        def fit_transform(self, X, y=None):
            return super().fit_transform(X) @ self.components_

        def transform(self, X):
            return super().transform(X) @ self.components_

    X = np.round(scores(80))
    factors = Scores(4, init="nndsvda", max_iter=5000, random_state=0)
    model = make_pipeline(factors, ranking(beta=0.1)).fit(X)
    assert model.predict(X).shape == (80, 5)
    greedy = clone(model).set_params(fairrankingfw__beta=0).fit(X)
    assert gini_index(item_exposure(model.predict(X), 25)) < gini_index(
        item_exposure(greedy.predict(X), 25)
    )


def test_grid_search_over_beta_and_the_objective():
    X = scores()
    search = GridSearchCV(
        ranking(objective=TwoSidedWelfare()),
        {"beta": [0.0, 0.05, 1.0], "objective__item_alpha": [0.5, 0.0]},
        scoring=score_ranking,
        refit=make_tradeoff_refit(min_utility=0.95),
        cv=3,
    ).fit(X)
    ndcg = search.cv_results_["mean_test_ndcg"]
    kept = ndcg >= 0.95 * ndcg.max()
    assert kept[search.best_index_]
    gini = search.cv_results_["mean_test_gini"]
    assert gini[search.best_index_] == gini[kept].min()
    assert search.best_params_["beta"] > 0


def test_the_path_saves_passes_and_ends_as_well():
    X = scores()
    betas = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    template = ranking(solver="fw", tol=2e-3, max_iter=500)
    path = fair_ranking_path(template, X, betas)
    cold = [clone(template).set_params(beta=beta).fit(X) for beta in betas]
    assert sum(m.n_iter_ for m in path) < sum(m.n_iter_ for m in cold)
    for warm, fresh in zip(path, cold):
        assert abs(warm.objective_value_ - fresh.objective_value_) <= 2 * 2e-3 * 2
    assert not hasattr(template, "gap_")


def test_warm_online_passes_continue():
    X = scores()
    model = ranking(beta=0.3, max_iter=8, warm_start=True).fit(X)
    first = model.gap_
    assert model.fit(X).gap_ < first


def test_warm_start_on_another_table_is_refused():
    X = scores()
    model = ranking(warm_start=True).fit(X)
    with pytest.raises(ValueError, match="warm_start=True continues on the same X"):
        model.fit(X[:50])


def test_callbacks_see_passes_and_may_stop_them():
    callback = pytest.importorskip("sklearn.callback", reason="public since scikit-learn 1.9")
    assert callback

    class Watch:
        def __init__(self):
            self.seen = []

        def setup(self, estimator, context):
            self.seen.append("setup")

        def teardown(self, estimator, context):
            self.seen.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
            self.seen.append((context.task_name, fitted_estimator.score(X)))
            return context.task_id == 2

    X = scores()
    for solver in ("offr", "fw"):
        watch = Watch()
        model = ranking(solver=solver, beta=0.3).set_callbacks(watch)
        model.fit(X)
        names = [entry if isinstance(entry, str) else entry[0] for entry in watch.seen]
        assert names == ["setup", "pass", "pass", "pass", "fit", "teardown"]
        assert watch.seen[-2][1] == pytest.approx(model.score(X))
        assert np.isfinite(model.gap_)


def test_progress_is_printed(capsys):
    ranking(verbose=1, max_iter=4).fit(scores())
    printed = capsys.readouterr().out
    assert [line.split(":")[0] for line in printed.splitlines()] == ["pass 1", "pass 2", "pass 4"]
    assert "gap" in printed


def test_a_gap_above_tol_warns():
    with pytest.warns(ConvergenceWarning, match="gap of .* above tol=1e-09"):
        ranking(tol=1e-9, max_iter=2, beta=1.0).fit(scores())


def test_names_of_items_are_kept():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(scores(), columns=[f"item {j}" for j in range(25)])
    model = ranking().fit(X)
    np.testing.assert_array_equal(model.feature_names_in_, X.columns)


# Bad input


def test_top_k_is_cut_to_the_catalogue():
    model = ranking(top_k=100).fit(scores())
    assert model.top_k_ == 25
    assert model.predict(scores()).shape == (120, 25)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"beta": -0.1}, "beta"),
        ({"position_weights": [1.0, 2.0, 3.0, 4.0, 5.0]}, "non-increasing"),
        ({"position_weights": [1.0, 0.5]}, "at least top_k=5"),
        ({"objective": TwoSidedWelfare(eta=0.0)}, "infinite slope"),
        ({"objective": "fair"}, "objective"),
        ({"item_groups": [0, 1]}, "item_groups has 2 labels but X has 25 columns"),
        ({"item_groups": np.zeros(25)}, "single group"),
        ({"objective": "quality", "item_merit": [1.0]}, "item_merit has 1 entries"),
        ({"objective": "quality", "item_merit": -np.ones(25)}, "non-negative"),
        ({"objective": "balanced"}, "pass user_groups"),
        ({"objective": GiniWelfare([1.0])}, "shape"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        ranking(**parameters).fit(scores())


def test_bad_user_groups_are_refused():
    X = scores()
    with pytest.raises(ValueError, match="single group"):
        ranking(objective="balanced").fit(X, user_groups=np.zeros(120))
    with pytest.raises(ValueError, match="user_groups has 3 labels but X has 120 rows"):
        ranking(objective="balanced").fit(X, user_groups=[0, 1, 0])


def test_negative_relevance_needs_a_linear_users_part():
    X = scores() - 0.5
    ranking().fit(X)
    with pytest.raises(ValueError, match="Negative values in data passed to FairRankingFW"):
        ranking(objective=TwoSidedWelfare(0.5)).fit(X)


def test_sparse_tables_are_refused_without_a_rule_for_missing_entries():
    with pytest.raises(TypeError, match=r"candidates='stored'.*candidates='implicit'"):
        ranking().fit(sparse.csr_array(scores()))


def test_before_fit_nothing_is_predicted():
    with pytest.raises(NotFittedError):
        ranking().predict(scores())


def test_other_relevance_may_be_a_list_or_a_frame():
    X, other = scores(), scores(seed=1)
    model = ranking(beta=0.3).fit(X)
    expected = model.score(X, other)
    assert expected != model.score(X)
    assert model.score(X, other.tolist()) == pytest.approx(expected, rel=1e-12)
    assert model.score(X, pd.DataFrame(other)) == pytest.approx(expected, rel=1e-12)
    assert model.score(X, pl.DataFrame(other)) == pytest.approx(expected, rel=1e-12)


def test_a_refit_forgets_attributes_that_its_objective_has_not():
    X = scores()
    model = ranking(objective="balanced").fit(X, user_groups=GROUPS)
    assert hasattr(model, "user_groups_")
    model.set_params(objective=TwoSidedWelfare(user_alpha=0.5)).fit(X)
    assert not hasattr(model, "user_groups_")
    assert hasattr(model, "user_state_")
    model.set_params(objective="welfare").fit(X)
    assert not hasattr(model, "user_state_")


def test_an_online_warm_start_follows_another_beta():
    X = scores()
    warm = ranking(beta=0.02, max_iter=32, warm_start=True).fit(X)
    fresh = ranking(beta=1.0, max_iter=32).fit(X)
    # What the old policy is worth under the new objective: its parts are linear in beta.
    item_part = warm.objective_value_ - warm.user_utility_.mean() / warm._problem.total_attention
    before = warm.objective_value_ + (1.0 - 0.02) * item_part / 0.02
    warm.set_params(beta=1.0).fit(X)
    # The first pass counts as the eleventh: 32 more halve what is left of the old policy, and more.
    assert fresh.objective_value_ - warm.objective_value_ < 0.2 * (fresh.objective_value_ - before)


def test_users_of_a_concave_welfare_are_never_made_up():
    model, X = ranking(objective=TwoSidedWelfare(0.5)), scores()
    with pytest.raises(ValueError, match=r"range\(n\) for users who never come back"):
        model.partial_fit(X)
    strangers = ranking(objective=TwoSidedWelfare(0.5), beta=0.3)
    fitted = ranking(objective=TwoSidedWelfare(0.5), beta=0.3, max_iter=32).fit(X)
    shown = strangers.partial_fit_predict(X, user_ids=range(120))
    # Each new user has the steepest slope: relevance outweighs the items, which a fit balances.
    assert gini_index(item_exposure(shown, 25)) > 1.2 * gini_index(fitted.item_exposure_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("objective", ["welfare", TwoSidedWelfare(0.5)])
def test_users_one_at_a_time_are_served_alike_with_and_without_validation(objective, dtype):
    X = scores().astype(dtype)
    clean, validated = (ranking(objective=objective, beta=0.3, batch_size=1) for _ in range(2))
    for i in range(40):
        x = X[i : i + 1]
        shown = clean.partial_fit_predict(x, user_ids=[i % 7])
        same = validated.partial_fit_predict(
            np.asfortranarray(x[:, ::-1])[:, ::-1], user_ids=[i % 7]
        )
        np.testing.assert_array_equal(shown, same)
    np.testing.assert_array_equal(clean.item_exposure_, validated.item_exposure_)
    assert clean.item_exposure_.sum() == pytest.approx(clean.position_weights_.sum())
    with pytest.raises(ValueError, match="infinity"):
        clean.partial_fit_predict(np.where(X[:1] == X[0, 3], np.inf, X[:1]), user_ids=[0])


def test_parameters_of_a_stream_are_validated_at_its_first_batch():
    with pytest.raises(ValueError, match="'beta' parameter"):
        ranking(beta=-1.0).partial_fit_predict(scores())

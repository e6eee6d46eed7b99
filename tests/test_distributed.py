"""Dask equals one machine, with the users' state on the workers."""

import numpy as np
import pytest
from scipy.special import expit

from skparietal import FairRankingFW
from skparietal.distributed import fit_ranking
from skparietal.objectives import TwoSidedWelfare

da = pytest.importorskip("dask.array", reason="extra dask")

GROUPS = np.arange(90) % 2


def scores(n_users=90, n_items=20):
    rng = np.random.default_rng(0)
    return expit(rng.normal(size=(n_users, n_items)) + np.linspace(-2, 2, n_items))


def ranking(**parameters):
    return FairRankingFW(**{"solver": "fw", "top_k": 4, "tol": 0, "max_iter": 30, **parameters})


def assert_same(one, two):
    # Only the order of the sums over blocks differs.
    np.testing.assert_allclose(one.item_exposure_, two.item_exposure_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.user_utility_, two.user_utility_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.history_["gap"], two.history_["gap"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("objective", ["welfare", "quality", "balanced", "gini"])
def test_threads_over_uneven_blocks_equal_one_machine(objective):
    X = scores()
    groups = {"user_groups": GROUPS} if objective == "balanced" else {}
    weight = np.random.default_rng(1).random(90)
    model = ranking(objective=objective, beta=0.3)
    remote = fit_ranking(
        model, da.from_array(X, chunks=((40, 15, 35), (7, 13))), sample_weight=weight, **groups
    )
    assert_same(remote, model.fit(X, sample_weight=weight, **groups))


def test_a_cluster_of_two_processes_equals_one_machine():
    distributed = pytest.importorskip("distributed", reason="extra dask")
    X = scores()
    model = ranking(objective=TwoSidedWelfare(user_alpha=0.5), beta=0.3)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        remote = fit_ranking(model, da.from_array(X, chunks=(30, 20)), client=client)
    assert_same(remote, model.fit(X))
    np.testing.assert_array_equal(remote.predict(X), model.predict(X))


def test_bad_input_is_refused():
    X = da.from_array(scores(), chunks=(30, 20))
    with pytest.raises(ValueError, match="needs solver='fw'"):
        fit_ranking(FairRankingFW(), X)
    with pytest.raises(ValueError, match="sample_weight must be"):
        fit_ranking(ranking(), X, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="NaN"):
        fit_ranking(ranking(), da.where(X > 0.9, np.nan, X))
    with pytest.raises(ValueError, match="Negative values"):
        fit_ranking(ranking(objective=TwoSidedWelfare(0.5)), X - 0.5)


def test_other_tables_and_unknown_sizes_are_named():
    with pytest.raises(TypeError, match="must be a two-dimensional Dask array, got ndarray"):
        fit_ranking(ranking(), scores())
    X = da.from_array(scores(), chunks=(30, 20))
    unknown = X[X[:, 0] > 0]  # Dask does not know how many rows are left
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        fit_ranking(ranking(), unknown)
    np.testing.assert_array_equal(
        fit_ranking(ranking(), unknown.compute_chunk_sizes()).predict(scores()),
        fit_ranking(ranking(), X).predict(scores()),
    )

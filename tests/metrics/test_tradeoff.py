"""Choosing a ranking on a grid: the measures and the rule."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skparietal import FairRankingFW
from skparietal.metrics import (
    gini_index,
    item_exposure,
    make_tradeoff_refit,
    ndcg_at_k,
    score_ranking,
)


def results(utility, fairness, name="gini"):
    return {"mean_test_ndcg": utility, f"mean_test_{name}": fairness}


def test_the_fairest_of_those_that_keep_enough_is_chosen():
    choose = make_tradeoff_refit(min_utility=0.9)
    assert choose(results([1.0, 0.95, 0.8], [0.9, 0.5, 0.1])) == 1
    assert choose(results([1.0, 0.85, 0.8], [0.9, 0.5, 0.1])) == 0
    larger = make_tradeoff_refit(fairness="coverage", min_utility=0.9)
    assert larger(results([1.0, 0.95, 0.8], [0.1, 0.5, 0.9], "coverage")) == 1


def test_negative_utilities_are_kept_within_a_share_of_the_best():
    choose = make_tradeoff_refit(min_utility=0.97)
    assert choose(results([-3.0, -1.0, -1.01], [0.1, 0.9, 0.5])) == 2
    assert choose(results([-3.0, -1.0, -1.04], [0.1, 0.9, 0.5])) == 1


def test_a_candidate_that_failed_is_not_chosen():
    choose = make_tradeoff_refit(min_utility=0.9)
    assert choose(results([np.nan, 1.0, 0.95], [np.nan, 0.9, np.nan])) == 1


@pytest.mark.parametrize("weights", ["uniform", "rr", [1.0, 0.1, 0.1, 0.0]])
def test_rankings_are_measured_by_the_attention_that_they_were_made_for(weights):
    X = np.random.default_rng(0).random((60, 12)) * np.linspace(0.2, 1, 12)
    model = FairRankingFW(beta=0.05, top_k=4, position_weights=weights, tol=0, max_iter=4).fit(X)
    rankings = model.predict(X)
    expected = {
        "ndcg": ndcg_at_k(X, rankings, position_weights=weights).mean(),
        "gini": gini_index(item_exposure(rankings, 12, position_weights=weights)),
    }
    assert score_ranking(model, X) == pytest.approx(expected)
    assert score_ranking(make_pipeline(FunctionTransformer(), model), X) == pytest.approx(expected)
    assert score_ranking(model, X, position_weights="dcg") != pytest.approx(expected)

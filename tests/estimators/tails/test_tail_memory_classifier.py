"""TailMemoryClassifier: exact recall, batches and merges, back-off, and what is still unseen."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier
from sklearn.model_selection import KFold, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skparietal import ScalingLawRegressor, TailMemoryClassifier
from skparietal.datasets import make_zipf_associations
from skparietal.key_table import KeyTable
from skparietal.theory import tails
from skparietal.tokens import token_keys

X = np.array([[1, 5], [1, 5], [2, 5], [1, 5], [3, 0], [2, 5]])
Y = np.array(["a", "b", "b", "a", "c", "c"])


def assert_same_memory(one, two):
    assert_array_equal(one.keys_, two.keys_)
    assert_allclose(one.counts_.toarray(), two.counts_.toarray())
    assert_array_equal(one.classes_, two.classes_)


def test_known_rows_are_answered_by_their_most_frequent_label():
    memory = TailMemoryClassifier().fit(X, Y)
    assert_array_equal(memory.predict([[1, 5], [2, 5], [3, 0]]), ["a", "b", "c"])
    assert_allclose(memory.predict_proba([[1, 5]]), [[2 / 3, 1 / 3, 0]])
    assert_array_equal(memory.keys_, np.sort(np.unique(token_keys(X))))
    assert_allclose(memory.counts_.sum(), 6)


@pytest.mark.parametrize(
    "fallback, expected", [("prior", [2 / 6, 2 / 6, 2 / 6]), ("uniform", [1 / 3] * 3)]
)
def test_unknown_rows_get_the_fallback(fallback, expected):
    memory = TailMemoryClassifier(fallback=fallback).fit(X, Y)
    assert_allclose(memory.predict_proba([[9, 9]]), [expected])
    assert_array_equal(memory.predict([[9, 9]]), ["a"])
    assert_array_equal(memory.known_mask([[9, 9], [1, 5]]), [False, True])
    assert memory.coverage([[9, 9], [1, 5]]) == 0.5


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=40),
    st.integers(1, 7),
)
def test_batches_and_merges_are_one_fit(rows, size):
    table = np.array(rows)
    X, y = table[:, :1], table[:, 1]
    whole = TailMemoryClassifier().partial_fit(X, y, classes=[0, 1, 2])
    batches = TailMemoryClassifier()
    parts = []
    for start in range(0, len(y), size):
        part = slice(start, start + size)
        batches.partial_fit(X[part], y[part], classes=[0, 1, 2])
        parts.append(TailMemoryClassifier().partial_fit(X[part], y[part], classes=[0, 1, 2]))
    assert_same_memory(batches, whole)
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    assert_same_memory(merged, whole)
    assert_array_equal(merged.predict_proba(X), whole.predict_proba(X))


def test_weights_are_repetitions():
    weights = np.array([0, 2, 1, 3, 1, 1])
    repeated = np.repeat(np.arange(6), weights)
    weighted = TailMemoryClassifier().fit(X, Y, sample_weight=weights)
    assert_same_memory(weighted, TailMemoryClassifier().fit(X[repeated], Y[repeated]))


def test_a_merge_leaves_its_operands_alone():
    one, two = (TailMemoryClassifier().fit(X, Y) for _ in range(2))
    assert one.merge(two).n_seen_ == 12
    assert one.n_seen_ == two.n_seen_ == 6


def test_only_the_heaviest_rows_answer_when_capacity_is_short():
    items, labels = make_zipf_associations(20_000, random_state=0)
    memory = TailMemoryClassifier(capacity=20).fit(items, labels)
    counts = np.bincount(items.ravel()[items.ravel() < 1000])
    kept = np.flatnonzero(memory.known_mask(np.arange(1000)[:, None]))
    assert len(kept) == 20
    assert counts[kept].min() >= np.sort(counts)[-20]
    everything = TailMemoryClassifier(capacity=10**6).fit(items, labels)
    assert everything.coverage(items) == 1


def test_rows_below_min_count_do_not_answer():
    memory = TailMemoryClassifier(min_count=2).fit(X, Y)
    assert_array_equal(memory.known_mask([[1, 5], [2, 5], [3, 0]]), [True, True, False])


def test_smoothing_is_added_to_every_class():
    memory = TailMemoryClassifier(smoothing=1.0).fit(X, Y)
    assert_allclose(memory.predict_proba([[3, 0]]), [[1 / 4, 1 / 4, 2 / 4]])


def test_a_classifier_answers_for_unknown_rows_only():
    rng = np.random.default_rng(0)
    features = rng.integers(0, 30, size=(400, 2))
    target = (features.sum(axis=1) > 29).astype(int)
    backed = TailMemoryClassifier(fallback=LogisticRegression()).fit(features, target)
    plain = LogisticRegression().fit(features, target)
    new = rng.integers(0, 30, size=(300, 2))
    known = backed.known_mask(new)
    assert 0 < known.mean() < 1
    assert_array_equal(backed.predict(new)[~known], plain.predict(new)[~known])
    assert_allclose(backed.predict_proba(new)[~known], plain.predict_proba(new)[~known])
    assert_array_equal(backed.predict(new)[known], (new.sum(axis=1) > 29)[known])


def test_the_nearest_row_answers_with_a_neighbours_fallback():
    memory = TailMemoryClassifier(fallback=KNeighborsClassifier(1)).fit(X, Y)
    assert_array_equal(memory.predict([[3, 1]]), ["c"])
    assert not hasattr(memory, "partial_fit")
    with pytest.raises(TypeError, match="takes no sample_weight"):
        memory.fit(X, Y, sample_weight=np.ones(6))


def test_a_fallback_learns_in_batches_and_may_lack_probabilities():
    memory = TailMemoryClassifier(fallback=GaussianNB())
    for start in (0, 3):
        part = slice(start, start + 3)
        memory.partial_fit(X[part], Y[part], classes=["a", "b", "c"], sample_weight=np.ones(3))
    assert_allclose(memory.fallback_.theta_, GaussianNB().fit(X, Y).theta_)
    assert not hasattr(TailMemoryClassifier(fallback=Perceptron()), "predict_proba")
    assert TailMemoryClassifier(fallback=SGDClassifier(random_state=0)).fit(X, Y).score(X, Y) > 0.6


def test_words_and_mixtures_are_rows():
    table = np.array([["the", 1], ["cat", 2], ["the", 1]], dtype=object)
    memory = TailMemoryClassifier().fit(table, [0, 1, 0])
    assert memory.n_distinct_ == 2
    assert_array_equal(memory.predict(table), [0, 1, 0])


def test_a_failed_batch_changes_nothing():
    memory = TailMemoryClassifier().partial_fit(X, Y, classes=["a", "b", "c"])
    for bad in (
        lambda: memory.partial_fit(X, np.full(6, "z")),
        lambda: memory.partial_fit(X, Y, classes=["a", "b"]),
        lambda: memory.partial_fit(X[:, :1], Y),
        lambda: memory.partial_fit(X.astype(float) * np.nan, Y),
    ):
        with pytest.raises(ValueError, match=r"classes|features|NaN"):
            bad()
    assert_same_memory(memory, TailMemoryClassifier().fit(X, Y))


def test_the_error_follows_the_laws_of_tails():
    runs, n, size = 30, 2_000, 20_000
    errors = np.empty((runs, 2))
    fresh, labels = make_zipf_associations(size, n_classes=1000, random_state=10**6)
    for seed in range(runs):
        rows = make_zipf_associations(n, n_classes=1000, random_state=seed)
        for column, capacity in enumerate((None, 40)):
            memory = TailMemoryClassifier(capacity=capacity).fit(*rows)
            errors[seed, column] = 1 - memory.score(fresh, labels)
    theory = [tails.clean_error(n, 1.5), tails.capacity_error(n, 1.5, 40)]
    # Two causes of error: 20,000 test rows (s.e. .0015) and 30 training sets; 2 % for guesses
    # that hit one of 1000 labels and for the ties of the capacity law.
    spread = np.hypot(errors.std(axis=0) / np.sqrt(runs), 0.0025)
    assert np.all(np.abs(errors.mean(axis=0) - theory) < 4 * spread + 0.02 * np.array(theory))


@pytest.mark.parametrize("beta", [1.5, 2.0])
def test_singletons_tell_the_tail_and_the_missing_mass(beta):
    items, labels = make_zipf_associations(100_000, beta=beta, random_state=0)
    memory = TailMemoryClassifier().fit(items, labels)
    # V1 has about 1000 (beta 2: 200) members: relative standard error 3 to 7 %.
    assert_allclose(memory.tail_exponent_, beta, rtol=0.15)
    assert_allclose(memory.scaling_exponent_, 1 - 1 / memory.tail_exponent_)
    assert_allclose(memory.missing_mass_, tails.clean_error(100_000, beta), rtol=0.2)
    assert memory.expected_missing_mass(memory.n_seen_) == memory.missing_mass_
    later = memory.expected_missing_mass([1e6, 1e7])
    assert_allclose(later, tails.clean_error([1e6, 1e7], beta), rtol=0.3)


def test_learning_curve_has_the_exponent_of_the_tail():
    items, labels = make_zipf_associations(60_000, n_classes=1000, random_state=0)
    sizes, _, scores = learning_curve(
        TailMemoryClassifier(), items, labels, train_sizes=np.geomspace(0.005, 1, 8), cv=KFold(3)
    )
    law = ScalingLawRegressor.from_learning_curve(sizes, scores, law="power")
    assert_allclose(law.exponent_, 1 / 3, atol=0.03)


def test_no_singleton_means_no_tail():
    memory = TailMemoryClassifier().fit([[1], [1], [2], [2]], [0, 0, 1, 1])
    assert memory.tail_exponent_ == np.inf
    assert memory.missing_mass_ == 0
    assert memory.expected_missing_mass(100) == 0


def test_bad_input_is_named():
    memory = TailMemoryClassifier()
    with pytest.raises(ValueError, match="classes must be given at the first call"):
        memory.partial_fit(X, Y)
    with pytest.raises(TypeError, match="fallback must be a classifier"):
        TailMemoryClassifier(fallback=ScalingLawRegressor()).fit(X, Y)
    with pytest.raises(ValueError, match=r"non-zero|zero everywhere"):
        memory.fit(X, Y, sample_weight=np.zeros(6))
    memory.fit(X, Y)
    with pytest.raises(ValueError, match="n must be positive"):
        memory.expected_missing_mass(0)
    for other, message in [
        (TailMemoryClassifier(capacity=3).fit(X, Y), "different parameters"),
        (TailMemoryClassifier().fit(X[:, :1], Y), "different parameters or columns"),
        (TailMemoryClassifier().fit(X[:4], Y[:4]), "different classes"),
    ]:
        with pytest.raises(ValueError, match=message):
            memory.merge(other)
    backed = TailMemoryClassifier(fallback=GaussianNB()).fit(X, Y)
    with pytest.raises(ValueError, match="cannot be merged"):
        backed.merge(backed)


def test_a_row_is_moved_a_logarithmic_number_of_times_however_many_the_batches():
    memory = TailMemoryClassifier()
    for start in itertools.islice(itertools.count(0, 10), 200):
        rows = np.arange(start, start + 10)[:, None]
        memory.partial_fit(rows, rows.ravel() % 2, classes=[0, 1])
        assert len(memory._counts.tables) <= 1 + np.log2(1 + start / 10)
    assert memory.n_distinct_ == 2000


@pytest.mark.parametrize("options", [{}, {"min_count": 3}, {"smoothing": 0.5}, {"capacity": 20}])
def test_a_few_rows_are_answered_alike_before_and_after_the_tables_are_merged(options):
    rows, labels = make_zipf_associations(
        3000, beta=1.3, n_classes=4, label_noise=0.3, random_state=0
    )
    memory, asked = TailMemoryClassifier(**options), np.r_[rows[::90], [[10**9], [10**9 + 1]]]
    for start, n in [(0, 2600), (2600, 320), (2920, 80)]:  # three tables of unlike sizes
        memory.partial_fit(rows[start : start + n], labels[start : start + n], classes=range(4))
    assert len(memory._counts.tables) == 3
    before = memory.predict(asked), memory.predict_proba(asked), memory.known_mask(asked)
    assert memory.n_distinct_ == len(np.unique(rows))  # merges
    after = memory.predict(asked), memory.predict_proba(asked), memory.known_mask(asked)
    for one, two in zip(before, after):
        assert_array_equal(one, two)
    assert 0 < before[2].sum() < len(asked)


def test_to_predict_and_then_learn_never_merges_the_whole_memory(monkeypatch):
    rows, labels = make_zipf_associations(4096, beta=1.2, random_state=0)
    sizes = []
    merge = KeyTable.merge
    monkeypatch.setattr(
        KeyTable,
        "merge",
        lambda self, other: sizes.append(len(self.keys) + len(other.keys)) or merge(self, other),
    )
    memory = TailMemoryClassifier().partial_fit(rows[:2048], labels[:2048], classes=range(10))
    for start in range(2048, 2112):
        memory.predict(rows[start : start + 1])
        memory.partial_fit(rows[start : start + 1], labels[start : start + 1])
    # At most log2(64) moves of each of the 64 new rows; a merge of all would move 1,000 each time.
    assert sum(sizes) < 64 * 6 * 2


def test_rows_that_nothing_is_known_of_get_the_fallback_from_several_tables():
    memory = TailMemoryClassifier(fallback="uniform")
    memory.partial_fit(X[:5], Y[:5], classes=["a", "b", "c"]).partial_fit(X[5:], Y[5:])
    assert len(memory._counts.tables) == 2
    assert_array_equal(memory.predict_proba([[9, 9]]), np.full((1, 3), 1 / 3))
    assert_array_equal(memory.predict([[9, 9]]), ["a"])


def test_memories_of_differently_named_columns_are_not_merged():
    one = TailMemoryClassifier().fit(pd.DataFrame(X, columns=["user", "item"]), Y)
    two = TailMemoryClassifier().fit(pd.DataFrame(X, columns=["item", "user"]), Y)
    with pytest.raises(ValueError, match="differently named columns"):
        one.merge(two)
    with pytest.raises(ValueError, match="differently named columns"):
        one.merge(TailMemoryClassifier().fit(X, Y))
    assert one.merge(one).n_seen_ == 12

"""Memory matrices: equal to their definitions, better than each other where they should be."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from skparietal.solvers.memory.associations import (
    Associations,
    best_prefix,
    frame_labels,
    least_squares,
    missed_share,
    outer_products,
    passive_aggressive,
    probe_keys,
    scores,
)
from skparietal.theory.memory import label_coherence
from skparietal.tokens import token_keys


def make_facts(n_keys, n_classes, d, *, seed=0, weights=None, alpha=1.2):
    labels = np.random.default_rng(seed).integers(n_classes, size=n_keys)
    targets = sp.csr_array(
        (np.ones(n_keys), labels, np.arange(n_keys + 1)), shape=(n_keys, n_classes)
    )
    weights = np.ones(n_keys) if weights is None else weights
    U = frame_labels(n_classes, d, random_state=np.random.default_rng(seed))
    keys = token_keys(np.arange(n_keys)[:, None])
    shares = np.arange(1, n_keys + 1.0) ** -alpha
    return Associations(keys, targets, weights, U, seed), labels, shares / shares.sum()


@pytest.mark.parametrize("n_classes, d", [(5, 5), (3, 20), (40, 16), (500, 30)])
def test_label_embeddings_are_a_unit_norm_tight_frame(n_classes, d):
    U = frame_labels(n_classes, d, random_state=np.random.default_rng(0)).astype(float)
    np.testing.assert_allclose(np.square(U).sum(axis=1), 1.0, atol=1e-6)
    gram = np.square(U @ U.T)
    coherence = (gram.sum() - np.trace(gram)) / (n_classes * (n_classes - 1))
    # Three projections leave a few per mille; random unit vectors would be at 1/d.
    assert coherence == pytest.approx(label_coherence(n_classes, d), rel=0.02, abs=1e-7)


def test_outer_products_are_the_sum_of_the_definition_in_any_number_of_pieces():
    facts, labels, _ = make_facts(300, 7, 20, weights=np.linspace(1, 0.1, 300))
    E, U = facts.embed(facts.keys, float), facts.label_embeddings
    expected = sum(facts.weights[i] * np.outer(U[labels[i]], E[i]) for i in range(200))
    whole = outer_products(facts, 200)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    half = outer_products(facts, 90)
    np.testing.assert_allclose(outer_products(facts, 200, start=90, memory=half), whole, atol=1e-5)


def test_centred_targets_store_the_difference_from_the_prior():
    facts, *_ = make_facts(50, 4, 30)
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    centred = outer_products(replace(facts, centre=prior), 50)
    drift = np.outer(prior @ facts.label_embeddings, facts.embed(facts.keys).sum(axis=0))
    np.testing.assert_allclose(centred, outer_products(facts, 50) - drift, atol=1e-5)


def test_least_squares_solves_the_normal_equations():
    weights = np.linspace(1, 0.1, 60)
    facts, labels, _ = make_facts(60, 5, 24, weights=weights)
    W = least_squares(facts, 60, reg=0.01)
    E, U = facts.embed(facts.keys, float), facts.label_embeddings[labels]
    moments = (E.T * weights) @ E
    ridge = 0.01 * np.trace(moments) / 24
    residual = (U.T * weights) @ E - W @ (moments + ridge * np.eye(24))
    np.testing.assert_allclose(residual, 0.0, atol=1e-5)


def test_least_squares_interpolates_as_many_keys_as_dimensions():
    facts, labels, shares = make_facts(40, 5, 64)
    W = least_squares(facts, 40, reg=1e-8)
    own = scores(facts, W, facts.keys)[np.arange(40), labels]
    np.testing.assert_allclose(own, 1.0, atol=1e-3)
    assert missed_share(facts, W, labels, probe_keys(shares)) == 0


def test_circle_memory_is_exact_in_two_dimensions():
    # Keys embedded as their labels on the circle, W = I: the best cosine is that with oneself.
    for n_classes in (2, 3, 50, 2000):
        angles = 2 * np.pi * np.arange(n_classes) / n_classes
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        facts, labels, _ = make_facts(5000, n_classes, 2)
        facts = replace(facts, key_embeddings=circle[labels], label_embeddings=circle)
        best = scores(facts, np.eye(2), facts.keys).argmax(axis=1)
        np.testing.assert_array_equal(best, labels)


def test_a_key_without_a_learned_embedding_has_the_mean_of_all():
    facts, *_ = make_facts(10, 3, 4, weights=np.arange(10.0))
    facts = replace(facts, key_embeddings=np.random.default_rng(0).standard_normal((10, 4)))
    unknown = facts.embed(np.array([12345], dtype=np.uint64))[0]
    expected = np.average(facts.key_embeddings, axis=0, weights=facts.weights)
    np.testing.assert_allclose(unknown, expected, rtol=1e-5)


def test_probes_weigh_keys_by_their_probability():
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    rows, weights = probe_keys(shares, 1000)
    np.testing.assert_array_equal(rows, np.arange(4))
    np.testing.assert_allclose(weights, shares, atol=1e-3)


@pytest.mark.parametrize("n_classes, d", [(5, 48), (300, 40)])
def test_measured_number_to_store_is_as_good_as_any_on_a_grid(n_classes, d):
    facts, labels, shares = make_facts(2000, n_classes, d, seed=1)
    probes = probe_keys(shares)
    start = best_prefix(facts, labels, shares, 3 * d)
    chosen = missed_share(facts, outer_products(facts, start), labels, probes)
    grid = [
        missed_share(facts, outer_products(facts, P), labels, probes) for P in range(d, 9 * d, d)
    ]
    assert chosen <= min(grid) + 0.01


@pytest.mark.parametrize("n_classes, d", [(5, 48), (300, 40), (2, 30)])
def test_corrections_recall_more_than_the_best_sum_of_outer_products(n_classes, d):
    facts, labels, shares = make_facts(2000, n_classes, d, seed=2)
    start = best_prefix(facts, labels, shares, 2 * d)
    probes = probe_keys(shares)
    before = missed_share(facts, outer_products(facts, start), labels, probes)
    W, n_stored, n_iter = passive_aggressive(facts, labels, shares, start, stop=2000, max_iter=10)
    assert W.shape == (d, d)
    assert n_iter <= 10
    assert n_stored >= start
    assert missed_share(facts, W, labels, probes) < before - 0.01


def test_corrections_stop_when_all_is_recalled_and_never_make_it_worse():
    facts, labels, shares = make_facts(60, 5, 64)
    W, n_stored, n_iter = passive_aggressive(facts, labels, shares, 60, stop=60, max_iter=50)
    assert n_iter < 50
    assert n_stored == 60
    assert missed_share(facts, W, labels, probe_keys(shares)) == 0
    crowded, labels, shares = make_facts(3000, 5, 20)
    probes = probe_keys(shares)
    start = outer_products(crowded, 3000)
    W, *_ = passive_aggressive(crowded, labels, shares, 3000, stop=3000, max_iter=3)
    assert missed_share(crowded, W, labels, probes) <= missed_share(crowded, start, labels, probes)


def test_one_correction_restores_the_margin():
    facts, labels, shares = make_facts(1, 2, 10, weights=np.ones(1))
    # With a single key and strength .1 the lead is .1: one sweep brings it to the margin.
    weak = replace(facts, targets=facts.targets * 0.1)
    W, *_ = passive_aggressive(weak, labels, shares, 1, stop=1, max_iter=1, margin=0.3)
    lead = np.sort(scores(weak, W, weak.keys)[0])[::-1]
    assert lead[0] - lead[1] == pytest.approx(0.3, abs=1e-6)


def test_corrections_leave_keys_of_strength_zero_alone():
    weights = np.array([1.0, 0.0, 1.0])
    facts, labels, shares = make_facts(3, 3, 16, weights=weights)
    W, *_ = passive_aggressive(facts, labels, shares, 3, stop=3, max_iter=5)
    np.testing.assert_allclose(W, outer_products(facts, 3), atol=1e-7)

"""Memories trained by gradients: the first step by hand, then the paper's table of optimisers."""

import numpy as np
import pytest

from skparietal.solvers.memory_training import train_memory

N, M = 100, 5
SHARES = np.arange(1, N + 1.0) ** -2
SHARES /= SHARES.sum()
LABELS = np.arange(N) % M


def trained_error(d, seed, **options):
    rng = np.random.default_rng([seed, d])
    E, U, W = (rng.standard_normal((n, d)) / np.sqrt(d) for n in (N, M, d))
    trained = train_memory(W, E, U, (np.arange(N), LABELS, SHARES), random_state=rng, **options)
    scores = trained.key_embeddings @ trained.matrix.T @ trained.label_embeddings.T
    return SHARES @ (scores.argmax(axis=1) != LABELS)


def mean_error(d, n_seeds=8, **options):
    return np.mean([trained_error(d, seed, **options) for seed in range(n_seeds)])


def one_step(**options):
    rng = np.random.default_rng(0)
    E, U = rng.standard_normal((1, 6)), rng.standard_normal((3, 6))
    pair = np.zeros(1, dtype=np.int64), np.array([2]), np.ones(1)
    trained = train_memory(
        np.zeros((6, 6)), E, U, pair, n_steps=1, batch_size=4, random_state=rng, **options
    )
    return trained, E, U


def test_first_step_is_the_gradient_of_the_cross_entropy():
    trained, E, U = one_step(learning_rate=0.7)
    # At W = 0 the softmax is uniform: the gradient is minus (u_y - mean u) e'.
    expected = 0.7 * np.outer(U[2] - U.mean(axis=0), E[0])
    np.testing.assert_allclose(trained.matrix, expected, atol=1e-6)
    assert trained.loss == pytest.approx(np.log(3))


def test_adam_without_memory_steps_by_the_sign_of_the_gradient():
    trained, E, U = one_step(optimizer="adam", learning_rate=0.6)
    expected = 0.1 * np.sign(np.outer(U[2] - U.mean(axis=0), E[0]))
    np.testing.assert_allclose(trained.matrix, expected, atol=1e-5)


# Mean error of ten runs in the authors' experiments for d = 50 and 100 (their published results):
# N = 100, M = 5, alpha = 2, T samples in batches.
PUBLISHED = [
    ({"learning_rate": 1.0, "batch_size": 64}, 10240, (0.043, 0.031)),
    ({"learning_rate": 10.0, "batch_size": 64}, 10240, (0.016, 0.012)),
    ({"optimizer": "adam", "learning_rate": 1.0, "batch_size": 16}, 1024, (0.035, 0.026)),
    ({"optimizer": "adam", "learning_rate": 10.0, "batch_size": 1024}, 1024, (0.109, 0.095)),
    (
        {"optimizer": "adam", "learning_rate": 1.0, "batch_size": 1024, "layer_norm": True},
        10240,
        (0.041, 0.026),
    ),
]


@pytest.mark.parametrize("options, n_samples, published", PUBLISHED)
def test_optimisers_reach_the_published_errors(options, n_samples, published):
    n_steps = n_samples // options["batch_size"]
    for d, expected in zip((50, 100), published):
        # Standard error of the mean of ten runs: about a tenth, on either side.
        assert mean_error(d, n_steps=n_steps, **options) == pytest.approx(expected, rel=0.25)


def test_larger_steps_and_smaller_batches_store_more():
    small_step = mean_error(50, learning_rate=1.0, batch_size=64, n_steps=160)
    large_step = mean_error(50, learning_rate=10.0, batch_size=64, n_steps=160)
    large_batch = mean_error(50, learning_rate=1.0, batch_size=1024, n_steps=10)
    assert large_step < small_step < large_batch


def test_learned_embeddings_store_in_ten_dimensions_what_random_ones_cannot():
    options = {"learning_rate": 1.0, "batch_size": 16, "n_steps": 640}
    learned = mean_error(10, n_seeds=3, learn_embeddings=True, **options)
    assert learned < 0.01 < 0.03 < mean_error(10, n_seeds=3, **options)


def test_training_is_the_same_for_the_same_seed():
    options = {"n_steps": 20, "learning_rate": 1.0}
    assert trained_error(20, 3, **options) == trained_error(20, 3, **options)

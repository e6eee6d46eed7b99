"""Laws of heavy tails: against exact sums, against simulation, and in their limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import zeta
from scipy.stats import binom

from skparietal.datasets import make_zipf_associations
from skparietal.theory import tails

RANKS = np.arange(1, 300_001, dtype=float)


def probabilities(beta):
    return RANKS**-beta / zeta(beta)


def exact_sum(n, p, q, beta, tail_rate=1.0):
    """Sum of p (1-q)^n over a table; beyond it q = tail_rate p is so small that exp(-n q) serves.

    The rest is integrated on a geometric grid that ends where nothing of it is left.
    """
    table = np.sum(p * np.exp(n * np.log1p(-np.minimum(q, 1 - 1e-16))))
    edges = np.geomspace(RANKS[-1] + 0.5, 1e30, 200_001)
    middle = np.sqrt(edges[1:] * edges[:-1])
    mass = (edges[:-1] ** (1 - beta) - edges[1:] ** (1 - beta)) / (beta - 1) / zeta(beta)
    rate = n * tail_rate * middle**-beta / zeta(beta)
    return table + np.sum(mass * np.exp(-rate)) + edges[-1] ** (1 - beta) / (beta - 1) / zeta(beta)


def log_slope(law, n, **kwargs):
    """Slope of log error in log n around n."""
    low, high = law(np.array([n / 1.1, n * 1.1]), **kwargs)
    return np.log(high / low) / np.log(1.21)


@pytest.mark.parametrize("beta", [1.2, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("n", [150, 3_000, 1e6])
def test_clean_error_is_the_exact_sum(beta, n):
    p = probabilities(beta)
    assert_allclose(tails.clean_error(n, beta), exact_sum(n, p, p, beta), rtol=3e-3)


@pytest.mark.parametrize("beta", [1.3, 1.5, 2.5])
def test_clean_slope_is_the_exponent(beta):
    slope = log_slope(tails.clean_error, 1e5, beta=beta)
    assert_allclose(slope, -(1 - 1 / beta), atol=1e-4)


@pytest.mark.parametrize("beta", [1.3, 1.5, 2.0])
@pytest.mark.parametrize("cut", [20, 100, 1000])
@pytest.mark.parametrize("n", [150, 1e4, 1e6])
def test_cut_error_is_the_exact_sum(beta, cut, n):
    head = RANKS[:cut] ** -beta / zeta(beta)
    exact = np.sum(head * (1 - head / head.sum()) ** n) + 1 - head.sum()
    assert_allclose(tails.cut_error(n, beta, cut), exact, rtol=3e-3)


def test_cut_error_lies_within_a_factor_two_of_the_two_terms_of_theorem_2_1():
    n = np.geomspace(100, 1e10, 30)
    terms = tails.clean_error(n, 1.5) + tails.tail_mass(1.5, 200)
    ratio = tails.cut_error(n, 1.5, 200) / terms
    assert np.all(ratio <= 1.001)
    assert np.all(ratio > 0.5)
    assert_allclose(ratio[-1], 1, rtol=1e-2)


@pytest.mark.parametrize("beta, top_p", [(1.5, 0.8), (1.5, 0.95), (2.0, 0.9), (3.0, 0.5)])
def test_nucleus_cut_is_the_least_rank_that_reaches_top_p(beta, top_p):
    kept = np.cumsum(probabilities(beta))
    cut = tails.nucleus_cut(beta, top_p)
    assert kept[cut - 1] >= top_p
    assert cut == 1 or kept[cut - 2] < top_p


def test_nucleus_cut_of_a_heavy_tail_is_refused_when_it_overflows():
    with pytest.raises(ValueError, match=r"2\^50 ranks"):
        tails.nucleus_cut(1.1, 0.999)


@pytest.mark.parametrize("gamma", [0.8, 1.5, 2.0])
def test_narrowed_error_is_the_exact_sum_and_has_the_smaller_exponent(gamma):
    beta, n = 1.5, 5_000
    q = RANKS ** -(beta * gamma) / zeta(beta * gamma)
    # Past the table q is so small that the inputs there stay unknown, but for gamma < 1.
    rest = zeta(beta, RANKS[-1] + 1) / zeta(beta) if gamma > 1 else None
    if rest is not None:
        exact = np.sum(probabilities(beta) * (1 - q) ** n) + rest
        assert_allclose(tails.narrowed_error(n, beta, gamma), exact, rtol=3e-3)
    slope = log_slope(tails.narrowed_error, 1e5, beta=beta, gamma=gamma)
    assert_allclose(slope, -(beta - 1) / (gamma * beta), atol=1e-4)


def test_narrowing_by_one_changes_nothing():
    n = np.array([100.0, 1e5])
    assert_allclose(tails.narrowed_error(n, 1.7, 1.0), tails.clean_error(n, 1.7), rtol=1e-12)


@pytest.mark.parametrize("n", [50, 400, 4_000])
def test_generator_error_is_the_mean_over_binomial_generators(n):
    # E (1 - N/T0)^n with N ~ Bin(T0, p): exact for every rank of the table; past it (p < 2e-6)
    # the chance that the generator holds the input is T0 p.
    beta, size, table = 1.5, 400, 4_000
    p = RANKS[:table] ** -beta / zeta(beta)
    counts = np.arange(size + 1)
    missed = binom.pmf(counts, size, p[:, None]) @ (1 - counts / size) ** n
    rest = zeta(beta, table + 1) / zeta(beta)
    share = 1 - (1 - 1 / size) ** n
    edges = np.geomspace(table + 0.5, 1e12, 100_000)
    mass = -np.diff(edges ** (1 - beta)) / (beta - 1) / zeta(beta)
    held = np.sum(mass * size * share * edges[:-1] ** -beta / zeta(beta))
    assert_allclose(tails.generator_error(n, beta, size), p @ missed + rest - held, rtol=3e-3)


def test_plateau_of_a_generator_is_its_own_error():
    assert_allclose(tails.generator_error(1e9, 1.5, 1e4), tails.clean_error(1e4, 1.5), rtol=1e-6)


def test_generations_follow_simulation():
    beta, size, generations, chains = 1.5, 2_000, 6, 60
    rng = np.random.default_rng(0)
    errors, known = np.empty((2, chains, generations))
    for chain in range(chains):
        rows = rng.zipf(beta, size)
        for generation in range(generations):
            inputs = np.unique(rows)
            errors[chain, generation] = 1 - np.sum(inputs.astype(float) ** -beta) / zeta(beta)
            known[chain, generation] = inputs.size
            rows = rng.choice(rows, size)
    index = np.arange(1, generations + 1)
    # Four standard errors of the mean over chains (about 1 %), and .5 % for Poisson counts.
    for simulated, law in [(errors, tails.generations_error), (known, tails.n_known)]:
        theory, mean = law(index, beta, size), simulated.mean(axis=0)
        allowed = 4 * simulated.std(axis=0) / np.sqrt(chains) + 0.005 * theory
        assert np.all(np.abs(mean - theory) < allowed)


def test_error_grows_like_a_power_of_the_number_of_generations():
    n = np.array([1000, 2000])
    assert_allclose(tails.surviving_share(n), 2 / n, rtol=0.01)
    growth = tails.generations_error(n, 1.5, 1e6)
    assert_allclose(np.log2(growth[1] / growth[0]), 1 / 3, atol=0.002)
    assert tails.generations_error(1, 1.5, 1e4) == tails.clean_error(1e4, 1.5)


@pytest.mark.parametrize("real_fraction", [0.01, 0.3])
@pytest.mark.parametrize("n", [300, 1e5, 1e8])
def test_mixed_error_is_the_exact_sum(real_fraction, n):
    beta, cut = 1.5, 100
    p = probabilities(beta)
    kept = p[:cut].sum()
    q = real_fraction * p
    q[:cut] += (1 - real_fraction) * p[:cut] / kept
    exact = exact_sum(n, p, q, beta, tail_rate=real_fraction)
    assert_allclose(tails.mixed_error(n, beta, cut, real_fraction), exact, rtol=3e-3)


def test_a_mixture_ends_as_real_rows_alone_and_tends_to_its_limits():
    n = np.array([1e3, 1e6])
    assert_allclose(tails.mixed_error(n, 1.5, 50, 1.0), tails.clean_error(n, 1.5), rtol=1e-12)
    assert_allclose(tails.mixed_error(n, 1.5, 50, 0.0), tails.cut_error(n, 1.5, 50))
    assert_allclose(tails.mixed_error(n, 1.5, 50, 1e-12), tails.cut_error(n, 1.5, 50), rtol=1e-4)
    late = tails.mixed_error(1e10, 1.5, 50, 0.1)
    assert_allclose(late, tails.clean_error(1e9, 1.5), rtol=1e-3)


def test_the_grokking_plateau_is_flat_between_its_ends_only():
    beta, cut, real_fraction = 1.5, 1000, 1e-3
    height, start, end = tails.grokking_plateau(beta, cut, real_fraction)
    assert_allclose(end / start, 1 / real_fraction)
    middle = np.sqrt(start * end)
    law = {"beta": beta, "cut": cut, "real_fraction": real_fraction}
    # In the middle, a decade and a half from both ends, a few per cent of the tail is healed.
    assert_allclose(tails.mixed_error(middle, **law), height, rtol=0.06)
    exponent = 1 - 1 / beta
    assert log_slope(tails.mixed_error, middle, **law) > -exponent / 4
    assert log_slope(tails.mixed_error, start / 30, **law) < -exponent / 2
    assert log_slope(tails.mixed_error, end * 30, **law) < -exponent * 0.95


def test_curated_floor_is_the_gap_that_no_row_covers():
    beta, cut, first, n = 1.5, 1000, 10_000, 1e12
    p = probabilities(beta)
    q = np.where((cut < RANKS) & (first > RANKS), 0, p)
    floor = np.sum(p * (1 - q) ** n)
    assert_allclose(tails.curated_floor(beta, cut, first), floor, rtol=1e-2)
    assert tails.curated_floor(beta, cut, cut + 1) == 0
    assert tails.curated_floor(beta, cut, 10) == 0


@pytest.mark.parametrize("n", [100, 2_000, 50_000])
def test_capacity_error_follows_simulation(n):
    beta, capacity, runs = 1.5, 50, 200
    rng = np.random.default_rng(0)
    errors = np.empty(runs)
    for run in range(runs):
        items, first, counts = np.unique(rng.zipf(beta, n), return_index=True, return_counts=True)
        kept = items[np.lexsort((first, -counts))[:capacity]].astype(float)
        errors[run] = 1 - np.sum(kept**-beta) / zeta(beta)
    # Four standard errors, and 2 % for ties, where the first seen (likelier) inputs stay.
    allowed = 4 * errors.std() / np.sqrt(runs) + 0.02 * errors.mean()
    assert abs(tails.capacity_error(n, beta, capacity) - errors.mean()) < allowed


def test_capacity_error_ends():
    assert tails.capacity_error(30, 1.5, 10**6) == tails.clean_error(30, 1.5)
    plateau = tails.tail_mass(1.5, 100)
    assert_allclose(tails.capacity_error(1e10, 1.5, 100), plateau, rtol=1e-2)
    law = tails.capacity_error(np.geomspace(100, 1e8, 60), 1.5, 100)
    assert np.all(np.diff(law) <= 1e-12)


@pytest.mark.parametrize("beta", [1.5, 2.5])
def test_bigram_error_is_de_moivres_formula(beta):
    # The midpoint rule starts at the first token with n p < 1, hence 1e-5.
    # E|X/n - p| = (2 m / n) C(n, m) p^m (1-p)^(n-m+1) with m = floor(n p) + 1: another route.
    n = 3_000
    p = probabilities(beta)
    m = np.floor(n * p) + 1
    deviations = 2 * m / n * (1 - p) * binom.pmf(m, n, p)
    rest = tails._tail_sum(n, beta, RANKS[-1], 1.0)
    assert_allclose(tails.bigram_error(n, beta), deviations.sum() / 2 + rest, rtol=1e-5)


def test_bigram_error_with_a_cut_follows_simulation_down_to_its_floor():
    beta, cut, n, runs = 1.5, 30, 500, 400
    p = probabilities(beta)
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, p[:cut] / p[:cut].sum(), size=runs)
    distances = 0.5 * (np.abs(counts / n - p[:cut]).sum(axis=1) + tails.tail_mass(beta, cut))
    error = tails.bigram_error(n, beta, cut)
    assert abs(error - distances.mean()) < 4 * distances.std() / np.sqrt(runs)
    assert_allclose(tails.bigram_error(1e8, beta, cut), tails.tail_mass(beta, cut), rtol=1e-3)


def test_a_cut_beyond_all_tokens_is_no_cut():
    uncut = tails.bigram_error([200.0, 5_000.0], 2.0)
    assert_allclose(tails.bigram_error([200.0, 5_000.0], 2.0, cut=10**7), uncut, rtol=1e-4)


@pytest.mark.parametrize("beta", [1.25, 4.0])
def test_bigram_slope_is_the_exponent_up_to_one_half(beta):
    # Corrections of relative order n^-(1/2 - c) die slowly: .02 at a million rows.
    slope = log_slope(tails.bigram_error, 1e6, beta=beta)
    assert_allclose(slope, -min(1 - 1 / beta, 0.5), atol=0.02)


def test_scalars_give_scalars_and_arrays_keep_their_shape():
    grid = np.array([[100.0, 1000.0]])
    laws = [
        tails.clean_error(grid, 1.5),
        tails.cut_error(grid, 1.5, 30),
        tails.narrowed_error(grid, 1.5, 2),
        tails.generator_error(grid, 1.5, 1e4),
        tails.mixed_error(grid, 1.5, 30, 0.1),
        tails.capacity_error(grid, 1.5, 30),
        tails.bigram_error(grid, 1.5),
    ]
    assert all(law.shape == grid.shape for law in laws)
    assert np.ndim(tails.capacity_error(100, 1.5, 30)) == np.ndim(tails.clean_error(10, 2)) == 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tails.clean_error(100, 1.0), "beta must be"),
        (lambda: tails.clean_error([100, 0], 1.5), "n must be finite and > 0"),
        (lambda: tails.cut_error(100, 1.5, 0), "cut must be a whole number"),
        (lambda: tails.cut_error(100, 1.5, 2.5), "cut must be a whole number"),
        (lambda: tails.nucleus_cut(1.5, 1.0), r"top_p must lie in \(0, 1\)"),
        (lambda: tails.narrowed_error(100, 1.5, 0.5), "gamma must exceed 1"),
        (lambda: tails.mixed_error(100, 1.5, 10, 1.1), r"real_fraction must lie in \[0, 1\]"),
        (lambda: tails.grokking_plateau(1.5, 10, 0), r"real_fraction must lie in \(0, 1\]"),
        (lambda: tails.generations_error(0, 1.5, 100), "n_generations must be whole"),
        (lambda: tails.curated_floor(1.5, 10, 0), "first_rank must be"),
        (lambda: tails.generator_error(10, 1.5, -1), "n_generator must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_zipf_sampler_obeys_the_laws():
    # 40 memories of 1000 rows; four standard errors.
    errors = []
    for seed in range(40):
        X, _ = make_zipf_associations(1000, beta=1.5, cut=100, random_state=seed)
        errors.append(1 - np.sum(np.unique(X).astype(float) ** -1.5) / zeta(1.5))
    allowed = 4 * np.std(errors) / np.sqrt(len(errors))
    assert abs(np.mean(errors) - tails.cut_error(1000, 1.5, 100)) < allowed

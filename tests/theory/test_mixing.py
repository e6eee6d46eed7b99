"""Mixing theory: identities, limits, the two derivations of zeta, and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.random_projection import GaussianRandomProjection

from skparietal.spectrum import power_law_problem
from skparietal.theory.mixing import (
    golden_label_weight,
    iterated_label_weight,
    iterative_mixing_risk,
    mix_risk,
    optimal_mix_weight,
    shift_cost,
    strong_collapse_floor,
)


def problem(kind, n_features, shift_error=0.5, seed=0):
    """Spectrum, unit-signal coefficients, and a shift of the given c^2."""
    rng = np.random.default_rng(seed)
    if kind == "isotropic":
        spectrum = np.ones(n_features)
        coef = rng.standard_normal(n_features)
    else:
        spectrum, coef = power_law_problem(n_features, 1.5, 0.4)
    coef = coef / np.sqrt(np.sum(spectrum * coef**2))
    shift = rng.uniform(0.2, 1.0, n_features)
    return spectrum, coef, shift * shift_error / np.sum(shift * spectrum)


def draw(rng, spectrum, coef, n_rows, noise_variance):
    X = rng.standard_normal((n_rows, spectrum.size)) * np.sqrt(spectrum)
    return X, X @ coef + np.sqrt(noise_variance) * rng.standard_normal(n_rows)


def simulated_risk(rng, spectrum, coef, shift, n_real, n_synthetic, lam, weight, m, noise):
    """Excess risk of one draw of everything, the signs of the shift included."""
    # Only the diagonal of the shift's second moment counts; signs keep the simulation's noise low.
    shifted = coef + np.sqrt(shift) * rng.choice([-1, 1], coef.size)
    X1, y1 = draw(rng, spectrum, coef, n_real, noise[0])
    X2, y2 = draw(rng, spectrum, shifted, n_synthetic, noise[1])
    X, y = np.vstack([X1, X2]), np.r_[y1, y2]
    projection = np.eye(coef.size)
    if m is not None:
        sketch = GaussianRandomProjection(m, random_state=int(rng.integers(1 << 30))).fit(X)
        projection = sketch.components_.T
    ridge = Ridge(lam * len(X), fit_intercept=False)
    ridge.fit(X @ projection, y, sample_weight=np.r_[np.ones(n_real), np.full(n_synthetic, weight)])
    return np.sum(spectrum * (projection @ ridge.coef_ - coef) ** 2)


@settings(max_examples=60, deadline=None)
@given(
    n_real=st.integers(0, 300),
    n_synthetic=st.integers(1, 300),
    log_lam=st.floats(-14, 3),
    kind=st.sampled_from(["isotropic", "power law"]),
)
def test_zeta_equals_the_independently_found_closed_form(n_real, n_synthetic, log_lam, kind):
    spectrum, coef, shift = problem(kind, 40)
    lam = np.exp(log_lam)
    zeta = mix_risk(spectrum, coef, shift, n_real, n_synthetic, lam).zeta
    # The ridgeless peak (rows = features) divides by almost nothing: hence relative.
    assert zeta == pytest.approx(
        shift_cost(spectrum, shift, n_real, n_synthetic, lam), rel=1e-9, abs=1e-10
    )


@pytest.mark.parametrize("kind", ["isotropic", "power law"])
def test_zeta_forms_agree_to_1e_10(kind):
    spectrum, coef, shift = problem(kind, 100)
    lam = np.logspace(-4, 1, 11)
    for n_real, n_synthetic in [(30, 200), (20, 20), (400, 1000), (0, 90)]:
        zeta = mix_risk(spectrum, coef, shift, n_real, n_synthetic, lam).zeta
        expected = shift_cost(spectrum, shift, n_real, n_synthetic, lam)
        np.testing.assert_allclose(zeta, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("lam", [1e-3, 0.3])
def test_risk_without_synthetic_rows_is_that_of_weight_zero(lam):
    spectrum, coef, shift = problem("power law", 30)
    alone = mix_risk(spectrum, coef, shift, 50, 0, lam, noise_variance_real=0.2)
    # The ridge is on the mean loss: the same alpha on 200 rows is a quarter of it.
    ignored = mix_risk(spectrum, coef, shift, 50, 150, lam / 4, weight=0, noise_variance_real=0.2)
    np.testing.assert_allclose(ignored, alone, rtol=1e-10)
    assert alone.zeta == 0


def test_rows_of_one_group_may_be_counted_in_either():
    spectrum, coef, _ = problem("power law", 30)
    none = np.zeros(30)
    one = mix_risk(spectrum, coef, none, 120, 0, 0.01, noise_variance_real=0.2)
    two = mix_risk(spectrum, coef, none, 20, 100, 0.01, noise_variance_real=0.2)
    np.testing.assert_allclose(two, one, rtol=1e-10)


def test_wide_projection_is_no_projection():
    spectrum, coef, shift = problem("power law", 40)
    lam = np.array([1e-3, 0.1])
    noise = {"noise_variance_real": 0.3, "noise_variance_synthetic": 0.1}
    wide = mix_risk(spectrum, coef, shift, 60, 90, lam, n_components=10**9, **noise)
    # The difference is of the order df1 / n_components.
    np.testing.assert_allclose(
        wide, mix_risk(spectrum, coef, shift, 60, 90, lam, **noise), rtol=1e-6
    )


def test_interpolation_is_the_limit_of_a_vanishing_ridge():
    spectrum, coef, shift = problem("power law", 40)
    for options in ({"weight": 0.3}, {"n_components": 80}, {"n_components": 10}):
        exact = mix_risk(spectrum, coef, shift, 10, 15, 0.0, noise_variance_real=0.3, **options)
        limit = mix_risk(spectrum, coef, shift, 10, 15, 1e-11, noise_variance_real=0.3, **options)
        np.testing.assert_allclose(limit, exact, rtol=1e-5)


def test_classical_least_squares_variance():
    spectrum, coef, shift = problem("isotropic", 40)
    risk = mix_risk(spectrum, coef, shift, 100, 0, 0.0, noise_variance_real=0.7)
    assert risk.total == pytest.approx(0.7 * 40 / (100 - 40))


def test_directions_without_variance_cost_nothing():
    spectrum, coef, shift = problem("power law", 20)
    padded = [np.r_[v, extra] for v, extra in ((spectrum, 0.0), (coef, 3.0), (shift, 2.0))]
    for options in ({}, {"weight": 0.2}, {"n_components": 15}):
        with_null = mix_risk(*padded, 30, 40, [0.0, 0.1], noise_variance_real=1.0, **options)
        without = mix_risk(
            spectrum, coef, shift, 30, 40, [0.0, 0.1], noise_variance_real=1.0, **options
        )
        np.testing.assert_allclose(with_null, without, rtol=1e-8)
    np.testing.assert_allclose(
        shift_cost(padded[0], padded[2], 30, 40, [0.0, 0.1]),
        shift_cost(spectrum, shift, 30, 40, [0.0, 0.1]),
        rtol=1e-8,
    )


@pytest.mark.parametrize("weight", [1.0, 0.1])
def test_many_rows_do_not_take_the_risk_below_the_floor(weight):
    spectrum, coef, shift = problem("isotropic", 100)
    n = 10**6
    risk = mix_risk(
        spectrum, coef, shift, n // 10 * 9, n // 10, 1e-9, weight=weight, noise_variance_real=0.25
    )
    floor = strong_collapse_floor(0.5, 0.9, 0.1, weight)
    # What is left above the floor is the variance of 10^6 rows, 0.5 % of it at weight 1.
    assert risk.zeta == pytest.approx(floor, rel=0.02)
    assert risk.total > floor


def test_model_size_amplifies_up_to_interpolation_and_mitigates_beyond():
    spectrum, coef, shift = problem("isotropic", 400)
    zeta = [
        mix_risk(spectrum, coef, shift, 75, 75, 1e-8, n_components=m).zeta
        for m in (20, 60, 100, 140, 160, 250, 400, 4000)
    ]
    assert np.all(np.diff(zeta[:4]) > 0)
    assert np.all(np.diff(zeta[4:]) < 0)


def test_optimal_weight_beats_a_grid_and_ignores_useless_rows():
    spectrum, coef, shift = problem("power law", 60)
    optimum = optimal_mix_weight(spectrum, coef, shift, 50, 500, noise_variance_real=0.25)
    grid = [
        mix_risk(
            spectrum, coef, shift, 50, 500, lam, weight=weight, noise_variance_real=0.25
        ).total.min()
        for lam in [np.logspace(-6, 1, 60)]
        for weight in (0, 1e-3, 1e-2, 0.1, 1, 10)
    ]
    assert optimum.risk.total <= min(grid) * (1 + 1e-8)
    far = optimal_mix_weight(spectrum, coef, 1e6 * shift, 50, 500, noise_variance_real=0.25)
    assert far.weight < 1e-3


def test_without_a_shift_the_optimal_weight_is_the_ratio_of_noise_variances():
    spectrum, coef, shift = problem("isotropic", 30)
    optimum = optimal_mix_weight(
        spectrum,
        coef,
        0 * shift,
        100,
        100,
        noise_variance_real=0.5,
        noise_variance_synthetic=0.125,
    )
    # Not exactly 4: the misfit of the shrunken model adds to the noise of either group alike.
    assert optimum.weight == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize(
    ("kind", "n_real", "n_synthetic", "lam", "weight", "m"),
    [
        ("isotropic", 60, 240, 0.02, 1.0, None),
        ("power law", 20, 100, 0.01, 0.1, None),
        ("power law", 40, 40, 1e-3, 1.0, 60),
        ("isotropic", 100, 200, 0.05, 1.0, 80),
    ],
)
def test_theory_agrees_with_simulation(kind, n_real, n_synthetic, lam, weight, m):
    spectrum, coef, shift = problem(kind, 120)
    noise = (0.25, 0.1)
    rng = np.random.default_rng(5)
    draws = [
        simulated_risk(rng, spectrum, coef, shift, n_real, n_synthetic, lam, weight, m, noise)
        for _ in range(150)
    ]
    theory = mix_risk(
        spectrum,
        coef,
        shift,
        n_real,
        n_synthetic,
        lam,
        weight=weight,
        noise_variance_real=noise[0],
        noise_variance_synthetic=noise[1],
        n_components=m,
    ).total
    # 4 standard errors of 150 draws and the O(1/n) error of a deterministic equivalent.
    error = 4 * np.std(draws) / np.sqrt(len(draws))
    assert np.mean(draws) == pytest.approx(theory, abs=error + 0.03 * theory)
    assert np.mean(draws) == pytest.approx(theory, rel=0.08)


def test_iterative_mixing_theory_agrees_with_simulation():
    spectrum, coef, shift = problem("power law", 60)
    n_real, n_synthetic, lam, n_rounds = 60, 120, 0.003, 4
    rng = np.random.default_rng(3)
    risks = np.empty((400, n_rounds))
    for row in risks:
        source = coef + np.sqrt(shift) * rng.choice([-1, 1], coef.size)
        for i in range(n_rounds):
            X1, y1 = draw(rng, spectrum, coef, n_real, 0.25)
            X2, y2 = draw(rng, spectrum, source, n_synthetic, 0.1)
            X, y = np.vstack([X1, X2]), np.r_[y1, y2]
            source = np.linalg.solve(X.T @ X + lam * len(X) * np.eye(60), X.T @ y)
            row[i] = np.sum(spectrum * (source - coef) ** 2)
    theory = iterative_mixing_risk(
        spectrum,
        coef,
        shift,
        n_real,
        n_synthetic,
        lam,
        n_rounds,
        noise_variance_real=0.25,
        noise_variance_synthetic=0.1,
    )
    # Standard errors are about 1 %.
    np.testing.assert_allclose(risks.mean(axis=0), theory, rtol=0.05)


def test_first_round_of_iterative_mixing_is_the_mix_risk():
    spectrum, coef, shift = problem("power law", 30)
    noise = {"noise_variance_real": 0.2, "noise_variance_synthetic": 0.05, "weight": 0.4}
    first = iterative_mixing_risk(spectrum, coef, shift, 50, 80, 0.02, 1, **noise)
    expected = mix_risk(spectrum, coef, shift, 50, 80, 0.02, **noise).total
    assert first[0] == pytest.approx(expected, rel=1e-12)


def test_iterative_mixing_shrinks_the_shift_by_the_squared_share():
    spectrum, coef, shift = problem("isotropic", 20)
    risks = iterative_mixing_risk(spectrum, coef, shift, 50_000, 50_000, 1e-9, 4)
    # Least squares without noise on many rows: each round halves the shift, c^2 = 0.5.
    np.testing.assert_allclose(risks, 0.5 * 0.25 ** np.arange(1, 5), rtol=2e-3)


def test_golden_weight_minimises_the_label_ratio():
    golden = golden_label_weight()
    assert golden**2 + golden == pytest.approx(1)
    assert iterated_label_weight(golden) == pytest.approx(golden)
    grid = np.linspace(0.01, 1, 991)
    assert grid[np.argmin(iterated_label_weight(grid))] == pytest.approx(golden, abs=1e-3)
    assert iterated_label_weight(1.0) == 1


@pytest.mark.parametrize("weight", [0.2, 0.6, 1.0])
def test_label_ratio_is_the_fixed_point_of_its_recursion(weight):
    # Per coordinate: v <- w^2 v1 + (1 - w)^2 (v + v1), with v1 that of fresh noise.
    variance = 0.0
    for _ in range(2000):
        variance = weight**2 + (1 - weight) ** 2 * (1 + variance)
    assert iterated_label_weight(weight) == pytest.approx(variance)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"spectrum": [-1.0, 1.0]}, "spectrum must hold"),
        ({"coef": [1.0]}, "coef must have the shape of spectrum"),
        ({"shift": [-1.0, 0.0]}, "shift and the noise variances must be >= 0"),
        ({"noise_variance_real": -1.0}, "noise variances must be >= 0"),
        ({"lam": -1.0}, "lam must be finite and >= 0"),
        ({"weight": -1.0}, "weight must be finite and >= 0"),
        ({"n_real": 0, "n_synthetic": 0}, "n_real and n_synthetic"),
        ({"n_real": 0, "weight": 0.0}, "weight must be > 0 when there are no real rows"),
        ({"n_components": 3, "weight": 0.5}, "n_components can only be combined with weight=1"),
        ({"n_components": 0}, "n_components must be >= 1"),
    ],
)
def test_bad_arguments_are_named(change, match):
    arguments = {
        "spectrum": [1.0, 0.5],
        "coef": [1.0, 1.0],
        "shift": [0.1, 0.1],
        "n_real": 10,
        "n_synthetic": 10,
        "lam": 0.1,
    }
    with pytest.raises(ValueError, match=match):
        mix_risk(**{**arguments, **change})


@pytest.mark.parametrize("weight", [0.0, 1.2, [0.5, -0.1]])
def test_label_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ValueError, match=r"weight must be in \(0, 1\]"):
        iterated_label_weight(weight)

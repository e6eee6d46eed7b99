"""Population theory of robust regression: bounds, phases, exponents, counter-examples."""

import warnings

import cvxpy
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from skparietal import robustness_accuracy_tradeoff
from skparietal.adversarial_risk import GaussianRisk, SurrogateRisk, worst_case_residual
from skparietal.norms import (
    CallableNorm,
    GroupNorm,
    LpNorm,
    MahalanobisNorm,
    ScaledNorm,
    check_norm,
)
from skparietal.solvers.robustness.adversarial_least_squares import minimize_adversarial_risk
from skparietal.solvers.robustness.gradient_flow import GradientFlow
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss
from skparietal.theory import (
    collapse_radius,
    diagonal_frontier,
    early_stopping_bound,
    free_radius,
    gaussian_adversarial_risk,
    linf_counterexample,
    mahalanobis_counterexample,
    power_law_risk_exponent,
    surrogate_bound,
)

NORMS = ["l1", "l2", "linf"]


def problem(d, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d)) * rng.uniform(0.1, 2, size=d)
    return rng.normal(size=d), root @ root.T / d + 0.05 * np.eye(d)


@pytest.mark.parametrize("norm", [*NORMS, GroupNorm([0, 0, 1, 1, 2])])
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_the_gaussian_formula_is_the_risk_of_attacked_samples(norm, noise):
    rng = np.random.default_rng(0)
    coef, covariance = problem(5, 0)
    w = coef * rng.uniform(0, 1.5, size=5)
    n = 200_000
    X = rng.normal(size=(n, 5)) @ np.linalg.cholesky(covariance).T
    residual = X @ (coef - w) + noise * rng.normal(size=n)
    norm = check_norm(norm)
    errors = worst_case_residual(residual, norm.dual.norm(w), 0.3) ** 2
    clean = np.sqrt((w - coef) @ covariance @ (w - coef) + noise**2)
    expected = gaussian_adversarial_risk(clean, norm.dual.norm(w), 0.3)
    # Four standard errors of the mean of n independent draws.
    assert abs(errors.mean() - expected) < 4 * errors.std() / np.sqrt(n)


@pytest.mark.parametrize("norm", NORMS)
def test_the_surrogate_is_within_its_constant(norm):
    norm, worst = check_norm(norm), 1.0
    for seed in range(40):
        coef, covariance = problem(4, seed)
        loss = QuadraticLoss(coef, 0.0, gram=covariance)
        for radius in (0.1, 0.5, 1.0):
            risk = GaussianRisk(radius)
            best, two_stage = (
                minimize_adversarial_risk(loss, norm, r) for r in (risk, SurrogateRisk(radius))
            )
            optimum = risk.value(best.clean, best.dual)
            worst = max(worst, risk.value(two_stage.clean, two_stage.dual) / optimum)
    assert worst <= surrogate_bound() + 1e-9
    assert worst > 1.001


@pytest.mark.parametrize("norm", NORMS)
def test_the_two_stage_estimator_with_estimated_moments(norm):
    # With (1 - t) S <= S^ <= (1 + t) S and e = |w^ - w|_S its surrogate is at most k times the best
    # one plus (k + 1) e, k the root of (1 + t) / (1 - t), for every norm.
    norm = check_norm(norm)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        coef, covariance = problem(4, seed)
        root = np.linalg.cholesky(covariance)
        X = rng.normal(size=(60, 4)) @ root.T
        first, estimated = coef + 0.2 * rng.normal(size=4), X.T @ X / 60
        spread = np.linalg.eigvalsh(np.linalg.solve(root, np.linalg.solve(root, estimated).T))
        t, error = np.max(np.abs(spread - 1)), first - coef
        if t >= 1:
            continue
        k, e = np.sqrt((1 + t) / (1 - t)), np.sqrt(error @ covariance @ error)
        for radius in (0.1, 0.5):
            risk = SurrogateRisk(radius)
            truth = QuadraticLoss(coef, 0.0, gram=covariance)
            found = minimize_adversarial_risk(QuadraticLoss(first, 0.0, gram=estimated), norm, risk)
            best = minimize_adversarial_risk(truth, norm, risk)
            value = risk.value(truth.clean(found.coef), found.dual)
            assert value <= (k * risk.value(best.clean, best.dual) + (k + 1) * e) * (1 + 1e-9)


def test_the_surrogate_constant_is_attained_in_one_dimension():
    # Just below radius 1 the surrogate keeps w = 1 (risk r^2); the best is 0 or in between.
    radius, loss = 1 - 1e-9, QuadraticLoss(np.ones(1), 0.0, gram=np.eye(1))
    norm, risk = LpNorm(2), GaussianRisk(radius)
    kept = minimize_adversarial_risk(loss, norm, SurrogateRisk(radius))
    best = minimize_adversarial_risk(loss, norm, risk)
    ratio = risk.value(kept.clean, kept.dual) / risk.value(best.clean, best.dual)
    np.testing.assert_allclose(ratio, surrogate_bound(), rtol=1e-6)


def test_the_two_risks_bound_each_other():
    s, b = np.random.default_rng(0).uniform(size=(2, 100))
    surrogate, gaussian = SurrogateRisk(1.0).value(s, b) ** 2, GaussianRisk(1.0).value(s, b)
    assert np.all(gaussian <= surrogate * (1 + 1e-12))
    assert np.all(surrogate <= surrogate_bound() * gaussian * (1 + 1e-12))


@pytest.mark.parametrize(
    "norm", [*NORMS, 3.0, GroupNorm([0, 1, 2, 2]), ScaledNorm("linf", [1.0, 2, 0.5, 1])]
)
@pytest.mark.parametrize("objective", ["gaussian", "surrogate"])
@pytest.mark.parametrize("seed", range(3))
def test_phases_begin_where_predicted(norm, objective, seed):
    coef, covariance = problem(4, seed)
    coef[seed] = 0.0
    free = free_radius(coef, covariance, norm=norm, objective=objective)
    collapse = collapse_radius(coef, covariance, norm=norm, objective=objective)
    assert free <= collapse * (1 + 1e-9)
    kind = {"gaussian": GaussianRisk, "surrogate": SurrogateRisk}[objective]
    loss, norm = QuadraticLoss(coef, 0.0, gram=covariance), check_norm(norm)

    def solution(radius):
        return minimize_adversarial_risk(loss, norm, kind(radius))

    # 3 % to either side; cvxpy's solutions (norm 3) are zero to about 1e-4 only.
    size = np.sqrt(coef @ covariance @ coef)
    assert solution(0.97 * free).clean < 1e-3 * size
    assert solution(1.03 * collapse).dual < 1e-3 * norm.dual.norm(coef)
    if free < 0.9 * collapse:
        assert solution(1.03 * free).clean > 1e-3 * size
        assert solution(0.97 * collapse).dual > 1e-3 * norm.dual.norm(coef)


@pytest.mark.parametrize("norm", NORMS)
def test_tradeoffs_at_the_very_ends_of_the_phases(norm):
    # There the path is flat, and rounding decides on which side of a root an attack is.
    for seed in range(20):
        coef, covariance = problem(5, seed)
        ends = [end(coef, covariance, norm=norm) for end in (free_radius, collapse_radius)]
        size = coef @ covariance @ coef
        for radius, expected in zip(ends, (0.0, size)):
            # Alone and in a row with others, which takes another way to the root.
            for radii in (radius, [radius, 0.5 * sum(ends)]):
                result = robustness_accuracy_tradeoff(coef, covariance, radii, norm=norm)
                np.testing.assert_allclose(
                    result.optimal_clean_excess[0], expected, atol=1e-6 * size
                )


def test_equal_coefficients_switch_at_one_radius_under_linf_attacks():
    coef = np.append(np.ones(5), np.zeros(3))
    for threshold in (free_radius, collapse_radius):
        radius = threshold(coef, np.eye(8), norm="linf", objective="surrogate")
        np.testing.assert_allclose(radius, 1 / np.sqrt(5))


def test_label_noise_removes_the_free_phase():
    coef, covariance = problem(4, 1)
    radius = 0.5 * free_radius(coef, covariance)
    moved = [
        robustness_accuracy_tradeoff(
            coef, covariance, radius, noise_variance=noise
        ).optimal_clean_excess[0]
        for noise in (0.0, 0.01, 0.25)
    ]
    assert moved[0] < 1e-12
    assert 0 < moved[1] < moved[2]


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_closed_forms_for_independent_features(norm):
    rng = np.random.default_rng(0)
    variances, coef = rng.uniform(0.1, 2, 20), rng.normal(size=20)
    loss = QuadraticLoss(coef, 0.0, gram=np.diag(variances))
    for multiplier in (0.01, 0.3):
        clean, dual, price = diagonal_frontier(variances, coef, multiplier, norm)
        radius = float(GaussianRisk(1.0).optimal_radius(clean, dual, price))
        point = minimize_adversarial_risk(loss, check_norm(norm), GaussianRisk(radius))
        np.testing.assert_allclose([point.clean, point.dual], [clean, dual], rtol=1e-7)


def optimal_risk(variances, coef, radius, norm):
    def risk(log_multiplier):
        clean, dual, _ = diagonal_frontier(variances, coef, np.exp(log_multiplier), norm)
        return gaussian_adversarial_risk(clean, dual, radius)

    return minimize_scalar(risk, bounds=(-35, 5), method="bounded", options={"xatol": 1e-6}).fun


@pytest.mark.parametrize(
    ("norm", "capacity", "decay", "radii"),
    [
        ("l2", 2.0, 0.2, (4e-3, 2e-2)),
        ("l2", 1.5, 1.0, (4e-3, 2e-2)),
        ("linf", 2.0, 0.3, (1e-4, 1e-3)),
        ("linf", 1.5, 1.8, (1e-4, 1e-3)),
    ],
)
def test_small_attacks_follow_the_power_law(norm, capacity, decay, radii):
    k = np.arange(1, 200_001, dtype=float)
    risks = [optimal_risk(k**-capacity, k**-decay, radius, norm) for radius in radii]
    slope = np.diff(np.log(risks))[0] / np.diff(np.log(radii))[0]
    # Finite radii and dimension bend the line by a few hundredths.
    assert abs(slope - power_law_risk_exponent(capacity, decay, norm)) < 0.05


@pytest.mark.parametrize("epsilon", [0.1, 0.01, 0.003])
def test_descent_is_arbitrarily_bad_under_mahalanobis_attacks(epsilon):
    coef, covariance, norm = mahalanobis_counterexample(epsilon)
    best = minimize_adversarial_risk(
        QuadraticLoss(coef, 0.0, gram=covariance), LpNorm(2), GaussianRisk(1.0)
    )
    assert best.gap < 1e-9
    optimum = minimize_in(norm, coef, 1.0)
    shares = np.linspace(0, 1, 1001)[:, None]
    line = gaussian_adversarial_risk(
        np.linalg.norm((1 - shares) * coef, axis=1), norm.dual.norm(shares * coef), 1.0
    )
    np.testing.assert_allclose(line.min() / optimum * epsilon**2, 0.25, rtol=0.03)
    root = np.sqrt(np.diag(norm.matrix))
    flow = GradientFlow(np.eye(2), coef, root)
    path = flow.coef(np.append(np.geomspace(1e-6, 1e6, 2000), np.inf))
    risk = gaussian_adversarial_risk(np.linalg.norm(path - coef, axis=1), norm.dual.norm(path), 1.0)
    assert risk.min() / optimum <= early_stopping_bound()
    assert risk.min() / optimum < 1.01


def minimize_in(norm, coef, radius):
    """Optimal risk under a Mahalanobis attack and identity covariance."""
    _, transform = norm.reduce()
    loss = QuadraticLoss(np.linalg.solve(transform, coef), 0.0, gram=transform.T @ transform)
    point = minimize_adversarial_risk(loss, LpNorm(2), GaussianRisk(radius))
    return GaussianRisk(radius).value(point.clean, point.dual)


@pytest.mark.parametrize(
    ("n_levels", "expected"), [(4, 1.59), (10, 3.22), (20, 5.96), (40, 11.36), (80, 21.97)]
)
def test_descent_is_arbitrarily_bad_under_linf_attacks(n_levels, expected):
    coef, radius = linf_counterexample(n_levels)
    line = np.linspace(0, 1, 2001)
    plain = gaussian_adversarial_risk(
        (1 - line) * np.linalg.norm(coef), line * np.abs(coef).sum(), radius
    )
    best = optimal_risk(np.ones(len(coef)), coef, radius, "linf")
    # Computed once by an independent prototype.
    np.testing.assert_allclose(plain.min() / best, expected, rtol=2e-3)
    if n_levels < 40:
        loss = QuadraticLoss(coef, 0.0, gram=np.eye(len(coef)))
        point = minimize_adversarial_risk(loss, LpNorm(np.inf), GaussianRisk(radius))
        np.testing.assert_allclose(GaussianRisk(radius).value(point.clean, point.dual), best)
    # Rates |coef| cure most of it: every coefficient is learned at its own pace.
    left = np.exp(-np.multiply.outer(np.geomspace(1e-2, 1e5, 600), coef))
    cured = gaussian_adversarial_risk(
        np.linalg.norm(left * coef, axis=1), np.sum((1 - left) * coef, axis=1), radius
    )
    assert cured.min() / best < 1.2


@pytest.mark.parametrize("seed", range(3))
def test_descent_and_its_cure_under_a_mahalanobis_attack_in_fifty_dimensions(seed):
    # The attacker reaches 30 / k^2 along feature k, where the coefficients grow like k.
    d = 50
    k = np.arange(1, d + 1)
    coef, reach = k * np.random.default_rng(seed).uniform(0.5, 1.5, d), 30.0 / k**2
    norm = MahalanobisNorm(np.diag(reach**-2))
    ends = [threshold(coef, np.eye(d), norm=norm) for threshold in (free_radius, collapse_radius)]
    times = np.concatenate([[0], np.geomspace(1e-9, 1e5, 3000), [np.inf]])
    plain, cured = GradientFlow(np.eye(d), coef), GradientFlow(np.eye(d), coef, 1 / reach)
    worst = {"plain": 1.0, "cured": 1.0, "two-stage": 1.0}
    for radius in np.geomspace(*ends, 9):
        # Within the thresholds, where rounding decides between the phases.
        radius = np.clip(radius, ends[0] * (1 + 1e-9), ends[1] * (1 - 1e-9))

        def risk(w, radius=radius):
            clean = np.linalg.norm(w - coef, axis=-1)
            return gaussian_adversarial_risk(clean, norm.dual.norm(w), radius)

        base = QuadraticLoss(coef * reach, 0.0, gram=np.diag(reach**-2))
        best, surrogate = (
            risk(minimize_adversarial_risk(base, LpNorm(2), kind(radius)).coef / reach)
            for kind in (GaussianRisk, SurrogateRisk)
        )
        found = {
            "plain": risk(plain.coef(times)).min(),
            "cured": risk(cured.coef(times)).min(),
            "two-stage": surrogate,
        }
        worst = {name: max(worst[name], value / best) for name, value in found.items()}
    assert worst["plain"] > 4
    assert worst["cured"] <= 1.06
    assert worst["two-stage"] <= surrogate_bound()


def test_the_flow_constant_is_the_supremum():
    found = minimize_scalar(
        lambda x: -(1 - np.exp(-x)) * (1 + x) / x, bounds=(0.1, 10), method="bounded"
    )
    np.testing.assert_allclose(early_stopping_bound(), found.fun**2, rtol=1e-5)


@pytest.mark.parametrize(
    "norm", [*NORMS, MahalanobisNorm(np.diag([1.0, 2, 3, 4])), GroupNorm([0, 0, 1, 1])]
)
def test_the_frontier_is_dual_to_its_bound(norm):
    # b*(eps) = max of z'w - eps |z|_{S^-1} over the attack ball.
    coef, covariance = problem(4, 2)
    result = robustness_accuracy_tradeoff(coef, covariance, [0.1, 0.4], norm=norm, n_points=6)
    norm, root = check_norm(norm), np.linalg.cholesky(covariance)
    z = cvxpy.Variable(4)
    for excess, dual in zip(result.clean_excess[1:-1], result.dual_norm[1:-1]):
        whitened = cvxpy.norm(np.linalg.inv(root) @ z, 2)
        with warnings.catch_warnings():
            # It may call a solution inaccurate that is good to the tolerance below.
            warnings.simplefilter("ignore", UserWarning)
            best = cvxpy.Problem(
                cvxpy.Maximize(z @ coef - np.sqrt(excess) * whitened), [norm.to_cvxpy(z) <= 1]
            ).solve(solver=cvxpy.CLARABEL)
        np.testing.assert_allclose(dual, best, rtol=1e-5)
    assert np.all(np.diff(result.dual_norm) < 0)
    assert result.dual_norm[-1] < 1e-6
    # No point of the grid beats the optimum, and the grid comes near it.
    assert np.all(result.adversarial_risk.min(axis=1) >= result.optimal_risk * (1 - 1e-7))


def half(w):
    return 0.5 * cvxpy.norm1(w) + 0.5 * cvxpy.norm2(w)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: power_law_risk_exponent(0.5, 0.1), "capacity must be > 0"),
        (lambda: power_law_risk_exponent(np.nan, 1.0), "capacity must be > 0"),
        (lambda: power_law_risk_exponent(2.0, 1.0, "l1"), "norm must be 'l2' or 'linf'"),
        (lambda: diagonal_frontier(np.ones(2), np.ones(2), 0.1, "l1"), "norm must be 'l2' or"),
        (lambda: diagonal_frontier(np.ones(2), np.ones(2), -0.1), "multiplier must be finite"),
        (lambda: early_stopping_bound(0.5), "distortion must be at least 1"),
        (lambda: mahalanobis_counterexample(0.0), "epsilon must be > 0"),
        (lambda: linf_counterexample(0), "n_levels must be at least 1"),
        (lambda: gaussian_adversarial_risk(1.0, 1.0, -0.1), "radius must be finite and >= 0"),
        (lambda: gaussian_adversarial_risk(1.0, 1.0, np.inf), "radius must be finite and >= 0"),
        (lambda: free_radius(np.ones(2), np.eye(2), objective="l2"), "objective must be one of"),
        (lambda: collapse_radius(np.ones(2), np.eye(2), noise_variance=-1.0), "noise_variance"),
        (lambda: free_radius(np.ones(2), np.eye(2), norm=CallableNorm(half)), "cvxpy form"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def only_convex(w):
    return cvxpy.sum_squares(w)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radius": -1.0}, "radius must be finite and >= 0"),
        ({"radius": [0.1, np.nan]}, "radius must be finite and >= 0"),
        ({"noise_variance": np.nan}, "noise_variance must be finite and >= 0"),
        ({"noise_variance": -1.0}, "noise_variance must be finite and >= 0"),
        ({"clean_loss_grid": [-1.0, 0.0]}, "clean_loss_grid must be finite and >= 0"),
        ({"n_points": 1}, "n_points must be at least 2"),
        ({"covariance": np.eye(3)}, r"covariance must be \(2, 2\)"),
        ({"covariance": np.ones((2, 2))}, "covariance must be positive definite"),
        ({"covariance": [[1.0, 0.5], [0.0, 1.0]]}, "covariance must be symmetric"),
        ({"covariance": np.full((2, 2), np.nan)}, "covariance must be symmetric and finite"),
        ({"coef": np.zeros(2)}, "coef must be finite and not zero"),
        ({"coef": [1.0, np.inf]}, "coef must be finite and not zero"),
        ({"coef": np.ones((2, 2))}, "covariance must be"),
        ({"norm": "l0"}, "norm must be one of"),
        ({"norm": 0.5}, "p must be a number >= 1"),
        ({"norm": GroupNorm([0, 1, 1])}, "made for 3 features"),
        ({"norm": CallableNorm(only_convex), "noise_variance": 1.0}, "positively homogeneous"),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_tradeoffs_of_bad_input_are_refused(changes, message, noise):
    problem = {"coef": np.ones(2), "covariance": np.eye(2), "radius": 0.1, "noise_variance": noise}
    with pytest.raises(ValueError, match=message):
        robustness_accuracy_tradeoff(**{**problem, **changes})


@pytest.mark.parametrize("factor", [1e-150, 1e150])
@pytest.mark.parametrize("norm", NORMS)
def test_tradeoffs_in_extreme_units_are_finite(factor, norm):
    coef, covariance = problem(4, 0)
    base = robustness_accuracy_tradeoff(coef, covariance, [0.1, 0.4], norm=norm)
    # Features in other units: coefficients shrink as they grow, and so does the attack.
    other = robustness_accuracy_tradeoff(
        coef / factor, covariance * factor**2, [0.1 * factor, 0.4 * factor], norm=norm
    )
    np.testing.assert_allclose(other.optimal_risk, base.optimal_risk, rtol=1e-6)
    np.testing.assert_allclose(other.adversarial_risk, base.adversarial_risk, rtol=1e-6)

"""Learning rates for an attack: which norms have some, where they touch, what is refused."""

import numpy as np
import pytest

from skparietal.adversarial_risk import GaussianRisk
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
from skparietal.solvers.robustness.preconditioning import (
    attack_root,
    is_tangent,
    preconditioner_root,
    tangent_root,
    unexplained,
)
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss


def problem(d=6, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    gram, coef = root @ root.T / d + 0.1 * np.eye(d), rng.normal(size=d)
    return gram, coef, gram @ coef, coef @ gram @ coef + 1.0


def test_norms_whose_rates_follow_the_target():
    groups = [0, 0, 1]
    for norm in (LpNorm(1), LpNorm(np.inf), LpNorm(3), GroupNorm(groups), GroupNorm(groups, p=1)):
        assert is_tangent(norm)
        assert is_tangent(ScaledNorm(norm, np.ones(3)))
    for norm in (LpNorm(2), LpNorm(1.5), MahalanobisNorm(np.eye(3)), ScaledNorm(2, [1])):
        assert not is_tangent(norm)
    assert not is_tangent(GroupNorm([0, 1], p=2))
    assert not is_tangent(CallableNorm(np.sum))


TANGENT = [
    LpNorm(1),
    LpNorm(3),
    LpNorm(np.inf),
    GroupNorm([0, 0, 1, 1, 2, 2]),
    GroupNorm([0, 0, 1, 1, 2, 2], p=1),
    GroupNorm([0, 0, 1, 1, 2, 2], p=4),
]


@pytest.mark.parametrize("norm", TANGENT, ids=repr)
def test_the_ellipsoid_is_inside_the_dual_ball_and_touches_it(norm):
    rng = np.random.default_rng(0)
    for target in (rng.normal(size=6), np.array([1.0, -1, 0.5, 1, 0.2, -0.1])):
        root = tangent_root(norm, target)
        root = np.diag(root) if root.ndim == 1 else root
        # The largest dual norm of the ellipsoid is that of the point where it touches.
        (reach,) = np.linalg.lstsq(root, target)[:1]
        surface = target / np.linalg.norm(reach)
        directions = rng.normal(size=(2000, root.shape[1]))
        points = directions / np.linalg.norm(directions, axis=1, keepdims=True) @ root.T
        assert np.all(norm.dual.norm(points) <= norm.dual.norm(surface) * (1 + 1e-9))


@pytest.mark.parametrize("norm", TANGENT, ids=repr)
def test_descent_reaches_the_optimum_of_the_attack(norm):
    worst = {"plain": 1.0, "tangent": 1.0}
    times = np.concatenate([[0], np.geomspace(1e-5, 1e5, 1000), [np.inf]])
    for seed in range(8):
        gram, coef, correlation, _ = problem(seed=seed)
        for radius in (0.1, 0.3, 0.6):
            risk, loss = GaussianRisk(radius), QuadraticLoss(coef, 0.0, gram=gram)
            best = minimize_adversarial_risk(loss, norm, risk)
            root, _ = attack_root(norm, gram, correlation, coef @ correlation, radius)
            for name, transform in (("plain", None), ("tangent", root)):
                path = GradientFlow(gram, correlation, transform).coef(times)
                gaps = path - coef
                clean = np.sqrt(np.maximum(np.sum((gaps @ gram) * gaps, axis=1), 0))
                reached = risk.value(clean, norm.dual.norm(path)).min()
                optimum = risk.value(best.clean, best.dual)
                worst[name] = max(worst[name], reached / optimum)
    # 1.6859 is proved.
    assert worst["tangent"] < 1.06
    assert worst["plain"] > worst["tangent"] + 0.01


@pytest.mark.parametrize("norm", TANGENT, ids=repr)
def test_rates_touch_the_dual_ball_at_the_robust_solution(norm):
    gram, coef, correlation, variance = problem()
    robust = minimize_adversarial_risk(
        QuadraticLoss(coef, 1.0, gram=gram), norm, GaussianRisk(0.3)
    ).coef
    root, target = attack_root(norm, gram, correlation, variance, 0.3)
    np.testing.assert_allclose(target, robust, atol=1e-3)
    np.testing.assert_allclose(root, tangent_root(norm, robust), atol=1e-3)


@pytest.mark.parametrize("norm", ["l1", "linf"])
def test_rates_of_a_scaled_attack_are_those_in_the_scaled_features(norm):
    gram, _, correlation, variance = problem()
    costs = np.array([1.0, 2.0, 0.5, 3.0, 1.0, 0.2])
    root, target = attack_root(ScaledNorm(norm, costs), gram, correlation, variance, 0.3)
    inner, scaled = attack_root(
        check_norm(norm), costs[:, None] * gram * costs, costs * correlation, variance, 0.3
    )
    np.testing.assert_allclose(root.T, costs * inner.T, rtol=1e-9)
    np.testing.assert_allclose(target, costs * scaled, rtol=1e-9)


def test_mahalanobis_and_other_attacks_need_no_target():
    gram, _, correlation, variance = problem()
    matrix = gram + np.eye(6)
    root, target = attack_root(MahalanobisNorm(matrix), gram, correlation, variance, 0.3)
    np.testing.assert_allclose(root @ root.T, matrix)
    assert target is None
    for norm in (LpNorm(2), LpNorm(1.5)):
        assert attack_root(norm, gram, correlation, variance, 0.3) == (None, None)
    # Without a signal there is nothing to follow.
    assert attack_root(LpNorm(np.inf), gram, np.zeros(6), variance, 0.3) == (None, None)


def test_few_rows_ask_for_fewer_features():
    # The training error of 40 rows and 30 features is too small: corrected, fewer are learned.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 30))
    y = X[:, 0] + rng.normal(size=40)
    moments = X.T @ X / 40, X.T @ y / 40, np.mean(y**2)
    plain, _ = attack_root(LpNorm(np.inf), *moments, 0.05)
    corrected, _ = attack_root(LpNorm(np.inf), *moments, 0.05, n_samples=40)
    assert np.count_nonzero(corrected) < np.count_nonzero(plain)
    many, _ = attack_root(LpNorm(np.inf), *moments, 0.05, n_samples=1e9)
    np.testing.assert_allclose(many, plain, rtol=1e-4, atol=1e-6)


def test_rounding_is_not_noise():
    assert unexplained(1.0, 1.0 - 1e-14) == 0
    assert unexplained(1.0, 1.0 + 1e-14) == 0
    assert unexplained(1.0, 0.25) == 0.75


@pytest.mark.parametrize(
    "rates",
    [np.ones(2), -np.ones(3), [1, np.inf, 1], np.ones((3, 3)), np.eye(3) + np.eye(3, k=1)],
)
def test_bad_rates_are_refused(rates):
    with pytest.raises(ValueError, match="preconditioner must be 3 positive rates or a symmetric"):
        preconditioner_root(rates, 3)

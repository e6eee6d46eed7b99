"""Fast solvers of least squares under attack: certificates, cvxpy, limits and paths."""

import warnings

import cvxpy
import numpy as np
import pytest

from skparietal.adversarial_risk import GaussianRisk, SurrogateRisk
from skparietal.norms import CallableNorm, GroupNorm, LpNorm
from skparietal.solvers.robustness.adversarial_least_squares import (
    collapse_radius,
    frontier_path,
    minimize_adversarial_risk,
    minimize_for_radii,
    path_points,
)
from skparietal.solvers.robustness.convex import ConvexProblem
from skparietal.solvers.robustness.frontier import frontier_point, locate_excess, locate_radius
from skparietal.solvers.robustness.generalized_cv import locate_gcv
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss, RowLoss
from skparietal.solvers.robustness.ridge_root import minimize_by_ridge_root
from skparietal.solvers.robustness.working_set import minimize_on_working_set

L1, L2, LINF = LpNorm(1), LpNorm(2), LpNorm(np.inf)
FAST = {"l1": L1, "l2": L2, "linf": LINF}
fast_norms = pytest.mark.parametrize("norm", FAST.values(), ids=FAST.keys())
both_risks = pytest.mark.parametrize("kind", [GaussianRisk, SurrogateRisk])


def problem(n, d, noise=1.0, seed=0, correlation=0.5):
    """Training error of a sparse model, as a QuadraticLoss, and its scaled rows."""
    rng = np.random.default_rng(seed)
    lags = np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    X = rng.normal(size=(n, d)) @ np.linalg.cholesky(correlation**lags).T
    coef = rng.normal(size=d) * (rng.random(d) < 0.4)
    coef[0] = 1.0
    y = X @ coef + noise * rng.normal(size=n)
    X, y = (X - X.mean(axis=0)) / np.sqrt(n), (y - y.mean()) / np.sqrt(n)
    return QuadraticLoss.of_rows(X, y), X, y


def reference(X, y, norm, risk):
    """Risk of what Clarabel returns for the definition, without any of our solvers."""
    w = cvxpy.Variable(X.shape[1])
    clean, attack = cvxpy.norm(y - X @ w, 2), risk.radius * norm.dual.to_cvxpy(w)
    c = np.sqrt(2 / np.pi)
    objective = clean + attack
    if isinstance(risk, GaussianRisk):
        objective = cvxpy.square(clean + c * attack) + (1 - c**2) * cvxpy.square(attack)
    with warnings.catch_warnings():
        # Without noise it may call its solution inaccurate; it is a feasible point all the same.
        warnings.simplefilter("ignore", UserWarning)
        cvxpy.Problem(cvxpy.Minimize(objective)).solve(solver=cvxpy.CLARABEL)
    return risk.value(np.linalg.norm(y - X @ w.value), norm.dual.norm(w.value))


@pytest.mark.parametrize(("n", "d", "noise"), [(60, 12, 1.0), (60, 12, 0.0), (15, 40, 1.0)])
@both_risks
@pytest.mark.parametrize("name", ["l1", "l2", "linf", "group", "group-l1"])
def test_never_above_clarabel_and_certified(name, kind, n, d, noise):
    groups = np.arange(d) // 3
    norm = {**FAST, "group": GroupNorm(groups), "group-l1": GroupNorm(groups, 1)}[name]
    loss, X, y = problem(n, d, noise, seed=n + d)
    for radius in (0.03, 0.2, 0.8):
        point = minimize_adversarial_risk(loss, norm, kind(radius))
        value = kind(radius).value(point.clean, point.dual)
        # Clarabel itself stops at 1e-8; the figure to reach is 1e-7.
        assert value <= reference(X, y, norm, kind(radius)) * (1 + 1e-7)
        # ADMM stops at 1e-8, the paths at rounding; the certificate may be ten times that.
        assert point.gap <= 1e-7
        np.testing.assert_allclose(point.clean, np.linalg.norm(y - X @ point.coef), atol=1e-9)


@both_risks
@pytest.mark.parametrize("noise", [1.0, 0.0])
@pytest.mark.parametrize("name", ["l1", "linf"])
def test_the_face_method_and_the_path_agree(name, kind, noise):
    loss, _, _ = problem(80, 15, noise, seed=3)
    for radius in (0.01, 0.1, 0.5):
        one, two = (
            minimize_adversarial_risk(loss, FAST[name], kind(radius), solver=solver)
            for solver in ("active_set", "path")
        )
        np.testing.assert_allclose(one.coef, two.coef, atol=1e-8)


@fast_norms
def test_the_certificate_is_a_lower_bound_of_the_optimum(norm):
    loss, X, y = problem(40, 8, seed=5)
    risk = SurrogateRisk(0.3)
    best = reference(X, y, norm, risk)
    rng = np.random.default_rng(0)
    for _ in range(20):
        point = frontier_point(loss, norm, risk, loss.center * rng.uniform(0, 1.2, size=8))
        value = risk.value(point.clean, point.dual)
        assert value * (1 - point.gap) <= best * (1 + 1e-7)
        assert value >= best * (1 - 1e-7)


@fast_norms
@pytest.mark.parametrize("shape", [(50, 10), (10, 30)])
def test_the_ends_of_the_path_are_zero_and_least_squares(norm, shape):
    loss, X, y = problem(*shape, seed=1)
    path = frontier_path(loss, norm)
    zero, end = path.coef(np.array(path.ends))
    assert not zero.any()
    # Residual of least squares; when d > n the end interpolates.
    best = np.linalg.norm(y - X @ np.linalg.lstsq(X, y)[0])
    np.testing.assert_allclose(np.linalg.norm(y - X @ end), best, atol=1e-7)


def test_euclidean_solutions_lie_on_the_ridge_path():
    from sklearn.linear_model import Ridge

    loss, X, y = problem(60, 10)
    point = minimize_adversarial_risk(loss, L2, GaussianRisk(0.3))
    mu = point.multiplier / point.dual
    ridge = Ridge(alpha=mu, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(point.coef, ridge.coef_, rtol=1e-8)


def test_linf_solutions_lie_on_the_lasso_path():
    from sklearn.linear_model import Lasso

    loss, X, y = problem(60, 10)
    point = minimize_adversarial_risk(loss, LINF, GaussianRisk(0.2))
    lasso = Lasso(alpha=point.multiplier / len(X), fit_intercept=False, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(point.coef, lasso.coef_, atol=1e-7)


@fast_norms
@both_risks
def test_every_radius_of_a_path_is_the_minimiser_of_its_own(norm, kind):
    loss, _, _ = problem(50, 9, seed=2)
    radii = np.geomspace(1e-3, 3, 8)
    points = minimize_for_radii(loss, norm, kind, radii)
    assert max(point.gap for point in points) <= 1e-9
    for radius, point in zip(radii, points):
        alone = minimize_adversarial_risk(loss, norm, kind(radius))
        np.testing.assert_allclose(point.coef, alone.coef, atol=1e-8)
    duals = [point.dual for point in points]
    assert np.all(np.diff(duals) <= 1e-12), "a stronger attack asks for a smaller norm"


@fast_norms
@both_risks
def test_solutions_collapse_at_the_predicted_radius(norm, kind):
    loss, _, _ = problem(50, 9, seed=4)
    clean = loss.clean(np.zeros(9))
    collapse = kind(1.0).at_zero(norm.norm(loss.correlation) / clean)
    below = minimize_adversarial_risk(loss, norm, kind(collapse * 0.99))
    above = minimize_adversarial_risk(loss, norm, kind(collapse * 1.01))
    assert below.coef.any()
    assert not above.coef.any()
    assert above.gap <= 1e-12


@fast_norms
def test_a_bound_on_the_clean_error_is_met_on_the_path(norm):
    loss, _, _ = problem(50, 9, seed=6)
    path = frontier_path(loss, norm)
    excess = np.array([0.01, 0.2])
    clean = path.errors(locate_excess(path, excess))[0]
    np.testing.assert_allclose(clean**2 - loss.floor, excess, rtol=1e-9)


@fast_norms
def test_multipliers_are_slopes_of_the_frontier(norm):
    loss, _, _ = problem(50, 9, seed=7)
    path = frontier_path(loss, norm)
    position = locate_radius(path, GaussianRisk(np.array([0.3])))[0]
    step = 1e-5
    clean, dual, _ = path.errors(position + np.array([-step, step]))
    slope = -np.diff(clean**2 / 2) / np.diff(dual)
    # Central difference: error of order step^2, plus rounding of order 1e-16 / step.
    np.testing.assert_allclose(slope, path.errors(position)[2], rtol=1e-5)


def test_gcv_equals_a_direct_search_over_ridges():
    loss, X, y = problem(40, 25, seed=8)
    path, n, radius = frontier_path(loss, L2), 40, 0.3
    position = locate_gcv(path, GaussianRisk(np.array([radius])), n)[0]
    penalties = np.geomspace(1e-4, 1e2, 4001)
    values = np.linalg.eigvalsh(X.T @ X)
    risks = []
    for mu in penalties:
        w = np.linalg.solve(X.T @ X + mu * np.eye(25), X.T @ y)
        df = 1 + np.sum(values / (values + mu))
        clean = np.linalg.norm(y - X @ w) / max(1 - df / n, 1e-9)
        risks.append(
            GaussianRisk(radius).value(clean, np.linalg.norm(w)) if df <= 0.7 * n else np.inf
        )
    # One step of the grid is 0.35 % in mu.
    np.testing.assert_allclose(np.exp(-position), penalties[np.argmin(risks)], rtol=5e-3)


def test_box_degrees_of_freedom_are_the_divergence():
    # The trace of d(fit)/dy by finite differences, at a fixed penalty on the largest coefficient.
    loss, X, y = problem(30, 8, seed=9)
    path = frontier_path(loss, L1)
    position = locate_radius(path, SurrogateRisk(np.array([0.6])))[0]
    price = path.errors(position)[2][0]
    w = cvxpy.Variable(8)
    target = cvxpy.Parameter(30)
    fit = cvxpy.Problem(
        cvxpy.Minimize(cvxpy.sum_squares(target - X @ w) / 2 + price * cvxpy.norm_inf(w))
    )
    trace, step = 0.0, 1e-3
    for i in range(30):
        ends = []
        for sign in (-1, 1):
            target.value = y + sign * step * np.eye(30)[i]
            fit.solve(solver=cvxpy.CLARABEL)
            ends.append(X[i] @ w.value)
        trace += (ends[1] - ends[0]) / (2 * step)
    # Clarabel's 1e-8 over the step of 1e-3, thirty times, and kinks of the fit inside the step.
    np.testing.assert_allclose(trace, path.degrees_of_freedom(position)[0], atol=0.05)


def test_any_norm_goes_through_cvxpy():
    def dual(w):
        return 0.5 * cvxpy.norm1(w) + 0.5 * cvxpy.norm2(w)

    loss, X, y = problem(40, 6, seed=10)
    for norm in (CallableNorm(dual), LpNorm(1.5)):
        point = minimize_adversarial_risk(loss, norm, GaussianRisk(0.2))
        assert point.solver == "cvxpy"
        assert point.gap <= 1e-6
        assert GaussianRisk(0.2).value(point.clean, point.dual) <= reference(
            X, y, norm, GaussianRisk(0.2)
        ) * (1 + 1e-7)


def test_collinear_columns_are_still_certified():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5))
    X = np.column_stack([X, X[:, :2], np.zeros(40)])
    y = X[:, 0] + rng.normal(size=40)
    loss = QuadraticLoss.of_rows(X / np.sqrt(40), y / np.sqrt(40))
    for norm in (*FAST.values(), GroupNorm([0, 0, 1, 1, 2, 2, 3, 3])):
        for radius in (0.01, 0.2):
            assert minimize_adversarial_risk(loss, norm, GaussianRisk(radius)).gap <= 1e-6


@both_risks
@pytest.mark.parametrize("name", ["l1", "l2", "linf"])
@pytest.mark.parametrize(
    ("n", "d", "copies"), [(20, 90, 0), (20, 90, 30), (12, 12, 0), (40, 15, 5)]
)
def test_exact_from_interpolation_to_collapse(name, kind, n, d, copies):
    # Without noise, with copies of columns, and in units far from one: all that ends a path early.
    norm = FAST[name]
    _, X, y = problem(n, d, noise=0.0, seed=n + d + copies)
    X[:, d - copies :] = X[:, :copies]
    loss = QuadraticLoss.of_rows(X / 40, y)
    top = collapse_radius(loss, norm, kind)
    for share in (1e-4, 1e-2, 0.1, 0.3, 0.7, 0.99):
        point = minimize_adversarial_risk(loss, norm, kind(share * top))
        assert point.solver not in ("admm", "cvxpy")
        # Near interpolation the risk is 1e-4 of its value at zero, whose rounding it carries.
        assert point.gap <= 1e-9


@pytest.mark.parametrize("name", ["l1", "linf"])
def test_a_path_that_stops_at_a_radius_is_the_beginning_of_the_path(name):
    loss, _, _ = problem(30, 60, seed=11)
    risk = GaussianRisk(0.5 * collapse_radius(loss, FAST[name], GaussianRisk))
    whole, part = frontier_path(loss, FAST[name]), frontier_path(loss, FAST[name], until=risk)
    assert 1 < len(part.knots) < len(whole.knots) / 2
    np.testing.assert_allclose(part.coef(part.knots), whole.coef(part.knots), atol=1e-12)


@both_risks
@pytest.mark.parametrize("share", [1e-4, 0.3, 0.999])
def test_the_ridge_root_is_the_point_of_the_ridge_path(kind, share):
    loss, _, _ = problem(50, 9, seed=15)
    risk = kind(share * collapse_radius(loss, L2, kind))
    coef, _ = minimize_by_ridge_root(loss, risk)
    path = frontier_path(loss, L2)
    position = locate_radius(path, kind(np.array([risk.radius])))[0]
    # Near collapse the coefficients are 1e-3 of their size, and the root is flat.
    np.testing.assert_allclose(coef, path.coef(position)[0], rtol=1e-6, atol=1e-12)


@both_risks
@pytest.mark.parametrize(
    ("shape", "share"), [((400, 150), 0.1), ((400, 150), 0.5), ((60, 400), 0.6), ((60, 400), 0.9)]
)
def test_working_sets_find_the_minimiser_of_all_columns(kind, shape, share):
    _, X, y = problem(*shape, noise=3.0, seed=13)
    loss = RowLoss(X, y)
    risk = kind(share * collapse_radius(loss, LINF, kind))
    coef, _ = minimize_on_working_set(loss, risk)
    path = minimize_adversarial_risk(loss, LINF, risk, solver="path")
    assert frontier_point(loss, LINF, risk, coef).gap <= 1e-12
    np.testing.assert_allclose(coef, path.coef, atol=1e-9)


def test_working_sets_leave_interpolation_to_the_path():
    _, X, y = problem(20, 90, seed=14)
    loss = RowLoss(X, y)
    risk = SurrogateRisk(1e-3 * collapse_radius(loss, LINF, SurrogateRisk))
    assert minimize_on_working_set(loss, risk)[0] is None
    assert minimize_adversarial_risk(loss, LINF, risk).solver == "lasso_path"


def test_rows_and_their_second_moments_are_one_loss():
    _, X, y = problem(30, 12, seed=12)
    one, two = QuadraticLoss.of_rows(X, y), RowLoss(X, y)
    w = np.random.default_rng(0).normal(size=12)
    assert one.gram is not None
    for attribute in ("center", "correlation", "least"):
        np.testing.assert_allclose(getattr(one, attribute), getattr(two, attribute), atol=1e-12)
    np.testing.assert_allclose(one.clean(w), two.clean(w))
    np.testing.assert_allclose(one.pull(w)[0], two.pull(w)[0], atol=1e-12)
    one, two = (loss.about(w, 0.3) for loss in (one, two))
    np.testing.assert_allclose(one.clean(np.zeros(12)), two.clean(np.zeros(12)))
    np.testing.assert_allclose(two.least, 0.3, atol=1e-12)


def test_a_solver_that_does_not_apply_is_refused():
    loss, _, _ = problem(40, 6)
    with pytest.raises(ValueError, match="does not apply"):
        minimize_adversarial_risk(loss, LpNorm(1.5), GaussianRisk(0.1), solver="path")


def test_cvxpy_compiles_once_for_all_radii():
    loss, _, _ = problem(40, 6)
    convex = ConvexProblem(loss, L2, SurrogateRisk)
    for radius in (0.1, 0.5):
        point = convex.solve(radius)
        expected = minimize_adversarial_risk(loss, L2, SurrogateRisk(radius))
        np.testing.assert_allclose(point.coef, expected.coef, atol=1e-4)


def test_path_points_record_their_method():
    loss, _, _ = problem(40, 6)
    path = frontier_path(loss, LINF)
    radii = np.array([0.1])
    point = path_points(
        path, LINF, GaussianRisk, radii, locate_radius(path, GaussianRisk(radii))[0]
    )[0]
    assert point.solver == "lasso_path"

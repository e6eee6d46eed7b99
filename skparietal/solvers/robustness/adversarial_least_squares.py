"""Least squares under attack: the fastest method that a norm allows, judged by its certificate."""

import numpy as np

from skparietal.norms import LpNorm
from skparietal.solvers.robustness.active_set import minimize_box_face, minimize_lasso_face
from skparietal.solvers.robustness.admm import minimize_admm
from skparietal.solvers.robustness.box_interpolator import interpolate_in_box
from skparietal.solvers.robustness.box_path import box_path
from skparietal.solvers.robustness.convex import ConvexProblem
from skparietal.solvers.robustness.frontier import frontier_point, locate_radius
from skparietal.solvers.robustness.lasso_path import lasso_path
from skparietal.solvers.robustness.ridge_path import RidgePath
from skparietal.solvers.robustness.ridge_root import minimize_by_ridge_root
from skparietal.solvers.robustness.working_set import minimize_on_working_set

PATHS = {1.0: box_path, 2.0: RidgePath, np.inf: lasso_path}
PATH_NAMES = {1.0: "box_path", 2.0: "ridge_path", np.inf: "lasso_path"}
FACES = {1.0: minimize_box_face, np.inf: minimize_lasso_face}

# With so few columns one radius costs less without the eigenbasis that would serve all radii.
FEW = 100

# A relative duality gap that an exact method exceeds only when it went wrong.
EXACT = 1e-7


def frontier_path(loss, norm, basis=None, *, until=None):
    """Frontier of a norm as a path.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    basis : Eigenbasis, default=None
        Eigenbasis of S if it is at hand.
    until : GaussianRisk or SurrogateRisk, default=None
        Risk whose minimiser is all that is wanted of a path with knots.

    Returns
    -------
    path : RidgePath, PiecewisePath or None
        None for a norm that has no path here.
    """
    if not isinstance(norm, LpNorm) or norm.p not in PATHS:
        return None
    return PATHS[norm.p](loss, basis, until=until)


def minimize_adversarial_risk(loss, norm, risk, *, solver="auto", tol=1e-8, max_iter=5000):
    """Minimiser of a risk of (clean error, dual norm).

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.
    solver : {"auto", "path", "active_set", "admm", "cvxpy"}, default="auto"
        With "auto" the fast methods come first and the next one is tried where the certificate
        shows that one failed.
    tol : float, default=1e-8
        Relative duality gap of the iterative methods.
    max_iter : int, default=5000
        Of ADMM.

    Returns
    -------
    point : FrontierPoint
        Of the smallest gap among the methods that were tried.

    Raises
    ------
    ValueError
        If the solver does not know the norm.
    """
    if risk.radius == 0:
        return frontier_point(loss, norm, risk, loss.center, solver="least_squares")
    zero = _collapsed(loss, norm, risk)
    if zero is not None:
        return zero
    best = None
    for method in _methods(loss, norm, solver):
        point = method(loss, norm, risk, tol, max_iter)
        if point is not None and (best is None or point.gap < best.gap):
            best = point
        if best is not None and best.gap <= max(EXACT, tol):
            break
    return best


def minimize_for_radii(loss, norm, kind, radii, *, path=None, **options):
    """Minimisers for several radii, from one path where the norm has one.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    kind : type
        GaussianRisk or SurrogateRisk.
    radii : ndarray of shape (n_radii,)
        Attack sizes >= 0.
    path : RidgePath or PiecewisePath, default=None
        Frontier if it is at hand.
    **options
        Of `minimize_adversarial_risk`, used for radii where the path fails its certificate.

    Returns
    -------
    points : list of FrontierPoint
        One per radius.
    """
    path = frontier_path(loss, norm) if path is None else path
    if path is None:
        return [minimize_adversarial_risk(loss, norm, kind(r), **options) for r in radii]
    points = path_points(path, norm, kind, radii, locate_radius(path, kind(radii))[0])
    return [
        point
        if point.gap <= EXACT
        else min(
            point,
            minimize_adversarial_risk(loss, norm, kind(r), **options),
            key=lambda p: p.gap,
        )
        for r, point in zip(radii, points)
    ]


def minimize_within_excess(loss, norm, risk, excess, **options):
    """Minimiser among the points whose s^2 is at most its least value plus an excess.

    The risk is convex along the frontier: it is the free minimiser, or the point of the frontier
    where the excess is reached, which a smaller radius has as its minimiser.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.
    excess : float
        Squared units of y.
    **options
        Of `minimize_adversarial_risk`.

    Returns
    -------
    point : FrontierPoint
        Certified for the radius that it is the free minimiser of.
    """
    point = minimize_adversarial_risk(loss, norm, risk, **options)
    low, high = 0.0, float(risk.radius)
    largest = np.sqrt(loss.least + excess)
    within = point.clean <= largest
    while not within and high - low > 1e-9 * risk.radius:
        middle = (low + high) / 2
        candidate = minimize_adversarial_risk(loss, norm, type(risk)(middle), **options)
        if candidate.clean <= largest:
            low, point = middle, candidate
        else:
            high = middle
    return point


def path_points(path, norm, kind, radii, position, n_iter=1):
    """Points at positions of a path, certified as minimisers for the given radii.

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier.
    norm : Norm
        Norm of the attack.
    kind : type
        GaussianRisk or SurrogateRisk.
    radii : ndarray of shape (n_radii,)
        One radius per position.
    position : ndarray of shape (n_radii,)
        Positions.
    n_iter : int, default=1
        To be recorded.

    Returns
    -------
    points : list of FrontierPoint
        One per position.
    """
    limit = path.limit()
    return [
        frontier_point(
            path.loss,
            norm,
            kind(r),
            coef,
            limit=limit,
            n_iter=n_iter,
            solver=PATH_NAMES[norm.p],
        )
        for r, coef in zip(radii, path.coef(position))
    ]


def collapse_radius(loss, norm, kind):
    """Smallest radius whose minimiser is zero.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    kind : type
        GaussianRisk or SurrogateRisk.

    Returns
    -------
    radius : float
        In the units of X.
    """
    if loss.at_zero == 0:
        return 0.0
    return float(kind(1.0).at_zero(norm.norm(loss.correlation) / loss.at_zero))


def _collapsed(loss, norm, risk):
    """Zero, if that is the minimiser."""
    start = np.zeros_like(loss.correlation)
    if risk.radius < collapse_radius(loss, norm, type(risk)):
        return None
    return frontier_point(loss, norm, risk, start, solver="zero")


def _methods(loss, norm, solver):
    polyhedral = isinstance(norm, LpNorm) and norm.p in FACES
    available = {
        "active_set": _by_face if polyhedral else None,
        "path": _by_path if isinstance(norm, LpNorm) and norm.p in PATHS else None,
        "admm": _by_admm if norm.project else None,
        "cvxpy": _by_cvxpy,
    }
    if solver != "auto":
        if available[solver] is None:
            raise ValueError(
                f"solver={solver!r} does not apply to this norm and shape; use solver='auto'."
            )
        return [available[solver]]
    if available["path"]:
        available["admm"] = None
    return [method for method in available.values() if method]


def _by_face(loss, norm, risk, tol, max_iter):
    limit, wide = None, loss.gram is None and len(loss.target) < loss.root.shape[1]
    if norm.p == np.inf and loss.gram is None:
        coef, n_iter = minimize_on_working_set(loss, risk)
    elif norm.p == 1 and wide:
        # Most coefficients sit on the box, so that guesses of its face would go round in circles.
        coef, limit, n_iter = interpolate_in_box(loss) if loss.floor == 0 else (None, None, 0)
    else:
        coef, n_iter = FACES[norm.p](loss, risk)
    if coef is None:
        return None
    return frontier_point(
        loss, norm, risk, coef, limit=limit, n_iter=max(n_iter, 1), solver="active_set"
    )


def _by_path(loss, norm, risk, tol, max_iter):
    if norm.p == 2 and loss.gram is not None and len(loss.gram) <= FEW and loss.floor > 0:
        coef, n_iter = minimize_by_ridge_root(loss, risk)
        if coef is not None:
            return frontier_point(loss, norm, risk, coef, n_iter=n_iter, solver="ridge_path")
    path, radii = frontier_path(loss, norm, until=risk), np.array([float(risk.radius)])
    position, n_iter = locate_radius(path, type(risk)(radii))
    return path_points(path, norm, type(risk), radii, position, n_iter)[0]


def _by_admm(loss, norm, risk, tol, max_iter):
    return minimize_admm(loss, norm, risk, tol=tol, max_iter=max_iter)


def _by_cvxpy(loss, norm, risk, tol, max_iter):
    return ConvexProblem(loss, norm, type(risk)).solve(float(risk.radius))

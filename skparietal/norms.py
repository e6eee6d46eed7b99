"""Norms that an attacker's perturbation is measured in, as small frozen objects."""

from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from scipy.linalg import cho_solve, cholesky


class Norm:
    """A norm on feature vectors: value, dual, worst case, projection and cvxpy form together.

    To add a norm, write a subclass with `norm`, `dual`, `worst_case` and `to_cvxpy`; `project`
    makes the fast general solver available, `reduce` the still faster ones.
    """

    #: Number of features that the norm is made for; None for any.
    n_features = None

    def norm(self, v):
        """Value.

        Parameters
        ----------
        v : ndarray of shape (..., n_features)
            One vector per row.

        Returns
        -------
        value : float or ndarray of shape (...)
            Non-negative.
        """
        raise NotImplementedError  # abstract: every norm has its own

    @property
    def dual(self):
        """Dual norm: the largest inner product with a vector of the unit ball."""
        raise NotImplementedError  # abstract: every norm has its own

    def worst_case(self, w):
        """Vector of the unit ball with the largest inner product with w.

        Parameters
        ----------
        w : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        v : ndarray of shape (n_features,)
            One maximiser; zero where w is zero.
        """
        raise NotImplementedError  # abstract: every norm has its own

    def to_cvxpy(self, v):
        """Value as a cvxpy expression.

        Parameters
        ----------
        v : cvxpy.Expression of shape (n_features,)
            Affine expression.

        Returns
        -------
        value : cvxpy.Expression
            Convex.
        """
        raise NotImplementedError  # abstract: every norm has its own

    #: Euclidean projection of v on the ball of a radius: project(v, radius) -> vector, or None.
    project = None

    #: Nearest (v, t) with norm(v) <= t: project_epigraph(v, t) -> (vector, float), or None.
    project_epigraph = None

    def reduce(self):
        """Simpler norm and the linear change of variables that leads to it.

        Returns
        -------
        base : Norm
            Norm whose dual, at u, is the dual of this norm at `transform` u.
        transform : None or ndarray of shape (n_features,) or (n_features, n_features)
            None for the identity, a vector for a diagonal matrix.
        """
        return self, None


@dataclass(frozen=True)
class LpNorm(Norm):  # numpydoc ignore=PR02
    """Sum of absolute values to the power p, to the power 1/p.

    Parameters
    ----------
    p : float
        At least 1; ``numpy.inf`` for the largest absolute value.

    Examples
    --------
    >>> from skparietal.norms import LpNorm
    >>> LpNorm(1).dual
    LpNorm(p=inf)
    """

    p: float

    def __post_init__(self):
        if not isinstance(self.p, Real) or isinstance(self.p, bool) or not self.p >= 1:
            raise ValueError(f"p must be a number >= 1 (numpy.inf included), got {self.p!r}.")
        object.__setattr__(self, "p", float(self.p))

    def norm(self, v):
        if self.p == 1:
            return np.sum(np.abs(v), axis=-1)
        if np.isinf(self.p):
            return np.max(np.abs(v), axis=-1, initial=0.0)
        # numpy.linalg.norm overflows for p other than 1, 2, inf, and underflows for all but 1, inf.
        top = np.max(np.abs(v), axis=-1, keepdims=True, initial=0.0)
        safe = np.where(top > 0, top, 1)
        return np.linalg.norm(v / safe, ord=self.p, axis=-1) * top[..., 0]

    @property
    def dual(self):
        if self.p == 1:
            return LpNorm(np.inf)
        return LpNorm(1.0 if np.isinf(self.p) else self.p / (self.p - 1))

    def worst_case(self, w):
        if np.isinf(self.p):
            return np.sign(w)
        if self.p == 1:
            v = np.zeros_like(w)
            top = np.argmax(np.abs(w))
            v[top] = np.sign(w[top])
            return v
        v = np.sign(w) * (np.abs(w) / np.max(np.abs(w), initial=np.finfo(float).tiny)) ** (
            1 / (self.p - 1)
        )
        return v / max(self.norm(v), np.finfo(float).tiny)

    def to_cvxpy(self, v):
        import cvxpy

        return cvxpy.norm(v, "inf" if np.isinf(self.p) else self.p)

    @property
    def project(self):
        return {1.0: _project_l1, 2.0: _project_l2, np.inf: _project_linf}.get(self.p)

    @property
    def project_epigraph(self):
        return {1.0: _epigraph_l1, 2.0: _epigraph_l2, np.inf: _epigraph_linf}.get(self.p)


@dataclass(frozen=True, eq=False)
class MahalanobisNorm(Norm):  # numpydoc ignore=PR02
    """Square root of v' B v.

    Parameters
    ----------
    matrix : ndarray of shape (n_features, n_features)
        Symmetric positive definite B.
    """

    matrix: np.ndarray
    _factor: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        matrix = np.asarray(self.matrix, dtype=float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"matrix must be square, got shape {matrix.shape}.")
        if not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T):
            raise ValueError("matrix must be symmetric and finite; use (matrix + matrix.T) / 2.")
        try:
            factor = cholesky(matrix, lower=True)
        except np.linalg.LinAlgError as error:
            raise ValueError("matrix must be positive definite; add a small diagonal.") from error
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "_factor", factor)

    @property
    def n_features(self):
        return len(self.matrix)

    def norm(self, v):
        return LpNorm(2).norm(v @ self._factor)

    @property
    def dual(self):
        inverse = cho_solve((self._factor, True), np.eye(self.n_features))
        return MahalanobisNorm((inverse + inverse.T) / 2)

    def worst_case(self, w):
        v = cho_solve((self._factor, True), w)
        return v / max(self.norm(v), np.finfo(float).tiny)

    def to_cvxpy(self, v):
        import cvxpy

        return cvxpy.norm(self._factor.T @ v, 2)

    def reduce(self):
        return LpNorm(2), self._factor


@dataclass(frozen=True, eq=False)
class GroupNorm(Norm):  # numpydoc ignore=PR02
    """Lp norm of the Euclidean norms of groups of features.

    Parameters
    ----------
    groups : array-like of shape (n_features,)
        Label of the group of each feature.
    p : float, default=inf
        Outer norm. With inf every group may be moved by the radius, independently of the others.
    """

    groups: np.ndarray
    p: float = np.inf
    _codes: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        groups = np.asarray(self.groups)
        if groups.ndim != 1 or groups.size == 0:
            raise ValueError(
                f"groups must be one label per feature, got an array of shape {groups.shape}."
            )
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "p", LpNorm(self.p).p)
        object.__setattr__(self, "_codes", np.unique(groups, return_inverse=True)[1])

    @property
    def n_features(self):
        return len(self.groups)

    def group_norms(self, v):
        """Euclidean norm of each group.

        Parameters
        ----------
        v : ndarray of shape (..., n_features)
            Vectors.

        Returns
        -------
        norms : ndarray of shape (..., n_groups)
            In the order of the sorted labels.
        """
        v = np.asarray(v)
        top = np.max(np.abs(v), initial=0.0) or 1.0
        rows = (v.reshape(-1, self.n_features) / top) ** 2
        sums = np.array([np.bincount(self._codes, weights=row) for row in rows])
        return top * np.sqrt(sums).reshape(*v.shape[:-1], -1)

    def spread(self, values):
        """One value per feature from one per group.

        Parameters
        ----------
        values : ndarray of shape (n_groups,)
            In the order of the sorted labels.

        Returns
        -------
        spread : ndarray of shape (n_features,)
            Each feature has the value of its group.
        """
        return values[self._codes]

    def norm(self, v):
        return LpNorm(self.p).norm(self.group_norms(v))

    @property
    def dual(self):
        return GroupNorm(self.groups, LpNorm(self.p).dual.p)

    def worst_case(self, w):
        norms = self.group_norms(w)
        weights = LpNorm(self.p).worst_case(norms)
        return w * (weights / np.where(norms > 0, norms, 1))[self._codes]

    def to_cvxpy(self, v):
        import cvxpy

        parts = [
            cvxpy.norm(v[np.flatnonzero(self._codes == g)], 2) for g in range(self._codes.max() + 1)
        ]
        return LpNorm(self.p).to_cvxpy(cvxpy.hstack(parts))

    @property
    def project(self):
        return self._project if LpNorm(self.p).project else None

    @property
    def project_epigraph(self):
        return self._project_epigraph if LpNorm(self.p).project_epigraph else None

    def _project_epigraph(self, v, t):
        norms = self.group_norms(v)
        nearest, t = LpNorm(self.p).project_epigraph(norms, t)
        return v * (nearest / np.where(norms > 0, norms, 1))[self._codes], t

    def _project(self, v, radius):
        norms = self.group_norms(v)
        kept = LpNorm(self.p).project(norms, radius) / np.where(norms > 0, norms, 1)
        return v * kept[self._codes]


@dataclass(frozen=True, eq=False)
class ScaledNorm(Norm):  # numpydoc ignore=PR02
    """Another norm of the vector times one cost per feature.

    With costs 1/std the attack is measured on standardised features while X stays as it is.

    Parameters
    ----------
    base : Norm, str or float
        Norm of the product; as `norm` of an estimator.
    costs : array-like of shape (n_features,)
        What the attacker pays per unit of each feature; positive and finite. A feature that cannot
        be moved has a large cost.
    """

    base: Norm
    costs: np.ndarray

    def __post_init__(self):
        costs = np.asarray(self.costs, dtype=float)
        if costs.ndim != 1 or not np.all(np.isfinite(costs)) or not np.all(costs > 0):
            raise ValueError(
                "costs must be one finite number > 0 per feature; give an immovable feature a "
                "large cost."
            )
        object.__setattr__(self, "base", check_norm(self.base, len(costs)))
        object.__setattr__(self, "costs", costs)

    @property
    def n_features(self):
        return len(self.costs)

    def norm(self, v):
        return self.base.norm(v * self.costs)

    @property
    def dual(self):
        return ScaledNorm(self.base.dual, 1 / self.costs)

    def worst_case(self, w):
        return self.base.worst_case(w / self.costs) / self.costs

    def to_cvxpy(self, v):
        import cvxpy

        return self.base.to_cvxpy(cvxpy.multiply(self.costs, v))

    def reduce(self):
        base, transform = self.base.reduce()
        if transform is None:
            return base, self.costs
        return base, (self.costs[:, None] if transform.ndim == 2 else self.costs) * transform


@dataclass(frozen=True, eq=False)
class CallableNorm(Norm):  # numpydoc ignore=PR02
    """Attack whose dual norm is a function of yours, written in cvxpy.

    Parameters
    ----------
    function : callable
        Takes a cvxpy expression of shape (n_features,) and returns the convex, even and positively
        homogeneous dual norm of it. Must be importable (not a lambda) for an estimator to be
        pickled.
    polar : bool, default=False
        False: the function is the dual of this norm (the attacker's point of view). True: it is
        this norm itself.

    Examples
    --------
    An attacker who may spend half of the budget in each of two ways:

    >>> import cvxpy, numpy
    >>> from skparietal.norms import CallableNorm
    >>> norm = CallableNorm(lambda w: 0.5 * cvxpy.norm1(w) + 0.5 * cvxpy.norm2(w))
    >>> print(round(norm.dual.norm(numpy.array([3.0, 4.0])), 6))
    6.0
    """

    function: object
    polar: bool = False

    def __post_init__(self):
        if not callable(self.function):
            raise TypeError("function must be callable: cvxpy expression -> cvxpy expression.")

    def expression(self, v):
        """The user's function at a cvxpy expression, checked to be a norm.

        Parameters
        ----------
        v : cvxpy.Expression of shape (n_features,)
            Variable or affine expression.

        Returns
        -------
        value : cvxpy.Expression
            Convex, scalar.

        Raises
        ------
        ValueError
            If cvxpy cannot show that it is convex, or if it is not even or not positively
            homogeneous at a random point.
        """
        import cvxpy

        try:
            expression = self.function(v)
        except Exception as error:
            raise ValueError(f"the norm's function failed in cvxpy: {error}") from error
        if not isinstance(expression, cvxpy.Expression) or not expression.is_convex():
            raise ValueError(f"the norm's function must be convex for cvxpy, got: {expression}")
        probe = np.random.default_rng(0).normal(size=v.shape)
        one, two = (float(self.function(cvxpy.Constant(c * probe)).value) for c in (1.0, -2.0))
        if not one > 0 or not np.isclose(two, 2 * one):
            raise ValueError(
                "the norm's function must be a norm: positive, even and positively homogeneous; "
                f"at a random point f(w) = {one:.6g} and f(-2 w) = {two:.6g}."
            )
        return expression

    def norm(self, v):
        import cvxpy

        v = np.asarray(v, dtype=float)
        rows = v.reshape(-1, v.shape[-1])
        # Once for all rows: a function that is no norm would still have a value.
        self.expression(cvxpy.Variable(v.shape[-1]))
        values = [self._value(row) for row in rows]
        return np.reshape(values, v.shape[:-1])[()]

    def _value(self, v):
        import cvxpy

        if self.polar:
            return float(self.function(cvxpy.Constant(v)).value)
        scale = np.max(np.abs(v))
        if scale == 0:
            return 0.0
        w = cvxpy.Variable(len(v))
        problem = cvxpy.Problem(cvxpy.Maximize((v / scale) @ w), [self.expression(w) <= 1])
        return scale * problem.solve(solver=cvxpy.CLARABEL)

    @property
    def dual(self):
        return CallableNorm(self.function, not self.polar)

    def worst_case(self, w):
        import cvxpy

        if self.polar:
            raise ValueError("the worst case of a norm given by its value is not available.")
        variable = cvxpy.Variable(len(w))
        variable.value = w
        # A subgradient of the dual norm at w is a maximiser of the unit ball.
        gradient = self.expression(variable).grad[variable]
        if gradient is None:
            raise ValueError("cvxpy gives no subgradient of the norm's function at this point.")
        return np.asarray(gradient.todense()).ravel()

    def to_cvxpy(self, v):
        if not self.polar:
            raise ValueError("only the dual of this norm has a cvxpy form.")
        return self.expression(v)


def check_norm(norm, n_features=None):
    """Norm object from the `norm` argument of an estimator.

    Parameters
    ----------
    norm : {"l1", "l2", "linf"}, float or Norm
        A float is the p of an lp norm.
    n_features : int, default=None
        Number of features that the norm must be made for.

    Returns
    -------
    norm : Norm
        The object.

    Raises
    ------
    ValueError
        If the name is unknown, p < 1, or the norm is made for another number of features.
    TypeError
        If the argument is none of the three.
    """
    names = {"l1": 1.0, "l2": 2.0, "linf": np.inf}
    if isinstance(norm, str):
        if norm not in names:
            raise ValueError(f"norm must be one of {sorted(names)}, a number or a Norm: {norm!r}.")
        norm = names[norm]
    if isinstance(norm, Real) and not isinstance(norm, bool):
        norm = LpNorm(norm)
    if not isinstance(norm, Norm):
        raise TypeError(
            "norm must be 'l1', 'l2', 'linf', a number >= 1 or an object of skparietal.norms, got "
            f"{norm!r}."
        )
    if None not in (n_features, norm.n_features) and n_features != norm.n_features:
        raise ValueError(
            f"norm is made for {norm.n_features} features, but X has {n_features} features."
        )
    return norm


def _project_l2(v, radius):
    return v * (radius / max(np.linalg.norm(v), radius, np.finfo(float).tiny))


def _project_linf(v, radius):
    return np.clip(v, -radius, radius)


def _project_l1(v, radius):
    magnitude = np.abs(v)
    if magnitude.sum() <= radius:
        return v
    descending = np.sort(magnitude)[::-1]
    excess = (np.cumsum(descending) - radius) / np.arange(1, len(v) + 1)
    threshold = excess[np.flatnonzero(descending > excess)[-1]] if radius > 0 else descending[0]
    return np.sign(v) * np.maximum(magnitude - threshold, 0)


def _epigraph_l2(v, t):
    length = np.linalg.norm(v)
    if length <= t:
        return v, t
    if length <= -t:
        return np.zeros_like(v), 0.0
    t = (length + t) / 2
    return v * (t / length), t


def _epigraph_l1(v, t):
    """Soft threshold by the amount that t grows."""
    magnitude = np.abs(v)
    if magnitude.sum() <= t:
        return v, t
    descending = np.sort(magnitude)[::-1]
    growth = (np.cumsum(descending) - t) / np.arange(2, len(v) + 2)
    threshold = growth[max(np.count_nonzero(descending > growth) - 1, 0)]
    if threshold >= descending[0]:
        return np.zeros_like(v), max(t, 0.0)
    return np.sign(v) * np.maximum(magnitude - threshold, 0), t + threshold


def _epigraph_linf(v, t):
    """Clip at the mean of t and the magnitudes above it."""
    magnitude = np.abs(v)
    descending = np.sort(magnitude)[::-1]
    if descending[0] <= t:
        return v, t
    means = (t + np.cumsum(descending)) / np.arange(2, len(v) + 2)
    level = max(means[np.count_nonzero(descending > means) - 1], 0.0)
    return np.clip(v, -level, level), level

"""Parametric scaling laws of an error in its sizes: values, derivatives, bounds and starts.

A law sees centred logs of the sizes, z = log(x / x0) with x0 the geometric mean of the data, and
parameters theta that are logs or exponents, so that it is well scaled whatever the units. It is
evaluated for many theta at once: that is what makes a fit from many starts, or of many bootstrap
samples, one vectorised run. The laws with a bend are those of `skparietal.theory.tails` with free
constants.
"""

import numpy as np
from scipy.optimize import nnls
from scipy.special import digamma, gammainc, gammaincc, gammaln
from scipy.stats import qmc

# For the derivative in the order c of a gamma function, which has no closed form: truncation and
# rounding are both about 1e-8.
ORDER_STEP = 3e-8
STEEPEST = 5.0


class OneColumnLaw:
    """Law of one size: log error = log a + shape(z; c, ...), the shape being that of a subclass."""

    names: tuple = ("a", "c")
    # Grid of starts for each parameter of the shape, given the centred log sizes.
    exponents = (0.1, 0.25, 0.5, 1.0)

    def log_value(self, theta, z):
        """Log of the law and its derivatives.

        Parameters
        ----------
        theta : ndarray of shape (n_fits, n_parameters)
            One row per candidate.
        z : ndarray of shape (n_samples, n_columns)
            Centred log sizes.

        Returns
        -------
        value : ndarray of shape (n_fits, n_samples)
            Natural log of the error.
        jacobian : ndarray of shape (n_fits, n_samples, n_parameters)
            Derivatives of value in theta.
        """
        shape, *slopes = self.shape(z[:, 0], *theta[:, 1:].T[:, :, None])
        return theta[:, :1] + shape, np.stack([np.ones_like(shape), *slopes], axis=-1)

    def shape(self, z, c):  # numpydoc ignore=PR01,RT01
        """Power law."""
        return -c * z, np.broadcast_to(-z, (len(c), len(z)))

    def bounds(self, z, log_y):
        """Box for theta.

        Parameters
        ----------
        z, log_y : ndarrays of shape (n_samples, 1) and (n_samples,)
            Data of the fit.

        Returns
        -------
        low, high : ndarrays of shape (n_parameters,)
            Wide enough to bind only where the data leave a parameter open.
        """
        shape = self.shape_bounds(z)
        spread = STEEPEST * np.abs(z).max() + 20
        return np.array([[log_y.min() - spread, log_y.max() + spread], *shape]).T

    def shape_bounds(self, z):  # numpydoc ignore=PR01,RT01
        """Box for the parameters of the shape: here an exponent of either sign."""
        return [(-STEEPEST, STEEPEST)]

    def starts(self, z, log_y, n_starts, rng):
        """Starting points: a grid of shapes, each with its median amplitude.

        Parameters
        ----------
        z, log_y : ndarrays of shape (n_samples, 1) and (n_samples,)
            Data of the fit.
        n_starts : int
            At most so many.
        rng : RandomState
            Not used: the grid is fixed.

        Returns
        -------
        theta : ndarray of shape (<= n_starts, n_parameters)
            Within the bounds.
        """
        grid = np.stack(np.meshgrid(*self.grid(z), indexing="ij"), axis=-1)
        grid = grid.reshape(-1, grid.shape[-1])
        # Evenly thinned, so that fewer starts still cover the whole grid.
        chosen = np.unique(np.linspace(0, len(grid) - 1, min(n_starts, len(grid))).astype(int))
        theta = np.insert(grid[chosen], 0, 0.0, axis=1)
        theta[:, 0] = np.median(log_y - self.log_value(theta, z)[0], axis=1)
        return theta

    def grid(self, z):  # numpydoc ignore=PR01,RT01
        """Values of each parameter of the shape that the starts combine."""
        return [np.array(self.exponents)]

    def natural(self, theta, log_x0):
        """Parameters in the units of the sizes.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Parameters of the centred law.
        log_x0 : ndarray of shape (n_columns,)
            Logs of the geometric means.

        Returns
        -------
        params : dict of str to float or ndarray
            The law's constants by name.
        """
        c = theta[1]
        values = [np.exp(theta[0] + c * log_x0[0]), c, *self.natural_shape(theta[2:], log_x0[0])]
        return {name: float(value) for name, value in zip(self.names, values)}

    def natural_shape(self, shape, log_x0):  # numpydoc ignore=PR01,RT01
        """Parameters of the shape after the exponent; the first one is the log of a size."""
        return np.exp(shape + np.where(np.arange(len(shape)) == 0, log_x0, 0.0))

    def plateau(self, params):
        """Error at infinite size.

        Parameters
        ----------
        params : dict
            As returned by `natural`.

        Returns
        -------
        plateau : float
            Zero when the error goes on falling.
        """
        return 0.0 if params["c"] > 0 else np.inf


class GeneratorLaw(OneColumnLaw):
    """Rows resampled from a generator fitted on T0 rows: a (T0 (1 - exp(-x/T0)))^-c."""

    names: tuple = ("a", "c", "saturation_size")

    def shape(self, z, c, t):  # numpydoc ignore=PR01,RT01
        """Power law of the effective size."""
        u = np.exp(z - t)
        log_size = t + np.log(-np.expm1(-u))
        # u / expm1(u), which is 0 where expm1 overflows.
        return -c * log_size, -log_size, -c * (1 - u / np.expm1(np.minimum(u, 700.0)))

    def shape_bounds(self, z):  # numpydoc ignore=PR01,RT01
        """A falling law that saturates within reach of the data."""
        return [(1e-3, 3.0), (z.min() - 1, z.max() + 5)]

    def grid(self, z):  # numpydoc ignore=PR01,RT01
        """Bends inside and at the end of the data."""
        return [np.array(self.exponents), np.quantile(z, [0.25, 0.5, 0.75, 1.0])]

    def plateau(self, params):  # numpydoc ignore=PR01,RT01
        """Error of the generator."""
        return params["a"] * params["saturation_size"] ** -params["c"]


class CutLaw(GeneratorLaw):
    """Inputs cut at a rank: a (x^-c Q(c, x/T) + T^-c / Gamma(1 + c))."""

    def shape(self, z, c, t):  # numpydoc ignore=PR01,RT01
        """Head that is still learned and tail that is lost, in units of T."""
        u = np.exp(z - t)
        head, head_c, head_u = _upper_term(c, u)
        tail = np.exp(-gammaln(1 + c))
        total = head + tail
        slope_c = (head_c - digamma(1 + c) * tail) / total - t
        return -c * t + np.log(total), slope_c, -c - head_u / total

    def plateau(self, params):  # numpydoc ignore=PR01,RT01
        """Mass of the tail that was cut."""
        scale = np.exp(-gammaln(1 + params["c"]))
        return params["a"] * params["saturation_size"] ** -params["c"] * scale


class MixedLaw(GeneratorLaw):
    """A real share r among cut rows: a (x^-c Q(c, x/T) + (r x)^-c P(c, r x/T))."""

    names = ("a", "c", "saturation_size", "real_fraction")

    def shape(self, z, c, t, log_r):  # numpydoc ignore=PR01,RT01
        """Head learned from all rows, tail learned from the real ones, in units of T."""
        u = np.exp(z - t)
        head, head_c, head_u = _upper_term(c, u)
        tail, tail_c, tail_v = _lower_term(c, u * np.exp(log_r))
        total = head + tail
        value = -c * t + np.log(total)
        slopes = (head_c + tail_c) / total - t, -c - (head_u + tail_v) / total, tail_v / total
        return value, *slopes

    def shape_bounds(self, z):  # numpydoc ignore=PR01,RT01
        """Real shares down to 1e-6."""
        return [*super().shape_bounds(z), (np.log(1e-6), 0.0)]

    def grid(self, z):  # numpydoc ignore=PR01,RT01
        """Fewer exponents and bends, times two real shares."""
        return [np.array([0.2, 0.5]), np.quantile(z, [0.1, 0.3, 0.5, 0.7]), np.log([0.1, 0.003])]

    def plateau(self, params):  # numpydoc ignore=PR01,RT01
        """Real rows mend the tail in the end."""
        return 0.0


def _upper_term(c, u):
    """u^-c Q(c, u) with its derivatives in c and in log u."""
    value, slope = _powered(gammaincc, c, u)
    return value, slope, -c * value - np.exp(-u - gammaln(c))


def _lower_term(c, v):
    """v^-c P(c, v) with its derivatives in c and in log v."""
    value, slope = _powered(gammainc, c, v)
    return value, slope, -c * value + np.exp(-v - gammaln(c))


def _powered(function, c, u):
    """u^-c f(c, u) and its derivative in c."""
    power = u**-c
    here, ahead = function(np.stack([c, c + ORDER_STEP]), u)
    return power * here, power * ((ahead - here) / ORDER_STEP - np.log(u) * here)


class AdditiveLaw:
    """Error e + sum_j a_j x_j^-c_j of one or several sizes.

    With several columns an exponent may be negative: an error that grows with that column, such as
    the number of generations.

    Parameters
    ----------
    n_columns : int
        Number of sizes.
    """

    def __init__(self, n_columns):
        self.n_columns = n_columns
        self.names = ("a", "c", "e")

    def log_value(self, theta, z):  # numpydoc ignore=PR01,RT01
        """Log of the law and its derivatives: see `OneColumnLaw.log_value`."""
        d = self.n_columns
        terms = np.empty((len(theta), len(z), d + 1))
        terms[..., :d] = theta[:, None, :d] - theta[:, None, d : 2 * d] * z
        terms[..., d] = theta[:, -1:]
        top = terms.max(axis=-1, keepdims=True)
        shares = np.exp(terms - top)
        total = shares.sum(axis=-1, keepdims=True)
        shares /= total
        jacobian = np.concatenate([shares[..., :d], -z * shares[..., :d], shares[..., d:]], axis=-1)
        return (top + np.log(total))[..., 0], jacobian

    def bounds(self, z, log_y):  # numpydoc ignore=PR01,RT01
        """Box for theta: see `OneColumnLaw.bounds`."""
        d, lowest, highest = self.n_columns, log_y.min(), log_y.max()
        amplitude = [(lowest - 15, highest + 15)] * d
        exponent = [(1e-3 if d == 1 else -STEEPEST, STEEPEST)] * d
        return np.array([*amplitude, *exponent, (lowest - 15, highest)]).T

    def starts(self, z, log_y, n_starts, rng):  # numpydoc ignore=PR01,RT01
        """Exponents spread over a decade and a half, amplitudes by non-negative least squares.

        The signs of the exponents are those of a log-linear regression.
        """
        d = self.n_columns
        c = 0.05 * 40 ** qmc.Halton(d, seed=rng.randint(2**31 - 1)).random(n_starts)
        if d > 1:
            design = np.column_stack([z, np.ones(len(z))])
            c *= np.where(np.linalg.lstsq(design, log_y)[0][:d] > 0, -1.0, 1.0)
        theta = np.empty((n_starts, 2 * d + 1))
        floor = np.median(log_y) - 7
        for row, exponents in zip(theta, c):
            terms = np.exp(np.column_stack([-exponents * z, np.zeros(len(z))]) - log_y[:, None])
            scale = np.maximum(nnls(terms, np.ones(len(z)))[0], np.exp(floor))
            row[:] = [*np.log(scale[:d]), *exponents, np.log(scale[d])]
        return theta

    def natural(self, theta, log_x0):  # numpydoc ignore=PR01,RT01
        """Parameters in the units of the sizes: see `OneColumnLaw.natural`."""
        d = self.n_columns
        c = theta[d : 2 * d]
        a, e = np.exp(theta[:d] + c * log_x0), float(np.exp(theta[-1]))
        if d == 1:
            return {"a": float(a[0]), "c": float(c[0]), "e": e}
        return {"a": a, "c": c.copy(), "e": e}

    def plateau(self, params):  # numpydoc ignore=PR01,RT01
        """The constant term, or infinity where a term grows: see `OneColumnLaw.plateau`."""
        return params["e"] if np.all(np.asarray(params["c"]) > 0) else np.inf


class CallableLaw:
    """A law of the user's: f(X, theta) > 0 in the units of X, with finite bounds for theta.

    Parameters
    ----------
    function : callable
        Takes X of shape (n_samples, n_columns) and theta of shape (n_parameters,), returns the
        errors, of shape (n_samples,).
    box : array-like of shape (n_parameters, 2)
        Bounds of theta.
    log_x0 : ndarray of shape (n_columns,)
        Logs of the geometric means that z was centred by.
    """

    def __init__(self, function, box, log_x0):
        self.function, self.log_x0 = function, log_x0
        self.low, self.high = np.asarray(box, dtype=float).T
        self.names = tuple(f"theta{i}" for i in range(len(self.low)))

    def _log(self, theta, X):
        value = np.array([self.function(X, row) for row in theta], dtype=float)
        # A law that is not positive somewhere in its box is only very wrong there.
        return np.log(np.maximum(value, np.finfo(float).tiny))

    def log_value(self, theta, z):  # numpydoc ignore=PR01,RT01
        """Log of the law, and central differences: see `OneColumnLaw.log_value`."""
        X = np.exp(z + self.log_x0)
        step = 1e-6 * (self.high - self.low)
        columns = []
        for i, width in enumerate(step):
            move = np.where(np.arange(len(step)) == i, width, 0.0)
            columns.append((self._log(theta + move, X) - self._log(theta - move, X)) / (2 * width))
        return self._log(theta, X), np.stack(columns, axis=-1)

    def bounds(self, z, log_y):  # numpydoc ignore=PR01,RT01
        """The user's box."""
        return self.low, self.high

    def starts(self, z, log_y, n_starts, rng):  # numpydoc ignore=PR01,RT01
        """Halton points of the box, and its centre."""
        unit = qmc.Halton(len(self.low), seed=rng.randint(2**31 - 1)).random(n_starts)
        unit[0] = 0.5
        return self.low + unit * (self.high - self.low)

    def natural(self, theta, log_x0):  # numpydoc ignore=PR01,RT01
        """Parameters by number."""
        return {name: float(value) for name, value in zip(self.names, theta)}

    def plateau(self, params):  # numpydoc ignore=PR01,RT01
        """Not known of an arbitrary function."""
        return np.nan


ONE_COLUMN_LAWS = {
    "power": OneColumnLaw(),
    "power_plateau": AdditiveLaw(1),
    "tail_cut": CutLaw(),
    "finite_generator": GeneratorLaw(),
    "mixed": MixedLaw(),
}

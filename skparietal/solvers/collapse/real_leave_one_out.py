"""Ridge on real and weighted synthetic rows: whole path, leave-one-out error on the real rows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from skparietal.solvers.collapse.mixed_normal_equations import (
    explained_by_cholesky,
    explained_by_rows,
    solve_by_eigenvectors,
    solve_by_rows,
)


@dataclass(frozen=True)
class MixedRows:  # numpydoc ignore=PR02
    """Least-squares statistics of both groups in the eigenbasis of the synthetic scatter.

    The groups are centred each at its own mean when there is an intercept, and the gap between the
    means is kept: then every weight of the synthetic rows is one diagonal change away.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_features)
        Eigenvectors of the synthetic scatter; all other arrays are in these coordinates.
    scatter : ndarray of shape (n_features,)
        Eigenvalues of the synthetic scatter (a sum over rows), exact zeros beyond its rank.
    xx_real : ndarray of shape (n_features, n_features)
        Scatter of the real rows.
    xy_real, xy_synthetic : ndarrays of shape (n_features, n_targets)
        Cross products of each group.
    yy_real, yy_synthetic : ndarrays of shape (n_targets,)
        Squared targets of each group, summed.
    gap_x, gap_y : ndarrays of shape (n_features,) and (n_targets,)
        Mean of the real minus mean of the synthetic rows.
    rows, targets : ndarrays of shape (n_real_rows, n_features) and (n_real_rows, n_targets)
        The real rows, centred.
    row_weight : ndarray of shape (n_real_rows,)
        Their frequencies.
    n_real, n_synthetic : float
        Sums of the frequencies.
    centred : bool
        Whether there is an intercept.
    """

    basis: np.ndarray
    scatter: np.ndarray
    xx_real: np.ndarray
    xy_real: np.ndarray
    xy_synthetic: np.ndarray
    yy_real: np.ndarray
    yy_synthetic: np.ndarray
    gap_x: np.ndarray
    gap_y: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    row_weight: np.ndarray
    n_real: float
    n_synthetic: float
    centred: bool

    @classmethod
    def of(cls, real, synthetic, rows, targets, row_weight, centred):
        """Statistics from the moments of both groups and the real rows themselves.

        Parameters
        ----------
        real, synthetic : Moments
            Of each group; about zero when there is no intercept. synthetic may be None.
        rows, targets : ndarrays of shape (n_real_rows, n_features) and (n_real_rows, n_targets)
            The real rows, not centred.
        row_weight : ndarray of shape (n_real_rows,)
            Their frequencies.
        centred : bool
            Whether the model has an intercept.

        Returns
        -------
        mixed : MixedRows
            In the eigenbasis of the synthetic scatter.
        """
        rows, targets = rows - real.x_mean, targets - real.y_mean
        if synthetic is None:
            n_features, nothing = len(real.x_mean), np.zeros_like(real.xy)
            basis, scatter = np.eye(n_features), np.zeros(n_features)
            gap_x, gap_y = np.zeros(n_features), np.zeros_like(real.y_mean)
            xy_synthetic, yy_synthetic, n_synthetic = nothing, np.zeros_like(real.yy), 0.0
        else:
            scatter, basis = eigh(synthetic.xx, check_finite=False)
            # The usual threshold of numerical rank.
            rounding = len(scatter) * np.finfo(scatter.dtype).eps * max(scatter[-1], 0.0)
            scatter = np.where(scatter > rounding, scatter, 0.0)
            gap_x = basis.T @ (real.x_mean - synthetic.x_mean)
            gap_y = real.y_mean - synthetic.y_mean
            xy_synthetic, yy_synthetic = basis.T @ synthetic.xy, synthetic.yy
            n_synthetic = synthetic.weight
        return cls(
            basis,
            scatter,
            basis.T @ real.xx @ basis,
            basis.T @ real.xy,
            xy_synthetic,
            real.yy,
            yy_synthetic,
            gap_x,
            gap_y,
            rows @ basis,
            targets,
            row_weight,
            real.weight,
            n_synthetic,
            centred,
        )

    def between(self, centre_weight):
        """Weight of the gap between the means when the synthetic mean counts as this many rows.

        Parameters
        ----------
        centre_weight : float
            Number of real rows that the synthetic mean is worth.

        Returns
        -------
        weight : float
            Harmonic combination of both groups; 0 without an intercept.
        """
        if not self.centred:
            return 0.0
        return self.n_real * centre_weight / (self.n_real + centre_weight)

    @property
    def few_rows(self):  # numpydoc ignore=RT01
        """Whether matrices of the size of the real rows are cheaper than those of the features."""
        return 3 * len(self.rows) < len(self.scatter)

    def right_side(self, precision, centre_weight):
        """Weighted cross products of the inputs and the targets.

        Parameters
        ----------
        precision : ndarray of shape (n_features,)
            Weight of the synthetic rows along each eigenvector.
        centre_weight : float
            Number of real rows that the synthetic mean is worth.

        Returns
        -------
        right : ndarray of shape (n_features, n_targets)
            Right side of the normal equations.
        """
        right = self.xy_real + precision[:, None] * self.xy_synthetic
        return right + self.between(centre_weight) * np.outer(self.gap_x, self.gap_y)

    def gram(self, precision, centre_weight):
        """Weighted scatter of the inputs.

        Parameters
        ----------
        precision, centre_weight : ndarray and float
            As in `right_side`.

        Returns
        -------
        gram : ndarray of shape (n_features, n_features)
            Left side of the normal equations, to which the ridge is added.
        """
        gram = self.xx_real + self.between(centre_weight) * np.outer(self.gap_x, self.gap_x)
        gram[np.diag_indices_from(gram)] += self.scatter * precision
        return gram

    def factor(self, centre_weight):
        """Rows whose squares make up the scatter but for the synthetic one.

        Parameters
        ----------
        centre_weight : float
            Number of real rows that the synthetic mean is worth.

        Returns
        -------
        factor : ndarray of shape (n_real_rows + 1, n_features)
            The real rows and, last, the gap between the means.
        """
        gap = np.sqrt(self.between(centre_weight)) * self.gap_x
        return np.vstack([np.sqrt(self.row_weight)[:, None] * self.rows, gap])


class RidgePath(NamedTuple):
    """Ridge fits at all penalties for one weighting of the synthetic rows.

    Attributes
    ----------
    coef : ndarray of shape (n_alphas, n_features, n_targets)
        In the coordinates of the inputs.
    offset : ndarray of shape (n_alphas, n_targets)
        Prediction at the mean of the real rows minus the mean of their targets.
    errors : ndarray of shape (n_alphas, n_real_rows, n_targets)
        Leave-one-out residuals of the real rows, one copy of a row left out.
    loo : ndarray of shape (n_alphas, n_targets)
        Weighted mean of their squares.
    room : ndarray of shape (n_alphas,)
        Weighted mean of 1 - leverage over the real rows: near 0 the fit interpolates them.
    explained : ndarray of shape (n_alphas, n_targets)
        Squares of the targets that the penalised fits explain.
    log_det : ndarray of shape (n_alphas,)
        Logarithm of the determinant of the weighted scatter plus alpha.
    df : ndarray of shape (n_alphas,)
        Degrees of freedom without the intercept.
    """

    coef: np.ndarray
    offset: np.ndarray
    errors: np.ndarray
    loo: np.ndarray
    room: np.ndarray
    explained: np.ndarray
    log_det: np.ndarray
    df: np.ndarray


def ridge_path(mixed, precision, centre_weight, alphas):
    """Solve the ridge at every penalty at once.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    precision : ndarray of shape (n_features,)
        Weight of the synthetic rows along each eigenvector of their scatter.
    centre_weight : float
        Number of real rows that the synthetic mean is worth; the scalar weight times n_synthetic
        for a scalar weight.
    alphas : ndarray of shape (n_alphas,)
        Penalties on scikit-learn's scale, a real row having weight 1.

    Returns
    -------
    path : RidgePath
        Fits and their exact leave-one-out errors.
    """
    total = mixed.n_real + centre_weight
    share = centre_weight / total if mixed.centred else 0.0
    right = mixed.right_side(precision, centre_weight)
    rows = mixed.rows + share * mixed.gap_x
    if mixed.few_rows:
        # rows in terms of the factor's: between = n_real share.
        combination = 1 / np.sqrt(mixed.row_weight), np.sqrt(share / mixed.n_real)
        factor, diagonal = mixed.factor(centre_weight), mixed.scatter * precision
        solution = solve_by_rows(diagonal, factor, right, combination, alphas)
    else:
        gram = mixed.gram(precision, centre_weight)
        solution = solve_by_eigenvectors(gram, right, rows, alphas)

    leverage = solution.leverage + (1 / total if mixed.centred else 0.0)
    residuals = mixed.targets + share * mixed.gap_y - rows @ solution.coef
    # A larger floor would flatter interpolating fits.
    room = np.maximum(1 - leverage, 1e-10)
    errors = residuals / room[:, :, None]
    return RidgePath(
        mixed.basis @ solution.coef,
        share * (mixed.gap_x @ solution.coef - mixed.gap_y),
        errors,
        np.average(errors**2, axis=1, weights=mixed.row_weight),
        np.average(room, axis=1, weights=mixed.row_weight),
        np.sum(right * solution.coef, axis=1),
        solution.log_det,
        solution.df,
    )


def explained_squares(mixed, precision, centre_weight, alpha):
    """Compute what a path holds at one penalty, without its fits.

    Parameters
    ----------
    mixed, precision, centre_weight : MixedRows, ndarray and float
        As in `ridge_path`.
    alpha : float
        Penalty on scikit-learn's scale.

    Returns
    -------
    explained : ndarray of shape (n_targets,)
        Squares of the targets that the penalised fit explains.
    log_det : float
        Logarithm of the determinant of the weighted scatter plus alpha.
    """
    right = mixed.right_side(precision, centre_weight)
    if mixed.few_rows:
        diagonal, factor = mixed.scatter * precision, mixed.factor(centre_weight)
        return explained_by_rows(diagonal, factor, right, alpha)
    return explained_by_cholesky(mixed.gram(precision, centre_weight), right, alpha)


def weighted_path(mixed, weight, alphas):
    """Solve the ridge path for one scalar weight of the synthetic rows.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    weight : float
        Weight of a synthetic row, a real row having 1.
    alphas : ndarray of shape (n_alphas,)
        Penalties on scikit-learn's scale.

    Returns
    -------
    path : RidgePath
        Fits and their exact leave-one-out errors.
    """
    precision = np.full_like(mixed.scatter, weight)
    return ridge_path(mixed, precision, weight * mixed.n_synthetic, alphas)


def pooled_gcv(mixed, path, alphas):
    """Generalised cross-validation on all rows, for the path with weight 1.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    path : RidgePath
        The fits with weight 1.
    alphas : ndarray of shape (n_alphas,)
        Their penalties.

    Returns
    -------
    gcv : ndarray of shape (n_alphas,)
        Summed over the targets.
    """
    n = mixed.n_real + mixed.n_synthetic
    squares = mixed.yy_real + mixed.yy_synthetic
    squares = squares + mixed.between(mixed.n_synthetic) * mixed.gap_y**2
    # The penalty takes alpha |coef|^2 of the squares explained.
    explained = path.explained + alphas[:, None] * np.sum(path.coef**2, axis=1)
    room = np.maximum(1 - (path.df + mixed.centred) / n, 1e-10)
    return np.sum(np.maximum(squares - explained, 0.0), axis=1) / n / room**2


class GuardedChoice(NamedTuple):
    """Weight and penalty of the least leave-one-out error, or the reference.

    Attributes
    ----------
    weight : float
        Of the synthetic rows.
    alpha : float
        Penalty on scikit-learn's scale.
    coef : ndarray of shape (n_features, n_targets)
        The chosen fit.
    offset : ndarray of shape (n_targets,)
        Its prediction at the mean of the real rows minus the mean of their targets.
    gain : float
        Mean squared leave-one-out error of the reference minus that of the best candidate, summed
        over the targets.
    guarded : bool
        Whether the reference was kept.
    """

    weight: float
    alpha: float
    coef: np.ndarray
    offset: np.ndarray
    gain: float
    guarded: bool


def guarded_choice(mixed, paths, weights, alphas, guard):
    """Choose by leave-one-out error unless its gain over fitting all rows alike is within noise.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    paths : list of RidgePath
        One per weight.
    weights : ndarray of shape (n_weights,)
        Candidate weights of the synthetic rows.
    alphas : ndarray of shape (n_alphas,)
        Candidate penalties.
    guard : float
        Standard errors of the paired gain that the best candidate must win by. The reference is
        weight 1 with the penalty of generalised cross-validation on all rows, what
        :class:`~sklearn.linear_model.RidgeCV` gives.

    Returns
    -------
    choice : GuardedChoice
        Its gain is 0 when there are no synthetic rows.
    """
    loo = np.array([path.loo.sum(axis=1) for path in paths])
    room = np.array([path.room for path in paths])
    # Leave-one-out of a nearly interpolating fit is too noisy to be chosen by.
    admissible = room >= 0.2
    i, j = best_pair(loo, admissible)
    best = paths[i]
    if mixed.n_synthetic == 0:
        return _chosen(weights[i], alphas[j], best, j, 0.0, False)
    reference = weighted_path(mixed, 1.0, alphas)
    k = int(np.argmin(pooled_gcv(mixed, reference, alphas)))
    gains = np.sum(reference.errors[k] ** 2 - best.errors[j] ** 2, axis=1)
    gain = float(np.average(gains, weights=mixed.row_weight))
    spread = np.average((gains - gain) ** 2, weights=mixed.row_weight)
    # n - 1: the variance of a sample; n: of its mean.
    standard_error = np.sqrt(spread / max(mixed.n_real - 1, 1e-10))
    if np.isfinite(guard) and gain > guard * standard_error:
        return _chosen(weights[i], alphas[j], best, j, gain, False)
    return _chosen(1.0, alphas[k], reference, k, gain, True)


def _chosen(weight, alpha, path, j, gain, guarded):
    return GuardedChoice(float(weight), float(alpha), path.coef[j], path.offset[j], gain, guarded)


def best_pair(criterion, admissible):
    """Position of the least value among the admissible ones, or among all if there are none.

    Parameters
    ----------
    criterion : ndarray
        Values to minimise.
    admissible : ndarray of bool
        Of the same shape.

    Returns
    -------
    position : tuple of int
        Index of the minimum.
    """
    if admissible.any():
        criterion = np.where(admissible, criterion, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmin(criterion), criterion.shape))

"""A ridge problem in its own eigenbasis: fits, degrees of freedom and GCV of a whole path."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RidgeSpectrum:  # numpydoc ignore=PR02
    """What the risk of ridge regression depends on, in O(rank) numbers.

    All ridges here are on the mean squared loss: lam = alpha / n_samples. Methods take lam of shape
    (n_alphas,) and broadcast.

    Parameters
    ----------
    n_samples : float
        Rows (sum of the frequency weights), T.
    eigenvalues : ndarray of shape (rank,)
        Positive eigenvalues of X'X/T (equally of the kernel over T).
    signal : ndarray of shape (rank, n_targets)
        Coordinates of y/sqrt(T) in the left singular basis of X.
    rest : ndarray of shape (n_targets,)
        Mean squared part of y that no coefficients can reach, >= 0.
    n_free : int
        Unpenalised coefficients: 1 with an intercept, else 0.
    """

    n_samples: float
    eigenvalues: np.ndarray
    signal: np.ndarray
    rest: np.ndarray
    n_free: int

    @classmethod
    def of_moments(cls, moments, n_free):
        """Spectrum and right singular basis from the moments of a table.

        Parameters
        ----------
        moments : Moments
            Centred when there is an intercept, else about the origin.
        n_free : int
            1 with an intercept, else 0.

        Returns
        -------
        spectrum : RidgeSpectrum
            Of the rows behind the moments.
        basis : ndarray of shape (n_features, rank)
            Right singular vectors: coef = basis @ spectrum.coordinates(lam).
        """
        T = moments.weight
        values, basis = np.linalg.eigh(moments.xx)
        keep = values > len(values) * np.finfo(values.dtype).eps * max(values[-1], 0)
        values, basis = values[keep].astype(float), basis[:, keep]
        signal = (basis.T @ moments.xy) / np.sqrt(values[:, None]) / np.sqrt(T)
        return cls._of(T, values / T, signal, moments.yy / T, n_free), basis

    @classmethod
    def of_kernel(cls, eigenvalues, eigenvectors, y, n_samples, n_free):
        """Spectrum from the eigenvectors of a kernel of the rows.

        Parameters
        ----------
        eigenvalues : ndarray of shape (rank,)
            Positive eigenvalues of the kernel scaled by the roots of the weights.
        eigenvectors : ndarray of shape (n_rows, rank)
            The matching vectors.
        y : ndarray of shape (n_rows, n_targets)
            Targets (centred when there is an intercept) times the roots of the weights.
        n_samples : float
            Sum of the weights.
        n_free : int
            1 with an intercept, else 0.

        Returns
        -------
        spectrum : RidgeSpectrum
            Of the rows.
        """
        T = float(n_samples)
        signal = (eigenvectors.T @ y) / np.sqrt(T)
        power = np.einsum("ij,ij->j", y, y) / T
        return cls._of(T, eigenvalues.astype(float) / T, signal, power, n_free)

    @classmethod
    def _of(cls, T, eigenvalues, signal, power, n_free):
        # What rounding leaves of a residual is below this power of the precision, relative to y.
        rounding = np.finfo(signal.dtype).eps ** (2 / 3)
        signal, power = signal.astype(float), power.astype(float)
        rest = power - np.sum(signal**2, axis=0)
        # GCV would magnify rounding where every row can be fitted.
        fits_every_row = eigenvalues.size + n_free >= T
        rest = np.where((rest > rounding * power) & (not fits_every_row), rest, 0.0)
        return cls(T, eigenvalues, signal, rest, n_free)

    @property
    def n_rest(self):
        """Rows that are left when every direction is fitted.

        Returns
        -------
        n_rest : float
            At least 0.
        """
        return max(self.n_samples - self.eigenvalues.size - self.n_free, 0.0)

    def shrinkage(self, lam):
        """Factors by which the fitted values shrink.

        Parameters
        ----------
        lam : ndarray of shape (n_alphas,)
            Ridges.

        Returns
        -------
        factors : ndarray of shape (n_alphas, rank)
            ev / (ev + lam).
        """
        return self.eigenvalues / (self.eigenvalues + np.asarray(lam)[..., None])

    def coordinates(self, lam):
        """Coefficients of one fit in the right singular basis.

        Parameters
        ----------
        lam : float
            Ridge.

        Returns
        -------
        coordinates : ndarray of shape (rank, n_targets)
            Coefficients.
        """
        return self.signal * (np.sqrt(self.eigenvalues) / (self.eigenvalues + lam))[:, None]

    def residual_share(self, lam):
        """One minus the degrees of freedom (free coefficients too) over the rows.

        Parameters
        ----------
        lam : ndarray of shape (n_alphas,)
            Ridges.

        Returns
        -------
        share : ndarray of shape (n_alphas,)
            The g of GCV, positive for lam > 0.
        """
        # Not 1 - df1/T, which cancels when every row is fitted.
        unshrunk = np.sum(1 - self.shrinkage(lam), axis=-1)
        return (self.n_rest + unshrunk) / self.n_samples

    def gcv(self, lam):
        """Generalised cross-validation: estimated error on new noisy labels, squared, per sample.

        Parameters
        ----------
        lam : ndarray of shape (n_alphas,)
            Ridges.

        Returns
        -------
        error : ndarray of shape (n_alphas, n_targets)
            One per target.
        """
        return self.gcv_of_energy(lam, self.signal**2, self.rest)

    def gcv_of_energy(self, lam, energy, rest):
        """GCV of given squared coordinates in place of those that were observed.

        Parameters
        ----------
        lam : ndarray of shape (n_alphas,)
            Ridges.
        energy : ndarray of shape (rank, n_targets)
            Squared coordinates of y/sqrt(T).
        rest : ndarray of shape (n_targets,)
            Mean squared part out of reach.

        Returns
        -------
        error : ndarray of shape (n_alphas, n_targets)
            One per target.
        """
        training_error = (1 - self.shrinkage(lam)) ** 2 @ energy + rest
        return training_error / self.residual_share(lam)[..., None] ** 2

    def effective_ridge(self, lam):
        """Effective ridge on the population covariance, estimated without knowing it.

        Parameters
        ----------
        lam : ndarray of shape (n_alphas,)
            Ridges.

        Returns
        -------
        kappa : ndarray of shape (n_alphas,)
            lam / residual_share.
        """
        return lam / self.residual_share(lam)

"""Risk of a linear predictor under attack, as a function of its clean error and its dual norm."""

from dataclasses import dataclass

import numpy as np

# E|N(0, 1)|: how much of the clean error meets the attack on average.
SQRT_2_PI = float(np.sqrt(2 / np.pi))

# Largest risk of a surrogate minimiser over the optimum, for every norm, in the population.
SURROGATE_CONSTANT = 2 / (1 + SQRT_2_PI)


@dataclass(frozen=True)
class GaussianRisk:  # numpydoc ignore=PR02
    """Adversarial mean squared error of a linear predictor whose residual is Gaussian.

    With clean root mean squared error s and dual norm b of the coefficients, an attack of size r
    costs s^2 + r^2 b^2 + 2 sqrt(2/pi) r s b. In squared units of y, per sample.

    Parameters
    ----------
    radius : float or ndarray
        Size r >= 0 of the attack, in the units of X.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023
    (the setting); the formula is derived from the folded normal mean.
    """

    radius: float

    def value(self, clean, dual):
        """Risk.

        Parameters
        ----------
        clean : float or ndarray
            Root mean squared error s without an attack.
        dual : float or ndarray
            Dual norm b of the coefficients.

        Returns
        -------
        risk : float or ndarray
            In squared units of y.
        """
        attack = self.radius * dual
        return (clean + SQRT_2_PI * attack) ** 2 + (1 - SQRT_2_PI**2) * attack**2

    def slopes(self, clean, dual):
        """Partial derivatives in s and in b.

        Parameters
        ----------
        clean, dual : float or ndarray
            As in `value`.

        Returns
        -------
        clean_slope, dual_slope : float or ndarray
            Both non-negative: the risk grows in either.
        """
        r = self.radius
        return 2 * clean + 2 * SQRT_2_PI * r * dual, 2 * r**2 * dual + 2 * SQRT_2_PI * r * clean

    def optimal_radius(self, clean, dual, multiplier):
        """Attack size for which a Pareto point of (s, b) is the minimiser.

        Parameters
        ----------
        clean, dual : float or ndarray
            As in `value`, at the point.
        multiplier : float or ndarray
            Price of the norm there: minus the derivative of s^2/2 in b along the frontier.

        Returns
        -------
        radius : float or ndarray
            Positive root of b r^2 + c (s - e b) r - e s = 0, where e = multiplier / s and
            c = sqrt(2/pi).
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            price = multiplier / clean
            half = SQRT_2_PI * (clean - price * dual)
            root = np.sqrt(half**2 + 4 * dual * price * clean)
            # Two forms of one root: the first loses digits when half < 0, the second when b -> 0.
            return np.where(
                half >= 0, 2 * price * clean / (half + root), (root - half) / (2 * dual)
            )

    def at_zero(self, steepness):
        """Smallest attack size whose minimiser is zero.

        Parameters
        ----------
        steepness : float
            Attack norm of the gradient of s at zero.

        Returns
        -------
        radius : float
            Collapse radius.
        """
        return steepness / SQRT_2_PI

    def at_center(self, steepness):
        """Largest attack size whose minimiser has no clean error.

        Parameters
        ----------
        steepness : float
            Least attack norm of a gradient of s at the center, where s = 0 is a kink.

        Returns
        -------
        radius : float
            Free radius.
        """
        return steepness * SQRT_2_PI


@dataclass(frozen=True)
class SurrogateRisk:  # numpydoc ignore=PR02
    """Convex surrogate s + r b of the root of the adversarial risk.

    Its square is at least the Gaussian risk and at most 2 / (1 + sqrt(2/pi)) = 1.1124 times it, so
    that its population minimiser is within 1.1124 of the optimum for every norm.

    Parameters
    ----------
    radius : float or ndarray
        Size r >= 0 of the attack, in the units of X.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023
    (the constant is in the abstract).
    """

    radius: float

    def value(self, clean, dual):
        """Surrogate.

        Parameters
        ----------
        clean, dual : float or ndarray
            Root mean squared error s without an attack and dual norm b of the coefficients.

        Returns
        -------
        risk : float or ndarray
            In the units of y.
        """
        return clean + self.radius * dual

    def slopes(self, clean, dual):
        """Partial derivatives in s and in b.

        Parameters
        ----------
        clean, dual : float or ndarray
            As in `value`.

        Returns
        -------
        clean_slope, dual_slope : float
            One and the radius.
        """
        return 1.0, self.radius

    def optimal_radius(self, clean, dual, multiplier):
        """Attack size for which a Pareto point of (s, b) is the minimiser.

        Parameters
        ----------
        clean, dual : float or ndarray
            As in `value`, at the point.
        multiplier : float or ndarray
            Price of the norm there: minus the derivative of s^2/2 in b along the frontier.

        Returns
        -------
        radius : float or ndarray
            The multiplier over s.
        """
        return multiplier / clean

    def at_zero(self, steepness):
        """Smallest attack size whose minimiser is zero.

        Parameters
        ----------
        steepness : float
            Attack norm of the gradient of s at zero.

        Returns
        -------
        radius : float
            Collapse radius.
        """
        return steepness

    def at_center(self, steepness):
        """Largest attack size whose minimiser has no clean error.

        Parameters
        ----------
        steepness : float
            Least attack norm of a gradient of s at the center, where s = 0 is a kink.

        Returns
        -------
        radius : float
            Free radius.
        """
        return steepness


def worst_case_residual(residual, dual, radius):
    """Largest absolute residual that an attack can reach: |residual| + radius dual.

    Exact for every linear predictor and every symmetric norm.

    Parameters
    ----------
    residual : ndarray
        Target minus prediction.
    dual : float or ndarray
        Dual norm of the coefficients.
    radius : float
        Size of the attack.

    Returns
    -------
    residual : ndarray
        Non-negative, in the units of y.
    """
    return np.abs(residual) + radius * dual

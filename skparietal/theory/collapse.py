"""Risk of ridge regression on labels made by a chain of fitted models, and its power laws."""

from typing import NamedTuple

import numpy as np

from skparietal.spectrum import check_spectrum, degrees_of_freedom, effective_ridge, ridge_chain


class RiskParts(NamedTuple):
    """Excess risk E ||w_hat - w||^2_Sigma and its parts, per sample and squared.

    Attributes
    ----------
    total : ndarray
        Risk on the labels of the chain.
    clean : ndarray
        What the same ridge would have on labels of the truth: bias + variance.
    bias : ndarray
        Squared bias of the clean fit.
    variance : ndarray
        Variance of the clean fit.
    collapse : ndarray
        What the chain adds: total - clean.

    Examples
    --------
    >>> from skparietal.theory import collapse_risk
    >>> parts = collapse_risk([1.0, 0.5], [1.0, 1.0], 50, 0.1, 0.25)
    >>> float(parts.collapse)
    0.0
    """

    total: np.ndarray
    clean: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    collapse: np.ndarray


def _check_problem(spectrum, coef):
    spectrum, coef = check_spectrum(spectrum), np.asarray(coef, dtype=float)
    if coef.shape != spectrum.shape:
        raise ValueError(
            f"coef must have the shape of spectrum, {spectrum.shape}; got {coef.shape}."
        )
    return spectrum[spectrum > 0], coef[spectrum > 0]


def _rows_left(spectrum, kappa, n_samples, lam):
    """Rows minus second degrees of freedom; exact for unpenalised Gaussian least squares."""
    if lam == 0 and n_samples >= spectrum.size:
        if n_samples < spectrum.size + 2:
            raise ValueError(
                f"generator_n_samples={n_samples} with generator_lam=0 and {spectrum.size} features"
                " of positive variance has infinite risk; use at least two rows more than "
                "features, fewer rows than features, or generator_lam > 0."
            )
        return n_samples - spectrum.size - 1
    return n_samples - degrees_of_freedom(spectrum, kappa)[1]


def chain_moments(
    spectrum,
    coef,
    n_generations,
    generator_n_samples,
    generator_lam=0.0,
    generator_noise_variance=0.0,
):
    """Mean and second moment of the coefficients after a chain of ridge fits.

    Generation k draws fresh Gaussian rows, labels them with the fit of generation k - 1 plus noise,
    and fits a ridge (the minimum-norm least squares when generator_lam is 0).

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance of the rows.
    coef : array-like of shape (n_features,)
        True coefficients in the eigenbasis.
    n_generations : int
        Number of fits in the chain, >= 0.
    generator_n_samples : int
        Rows of each fit.
    generator_lam : float, default=0.0
        Ridge of each fit on the mean squared loss (scikit-learn's alpha over its rows).
    generator_noise_variance : float, default=0.0
        Variance of the noise added to each generation's labels.

    Returns
    -------
    mean, second_moment : ndarray of shape (n_features,)
        E w and E w^2 per direction; coef and coef^2 where the eigenvalue is zero become 0.

    Raises
    ------
    ValueError
        If spectrum or coef is malformed, or an unpenalised generator has as many rows as features
        or one more (infinite risk).

    Notes
    -----
    Derived here, for any number of rows and any ridge (deterministic equivalent; exact in the mean
    for least squares with at least n_features + 2 rows). The chain is that of [1]_.

    References
    ----------
    .. [1] Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.theory import chain_moments
    >>> mean, second_moment = chain_moments(np.ones(100), np.full(100, 0.1), 3, 50)
    >>> print(mean[:1] / 0.1)  # half the rows: half the signal is lost per generation
    [0.125]
    """
    full = check_spectrum(spectrum)
    spectrum, coef = _check_problem(full, coef)
    kappa = effective_ridge(spectrum, generator_lam, generator_n_samples)
    moments = ridge_chain(
        coef,
        coef**2,
        spectrum,
        kappa,
        _rows_left(spectrum, kappa, generator_n_samples, generator_lam),
        generator_noise_variance,
        n_generations,
    )
    mean, second_moment = np.zeros((2, full.size))
    mean[full > 0], second_moment[full > 0] = moments
    return mean, second_moment


def collapse_risk(
    spectrum,
    coef,
    n_samples,
    lam,
    noise_variance,
    n_generations=0,
    generator_n_samples=None,
    generator_lam=0.0,
    generator_noise_variance=None,
):
    """Excess risk of ridge regression on labels made by a chain of ridge fits.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the covariance of the rows.
    coef : array-like of shape (n_features,)
        True coefficients in the eigenbasis.
    n_samples : int
        Rows of the final fit.
    lam : float or array-like
        Ridge of the final fit on the mean squared loss (scikit-learn's alpha over n_samples).
    noise_variance : float
        Variance of the label noise of the final fit.
    n_generations : int, default=0
        Fits between the truth and the labels; 0 is clean data.
    generator_n_samples : int, default=None
        Rows of each of them; None means n_samples.
    generator_lam : float, default=0.0
        Their ridge on the mean squared loss; 0 is minimum-norm least squares.
    generator_noise_variance : float, default=None
        Variance of their label noise; None means noise_variance.

    Returns
    -------
    parts : RiskParts
        Each of the shape of lam.

    Raises
    ------
    ValueError
        If the input is malformed, or the risk is infinite: an unpenalised generator with as many
        rows as features or one more, or lam=0 with n_samples equal to the number of features.

    Notes
    -----
    The setting and, for least-squares generators, the form bias + variance + growth linear in the
    number of generations are those of [1]_ (its Theorem 4.1); the unified formula for any rows and
    any ridge was derived here. Deterministic equivalent: within 4 % of simulations at 100 features.

    References
    ----------
    .. [1] Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.theory import collapse_risk
    >>> parts = collapse_risk(np.ones(50), np.full(50, 0.1), 200, [0.1, 1.0], 0.25, n_generations=5)
    >>> print(parts.total.round(3))
    [0.4   0.263]
    """
    spectrum, coef = _check_problem(spectrum, coef)
    mean, second_moment = coef, coef**2
    if n_generations:
        mean, second_moment = chain_moments(
            spectrum,
            coef,
            n_generations,
            n_samples if generator_n_samples is None else generator_n_samples,
            generator_lam,
            noise_variance if generator_noise_variance is None else generator_noise_variance,
        )
    kappa = effective_ridge(spectrum, lam, n_samples)
    dof = n_samples - degrees_of_freedom(spectrum, kappa)[1]
    if np.any(dof <= 1e-9 * n_samples):
        raise ValueError(
            f"lam=0 with n_samples={n_samples}, the number of features of positive variance, has "
            "infinite risk; use lam > 0."
        )
    bias = _squared_bias(spectrum, coef**2, kappa, n_samples / dof)
    variance = noise_variance * (n_samples / dof - 1)
    total = (
        np.sum(spectrum * (second_moment - 2 * mean * coef + coef**2))
        - 2 * _shrunk_cross(spectrum, second_moment - mean * coef, kappa)
        + _squared_bias(spectrum, second_moment, kappa, n_samples / dof)
        + variance
    )
    return RiskParts(total, bias + variance, bias, variance, total - bias - variance)


def _squared_bias(spectrum, second_moment, kappa, inflation):
    kappa = np.asarray(kappa)[..., None]
    return inflation * np.sum(second_moment * spectrum * (kappa / (spectrum + kappa)) ** 2, axis=-1)


def _shrunk_cross(spectrum, product, kappa):
    kappa = np.asarray(kappa)[..., None]
    return np.sum(product * spectrum * kappa / (spectrum + kappa), axis=-1)


def ridgeless_collapse_risk(
    n_features,
    n_samples,
    noise_variance,
    n_generations,
    generator_n_samples,
    generator_noise_variance=None,
    exact=True,
):
    """Excess risk of least squares on labels made by a chain of least-squares fits.

    Parameters
    ----------
    n_features : int
        Features, of any non-singular covariance.
    n_samples : int
        Rows of the final fit, at least n_features + 2.
    noise_variance : float
        Variance of the label noise of the final fit.
    n_generations : int
        Fits between the truth and the labels, >= 0.
    generator_n_samples : int
        Rows of each of them, at least n_features + 2.
    generator_noise_variance : float, default=None
        Variance of their label noise; None means noise_variance.
    exact : bool, default=True
        Gaussian rows of this number, or the proportional limit of many features and rows.

    Returns
    -------
    risk : float
        E ||w_hat - w||^2_Sigma, per sample and squared.

    Raises
    ------
    ValueError
        If there are fewer than n_features + 2 rows in either place (infinite or other risk).

    References
    ----------
    Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.

    Examples
    --------
    >>> from skparietal.theory import ridgeless_collapse_risk
    >>> print(round(ridgeless_collapse_risk(40, 100, 0.5, 5, 80), 3))  # 20/59 + 5 * 20/39
    2.903
    """
    if generator_noise_variance is None:
        generator_noise_variance = noise_variance
    for name, rows in (("n_samples", n_samples), ("generator_n_samples", generator_n_samples)):
        if rows < n_features + 2:
            raise ValueError(
                f"{name}={rows} must be at least n_features + 2 = {n_features + 2}; "
                "collapse_risk also covers fewer rows."
            )
    own, inherited = n_samples - n_features, generator_n_samples - n_features
    if exact:
        own, inherited = own - 1, inherited - 1
    return n_features * (
        noise_variance / own + n_generations * generator_noise_variance / inherited
    )


def power_law_exponents(capacity, source, b=1.0, a=0.0):
    """Best exponents of the ridge and of the risk on power-law problems.

    The problem has eigenvalues k^-capacity and coefficients w_k with w_k^2 s_k = k^-(1 + 2 capacity
    source) (see :func:`skparietal.spectrum.power_law_problem`); the ridge is n_samples^-l, the
    generators have n_samples^b rows, and there are n_samples^a of them.

    Parameters
    ----------
    capacity : float
        Decay of the spectrum, > 1.
    source : float
        Smoothness of the target, > 0; ridge cannot use more than 1.
    b : float, default=1.0
        Exponent of the generators' rows.
    a : float, default=0.0
        Exponent of the number of generations; 0 is a fixed number. Below b.

    Returns
    -------
    exponents : dict of float
        l_crit and l_star: exponents of the best ridge for clean and for synthetic labels.
        clean_rate, collapsed_rate, naive_rate: the risk falls as n_samples to minus this power with
        clean labels, with l_star, and with l_crit in spite of the synthetic labels. A negative
        naive_rate is an error that grows with the data.

    Raises
    ------
    ValueError
        If capacity <= 1, source <= 0 or a >= b.

    References
    ----------
    Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024 (the regime of
    its Theorem 5.1; the exponents were derived again here).

    Examples
    --------
    >>> from skparietal.theory import power_law_exponents
    >>> exponents = power_law_exponents(capacity=1.5, source=0.375, b=0.75)
    >>> {name: round(value, 3) for name, value in exponents.items()}
    {'l_crit': 0.706, 'l_star': 0.529,
     'clean_rate': 0.529, 'collapsed_rate': 0.397, 'naive_rate': 0.279}
    """
    if capacity <= 1 or source <= 0:
        raise ValueError(
            f"capacity must be > 1 and source > 0, got capacity={capacity}, source={source}."
        )
    if a >= b:
        raise ValueError(
            f"a must be below b (fewer generations than each has rows), got a={a}, b={b}."
        )
    smoothness = 2 * capacity * min(source, 1.0)
    l_crit = capacity / (1 + smoothness)
    clean_rate = smoothness / (1 + smoothness)
    slowdown = min(1.0, b - a)
    return {
        "l_crit": l_crit,
        "l_star": slowdown * l_crit,
        "clean_rate": clean_rate,
        "collapsed_rate": slowdown * clean_rate,
        "naive_rate": min(clean_rate, b - a - l_crit / capacity),
    }


def fit_power_law(spectrum, coef, n_leading=None):
    """Capacity and source of a problem, read off its spectrum.

    Parameters
    ----------
    spectrum : array-like of shape (n_features,)
        Eigenvalues of the (sample) covariance, in any order.
    coef : array-like of shape (n_features,)
        Coefficients in the same eigenbasis, true or fitted.
    n_leading : int, default=None
        Use the largest eigenvalues only, where a sample's are trustworthy; None means all.

    Returns
    -------
    capacity, source : float
        Least-squares slopes on logarithmic scales: eigenvalues against rank, and w_k^2 s_k against
        rank, whose slope is -(1 + 2 capacity source).

    Raises
    ------
    ValueError
        If fewer than three directions have a positive eigenvalue and a coefficient other than 0.

    Examples
    --------
    >>> from skparietal.spectrum import power_law_problem
    >>> from skparietal.theory import fit_power_law
    >>> capacity, source = fit_power_law(*power_law_problem(300, capacity=1.5, source=0.4))
    >>> print(round(capacity, 6), round(source, 6))
    1.5 0.4
    """
    spectrum, coef = _check_problem(spectrum, coef)
    order = np.argsort(-spectrum)[:n_leading]
    energy = spectrum[order] * coef[order] ** 2
    used = energy > 0
    if np.sum(used) < 3:
        raise ValueError(
            "spectrum and coef must hold at least three directions with a positive eigenvalue and "
            "a coefficient other than 0 (raise n_leading)."
        )
    log_rank = np.log(np.arange(1, order.size + 1))[used]
    capacity = -np.polyfit(log_rank, np.log(spectrum[order][used]), 1)[0]
    slope = np.polyfit(log_rank, np.log(energy[used]), 1)[0]
    return capacity, (-slope - 1) / (2 * capacity)


def power_law_alpha(
    n_samples, capacity, source, n_generations=0, generator_n_samples=None, scale=1.0
):
    """Adaptive regularisation of the power-law theory: alpha = n_samples^(1 - l_star) scale.

    The rule of [1]_, lam = T^-l_star: knowing how fast the spectrum and the target decay, and how
    the generators' rows and number compare with n_samples, regularise more than clean data would
    ask for. It fixes the exponent, not the constant; :class:`skparietal.AdaptiveRidgeCollapse`
    finds alpha from the data.

    Parameters
    ----------
    n_samples : int
        Rows of the fit, T >= 2.
    capacity, source : float
        Power laws of the problem, known or from :func:`fit_power_law`.
    n_generations : int, default=0
        Fits between the truth and the labels; 0 is the rule for clean data.
    generator_n_samples : int, default=None
        Rows of each of them; None means n_samples.
    scale : float, default=1.0
        Largest eigenvalue of the covariance.

    Returns
    -------
    alpha : float
        For scikit-learn's Ridge (a penalty on the sum, not the mean, of the squared errors).

    Raises
    ------
    ValueError
        If n_samples < 2, the power laws are out of range, or there are as many generations as each
        has rows.

    References
    ----------
    .. [1] Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.

    Examples
    --------
    >>> from skparietal.theory import power_law_alpha
    >>> print(round(power_law_alpha(1000, 1.5, 0.375, n_generations=5, generator_n_samples=200), 1))
    74.0
    """
    if n_samples < 2:
        raise ValueError(f"n_samples must be at least 2, got {n_samples}.")
    b, a = 1.0, 0.0
    if n_generations:
        rows = n_samples if generator_n_samples is None else generator_n_samples
        b, a = np.log([rows, n_generations]) / np.log(n_samples)
    exponent = power_law_exponents(capacity, source, b, a)["l_star"]
    return float(scale * n_samples ** (1 - exponent))

"""Estimated risk of a ridge path whose labels carry the errors of a chain of fitted models."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from skparietal.spectrum import ridge_chain

# Prior of the coefficients: w_i^2 ~ ev_i^a, each a of this grid weighted by a normal density.
EXPONENTS = np.array([-0.75, -0.5, -0.25, 0.0, 0.25, 0.5])
# Signal over noise of clean labels; the prior is uniform in the share of explained variance.
ODDS = np.logspace(-4, 14, 73)


class Chain(NamedTuple):
    """How the labels were made.

    Attributes
    ----------
    n_generations : int
        Fits between the truth and the labels.
    n_samples : float
        Rows of each of them.
    lam : float
        Their ridge on the mean squared loss.
    n_features : float
        Dimension of the problem; infinite for a kernel whose rank the rows do not exhaust.
    noise_variance : float, default=None
        Variance of their label noise; None means that of the rows at hand.
    inflation : float, default=1.0
        Factor on the error they hand on, for rows of uneven leverage.
    """

    n_generations: int
    n_samples: float
    lam: float
    n_features: float
    noise_variance: float | None = None
    inflation: float = 1.0


class Generator(NamedTuple):
    """Effective ridge of a generator, as the rows at hand show it.

    Attributes
    ----------
    kappa : float
        Effective ridge; 0 for least squares with more rows than features.
    df1 : float
        Degrees of freedom at kappa.
    dof : float
        Rows minus second degrees of freedom; the exact mean of least squares where kappa is 0.
    """

    kappa: float
    df1: float
    dof: float


class CorrectedRisk(NamedTuple):
    """Criterion of each ridge and what it is made of; per sample and squared.

    Attributes
    ----------
    criterion : ndarray of shape (n_alphas, n_targets)
        Estimated risk plus a constant.
    risk : ndarray of shape (n_alphas, n_targets)
        Estimated excess risk E ||w_hat - w||^2.
    noise_variance : ndarray of shape (n_targets,)
        Of the rows at hand.
    generator_noise_variance : ndarray of shape (n_targets,)
        Of the generators' rows.
    generator_error : ndarray of shape (n_targets,)
        Excess risk of the labels' own coefficients.
    """

    criterion: np.ndarray
    risk: np.ndarray
    noise_variance: np.ndarray
    generator_noise_variance: np.ndarray
    generator_error: np.ndarray


class _Posterior(NamedTuple):
    """Posterior means: variance per exponent of the prior, noise, and the generators' noise."""

    signal: np.ndarray
    noise: float
    generator_noise: float


def match_generator(spectrum, chain):
    """Read a generator's effective ridge off the spectrum of the rows at hand.

    Solves kappa(lam') (1 - df1(lam') / T0) = lam0 for lam', with kappa and df1 estimated from the
    sample: the population covariance is not needed.

    Parameters
    ----------
    spectrum : RidgeSpectrum
        Rows at hand.
    chain : Chain
        Generators of T0 rows and ridge lam0.

    Returns
    -------
    generator : Generator
        Of least squares where lam0 is 0 and T0 exceeds the features.
    """
    if chain.lam == 0 and chain.n_samples > chain.n_features:
        dof = chain.n_samples - chain.n_features - 1 - spectrum.n_free
        return Generator(0.0, chain.n_features, dof)

    if not spectrum.eigenvalues.size:
        return Generator(chain.lam, 0.0, chain.n_samples)
    lam = _matched_ridge(spectrum, chain)
    shrinkage, share = spectrum.shrinkage(lam), spectrum.residual_share(lam)
    slope = np.sum(shrinkage * (1 - shrinkage))
    # df1 - df2 of the population, from the derivative of kappa = lam / share.
    df2 = shrinkage.sum() - slope / (1 - slope / (spectrum.n_samples * share))
    dof = chain.n_samples - np.clip(df2, 0, shrinkage.sum())
    return Generator(float(spectrum.effective_ridge(lam)), shrinkage.sum(), dof)


def _matched_ridge(spectrum, chain):
    def excess(log_lam):
        lam = np.exp(log_lam)
        df1 = spectrum.shrinkage(lam).sum()
        return spectrum.effective_ridge(lam) * (1 - df1 / chain.n_samples) - chain.lam

    ev = spectrum.eigenvalues
    lower, upper = np.log(ev.min() * 1e-6), np.log(1e3 * ev.sum() + chain.lam)
    # Where the rows at hand cannot show so small a ridge, the smallest that they show stands in.
    return np.exp(lower if excess(lower) >= 0 else brentq(excess, lower, upper))


def whitened_noise_profile(eigenvalues, n_samples, n_features, n_points=256):
    """Variance along each left singular direction of noise that is isotropic after whitening.

    The limit of ev_i v_i' Sigma^-1 v_i, with v_i the sample eigenvectors: what coefficients of
    covariance Sigma^-1 add to the i-th coordinate of the fitted values.

    Parameters
    ----------
    eigenvalues : ndarray of shape (rank,)
        Positive eigenvalues of the sample covariance.
    n_samples, n_features : float
        Shape of the sample.
    n_points : int, default=256
        Eigenvalues at which the limit is evaluated; the others are interpolated.

    Returns
    -------
    profile : ndarray of shape (rank,)
        About 1 on average for n_features below n_samples, n_features/n_samples above.

    References
    ----------
    Ledoit, Peche, Eigenvectors of some large sample covariance matrix ensembles, 2011 (the limit
    for the inverse covariance). The bandwidth of the Stieltjes transform is that of Ledoit, Wolf,
    Analytical nonlinear shrinkage of large-dimensional covariance matrices, 2020.
    """
    ev = np.sort(eigenvalues)
    at = np.quantile(ev, np.linspace(0, 1, min(n_points, ev.size)))
    width = ev * n_samples ** (-1 / 3)
    gap = ev - at[:, None]
    # Real part of the Stieltjes transform of XX'/T; its null eigenvalues add -1/at each.
    stieltjes = np.sum(gap / (gap**2 + width**2), axis=1) - (n_samples - ev.size) / at
    profile = n_features / n_samples - 1 - 2 * at * stieltjes / n_samples
    # The limit is positive; at the edges of the spectrum its smoothed estimate need not be.
    return np.interp(eigenvalues, at, np.clip(profile, 0.1, 10.0))


def has_rest(spectrum):
    """Whether enough rows are left over to measure the noise without a model.

    Parameters
    ----------
    spectrum : RidgeSpectrum
        Rows at hand.

    Returns
    -------
    enough : bool
        At least 10 and a tenth of the rows.
    """
    return spectrum.n_rest >= max(10, 0.1 * spectrum.n_samples)


def corrected_risk(spectrum, lam, chain, generator, *, smooth):
    """Risk of each ridge against the truth, though the labels come from a chain of fits.

    Against the labels' own coefficients the error is known (GCV). Against the truth it is that plus
    twice the covariance of the fit with the inherited error: 2 tau df1(lam), exactly, when the
    inherited error is tau Sigma^-1 (least-squares generators); otherwise its posterior mean in a
    random-effects model of the coefficients.

    Parameters
    ----------
    spectrum : RidgeSpectrum
        Rows at hand.
    lam : ndarray of shape (n_alphas,)
        Ridges, > 0.
    chain : Chain
        How the labels were made.
    generator : Generator
        What :func:`match_generator` reads off for this chain.
    smooth : bool
        Whether to replace the squared coordinates of y in GCV by their posterior means.

    Returns
    -------
    corrected : CorrectedRisk
        Per ridge and target.

    Notes
    -----
    The criterion is ours, not the paper's. The coefficients have variance r ev_i^a with a on a
    grid, the share r/(r + noise) is uniform, the scale is integrated out in closed form; risks are
    averaged over the posterior, since shrinking too little costs far more than too much.
    """
    if not spectrum.eigenvalues.size:
        gcv, noise = spectrum.gcv(lam), spectrum.rest * spectrum.n_samples / spectrum.n_rest
        return CorrectedRisk(gcv, 0 * gcv, noise, noise, 0 * noise)
    model = _Model.of(spectrum, chain, generator)
    targets = [
        _one_target(spectrum, lam, model, spectrum.signal[:, j] ** 2, spectrum.rest[j], smooth)
        for j in range(spectrum.signal.shape[1])
    ]
    return CorrectedRisk(*(np.stack(part, axis=-1) for part in zip(*targets)))


class _Model(NamedTuple):
    """Variances of the coordinates per unit of signal (one row per exponent) and of noise."""

    chain: Chain
    generator: Generator
    prior: np.ndarray  # w^2 per exponent
    per_row: np.ndarray  # variance of x'w per exponent
    mean_product: np.ndarray  # E w_n w per exponent
    second_moment: np.ndarray  # E w_n^2 per exponent
    inherited: np.ndarray  # E w_n^2 per unit of the generators' noise
    signal: np.ndarray  # variances of sqrt(T) z per exponent
    noise: np.ndarray  # variances of sqrt(T) z per unit of the generators' noise

    @classmethod
    def of(cls, spectrum, chain, generator):
        """Variances that the chain gives the coordinates of the rows at hand."""
        ev, n = spectrum.eigenvalues, chain.n_generations
        prior = (ev / ev.mean()) ** EXPONENTS[:, None]
        kappa, dof = generator.kappa, generator.dof
        mean, second = ridge_chain(np.sqrt(prior), prior, ev, kappa, dof, 0.0, n)
        _, inherited = ridge_chain(0 * ev, 0 * ev, ev, kappa, dof, chain.inflation, n)
        profile = ev * inherited
        if kappa == 0:
            # Here inherited is (n / dof) / ev, and ev v'Sigma^-1 v is known better than 1.
            profile = profile * whitened_noise_profile(ev, spectrum.n_samples, chain.n_features)
        T = spectrum.n_samples
        return cls(
            chain,
            generator,
            prior,
            prior @ ev,
            mean * np.sqrt(prior),
            second,
            inherited,
            T * ev * second,
            T * profile,
        )


def _one_target(spectrum, lam, model, energy, rest, smooth):
    posterior = _posterior(spectrum, model, energy, rest)
    ev, kappa = spectrum.eigenvalues, model.generator.kappa
    own = posterior.generator_noise * model.inherited
    second_moment = posterior.signal @ model.second_moment + own
    excess = second_moment - posterior.signal @ model.mean_product
    if kappa == 0:
        tau = (own * ev).mean()
        cross = tau * spectrum.shrinkage(lam).sum(axis=-1)
        error = tau * model.chain.n_features
        offset = -error
    else:
        cross = (ev**2 / (ev + spectrum.effective_ridge(lam)[:, None])) @ excess
        truth = posterior.signal @ model.prior
        offset = ev @ (truth - second_moment)
        error = ev @ (excess + truth - posterior.signal @ model.mean_product)
    if smooth:
        energy = posterior.signal @ model.signal + posterior.generator_noise * model.noise
        energy = (energy + posterior.noise) / spectrum.n_samples
        rest = posterior.noise * spectrum.n_rest / spectrum.n_samples
    gcv = spectrum.gcv_of_energy(lam, energy[:, None], np.array([rest]))[:, 0]
    criterion = gcv + 2 * cross
    risk = criterion - posterior.noise + offset
    return criterion, risk, posterior.noise, posterior.generator_noise, error


def _posterior(spectrum, model, energy, rest):
    """Variance components of one target; the generators' noise may be known."""
    known = model.chain.noise_variance
    energy, rest = spectrum.n_samples * energy, spectrum.n_samples * rest
    power = (energy.sum() + rest) / spectrum.n_samples
    if power == 0:
        return _Posterior(np.zeros(EXPONENTS.size), 0.0, known or 0.0)
    if has_rest(spectrum):
        # Labels without noise still need a scale: far below all else.
        noise = max(rest / spectrum.n_rest, 1e-12 * power)
        ratio = 1.0 if known is None else known / noise
        variances, per_noise, log_prior = _component_grid(model, ratio)
        log_likelihood = -0.5 * (np.log(variances).sum(axis=-1) + (1 / variances) @ energy / noise)
        signal = _posterior_mean(log_likelihood + log_prior, noise * per_noise)
        return _Posterior(signal.sum(axis=1), noise, noise if known is None else known)
    n_terms = energy.size + spectrum.n_rest
    noise = power
    # A known noise of the generators has a ratio to ours that is refined, an unknown one 1.
    for _ in range(1 if known is None else 4):
        ratio = 1.0 if known is None else known / max(noise, 1e-12 * power)
        variances, per_noise, log_prior = _component_grid(model, ratio)
        quadratic = (1 / variances) @ energy + rest
        # The scale, of prior 1/scale, is integrated out.
        log_likelihood = -0.5 * (np.log(variances).sum(axis=-1) + n_terms * np.log(quadratic))
        scale = quadratic / max(n_terms - 2, 1)
        noise = float(_posterior_mean(log_likelihood + log_prior, scale).sum())
    signal = _posterior_mean(log_likelihood + log_prior, scale * per_noise)
    return _Posterior(signal.sum(axis=1), noise, noise if known is None else known)


def _component_grid(model, ratio):
    """Variances over ours, signal over noise, and log prior, for each exponent and odds."""
    # Odds over the larger noise: labels almost without noise are no sign of a strong signal.
    per_noise = max(1.0, ratio) * ODDS / model.per_row[:, None]
    variances = per_noise[..., None] * model.signal[:, None] + 1 + ratio * model.noise
    # ODDS is even on the logarithmic scale, on which a uniform share has this density.
    return variances, per_noise, np.log(ODDS / (1 + ODDS) ** 2) - 0.5 * EXPONENTS[:, None] ** 2


def _posterior_mean(log_posterior, values):
    """Terms of the posterior mean of values, to be summed."""
    weights = np.exp(log_posterior - log_posterior.max())
    return weights / weights.sum() * values

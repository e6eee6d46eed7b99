"""How AdaptiveRidgeCollapse turns its parameters into a chain of generators and picks alpha."""

import warnings

import numpy as np

from skparietal.solvers.collapse.collapse_criterion import (
    Chain,
    corrected_risk,
    has_rest,
    match_generator,
)

CLEAN = Chain(0, 2, 0.0, 0.0)
# Real rows from which validation beats a correction whose generators are unknown; below, the few
# rows measure the error of the labels better than they choose alpha.
ENOUGH_FOR_UNKNOWN = 10


def criterion_for(model, n_clean, only_real):
    """Name of the criterion that the parameters and the number of real rows ask for.

    Parameters
    ----------
    model : AdaptiveRidgeCollapse
        Its criterion, min_clean and chain are read.
    n_clean : float
        Real rows held out beside the synthetic ones.
    only_real : bool
        Whether there are no synthetic rows at all.

    Returns
    -------
    used : str
        "eb", "ccgcv", "gcv" or "validation".

    Raises
    ------
    ValueError
        If criterion is "validation" without real rows.
    """
    if only_real:
        return "gcv"
    if model.criterion == "validation" and not n_clean:
        raise ValueError(
            "criterion='validation' needs real rows: mark them False in the mask synthetic."
        )
    if model.criterion != "auto":
        return model.criterion
    known = model.generator_n_samples is not None or model.generator_error is not None
    if n_clean >= (model.min_clean if known else min(model.min_clean, ENOUGH_FOR_UNKNOWN)):
        return "validation"
    has_chain = model.n_generations > 0 or model.generator_error is not None
    return "eb" if has_chain else "gcv"


def _chain_for(model, spectrum, n_features, error, inflation):
    """Generators as the parameters describe them, or the stand-in of a known error.

    `error` is the mean squared error of the generator, or None to work it out of its rows.
    """
    dimension = _dimension_of(spectrum, n_features)
    free = spectrum.n_free
    if error is not None:
        dimension = dimension if np.isfinite(dimension) else spectrum.eigenvalues.size
        # One least-squares fit of as many rows as here (or twice the features), and noise to match.
        rows = max(spectrum.n_samples, 2 * dimension + 2 + free)
        noise = error / max(dimension, 1) * (rows - dimension - 1 - free)
        return Chain(1, rows, 0.0, dimension, noise)
    rows = model.generator_n_samples
    if model.n_generations and model.generator_alpha == 0:
        given, rows = rows, spectrum.n_samples if rows is None else rows
        if 0 <= rows - dimension < 2 + free:  # least squares has an infinite error
            if given is not None and model.kernel == "linear":
                raise ValueError(
                    f"generator_n_samples={rows} with {dimension:g} features gives least squares "
                    f"an infinite error; use generator_n_samples >= {dimension + 2 + free:g} or < "
                    f"{dimension:g}, or generator_alpha > 0."
                )
            # The rows were a guess, or the dimension is: it is the numerical rank of a kernel.
            rows = dimension + 2 + free
    rows = spectrum.n_samples if rows is None else rows
    noise = model.generator_noise_variance
    return Chain(
        model.n_generations,
        rows,
        model.generator_alpha / rows,
        dimension,
        0.0 if noise is None and _noise_is_hidden(spectrum) else noise,
        inflation if rows > dimension else 1.0,
    )


def _dimension_of(spectrum, n_features):
    """Features that vary; all of them where the rows are too few to tell."""
    rank = spectrum.eigenvalues.size
    return rank if rank < spectrum.n_samples - spectrum.n_free else n_features


def _error_of_labels(spectrum, lam, gcv, clean_errors):
    """Mean squared error of the label-making model, from the errors of the path on real rows.

    The identity of the corrected criterion, solved for tau d at the least ridge: real rows show
    GCV + 2 tau df1 - tau d, whose last terms are tau d for least squares.
    """
    difference = (clean_errors - gcv).mean(axis=1)
    if has_rest(spectrum):
        least = lam.argmin()
        share = 2 * spectrum.shrinkage(lam[least]).sum() / spectrum.eigenvalues.size - 1
        if share > 0.5:
            return max(difference[least] / share, 0.0)
    return max(difference[gcv.sum(axis=1).argmin()], 0.0)


def choose_alpha(model, path, lam, *, used, n_features, clean_errors, inflation, only_real):
    """Choose alpha on a path.

    Parameters
    ----------
    model : AdaptiveRidgeCollapse
        Its parameters are read.
    path : RidgePath
        Fits of the training rows.
    lam : ndarray of shape (n_alphas,)
        Candidates, on the scale of the mean squared loss.
    used : str
        What :func:`criterion_for` returned.
    n_features : float
        Features of the linear kernel, infinite for others.
    clean_errors : ndarray of shape (n_alphas, n_targets) or None
        Mean squared errors of the path on real rows, if there are any.
    inflation : float
        Factor of the leverage correction.
    only_real : bool
        Whether the training rows are real, in spite of the parameters.

    Returns
    -------
    lam : float
        The ridge chosen.
    attributes : dict
        Fitted attributes of the choice; those per target as arrays.

    Warns
    -----
    UserWarning
        If the generators' rows were guessed, the labels hide the noise, the generators nearly
        interpolate, or alpha is at the edge of a given grid.
    """
    spectrum = path.spectrum
    gcv = spectrum.gcv(lam)
    error = model.generator_error
    if error is None and model.generator_n_samples is None and clean_errors is not None:
        error = _error_of_labels(spectrum, lam, gcv, clean_errors)
    chain = CLEAN if only_real else _chain_for(model, spectrum, n_features, error, inflation)
    generator = match_generator(spectrum, chain)
    corrected = corrected_risk(spectrum, lam, chain, generator, smooth=used == "eb")
    values, risk = _values_and_risk(used, gcv, clean_errors, corrected)
    best = values.sum(axis=1).argmin()
    messages = []
    if used in ("eb", "ccgcv") and chain.n_generations > 0 and error is None:
        messages += _doubts(model, spectrum, chain, generator)
    if model.alphas is not None and lam.size > 1 and best in (lam.argmin(), lam.argmax()):
        alpha = lam[best] * spectrum.n_samples
        messages.append(f"The best alpha, {alpha:.3g}, is at the edge of alphas; widen the grid.")
    for message in messages:
        # The line that called fit: past the helper, fit itself and scikit-learn's wrapper.
        warnings.warn(message, UserWarning, stacklevel=5)
    return lam[best], {
        "alphas_": lam * spectrum.n_samples,
        "alpha_": float(lam[best] * spectrum.n_samples),
        "alpha_gcv_": float(lam[gcv.sum(axis=1).argmin()] * spectrum.n_samples),
        "gcv_values_": gcv.sum(axis=1),
        "criterion_values_": values.sum(axis=1),
        "estimated_risk_": risk.sum(axis=1),
        "criterion_used_": used,
        "kappa0_": generator.kappa,
        "effective_dof_": float(spectrum.shrinkage(lam[best]).sum()),
        **_estimates(corrected, spectrum, error),
    }


def _values_and_risk(used, gcv, clean_errors, corrected):
    """What alpha minimises, and the estimated error against the truth, per alpha and target."""
    if used == "validation":
        # The noise of the real rows is unknown: that of the others, or the least error if smaller.
        noise = np.minimum(corrected.noise_variance, clean_errors.min(axis=0))
        return clean_errors, clean_errors - noise
    return gcv if used == "gcv" else corrected.criterion, corrected.risk


def _estimates(corrected, spectrum, error):
    """Attributes that describe the noise and the generators."""
    generator_noise = corrected.generator_noise_variance
    return {
        "noise_variance_": corrected.noise_variance,
        "generator_noise_variance_": generator_noise if error is None else generator_noise * np.nan,
        "collapse_cost_": float(corrected.generator_error.sum()),
        "tau_": corrected.generator_error / max(spectrum.eigenvalues.size, 1),
    }


def _noise_is_hidden(spectrum):
    """Whether the rows left over show no noise in some target that varies."""
    varies = np.any(spectrum.signal != 0, axis=0)
    return has_rest(spectrum) and bool(np.any(varies & (spectrum.rest == 0)))


def _doubts(model, spectrum, chain, generator):
    """What was guessed of the generators, and when the correction cannot be trusted."""
    if model.generator_n_samples is None:
        yield (
            f"generator_n_samples is unknown and was assumed to be {spectrum.n_samples:g}, the "
            "rows at hand. Give it, or generator_error, or real rows (synthetic=)."
        )
    if model.generator_noise_variance is None and _noise_is_hidden(spectrum):
        yield (
            "The labels are without noise, so that of the generators cannot be estimated and is "
            "taken as 0. Give generator_noise_variance, generator_error, or real rows (synthetic=)."
        )
    if model.kernel != "linear" and generator.df1 > 0.5 * chain.n_samples:
        yield (
            f"The generators nearly interpolate (degrees of freedom {generator.df1:.3g} for "
            f"{chain.n_samples:g} rows): the correction is unreliable, use real rows (synthetic=)."
        )

"""Scaling laws of a memory learner on heavy-tailed inputs, and how synthetic data bend them.

The setting: input i = 1, 2, ... comes with probability p_i = i^-beta / zeta(beta) and has one right
label; the learner answers right iff i was among its n training rows, drawn from q. Its expected
error is E(n) = sum_i p_i (1 - q_i)^n. Every function returns that probability (between 0 and 1),
averaged over training sets, from a closed form that replaces the sum by its integral over p; the
formulas hold to .3 % from about a hundred rows and, where there is a cut, from about rank 10.
An unknown input counts as an error; a learner that guesses among m labels errs (1 - 1/m) as often.

The setting and the orders of magnitude are those of Dohmatob, Feng, Yang, Charton, Kempe, A Tale of
Tails: Model Collapse as a Change of Scaling Laws, 2024; the closed forms, with their constants, are
derived here. exponent denotes c = 1 - 1/beta throughout.
"""

import numpy as np
from scipy.special import betainc, betaincc, betaln, gammaln, zeta


def clean_error(n, beta):
    """Error after n real rows: the law n^-c with its constant.

    Parameters
    ----------
    n : float or array-like
        Number of training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.

    Returns
    -------
    error : float or ndarray of the shape of n
        (a^(1/beta) / beta) B(c, n + 1), close to a^(1/beta) Gamma(c) / beta n^-c, a = 1/zeta(beta).

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails: Model Collapse as a Change of Scaling
    Laws, 2024, equation 9 (the learner); the constant is derived here.

    Examples
    --------
    >>> from skparietal.theory.tails import clean_error
    >>> clean_error([1000, 8000], beta=1.5).round(3)
    array([0.094, 0.047])
    """
    n, beta = _sizes(n), _check_beta(beta)
    return _full_sum(n, beta)


def cut_error(n, beta, cut):
    """Error after n rows of a generator that lost all inputs of rank above a cut.

    The law bends at n of order cut^beta and ends on the plateau P(i > cut), which no number of rows
    lowers.

    Parameters
    ----------
    n : float or array-like
        Number of training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    cut : int
        Last rank that the generator still gives, >= 1 (accurate from about 10).

    Returns
    -------
    error : float or ndarray of the shape of n
        Probability that a real input is answered wrongly.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024, Theorem 2.1 (the order
    n^-c + cut^-(beta-1), which is right up to a factor of two near the bend).
    """
    n, beta, cut = _sizes(n), _check_beta(beta), _check_rank("cut", cut)
    tail = tail_mass(beta, cut)
    return _head_sum(n, beta, cut, scale=1 / (1 - tail)) + tail


def tail_mass(beta, cut):
    """Probability of the inputs of rank above a cut: sum over i > cut of i^-beta / zeta(beta).

    Parameters
    ----------
    beta : float
        Exponent of the inputs' probabilities, > 1.
    cut : int
        Rank, >= 0.

    Returns
    -------
    mass : float
        Exact; about cut^(1-beta) / ((beta - 1) zeta(beta)) at large cuts.
    """
    return zeta(beta, np.asarray(cut, dtype=float) + 1) / zeta(beta)


def nucleus_cut(beta, top_p):
    """Last rank that nucleus sampling keeps: the least k with P(i <= k) >= top_p.

    Parameters
    ----------
    beta : float
        Exponent of the inputs' probabilities, > 1.
    top_p : float
        Mass kept, between 0 and 1 (exclusive). The plateau of the error is at most 1 - top_p.

    Returns
    -------
    cut : int
        Rank for `cut_error`.

    Raises
    ------
    ValueError
        If top_p is so close to 1 that the rank does not fit in an integer of float64 precision.
    """
    beta, top_p = _check_beta(beta), _check_share("top_p", top_p)
    missing = 1 - top_p
    # Integrals bound the tail sum: (k+1)^(1-beta) <= (beta-1) zeta(beta) tail <= k^(1-beta).
    bound = (missing * (beta - 1) * zeta(beta)) ** (-1 / (beta - 1))
    if bound > 2**50:
        raise ValueError(f"top_p={top_p} keeps more than 2^50 ranks at beta={beta}.")
    low, high = max(int(bound) - 1, 0), int(bound) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail_mass(beta, middle) <= missing else (middle, high)
    return high


def narrowed_error(n, beta, gamma):
    """Error after n rows of a generator that sharpened the distribution to q_i ~ p_i^gamma.

    Sampling at temperature 1/gamma does that. The law stays a power law, with the smaller exponent
    (beta - 1) / (gamma beta).

    Parameters
    ----------
    n : float or array-like
        Number of training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    gamma : float
        Power, with beta gamma > 1; above 1 the generator is narrower than the data.

    Returns
    -------
    error : float or ndarray of the shape of n
        Probability that a real input is answered wrongly.
    """
    n, beta = _sizes(n), _check_beta(beta)
    if not gamma * beta > 1:
        raise ValueError(f"beta * gamma must exceed 1, got beta={beta} and gamma={gamma}.")
    exponent = (beta - 1) / (gamma * beta)
    constant = zeta(gamma * beta) ** exponent / (gamma * beta * zeta(beta))
    return constant * np.exp(betaln(exponent, n + 1))


def generator_error(n, beta, n_generator):
    """Error after n rows resampled from a generator that memorised n_generator real rows.

    The plateau at large n is the generator's own error, `clean_error` of n_generator.

    Parameters
    ----------
    n : float or array-like
        Number of synthetic training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    n_generator : float
        Number of real rows behind the generator, > 0.

    Returns
    -------
    error : float or ndarray of the shape of n
        `clean_error` of n_generator (1 - exp(-n/n_generator)) rows, the expected number of distinct
        rows of the generator among n draws.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024, equation 6 and Corollary 2.2 (the
    order n^-c + n_generator^-c).
    """
    n, beta, size = _sizes(n), _check_beta(beta), _sizes(n_generator, "n_generator")
    return _full_sum(-size * np.expm1(-n / size), beta)


def surviving_share(n_generations):
    """Factor s_n by which n generations of resampling shrink the number of rows that inform.

    A lineage of copies dies out like a branching process with Poisson offspring of mean one:
    s_1 = 1, s_(n+1) = 1 - exp(-s_n), about 2/n. Generation 1 is trained on real rows.

    Parameters
    ----------
    n_generations : int or array-like of int
        Number of generations, >= 1.

    Returns
    -------
    share : float or ndarray of the shape of n_generations
        Between 0 and 1.
    """
    generations = np.asarray(n_generations)
    if np.any(generations < 1) or np.any(generations != np.floor(generations)):
        raise ValueError(f"n_generations must be whole numbers >= 1, got {n_generations}.")
    shares = np.ones(int(generations.max()))
    for i in range(1, shares.size):
        shares[i] = -np.expm1(-shares[i - 1])
    return shares[generations.astype(int) - 1][()]


def generations_error(n_generations, beta, n_generator):
    """Error of the n-th generation when each is trained on n_generator rows of the last one.

    Grows like n_generations^c, slower than in proportion to the number of generations.

    Parameters
    ----------
    n_generations : int or array-like of int
        Number of the generation, >= 1; the first is trained on real rows.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    n_generator : float
        Rows that each generation is trained on, > 0.

    Returns
    -------
    error : float or ndarray of the shape of n_generations
        Probability that a real input is answered wrongly.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024 (growth at most linear in the number
    of generations); the power c is derived here for inputs resampled with replacement.
    """
    beta, size = _check_beta(beta), _sizes(n_generator, "n_generator")
    return _full_sum(size * surviving_share(n_generations), beta)


def n_known(n_generations, beta, n_generator):
    """Number of distinct inputs that the n-th generation still knows: skills un-learned one by one.

    Parameters
    ----------
    n_generations : int or array-like of int
        Number of the generation, >= 1; the first is trained on real rows.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    n_generator : float
        Rows that each generation is trained on, > 0.

    Returns
    -------
    n_known : float or ndarray of the shape of n_generations
        Expected count, about Gamma(c) (n_generator s_n / zeta(beta))^(1/beta).
    """
    beta, size = _check_beta(beta), _sizes(n_generator, "n_generator")
    rate = size * surviving_share(n_generations) / zeta(beta)
    return rate ** (1 / beta) * np.exp(gammaln(1 - 1 / beta)) - 0.5


def mixed_error(n, beta, cut, real_fraction):
    """Error after n rows of which a fraction is real and the rest comes from a cut generator.

    The law falls as without a cut up to n of order cut^beta, is nearly flat up to
    cut^beta / real_fraction, then falls again as if real_fraction n real rows were all there is.

    Parameters
    ----------
    n : float or array-like
        Number of training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    cut : int
        Last rank that the generator still gives, >= 1 (accurate from about 10).
    real_fraction : float
        Share of real rows, between 0 and 1. At 0 this is `cut_error`, at 1 `clean_error`.

    Returns
    -------
    error : float or ndarray of the shape of n
        Probability that a real input is answered wrongly.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024, Theorem 3.2 (the three phases).
    """
    n, beta, cut = _sizes(n), _check_beta(beta), _check_rank("cut", cut)
    real_fraction = _check_share("real_fraction", real_fraction, zero=True, one=True)
    if real_fraction == 0:
        return cut_error(n, beta, cut)
    head = real_fraction + (1 - real_fraction) / (1 - tail_mass(beta, cut))
    return _head_sum(n, beta, cut, scale=head) + _tail_sum(n, beta, cut, scale=real_fraction)


def grokking_plateau(beta, cut, real_fraction):
    """Height and extent of the plateau that `mixed_error` crosses before real rows mend the tail.

    The local slope dips below half the exponent between the two ends only when real_fraction is
    small (at beta 1.5: below about .1).

    Parameters
    ----------
    beta : float
        Exponent of the inputs' probabilities, > 1.
    cut : int
        Last rank that the generator still gives, >= 1.
    real_fraction : float
        Share of real rows, between 0 (exclusive) and 1.

    Returns
    -------
    height : float
        P(i > cut).
    start, end : float
        Numbers of rows zeta(beta) cut^beta and the same divided by real_fraction, at which the
        input of rank cut is expected once among all rows and once among the real ones.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024, Theorem 3.2.
    """
    beta, cut = _check_beta(beta), _check_rank("cut", cut)
    real_fraction = _check_share("real_fraction", real_fraction, one=True)
    start = zeta(beta) * float(cut) ** beta
    return tail_mass(beta, cut), start, start / real_fraction


def curated_floor(beta, cut, first_rank):
    """Floor of the error when curated rows restore the tail from first_rank on.

    Parameters
    ----------
    beta : float
        Exponent of the inputs' probabilities, > 1.
    cut : int
        Last rank that the generator still gives, >= 1.
    first_rank : int
        Least rank among the curated rows, >= 1.

    Returns
    -------
    floor : float
        P(cut < i < first_rank): zero when the curated rows begin at or before cut + 1.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024, Theorem 3.1.
    """
    beta, cut = _check_beta(beta), _check_rank("cut", cut)
    first_rank = _check_rank("first_rank", first_rank)
    if first_rank <= cut + 1:
        return 0.0
    return tail_mass(beta, cut) - tail_mass(beta, first_rank - 1)


def capacity_error(n, beta, capacity):
    """Error after n real rows of a memory that keeps only its most frequent inputs.

    While the memory is not full this is `clean_error`; later inputs are kept that came at least m
    times, where m grows so that their number stays at capacity; the plateau is P(i > capacity).
    `TailMemoryClassifier` with ``capacity`` is that learner.

    Parameters
    ----------
    n : float or array-like
        Number of training rows, > 0.
    beta : float
        Exponent of the inputs' probabilities, > 1.
    capacity : int
        Number of distinct inputs kept, >= 1 (accurate from about 10).

    Returns
    -------
    error : float or ndarray of the shape of n
        Derived here; between the larger of the terms of the order n^-c + capacity^-(beta-1) and
        their sum.
    """
    n, beta, capacity = _sizes(n), _check_beta(beta), _check_rank("capacity", capacity)
    # Largest threshold m that still fills the memory, and the share of the ties that is dropped.
    rate = n / zeta(beta)
    low, high = np.ones_like(rate), np.ceil(2 * rate * capacity**-beta + 2)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        full = _n_seen(middle, rate, beta) >= capacity
        low, high = np.where(full, middle, low), np.where(full, high, middle)
    seen = _n_seen(low, rate, beta)
    ties = np.maximum(seen - _n_seen(low + 1, rate, beta), np.finfo(float).tiny)
    dropped = np.clip((seen - capacity) / ties, 0, 1)
    error = (1 - dropped) * _mass_unseen(low, rate, beta)
    error += dropped * _mass_unseen(low + 1, rate, beta)
    # Until some input is dropped, the binomial sum of clean_error is the sharper form.
    return np.where(dropped + (low > 1) == 0, _full_sum(n, beta), error)[()]


def _n_seen(m, rate, beta):
    """Expected number of inputs that came at least m >= 1 times, with Poisson counts."""
    order = np.exp(gammaln(m - 1 / beta) - gammaln(m))
    return np.maximum(rate ** (1 / beta) * order - 0.5, 0)


def _mass_unseen(m, rate, beta):
    """Expected mass of the inputs that came fewer than m times."""
    c = 1 - 1 / beta
    return rate**-c / (zeta(beta) * beta * c) * np.exp(gammaln(m + c) - gammaln(m))


def bigram_error(n, beta, cut=None):
    """Total variation distance between a Zipf law of next tokens and its empirical law on n rows.

    The sum over tokens is exact (the mean of a binomial's positive part) down to the tokens that
    are not expected once, where every token seen is one too many and the sum is an integral.

    Parameters
    ----------
    n : float or array-like
        Number of rows that follow the same context, > 0 (rounded to whole rows).
    beta : float
        Exponent of the next token's probabilities, > 1.
    cut : int, default=None
        Last rank that the generator of the rows still gives; None means all.

    Returns
    -------
    error : float or ndarray of the shape of n
        Between 0 and 1. The slope tends to -min(c, 1/2), slowly near beta = 2; with a cut the floor
        is P(i > cut).

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails, 2024 (the bigram model). De Moivre's
    mean absolute deviation of a binomial is the case without a cut.
    """
    n, beta = np.round(_sizes(n)), _check_beta(beta)
    if cut is not None:
        cut = _check_rank("cut", cut)
    return np.reshape([_bigram_error(size, beta, cut) for size in np.ravel(n)], n.shape)[()]


def _bigram_error(n, beta, cut):
    last = int((n / zeta(beta)) ** (1 / beta)) + 1  # beyond, n p < 1
    p = np.arange(1, last + 1, dtype=float) ** -beta / zeta(beta)
    scale = 1.0 if cut is None else 1 / (1 - tail_mass(beta, cut))
    q = p * scale
    if cut is not None:
        q[cut:] = 0
    least = np.floor(n * p)  # the count k exceeds n p iff k > least
    excess = q * _survival(least - 1, n - 1, q) - p * _survival(least, n, q)
    # One occurrence of a token with n p < 1 is an excess: E(k/n - p)+ = q - p (1 - (1-q)^n).
    rest = _tail_sum(n, beta, last, scale)
    if cut is not None:
        rest = max(rest - _tail_sum(n, beta, cut, scale), 0.0) if cut > last else 0.0
        rest += (scale - 1) * max(tail_mass(beta, last) - tail_mass(beta, cut), 0.0)
    return excess.sum() + rest


def _survival(k, n, q):
    """P(Bin(n, q) > k), also at k = -1 and k >= n."""
    inside = betainc(np.maximum(k + 1, 1), np.maximum(n - k, 1), q)
    return np.where(k < 0, 1.0, np.where(k >= n, 0.0, inside))


def _full_sum(n, beta, scale=1.0):
    """Sum over all ranks of p (1 - scale p)^n, as an integral over p: a Beta function."""
    c = 1 - 1 / beta
    return zeta(beta) ** (c - 1) / beta * scale**-c * np.exp(betaln(c, n + 1))


def _head_sum(n, beta, rank, scale):
    """The part of `_full_sum` of the ranks up to rank."""
    return _full_sum(n, beta, scale) * betaincc(1 - 1 / beta, n + 1, _edge(beta, rank, scale))


def _tail_sum(n, beta, rank, scale):
    """The part of `_full_sum` of the ranks above rank."""
    return _full_sum(n, beta, scale) * betainc(1 - 1 / beta, n + 1, _edge(beta, rank, scale))


def _edge(beta, rank, scale):
    """Probability at half a rank past the last one: where the midpoint rule ends the integral."""
    return np.minimum(scale * (rank + 0.5) ** -beta / zeta(beta), 1.0)


def _sizes(n, name="n"):
    n = np.asarray(n, dtype=float)
    if not np.all(np.isfinite(n)) or np.any(n <= 0):
        raise ValueError(f"{name} must be finite and > 0, got {n}.")
    return n


def _check_beta(beta):
    if not (np.isfinite(beta) and beta > 1):
        raise ValueError(f"beta must be a finite number > 1 for probabilities to sum, got {beta}.")
    return float(beta)


def _check_rank(name, rank):
    if not (np.isfinite(rank) and rank >= 1 and rank == int(rank)):
        raise ValueError(f"{name} must be a whole number >= 1, got {rank}.")
    return int(rank)


def _check_share(name, share, *, zero=False, one=False):
    if not (0 < share < 1 or (zero and share == 0) or (one and share == 1)):
        interval = f"{'[' if zero else '('}0, 1{']' if one else ')'}"
        raise ValueError(f"{name} must lie in {interval}, got {share}.")
    return float(share)

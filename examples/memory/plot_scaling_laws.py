"""
Error of an associative memory against its size and the data
============================================================

Redraws the first figure of "Scaling laws for associative memories" (Cabannes, Dohmatob, Bietti,
2024): with keys of probability x^-2, storing each key with its frequency gives an error d^-1/4,
storing the d/8 most frequent keys equally gives d^-1, storing all equally is no power law, and with
T samples the error is T^-1/2 until the size stops it. Smaller here: 10 and 20 draws, not 100.
"""

# %%
# Facts
# -----
# 1000 keys with x^-2 and five labels, as in the paper. Weights stand for infinitely many samples.
import warnings

import matplotlib.pyplot as plt
import numpy as np

from skparietal import AssociativeMemory
from skparietal.theory import clean_error, dimension_exponent, recall_probability, storage_weights

warnings.filterwarnings("ignore", "The memory is too small")
N, M, ALPHA, N_DRAWS = 1000, 5, 2.0, 10
keys, labels = np.arange(N)[:, None], np.arange(N) % M
p = np.arange(1, N + 1.0) ** -ALPHA
p /= p.sum()
dimensions = np.unique(np.geomspace(30, 1000, 9).astype(int))


def error_of(memory):
    return p @ (memory.predict(keys) != labels)


def log_slope(x, error):
    return np.polyfit(np.log(x), np.log(error), 1)[0]


# %%
# Error against the dimension
# ---------------------------
# The dashed lines are the interference formula, which has no free constant.
SCHEMES = {
    "frequency": (1.0, lambda d: N),
    "all equally": (0.0, lambda d: N),
    "top d/8 equally": (0.0, lambda d: d // 8),
}


def mean_error(d, rho, n_stored):
    return np.mean(
        [
            error_of(
                AssociativeMemory(d, storage=rho, max_stored=n_stored, random_state=draw).fit(
                    keys, labels, sample_weight=1e9 * p
                )
            )
            for draw in range(N_DRAWS)
        ]
    )


def predicted_error(d, rho, n_stored):
    q = storage_weights(p, rho) * (np.arange(N) < n_stored)
    return p @ (1 - recall_probability(q, labels, d, n_classes=M))


measured, predicted = {}, {}
for name, (rho, n_stored) in SCHEMES.items():
    measured[name] = [mean_error(d, rho, n_stored(d)) for d in dimensions]
    predicted[name] = [predicted_error(d, rho, n_stored(d)) for d in dimensions]

# %%
# Error against the number of samples
# -----------------------------------
# The paper's setting stores the d/12 keys that were seen most often. The law T^-1/2 is that of a
# memory that stores all it sees, from infinitely many keys: there we take 100,000 keys and the
# automatic number to store, and count the keys beyond rank 2000 as guesses.
samples = np.array([10, 30, 100, 300, 1000, 3000, 10_000])


def errors_by_samples(d, max_stored, n_keys, n_heads=1000):
    """Errors of shape (draws, sample sizes)."""
    p = np.arange(1, n_keys + 1.0) ** -ALPHA
    p /= p.sum()
    errors = np.empty((T_DRAWS, len(samples)))
    for draw in range(T_DRAWS):
        x = np.random.default_rng(draw).choice(n_keys, size=samples[-1], p=p)
        for i, seen in enumerate(x[:T] for T in samples):
            memory = AssociativeMemory(d, max_stored=max_stored, random_state=draw)
            memory.partial_fit(seen[:, None], seen % M, classes=np.arange(M))
            heads = np.arange(n_heads)
            wrong = memory.predict(heads[:, None]) != heads % M
            errors[draw, i] = p[:n_heads] @ wrong + p[n_heads:].sum() * (1 - 1 / M)
    return errors


T_DRAWS = 20
by_samples = {d: errors_by_samples(d, d // 12, N) for d in (50, 200, 1000)}
unlimited = errors_by_samples(1000, "auto", 100_000, n_heads=2000)


def unstored_error(T, n_stored):
    """Guesses at keys not seen or of rank above n_stored, without any interference."""
    return (1 - 1 / M) * (p * np.where(np.arange(N) < n_stored, (1 - p) ** T, 1.0)).sum()


# %%
# Figures
# -------
_, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name in SCHEMES:
    (line,) = left.loglog(dimensions, measured[name], "o", label=name)
    left.loglog(dimensions, predicted[name], "--", color=line.get_color())
left.set(xlabel="dimension d", ylabel="error", ylim=(1e-3, 1))
left.legend()
for d, errors in by_samples.items():
    right.loglog(samples, errors.mean(axis=0), "o-", label=f"d = {d}, top d/12")
right.loglog(samples, unlimited.mean(axis=0), "s", label="d = 1000, automatic")
law = (1 - 1 / M) * clean_error(samples, ALPHA)
right.loglog(samples, law, "k--", label="unseen keys")
right.set(xlabel="samples T")
right.legend()

# %%
# What we see
# -----------
slopes = {name: -log_slope(dimensions, error) for name, error in measured.items()}
gaps = {name: np.max(np.abs(np.subtract(measured[name], predicted[name]))) for name in SCHEMES}
print(f"frequency: slope {slopes['frequency']:.2f}, theory {dimension_exponent(ALPHA, 1.0):.2f}")
print(
    f"top d/8: slope {slopes['top d/8 equally']:.2f}, "
    f"theory {dimension_exponent(ALPHA, 0.0, thresholded=True):.2f}"
)
print("all equally: errors", np.round(measured["all equally"], 3), "- no power law")


def show_samples(name, errors, theory, low, high):
    kept = (samples >= low) & (samples <= high)
    slope = log_slope(samples[kept], errors.mean(axis=0)[kept])
    others = [np.delete(errors, k, axis=0).mean(axis=0)[kept] for k in range(T_DRAWS)]
    spread = np.std([log_slope(samples[kept], other) for other in others]) * np.sqrt(T_DRAWS - 1)
    print(
        f"{name}, T = {low} to {high}: slope {slope:.3f} +- {spread:.3f}, "
        f"finite sum {log_slope(samples[kept], np.array(theory)[kept]):.3f}, law -0.500"
    )


top_83 = [unstored_error(T, 1000 // 12) for T in samples]
show_samples("d = 1000, top d/12", by_samples[1000], top_83, 10, 1000)
show_samples("d = 1000, top d/12 (then d stops it)", by_samples[1000], top_83, 100, 10_000)
show_samples("d = 1000, automatic", unlimited, law, 100, 10_000)
ratio = unlimited[:, samples >= 100].mean(axis=0) / law[samples >= 100]
print("automatic: measured error over the law with its constant:", np.round(ratio, 3))
for name, gap in gaps.items():
    print(f"{name}: the interference formula is within {gap:.3f} of the mean of {N_DRAWS} draws")
plt.show()

"""
Error of an associative memory against its size and the data
============================================================

Redraws the first figure of "Scaling laws for associative memories" (Cabannes, Dohmatob, Bietti,
2024): with keys of probability x^-2, storing each key with its frequency gives an error d^-1/4,
storing the d/8 most frequent keys equally gives d^-1, storing all equally is no power law, and with
T samples the error is T^-1/2 until the size stops it. Smaller here: 10 draws instead of 100.
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
samples = np.geomspace(10, 10_000, 7).astype(int)
by_samples = {}
for d in (50, 200, 1000):
    errors = np.zeros((N_DRAWS, len(samples)))
    for draw in range(N_DRAWS):
        x = np.random.default_rng(draw).choice(N, size=samples[-1], p=p)
        for i, T in enumerate(samples):
            seen = x[:T]
            memory = AssociativeMemory(d, max_stored=d // 12, random_state=draw)
            errors[draw, i] = error_of(memory.fit(keys[seen], labels[seen]))
    by_samples[d] = errors.mean(axis=0)

# %%
# Figures
# -------
_, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name in SCHEMES:
    (line,) = left.loglog(dimensions, measured[name], "o", label=name)
    left.loglog(dimensions, predicted[name], "--", color=line.get_color())
left.set(xlabel="dimension d", ylabel="error", ylim=(1e-3, 1))
left.legend()
for d, error in by_samples.items():
    right.loglog(samples, error, "o-", label=f"d = {d}")
right.loglog(samples, (1 - 1 / M) * clean_error(samples, ALPHA), "k--", label="unseen keys")
right.set(xlabel="samples T")
right.legend()

# %%
# What we see
# -----------
slopes = {name: -log_slope(dimensions, error) for name, error in measured.items()}
late = (samples >= 100) & (samples <= 3000)  # before the dimension stops it
t_slope = log_slope(samples[late], by_samples[1000][late])
gaps = {name: np.max(np.abs(np.subtract(measured[name], predicted[name]))) for name in SCHEMES}
print(f"frequency: slope {slopes['frequency']:.2f}, theory {dimension_exponent(ALPHA, 1.0):.2f}")
print(
    f"top d/8: slope {slopes['top d/8 equally']:.2f}, "
    f"theory {dimension_exponent(ALPHA, 0.0, thresholded=True):.2f}"
)
print("all equally: errors", np.round(measured["all equally"], 3), "- no power law")
print(f"samples, d = 1000: slope {t_slope:.2f}, theory -0.50")
for name, gap in gaps.items():
    print(f"{name}: the interference formula is within {gap:.3f} of the mean of {N_DRAWS} draws")
plt.show()

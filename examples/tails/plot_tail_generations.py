"""
Skills are un-learned generation by generation
==============================================

"A Tale of Tails" (Dohmatob, Feng, Yang, Charton, Kempe, 2024) shows that the error of a memory that
is trained again and again on rows of the last generation grows at most linearly in the number of
generations. Derived here: with inputs resampled it grows like the power c = 1 - 1/beta, and facts
disappear one by one, the rare ones first. Smaller here: 10,000 rows and 30 generations.
"""

# %%
# Chains of memories
# ------------------
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import zeta

from skparietal import TailMemoryClassifier, theory
from skparietal.datasets import make_zipf_associations
from skparietal.simulation import collapse_chain

BETA, N, GENERATIONS, CHAINS = 1.5, 10_000, 30, 20
index = np.arange(1, GENERATIONS + 1)
errors, known = np.empty((2, CHAINS, GENERATIONS))
for chain in range(CHAINS):
    items = make_zipf_associations(N, beta=BETA, random_state=chain)[0].ravel()
    rng = np.random.default_rng(chain)
    for generation in range(GENERATIONS):
        distinct = np.unique(items)
        errors[chain, generation] = 1 - np.sum(distinct.astype(float) ** -BETA) / zeta(BETA)
        known[chain, generation] = distinct.size
        items = rng.choice(items, N)

# %%
# The same with any estimator
# ---------------------------
# `collapse_chain` resamples the rows and lets each generation label them for the next. A memory
# that has real rows mixed in forgets less.
X, y = make_zipf_associations(N, beta=BETA, n_classes=50, random_state=0)
X_test, y_test = make_zipf_associations(20_000, beta=BETA, n_classes=50, random_state=1)
chains = {
    name: collapse_chain(
        TailMemoryClassifier(),
        X,
        y,
        n_generations=8,
        n_samples=2_000,
        X_test=X_test,
        y_test=y_test,
        random_state=0,
        **options,
    )
    for name, options in {
        "replace": {},
        "accumulate": {"mode": "accumulate"},
        "20 % real": {"mode": "mix", "real_fraction": 0.2},
    }.items()
}

# %%
# Figure
# ------
fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, simulated, law, name in [
    (axes[0], errors, theory.generations_error(index, BETA, N), "error"),
    (axes[1], known, theory.n_known(index, BETA, N), "facts known"),
]:
    ax.loglog(index, simulated.mean(axis=0), "o", markersize=4, label="simulation")
    ax.loglog(index, law, label="theory")
    ax.set(xlabel="generation", ylabel=name)
axes[0].loglog(index, errors[:, 0].mean() * index, "k:", label="linear bound")
axes[0].set_ylim(top=0.4)
axes[0].legend()
for name, chain in chains.items():
    axes[2].plot(1 - np.asarray(chain.scores), marker="o", markersize=4, label=name)
axes[2].set(xlabel="generation of collapse_chain", ylabel="test error")
axes[2].legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
late = errors.mean(axis=0)
slope = np.log(late[-1] / late[9]) / np.log(GENERATIONS / 10)
law = theory.generations_error(index, BETA, N)
law_slope = np.log(law[-1] / law[9]) / np.log(GENERATIONS / 10)
print(f"claim: growth like n^c, c = {1 - 1 / BETA:.3f} in the limit, {law_slope:.3f} from 10 to 30")
print(f"  measured {slope:.3f}; the linear bound would be 1")
print("generation     1      2      5     10     30")
chosen = np.array([1, 2, 5, 10, 30]) - 1
for name, values in [
    ("error", late),
    ("theory", law),
    ("known", known.mean(axis=0)),
    ("theory", theory.n_known(index, BETA, N)),
]:
    print(f"{name:10s}", *(f"{values[i]:6.4g}" for i in chosen))
print("test error after 8 generations:", end=" ")
print(*(f"{name} {1 - chain.scores[-1]:.3f}" for name, chain in chains.items()), sep=", ")

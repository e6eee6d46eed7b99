"""
Scaling laws of heavy tails, over simulation
============================================

Redraws the laws of "A Tale of Tails: Model Collapse as a Change of Scaling Laws" (Dohmatob, Feng,
Yang, Charton, Kempe, 2024) for a memory of heavy-tailed facts: power law on real data, plateau when
the tail is cut or the rows are resampled from a finite generator, a smaller exponent when the
distribution is narrowed, and a late recovery when some rows are real. The orders are the paper's;
the constants are derived in `skparietal.theory`. Smaller here: at most a million rows per memory.
"""

# %%
# A memory of facts
# -----------------
# Item i comes with probability proportional to i^-1.5 and has one right label. The memory answers
# right iff it has seen the item, and it is tested by the exact probability of what it knows.
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import zeta

from skparietal import TailMemoryClassifier, theory
from skparietal.datasets import make_zipf_associations

BETA, CUT, GAMMA, N_GENERATOR, REAL, CAPACITY = 1.5, 100, 1.5, 3_000, 0.02, 60
RUNS = 8
sizes = np.logspace(2, 6, 9).astype(int)


def error(items):
    """Probability that a real item is not among the given ones."""
    return 1 - np.sum(np.unique(items).astype(float) ** -BETA) / zeta(BETA)


def draw(n, seed, **options):
    return make_zipf_associations(n, beta=BETA, random_state=seed, **options)


def resampled(n, seed):
    rng = np.random.default_rng(seed)
    return rng.choice(draw(N_GENERATOR, seed)[0].ravel(), n)


def kept(n, seed):
    X, y = draw(n, seed)
    memory = TailMemoryClassifier(capacity=CAPACITY).fit(X, y)
    return X[memory.known_mask(X)]


# %%
# Simulation and closed forms
# ---------------------------
laws = {
    "clean": (lambda n, s: draw(n, s)[0], lambda n: theory.clean_error(n, BETA)),
    f"cut at rank {CUT}": (
        lambda n, s: draw(n, s, cut=CUT)[0],
        lambda n: theory.cut_error(n, BETA, CUT),
    ),
    "narrowed, temperature 2/3": (
        lambda n, s: draw(n, s, gamma=GAMMA)[0],
        lambda n: theory.narrowed_error(n, BETA, GAMMA),
    ),
    f"generator with {N_GENERATOR} rows": (
        resampled,
        lambda n: theory.generator_error(n, BETA, N_GENERATOR),
    ),
    f"cut, {REAL:.0%} real rows": (
        lambda n, s: draw(n, s, cut=CUT, real_fraction=REAL)[0],
        lambda n: theory.mixed_error(n, BETA, CUT, REAL),
    ),
    f"capacity {CAPACITY}": (kept, lambda n: theory.capacity_error(n, BETA, CAPACITY)),
}
measured = {
    name: np.array([[error(simulate(n, seed)) for n in sizes] for seed in range(RUNS)])
    for name, (simulate, _) in laws.items()
}

# %%
# Figure
# ------
fig, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
grid = np.logspace(2, 7, 200)
for color, (name, (_, law)) in enumerate(laws.items()):
    ax.loglog(grid, law(grid), color=f"C{color}", label=name)
    ax.loglog(sizes, measured[name].mean(axis=0), "o", color=f"C{color}", markersize=4)
ax.set(xlabel="training rows", ylabel="error of the memory")
ax.legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
print("claim: every law within .3 % of its exact mean; here simulated means of", RUNS, "memories")
for name, (_, law) in laws.items():
    mean, spread = measured[name].mean(axis=0), measured[name].std(axis=0, ddof=1) / np.sqrt(RUNS)
    ratio = mean / law(sizes)
    # Once a cut memory knows all it can, its error no longer varies.
    distance = np.abs(mean - law(sizes)) / np.maximum(spread, 1e-3 * mean)
    print(
        f"  {name:28s} simulation/theory {ratio.min():.3f} to {ratio.max():.3f}, "
        f"largest distance {distance.max():.1f} standard errors"
    )
c = 1 - 1 / BETA
print(f"claim: slope -c = {-c:.3f} clean, {-c / GAMMA:.3f} narrowed")
print("  measured between 1e5 and 1e6 rows:", end=" ")
for name in ("clean", "narrowed, temperature 2/3"):
    mean = measured[name].mean(axis=0)
    print(f"{np.log10(mean[-1] / mean[-3]):.3f}", end=" ")
print()
for name, plateau in [
    (f"cut at rank {CUT}", theory.tail_mass(BETA, CUT)),
    (f"generator with {N_GENERATOR} rows", theory.clean_error(N_GENERATOR, BETA)),
]:
    print(f"claim: plateau {plateau:.4f} ({name}); measured {measured[name][:, -1].mean():.4f}")

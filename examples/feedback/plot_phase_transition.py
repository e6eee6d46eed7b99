"""
Phase transition at the breakdown point
=======================================

Redraws the main claim of "Beyond Model Collapse" (Feng et al., ICLR 2025): a student trained on
filtered synthetic labels tends to the Bayes classifier while the generator's error rate is below
p* = phi / (phi + psi), and to its opposite above. Two Gaussian classes, ridge student, theory over
simulation. Smaller here: d = 20 and up to 40,000 rows. The curves at finite size are derived here;
the jump is the paper's.
"""

# %%
# Theory and simulation
# ---------------------
# A verifier that keeps 90 % of the right labels and 30 % of the wrong ones breaks down at 0.75.
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtr

from skparietal.datasets import make_feedback, make_synthetic_labels
from skparietal.theory import bayes_agreement, breakdown_point, filtered_ridge_accuracy

MU, D, PHI, PSI, ALPHA = 2.0, 20, 0.9, 0.3, 1e-3
SIZES = (400, 4_000, 40_000)
errors = np.linspace(0.5, 0.98, 60)
simulated_errors = np.linspace(0.55, 0.95, 9)
point = breakdown_point(PHI, PSI)


def simulated_accuracy(error_rate, n, seed):
    """Accuracy of one ridge student against the true labels, exact in the test rows."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.5, 1, -1)
    X = rng.normal(size=(n, D))
    X[:, 0] += MU * y
    y_synthetic = make_synthetic_labels(y, error_rate, random_state=seed)
    kept = make_feedback(y, y_synthetic, PHI, PSI, random_state=seed)
    X, labels = X[kept], y_synthetic[kept]
    w = np.linalg.solve(X.T @ X + n * ALPHA * np.eye(D), X.T @ labels)
    return ndtr(MU * w[0] / np.linalg.norm(w))


def theory(error_rate, n):
    return filtered_ridge_accuracy(MU, error_rate, PHI, PSI, n_samples=n, n_features=D, alpha=ALPHA)


simulated = {
    n: np.array([[simulated_accuracy(p, n, seed) for p in simulated_errors] for seed in range(10)])
    for n in SIZES
}

# %%
# Figure
# ------
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for color, n in enumerate(SIZES):
    agreement = bayes_agreement(simulated[n], MU)
    ax.plot(errors, bayes_agreement(theory(errors, n), MU), color=f"C{color}", label=f"n = {n:,}")
    ax.errorbar(
        simulated_errors,
        agreement.mean(axis=0),
        agreement.std(axis=0, ddof=1) / np.sqrt(10),
        fmt="o",
        color=f"C{color}",
        markersize=4,
    )
ax.axvline(point, color="k", linestyle=":", label=f"breakdown point {point:.2f}")
ax.set(xlabel="error rate of the generator", ylabel="agreement with the Bayes classifier")
ax.legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
ends = point * np.array([0.9, 1.1])
seen = np.array([[simulated_accuracy(p, 40_000, seed) for p in ends] for seed in range(10)])
below, above = bayes_agreement(seen.mean(axis=0), MU)
print("claim: at p* (1 -+ 0.1) and 40,000 rows, agreement with Bayes from above .97 to below .03")
print(f"  measured {below:.3f} and {above:.3f}, theory", end=" ")
print(*(f"{a:.3f}" for a in bayes_agreement(theory(ends, 40_000), MU)))
for n in SIZES:
    gap = simulated[n].mean(axis=0) - theory(simulated_errors, n)
    spread = simulated[n].std(axis=0, ddof=1).max() / np.sqrt(10)
    print(
        f"  n = {n:6,}: largest gap of accuracy to theory {np.abs(gap).max():.4f} "
        f"(largest standard error {spread:.4f})"
    )

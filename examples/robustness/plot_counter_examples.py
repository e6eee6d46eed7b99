"""
Two attacks under which plain gradient descent fails without bound
==================================================================

Scetbon and Dohmatob (2023) state that early-stopped gradient descent can be arbitrarily sub-optimal
when the attack is not Euclidean, and that descent on transformed data cures it. Two families of
problems, derived here because the paper's own instances were not at hand, show both: the ratio to
the optimum grows without limit for plain descent and stays near 1 for preconditioned descent.
"""

# %%
# Mahalanobis attacks: two features, identity covariance
# ------------------------------------------------------
# Plain descent moves along the true coefficients (e, 1), but an attack of norm e^2 d1^2 + d2^2/e^2
# makes the first coefficient dear and the second cheap.
import matplotlib.pyplot as plt
import numpy as np

from skparietal import AdversarialRidge, EarlyStoppedRobustGD
from skparietal.norms import check_norm
from skparietal.theory import (
    gaussian_adversarial_risk,
    linf_counterexample,
    mahalanobis_counterexample,
)


def ratios(coef, norm, radius):
    """Risk over optimum of plain and of preconditioned descent; identity covariance."""
    d = len(coef)
    X, dual = np.sqrt(d) * np.eye(d), check_norm(norm).dual
    options = {"norm": norm, "fit_intercept": False}
    models = [
        AdversarialRidge(radius, scale="train", **options),
        EarlyStoppedRobustGD(radius, preconditioner="identity", n_times=2000, **options),
        EarlyStoppedRobustGD(radius, n_times=2000, **options),
    ]
    fitted = [model.fit(X, X @ coef).coef_ for model in models]
    best, plain, cured = (
        gaussian_adversarial_risk(np.linalg.norm(w - coef), dual.norm(w), radius) for w in fitted
    )
    return plain / best, cured / best


epsilons = np.array([0.3, 0.1, 0.03, 0.01, 0.003])
two = []
for epsilon in epsilons:
    coef, _, norm = mahalanobis_counterexample(epsilon)
    two.append(ratios(coef, norm, 1.0))
two = np.array(two)

# %%
# linf attacks: one strong coefficient and many weak ones
# -------------------------------------------------------
# The attacker is paid for the sum of absolute coefficients: the optimum drops the weak ones, plain
# descent cannot. The cure, learning rates proportional to the robust solution, is an extension of
# ours.
levels = np.array([4, 6, 10, 14, 20])
many = []
for n_levels in levels:
    coef, radius = linf_counterexample(int(n_levels))
    many.append(ratios(coef, "linf", radius))
many = np.array(many)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.5), layout="constrained")
for ax, x, y, label in ((axes[0], 1 / epsilons, two, "1/e"), (axes[1], levels, many, "K")):
    ax.loglog(x, y[:, 0], "o-", label="plain descent")
    ax.loglog(x, y[:, 1], "s-", label="preconditioned descent")
    ax.set(xlabel=label, ylabel="risk over optimum")
    ax.legend()
axes[0].set_title("Mahalanobis attack")
axes[1].set_title("linf attack")
plt.show()

# %%
# Claim beside measurement
# ------------------------
print("Mahalanobis: plain descent / optimum, theory 0.25 / e^2 for small e")
for epsilon, (plain, cured) in zip(epsilons, two):
    print(
        f"  e = {epsilon:<5g} theory {0.25 / epsilon**2:9.1f}  measured {plain:9.1f}  "
        f"preconditioned {cured:.4f}"
    )
print("linf: plain descent / optimum grows with K, preconditioned descent stays near 1")
for n_levels, (plain, cured) in zip(levels, many):
    print(f"  K = {n_levels:<3d} measured {plain:6.2f}  preconditioned {cured:.4f}")

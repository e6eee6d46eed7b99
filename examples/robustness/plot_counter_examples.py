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
    diagonal_frontier,
    gaussian_adversarial_risk,
    linf_counterexample,
    mahalanobis_counterexample,
)


def ratios(coef, norm, radius):
    """Risk over optimum of plain and of preconditioned descent; identity covariance."""
    d = len(coef)
    X, dual = np.sqrt(d) * np.eye(d), check_norm(norm).dual
    options = {"norm": norm, "fit_intercept": False}
    # The training error of this table is the population's: no rule needs to correct it.
    descent = {"stopping": "plugin", "n_times": 2000}
    models = [
        AdversarialRidge(radius, scale="train", **options),
        EarlyStoppedRobustGD(radius, preconditioner="identity", **descent, **options),
        EarlyStoppedRobustGD(radius, **descent, **options),
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
# With identity covariance everything has a closed form, which is quick for thousands of features:
# plain descent is on the line to the true coefficients, the optimum is a soft threshold. Learning
# rates that follow the true coefficients, which need no robust solution, cure most of it.
far_levels = np.array([4, 10, 20, 40, 80])


def closed_form(n_levels):
    """Risk over optimum of plain descent and of descent with rates |coef|."""
    coef, radius = linf_counterexample(n_levels)
    size, dual = np.linalg.norm(coef), coef.sum()
    shares = np.linspace(0, 1, 2001)
    plain = gaussian_adversarial_risk((1 - shares) * size, shares * dual, radius).min()
    left = np.exp(-np.multiply.outer(np.geomspace(1e-2, 1e5, 600), coef))
    errors = np.linalg.norm(left * coef, axis=1), np.sum((1 - left) * coef, axis=1)
    frontier = [
        diagonal_frontier(np.ones(len(coef)), coef, mu, "linf")[:2]
        for mu in np.geomspace(1e-6, 1, 2000)
    ]
    best = gaussian_adversarial_risk(*np.transpose(frontier), radius).min()
    return plain / best, gaussian_adversarial_risk(*errors, radius).min() / best


far = np.array([closed_form(int(n_levels)) for n_levels in far_levels])

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.5), layout="constrained")
axes[1].loglog(far_levels, far[:, 0], "k.", label="plain descent, closed form")
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
print("closed form, up to 6,401 features; preconditioned by the true coefficients")
for n_levels, (plain, cured) in zip(far_levels, far):
    print(f"  K = {n_levels:<3d} measured {plain:6.2f}  preconditioned {cured:.4f}")

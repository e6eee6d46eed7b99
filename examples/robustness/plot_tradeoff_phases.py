"""
The price of robustness: free, paid for, and collapsed
======================================================

Dohmatob and Scetbon (2024) describe the trade-off between accuracy and robustness for general
norms: there are regimes with and without it. In closed form: up to a free radius the accurate model
is also the most robust one, beyond a collapse radius only a constant is, and in between accuracy
has to be paid. Any label noise removes the free regime. Population problems, 30 features (the
formulas are derived here; the paper's figures could not be seen).
"""

# %%
# One problem, two attacks
# ------------------------
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize_scalar

from skparietal import robustness_accuracy_tradeoff
from skparietal.plotting import TradeoffDisplay
from skparietal.theory import (
    diagonal_frontier,
    gaussian_adversarial_risk,
    power_law_risk_exponent,
)

d, k = 30, np.arange(1, 31)
covariance, coef = np.diag(1.0 / k), k**-0.5
figure, axes = plt.subplots(1, 3, figsize=(12, 3.7), layout="constrained")
thresholds = {}
for ax, norm in zip(axes, ("l2", "linf")):
    bounds = robustness_accuracy_tradeoff(coef, covariance, 0.1, norm=norm)
    free, collapse = bounds.free_radius, bounds.collapse_radius
    thresholds[norm] = free, collapse
    radii = [0.7 * free, free + 0.3 * (collapse - free), 0.9 * collapse]
    TradeoffDisplay.from_arrays(coef, covariance, radii, norm=norm, ax=ax)
    ax.set(title=f"{norm} attacks (dashed: free)", yscale="log")

# %%
# Phases, and what label noise does to them
# -----------------------------------------
radii = np.linspace(0.02, 1.2, 60)
size = coef @ covariance @ coef
phases = {}
for noise in (0.0, 0.01, 0.25):
    result = robustness_accuracy_tradeoff(coef, covariance, radii, noise_variance=noise * size)
    phases[noise] = np.sqrt(result.optimal_clean_excess / size)
    axes[2].plot(radii, phases[noise], label=f"noise {noise:g}")
axes[2].axvline(thresholds["l2"][0], color="black", linewidth=0.8, linestyle=":")
axes[2].axvline(thresholds["l2"][1], color="black", linewidth=0.8, linestyle=":")
axes[2].set(xlabel="radius of an l2 attack", ylabel="accuracy paid", title="phases")
axes[2].legend(title="share of the signal")
plt.show()

# %%
# Small attacks in high dimension: power laws
# -------------------------------------------
# Variances k^-a, coefficients k^-b, 200,000 features: the least risk falls like a power of the
# radius.


def least_risk(variances, weights, radius, norm):
    def risk(log_multiplier):
        clean, dual, _ = diagonal_frontier(variances, weights, np.exp(log_multiplier), norm)
        return gaussian_adversarial_risk(clean, dual, radius)

    return minimize_scalar(risk, bounds=(-35, 5), method="bounded", options={"xatol": 1e-6}).fun


index = np.arange(1, 200_001, dtype=float)
cases = [
    *(("l2", 1.5, 0.1), ("l2", 2.0, 0.2), ("l2", 1.5, 0.3), ("l2", 1.5, 1.0)),
    *(("linf", 1.5, 0.2), ("linf", 2.0, 0.3), ("linf", 1.5, 0.5), ("linf", 1.5, 1.8)),
]
slopes = []
for norm, a, b in cases:
    ends = (4e-3, 1e-2) if norm == "l2" else (1e-4, 4e-4)
    risks = [least_risk(index**-a, index**-b, radius, norm) for radius in ends]
    slopes.append(np.log(risks[1] / risks[0]) / np.log(ends[1] / ends[0]))

# %%
# Claim beside measurement
# ------------------------
for norm, (free, collapse) in thresholds.items():
    inside = [0.98 * free, 1.02 * free, 0.98 * collapse, 1.02 * collapse]
    paid = robustness_accuracy_tradeoff(coef, covariance, inside, norm=norm).optimal_clean_excess
    print(f"{norm}: free up to {free:.4f}, collapse at {collapse:.4f}")
    print(f"  share of accuracy paid 2 % before/after each: {np.round(np.sqrt(paid / size), 4)}")
paid = {noise: round(float(phase[0]), 4) for noise, phase in phases.items()}
print("accuracy paid at the smallest radius by noise (claim: any noise ends the free phase):", paid)
for (norm, a, b), slope in zip(cases, slopes):
    claim = power_law_risk_exponent(a, b, norm)
    print(f"exponent {norm} a={a} b={b}: claim {claim:.3f}, measured {slope:.3f}")

"""
One percent of synthetic rows stops the learning curve
======================================================

Strong Model Collapse (Dohmatob, Feng, Subramonian, Kempe, 2024) claims that the smallest constant
share of synthetic rows stops a model from improving: more data of the same mixture reaches a floor,
the squared share times the error c^2 of the synthetic labels, which only a vanishing weight of the
synthetic rows removes. We redraw the curve for ridge regression, by theory and by simulation, and
let :class:`~skparietal.SyntheticMixRidge` find the weight. Smaller than in the paper: 30 features,
up to 30,000 rows, linear models only.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from skparietal import SyntheticMixRidge
from skparietal.datasets import make_mixed_regression
from skparietal.theory import iterative_mixing_risk, mix_risk, strong_collapse_floor

# %%
# Data
# ----
# The source of the synthetic labels is badly off: its excess risk is 20 times the variance of the
# labels' noise. It labels 1 % of the rows.
D, SHARE, C2, NOISE = 30, 0.01, 5.0, 0.25
sizes = np.array([300, 1_000, 3_000, 10_000, 30_000])


def draw(n_samples, seed):
    n_synthetic = round(SHARE * n_samples)
    return make_mixed_regression(
        n_samples - n_synthetic,
        n_synthetic,
        D,
        shift_error=C2,
        noise_variance_real=NOISE,
        return_truth=True,
        random_state=seed,
    )


def excess_risk(model, truth):
    return np.sum(truth.spectrum * (model.coef_ - truth.coef) ** 2)


# %%
# Theory
# ------
# The risk with no, 1 % and 10 % synthetic rows, a hardly regularised ridge, up to ten million rows.
spectrum, coef, shift = np.ones(D), np.full(D, D**-0.5), np.full(D, C2 / D)
n = np.logspace(2.5, 7, 40)
theory = {
    share: [
        mix_risk(
            spectrum, coef, shift, (1 - share) * m, share * m, 1e-6, noise_variance_real=NOISE
        ).total
        for m in n
    ]
    for share in (0.0, 0.01, 0.1)
}

# %%
# Estimators
# ----------
# All rows alike, and the estimator that weighs the synthetic rows, on the same draws.
simulated = np.empty((len(sizes), 2, 5))
for i, n_samples in enumerate(sizes):
    for seed in range(simulated.shape[2]):
        X, y, synthetic, truth = draw(n_samples, seed)
        alike = Ridge(1e-6 * n_samples).fit(X, y)
        weighed = SyntheticMixRidge().fit(X, y, synthetic=synthetic)
        simulated[i, :, seed] = excess_risk(alike, truth), excess_risk(weighed, truth)
means = simulated.mean(axis=2)

# %%
# Figure
# ------
# Redrawing the synthetic labels from the last fit, as the paper proposes, multiplies the floor by
# the squared share again in every round.
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for share, curve in theory.items():
    left.loglog(n, curve, label=f"theory, {share:.0%} synthetic")
    left.axhline(strong_collapse_floor(C2, 1 - share, share) or np.nan, color="0.7", lw=0.8)
left.loglog(sizes, means[:, 0], "o", color="C1", label="1 % synthetic, all rows alike")
left.loglog(sizes, means[:, 1], "s", color="C2", mfc="none", label="1 %, SyntheticMixRidge")
left.set(xlabel="number of rows", ylabel="excess risk", title="Learning curves and their floors")
left.legend(fontsize=8)
rounds = {
    share: iterative_mixing_risk(
        spectrum, coef, shift, (1 - share) * 1e5, share * 1e5, 1e-6, 5, noise_variance_real=NOISE
    )
    for share in (0.1, 0.5)
}
for share, risks in rounds.items():
    right.semilogy(range(1, 6), risks, "o-", label=f"{share:.0%} synthetic")
right.axhline(NOISE * D / 1e5, color="0.5", ls=":", label="real rows alone")
right.set(xlabel="round of relabelling", title="Iterative mixing, 100,000 rows a round")
right.legend(fontsize=8)

# %%
# What we see
# -----------
# The curve with 1 % synthetic rows flattens at the floor, while the real rows alone go on at 1/n.
floor = strong_collapse_floor(C2, 1 - SHARE, SHARE)
predicted = mix_risk(
    spectrum,
    coef,
    shift,
    (1 - SHARE) * sizes[-1],
    SHARE * sizes[-1],
    1e-6,
    noise_variance_real=NOISE,
).total
print(f"Claim: with 1 % synthetic rows the risk never falls below {floor:.2e}.")
print(
    f"Theory at {n[-1]:.0e} rows: {theory[0.01][-1]:.2e}, without synthetic {theory[0.0][-1]:.2e}"
)
print(f"Measured at {sizes[-1]} rows, all alike: {means[-1, 0]:.2e} (theory {predicted:.2e})")
print(f"Measured at {sizes[-1]} rows, SyntheticMixRidge: {means[-1, 1]:.2e}")
print(
    f"A round of relabelling divides the risk by {rounds[0.5][0] / rounds[0.5][1]:.2f} (claim: 4)"
)

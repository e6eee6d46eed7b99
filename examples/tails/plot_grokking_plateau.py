"""
A little real data: first a plateau, then the tail is learned after all
=======================================================================

Redraws Theorem 3.2 of "A Tale of Tails" (Dohmatob, Feng, Yang, Charton, Kempe, 2024): a share pi of
real rows among rows of a generator that cuts the tail at rank k gives a learning curve in three
phases, with a plateau from about k^beta to k^beta / pi rows. The constants are derived here.
Smaller here: up to ten million rows of a memory, one beta.
"""

# %%
# Simulation over theory
# ----------------------
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import zeta

from skparietal import ScalingLawRegressor, theory
from skparietal.datasets import make_zipf_associations

BETA, CUT = 1.5, 30
shares = (0.1, 0.01, 0.001)
sizes = np.logspace(2, 7, 11).astype(int)


def error(n, share, seed):
    items, _ = make_zipf_associations(n, beta=BETA, cut=CUT, real_fraction=share, random_state=seed)
    return 1 - np.sum(np.unique(items).astype(float) ** -BETA) / zeta(BETA)


measured = {}
for share in shares:
    runs = [[error(n, share, seed) for n in sizes if n <= 1e6] for seed in range(5)]
    measured[share] = np.append(
        np.mean(runs, axis=0), [error(n, share, 0) for n in sizes if n > 1e6]
    )

# %%
# Reading the curve
# -----------------
# `ScalingLawRegressor` finds the bend, the real share and the exponent from the measurements.
fits = {
    share: ScalingLawRegressor("mixed").fit(sizes[:, None], measured[share]) for share in shares
}

# %%
# Figure
# ------
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
grid = np.logspace(2, 9, 300)
for color, share in enumerate(shares):
    ax.loglog(grid, theory.mixed_error(grid, BETA, CUT, share), f"C{color}", label=f"pi = {share}")
    ax.loglog(sizes, measured[share], f"C{color}o", markersize=4)
    _, start, end = theory.grokking_plateau(BETA, CUT, share)
    ax.axvspan(start, end, color=f"C{color}", alpha=0.08)
ax.loglog(grid, theory.clean_error(grid, BETA), "k:", label="real rows only")
ax.set(xlabel="training rows", ylabel="error of the memory")
ax.legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
for share in shares:
    height, start, end = theory.grokking_plateau(BETA, CUT, share)
    law = theory.mixed_error(grid, BETA, CUT, share)
    slope = -np.gradient(np.log(law), np.log(grid))
    flat = grid[slope < (1 - 1 / BETA) / 2]
    seen = f"{flat[0]:.1e} to {flat[-1]:.1e}" if flat.size else "nowhere"
    ratio = measured[share] / theory.mixed_error(sizes, BETA, CUT, share)
    print(f"pi = {share}: claim: plateau {height:.3f} from {start:.1e} to {end:.1e} rows")
    print(f"  local slope below c/2: {seen}; simulation/theory {ratio.min():.3f}-{ratio.max():.3f}")
    print(
        f"  fitted to the measurements: c {fits[share].exponent_:.3f} (true {1 - 1 / BETA:.3f}), "
        f"bend at {fits[share].saturation_size_:.2g} rows, "
        f"real share {fits[share].params_['real_fraction']:.2g}"
    )

"""
Several average rewards and one concave goal
============================================

Do, Dohmatob, Pirotta, Lazaric and Usunier (2023) play a contextual bandit on the gradient of a
concave function of the average rewards, and show that the regret vanishes like the inverse square
root of the rounds. Redrawn here for a log welfare and a generalised Gini, against a bandit on the
mean reward and one on the welfare of each single reward. Smaller than theirs: simulated contexts,
ten actions, four rewards, 10,000 rounds and 8 seeds.
"""

# %%
# The environment
# ---------------
# Every action earns mostly one of four rewards; two of them are five times easier to earn than the
# others. The optimum is known: a mixture of policies, found to a certified gap.
import matplotlib.pyplot as plt
import numpy as np

from skparietal import ConcaveRewardBandit
from skparietal.objectives import AlphaFair, GeneralizedGini
from skparietal.plotting import RegretCurveDisplay
from skparietal.simulation import ScalarizedBandit, make_concave_bandit, simulate

environment = make_concave_bandit(n_actions=10, n_rewards=4, n_features=6, random_state=0)
goals = {
    "log welfare": AlphaFair(alpha=0.0, eta=0.05),
    "generalised Gini": GeneralizedGini(weights=[8 / 15, 4 / 15, 2 / 15, 1 / 15]),
}

# %%
# Bandits
# -------
# The bandits of the paper see the goal through its gradient at the average so far. The baselines
# are the same LinUCB, on the mean of the rewards ("greedy") and on the goal of each single reward
# vector ("scalarised"); they need no more than 3,000 rounds to show where they end.
runs = {name: {} for name in goals}
for name, goal in goals.items():
    best = environment.optimum(goal).value
    mean = ConcaveRewardBandit("mean", model="shared")
    bandits = {
        "FW-LinUCB": (ConcaveRewardBandit(goal, model="shared"), 10_000),
        "FW-SquareCB": (ConcaveRewardBandit(goal, model="shared", base="squarecb"), 10_000),
        "greedy": (mean, 3000),
        "scalarised": (ScalarizedBandit(mean, goal), 3000),
    }
    for label, (bandit, n_rounds) in bandits.items():
        rounds = np.unique(np.r_[np.geomspace(10, n_rounds, 25).astype(int), 3000])
        runs[name][label] = simulate(
            bandit, environment, n_rounds, objective=goal, optimum=best, seeds=8, record=rounds
        )

# %%
# Regret
# ------
# Bands are standard errors over the seeds, slopes are fitted from round 200 on.
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
displays = {}
for ax, (name, curves) in zip(axes, runs.items()):
    displays[name] = RegretCurveDisplay.from_runs(curves, since=200, ax=ax)
    ax.set_title(name)

# %%
# What we see
# -----------
# The baselines stay where they are; the bandits with a gradient keep improving.
print("claim: regret of order T^-1/2 for concave goals; no fixed scalar reward gets there")
for name, display in displays.items():
    at = {label: np.flatnonzero(runs[name][label].rounds == 3000)[0] for label in runs[name]}
    final = {label: display.mean_[label][i] for label, i in at.items()}
    error = {label: display.standard_error_[label][i] for label, i in at.items()}
    print(f"\n{name}: regret after 3,000 rounds (standard error), slope from round 200 on")
    for label in runs[name]:
        print(
            f"  {label:12s} {final[label]:.4f} ({error[label]:.4f})  {display.slopes_[label]:+.2f}"
        )
    ratio = min(final["greedy"], final["scalarised"]) / final["FW-LinUCB"]
    print(f"  the better baseline has {ratio:.0f} times the regret of FW-LinUCB")

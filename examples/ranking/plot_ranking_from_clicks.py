"""
A fair ranking learned from clicks
==================================

Do, Dohmatob, Pirotta, Lazaric and Usunier (2023) apply their bandit to ranking: relevance is
unknown and learned from clicks while the exposure of the items is shared. Redrawn here on movies,
with users and relevance taken from MovieLens ratings. Smaller than theirs: the 50 movies rated
most, simulated clicks, 6,000 rankings of ten, 8 seeds.
"""

# %%
# Users, movies, clicks
# ---------------------
# A bandit sees six numbers about a user: a constant and five components of the ratings of the 350
# movies rated most. The click probabilities of the first 50 come from a logistic regression of
# "rated four stars or more" on these numbers: the truth is known, and close to linear.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skparietal import ConcaveRankingBandit
from skparietal.datasets import load_movielens
from skparietal.exposure import check_position_weights
from skparietal.metrics import gini_index
from skparietal.objectives import TwoSidedWelfare
from skparietal.plotting import RegretCurveDisplay
from skparietal.simulation import ClickEnvironment, simulate

ratings = load_movielens()
popular = np.argsort(-np.bincount(ratings.item), kind="stable")[:350]
stars = np.zeros((ratings.user.max() + 1, ratings.item.max() + 1))
stars[ratings.user, ratings.item] = ratings.rating
stars = stars[:, popular]

tastes = make_pipeline(PCA(5, random_state=0), StandardScaler()).fit_transform(stars)
liked = stars[:, :50] >= 4
relevance = np.stack(
    [LogisticRegression().fit(tastes, column).predict_proba(tastes)[:, 1] for column in liked.T],
    axis=1,
)
# rows of about unit norm, the scale that the default exploration is made for
contexts = np.column_stack([np.ones(len(tastes)), tastes]) / np.sqrt(6)
environment = ClickEnvironment(contexts, relevance, check_position_weights("dcg", 10))
print(f"{len(contexts)} users, {relevance.shape[1]} movies, mean relevance {relevance.mean():.2f}")

# %%
# Bandits
# -------
# The goal is the utility plus half the mean square root of the movies' exposures. The baseline is
# the same bandit without the exposures.
bandit = ConcaveRankingBandit(
    TwoSidedWelfare(item_alpha=0.5, eta=0.05), n_items=50, beta=0.5, top_k=10
)
goal = environment.goal(bandit)
best = environment.optimum(goal)
runs = {
    label: simulate(
        bandit.set_params(beta=beta),
        environment,
        6000,
        objective=goal,
        optimum=best.value,
        seeds=8,
        record=np.geomspace(50, 6000, 20).astype(int),
    )
    for label, beta in {"FW-LinUCBRank": 0.5, "relevance only": 0.0}.items()
}

# %%
# Regret, and who is shown
# ------------------------
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
display = RegretCurveDisplay.from_runs(runs, since=200, ax=left)
shown = {label: run.mean_reward[:, -1, :-1].mean(axis=0) for label, run in runs.items()}
shown["optimum"] = best.mean_reward[:-1]
for label, exposure in shown.items():
    right.plot(np.sort(exposure)[::-1], label=f"{label} (Gini {gini_index(exposure):.2f})")
right.set(xlabel="movies, the most shown first", ylabel="mean exposure")
right.legend()

# %%
# What we see
# -----------
print("claim: the bandit learns relevance and shares exposure at once, with vanishing regret")
print(f"optimum {best.value:.3f} (certified gap {best.gap:.0e}); after 6,000 rankings:")
for label, run in runs.items():
    utility = run.mean_reward[:, -1, -1].mean()
    print(
        f"  {label:15s} regret {display.mean_[label][-1]:.4f}"
        f" ({display.standard_error_[label][-1]:.4f}), slope {display.slopes_[label]:+.2f},"
        f" utility {utility:.3f}, Gini {gini_index(shown[label]):.2f}"
    )
print(
    f"  {'optimum':15s} utility {best.mean_reward[-1]:.3f}, Gini {gini_index(shown['optimum']):.2f}"
)

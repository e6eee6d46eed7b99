"""
What fair exposure costs, and who can do it cheaper
===================================================

Usunier, Do and Dohmatob (2022) compare their online algorithm with FairCo, the controller of Morik
and others (2020), and with simple baselines. Redrawn on ratings of lecturers: a two-sided welfare
against a static popularity penalty and sampled noise, and exposure in proportion to merit against
FairCo. Smaller than theirs: 2,972 users, four passes.
"""

# %%
# Relevance
# ---------
import matplotlib.pyplot as plt
import numpy as np

from skparietal import FairRankingFW
from skparietal.datasets import load_insteval, reconstruct_ratings
from skparietal.exposure import add_exposure, check_position_weights, topk_rows
from skparietal.metrics import exposure_merit_gap, gini_index, item_exposure, user_utility
from skparietal.plotting import FairnessTradeoffDisplay, LorenzCurveDisplay

X, lecturers = reconstruct_ratings(load_insteval())
n_users, n_items = X.shape
merit = X.mean(axis=0)
best = user_utility(X, topk_rows(X, 10)).mean()


def fit(beta, objective="welfare"):
    model = FairRankingFW(objective, beta=beta, max_iter=4, tol=0, random_state=0)
    return model.fit(X)


# %%
# Baselines
# ---------
# A static penalty subtracts the popularity of each item from its relevance once and for all.
# Noise of Gumbel's law ranks as the Plackett-Luce model does. FairCo adds to the relevance the
# exposure per merit that an item is behind, cumulated over the users so far.
def measured(rankings, unfairness):
    return unfairness(item_exposure(rankings, n_items)), user_utility(X, rankings).mean() / best


def penalised(strength):
    return topk_rows(X - strength * merit / merit.max(), 10)


def noisy(scale):
    rng = np.random.default_rng(0)
    return topk_rows(X + scale * rng.gumbel(size=X.shape), 10)


def fairco(strength, n_passes=4):
    rng = np.random.default_rng(0)
    weights, mass = check_position_weights("dcg", 10), np.zeros((1, n_items))
    rankings = np.empty((n_passes, n_users, 10), dtype=int)
    for number in range(n_passes):
        for user in rng.permutation(n_users):
            per_merit = mass[0] / merit
            scores = X[user] + strength * (per_merit.max() - per_merit)
            rankings[number, user] = topk_rows(scores[None], 10)[0]
            add_exposure(mass, rankings[number, [user]], weights)
    return rankings


# %%
# Equal exposure
# --------------
betas = [0.01, 0.03, 0.1, 0.3, 1.0]
welfare = [fit(beta) for beta in betas]
points = {
    "two-sided welfare": [
        (gini_index(m.item_exposure_), m.user_utility_.mean() / best) for m in welfare
    ],
    "popularity penalty": [measured(penalised(s), gini_index) for s in (0.05, 0.1, 0.2, 0.4, 0.8)],
    "sampled noise": [measured(noisy(s), gini_index) for s in (0.01, 0.02, 0.05, 0.1, 0.2)],
}
curves = {name: tuple(np.transpose(pairs)) for name, pairs in points.items()}
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
FairnessTradeoffDisplay.from_points(
    curves, labels=("Gini index of exposure", "utility, relevance = 1"), ax=axes[0]
)
LorenzCurveDisplay.from_estimators(
    {f"beta {model.beta}": model for model in welfare[1::2]}, ax=axes[1]
)

# %%
# Exposure in proportion to merit
# -------------------------------
gap = lambda exposure: exposure_merit_gap(exposure, merit)  # noqa: E731
quality = [fit(beta, "quality") for beta in (0.01, 0.03, 0.1, 0.3)]
merit_points = {
    "quality-weighted": [(gap(m.item_exposure_), m.user_utility_.mean() / best) for m in quality],
    "FairCo": [measured(fairco(strength), gap) for strength in (1e-6, 1e-5, 1e-4)],
}
merit_curves = {name: tuple(np.transpose(pairs)) for name, pairs in merit_points.items()}
FairnessTradeoffDisplay.from_points(
    merit_curves, labels=("distance of exposure from merit", "utility, relevance = 1")
)


# %%
# The claims beside what was measured
# -----------------------------------
def utility_of_ours(curve, unfairness):
    """Utility of our curve at a given unfairness, by interpolation."""
    order = np.argsort(curve[0])
    return np.interp(unfairness, curve[0][order], curve[1][order])


print("claim: at equal Gini index, more utility than both baselines")
for name in ("popularity penalty", "sampled noise"):
    inside = curves[name][0] >= curves["two-sided welfare"][0].min()
    ahead = utility_of_ours(curves["two-sided welfare"], curves[name][0]) - curves[name][1]
    print(f"ahead of {name} by", np.round(ahead[inside], 3), "in utility")
print("expected against FairCo: about the same frontier; FairCo's weight grows with time, so that")
print("its strength sets how fast it gets to proportionality and not where it stops")
fair = merit_curves["FairCo"]
print(
    "ahead of FairCo by",
    np.round(utility_of_ours(merit_curves["quality-weighted"], fair[0]) - fair[1], 3),
)

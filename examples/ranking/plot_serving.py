"""
Serving: what predict loses and sample keeps
============================================

The best policy of Usunier, Do and Dohmatob (2022) is random: exposure is shared because the same
users see different lists. Here a policy fitted on half of the users serves the other half, by one
fixed list each (`predict`), by draws (`sample`), or by going on learning (`partial_fit_predict`).
This is our comparison, not a figure of the paper; relevance is a low-rank reconstruction.
"""

# %%
# Fit on half of the users
# ------------------------
import matplotlib.pyplot as plt
import numpy as np

from skparietal import FairRankingFW
from skparietal.datasets import load_insteval, reconstruct_ratings
from skparietal.metrics import gini_index, item_exposure, user_utility

X, _ = reconstruct_ratings(load_insteval())
n_items = X.shape[1]
order = np.random.default_rng(0).permutation(len(X))
seen, unseen = X[order[: len(X) // 2]], X[order[len(X) // 2 :]]
model = FairRankingFW(beta=0.1, max_iter=16, tol=0, random_state=0).fit(seen)
full = FairRankingFW(beta=0.1, max_iter=16, tol=0, n_stored=1000, random_state=0).fit(seen)


# %%
# Serve the other half
# --------------------
# The objective of what is shown: mean relative utility, plus beta times the welfare of the items.
def value(rankings):
    attention = model.position_weights_.sum()
    relative = item_exposure(rankings, n_items) * n_items / attention
    utility = user_utility(unseen, rankings).mean() / attention
    return utility + model.beta * np.sqrt(relative + 0.01).mean()


stored, n_stored = model.score(unseen), len(model.bonus_weights_)
greedy = FairRankingFW(beta=0).fit(seen).predict(unseen)
frozen = model.bonus_path_[-1, 0]
shown = {
    "by relevance": greedy,
    "last bonus, one list": FairRankingFW(beta=0).fit(seen).predict(unseen + frozen),
    "predict, one list": model.predict(unseen),
    "sample, one draw": model.sample(unseen, 1, random_state=0),
    "sample, 30 draws": model.sample(unseen, 30, random_state=0),
    "partial_fit_predict": model.partial_fit_predict(unseen),
}
base, best = value(greedy), full.score(unseen)
kept = {name: (value(rankings) - base) / (best - base) for name, rankings in shown.items()}

figure, ax = plt.subplots(layout="constrained")
ax.barh(list(kept), list(kept.values()))
ax.axvline(1, color="black", linestyle=":")
ax.set(xlabel="share kept of the gain of the whole policy over ranking by relevance")

# %%
# The expectation beside what was measured
# ----------------------------------------
print(
    "expected on users that the fit has not seen: predict keeps at least half of the gain, sample"
)
print("at least nine tenths; the last bonus, frozen, keeps less than the mean that predict uses")
for name, share in kept.items():
    gini = gini_index(item_exposure(shown[name], n_items))
    print(f"{name:<22} keeps {share:6.2f}   Gini index of exposure {gini:.3f}")
print(f"the {n_stored} stored bonuses keep {(stored - base) / (best - base):.2f} in expectation")

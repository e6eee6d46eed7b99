"""
The same exposure in every user group
=====================================

Usunier, Do and Dohmatob (2022) also balance the exposure of every item between groups of users, as
for a job that men and women should see alike. Redrawn on lecturers and students: junior and senior
students are to be shown the same lecturers. Smaller than theirs: 2,972 users and two groups; and
exposure is shared between departments as well.
"""

# %%
# Students in two groups
# ----------------------
import matplotlib.pyplot as plt
import numpy as np

from skparietal import FairRankingFW
from skparietal.datasets import load_insteval, reconstruct_ratings
from skparietal.metrics import group_exposure_gap, min_max_ratio

ratings = load_insteval()
X, lecturers = reconstruct_ratings(ratings)
semester = ratings.frame.groupby("s")["studage"].first().to_numpy()
seniority = np.where(semester <= 4, "junior", "senior")
print({str(name): int(n) for name, n in zip(*np.unique(seniority, return_counts=True))})

# %%
# Balance against utility
# -----------------------
# With beta 0 the two groups see different lecturers, since they attend different lectures.
betas = [0.0, 0.03, 0.1, 0.3]
balanced = [
    FairRankingFW("balanced", beta=beta, max_iter=16, tol=0, random_state=0).fit(
        X, user_groups=seniority
    )
    for beta in betas
]
gaps = [group_exposure_gap(model.group_exposure_) for model in balanced]
utility = np.array([model.user_utility_.mean() for model in balanced])

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, model in zip(axes, (balanced[0], balanced[-1])):
    ax.plot(*model.group_exposure_, ".", markersize=3)
    ax.axline((0, 0), slope=1, color="black", linestyle=":")
    ax.set(xscale="symlog", yscale="symlog", title=f"beta {model.beta}")
    ax.set(xlabel="exposure among juniors (1: equal share)", ylabel="among seniors")

# %%
# Departments
# -----------
# Groups of items need no other method: exposure is shared between departments, and relevance
# decides within them.
departments = ratings.item_groups[lecturers]
plain, shared = (
    FairRankingFW(beta=beta, item_groups=departments, max_iter=16, tol=0, random_state=0).fit(X)
    for beta in (0.0, 0.3)
)

# %%
# The claim beside what was measured
# ----------------------------------
print("claim: exposure is balanced between user groups at a moderate cost in utility")
for beta, gap, ratio in zip(betas, gaps, utility / utility[0]):
    print(f"beta {beta:<5} difference between groups {gap:.3f}   utility {ratio:.3f}")
print("least over most exposed department, relative to size:")
for name, model in (("by relevance", plain), ("shared", shared)):
    kept = model.user_utility_.mean() / plain.user_utility_.mean()
    print(f"{name:<13} {min_max_ratio(model.group_exposure_[0]):.2f}   utility {kept:.3f}")

"""
How much would more data help? Learning curves with intervals
=============================================================

A learning curve of any scikit-learn estimator, extrapolated beyond the data at hand: does it level
off, and what would more rows bring? The laws are those of "A Tale of Tails" (Dohmatob, Feng, Yang,
Charton, Kempe, 2024) and hold for memories of heavy-tailed facts; for the smooth learners here the
law is a fit, not theory. The largest sizes are held back to test it. Not a figure of the paper.
"""

# %%
# Four learning curves
# --------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skparietal import ScalingLawRegressor, TailMemoryClassifier
from skparietal.datasets import make_zipf_associations
from skparietal.plotting import ScalingLawDisplay

digits = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
features = rng.normal(size=(12_000, 30))
linear = features, features[:, 0] + 0.7 * rng.normal(size=12_000) > 0
facts = make_zipf_associations(60_000, n_classes=20, random_state=0)
problems = {
    "memory, heavy-tailed facts": (TailMemoryClassifier(), facts),
    "logistic regression, noisy line": (LogisticRegression(), linear),
    "naive Bayes, digits": (GaussianNB(var_smoothing=1e-2), digits),
    "nearest neighbours, digits": (KNeighborsClassifier(1), digits),
}
curves = {}
for name, (model, (X, y)) in problems.items():
    sizes, _, scores = learning_curve(
        model,
        X,
        y,
        train_sizes=np.geomspace(0.02, 1, 14),
        cv=ShuffleSplit(12, test_size=0.25, random_state=0),
    )
    curves[name] = sizes, scores

# %%
# Fit on the smaller sizes, test on the larger
# --------------------------------------------
# The four largest sizes (over three times the largest size used) are not shown to the law.
HELD_BACK = 4
fits = {
    name: ScalingLawRegressor.from_learning_curve(
        sizes[:-HELD_BACK], scores[:-HELD_BACK], n_bootstrap=300
    )
    for name, (sizes, scores) in curves.items()
}

# %%
# Figure
# ------
# Points beyond the coloured ones were held back; the band is the 90 % interval of the law.
fig, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for ax, (name, (sizes, scores)) in zip(axes.ravel(), curves.items()):
    errors = 1 - scores.mean(axis=1)
    ScalingLawDisplay.from_estimator(
        fits[name], sizes[:-HELD_BACK, None], errors[:-HELD_BACK], extrapolate=30, ax=ax
    )
    ax.plot(sizes[-HELD_BACK:], errors[-HELD_BACK:], "ks", markersize=4, label="held back")
    ax.set_title(name)
    ax.legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
print("claim: the law of the smaller sizes foretells the error at over three times as many rows")
for name, (sizes, scores) in curves.items():
    law, last = fits[name], np.array([[sizes[-1]]], dtype=float)
    low, high = law.predict_interval(last)
    seen, spread = 1 - scores[-1].mean(), scores[-1].std(ddof=1) / np.sqrt(scores.shape[1])
    inside = low[0] - 2 * spread <= seen <= high[0] + 2 * spread
    print(
        f"  {name:32s} {law.law_:16s} foretold {law.predict(last)[0]:.4f} "
        f"[{low[0]:.4f}, {high[0]:.4f}], seen {seen:.4f} +- {spread:.4f}"
        f"{'' if inside else '  (outside)'}"
    )
memory = TailMemoryClassifier().fit(*facts)
print(
    f"exponent of the memory's curve: fitted {fits['memory, heavy-tailed facts'].exponent_:.3f}, "
    f"from singletons {memory.scaling_exponent_:.3f}, theory {1 / 3:.3f}"
)

"""
Quickstart: each estimator beside the default
=============================================

Every estimator of skparietal is made for a threat that scikit-learn's defaults do not see. Here
each one meets its threat on real data that ships in installed packages, beside the estimator that
one would pick otherwise. The script ends with one table (question, data, metric, default, ours) and
one figure.
"""

# %%
from collections import namedtuple

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skparietal import AdaptiveRidgeCollapse

Row = namedtuple("Row", "question data metric default ours higher_is_better", defaults=[False])
table = []

# %%
# My labels were made by a fitted model: how strongly must I regularise?
# ----------------------------------------------------------------------
# A least-squares model learns from 140 patients and labels 140 others, its own noise included.
# Both ridges see only those made labels; the error is taken against the real labels of the rest, in
# units of the variance of the target, over 20 splits.
X, y = load_diabetes(return_X_y=True)
X = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler()).fit_transform(X)
alphas = np.logspace(-3, 5, 60)
candidates = {
    "default": RidgeCV(alphas),
    "ours": AdaptiveRidgeCollapse(alphas, n_generations=1, generator_n_samples=140),
}
errors = {name: [] for name in candidates}
for first, second in ShuffleSplit(20, train_size=140, random_state=0).split(X):
    old, new = first, second[:140]
    generator = LinearRegression().fit(X[old], y[old])
    residuals = y[old] - generator.predict(X[old])
    residuals *= np.sqrt(len(old) / (len(old) - X.shape[1] - 1))
    made = generator.predict(X[new]) + np.random.default_rng(0).choice(residuals, len(new))
    for name, model in candidates.items():
        model.fit(X[new], made)
        error = mean_squared_error(y[second[140:]], model.predict(X[second[140:]])) / y.var()
        errors[name].append(error)
table.append(
    Row(
        "How strongly to regularise on made labels?",
        "diabetes, degree 2",
        "MSE / var(y)",
        *(np.mean(errors[name]) for name in candidates),
    )
)

# %%
# The table
# ---------
# A gain above 1 means that ours is better: the ratio of errors, or of scores.
gains = [
    row.ours / row.default if row.higher_is_better else row.default / row.ours for row in table
]
widths = [max(len(row[column]) for row in table) for column in range(3)]
for row, gain in zip(table, gains):
    words = "  ".join(text.ljust(width) for text, width in zip(row, widths))
    print(f"{words}  default {row.default:8.4g}  ours {row.ours:8.4g}  gain {gain:5.2f}")

# %%
# The figure
# ----------
figure, ax = plt.subplots(figsize=(8, 1 + 0.5 * len(table)), layout="constrained")
ax.barh([f"{row.question}\n{row.data}: {row.metric}" for row in table], gains)
ax.axvline(1, color="black", linewidth=1)
ax.set(xlabel="gain over the default (1: equal)", xscale="log")
ax.invert_yaxis()
plt.show()

"""
A few real labels beside many of an old model
=============================================

Strong Model Collapse (Dohmatob, Feng, Subramonian, Kempe, 2024) studies mixtures of real and
synthetic rows in theory; here are house prices and diamonds. Few rows have their real label, 1,000
have one from a model that learned elsewhere: from a random sample (a good source), from old houses
or small stones (a shifted one), or with its predictions shrunk by half (a biased one). Nobody tells
which. :class:`~skparietal.SyntheticMixRidge` has to beat both ridge on the real rows and ridge on
all rows. Smaller than in the paper: two tables, linear models.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skparietal import SyntheticMixRidge
from skparietal.datasets import load_ames, load_diamonds

# %%
# Data
# ----
# Logarithms of prices, categories one-hot. The shifted source learned from houses built before 1950
# and from stones under half a carat.
encode = make_column_transformer(
    (StandardScaler(), make_column_selector(dtype_include="number")),
    (
        OneHotEncoder(min_frequency=30, sparse_output=False, handle_unknown="ignore"),
        make_column_selector(dtype_exclude="number"),
    ),
)
ames, price = load_ames(return_X_y=True)
stones, cost = load_diamonds(return_X_y=True)
stones, cost = stones.iloc[::10], cost.iloc[::10]  # 5,394 are plenty
tables = {
    "ames": (
        encode.fit_transform(ames),
        np.log(price.to_numpy()),
        (ames["Year_Built"] < 1950).to_numpy(),
    ),
    "diamonds": (
        encode.fit_transform(stones.assign(carat=np.log(stones["carat"]))),
        np.log(cost.to_numpy()),
        (stones["carat"] < 0.5).to_numpy(),
    ),
}

# %%
# Sources of labels
# -----------------
# Each is fitted on 300 rows that are used for nothing else.
ALPHAS = np.logspace(-2, 4, 30)


def source_labels(kind, X, y, elsewhere, pool, learn):
    """Labels for the rows in pool by a model fitted to 300 of the rows in learn."""
    if kind == "shifted":
        learn = learn[elsewhere[learn]]
    fitted = RidgeCV(ALPHAS).fit(X[learn[:300]], y[learn[:300]])
    labels = fitted.predict(X[pool])
    if kind == "biased":
        labels = labels.mean() + 0.5 * (labels - labels.mean())
    return labels


def errors_of_one_split(name, kind, n_real, seed):
    """Test error over the variance of the target, per method, and the learned weight."""
    X, y, elsewhere = tables[name]
    order = np.random.default_rng(seed).permutation(len(X))
    learn, rest = order[: len(X) // 3], order[len(X) // 3 :]
    real, pool, test = rest[:n_real], rest[n_real : n_real + 1000], rest[n_real + 1000 :]
    rows = np.r_[real, pool]
    synthetic = np.arange(len(rows)) >= n_real
    labels = np.r_[y[real], source_labels(kind, X, y, elsewhere, pool, learn)]
    models = {
        "real rows": RidgeCV(ALPHAS).fit(X[real], y[real]),
        "all rows": RidgeCV(ALPHAS).fit(X[rows], labels),
        "ours": SyntheticMixRidge().fit(X[rows], labels, synthetic=synthetic),
        "ours, one pair": SyntheticMixRidge(selection="loo").fit(
            X[rows], labels, synthetic=synthetic
        ),
    }
    errors = [mean_squared_error(y[test], m.predict(X[test])) / y.var() for m in models.values()]
    return errors, models["ours"].synthetic_weight_


# %%
# Five splits of each case
# ------------------------
# The source's labels carry no noise, so that a good source may weigh far more than 1.
names = ["real rows", "all rows", "ours", "ours, one pair"]
cases = [
    (name, kind, n_real)
    for name in tables
    for kind in ("good", "shifted", "biased")
    for n_real in (40, 150)
]
table = {}
for case in cases:
    splits = [errors_of_one_split(*case, seed) for seed in range(5)]
    table[case] = np.mean([errors for errors, _ in splits], axis=0)
    weight = np.median([weight for _, weight in splits])
    print(
        f"{case[0]:9s}{case[1]:8s} real={case[2]:<4d} weight {weight:.3g}  "
        + "  ".join(f"{name} {error:.4f}" for name, error in zip(names, table[case]))
    )

# %%
# Figure
# ------
fig, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
for j, name in enumerate(names):
    ax.semilogy(range(len(cases)), [table[case][j] for case in cases], "os^v"[j], label=name)
ax.set_xticks(range(len(cases)), ["\n".join(map(str, case)) for case in cases], fontsize=8)
ax.set(ylabel="test error / var(y)", title="Mixing real labels with those of an old model")
ax.legend()

# %%
# What we see
# -----------
ratios = np.array([table[case][2:] / table[case][:2].min() for case in cases])
means = np.exp(np.mean(np.log(ratios), axis=0))
print("Claim: near or below the better of ridge on real rows and ridge on all rows, untold which.")
for name, mean, worst in zip(names[2:], means, ratios.max(axis=0)):
    print(f"Measured, {name}: {mean:.2f} times the better one on average, {worst:.2f} at worst")
fixed = [np.mean(np.log([table[c][j] / table[c][:2].min() for c in cases])) for j in (0, 1)]
print(f"Always the real rows: {np.exp(fixed[0]):.2f}; always all rows: {np.exp(fixed[1]):.2f}")

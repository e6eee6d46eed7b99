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
import torch
from sklearn import config_context
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV, SGDClassifier
from sklearn.metrics import mean_squared_error, roc_auc_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, PolynomialFeatures, StandardScaler
from torch import nn

from skparietal import (
    ActivationGraphDetector,
    AdaptiveRidgeCollapse,
    AdversarialRidge,
    AssociativeMemory,
    ConcaveRewardBandit,
    EarlyStoppedRobustGD,
    FairRankingFW,
    FeedbackFilteredClassifier,
    ScalingLawRegressor,
    SyntheticMixRidge,
)
from skparietal.datasets import (
    load_ames,
    load_movielens,
    load_python_topics,
    make_feedback,
    reconstruct_ratings,
)
from skparietal.metrics import gini_index, make_adversarial_scorer
from skparietal.objectives import GeneralizedGini
from skparietal.simulation import gradient_sign_attack

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
# I have a few real labels and many of an old model: how much may those weigh?
# ----------------------------------------------------------------------------
# Houses in Ames: 100 have their sale price, 1,000 a price from a ridge that learned from houses
# built before 1950. The default takes all rows alike; ours gets a mask of the made prices, routed
# through the pipeline. The error is that of the logarithm of the price, over 5 splits.
houses, price = load_ames(return_X_y=True)
y, before_1950 = np.log(price.to_numpy()), (houses["Year_Built"] < 1950).to_numpy()
encoder = make_column_transformer(
    (StandardScaler(), make_column_selector(dtype_include="number")),
    (
        OneHotEncoder(min_frequency=30, sparse_output=False, handle_unknown="ignore"),
        make_column_selector(dtype_exclude="number"),
    ),
)
alphas = np.logspace(-2, 4, 30)
errors = {"default": [], "ours": []}
with config_context(enable_metadata_routing=True):
    for seed in range(5):
        old, new, test = np.split(np.random.default_rng(seed).permutation(len(y)), [1000, 2100])
        old = old[before_1950[old]]
        source = make_pipeline(encoder, RidgeCV(alphas)).fit(houses.iloc[old], y[old])
        made = np.arange(1100) >= 100
        labels = np.where(made, source.predict(houses.iloc[new]), y[new])
        default = make_pipeline(encoder, RidgeCV(alphas)).fit(houses.iloc[new], labels)
        ours = make_pipeline(encoder, SyntheticMixRidge().set_fit_request(synthetic=True))
        ours.fit(houses.iloc[new], labels, synthetic=made)
        for name, model in (("default", default), ("ours", ours)):
            error = mean_squared_error(y[test], model.predict(houses.iloc[test])) / y.var()
            errors[name].append(error)
table.append(
    Row(
        "How much may synthetic rows weigh?",
        "Ames houses, old model",
        "MSE / var(y)",
        *(np.mean(errors[name]) for name in ("default", "ours")),
    )
)

# %%
# My decisions earn several rewards: is one of them left behind?
# --------------------------------------------------------------
# A user of MovieLens comes, one of 30 movies is shown, and a rating of four stars or more is a
# click for every genre of the movie, out of four. A bandit on the mean reward serves two genres and
# starves the others; one on the worst average shares, at a price in the mean that is printed.
ratings = load_movielens()
popular = np.argsort(-np.bincount(ratings.item), kind="stable")[:300]
stars = np.zeros((len(ratings.user_ids), len(ratings.item_ids)))
stars[ratings.user, ratings.item] = ratings.rating
clicks, seen = stars[:, popular[:30]] >= 4, stars[:, popular[30:]]
movies = ratings.frame.drop_duplicates("movieId").sort_values("movieId")
kinds = [set(text.split("|")) for text in movies["genres"].to_numpy()[popular[:30]]]
genres = np.array(
    [[g in kind for g in ("Animation", "Comedy", "Crime", "Sci-Fi")] for kind in kinds]
)
X = make_pipeline(PCA(5, random_state=0), StandardScaler()).fit_transform(seen)
X = np.column_stack([np.ones(len(X)), X]) / np.sqrt(6)
averages = {}
for name, goal in {"default": "mean", "ours": GeneralizedGini([1.0, 0.0, 0.0, 0.0])}.items():
    averages[name] = []
    for seed in range(3):
        bandit = ConcaveRewardBandit(goal, actions=range(30), random_state=seed)
        for user in np.random.default_rng(seed).integers(len(X), size=4000):
            movie = bandit.act(X[[user]])
            bandit.update(X[[user]], movie, clicks[user, movie, None] * genres[movie])
        averages[name].append(bandit.mean_reward_)
print({name: np.mean(rewards, axis=0).round(3) for name, rewards in averages.items()})
table.append(
    Row(
        "Several rewards online: is one left behind?",
        "MovieLens, 4 genres",
        "worst average reward",
        *(np.mean(np.min(averages[name], axis=1)) for name in ("default", "ours")),
        higher_is_better=True,
    )
)

# %%
# A model labelled my rows and is often wrong: which labels may I keep?
# ---------------------------------------------------------------------
# Digits are labelled by a model that saw 40 images. Somebody glances at every label, lets 90 % of
# the right ones pass and 20 % of the wrong ones, and checks 100 images for certain. Both
# classifiers get the made labels and the 100 true ones; accuracy is taken on the rest, over 10
# splits.
X, y = load_digits(return_X_y=True)
X, n_made = X / 16, 1200
accuracies = {"default": [], "ours": []}
for seed in range(10):
    order = np.random.default_rng(seed).permutation(len(y))
    old, new, test = np.split(order, [40, 40 + n_made])
    generator = LogisticRegression(max_iter=1000).fit(X[old], y[old])
    bounds = generator.predict_proba(X[new]).cumsum(axis=1)[:, :-1]
    draws = np.random.default_rng(seed).random((n_made, 1))
    made = generator.classes_[(draws >= bounds).sum(axis=1)]
    verdicts = make_feedback(y[new], made, phi=0.9, psi=0.2, random_state=seed)
    checked = np.where(np.arange(n_made) < 100, y[new], np.nan)
    default = LogisticRegression(max_iter=1000)
    default.fit(X[new], np.where(np.isnan(checked), made, checked))
    ours = FeedbackFilteredClassifier().fit(X[new], made, feedback=verdicts, y_verified=checked)
    accuracies["default"].append(default.score(X[test], y[test]))
    accuracies["ours"].append(ours.score(X[test], y[test]))
table.append(
    Row(
        "Which made labels to keep?",
        "digits",
        "accuracy",
        *(np.mean(accuracies[name]) for name in ("default", "ours")),
        higher_is_better=True,
    )
)

# %%
# I rank for many users: are most items never shown?
# --------------------------------------------------
# Ten of the 800 movies rated most are ranked for each user of MovieLens, by a low-rank relevance.
# The default sorts by it. Ours adds the bonus that makes the exposure of the movies less unequal,
# with the weight that keeps 97 % of the utility, which is printed.
X = reconstruct_ratings(ratings, n_items=800)[0]
path = [
    FairRankingFW(beta=beta, max_iter=8, tol=0, random_state=0).fit(X)
    for beta in (0.0, 0.02, 0.05, 0.1, 0.2)
]
kept = [model.user_utility_.mean() / path[0].user_utility_.mean() for model in path]
fair = [model for model, share in zip(path, kept) if share >= 0.97][-1]
print(f"beta {fair.beta} keeps {kept[path.index(fair)]:.3f} of the utility")
table.append(
    Row(
        "Is exposure shared?",
        "MovieLens, 97 % of utility",
        "Gini of exposure",
        *(gini_index(model.item_exposure_) for model in (path[0], fair)),
    )
)

# %%
# I must remember heavy-tailed facts in a fixed number of floats: how many survive?
# ---------------------------------------------------------------------------------
# Which of 100 frequent words follows a word in Python's manual, in 128^2 floats. The default hashes
# the words into as many weights of a linear model. A table of all 5,000 words would know more.
words = np.array(" . ".join(load_python_topics(80, min_words=1)[0]).lower().split())
vocabulary, counts = np.unique(words, return_counts=True)
frequent = np.isin(words[1:], vocabulary[np.argsort(-counts)[:100]])
X, y = words[:-1][frequent, None], words[1:][frequent]
test, train = np.split(np.random.default_rng(0).permutation(len(y)), [len(y) // 5])
hasher = FeatureHasher(128**2 // 100, input_type="string", alternate_sign=False)
default = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=3, tol=None, random_state=0)
default.fit(hasher.transform(X[train]), y[train])
ours = AssociativeMemory(128, solver="passive-aggressive", random_state=0).fit(X[train], y[train])
table.append(
    Row(
        "What fits into few floats?",
        "Python's manual, 128^2 floats",
        "accuracy of the next word",
        default.score(hasher.transform(X[test]), y[test]),
        ours.score(X[test], y[test]),
        higher_is_better=True,
    )
)

# %%
# My learning curve bends: how far off is a straight line through it?
# -------------------------------------------------------------------
# Three classifiers learn digits from 40 images up. The errors at up to 376 images are extrapolated
# to the four sizes beyond, up to 1,347, by a straight line in logs, the plain power law, and by the
# law that fits best. The mean distance between foretold and seen log errors is printed for each
# classifier: where the curve does not bend, the two are the same.
X, y = load_digits(return_X_y=True)
distances = []
for model in (GaussianNB(var_smoothing=1e-2), KNeighborsClassifier(1), LogisticRegression()):
    sizes, _, scores = learning_curve(
        make_pipeline(MinMaxScaler(), model),
        X,
        y,
        train_sizes=np.geomspace(0.03, 1, 12),
        cv=ShuffleSplit(10, test_size=0.25, random_state=0),
    )
    sizes, seen = sizes[:, None].astype(float), 1 - scores.mean(axis=1)
    line = LinearRegression().fit(np.log(sizes[:8]), np.log(seen[:8]))
    law = ScalingLawRegressor.from_learning_curve(sizes[:8, 0], scores[:8])
    foretold = np.array([line.predict(np.log(sizes[8:])), np.log(law.predict(sizes[8:]))])
    distances.append(np.abs(foretold - np.log(seen[8:])).mean(axis=1))
    print(f"{type(model).__name__}: line, {law.law_}: {distances[-1].round(3)}")
table.append(
    Row(
        "Has my learning curve bent?",
        "digits, 3 classifiers",
        "log error of extrapolation",
        *np.mean(distances, axis=0),
    )
)

# %%
# Somebody moves every input against me: which linear model withstands it?
# ------------------------------------------------------------------------
# Each standardised column of diabetes may be moved by up to .2, or all together by a Euclidean .5,
# in the worst way for each patient. The error under attack is exact for a linear model. The default
# is tuned on clean rows; of ours the first is tuned on attacked ones, the second is gradient
# descent that stops in time.
X, y = load_diabetes(return_X_y=True)
X, y = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
for norm, radius in (("linf", 0.2), ("l2", 0.5)):
    attacked = make_adversarial_scorer(norm=norm, radius=radius, metric="mse")
    if norm == "linf":
        grid = {"radius": [0.05, 0.1, 0.2, 0.3]}
        robust = GridSearchCV(AdversarialRidge(norm=norm), grid, scoring=attacked)
    else:
        robust = EarlyStoppedRobustGD(radius, norm=norm)
    scores = [
        -cross_val_score(model, X, y, scoring=attacked).mean()
        for model in (RidgeCV(alphas), robust)
    ]
    table.append(
        Row("Does it withstand attacks?", f"diabetes, {norm} {radius}", "attacked MSE", *scores)
    )

# %%
# Which inputs of my network are adversarial?
# -------------------------------------------
# A perceptron learns digits; the fast gradient sign method attacks it. The default suspects inputs
# of low softmax confidence; ours also compares the edges that an input activates with those of
# clean inputs of the same class. Neither has seen an attack.
torch.manual_seed(0)
digits, labels = load_digits(return_X_y=True)
X = torch.tensor(digits / 16, dtype=torch.float32)
y = torch.tensor(labels)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
initial = {name: value.clone() for name, value in net.state_dict().items()}
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for _ in range(300):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(X[:700]), y[:700]).backward()
    optimizer.step()
detector = ActivationGraphDetector(net, initial_state=initial).fit(X[700:1200].numpy())
clean = X[1200:][net(X[1200:]).argmax(dim=1) == y[1200:]]
truth = net(clean).argmax(dim=1)
attacked = gradient_sign_attack(net, clean, truth, radius=0.1)
attacked = attacked[net(attacked).argmax(dim=1) != truth]
both = torch.cat([clean, attacked])
is_clean = np.repeat([1, 0], [len(clean), len(attacked)])
confidence = torch.softmax(net(both), dim=1).max(dim=1).values.detach().numpy()
scores = (confidence, detector.score_samples(both.numpy()))
table.append(
    Row(
        "Which inputs are adversarial?",
        "digits, a perceptron, FGSM",
        "AUC",
        *(roc_auc_score(is_clean, score) for score in scores),
        higher_is_better=True,
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
names = [f"{row.question}\n{row.data}: {row.metric}" for row in table]
ax.barh(names, np.array(gains) - 1, left=1)
ax.axvline(1, color="black", linewidth=1)
ax.set(xlabel="gain over the default (1: equal)")
ax.invert_yaxis()
plt.show()

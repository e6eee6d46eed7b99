"""Activation graphs: detection of attacks, features over a forward pass, diagrams against gudhi.

    python benchmarks/bench_graphs.py [--full]

Prints tables and writes results/graphs.json. Times are medians of paired runs in one process.
"""

import importlib.util

import graph_detection
import numpy as np
import torch
from graph_detection import lenet, small
from harness import full_is_asked, keep, seconds, show

from skparietal import ActivationGraphTransformer
from skparietal.persistence import persistence_diagram, sliced_wasserstein_distances

PEERS = ["torch", "gudhi"]


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
                bare, _ = seconds(lambda net=net, X=X: [net(part) for part in X.split(512)])
            ratios.append(
                [seconds(graph.transform, X.numpy())[0] / bare for graph in (edges, summary)]
            )
        medians = np.median(ratios, axis=0)
        rows.append([name, quantile, len(edges.edge_weights_), len(X) / bare, *medians])
    header = ["network", "quantile", "edges kept", "rows per second, bare", "edges", "summary"]
    return show("Time of transform over a bare forward pass, one thread", header, rows)


def diagram_times(full):
    """Diagrams and sliced Wasserstein distances, ours and gudhi's, on the same random graphs."""
    if importlib.util.find_spec("gudhi") is None:
        print("\ngudhi is not installed")
        return []
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

    diagrams, ratios, gaps = [], [], []
    for weights in graphs:
        own, ours = seconds(persistence_diagram, weights, heads, tails, 106)
        other, peers = seconds(theirs, weights)
        diagrams.append(ours)
        ratios.append(other / own)
        gaps.append(np.abs(ours[np.lexsort(ours.T)] - peers[np.lexsort(peers.T)]).max())
    own, distances = seconds(sliced_wasserstein_distances, diagrams, diagrams)
    peer = SlicedWassersteinDistance(num_directions=20)
    other, theirs = seconds(peer.fit_transform, diagrams)
    relative = np.abs(distances - theirs).max() / theirs.max()
    rows = [
        ["persistence diagram", float(np.max(gaps)), float(np.median(ratios))],
        ["sliced Wasserstein, relative", float(relative), other / own],
    ]
    header = ["quantity", "largest difference", "gudhi's time over ours"]
    return show("Against gudhi, graphs of a 64-32-10 perceptron", header, rows)


def report(*, full=False):
    torch.set_num_threads(1)
    return {
        **graph_detection.report(full=full),
        "features": feature_times(full),
        "gudhi": diagram_times(full),
    }


if __name__ == "__main__":
    keep("graphs", report, full=full_is_asked(__doc__), peers=PEERS)

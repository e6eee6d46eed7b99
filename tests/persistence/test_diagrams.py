"""Persistence diagrams by their definition, by hand, and against gudhi where installed."""

import importlib.util

import numpy as np
import pytest

from skparietal.persistence import persistence_diagram, persistence_diagrams


def random_graph(seed, n_nodes=14, n_edges=30):
    rng = np.random.default_rng(seed)
    pairs = np.array([(i, j) for i in range(n_nodes) for j in range(i)])
    pairs = pairs[rng.choice(len(pairs), n_edges, replace=False)]
    return rng.uniform(size=n_edges), pairs[:, 0], pairs[:, 1], n_nodes


def by_threshold(weights, heads, tails, n_nodes):
    """Number of components of the graph of all edges of at least each weight."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    for level in weights:
        kept = weights >= level
        nodes = np.unique(np.concatenate([heads[kept], tails[kept]]))
        adjacency = coo_array(
            (np.ones(kept.sum()), (heads[kept], tails[kept])), shape=(n_nodes, n_nodes)
        )
        labels = connected_components(adjacency, directed=False)[1]
        yield level, len(np.unique(labels[nodes]))


@pytest.mark.parametrize("seed", range(5))
def test_points_alive_are_the_components_at_every_level(seed):
    graph = random_graph(seed)
    diagram = persistence_diagram(*graph)
    weights, heads, tails, _ = graph
    present = np.unique(np.concatenate([heads, tails]))
    n_essential = len(present) - len(diagram)
    for level, n_components in by_threshold(*graph):
        alive = np.sum((diagram[:, 0] <= -level) & (diagram[:, 1] > -level))
        strongest = [weights[(heads == v) | (tails == v)].max() for v in present]
        born = np.sum(np.array(strongest) >= level)
        # Every vertex that is in opens a component; those that are closed have died.
        assert n_components == born - np.sum(diagram[:, 1] <= -level)
        assert alive <= n_components <= alive + n_essential


def by_gudhi(weights, heads, tails, n_nodes):
    import gudhi

    tree = gudhi.SimplexTree()
    strongest = np.zeros(n_nodes)
    np.maximum.at(strongest, heads, weights)
    np.maximum.at(strongest, tails, weights)
    for vertex in np.flatnonzero(strongest):
        tree.insert([vertex], -strongest[vertex])
    for weight, head, tail in zip(weights, heads, tails):
        if weight > 0:
            tree.insert([head, tail], -weight)
    tree.compute_persistence(min_persistence=-1)
    diagram = tree.persistence_intervals_in_dimension(0).reshape(-1, 2)
    return diagram[np.isfinite(diagram[:, 1])]


def by_kruskal(weights, heads, tails, n_nodes):
    """The definition, edge by edge."""
    component, birth = list(range(n_nodes)), np.full(n_nodes, -np.inf)
    np.maximum.at(birth, heads, weights)
    np.maximum.at(birth, tails, weights)
    points = []
    for edge in sorted(np.flatnonzero(weights), key=lambda edge: -weights[edge]):
        one, two = component[heads[edge]], component[tails[edge]]
        if one != two:
            elder, younger = (one, two) if birth[one] >= birth[two] else (two, one)
            points.append((-birth[younger], -weights[edge]))
            component = [elder if root == younger else root for root in component]
    return np.array(points).reshape(-1, 2)


WEIGHTS = {
    "distinct": lambda rng, size: rng.exponential(size=size),
    "many ties": lambda rng, size: rng.integers(0, 4, size=size).astype(float),
    "many absent": lambda rng, size: rng.exponential(size=size) * (rng.random(size) < 0.3),
    "single precision": lambda rng, size: rng.exponential(size=size).round(1).astype(np.float32),
}


@pytest.mark.parametrize("reference", [by_kruskal, by_gudhi])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_diagrams_of_several_weightings_are_those_of_each(kind, reference):
    if reference is by_gudhi and importlib.util.find_spec("gudhi") is None:
        pytest.skip(
            "gudhi is compared with where it is installed; the other reference needs it not"
        )
    for seed in range(8):
        rng = np.random.default_rng(seed)
        n_nodes, n_edges = int(rng.integers(5, 60)), int(rng.integers(5, 300))
        pairs = np.array([(i, j) for i in range(n_nodes) for j in range(i)])
        pairs = pairs[rng.permutation(len(pairs))[:n_edges]]
        weights = WEIGHTS[kind](rng, (3, len(pairs)))
        diagrams = persistence_diagrams(weights, *pairs.T, n_nodes)
        for row, ours in zip(weights, diagrams, strict=True):
            theirs = reference(row, *pairs.T, n_nodes)
            # The points are the same; of those that die together the order is not.
            np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])
            np.testing.assert_array_equal(ours, persistence_diagram(row, *pairs.T, n_nodes))


def test_a_weak_vertex_with_two_equal_edges_ties_no_trees_together():
    # Two strong pairs 0-1 and 2-3, a weak vertex 4 tied to both, and a better link 1-2.
    heads, tails = np.array([0, 2, 4, 4, 1]), np.array([1, 3, 0, 3, 2])
    diagram = persistence_diagram(np.array([9.0, 8.0, 1.0, 1.0, 5.0]), heads, tails, 5)
    np.testing.assert_array_equal(diagram, [[-9, -9], [-8, -8], [-8, -5], [-1, -1]])


def test_a_path_by_hand_and_absent_edges():
    weights, heads, tails = np.array([3.0, 1.0, 2.0, 0.0]), np.array([0, 1, 2, 3]), [1, 2, 3, 0]
    diagram = persistence_diagram(weights, heads, np.array(tails), 4)
    # 0-1 enters at -3, 2-3 at -2, and the edge of weight 1 ends the younger pair.
    np.testing.assert_array_equal(diagram, [[-3, -3], [-2, -2], [-2, -1]])
    assert persistence_diagram(np.zeros(3), heads[:3], heads[:3] + 1, 5).shape == (0, 2)
    nothing = np.empty(0, dtype=int)
    assert persistence_diagram(np.empty(0), nothing, nothing, 3).shape == (0, 2)
    assert persistence_diagrams(np.empty((0, 3)), heads[:3], heads[:3] + 1, 5) == []

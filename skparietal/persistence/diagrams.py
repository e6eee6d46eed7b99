"""Zero-dimensional persistence of weighted graphs."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from sklearn.utils import gen_batches


def persistence_diagram(weights, heads, tails, n_nodes):
    """Zero-dimensional persistence of a graph that grows from its strongest edge to its weakest.

    An edge of weight w enters at -w, a vertex with its strongest edge; an edge that joins two
    components ends the younger one. Components that never end have no point.

    Parameters
    ----------
    weights : ndarray of shape (n_edges,)
        Non-negative edge weights; an edge of weight 0 is absent.
    heads, tails : ndarray of shape (n_edges,)
        End points, each pair at most once.
    n_nodes : int
        Number of vertices.

    Returns
    -------
    diagram : ndarray of shape (n_points, 2)
        Birth and death, birth <= death <= 0, points of the diagonal included, by death.
    """
    return persistence_diagrams(np.asarray(weights)[None], heads, tails, n_nodes)[0]


def persistence_diagrams(weights, heads, tails, n_nodes):
    """Zero-dimensional persistence of several weightings of one graph.

    Parameters
    ----------
    weights : ndarray of shape (n_graphs, n_edges)
        Non-negative edge weights; an edge of weight 0 is absent.
    heads, tails : ndarray of shape (n_edges,)
        End points, each pair at most once.
    n_nodes : int
        Number of vertices.

    Returns
    -------
    diagrams : list of n_graphs ndarrays of shape (n_points, 2)
        As of :func:`persistence_diagram`.
    """
    heads, tails = np.asarray(heads), np.asarray(tails)
    if not heads.size or not len(weights):
        return [np.empty((0, 2)) for _ in weights]
    by_node = [_group(ends) for ends in (heads, tails)]
    diagrams = []
    # The disjoint union of some graphs at a time: enough to pay for the calls.
    for rows in gen_batches(len(weights), max(1, 2**18 // len(heads))):
        strongest = _strongest(weights[rows], by_node, n_nodes)
        forest = _forest_of_union(weights[rows], heads, tails, strongest)
        diagrams += _diagrams_of_union(*forest, len(strongest), n_nodes)
    return diagrams


def _group(ends):
    """Order of the edges by one of their ends, those ends, and where each begins."""
    order = np.argsort(ends, kind="stable")
    return order, *np.unique(ends[order], return_index=True)


def _strongest(weights, by_node, n_nodes):
    """Weight of the strongest edge at each vertex of each graph, 0 without an edge."""
    strongest = np.zeros((len(weights), n_nodes), dtype=weights.dtype)
    for order, nodes, starts in by_node:
        at_node = np.maximum.reduceat(np.take(weights, order, axis=1), starts, axis=1)
        strongest[:, nodes] = np.maximum(strongest[:, nodes], at_node)
    return strongest


def _diagrams_of_union(heads, tails, levels, n_graphs, n_nodes):
    """Diagrams of some graphs, from a spanning forest of their disjoint union."""
    births = _births_of_the_younger(heads, tails, levels, n_graphs * n_nodes)
    graph = heads // n_nodes
    order = np.argsort(graph, kind="stable")
    points = -np.column_stack([births, levels])[order]
    return np.split(points, np.cumsum(np.bincount(graph, minlength=n_graphs))[:-1])


def _forest_of_union(weights, heads, tails, strongest):
    """Maximum spanning forest of the disjoint union: its heads, tails and weights, strongest first.

    First comes the forest of each vertex's strongest edge and of the edges above a level. Of the
    others only those matter that join two of its trees: any other is weaker than all edges of the
    path between its ends. Each level is right; one that about n_nodes edges exceed leaves little
    for the second forest (the filter of Osipov, Sanders and Singler, The Filter-Kruskal Minimum
    Spanning Tree Algorithm, 2009).
    """
    (n_graphs, n_edges), n_nodes = weights.shape, strongest.shape[1]
    some = weights[:, :: max(1, n_edges // 500)]
    place = int(max(0, 1 - n_nodes / n_edges) * (some.shape[1] - 1))
    level = np.partition(some, place, axis=1)[:, [place]]
    first = (weights >= level).ravel()
    first[_strongest_edges(weights, heads, tails, strongest)] = True
    present = (weights > 0).ravel()
    first &= present

    def union(kept):
        graph, edge = np.divmod(np.flatnonzero(kept), n_edges)
        ends = (heads[edge] + graph * n_nodes, tails[edge] + graph * n_nodes)
        return *ends, weights[graph, edge].astype(float)

    tree = _maximum_spanning_forest(*union(first), n_graphs * n_nodes)
    label = connected_components(tree, directed=False)[1].reshape(n_graphs, n_nodes)
    apart = np.take(label, heads, axis=1) != np.take(label, tails, axis=1)
    second = union(present & ~first & apart.ravel())
    if second[2].size:
        both = (np.concatenate(pair) for pair in zip(_edge_list(tree), second))
        tree = _maximum_spanning_forest(*both, n_graphs * n_nodes)
    heads, tails, levels = _edge_list(tree)
    order = np.argsort(-levels, kind="stable")
    return heads[order], tails[order], levels[order]


def _strongest_edges(weights, heads, tails, strongest):
    """Flat positions of each vertex's strongest edge: of equal ones the first, and no other.

    A vertex with two would tie two trees together by edges that may be weak.
    """
    n_edges = weights.shape[1]
    edges = np.full(strongest.shape, n_edges)
    for ends in (heads, tails):
        graph, edge = np.divmod(
            np.flatnonzero(weights >= np.take(strongest, ends, axis=1)), n_edges
        )
        at_end = np.full(strongest.shape, n_edges)
        # Of repeated assignments the last stays.
        at_end[graph[::-1], ends[edge[::-1]]] = edge[::-1]
        edges = np.minimum(edges, at_end)
    graph, node = np.nonzero(edges < n_edges)
    return graph * n_edges + edges[graph, node]


def _maximum_spanning_forest(heads, tails, weights, n_nodes):
    # Indices of 32 bits are all that older versions of csgraph take.
    ends = (heads.astype(np.int32), tails.astype(np.int32))
    graph = coo_array((-weights, ends), shape=(n_nodes, n_nodes))
    return minimum_spanning_tree(graph.tocsr())


def _edge_list(tree):
    tree = tree.tocoo()
    return tree.row.astype(int), tree.col.astype(int), -tree.data


def _births_of_the_younger(heads, tails, levels, n_nodes):
    """Birth of the component that each edge of a forest ends, strongest edge first.

    A vertex enters with its strongest edge, and ends at once: its edge's point is on the diagonal.
    The elder rule is left for the edges between the components that these form.
    """
    n_edges = len(levels)
    entered = np.full(n_nodes, n_edges)
    for ends in (tails, heads):
        # Of repeated assignments the last stays: here the strongest edge.
        last = np.full(n_nodes, n_edges)
        last[ends[::-1]] = np.arange(n_edges)[::-1]
        entered = np.minimum(entered, last)
    diagonal = np.zeros(n_edges, dtype=bool)
    diagonal[entered[entered < n_edges]] = True
    births = levels.copy()
    ends = (heads[diagonal].astype(np.int32), tails[diagonal].astype(np.int32))
    joined = coo_array((levels[diagonal], ends), shape=(n_nodes, n_nodes))
    n_components, component = connected_components(joined, directed=False)
    birth = np.full(n_components, -np.inf)
    birth[component[heads[diagonal]][::-1]] = levels[diagonal][::-1]
    rest = ~diagonal
    births[rest] = _elder_rule(component[heads[rest]], component[tails[rest]], birth)
    return births


def _elder_rule(heads, tails, birth):
    """Birth of the younger of the two components that each edge joins, strongest edge first."""
    parent, birth, births = list(range(len(birth))), birth.tolist(), []

    def root(node):
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for head, tail in zip(heads.tolist(), tails.tolist()):
        elder, younger = root(head), root(tail)
        if birth[elder] < birth[younger]:
            elder, younger = younger, elder
        births.append(birth[younger])
        parent[younger] = elder
    return births

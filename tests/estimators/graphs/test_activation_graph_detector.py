"""The detector: its scores as identities, and what it detects on a network trained for real."""

import copy

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from skparietal import ActivationGraphDetector, ActivationGraphTransformer
from skparietal.estimators.graphs._edge_scorers import (
    ClassConditionalScorer,
    CleanTail,
    UnitStrengths,
    predicted_classes,
    top_margins,
)
from skparietal.simulation import deepfool_attack, gradient_sign_attack

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


@pytest.fixture(scope="module")
def digits():
    """A perceptron on digits, its initial state, and rows that it has not seen and gets right."""
    X, y = load_digits(return_X_y=True)
    X, y = torch.from_numpy((X / 16).astype(np.float32)), torch.from_numpy(y)
    torch.manual_seed(3)
    hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()]
    net = nn.Sequential(*hidden, nn.Linear(32, 10))
    initial = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(50):
        for rows in torch.randperm(800).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        right = net(X[800:]).argmax(dim=1) == y[800:]
    return net.eval(), initial, X[800:][right], y[800:][right]


@pytest.fixture(scope="module")
def attacks(digits):
    """Rows for the detectors, other clean rows, and those of the latter that attacks got wrong."""
    net, _, X, y = digits
    clean, truth = X[450:], y[450:]
    moved = {
        "FGSM": gradient_sign_attack(net, clean, truth, radius=0.1),
        "PGD": gradient_sign_attack(net, clean, truth, radius=0.1, n_steps=20),
        "DeepFool": deepfool_attack(net, clean),
    }
    with torch.no_grad():
        wrong = {name: part[net(part).argmax(dim=1) != truth] for name, part in moved.items()}
    return X[:450].numpy(), clean.numpy(), {name: part.numpy() for name, part in wrong.items()}


def confidence(net, X):
    with torch.no_grad():
        return torch.softmax(net(torch.from_numpy(X)), dim=1).max(dim=1).values.numpy()


def auc(score, clean, adversarial):
    truth = np.repeat([1, 0], [len(clean), len(adversarial)])
    return roc_auc_score(truth, np.concatenate([score(clean), score(adversarial)]))


def test_strength_of_a_unit_is_the_sum_of_its_outgoing_edges(digits):
    net, _, X, _ = digits
    graph = ActivationGraphTransformer(net, selection="small_final", quantile=0.02, layers="all")
    flows = graph.fit_transform(X[:5].numpy())
    strengths = UnitStrengths(graph.edges_)
    layers, cols = graph.edge_layers_, graph.edge_cols_
    units = [(k, j) for k in range(3) for j in range(64) if np.any(cols[layers == k] == j)]
    expected = [flows[:, (layers == k) & (cols == j)].sum(axis=1) for k, j in units]
    # Sums of some numbers in single precision.
    np.testing.assert_allclose(strengths(flows), np.transpose(expected), rtol=1e-5, atol=1e-7)
    # The squares of the weights are shares of the edges, each layer counting alike.
    layer = np.array([k for k, _ in units])
    for k in range(3):
        assert np.sum(strengths.weights[layer == k] ** 2) == pytest.approx(1 / 3)


def test_class_conditional_score_is_a_ratio_of_mahalanobis_distances():
    rng = np.random.default_rng(1)
    classes = rng.integers(3, size=200)
    strengths = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + classes[:, None]
    weights = np.array([0.3, 0.5, 0.2, 0.6, 0.5])
    scorer = ClassConditionalScorer(0.0, weights).fit(strengths, classes)
    means = np.stack([strengths[classes == c].mean(axis=0) for c in range(3)])
    within = (strengths - means[classes]).std(axis=0)
    white = strengths * weights / within
    means = means * weights / within
    precision = LedoitWolf(assume_centered=True).fit(white - means[classes]).precision_
    for row, c, score in zip(white[:9], classes, scorer.score(strengths[:9], classes[:9])):
        distances = [mahalanobis(row, mean, precision) ** 2 for mean in means]
        others = [d for k, d in enumerate(distances) if k != c]
        assert score == pytest.approx(np.log(min(others) / distances[c]), rel=1e-6)


def test_units_in_other_scales_score_alike():
    rng = np.random.default_rng(2)
    classes = rng.integers(2, size=100)
    strengths = rng.exponential(size=(100, 4)) + classes[:, None]
    scales = np.array([1e-3, 1.0, 50.0, 2.0])
    weights = np.full(4, 0.5)
    scores = [
        ClassConditionalScorer(1e-3, weights).fit(X, classes).score(X, classes)
        for X in (strengths, strengths * scales)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-6, atol=1e-9)


def test_a_class_that_no_clean_row_had_is_scored_by_its_distance_to_the_nearest():
    rng = np.random.default_rng(3)
    classes = rng.integers(2, size=60)
    strengths = rng.normal(size=(60, 3)) + 4 * classes[:, None]
    scorer = ClassConditionalScorer(1e-3, np.ones(3)).fit(strengths, classes)
    distances = scorer.distances(strengths[:5])
    np.testing.assert_allclose(
        scorer.score(strengths[:5], np.full(5, 7)), -np.log(distances.min(axis=1))
    )


def test_many_units_are_scored_in_their_leading_directions():
    rng = np.random.default_rng(7)
    classes = np.repeat([0, 1], 60)
    strengths = rng.normal(size=(120, 2100)) + 0.5 * classes[:, None]
    scorer = ClassConditionalScorer(1e-3, np.full(2100, 2100**-0.5)).fit(strengths, classes)
    assert len(scorer.whitening) == 120
    fresh = rng.normal(size=(200, 2100)) + 0.5 * np.repeat([0, 1], 100)[:, None]
    own = np.repeat([0, 1], 100)
    # The means are .5 * 2100 ** .5 = 23 standard deviations apart.
    assert np.all(scorer.score(fresh, own) > 0)
    np.testing.assert_allclose(scorer.score(fresh, 1 - own), -scorer.score(fresh, own))


def test_margin_is_the_log_ratio_of_the_two_largest_softmax_probabilities():
    logits = np.random.default_rng(4).normal(size=(20, 5)) * 3
    probabilities = np.sort(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), axis=1)
    np.testing.assert_allclose(
        top_margins(logits), np.log(probabilities[:, -1] / probabilities[:, -2])
    )
    # One output is the logit of class 1 against class 0.
    single = logits[:, :1]
    both = np.column_stack([np.zeros(20), single])
    np.testing.assert_allclose(top_margins(single), top_margins(both))
    np.testing.assert_array_equal(predicted_classes(single), predicted_classes(both))


def test_fishers_combination_of_clean_rows_has_its_chi_square_law():
    rng = np.random.default_rng(5)
    tail = CleanTail(rng.normal(size=(4000, 2)))
    combined = -2 * tail(rng.normal(size=(4000, 2)))
    # Chi-square with 4 degrees of freedom: mean 4, variance 8. Both the tail and the rows are
    # draws of 4,000: standard error of the mean about sqrt(2 * 8 / 4000) = .063.
    assert combined.mean() == pytest.approx(4, abs=0.25)
    assert combined.var() == pytest.approx(8, rel=0.15)
    # The lowest of all: 1 / (1 + n) twice.
    assert tail(np.full((1, 2), -99.0))[0] == pytest.approx(-2 * np.log(4001))


def test_combined_score_joins_the_graph_and_the_margin(digits, attacks):
    net, initial, *_ = digits
    learned, clean, _ = attacks
    settings = {"module": net, "initial_state": initial}
    graph = ActivationGraphDetector(scorer="class-conditional", **settings).fit(learned)
    both = ActivationGraphDetector(**settings).fit(learned)
    with torch.no_grad():
        margins = top_margins(net(torch.from_numpy(clean)).numpy())
    scores = np.column_stack([graph.score_samples(clean), margins])
    np.testing.assert_allclose(both.clean_tail_(scores), both.score_samples(clean))
    assert graph.clean_tail_ is None


def test_unsupervised_detector_beats_softmax_confidence(digits, attacks):
    net, initial, *_ = digits
    learned, clean, adversarial = attacks
    detector = ActivationGraphDetector(net, initial_state=initial).fit(learned)
    gains = {
        name: auc(detector.score_samples, clean, moved)
        - auc(lambda X: confidence(net, X), clean, moved)
        for name, moved in adversarial.items()
    }
    # Over seeds: .055 and .066 with a standard deviation below .01; -.002 to .002 for DeepFool.
    assert gains["FGSM"] > 0.02
    assert gains["PGD"] > 0.02
    assert gains["DeepFool"] > -0.005


def test_graph_alone_ranks_every_attack_below_clean_rows(digits, attacks):
    net, initial, *_ = digits
    learned, clean, adversarial = attacks
    detector = ActivationGraphDetector(net, initial_state=initial, scorer="class-conditional")
    detector.fit(learned)
    # .92 to .99 over seeds.
    assert all(auc(detector.score_samples, clean, part) > 0.88 for part in adversarial.values())


def test_one_class_machine_on_inner_layers_fails(digits, attacks):
    # Adversarial activations are smaller than clean ones: inliers of a machine without classes.
    net, initial, *_ = digits
    learned, clean, adversarial = attacks
    machine = ActivationGraphDetector(
        net, initial_state=initial, scorer="one-class-svm", normalize=None
    ).fit(learned)
    assert all(auc(machine.score_samples, clean, part) < 0.5 for part in adversarial.values())


def test_adversarial_graphs_are_more_diffuse(digits, attacks):
    net, *_ = digits
    _, clean, adversarial = attacks
    summary = ActivationGraphTransformer(
        net, selection="all", layers="all", features="summary"
    ).fit(clean)
    for moved in adversarial.values():
        assert auc(lambda X: summary.transform(X)[:, 0], clean, moved) > 0.6  # Gini
        assert auc(lambda X: -summary.transform(X)[:, 1], clean, moved) > 0.6  # entropy


@pytest.mark.parametrize("scorer", ["combined", "class-conditional", "one-class-svm"])
def test_fresh_clean_rows_are_flagged_at_the_rate_asked_for(digits, attacks, scorer):
    net, initial, *_ = digits
    learned, clean, _ = attacks
    detector = ActivationGraphDetector(
        net, initial_state=initial, scorer=scorer, contamination=0.1
    ).fit(learned)
    assert detector.false_alarm_rate_ == pytest.approx(0.1, abs=2 / len(learned))
    flagged = np.mean(detector.predict(clean) == -1)
    # Two estimates of one rate, from 450 and about 480 rows: 4 standard errors of the difference.
    assert flagged == pytest.approx(0.1, abs=4 * np.sqrt(2 * 0.1 * 0.9 / 450))


@pytest.mark.parametrize("scorer", ["combined", "one-class-svm", "sliced-wasserstein"])
def test_plain_tables_need_no_module(scorer):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    X[:, 3] = X[:, 0] - X[:, 1]
    detector = ActivationGraphDetector(
        scorer=scorer, layers="all", normalize=None, random_state=0
    ).fit(X)
    far = np.array([[6.0, -6, 6, -6]])
    assert detector.score_samples(far)[0] < np.median(detector.score_samples(X))
    assert np.mean(detector.predict(X) == -1) == pytest.approx(0.05)


def test_without_classes_the_graph_counts_alone():
    X = np.random.default_rng(6).normal(size=(60, 5))
    scores = [
        ActivationGraphDetector(scorer=scorer, random_state=0).fit(X).score_samples(X)
        for scorer in ("combined", "class-conditional")
    ]
    np.testing.assert_array_equal(*scores)


def test_a_module_that_returns_no_logits_is_refused():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, X):
            return self.last(self.first(X)), X

    detector = ActivationGraphDetector(Pair(), selection="small_final", quantile=0.5)
    with pytest.raises(TypeError, match="needs a module that returns one tensor of logits"):
        detector.fit(np.ones((20, 4)))


def test_single_logit_networks_are_detected_too():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(300, 6)).astype(np.float32)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 1)).eval()
    detector = ActivationGraphDetector(net, selection="small_final", quantile=0.5).fit(X)
    assert len(detector.scorer_.classes) == 2
    assert np.mean(detector.predict(X) == -1) < 0.1

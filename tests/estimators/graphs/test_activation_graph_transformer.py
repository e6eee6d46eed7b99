"""The transformer on networks trained for real."""

import copy
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skparietal import ActivationGraphTransformer
from skparietal.simulation import deepfool_attack, gradient_sign_attack

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


@pytest.fixture(scope="module")
def trained():
    """A small CNN on digits, its initial state, and clean test rows that it gets right."""
    X, y = load_digits(return_X_y=True)
    X = torch.from_numpy((X / 16).astype(np.float32))
    y = torch.from_numpy(y)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)),
    )
    initial = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(30):
        for rows in torch.randperm(900).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        right = net(X[900:]).argmax(dim=1) == y[900:]
    return net, initial, X[900:][right], y[900:][right]


def attacked(net, X, y, kind):
    """Successful adversarial versions of some rows."""
    moved = (
        deepfool_attack(net, X)
        if kind == "deepfool"
        else gradient_sign_attack(net, X, y, radius=0.1, n_steps=kind)
    )
    with torch.no_grad():
        return moved[net(moved).argmax(dim=1) != y]


def test_graphs_work_in_a_supervised_pipeline_and_a_grid_search(trained):
    net, initial, X, y = trained
    adversarial = attacked(net, X[:300], y[:300], 1)
    rows = torch.cat([X[:300], adversarial]).numpy()
    truth = np.repeat([0, 1], [300, len(adversarial)])
    search = GridSearchCV(
        make_pipeline(
            ActivationGraphTransformer(net, initial_state=initial, layers="all"),
            StandardScaler(),
            SVC(),
        ),
        {"activationgraphtransformer__quantile": [0.05, 0.3]},
        cv=2,
        scoring="roc_auc",
    )
    # The first layer sees the pixels that an attack switches on: an easy task.
    assert search.fit(rows, truth).best_score_ > 0.9


def test_flattened_rows_and_images_have_the_same_graph(trained):
    net, initial, X, _ = trained
    bare = net[1:]  # a slice keeps the names of its parts
    flat = ActivationGraphTransformer(bare, initial_state=initial, input_shape=(1, 8, 8))
    images = ActivationGraphTransformer(bare, initial_state=initial)
    table = X[:7].numpy()
    np.testing.assert_array_equal(
        flat.fit_transform(table), images.fit_transform(table.reshape(-1, 1, 8, 8))
    )


@pytest.mark.parametrize("features", ["edges", "summary", "persistence"])
def test_the_users_module_is_left_as_it_is(trained, features):
    net, initial, X, _ = trained
    module = copy.deepcopy(net).train()
    module[1].requires_grad_(False)
    module[4].eval()
    calls = []
    module[-1].register_forward_hook(lambda *_: calls.append(1))
    before = copy.deepcopy(module.state_dict())
    rows = X[:5].numpy()
    ActivationGraphTransformer(
        module, initial_state=initial, features=features, layers="last"
    ).fit_transform(rows)
    assert module.training
    assert not module[4].training
    assert [p.requires_grad for p in module.parameters()] == [False] * 2 + [True] * 4
    assert all(p.grad is None for p in module.parameters())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert [len(part._forward_hooks) for part in module] == [0] * (len(module) - 1) + [1]


def test_a_module_in_training_mode_is_used_as_in_evaluation(trained):
    net, _, X, _ = trained
    parts = (nn.Dropout(), nn.BatchNorm1d(64, affine=False))
    module = nn.Sequential(*parts, *net).train()
    expected = nn.Sequential(*parts, *net).eval()
    rows = X[:9].numpy()
    settings = {"selection": "small_final", "layers": "all"}
    np.testing.assert_array_equal(
        ActivationGraphTransformer(module, **settings).fit_transform(rows),
        ActivationGraphTransformer(expected, **settings).fit_transform(rows),
    )


def test_rows_are_not_written_to_by_a_module_that_works_in_place(trained):
    net, _, X, _ = trained
    rows = X[:9].numpy() - 0.5
    kept = rows.copy()
    module = nn.Sequential(nn.ReLU(inplace=True), *net)
    ActivationGraphTransformer(module, selection="all", layers="last").fit_transform(rows)
    np.testing.assert_array_equal(rows, kept)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_modules_of_other_precisions_are_taken_as_they_are(trained, dtype):
    net, _, X, _ = trained
    other = copy.deepcopy(net).to(getattr(torch, dtype))
    single = ActivationGraphTransformer(net, selection="all").fit_transform(X[:9].numpy())
    edges = ActivationGraphTransformer(other, selection="all").fit_transform(X[:9].numpy())
    assert edges.dtype == np.float32
    # Two layers and a weight, each rounded to the type.
    rtol = 8 * max(torch.finfo(other[1].weight.dtype).eps, torch.finfo(torch.float32).eps)
    np.testing.assert_allclose(edges, single, rtol=rtol, atol=rtol * single.max())


def test_single_rows_and_tables_with_names(trained):
    net, initial, X, _ = trained
    table = pd.DataFrame(X[:9].numpy(), columns=[f"pixel {i}" for i in range(64)])
    graph = ActivationGraphTransformer(net, initial_state=initial).fit(table.iloc[:1])
    assert list(graph.feature_names_in_) == list(table.columns)
    expected = ActivationGraphTransformer(net, initial_state=initial).fit_transform(X[:9].numpy())
    # A pass of one row rounds differently from one of nine.
    np.testing.assert_allclose(
        np.concatenate([graph.transform(table.iloc[[i]]) for i in range(9)]),
        expected,
        rtol=1e-4,
        atol=1e-6,
    )
    framed = graph.set_output(transform="pandas").transform(table)
    assert framed.shape == expected.shape
    assert framed.columns[0] == "activationgraphtransformer0"


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_the_callers_gradient_mode_does_not_matter(trained, mode):
    net, initial, X, _ = trained
    rows = X[:9].numpy()
    user = ActivationGraphTransformer(net, initial_state=initial, features="summary")
    own = ActivationGraphTransformer(random_state=0)
    expected = [user.fit_transform(rows), own.fit_transform(rows)]
    with getattr(torch, mode)():
        np.testing.assert_array_equal(user.fit_transform(rows), expected[0])
        np.testing.assert_array_equal(own.fit_transform(rows), expected[1])


def test_batches_do_not_matter_and_pickles_transform_alike(trained):
    net, initial, X, _ = trained
    one = ActivationGraphTransformer(net, initial_state=initial).fit(X[:50].numpy())
    small = clone(one).set_params(batch_size=7).fit(X[:50].numpy())
    expected = one.transform(X[:50].numpy())
    # A forward pass in single precision depends on its batch by a few ulps.
    np.testing.assert_allclose(small.transform(X[:50].numpy()), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).transform(X[:50]), expected)


def test_normalizations(trained):
    net, initial, X, _ = trained
    rows = X[:100].numpy()
    settings = {"initial_state": initial, "layers": "all"}
    total = ActivationGraphTransformer(net, normalize="sum", **settings).fit_transform(rows)
    np.testing.assert_allclose(total.sum(axis=1), 1, rtol=1e-4)
    sigmoid = ActivationGraphTransformer(net, normalize="sigmoid", **settings).fit(rows)
    for part in sigmoid.edges_.slices:
        values = sigmoid.transform(rows)[:, part]
        assert np.median(values) == pytest.approx(0.5, abs=1e-6)
        assert np.quantile(values, 0.999) == pytest.approx(0.999, abs=1e-3)


def test_diagrams_and_summaries_come_from_the_same_edges(trained):
    net, initial, X, _ = trained
    rows = X[:4].numpy()
    settings = {"module": net, "initial_state": initial, "layers": "last"}
    edges = ActivationGraphTransformer(**settings).fit_transform(rows)
    diagrams = ActivationGraphTransformer(features="persistence", **settings).fit_transform(rows)
    summary = ActivationGraphTransformer(features="summary", **settings).fit_transform(rows)
    for row, diagram, numbers in zip(edges, diagrams, summary):
        assert -diagram[:, 0].min() == row.max() == numbers[5]
        assert set(-diagram[:, 1]) <= set(row.astype(float))
        assert numbers[3] == pytest.approx(row.sum(), rel=1e-5)


def test_too_many_edges_are_thinned_with_a_warning(trained):
    net, initial, X, _ = trained
    with pytest.warns(UserWarning, match="max_edges=50 of them"):
        thin = ActivationGraphTransformer(net, initial_state=initial, max_edges=50).fit(X[:2])
    assert thin.transform(X[:3]).shape == (3, 50)


def test_bad_settings_name_the_argument(trained):
    net, initial, X, _ = trained
    with pytest.raises(ValueError, match=r"pass initial_state, or use selection='small_final'"):
        ActivationGraphTransformer(net).fit(X)
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module or None"):
        ActivationGraphTransformer("net").fit(X)
    with pytest.raises(ValueError, match=r"input_shape=\(3, 8, 8\) does not hold"):
        ActivationGraphTransformer(net, initial_state=initial, input_shape=(3, 8, 8)).fit(X)
    with pytest.raises(ValueError, match="the weights equal the initial state"):
        ActivationGraphTransformer(net, initial_state=net).fit(X)
    with pytest.raises(TypeError, match="initial_state must be a module or its state_dict"):
        ActivationGraphTransformer(net, initial_state=[1.0]).fit(X)
    with pytest.raises(ValueError, match="device='nonsense' is not available"):
        ActivationGraphTransformer(net, initial_state=initial, device="nonsense").fit(X)
    with pytest.raises(ValueError, match="leaves no layer: the module calls"):
        ActivationGraphTransformer(net, initial_state=initial, layers=[]).fit(X)
    with pytest.raises(ValueError, match=r"cannot take samples of shape \(63,\)"):
        ActivationGraphTransformer(net, initial_state=initial).fit(X[:, 1:])


def test_images_of_another_size_are_refused():
    pooled = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    graph = ActivationGraphTransformer(pooled, selection="all", layers="all")
    graph.fit(np.zeros((2, 1, 8, 8)))
    with pytest.raises(ValueError, match=r"samples of shape \(1, 8, 7\), but those of the fit"):
        graph.transform(np.zeros((2, 1, 8, 7)))


def test_absent_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"skparietal\[torch\]"):
        ActivationGraphTransformer().fit(np.eye(3))

"""Attacks: by hand on linear networks, against foolbox and torchattacks where installed."""

import copy
import importlib
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skparietal.simulation import deepfool_attack, gradient_sign_attack

torch = pytest.importorskip("torch", reason="the attacks are on torch modules")
nn = torch.nn


def import_peer(name):
    """A package of attacks that is compared with; the tests by hand need none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they use deprecated names of scipy
        try:
            return importlib.import_module(name)
        except ImportError:
            return pytest.skip(f"{name} is compared with where it is installed")


@pytest.fixture(scope="module")
def trained():
    """A small CNN on digits, and test rows that it gets right."""
    X, y = load_digits(return_X_y=True)
    X = torch.from_numpy((X / 16).astype(np.float32)).reshape(-1, 1, 8, 8)
    y = torch.from_numpy(y)
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(10):
        for rows in torch.randperm(1500).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        right = net(X[1500:]).argmax(dim=1) == y[1500:]
    return net, X[1500:][right], y[1500:][right]


def linear(weight, bias):
    module = nn.Linear(2, len(bias))
    module.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
    return module


def test_fast_gradient_sign_on_a_linear_network_by_hand():
    module = linear([[1.0, -2.0], [-1.0, 0.0]], [0.0, 0.0])
    x = torch.tensor([[0.5, 0.5], [0.05, 0.98]])
    # The loss of class 0 falls along the difference of the rows, (2, -2), of signs (1, -1).
    moved = gradient_sign_attack(module, x, torch.tensor([0, 0]), radius=0.1)
    torch.testing.assert_close(moved, torch.tensor([[0.4, 0.6], [0.0, 1.0]]))
    free = gradient_sign_attack(module, x, torch.tensor([0, 0]), radius=0.1, bounds=(-9, 9))
    torch.testing.assert_close(free, torch.tensor([[0.4, 0.6], [-0.05, 1.08]]))


def test_deepfool_on_a_linear_network_goes_straight_to_the_nearest_boundary():
    module = linear([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, -0.8, -1.0])
    x = torch.tensor([[0.2, 0.1], [0.3, 0.7]])
    moved = deepfool_attack(module, x, overshoot=0.02)
    # The boundaries are x1 = .8 and x2 = 1; a step is longer by 2 % and by 1e-4.
    expected = torch.tensor([[0.2 + 1.02 * 0.6001, 0.1], [0.3, 0.7 + 1.02 * 0.3001]])
    torch.testing.assert_close(moved, expected.clamp(0, 1))


@pytest.mark.parametrize("n_steps", [1, 7])
def test_attacks_stay_in_the_ball_and_the_bounds_and_raise_the_loss(trained, n_steps):
    net, X, y = trained
    moved = gradient_sign_attack(net, X, y, radius=0.1, n_steps=n_steps)
    # One rounding of a value up to 1 in single precision.
    assert (moved - X).abs().max() <= 0.1 + 1e-7
    assert moved.min() >= 0
    assert moved.max() <= 1
    loss = nn.functional.cross_entropy
    assert loss(net(moved), y) > loss(net(X), y)
    torch.testing.assert_close(
        gradient_sign_attack(net, X, y, radius=0.0, n_steps=n_steps), X, rtol=0, atol=0
    )


def test_an_attack_does_not_depend_on_the_rows_around(trained):
    net, X, y = trained
    for attack in (
        lambda rows: gradient_sign_attack(net, X[rows], y[rows], radius=0.1, n_steps=5),
        lambda rows: deepfool_attack(net, X[rows]),
    ):
        # A pass in single precision rounds differently by batch; a sign may then flip near 0.
        together, alone = attack(slice(0, 8)), attack(slice(3, 4))
        assert (together[3] - alone[0]).abs().mean() < 1e-3


@pytest.mark.parametrize("training", [True, False])
def test_the_attacked_module_is_left_as_it_is(trained, training):
    net, X, y = trained
    module = copy.deepcopy(net).train(training)
    module[0].eval()
    before = copy.deepcopy(module.state_dict())
    with torch.no_grad():
        one = gradient_sign_attack(module, X[:9], y[:9], radius=0.1)
        two = deepfool_attack(module, X[:9])
    assert [part.training for part in module] == [False, *[training] * 5]
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    # It is attacked as it will be used, in evaluation mode.
    assert torch.equal(one, gradient_sign_attack(net, X[:9], y[:9], radius=0.1))
    assert torch.equal(two, deepfool_attack(net, X[:9]))


@pytest.mark.parametrize("n_steps", [1, 10, 40])
def test_signed_gradients_are_those_of_foolbox(trained, n_steps):
    foolbox = import_peer("foolbox")
    net, X, y = trained
    if n_steps == 1:
        attack = foolbox.attacks.LinfFastGradientAttack()
    else:
        attack = foolbox.attacks.LinfPGD(
            rel_stepsize=2 / n_steps, steps=n_steps, random_start=False
        )
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    theirs = attack(model, X, y, epsilons=0.1)[0]
    assert torch.equal(gradient_sign_attack(net, X, y, radius=0.1, n_steps=n_steps), theirs)


@pytest.mark.parametrize("n_steps", [1, 10])
def test_signed_gradients_are_those_of_torchattacks(trained, n_steps):
    torchattacks = import_peer("torchattacks")
    net, X, y = trained
    if n_steps == 1:
        attack = torchattacks.FGSM(net, eps=0.1)
    else:
        attack = torchattacks.PGD(
            net, eps=0.1, alpha=0.2 / n_steps, steps=n_steps, random_start=False
        )
    ours = gradient_sign_attack(net, X, y, radius=0.1, n_steps=n_steps)
    assert torch.equal(ours, attack(X, y))


def test_deepfool_is_that_of_foolbox(trained):
    foolbox = import_peer("foolbox")
    net, X, y = trained
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=None)
    ours, theirs = deepfool_attack(net, X), attack(model, X, y, epsilons=None)[0]
    # Theirs goes on from where a row was misled; ours stops there: roundings of single precision.
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert (net(ours).argmax(dim=1) != y).all()
    # The attack in the maximum norm is smaller in that norm and larger in the Euclidean one.
    attack = foolbox.attacks.LinfDeepFoolAttack(steps=50, candidates=None)
    other = attack(model, X, y, epsilons=None)[0]
    assert (other - X).abs().amax() < (ours - X).abs().amax()
    assert (other - X).norm() > (ours - X).norm()


def test_bad_input_is_named(trained):
    net, X, y = trained
    with pytest.raises(TypeError, match=r"X must be a torch\.Tensor of floating type"):
        gradient_sign_attack(net, X.numpy(), y, radius=0.1)
    with pytest.raises(TypeError, match=r"got torch\.int64: use torch\.as_tensor"):
        deepfool_attack(net, X.long())
    with pytest.raises(ValueError, match="radius must be at least 0, got -1"):
        gradient_sign_attack(net, X, y, radius=-1)
    with pytest.raises(ValueError, match="n_steps must be at least 1, got 0"):
        deepfool_attack(net, X, n_steps=0)
    with pytest.raises(ValueError, match=r"at least two classes, got shape \(3, 1\)"):
        deepfool_attack(nn.Linear(2, 1), torch.zeros(3, 2))

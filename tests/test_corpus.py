"""The news articles as a reader would want them: clean, whole, always in the same order."""

import re

import pytest

from analysis import corpus
from analysis.errors import UserError


@pytest.fixture(scope="module")
def articles():
    return corpus.articles()


def row(title="", subtitle="", text=""):
    return {"title": title, "subtitle": subtitle, "text": text}


def test_an_article_is_title_subtitle_and_text_a_line_each():
    parts = row("An  apple\n", " falls", "It fell\tfrom a tree. ")
    assert corpus.article(parts) == "An apple\nfalls\nIt fell from a tree."


def test_an_absent_part_leaves_no_blank_line():
    assert corpus.article(row("", "", "It fell.")) == "It fell."
    assert corpus.article(row("An apple", "", "")) == "An apple"
    assert corpus.article(row()) == ""


def test_a_subtitle_that_opens_the_text_is_not_said_twice():
    assert corpus.article(row("News", "It fell.", "It fell. It rolled.")) == (
        "News\nIt fell. It rolled."
    )


@pytest.mark.parametrize(
    ("broken", "plain"),
    [
        ('the worst choice,"?Sen. Warren said', 'the worst choice," Sen. Warren said'),
        ('"Is it?"?he asked', '"Is it?" he asked'),
        ('mass-deployed."?"This is', 'mass-deployed." "This is'),
        ('many states"?laws', 'many states" laws'),
        ('in prison "?after 20 years', "in prison - after 20 years"),
        ('he said, "\ufffdOww"', 'he said, "Oww"'),
        ('or ""sell"".', 'or "sell".'),
        ('it doesn"t make Trump"s day', "it doesn't make Trump's day"),
    ],
)
def test_marks_that_lost_bytes_become_plain_ones(broken, plain):
    assert corpus.clean(broken) == plain


@pytest.mark.parametrize("sound", ['"Is it?" he asked.', 'Did he say "no"? He did.', "a 5 ? b"])
def test_sound_quotes_are_left_alone(sound):
    assert corpus.clean(sound) == sound


def test_every_article_with_text_is_there_once_and_in_order(articles):
    numbers = [number for number, _ in articles]
    # 3,824 rows, numbered from 1, of which one (1827) has neither title, subtitle nor text.
    assert numbers == [number for number in range(1, 3825) if number != 1827]


@pytest.mark.slow
def test_articles_hold_words_and_no_runs_of_space(articles):
    assert sum(len(text.split()) for _, text in articles) > 2_000_000
    assert not any(re.search(r"[ \t\xa0]{2}|\n\n|^\s|\s$", text) for _, text in articles)
    assert articles[0][1].startswith("Betsy DeVos Confirmed as Education Secretary")


def test_documents_are_the_articles_without_numbers(articles):
    assert corpus.documents() == [text for _, text in articles]


def test_a_sample_is_the_same_for_the_same_seed_only(articles):
    first = corpus.sample(5, seed=1)
    assert first == corpus.sample(5, seed=1) != corpus.sample(5, seed=2)
    assert len(set(first)) == 5
    assert set(first) <= set(articles)


def test_asking_for_more_articles_than_there_are_says_how_many_there_are():
    with pytest.raises(UserError, match="The corpus has 3823 articles"):
        corpus.sample(4000, seed=0)

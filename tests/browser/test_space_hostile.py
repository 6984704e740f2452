"""The Space in a real browser: hostile tokens of the model itself are shown as text, everywhere."""

import pytest
import torch
from tokenizers import AddedToken

from analysis.loading.families import assembled
from analysis.subject import Origin, Subject
from space import tabs
from space.session import Session
from space.settings import TEXT_CHARACTERS, Settings
from tests.browser.space_page import MARKS, SpaceVisit, live
from tests.space.server import serving
from tests.tiny import tiny_llama

pytestmark = MARKS

HOSTILE = {
    "template literal": "${alert(1)}",
    "braces": "{{7*7}}",
    "image": "<img src=x onerror=alert(1)>",
    "drawing": '"><svg onload=alert(1)>',
    "scheme": "javascript:alert(1)",
    "script": "</script><script>alert(1)</script>",
    "link": "<a href='javascript:alert(1)'>press</a>",
    "control": "a\x00b\x07\x1b[31m\x7f",
    "right to left": "\u202egpj.exe\u2066",
    "emoji": "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈e\u0301",
}
SHOWN = ("template literal", "braces", "image", "drawing", "scheme", "script", "link")
"""Those that have to be seen just as they are, spaces as middle dots."""

UNASKED = ("generality", "corpus_scan", "transplant")
"""They read no prompt, and of words only what the library has: no hostile one."""

HARM = """() => [
    ...document.querySelectorAll(
        "img[src='x'], [onerror], [onload], a[href^='javascript' i], iframe, object, embed"),
    ...[...document.scripts].filter(
        script => !script.src && script.textContent.includes("alert(1)")),
].map(element => element.outerHTML)"""


def hostile_subject() -> Subject:
    """A tiny random model in whose vocabulary every hostile text is one token."""
    model, tokenizer = tiny_llama(0)
    tokenizer.add_tokens([AddedToken(f" {text}", normalized=False) for text in HOSTILE.values()])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    origin = Origin("tiny-hostile", "random weights", "seed 0")
    return assembled(model.eval().requires_grad_(False), tokenizer, origin, prepend_bos=False)


@pytest.fixture(scope="module")
def address():
    session = Session(Settings(models=("tiny",)), loader=lambda _name, _device: hostile_subject())
    with serving(session) as server:
        yield server.address


def prompt_of(names: list[str]) -> str:
    return "I climbed up the" + "".join(f" {HOSTILE[name]}" for name in names) + " tree and picked"


def test_hostile_tokens_of_the_model_are_shown_as_they_are_on_every_tab(context, address):
    """They stand in both prompts, tables and figures, and are target and foil.

    A script that ran would open a dialog, which no visit may.
    """
    view = {
        "clean": prompt_of(list(HOSTILE)),
        "corrupted": prompt_of(list(HOSTILE)[::-1]),
        "target": f" {HOSTILE['image']}",
        "foil": f" {HOSTILE['template literal']}",
    }
    with SpaceVisit(context, address, neuron="L1N7", **view) as visit:
        visit.see_tokens("L1N7")
        said = visit.tab.locator(".tokens").inner_text()
        for name in SHOWN:
            assert HOSTILE[name].replace(" ", "·") in said
        assert not {"\x00", "\x07", "\x1b", "\u202e"} & set(said)
        with visit.asked.once_more():
            visit.tab.locator("[data-token='0:5']").click()
        visit.see_answer("next_token", 1)
        for tab in tabs.tabs():
            if tab.experiments:
                visit.go(tab.name)
            for experiment in tab.experiments:
                if experiment.name not in UNASKED:
                    if not experiment.quick:
                        visit.press(experiment.button)
                    visit.see_answer(experiment.name, live(experiment))
        assert visit.tab.evaluate(HARM) == []
        figures = visit.tab.locator(".js-plotly-plot").all_inner_texts()
        assert any("<img·src=x" in text for text in figures)


@pytest.mark.parametrize("length", [TEXT_CHARACTERS + 1, 100_000])
def test_a_text_that_is_too_long_is_a_mistake_and_the_page_goes_on(visit, length):
    visit.resize(400, 900)
    visit.see_tokens(visit.neuron())
    visit.box("text").fill("<b>" * (length // 3) + "x" * (length % 3))
    visit.press("Read this text")
    assert f"has {length:,} characters: the longest allowed is" in visit.see_error("activations")
    assert visit.overflow() == 0
    text = f"She ate an orange and {length}"
    visit.box("text").fill(text)
    visit.press("Read this text")
    visit.see_tokens(visit.neuron())
    visit.see_view(text=text)


def test_a_hostile_word_searched_for_is_one_token_or_a_mistake(visit):
    visit.resize(1400, 900)
    visit.go("direct_effect")
    visit.see_answer("direct_effect", 2)
    box = visit.tab.get_by_label("Any token")
    for name in ("image", "script"):
        box.fill(f" {HOSTILE[name]}")
        visit.press("Search its neurons")
        shown = HOSTILE[name].replace(" ", "·")
        visit.panel("writers").locator("[role=status]", has_text=shown).wait_for()
    box.fill(HOSTILE["drawing"])
    visit.press("Search its neurons")
    assert "tokens" in visit.see_error("writers")
    assert visit.tab.evaluate(HARM) == []


def test_harm_done_would_be_noticed(visit):
    visit.tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img onerror=1>')")
    assert len(visit.tab.evaluate(HARM)) == 1
    visit.tab.evaluate("alert(1)")
    assert visit.trouble == ["dialog: 1"]
    visit.trouble.clear()


def test_texts_too_long_for_an_address_are_read_all_the_same(context, address):
    text = "\u8a9e " * (TEXT_CHARACTERS // 2)
    with SpaceVisit(context, address) as visit:
        visit.see_tokens(visit.neuron())
        visit.write(clean=text, corrupted=text)
        visit.box("text").fill("She ate an orange " + text[:3900])
        visit.press("Ask")
        visit.tab.wait_for_function("document.getElementById('link').value.includes('too long')")
        assert visit.tab.url == address
        visit.panel("activations").locator("[role=alert], [role=status]").first.wait_for()

"""The Space in a real browser: whatever a visitor writes is shown as text and obeyed by nothing."""

import pytest
import torch
from tokenizers import AddedToken

from analysis.subject import Origin, Subject
from space.session import Session
from space.settings import TEXT_CHARACTERS, Settings
from space.view import View
from tests.browser.space_page import MARKS, SpaceVisit, served
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
SHOWN = ("template literal", "braces", "image", "drawing", "scheme", "script")
"""Those that have to be seen just as they are, spaces as middle dots."""

HARM = """() => ({
    hit: window.hit ?? null,
    elements: [...document.querySelectorAll(
        "img[src='x'], [onerror], [onload], a[href^='javascript' i], iframe, object, embed"
    )].map(element => element.outerHTML),
    scripts: [...document.scripts].filter(
        script => !script.src && script.textContent.includes("alert(1)")).length,
})"""
HARMLESS = {"hit": None, "elements": [], "scripts": 0}


def hostile_subject() -> Subject:
    """A tiny random model in whose vocabulary every hostile text is one token."""
    model, tokenizer = tiny_llama(0)
    words = [AddedToken(f" {text}", normalized=False) for text in HOSTILE.values()]
    tokenizer.add_tokens(words)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    origin = Origin("tiny-hostile", "random weights", "seed 0")
    return Subject(model.eval().requires_grad_(False), tokenizer, origin)


@pytest.fixture(scope="module")
def home():
    session = Session(Settings(models=("tiny",)), loader=lambda _name, _device: hostile_subject())
    with served(session) as address:
        yield address


@pytest.fixture(scope="module")
def watched(context):
    """Visits in which a script that runs leaves a mark."""
    context.add_init_script("window.alert = said => { window.hit = said; }")
    return context


def prompt_of(names: list[str]) -> str:
    return "I climbed up the" + "".join(f" {HOSTILE[name]}" for name in names) + " tree and picked"


def test_a_script_that_ran_would_be_noticed(watched, home):
    with SpaceVisit(watched, home) as visit:
        visit.tab.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img onerror=alert(1)>')"
        )
        harm = visit.tab.evaluate(HARM)
        assert len(harm["elements"]) == 1
        visit.tab.evaluate("alert(1)")
        assert visit.tab.evaluate(HARM)["hit"] == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_address_is_told_as_text(watched, home, name):
    """Every part of the view is the text; then all but the visitor's text is put right."""
    text, parts = HOSTILE[name], ("clean", "corrupted", "target", "foil", "neuron", "text")
    with SpaceVisit(watched, home, model=text, **dict.fromkeys(parts, text)) as visit:
        assert visit.see_error().endswith(".")
        assert visit.tab.evaluate(HARM) == HARMLESS
        assert visit.box("text").input_value() == text
        visit.see_view(**dict.fromkeys(parts, text))
        start = View()
        visit.write(clean=start.clean, corrupted=start.corrupted, target=" an", foil=" a")
        visit.ask(neuron="L1N7")
        visit.see_tokens("L1N7")
        assert visit.tab.evaluate(HARM) == HARMLESS


def test_hostile_tokens_are_shown_as_they_are_on_every_tab(watched, home):
    """All of them stand in both prompts, in tables and in figures; two are target and foil."""
    names = list(HOSTILE)
    view = {
        "clean": prompt_of(names),
        "corrupted": prompt_of(names[::-1]),
        "target": f" {HOSTILE['image']}",
        "foil": f" {HOSTILE['template literal']}",
    }
    with SpaceVisit(watched, home, neuron="L1N7", **view) as visit:
        visit.see_tokens("L1N7")
        said = visit.tab.locator(".tokens").inner_text()
        for name in SHOWN:
            assert HOSTILE[name].replace(" ", "·") in said
        for control in ("\x00", "\x07", "\x1b", "\u202e"):
            assert control not in said
        visit.tab.locator("[data-token='0:5']").click()
        visit.see_answer(1, 1)
        assert visit.tab.evaluate(HARM) == HARMLESS
        for name, button, panel, figures in (
            ("patching", "Patch layers and heads", 1, 2),
            ("direct-effect", "Search its neurons", 1, 0),
            ("upstream", "Split what the neuron reads", 0, 3),
            ("composition", "Split the effect", 0, 1),
            ("ablation", "Exchange it", 0, 1),
            ("find", "Find the neuron", 0, 1),
        ):
            visit.go(name)
            visit.press(button)
            visit.see_answer(panel, figures)
            assert visit.tab.evaluate(HARM) == HARMLESS
        figures = visit.tab.locator(".js-plotly-plot").all_inner_texts()
        assert any("<img·src=x" in text for text in figures)


def test_a_hostile_word_searched_for_is_one_token_or_a_mistake(watched, home):
    with SpaceVisit(watched, home, tab="direct-effect") as visit:
        box = visit.tab.get_by_label("Any token")
        for text in (f" {HOSTILE['image']}", f" {HOSTILE['script']}"):
            box.fill(text)
            visit.press("Search its neurons")
            visit.panel(1).locator("[role=status]", has_text=text.replace(" ", "·")).wait_for()
            assert visit.tab.evaluate(HARM) == HARMLESS
        box.fill(HOSTILE["drawing"])
        visit.press("Search its neurons")
        assert "tokens" in visit.see_error(1)
        assert visit.tab.evaluate(HARM) == HARMLESS


@pytest.mark.parametrize("length", [TEXT_CHARACTERS, 100_000])
def test_a_text_that_is_too_long_is_a_mistake(watched, home, length):
    with SpaceVisit(watched, home) as visit:
        visit.see_tokens(visit.neuron())
        visit.box("text").fill("<b>" * (length // 3) + "x" * (length % 3))
        visit.press("Read this text")
        assert "longest allowed" in visit.see_error()
        assert visit.overflow() == 0

"""Whatever a visitor clicks, and however fast: no answer stands under another question."""

import os
import threading

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from space import tabs
from space.question_bar import examples
from tests.browser.space_page import MARKS, SpaceVisit, titles

pytestmark = MARKS

STEPS = int(os.environ.get("CLICKS", "60"))
"""Clicks in all, in visits of twenty."""

VISIT = 20
WORDS = (" egg", " owl", " the", "?!")
BUTTONS = tuple(
    e.button for t in tabs.tabs() for e in t.experiments if e.button and e.seconds <= 60
)

WRONG = """() => {
    const start = JSON.parse(document.getElementById("settings").dataset.start);
    const view = { ...start, ...Object.fromEntries(new URLSearchParams(location.search)) };
    return [...document.querySelectorAll("[data-question]")]
        .filter((answer) => answer.offsetParent)
        .map((answer) => [JSON.parse(answer.dataset.question), answer.textContent])
        .filter(([asked]) => Object.keys(asked).some((part) => asked[part] !== view[part]));
}"""
"""Answers that are seen, and whose question is not the one that the address names."""

SETTLED = """() => {
    const panels = [...document.querySelectorAll("[role=tabpanel]")];
    const panel = panels.filter((each) => each.offsetParent).at(-1);
    return panel && [...panel.querySelectorAll(".answer.quick")].every((answer) => {
        const question = answer.querySelector("[data-question]");
        return question && question.offsetParent && question.textContent.trim();
    });
}"""
"""Whether the open tab's quick answers are there, and are seen."""


def clicks(context, address: str, busy) -> type[RuleBasedStateMachine]:
    """A visitor who changes the question, the tab and the text, and waits for nothing."""

    class Visitor(RuleBasedStateMachine):
        @initialize()
        def comes(self) -> None:
            self.visit = SpaceVisit(context, address)
            self.visit.unfold()

        @rule(pause=st.sampled_from([0, 50, 300]))
        def waits(self, pause: int) -> None:
            self.visit.tab.wait_for_timeout(pause)

        @rule(
            box=st.sampled_from(["target", "foil"]),
            word=st.sampled_from([" egg", " owl", " the", "?!"]),
        )
        def asks_about_a_word(self, box: str, word: str) -> None:
            self.visit.box(box).fill(word)
            self.visit.tab.locator("#ask").click()

        @rule(name=st.sampled_from(["L0N1", "L1N3", "L9N9", ""]))
        def asks_about_a_neuron(self, name: str) -> None:
            self.visit.box("neuron").fill(name)
            self.visit.box("neuron").press("Enter")

        @rule(title=st.sampled_from([title for title, _ in examples()]))
        def presses_an_example(self, title: str) -> None:
            place = self.visit.tab.locator(".examples")
            place.get_by_role("button", name=title, exact=True).click()

        @rule(name=st.sampled_from(sorted(titles())))
        def opens_a_tab(self, name: str) -> None:
            self.visit.click_tab(name)

        @rule(text=st.sampled_from(["", "She ate an egg", "He saw the owl"]))
        def reads_a_text(self, text: str) -> None:
            if self.visit.box("text").is_visible():
                self.visit.box("text").fill(text)
                self.visit.box("text").press("Enter")

        @rule(name=st.sampled_from(BUTTONS))
        def presses_a_button(self, name: str) -> None:
            button = self.visit.button(name)
            if button.is_visible():
                button.click()

        @rule()
        def presses_a_token(self) -> None:
            token = self.visit.tab.locator(".token:visible")
            if token.count():
                token.first.click(force=True)

        @rule()
        def somebody_else_has_the_model(self) -> None:
            busy()

        @invariant()
        def no_answer_stands_under_another_question(self) -> None:
            if hasattr(self, "visit"):
                assert self.visit.tab.evaluate(WRONG) == []

        def teardown(self) -> None:
            if hasattr(self, "visit"):
                self.visit.tab.wait_for_function(SETTLED)
                assert self.visit.tab.evaluate(WRONG) == []
                self.visit.tab.close()
                assert self.visit.trouble == []

    return Visitor


def test_no_answer_stands_under_another_question_however_one_clicks(context, running, address):
    def busy() -> None:
        """The model is taken for a while."""
        taken = threading.Event()

        def hold() -> None:
            with running.session.alone("tiny"):
                taken.set()
                threading.Event().wait(0.5)

        threading.Thread(target=hold, daemon=True).start()
        taken.wait()

    machine = clicks(context, address, busy)
    settings = hypothesis.settings(
        max_examples=max(1, STEPS // VISIT),
        stateful_step_count=VISIT,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    run_state_machine_as_test(machine, settings=settings)


def test_ask_tells_a_tab_to_answer_that_does_so_when_it_is_told_to(context, address):
    with SpaceVisit(context, address) as visit:
        visit.go("find")
        visit.press("Find the neuron")
        visit.see_answer("find", 1)
        visit.write(target=" egg")
        visit.tab.locator("#ask").click()
        visit.see_command("find", "--target ' egg'")
        assert visit.tab.evaluate(WRONG) == []


def test_a_neuron_of_an_earlier_question_is_said_to_be_kept_and_can_be_given_back(context, address):
    with SpaceVisit(context, address) as visit:
        kept = visit.tab.get_by_text("The neuron is kept from the earlier question.")
        assert not kept.is_visible()
        visit.ask(target=" egg")
        kept.wait_for()
        with visit.asked.once_more():
            visit.tab.get_by_role("button", name="Find the neuron of this one").click()
        visit.see_view(neuron="")
        assert not kept.is_visible()
        visit.see_answer("activations")

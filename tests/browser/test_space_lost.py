"""What the page does where answers do not come, and of what waits in it when Stop is pressed."""

import analysis.running
from space import html
from space.app import STATIC
from space.kept import Kept
from space.view import View
from tests.browser.space_page import MARKS, SpaceVisit
from tests.space.test_leaving import GIVEN_UP, Endless

pytestmark = MARKS

BENCH = """<div id="heard"><textarea></textarea></div><div role="tabpanel">The open tab.</div>
<button id="ask" onclick="asks += 1; answers.asked({}, 'the question')">Ask</button>"""
"""As much of the workbench as looks for answers; nothing answers it."""

ASKED_AFTER = (4_000, 8_000, 16_000)
"""Milliseconds after which a question is asked again, each time later."""


def test_a_page_that_gets_no_answer_asks_three_times_more_and_then_says_so(context):
    page = context.new_page()
    page.clock.install()
    page.set_content(html.head(View(), "", {}) + BENCH)
    page.evaluate("window.asks = 0")
    page.add_script_tag(path=STATIC / "answers.js")
    lost = page.locator("#lost")
    page.locator("#ask").click()
    for number, wait in enumerate(ASKED_AFTER):
        page.clock.run_for(wait)
        assert page.evaluate("asks") == 2 + number
        assert not lost.is_visible()
    page.clock.run_for(16_000)
    assert page.evaluate("asks") == 4, "no more are sent to a server that may be too busy"
    assert lost.is_visible()
    lost.get_by_role("button", name="Ask again").click()
    assert page.evaluate("asks") == 5
    assert not lost.is_visible()
    page.locator("#heard textarea").evaluate("box => box.value = 'the question'")
    page.clock.run_for(60_000)
    assert page.evaluate("asks") == 5, "it was answered"
    page.close()


def test_one_stop_ends_a_question_that_was_pressed_twice(context, running, address, monkeypatch):
    with running.session.alone("tiny"):
        slow = Endless(running.session.subject("tiny"))
    with SpaceVisit(context, address) as visit:
        visit.go("find")
        visit.see_answer("find", 1)
        running.session.answers = Kept()
        monkeypatch.setattr(analysis.running, "compute", slow)
        before = visit.asked.count
        visit.button("Find the neuron").click()
        assert slow.begun.wait(GIVEN_UP)
        visit.button("Find the neuron").click()
        visit.tab.locator("#stop").click()
        while visit.asked.count < before + 2:
            visit.tab.wait_for_timeout(10)
        visit.tab.wait_for_selector("body:not(.pending)", timeout=1000 * GIVEN_UP)
        assert "Stopped before it was answered." in visit.see_error("find")
        assert slow.count == 1

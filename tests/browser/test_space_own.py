"""Several pairs of prompts, pasted into the page."""

from tests.browser.space_page import MARKS, SpaceVisit

pytestmark = MARKS

LINES = """I saw the egg and ate | I saw the pear and ate
I climbed up the apple tree and picked | I climbed up the lemon tree and picked | the | his"""


def test_pasted_pairs_are_asked_and_stand_in_the_address(context, address):
    with SpaceVisit(context, address, tab="patching") as visit:
        visit.ask(lines=LINES)
        assert "“I saw the egg and ate” against “I saw the pear and ate”" in visit.tab.inner_text(
            "#asked"
        )
        visit.press("Sweep the neurons")
        assert "other pair" in visit.see_answer("neuron_sweep", 1)

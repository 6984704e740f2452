"""The Space in a browser: hostile input runs nothing."""

from tests.browser.space_page import MARKS, SpaceVisit

pytestmark = MARKS

HOSTILE = (
    "${window.hit=1}",
    "{{7*7}}",
    "<img src=x onerror=window.hit=1>",
    "\"><svg onload=window.hit=1>",
    "</script><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "\u202eright to left, \u0007 and a bell, 🍎",
)  # fmt: skip
LEAVES = '"></script><svg onload=window.hit=1><script>window.hit=1</script>'
"""Leaves an attribute, a script and a JSON in one, in a word's length."""


def test_hostile_text_in_the_address_and_the_boxes_runs_nothing(context, address):
    text = "\n".join(HOSTILE)
    words = {"target": LEAVES, "foil": HOSTILE[2]}
    with SpaceVisit(context, address, text=text, clean=text, **words) as visit:
        visit.panel("activations").locator("[role=alert], [role=status]").first.wait_for()
        visit.write(
            clean="I climbed up the apple tree and picked", corrupted="", target=" an", foil=" a"
        )
        visit.box("text").fill(text)
        visit.press("Read this text")
        visit.panel("activations").locator("[role=status]").wait_for()
        assert visit.tab.evaluate("window.hit") is None
        for injected in ("img[src=x]", "svg[onload]", ".tokens script"):
            assert visit.tab.locator(injected).count() == 0

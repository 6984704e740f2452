"""The Space in a real browser: what a visitor sees, presses and takes away."""

import csv
import json
import re
from pathlib import Path

import pytest

from space import question_bar
from space.view import View
from tests.browser.space_page import MARKS, SpaceVisit

pytestmark = MARKS

TITLE = re.compile(r"\S+: activation [−\d.]+; probability of ·an next [<\d.]+ %")
FOCUSED = "document.activeElement.dataset.token"


def test_the_first_screen_shows_two_sentences_and_the_clean_prompt_in_colour(visit):
    opening = visit.tab.locator(".lede").inner_text()
    assert len(re.findall(r"[.?!](?:\s|$)", opening)) == 2
    assert not visit.tab.locator(".stage").count()  # there is no study of this model
    tokens = visit.tab.locator(".tokens .row").first.locator(".token")
    assert tokens.locator(".text").all_inner_texts()[-5:] == [
        "·the", "·apple", "·tree", "·and", "·picked",
    ]  # fmt: skip
    tints = tokens.locator(".text").evaluate_all(
        "found => found.map(token => getComputedStyle(token).backgroundColor)"
    )
    assert len(set(tints)) > 5
    titles = tokens.evaluate_all("found => found.map(token => token.title)")
    assert all(map(TITLE.fullmatch, titles))


def test_arrow_keys_walk_through_a_row_that_is_one_stop_of_the_tab_key(visit):
    rows = visit.tab.locator(".tokens .row")
    last = rows.first.locator(".token").count() - 1
    rows.first.locator(".token").first.focus()
    for key, place in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last), ("ArrowRight", last),
        ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        visit.tab.keyboard.press(key)
        assert visit.tab.evaluate(FOCUSED) == f"0:{place}"
    visit.tab.keyboard.press("Tab")
    assert visit.tab.evaluate(FOCUSED) == "1:0"


def test_copy_puts_the_command_and_the_link_on_the_clipboard(visit):
    take = visit.tab.locator(".take:visible")
    take.get_by_role("button", name="Copy").click()
    take.get_by_role("button", name="Copied").wait_for()
    copied = visit.tab.evaluate("navigator.clipboard.readText()")
    assert copied == take.locator("code").inner_text()
    link = visit.tab.locator(".link")
    link.get_by_role("button", name="Copy").click()
    link.get_by_role("button", name="Copied").wait_for()
    assert visit.tab.evaluate("navigator.clipboard.readText()") == visit.tab.url


def test_enter_on_a_token_shows_what_the_model_expects_after_it(visit):
    visit.tab.locator("[data-token='0:0']").focus()
    visit.tab.keyboard.press("ArrowRight")
    with visit.asked.once_more():
        visit.tab.keyboard.press("Enter")
    assert "likeliest next token" in visit.see_answer("next_token", 1)
    visit.see_command("next_token", "--clean 'I climbed'")


def test_a_text_of_the_visitor_is_read_and_named_in_the_address(visit):
    visit.box("text").fill("She ate an orange")
    visit.press("Read this text")
    row = visit.tab.locator(".tokens .row").first.locator(".text")
    row.nth(3).get_by_text("·orange").wait_for()
    assert row.all_inner_texts() == ["She", "·ate", "·an", "·orange"]
    visit.see_view(text="She ate an orange")


def test_the_distribution_changes_with_the_factor(visit):
    visit.go("intervention")
    visit.see_answer("intervention", 1)
    before = settings(visit)
    slider = visit.tab.get_by_role("slider").first
    slider.focus()
    visit.tab.keyboard.press("End")
    visit.press("Exchange it")
    visit.see_command("intervention", "--factor 10")
    after = settings(visit)
    assert [name for name in before if before[name] != after[name]] == ["factor"]
    assert float(after["factor"]["Set to"]) == pytest.approx(
        10 * float(after["untouched"]["Set to"]), rel=0.01
    )
    assert before["factor"]["Logit diff"] != after["factor"]["Logit diff"]


def settings(visit: SpaceVisit) -> dict[str, dict[str, str]]:
    """The table's numbers, by the neuron's setting."""
    table = visit.panel("intervention").locator("table")
    names = table.locator("thead th").all_text_contents()
    rows = [row.locator("th, td").all_text_contents() for row in table.locator("tbody tr").all()]
    return {
        row[0]: dict(zip(names, (c.replace("−", "-") for c in row), strict=True)) for row in rows
    }


def test_what_is_found_is_taken_away_as_files_that_agree_and_pressed_everywhere(visit, tmp_path):
    visit.go("find")
    visit.press("Find the neuron")
    visit.see_answer("find", 1)
    files = {kind: taken(visit, "find", "link", kind, tmp_path) for kind in ("JSON", "CSV")}
    document = json.loads(files["JSON"].read_text(encoding="utf-8"))
    with files["CSV"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["neuron"] == document["by_patching"][0]["neuron"]
    assert float(rows[0]["recovery"]) == document["by_patching"][0]["recovery"]
    before = visit.neuron()
    neurons = visit.panel("find").locator("button.neuron")
    name = next(text for text in neurons.all_inner_texts() if text != before)
    with visit.asked.once_more():
        neurons.get_by_text(name, exact=True).first.click()
    sees_the_neuron_everywhere(visit, name)


def test_a_point_pressed_in_the_sweep_becomes_the_neuron_everywhere(visit):
    before = visit.neuron()
    visit.go("patching")
    visit.press("Sweep the neurons")
    visit.see_answer("neuron_sweep", 1)
    plot = visit.panel("neuron_sweep").locator(".js-plotly-plot")
    plot.scroll_into_view_if_needed()
    points = plot.locator(".scatterlayer .trace").last.locator("path.point")
    point = points.nth(points.count() // 2).bounding_box()
    visit.tab.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    visit.tab.wait_for_function("document.querySelector('.hoverlayer .hovertext')")
    named = plot.locator(".hoverlayer").text_content()
    with visit.asked.once_more():
        visit.tab.mouse.down()
        visit.tab.mouse.up()
    name = re.search(r"L\d+N\d+", named).group()
    assert name != before
    sees_the_neuron_everywhere(visit, name)


def sees_the_neuron_everywhere(visit: SpaceVisit, name: str) -> None:
    visit.see_view(neuron=name)
    assert visit.neuron() == name
    assert f"neuron={name}" in visit.tab.locator("#link").input_value()
    visit.go("activations")
    visit.see_tokens(name)
    visit.unfold()
    assert visit.box("neuron").input_value() == name


def test_a_figure_can_be_taken_away_as_an_image(visit, tmp_path):
    visit.go("composition")
    visit.press("Split the effect")
    visit.see_answer("composition", 1)
    for kind, begin in (("PNG", b"\x89PNG\r\n"), ("SVG", b"<svg")):
        image = taken(visit, "composition", "button", kind, tmp_path).read_bytes()
        assert image.startswith(begin)
        assert len(image) > 10_000


def taken(visit: SpaceVisit, name: str, role: str, kind: str, folder: Path) -> Path:
    """The file that a link or button below an answer downloads."""
    with visit.tab.expect_download() as download:
        visit.panel(name).get_by_role(role, name=kind, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == f".{kind.lower()}"
    assert path.stem.startswith(name)
    return path


def test_examples_ask_their_questions(visit):
    visit.unfold()
    for title, parts in list(question_bar.examples())[::-3]:
        with visit.asked.once_more():
            visit.tab.locator(".examples").get_by_role("button", name=title, exact=True).click()
        differing = {k: text for k, text in parts.items() if text != getattr(View(), k)}
        visit.see_view(**differing)
        assert visit.box("clean").input_value() == parts["clean"]
        assert parts["clean"] in visit.tab.locator("#asked").inner_text()

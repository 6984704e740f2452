"""Figures as files: the same twice, undated, of the width and resolution asked for."""

import asyncio
import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from analysis.errors import UserError
from report import images
from report.images import DPI, FONT, draw, find_browser
from tests.synthetic import Plan, evidence, hostile_plan

pytestmark = pytest.mark.slow

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
NAMES = ("next_token", "logit_lens")


@pytest.fixture(scope="module")
def browser():
    try:
        return find_browser()
    except UserError as error:
        pytest.skip(str(error))


def plotted(plan: Plan) -> dict:
    study = evidence(plan)
    return {name: study.results[name].figure() for name in NAMES}


@pytest.fixture(scope="module")
def drawn(browser) -> dict[str, bytes]:
    return draw(plotted(Plan()), browser)


def test_figures_drawn_twice_are_the_same_bytes(drawn, browser):
    assert draw(plotted(Plan()), browser) == drawn
    assert set(drawn) == {f"{name}.{kind}" for name in NAMES for kind in ("svg", "pdf", "png")}


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_five_and_a_half_inches_wide(drawn, name):
    svg = ElementTree.fromstring(drawn[f"{name}.svg"])
    assert float(svg.get("width")) / 96 == 5.5
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+)", drawn[f"{name}.pdf"])
    assert float(box[1]) / 72 == pytest.approx(5.5, abs=0.01)
    with Image.open(io.BytesIO(drawn[f"{name}.png"])) as png:
        assert png.width == 5.5 * DPI
        assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert png.mode == "RGB"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_says_when_a_figure_was_drawn(drawn, name):
    dates = re.findall(rb"Date \(D:(\d+)", drawn[f"{name}.pdf"])
    assert set(dates) == {b"20000101000000"}
    with Image.open(io.BytesIO(drawn[f"{name}.png"])) as png:
        assert not set(png.info) - {"dpi"}
    assert b"date" not in drawn[f"{name}.svg"].lower()


@pytest.mark.parametrize("name", NAMES)
def test_all_letters_of_a_figure_are_of_one_family(drawn, name):
    families = re.findall(r"font-family: ([^;]+);", drawn[f"{name}.svg"].decode())
    assert {re.sub("&quot;|['\"]", "", family) for family in families} == {FONT}


def test_the_web_asks_for_pngs_alone_in_its_own_width_and_scale(browser):
    figure = plotted(Plan())["logit_lens"]
    before = figure.to_json()
    drawn = draw({"lens": figure}, browser, formats=["png"], width=400, scale=2)
    assert list(drawn) == ["lens.png"]
    with Image.open(io.BytesIO(drawn["lens.png"])) as png:
        assert png.size == (800, 2 * figure.layout.height)
        assert png.info["dpi"] == pytest.approx((192, 192), abs=0.01)
    assert figure.to_json() == before, "drawing changes the figure"


def test_hostile_tokens_do_not_become_elements_of_an_svg(browser):
    figures = {"next_token": plotted(hostile_plan())["next_token"]}
    svg = ElementTree.fromstring(draw(figures, browser, ["svg"])["next_token.svg"])
    tags = {element.tag.rpartition("}")[2].lower() for element in svg.iter()}
    assert not tags & {"script", "img", "image", "foreignobject", "a"}
    assert not [key for element in svg.iter() for key in element.attrib if key.startswith("on")]
    assert "<img·src=x" in "".join(svg.itertext())


@pytest.mark.parametrize("deaf", [1, images.TRIES])
def test_a_browser_that_ends_unheard_is_started_anew(browser, monkeypatch, deaf):
    """Nothing that waits for it hears that it ended: as if its pipes were open elsewhere."""
    figures, tried = {"lens": plotted(Plan())["logit_lens"]}, []

    async def drawn(session, *rest, drawn=images._drawn):
        tried.append(session)
        if len(tried) <= deaf:
            session.subprocess = subprocess.Popen([sys.executable, "-c", ""])
            session.subprocess.wait()
            await asyncio.Event().wait()
        return await drawn(session, *rest)

    monkeypatch.setattr(images, "GRACE", 0.1)
    monkeypatch.setattr(images, "_drawn", drawn)
    if deaf < images.TRIES:
        assert list(draw(figures, browser, ["png"])) == ["lens.png"]
    else:
        with pytest.raises(UserError, match="cannot draw: BrowserClosedError"):
            draw(figures, browser, ["png"])
    assert len(tried) == min(deaf + 1, images.TRIES)

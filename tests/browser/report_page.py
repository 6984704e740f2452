"""The report's page, open in a browser."""

from pathlib import Path

from tests.browser.chromium import WAIT, Visit

SEE = """async ([names, wait]) => {
    const missing = [];
    for (const name of names) {
        const figure = document.getElementById(name);
        figure.scrollIntoView({ behavior: "instant" });
        const end = Date.now() + wait;
        while (!figure.querySelector("svg.main-svg") && Date.now() < end)
            await new Promise((resolve) => setTimeout(resolve, 5));
        if (!figure.querySelector("svg.main-svg")) missing.push(name);
    }
    return missing;
}"""
CUT = """() => [...document.querySelectorAll("figure .plot")].flatMap((plot) => {
    const frame = plot.getBoundingClientRect();
    const within = ({ left, right, top, bottom }) => left >= frame.left - 1 &&
        right <= frame.right + 1 && top >= frame.top - 1 && bottom <= frame.bottom + 1;
    return [...plot.querySelectorAll("svg.main-svg text")]
        .filter((text) => text.getBoundingClientRect().width)
        .filter((text) => !within(text.getBoundingClientRect()))
        .map((text) => `${plot.parentElement.id}: ${text.textContent}`);
})"""

OVERLAID = """() => [...document.querySelectorAll("figure .plot")].flatMap((plot) => {
    const upright = ({ a, b }) => Math.min(Math.abs(a), Math.abs(b)) < 0.01;
    const lines = [...plot.querySelectorAll("svg.main-svg text")]
        .filter((text) => text.textContent.trim() && upright(text.getScreenCTM()))
        .flatMap((text) => {
            const parts = [...text.querySelectorAll("tspan.line")];
            return (parts.length ? parts : [text]).map((part) => [text, part]);
        })
        .map(([text, part]) => [text, part.textContent, part.getBoundingClientRect()]);
    const size = (text) => parseFloat(getComputedStyle(text).fontSize);
    const overlap = (one, other) => Math.min(
        Math.min(one.right, other.right) - Math.max(one.left, other.left),
        Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top),
    );
    // fonts differ in the room that they leave around letters
    const least = (text, other) => Math.min(size(text), size(other)) / 3;
    return lines.flatMap(([text, says, box], place) => lines.slice(place + 1)
        .filter(([other, , its]) => other !== text && overlap(box, its) > least(text, other))
        .map(([, also]) => `${plot.parentElement.id}: ${says} / ${also}`));
})"""

FOLLOWED = """() => [...document.querySelectorAll(".js-plotly-plot")].every((plot) => {
    const themes = JSON.parse(document.getElementById("themes").textContent);
    const { width, font } = plot._fullLayout;
    return Math.abs(width - plot.offsetWidth) < 1 &&
        font.color === themes[currentScheme()].template.layout.font.color;
})"""


MEDIA = ("color_scheme", "reduced_motion")
"""Options that a page alone can have; with others it needs a context of its own."""


class ReportVisit(Visit):
    """The report, open as at a first visit."""

    def __init__(self, browser, page: Path | str, width: int = 1000, **options: object) -> None:
        address = page if isinstance(page, str) else page.as_uri()
        home = ("file:", address.partition("/smollm2")[0])
        media = {name: options.pop(name) for name in MEDIA if name in options}
        self._own = browser.new_context(**options) if options else None
        super().__init__(self._own or browser.contexts[0], address, home, (width, 800), **media)

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._own.close()
        else:
            self.tab.evaluate("localStorage.clear()")  # what a reader chose
            self.tab.close()

    def turn_to(self, page: Path) -> None:
        self.tab.goto(page.as_uri())

    def look(self, scheme: str, width: int) -> None:
        """Change the system's scheme and the window's width; the figures follow."""
        self.tab.emulate_media(color_scheme=scheme)
        self.resize(width, 800)
        self.tab.wait_for_function(FOLLOWED)

    def figures(self) -> list[str]:
        return self.tab.locator("figure").evaluate_all("found => found.map(figure => figure.id)")

    def see_every_figure(self) -> None:
        self.see(*self.figures())

    def see(self, *names: str) -> None:
        """Come near each figure, and stay until it is drawn."""
        assert self.tab.evaluate(SEE, [list(names), WAIT]) == []

    def cut_off(self) -> list[str]:
        """Texts that reach out of the figures, which are drawn."""
        return self.tab.evaluate(CUT)

    def overlaid(self) -> list[str]:
        """Pairs of texts in the figures, which are drawn, that lie on each other."""
        return self.tab.evaluate(OVERLAID)

    def ink(self, name: str) -> str:
        """Colour of the figure's first tick label."""
        label = self.tab.locator(f"figure#{name} .xtick text").first
        return label.evaluate("element => getComputedStyle(element).fill")

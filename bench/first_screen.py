"""The app's first screen in a browser: how soon it is there, whether it shifts, how quick it turns.

Run with ``python -m bench.first_screen [ADDRESS]``; it needs Chromium. Without an address it starts
the app itself.
"""

import os
import shutil
import sys

from playwright.sync_api import sync_playwright

from space.launch import launch, make

ROUNDS = 5

WATCH = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });"""

BEGUN = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return [page.responseStart, paint.startTime, window.shifted];
}"""

TURNED = """() => {
    const slider = document.getElementById("turn");
    return [...Array(25).keys()].map((round) => {
        slider.value = (round * 7) % 11;
        const begun = performance.now();
        slider.dispatchEvent(new Event("input"));
        document.querySelector(".bars i").getBoundingClientRect();
        return performance.now() - begun;
    }).sort((a, b) => a - b);
}"""
"""Milliseconds to turn the neuron and lay the page out, 25 times."""


def main(address: str) -> None:
    """Open the page some times and print what each took."""
    chromium = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or "chromium"
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(ROUNDS):
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            context.add_init_script(WATCH)
            page = context.new_page()
            page.goto(address, wait_until="load")
            page.locator("#turn").wait_for()
            turned = page.evaluate(TURNED)
            answered, painted, shifted = page.evaluate(BEGUN)
            print(
                f"answer {answered:.0f} ms, first picture {painted - answered:.0f} ms later, "
                f"shift {shifted:.4f}, turned in {turned[12]:.1f} ms (at most {turned[-1]:.1f})"
            )
            context.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        _, local, _ = launch(make(), prevent_thread_lock=True)
        main(local)

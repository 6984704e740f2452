"use strict";
/* Draws each figure from the JSON beside it when it comes near the screen, in the page's scheme. */
(() => {
  const CONFIG = { responsive: true, displayModeBar: false, showTips: false };
  const themes = JSON.parse(document.getElementById("themes").textContent);
  const plots = [...document.querySelectorAll(".plot")];
  const drawn = new Set();

  const draw = (plot) => {
    if (drawn.has(plot)) return Promise.resolve();
    drawn.add(plot);
    const spec = JSON.parse(document.getElementById(plot.dataset.source).textContent);
    const layout = { ...spec.layout, ...themes[window.currentScheme()] };
    return window.Plotly.newPlot(plot, spec.data, layout, CONFIG);
  };
  const dress = (scheme) =>
    Promise.all([...drawn].map((plot) => window.Plotly.relayout(plot, themes[scheme])));

  if (!window.Plotly) {
    for (const plot of plots) plot.textContent = "This figure needs plotly.min.js beside the page.";
    return;
  }
  if ("IntersectionObserver" in window) {
    const near = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          near.unobserve(entry.target);
          draw(entry.target);
        }
      },
      { rootMargin: "600px 0px" },
    );
    for (const plot of plots) near.observe(plot);
  } else {
    for (const plot of plots) draw(plot);
  }
  document.addEventListener("schemechange", (event) => dress(event.detail));
  window.addEventListener("beforeprint", () => {
    for (const plot of plots) draw(plot);
    dress("light");
  });
  window.addEventListener("afterprint", () => dress(window.currentScheme()));
})();

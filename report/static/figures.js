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
    const announce = () => plot.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
    return window.Plotly.newPlot(plot, spec.data, layout, CONFIG).then(announce);
  };
  const dress = (scheme, size = {}) =>
    Promise.all([...drawn].map((plot) => window.Plotly.relayout(plot, { ...themes[scheme], ...size })));

  /* Pixels that a sheet of paper has room for; printing tells no figure of its new width. */
  const PAPER = { width: 580 };
  const SCREEN = { width: null, autosize: true };

  /* What a figure shows, as a table: a row for each point, or for each cell of a map. */
  const points = ({ name, x, y, z, text, customdata }, number) => {
    const label = (i) => [customdata?.[i] ?? text?.[i] ?? ""].flat().join(" ");
    const trace = name ?? number;
    if (z) return z.flatMap((row, j) => [...row].map((value, i) => [trace, x?.[i] ?? i, y?.[j] ?? j, value, ""]));
    const length = Math.max(x?.length ?? 0, y?.length ?? 0);
    return Array.from({ length }, (_, i) => [trace, x?.[i] ?? i, y?.[i] ?? i, "", label(i)]);
  };
  /* Text that a spreadsheet could take for a formula becomes a JSON string. */
  const harmless = (text) => (/^[=+\-@＝＋－＠\t\r\n"]/.test(text) && Number.isNaN(Number(text)) ? JSON.stringify(text) : text);
  const quoted = (cell) => `"${harmless(String(cell)).replaceAll('"', '""')}"`;
  const csv = (plot) =>
    [["trace", "x", "y", "value", "label"], ...plot._fullData.flatMap(points)]
      .map((row) => row.map(quoted).join(","))
      .join("\r\n");
  const save = (text, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const take = async (button) => {
    const figure = button.closest("figure");
    const plot = figure.querySelector(".plot");
    await draw(plot);
    if (button.dataset.take === "csv") return save(csv(plot), `${figure.id}.csv`);
    const { width, height } = plot.getBoundingClientRect();
    const format = button.dataset.take;
    return window.Plotly.downloadImage(plot, { format, width, height, scale: 2, filename: figure.id });
  };

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
  for (const button of document.querySelectorAll("[data-take]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-take]");
    if (button) take(button);
  });
  document.addEventListener("schemechange", (event) => dress(event.detail));
  window.addEventListener("beforeprint", () => {
    for (const plot of plots) draw(plot);
    dress("light", PAPER);
  });
  window.addEventListener("afterprint", () => dress(window.currentScheme(), SCREEN));
})();

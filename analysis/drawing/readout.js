"use strict";
/* What a figure says to a pointer it says below itself, too: of a mark that is pressed, or that one
   steps to. A mark that has a name is kept in the address, as #FIGURE=MARK. */
(() => {
  const HINT = "Press a mark, or step through them, for its numbers.";
  /* Plotly draws a label at once, or after what it waits between two. */
  const WAIT = 60;

  const nameOf = (plot) => {
    const answer = [...(plot.closest(".answer")?.classList ?? [])].find((each) => each.startsWith("answer-"));
    return plot.closest("figure")?.id || answer?.replace("answer-", "") || "";
  };
  const addressed = () => new URLSearchParams(location.hash.slice(1));

  /* All marks of a figure; those that lie on top, which were drawn last, come first. */
  const marksOf = (plot) =>
    [...plot._fullData.keys()].reverse().flatMap((curve) => {
      const { visible, hoverinfo, x, y, z, ids, meta } = plot._fullData[curve];
      if (visible !== true || hoverinfo === "skip") return [];
      const there = (value) => value !== null && !Number.isNaN(value);
      const at = (axis, point) => (axis ? axis[point] : 0);
      /* The cells of a map have names of one form, its meta. */
      const named = (i, j) => meta?.replace("{x}", x?.[i] ?? i).replace("{y}", y?.[j] ?? j);
      const cell = (value, i, j) => (there(value) ? [{ curve, point: [j, i], id: named(i, j) }] : []);
      if (z) return z.flatMap((row, j) => [...row].flatMap((value, i) => cell(value, i, j)));
      const length = Math.max(x?.length ?? 0, y?.length ?? 0);
      return Array.from({ length }, (_, point) => ({ curve, point, id: ids?.[point] })).filter(
        ({ point }) => there(at(x, point)) && there(at(y, point)),
      );
    });

  const label = (plot) =>
    [...plot.querySelectorAll(".hoverlayer .hovertext text")]
      .flatMap((text) => {
        const lines = [...text.querySelectorAll("tspan.line")];
        return lines.length ? lines : [text];
      })
      .map((line) => line.textContent.trim())
      .filter(Boolean)
      .join(" · ")
      .replaceAll(" · →", " →");

  const read = (plot, place) => {
    const marks = marksOf(plot);
    const mark = marks[place];
    if (!mark) return;
    const { xaxis = "x", yaxis = "y" } = plot._fullData[mark.curve];
    window.Plotly.Fx.hover(plot, [{ curveNumber: mark.curve, pointNumber: mark.point }], xaxis + yaxis);
    plot.mark = place;
    setTimeout(() => (below(plot).querySelector("output").textContent = label(plot)), WAIT);
    if (!mark.id) return;
    const figure = nameOf(plot);
    history.replaceState(history.state, "", `#${new URLSearchParams({ [figure]: mark.id })}`);
    const detail = { figure, mark: mark.id };
    plot.dispatchEvent(new CustomEvent("readout", { detail, bubbles: true }));
    return plot;
  };

  /* Where it stands: two buttons to step, and the numbers. */
  const below = (plot) => {
    const home = plot.closest("figure, .figure") ?? plot.parentElement;
    const found = home.querySelector(".readout");
    if (found) return found;
    const made = document.createElement("div");
    made.className = "readout";
    const step = (sign, name, by) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.ariaLabel = name;
      button.addEventListener("click", () => {
        const now = home.querySelector(".js-plotly-plot");
        const count = marksOf(now).length;
        read(now, now.mark === undefined ? 0 : (now.mark + by + count) % count);
      });
      return button;
    };
    made.append(step("‹", "Mark before", -1), step("›", "Next mark", 1), document.createElement("output"));
    home.insertBefore(made, home.querySelector("figcaption"));
    return made;
  };

  const find = (plot, wanted) => marksOf(plot).findIndex(wanted);
  const restore = (plot) => {
    const id = addressed().get(nameOf(plot));
    if (id) read(plot, find(plot, (mark) => mark.id === id));
  };
  document.addEventListener("drawn", ({ target: plot }) => {
    if (!marksOf(plot).length) return;
    plot.mark = undefined;
    below(plot).querySelector("output").textContent = HINT;
    if (!plot.readable)
      plot.on("plotly_click", ({ points: [{ curveNumber, pointNumber }] }) =>
        read(plot, find(plot, ({ curve, point }) => curve === curveNumber && String(point) === String(pointNumber))),
      );
    plot.readable = true;
    restore(plot);
  });

  const drawn = () => [...document.querySelectorAll(".js-plotly-plot")].filter((plot) => plot.readable);
  /* Reads out a mark of a figure by its name, and gives the plot that has it. */
  window.readMark = (figure, id) =>
    drawn()
      .filter((plot) => nameOf(plot) === figure)
      .map((plot) => read(plot, find(plot, (mark) => mark.id === id)))
      .find(Boolean);
  /* An address may name a mark of a figure that is drawn only when one comes near it. */
  const come = () => {
    for (const figure of addressed().keys()) document.getElementById(figure)?.scrollIntoView();
    drawn().forEach(restore);
  };
  window.addEventListener("hashchange", come);
  come();
})();

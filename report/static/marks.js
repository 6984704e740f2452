"use strict";
/* A sentence that is pointed at lights up the marks that it speaks of, and a mark its sentences. */
(() => {
  const sentences = [...document.querySelectorAll(".lights")];
  const marks = new Map(sentences.map((each) => [each, new Set(JSON.parse(each.dataset.marks))]));

  /* What a point is called: the name that its data begin with, and that of its trace. */
  const called = ({ name, text, customdata }, i) => [
    name,
    ...[text, customdata].map((labels) => (Array.isArray(labels) ? [labels[i]].flat()[0] : undefined)),
  ];

  let shown;
  const show = (sentence) => {
    if (sentence === shown) return;
    for (const lit of document.querySelectorAll(".lit, .pointed")) lit.classList.remove("lit", "pointed");
    shown = sentence;
    if (!sentence) return;
    sentence.classList.add("lit");
    const plot = document.querySelector(`#${sentence.dataset.figure} .plot`);
    for (const point of plot.querySelectorAll(".trace .point, .trace .errorbar")) {
      const { trace } = point.closest(".trace").__data__[0];
      if (!called(trace, point.__data__.i).some((name) => marks.get(sentence).has(name))) continue;
      point.classList.add("lit");
      plot.classList.add("pointed");
    }
  };
  const spoken = (element) => element?.closest?.(".lights") ?? undefined;

  document.addEventListener("pointerover", ({ target }) => show(spoken(target) ?? spoken(document.activeElement)));
  document.addEventListener("focusin", ({ target }) => show(spoken(target)));
  document.addEventListener("focusout", () => show());
  for (const sentence of sentences) sentence.tabIndex = 0;

  document.addEventListener("drawn", ({ target }) => {
    const own = sentences.filter((each) => each.dataset.figure === target.closest("figure").id);
    const speak = ({ points }) => {
      const names = points.flatMap(({ fullData, pointNumber }) => called(fullData, pointNumber));
      for (const each of own) each.classList.toggle("lit", names.some((name) => marks.get(each).has(name)));
    };
    target.on("plotly_hover", speak);
    target.on("plotly_click", speak);
    target.on("plotly_unhover", () => own.forEach((each) => each.classList.remove("lit")));
  });
})();

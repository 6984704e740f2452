"use strict";
/* A slider over sizes: what is said of each stands there already, and the one that it is at is shown. */
(() => {
  const marks = (box) => [...box.querySelectorAll("[data-mark]")];
  const show = (box, place) => {
    const slider = box.querySelector("input");
    const all = marks(box);
    if (!all[place]) return;
    all.forEach((each, i) => (each.hidden = i !== place));
    slider.value = place + 1;
    slider.setAttribute("aria-valuetext", all[place].dataset.size);
    box.querySelector("output").textContent = all[place].dataset.size;
  };
  document.addEventListener("input", ({ target }) => {
    const box = target.closest?.(".sizes");
    if (!box) return;
    const place = target.value - 1;
    show(box, place);
    window.readMark?.(box.dataset.figure, marks(box)[place].dataset.mark);
  });
  document.addEventListener("readout", ({ detail: { figure, mark } }) => {
    for (const box of document.querySelectorAll(`.sizes[data-figure="${figure}"]`))
      show(box, marks(box).findIndex((each) => each.dataset.mark === mark));
  });
})();

"use strict";
/* What the short post does by itself: its slider, its guesses, and old links to sections of the study. */
(() => {
  const slider = document.getElementById("factor");
  if (slider) {
    const { steps } = JSON.parse(document.getElementById("dose-data").textContent);
    const bars = [...document.querySelectorAll(".dose .bar")];
    const amounts = [...document.querySelectorAll(".dose .amount-shown")];
    const shown = document.getElementById("factor-shown");
    const goesOn = document.getElementById("goes-on");
    const turn = () => {
      const step = steps[slider.value];
      shown.textContent = step.factor;
      slider.setAttribute("aria-valuetext", step.factor);
      goesOn.textContent = step.text;
      step.percents.forEach((width, i) => {
        bars[i].style.width = `${width}%`;
        amounts[i].textContent = step.shares[i];
      });
    };
    slider.disabled = false;
    slider.addEventListener("input", turn);
    turn();
  }

  /* Readers guess before they see: what follows a question is folded away until they ask for it, or print. */
  for (const guess of document.querySelectorAll(".guess")) {
    const button = guess.querySelector(".ask button");
    const answer = guess.querySelector(".answer");
    button.hidden = false;
    answer.hidden = true;
    const open = () => {
      answer.hidden = false;
      button.remove();
      for (const plot of answer.querySelectorAll(".js-plotly-plot")) window.Plotly.Plots.resize(plot);
    };
    button.addEventListener("click", () => {
      open();
      answer.focus();
    });
    window.addEventListener("beforeprint", open, { capture: true }); // before figures are drawn for paper
  }

  /* The post stood on one page with the study once: links to its sections lead there still. */
  const name = decodeURIComponent(location.hash.slice(1));
  if (name && !document.getElementById(name)) location.replace(`study.html#${encodeURIComponent(name)}`);
})();

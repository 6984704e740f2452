"use strict";
/* The walk: a guess, then what was found, then the next step; keys, and one screen at a time. */
(() => {
  const walk = document.getElementById("walk");
  const door = document.getElementById("walk-door");
  if (!walk || !door) return;
  const steps = [...walk.querySelectorAll("section")];
  let here = 0;
  const show = (to) => {
    here = Math.max(0, Math.min(steps.length - 1, to));
    steps.forEach((step, i) => (step.hidden = i !== here));
    walk.scrollTop = 0;
    steps[here].querySelector("h2").focus();
  };
  const guess = (step, button) => {
    if (!step.querySelector(".found").hidden) return;
    const buttons = [...step.querySelectorAll("[data-guess]")];
    const right = buttons[step.dataset.right];
    for (const each of buttons) each.setAttribute("aria-disabled", "true");
    button.dataset.mark = button === right ? "right" : "wrong";
    right.dataset.mark = "right";
    step.querySelector(".found").hidden = false;
    step.querySelector("[data-way='1']").hidden = false;
    step.querySelector(".mark").textContent =
      button === right ? "You guessed it." : `It is: ${right.textContent}`;
    step.querySelector("[data-way='1']").focus({ preventScroll: true });
  };
  const leave = () => {
    walk.close();
    (here === steps.length - 1 ? document.getElementById("own-target") : door).focus();
  };
  const go = (way) => {
    if (!way || here + way >= steps.length) leave();
    else show(here + way);
  };
  walk.addEventListener("click", ({ target }) => {
    const step = steps[here];
    if (target.matches("[data-guess]")) guess(step, target);
    else if (target.matches("[data-way]")) go(Number(target.dataset.way));
  });
  walk.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    const button = steps[here].querySelector(`[data-way='${way}']`);
    if (!button.hidden && !button.disabled && here + way < steps.length) show(here + way);
  });
  door.addEventListener("click", () => {
    walk.showModal();
    show(here);
  });
})();

"use strict";
/* Light or dark: the system's scheme, unless the reader chose one here. Runs before the first paint. */
(() => {
  const KEY = "scheme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const remembered = () => {
    try {
      return window.localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const remember = (scheme) => {
    try {
      window.localStorage.setItem(KEY, scheme);
    } catch {
      /* Storage is closed to this page: the choice holds until it is left. */
    }
  };
  const current = () => root.dataset.scheme || (system.matches ? "dark" : "light");
  const announce = () => document.dispatchEvent(new CustomEvent("schemechange", { detail: current() }));

  const choice = remembered();
  if (choice === "light" || choice === "dark") root.dataset.scheme = choice;
  window.currentScheme = current;

  const label = (button) => {
    const other = current() === "dark" ? "Light" : "Dark";
    button.textContent = other;
    button.setAttribute("aria-label", `Switch to the ${other.toLowerCase()} scheme`);
  };
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("scheme");
    button.hidden = false;
    label(button);
    button.addEventListener("click", () => {
      root.dataset.scheme = current() === "dark" ? "light" : "dark";
      remember(root.dataset.scheme);
      announce();
    });
    document.addEventListener("schemechange", () => label(button));
  });
  system.addEventListener("change", announce);
})();

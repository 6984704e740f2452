"use strict";
/* The study stood on one page once: a link to a place in it leads on to the chapter that holds the place. */
(() => {
  const lead = () => {
    const entry = document.getElementById(location.hash.slice(1))?.closest(".chapters li");
    if (entry) location.replace(entry.querySelector("a").getAttribute("href") + location.hash);
  };
  window.addEventListener("hashchange", lead);
  lead();
})();

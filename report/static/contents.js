"use strict";
/* Marks, in the contents beside the text, the section that is being read. */
(() => {
  if (!("IntersectionObserver" in window)) return;
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = links.get(target.id);
        if (isIntersecting) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-45% 0px -55% 0px" },
  );
  for (const name of links.keys()) near.observe(document.getElementById(name));
})();

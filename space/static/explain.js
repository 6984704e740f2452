"use strict";
/* Terms of the field, explained where they stand: on hover, on focus and on a tap. */
(() => {
  const { terms } = JSON.parse(document.getElementById("first-data").textContent);
  const names = Object.keys(terms).sort((a, b) => b.length - a.length);
  if (!names.length) return;
  const known = new RegExp(`(?<![\\p{L}-])(${names.join("|")})s?(?![\\p{L}-])`, "iu");
  const SPOTS =
    ".finding [role=status], .intro, p.caption, .first .lede, .walk .asks, .walk .found > p";
  const meaning = document.createElement("div");
  Object.assign(meaning, { id: "meaning", className: "meaning", hidden: true });
  meaning.setAttribute("role", "tooltip");
  document.body.append(meaning);

  const termOf = (text) => names.find((name) => known.exec(text)[1].toLowerCase() === name.toLowerCase());
  const wrap = (node, explained) => {
    const found = known.exec(node.data);
    if (!found) return;
    const rest = node.splitText(found.index).splitText(found[0].length);
    const name = termOf(found[0]);
    if (!explained.has(name)) {
      explained.add(name);
      const term = document.createElement("span");
      Object.assign(term, { className: "term", textContent: found[0], tabIndex: 0 });
      term.setAttribute("role", "button");
      term.dataset.term = name;
      term.setAttribute("aria-describedby", "meaning");
      rest.previousSibling.replaceWith(term);
    }
    wrap(rest, explained);
  };
  const explain = () => {
    for (const spot of document.querySelectorAll(SPOTS)) {
      if (spot.dataset.explained) continue;
      spot.dataset.explained = "yes";
      const walker = document.createTreeWalker(spot, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest("code, button, a")) texts.push(walker.currentNode);
      const explained = new Set();
      for (const text of texts) wrap(text, explained);
    }
  };

  const show = (term) => {
    const holder = term.closest("dialog[open]") || document.body;
    if (meaning.parentElement !== holder) holder.append(meaning);
    meaning.textContent = terms[term.dataset.term];
    meaning.hidden = false;
    const { left, top, bottom } = term.getBoundingClientRect();
    const { width, height } = meaning.getBoundingClientRect();
    const below = bottom + 6 + height < innerHeight;
    meaning.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    meaning.style.top = `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`;
  };
  const hide = () => {
    meaning.hidden = true;
  };
  for (const event of ["mouseover", "focusin", "click"])
    document.addEventListener(event, ({ target }) => {
      const term = target.closest?.(".term");
      if (term) show(term);
      else if (event === "click") hide();
    });
  for (const event of ["mouseout", "focusout"])
    document.addEventListener(event, ({ target }) => {
      if (target.closest?.(".term") && document.activeElement !== target) hide();
    });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") hide();
  });
  const follow = () => {
    const focused = document.activeElement; // what is focused is brought into view: that scrolls, too
    if (!meaning.hidden && focused.classList.contains("term")) show(focused);
    else hide();
  };
  document.addEventListener("scroll", follow, true);
  let soon = 0; // once for all that changes until the next picture
  const explainSoon = () => {
    soon ||= requestAnimationFrame(() => {
      soon = 0;
      explain();
    });
  };
  new MutationObserver(explainSoon).observe(document.body, { subtree: true, childList: true });
  explain();
})();

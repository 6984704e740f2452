"use strict";
/* What the page does by itself: the address, the neuron that is pressed, themes, copies, images. */
(() => {
  if (window.packedView) return;
  /* Where a page has a base, Plotly writes its whole address into gradients and clips, which are lost
     when the address changes. This one says nothing. */
  document.querySelector("base[href='./']")?.remove();
  const settings = () => document.getElementById("settings").dataset;
  const DEBOUNCE = 30;
  /* Every request of the page repeats its query, and servers refuse longer ones. */
  const LONGEST = 50_000;

  /* Until the view of the address is restored, the page's own first choice of a tab does not count:
     of two answers asked for at once, the page may lose the later one. */
  let restored = false;
  window.restoredView = () => {
    restored = true;
    window.askView = askView;
    const linked = [...new URLSearchParams(location.search).keys()].some((name) => !isPage(name));
    if (linked) document.getElementById("bench")?.scrollIntoView();
  };

  /* The question that was asked last. */
  let current;
  /* The tabs stand in rows within a row: the open one is the innermost that is seen. */
  const { answers } = window;
  const openName = () =>
    answers.seen("[role=tab][aria-selected=true][id^=tab-]").at(-1)?.id.replace(/^tab-|-button$/g, "");
  const TRIES = 400;
  window.openedTab = (left = TRIES) => {
    const name = openName();
    const there = name && document.getElementById(`tab-${name}`)?.offsetParent;
    if (!there && left) setTimeout(() => window.openedTab(left - 1), DEBOUNCE);
    else if (there && restored && box("tab").value !== name) ask("tab", name);
  };

  const spaced = (token) => token.replaceAll(" ", "·");

  /* What is asked: pairs, with words of their own or not, or a sentence with words stand in place of
     the two prompts. */
  const asked = (view) => {
    const described = (a, b, target = view.target, foil = view.foil) =>
      `“${a.trim()}” against “${b.trim()}” · ${spaced(target.trimEnd())} or ${spaced(foil.trimEnd())}`;
    if (view.lines.trim()) return pasted(view.lines, described);
    if (!view.template.trim()) return described(view.clean, view.corrupted);
    const words = [view.target_words, view.foil_words].map((some) => some.split(/[,\n]/)[0].trim());
    return described(...words.map((word) => view.template.replace("{}", () => word)));
  };

  /* The first of the pasted lines, whose columns are parted by tabs or by bars with a space before
     them; else by every bar. */
  const pasted = (lines, described) => {
    const [line, row = ""] = lines.trim().split("\n");
    const columns = line.split(line.includes("\t") ? "\t" : /(?<=\s)\|/);
    if ([2, 4].includes(columns.length)) return described(...columns);
    return line.includes("|") ? described(...line.split("|")) : `a table of pairs, from “${row}” on`;
  };

  /* What the server is sent: one object of the view's parts by their names. */
  window.packedView = (names, values) => {
    const view = Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""]));
    const text = JSON.stringify(view);
    current = view;
    answers.asked(view, text);
    if (restored) keepAddress(view);
    if (typed) setTimeout(answers.pressOpen, DEBOUNCE, typed);
    typed = false;
    return text;
  };

  /* What an address says of the page rather than of the view. */
  const isPage = (name) => name.startsWith("__") || ["embed", "show"].includes(name);

  /* The address names the view; what is as at the start is left out, and so is a mark of an earlier
     answer, but for the one that somebody came for. The browser's own Back goes to the view before. */
  let came = false;
  let shown = location.search;
  window.addEventListener("popstate", () => {
    if (location.search !== shown) location.reload();
  });
  const isGone = (name) => came && document.querySelector(`.answer-${CSS.escape(name)}[data-earlier]`);
  const keepAddress = (view) => {
    if (!document.getElementById("settings")) {
      setTimeout(() => keepAddress(view), DEBOUNCE);
      return;
    }
    const { start, space } = settings();
    const first = JSON.parse(start);
    const query = new URLSearchParams();
    const told = (name) => view[name] !== first[name] || (name === "neuron" && view.model !== first.model);
    for (const name of Object.keys(first)) if (told(name)) query.set(name, view[name]);
    for (const [name, value] of new URLSearchParams(location.search))
      if (isPage(name)) query.set(name, value);
    const fits = query.toString().length <= LONGEST;
    const tail = query.size && fits ? `?${query}` : "";
    const hash = [...new URLSearchParams(location.hash.slice(1)).keys()].some(isGone) ? "" : location.hash;
    const moved = came && tail !== location.search;
    came = true;
    history[moved ? "pushState" : "replaceState"](null, "", location.pathname + tail + hash);
    shown = location.search;
    const shared = new URLSearchParams([...query].filter(([name]) => !isPage(name)));
    const home = space ? `https://huggingface.co/spaces/${space}` : location.origin + location.pathname;
    document.getElementById("asked").textContent =
      `Now: ${view.neuron || "the best neuron"} of ${view.model} · ${asked(view)}`;
    document.getElementById("kept").hidden = !isKept(view);
    const link = home + (shared.size ? `?${shared}` : "") + location.hash;
    document.getElementById("link").value = fits ? link : "The texts are too long for a link.";
  };

  document.addEventListener("readout", ({ target, detail: { mark } }) => {
    if (current) keepAddress(current);
    offer(target.closest("figure, .figure")?.querySelector(".readout"), mark);
  });

  /* Whether the neuron was chosen for other words than these. */
  let chosen = {};
  const isKept = ({ neuron, model, target, foil }) => {
    const words = JSON.stringify([model, target, foil]);
    if (chosen.neuron !== neuron) chosen = { neuron, words };
    return Boolean(neuron) && chosen.words !== words;
  };

  const box = (id) => document.querySelector(`#${id} textarea, #${id} input`);

  /* Write into one of the page's own text boxes as a visitor would. */
  const write = (id, value) => {
    const kind = box(id) instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(box(id), value);
    box(id).dispatchEvent(new Event("input", { bubbles: true }));
  };
  const ask = (id, value) => {
    write(id, value);
    setTimeout(() => document.getElementById("ask").click(), DEBOUNCE);
  };
  const choose = (neuron) => ask("neuron", neuron);

  /* What the first screen asks for: parts of the view, on a tab; a dear answer by its name. */
  const NAMED = { question: "question-name" };
  const askView = (parts, tab, dear = "") => {
    for (const [name, value] of Object.entries({ ...parts, tab })) write(NAMED[name] || name, value);
    askOpened(tab, dear);
  };
  const askOpened = (tab, dear) => {
    if (!document.querySelector(`#tab-${tab} .answer`)?.offsetParent) {
      const row = JSON.parse(settings().rows)[tab];
      for (const name of [row, `tab-${tab}`])
        document.querySelector(`#${name || "tabs"}-button[aria-selected=false]`)?.click();
      setTimeout(() => askOpened(tab, dear), DEBOUNCE);
      return;
    }
    wished = dear;
    document.getElementById("ask").click();
  };
  let wished = "";

  /* What a mark of the circuit, or a name in a table, opens: a neuron becomes the neuron of all tabs, a
     head or an MLP is shown in the maps of what each brings back alone. */
  const NODE = /^(L\d{1,4}N\d{1,7}\u2212?|L\d{1,4}H\d{1,4}|MLP\d{1,4})(\.\d{1,4})?$/;
  const MAPS = "patching";
  const openNode = (mark) => {
    const [, name] = NODE.exec(mark);
    if (name.includes("N")) choose(name);
    else showPart(name.includes("H") ? name : mark);
  };
  const showPart = (mark) => {
    if (document.documentElement.classList.contains("embedded")) {
      const whole = new URL(document.getElementById("back").href);
      whole.searchParams.set("tab", MAPS);
      whole.hash = new URLSearchParams({ [MAPS]: mark });
      window.open(whole.href, "_blank", "noopener");
      return;
    }
    askView({}, MAPS, MAPS);
    seek(mark);
  };
  const SEEK = 600;
  const seek = (mark, left = SEEK) => {
    const place = document.querySelector(`.answer-${MAPS}:not([data-earlier])`);
    const plot = place?.offsetParent && window.readMark(MAPS, mark);
    if (plot) plot.scrollIntoView({ block: "center" });
    else if (left) setTimeout(seek, 100, mark, left - 1);
  };
  const offer = (bar, mark) => {
    bar?.querySelector("[data-node]")?.remove();
    if (!bar || !NODE.test(mark) || bar.closest(`.answer-${MAPS}`)) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: "Open" });
    button.dataset.node = mark;
    bar.append(button);
  };

  const copy = async (button, text) => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = before), 1500);
  };

  /* A frame for another page with one answer in it, as tall as it is here. */
  const [FIRST, MORE] = [640, 140];
  const frame = (button) => {
    const name = button.dataset.embed;
    const address = new URL(name ? document.getElementById("link").value : location.pathname, location);
    address.searchParams.set("embed", "true");
    if (name) {
      address.searchParams.set("tab", box("tab").value);
      address.searchParams.set("show", name);
    }
    const inside = [...button.closest(".answer, .first").querySelectorAll(".finding, .figure")];
    const height = name ? inside.reduce((sum, each) => sum + each.offsetHeight, MORE) : FIRST;
    const source = address.href.replaceAll("&", "&amp;");
    return `<iframe src="${source}" width="100%" height="${height}" loading="lazy" title="Which neuron says the word?"></iframe>`;
  };

  /* The figures of the panel that a button stands under, as files. */
  const images = (button, format) => {
    const panel = button.closest(".answer, [role=tabpanel]");
    for (const plot of panel.querySelectorAll(".js-plotly-plot")) {
      if (!plot.offsetParent) continue;
      const { width, height } = plot.getBoundingClientRect();
      const asked = /answer-(\w+)/.exec(panel.className)?.[1] || box("tab").value;
      const name = [asked, box("neuron").value].filter(Boolean).join("-");
      window.Plotly.downloadImage(plot, { format, width, height, filename: name, scale: 2 });
    }
  };

  /* Whether a visitor asks, or what the first screen wishes for. */
  let typed = false;
  const wish = (event) => {
    if (!event.target.closest?.("#ask")) return;
    typed = event.isTrusted || wished;
    wished = "";
  };
  document.addEventListener("click", wish, true);
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest && event.target.closest(selector);
    let found;
    if ((found = at("#unfold"))) unfold(found);
    else if ((found = at("[data-neuron]"))) choose(found.dataset.neuron);
    else if ((found = at("[data-node]"))) openNode(found.dataset.node);
    else if ((found = at("[data-token]"))) press(found);
    else if ((found = at("[data-copy]"))) copy(found, found.dataset.copy);
    else if ((found = at("[data-copy-from]")))
      copy(found, document.getElementById(found.dataset.copyFrom).value);
    else if ((found = at("[data-embed]"))) copy(found, frame(found));
    else if ((found = at("[data-image]"))) images(found, found.dataset.image);
  });

  const unfold = (button) => {
    const question = document.getElementById("question");
    button.setAttribute("aria-expanded", String(question.classList.toggle("unfolded")));
  };

  const press = (token) => {
    for (const other of document.querySelectorAll(".token.pressed")) other.classList.remove("pressed");
    token.classList.add("pressed");
    write("token", token.dataset.token);
  };

  /* Arrow keys walk through the tabs and through a row of tokens; the row is one stop of the Tab key. */
  const ROWS = { ".token": ".row", "[role=tab]": "[role=tablist]" };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.closest?.("#question")) typed = true;
    const at = (selector) => event.target.closest && event.target.closest(selector);
    const kind = Object.keys(ROWS).find(at);
    if (!kind) return;
    const row = [...at(ROWS[kind]).querySelectorAll(kind)];
    const here = row.indexOf(at(kind));
    const there = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: row.length - 1 }[event.key];
    if (there === undefined || !row[there]) return;
    event.preventDefault();
    if (kind === ".token") [row[here].tabIndex, row[there].tabIndex] = [-1, 0];
    row[there].focus();
  });

  /* Figures follow the page's scheme, and a point that is a neuron can be pressed. */
  const scheme = () => (document.body.classList.contains("dark") ? "dark" : "light");
  const dress = (plot) => {
    if (!plot.layout || plot.dressed === scheme() + plot.layout.height + plot.calcdata?.length) return;
    plot.dressed = scheme() + plot.layout.height + plot.calcdata?.length;
    const themes = JSON.parse(settings().themes);
    window.Plotly.relayout(plot, themes[scheme()]);
  };
  const meet = (plot) => {
    if (plot.met) return;
    plot.met = true;
    plot.on("plotly_afterplot", () => dress(plot));
    plot.on("plotly_afterplot", () => tellDrawn(plot));
    plot.on("plotly_click", ({ points }) => {
      const names = [points[0]?.id, [].concat(points[0]?.customdata)[0]];
      const node = names.find((each) => typeof each === "string" && NODE.test(each));
      if (node) setTimeout(openNode, 0, node); /* after the mark itself is told */
    });
    dress(plot);
    tellDrawn(plot);
  };
  /* A new answer has new marks; what only changes the look has not. */
  const tellDrawn = (plot) => {
    if (plot.data === plot.answer) return;
    plot.answer = plot.data;
    plot.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  };
  const look = () => {
    for (const plot of document.querySelectorAll(".js-plotly-plot"))
      if (plot.on && plot.layout) {
        meet(plot);
        dress(plot);
      }
  };
  const watch = () => {
    look();
    answers.watch();
  };
  new MutationObserver(watch).observe(document.documentElement, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["class"],
  });
})();

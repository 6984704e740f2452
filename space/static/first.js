"use strict";
/* The first screen by itself: the slider, the dots and the form. It needs nothing of gradio until a
   door is opened or a neuron is asked for; then it waits until the workbench below is ready. */
(() => {
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("first-data").textContent);
  const root = at("first");

  /* As gradio chooses, so that nothing changes its colours when it begins. */
  const query = new URLSearchParams(location.search);
  const wanted = query.get("__theme");
  const night = window.matchMedia("(prefers-color-scheme: dark)");
  const dark = wanted === "dark" || (wanted !== "light" && night.matches);
  document.body.classList.toggle("dark", dark);
  document.body.classList.toggle("light", wanted === "light");
  const embedded = query.get("embed") === "true";
  const bare = embedded && !query.has("tab");
  document.documentElement.classList.toggle("embedded", embedded);
  document.documentElement.classList.toggle("at-bench", embedded && !bare);
  const shared = new URLSearchParams([...query].filter(([name]) => !["embed", "show"].includes(name)));
  at("back").href = `./${shared.size ? `?${shared}` : ""}`;
  const shown = query.get("show");
  const keepOne = () => {
    for (const each of document.querySelectorAll(".answer"))
      each.classList.toggle("unshown", !each.classList.contains(`answer-${shown}`));
  };
  if (embedded && shown)
    new MutationObserver(keepOne).observe(document.body, { subtree: true, childList: true });

  /* Gradio begins when this is painted; in a page that nobody sees nothing is, so not later than soon.
     Its element has to be whole by then: of one that is met half read it knows no attribute, and waits
     below the window until somebody comes by. */
  const SOON = 400;
  const begin = () => {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", begin);
      return;
    }
    const from = at("begin");
    if (!from) return;
    from.removeAttribute("id");
    const script = document.createElement("script");
    Object.assign(script, { type: "module", crossOrigin: "", src: from.href });
    document.head.append(script);
  };
  if (!bare) {
    requestAnimationFrame(() => setTimeout(begin));
    setTimeout(begin, SOON);
  }

  /* What parts the words of a set. */
  const BARS = /(?<!\\)\|/;

  /* The parts of a view that stand in place of its two prompts. */
  const none = { lines: "", template: "", target_words: "", foil_words: "" };

  /* The model that is asked, and that of the picture, whose neurons its dots are. */
  let asks;
  const studied = () => JSON.parse(at("settings").dataset.start).model;

  /* What waits for the workbench. */
  const bench = (wish) => {
    if (window.askView) wish(window.askView);
    else setTimeout(() => bench(wish), 50);
  };
  const open = (neuron) => {
    const address = `./?${new URLSearchParams({ ...data.question, neuron, tab: "activations" })}`;
    if (bare) {
      window.open(address, "_blank", "noopener");
      return;
    }
    if (asks && asks !== studied()) {
      location.assign(address);
      return;
    }
    bench((ask) => ask({ ...data.question, ...none, neuron }, "activations"));
    document.getElementsByTagName("gradio-app")[0].scrollIntoView();
  };

  window.openNeuron = open;

  const turning = () => {
    const slider = at("turn");
    const bars = [...root.querySelectorAll(".bars li")];
    const values = [...root.querySelectorAll(".tint small")];
    const says = root.querySelector(".says");
    const said = root.querySelector(".said:not(.ghost)");
    const most = Math.max(...data.turns.map(({ factor }) => Math.abs(factor)));
    const write = (value) => value.toFixed(1).replace(/^-(?!0\.0$)/, "\u2212").replace("-0.0", "0.0");
    const turn = () => {
      const now = data.turns[slider.value];
      says.style.setProperty("--turn", now.factor / most);
      bars.forEach((bar, i) => {
        bar.querySelector("i").style.setProperty("--p", now.shares[i]);
        bar.querySelector(".percent").textContent = now.percents[i];
      });
      for (const each of values) each.textContent = write(each.dataset.value * now.factor);
      said.dataset.kind = data.kinds[now.word] || "other";
      at("said-word").textContent = now.shown;
      at("said-rest").textContent = now.rest;
      at("turned").textContent = `${now.label} \u00d7`;
      slider.setAttribute("aria-valuetext", `${now.label} times: ${now.word} ${now.percent}`);
    };
    slider.addEventListener("input", turn);
    turn();
  };

  /* The visitor's words: a word inside a sentence has its space with it, a number behind a space not. */
  const own = () => {
    const form = at("own");
    const fields = { target: at("own-target"), foil: at("own-foil") };
    const prompts = { clean: at("own-clean"), corrupted: at("own-corrupted") };
    const token = (text, prompt = prompts.clean.value) => {
      const inside = /\s$/.test(prompt) ? /^\p{L}/u : /^[\p{L}\p{N}]/u;
      const spaced = (each) => (inside.test(each) ? ` ${each.trimEnd()}` : each);
      return text.split(BARS).map(spaced).join("|");
    };
    const seen = (text) => text.replaceAll(" ", "\u00b7");
    const words = () => ({ target: token(fields.target.value), foil: token(fields.foil.value) });
    let written = false;
    let about = data.suggestions[0];
    const filled = (text, words) => text.replace("{}", () => words.split(BARS)[0].replace("\\|", "|"));
    const fill = (each) => {
      const { target, foil } = words();
      about = each;
      prompts.clean.value = filled(each.clean, target);
      prompts.corrupted.value = filled(each.corrupted, foil);
      tell();
    };
    const fitting = () => {
      const { target, foil } = words();
      return data.suggestions.filter((s) => !s.target || (s.target === target && s.foil === foil));
    };
    const mine = () => ({ ...words(), clean: prompts.clean.value, corrupted: prompts.corrupted.value });
    const tell = () => {
      const { target, foil } = words();
      forget(mine());
      const read = [target, foil].map((each) => {
        const code = document.createElement("code");
        code.textContent = seen(each) || "\u2026";
        return code;
      });
      const spaced = [target, foil].some((each) => each.startsWith(" "));
      const rest = spaced ? ": inside a sentence a word has its space with it." : ".";
      at("own-read").replaceChildren("Read as ", read[0], " and ", read[1], rest);
      at("own-prompts").textContent = `\u201c${prompts.clean.value}\u201d`;
      const chips = fitting().map((each) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = filled(each.clean, seen(target));
        button.setAttribute("aria-pressed", String(each === about));
        button.addEventListener("click", () => fill(each));
        return button;
      });
      at("own-pairs").replaceChildren("Suggestions ", ...chips);
      for (const chip of form.querySelectorAll("[data-suggest]"))
        chip.setAttribute("aria-pressed", String(data.suggestions[chip.dataset.suggest] === about));
    };
    for (const field of Object.values(fields))
      field.addEventListener("input", () => (written ? tell() : fill(fitting()[0])));
    for (const prompt of Object.values(prompts))
      prompt.addEventListener("input", () => {
        written = true;
        about = { question: about.question };
        tell();
      });
    form.addEventListener("click", ({ target: pressed }) => {
      const chip = pressed.closest("[data-suggest]");
      if (!chip) return;
      const each = data.suggestions[chip.dataset.suggest];
      fields.target.value = each.target.trimStart();
      fields.foil.value = each.foil.trimStart();
      written = false;
      fill(each);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      look(mine());
    });
    /* Digits that are tokens of their own stand behind a space that is the prompt's. */
    askAfterSpace = () => {
      for (const prompt of Object.values(prompts)) prompt.value = `${prompt.value.trimEnd()} `;
      written = true;
      tell();
      look(mine());
    };
    const look = (parts) => {
      const { question } = about;
      wish("find", "find", { ...parts, ...none, question, neuron: "" });
    };
    /* An address that names words or prompts is of somebody's own, and so is the form then, if it can
       say them: what it has no word for stays in the workbench. */
    const restore = () => {
      const usual = mine();
      const given = Object.keys(usual).some((name) => query.has(name));
      const named = data.suggestions.find((s) => s.target && s.question === query.get("question"));
      if (!given && !named) return;
      const view = { question: about.question, ...usual, ...(given ? {} : named), ...Object.fromEntries(query) };
      const bare = (text) => text.split(BARS).map((each) => each.trimStart()).join("|");
      const sayable = (name) => token(bare(view[name]), view.clean) === view[name];
      if (Object.keys(none).some((name) => query.has(name)) || !Object.keys(fields).every(sayable)) return;
      for (const [name, field] of Object.entries(fields)) field.value = bare(view[name]);
      for (const [name, prompt] of Object.entries(prompts)) prompt.value = view[name];
      about = { question: view.question };
      written = true;
      /* The workbench asks an address anew, as after a lost connection: what it finds is told here. */
      expect("find", { ...mine(), ...none, question: view.question, neuron: "" }, { quiet: true });
    };
    restore();
    tell();
  };

  /* An answer of the workbench that is waited for: whose it is, and the view that asks for it; and the
     view that the verdict on this screen is about. */
  let awaited;
  let judged;
  let askAfterSpace;
  const READ = ["target", "foil", "clean", "corrupted", ...Object.keys(none)];
  const TOGETHER = "How many does it take together?";
  const UNREAD = "Only patch the neurons";
  const AFTER_SPACE = "Put the space into the prompts";
  const button = (text, act) => {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: text, onclick: act });
    return made;
  };
  const LOOKING = {
    find: "Looking through every neuron: this takes some seconds \u2026",
    neuron_sweep: "Patching neuron by neuron: this takes some seconds \u2026",
    neuron_sets: "Patching more and more neurons together: this takes some seconds \u2026",
  };
  const wish = (name, tab, view) => {
    at("verdict").classList.remove("wrong");
    say(LOOKING[name]);
    at("verdict").scrollIntoView({ block: "nearest" });
    expect(name, view);
    bench((ask) => ask(view, tab, name));
  };
  const expect = (name, view, { quiet = false } = {}) => {
    judged = view;
    awaited = { name, view, quiet, before: refusal(name), asked: false, begun: false };
  };
  /* A verdict stands under its own words alone. */
  const forget = (words) => {
    if (!judged || Object.keys(words).every((name) => words[name] === judged[name])) return;
    judged = awaited = undefined;
    at("verdict").classList.remove("wrong");
    say();
  };
  const refusal = (name) => document.querySelector(`.answer-${name} [role=alert]`);
  const say = (...parts) => at("verdict").replaceChildren(...parts);

  /* The answer, which stands in the workbench, told beside the words that it is about: as soon as the
     page asks for it, where it is there already. A refusal that stood there before is none. */
  window.heardAnswers = (asked) => {
    asks = asked?.model || asks;
    if (!awaited) return;
    const { name, view, quiet } = awaited;
    const other = (question) => READ.some((part) => question[part] !== view[part]);
    if (asked && !other(asked)) awaited.asked = true;
    const place = document.querySelector(`.answer-${name}`);
    const busy = place?.querySelector("[data-testid='status-tracker']:not(.hide)");
    if (busy) awaited.begun = true;
    const answer = place?.querySelector("[data-question]");
    if (busy || !answer || !awaited.asked || place.hasAttribute("data-earlier")) return;
    if (other(JSON.parse(answer.dataset.question))) return;
    const wrong = Boolean(refusal(name));
    if (wrong && refusal(name) === awaited.before && !awaited.begun) return;
    awaited = undefined;
    at("verdict").classList.toggle("wrong", wrong);
    const found = () => answer.scrollIntoView({ block: "center" });
    const more = wrong ? [] : [button("See how it was found", found)];
    /* Words of several tokens, which a sweep can patch and a search cannot read. */
    if (name === "find" && answer.querySelector(".unsuited")) more.push(button(UNREAD, () => wish("neuron_sweep", "patching", view)));
    const digits = [view.target, view.foil].every((each) => /^ \p{N}+$/u.test(each));
    const apart = wrong && digits && / tokens .* must be one/.test(answer.textContent);
    if (apart && !/\s$/.test(view.clean)) more.push(button(AFTER_SPACE, askAfterSpace));
    if (name === "find" && !wrong) more.push(button(TOGETHER, () => wish("neuron_sets", "sets", view)));
    const sentences = [...answer.children].map((each) => {
      const copy = each.cloneNode(true);
      copy.removeAttribute("role");
      return copy;
    });
    const { model } = JSON.parse(answer.dataset.question);
    const whose = document.createElement("p");
    whose.textContent = `Asked of ${model}.`;
    if (model !== studied()) sentences.push(whose);
    say(...sentences, ...more);
    if (!quiet) at("verdict").scrollIntoView({ block: "nearest" });
  };

  if (data.turns) turning();
  own();
})();

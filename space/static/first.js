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

  /* Gradio begins when this is painted; in a page that nobody sees nothing is, so not later than soon. */
  const SOON = 400;
  const begin = () => {
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

  /* What waits for the workbench. */
  const bench = (wish) => {
    if (window.askView) wish(window.askView);
    else setTimeout(() => bench(wish), 50);
  };
  const open = (neuron) => {
    if (bare) {
      window.open(`./?${new URLSearchParams({ ...data.question, neuron })}`, "_blank", "noopener");
      return;
    }
    bench((ask) => ask({ ...data.question, neuron }, "activations"));
    document.getElementsByTagName("gradio-app")[0].scrollIntoView();
  };

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

  /* Every neuron as a dot: left to right by layer and number, up by the signed root of its recovery. */
  const stars = () => {
    const { layers, width, recovery } = data.sky;
    const bytes = Uint8Array.from(atob(recovery), (c) => c.charCodeAt(0));
    const steps = new DataView(bytes.buffer);
    const count = layers * width;
    const share = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const value = steps.getInt16(2 * i, true);
      share[i] = value === -32768 ? NaN : value * data.step;
    }
    const order = [...share.keys()].filter((i) => !Number.isNaN(share[i]));
    order.sort((a, b) => Math.abs(share[b]) - Math.abs(share[a]));
    const height = (value) => Math.sign(value) * Math.sqrt(Math.abs(value));
    const top = height(Math.max(0.1, ...share.filter((s) => s > 0))) * 1.12;
    const bottom = Math.min(-0.12, height(Math.min(...share.filter((s) => s < 0)))) * 1.15;
    const place = at("sky");
    const canvas = place.querySelector("canvas");
    const pen = canvas.getContext("2d");
    const name = (i) => `L${Math.floor(i / width)}N${i % width}`;
    const written = (i) => {
      const value = 100 * share[i];
      const digits = Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 1 ? 1 : 2;
      return `${value.toFixed(digits).replace(/^-(0\.0*)$/, "$1").replace("-", "\u2212")}\u202f%`;
    };
    let here = order[0];
    let box = { w: 0, h: 0 };
    const LEFT = 46;
    const LOW = 34;
    const x = (i) => LEFT + ((i + 0.5) / count) * (box.w - LEFT - 8);
    const y = (s) => 8 + ((top - height(s)) / (top - bottom)) * (box.h - LOW - 8);
    const label = (i, heavy) => {
      const text = `${name(i)}  ${written(i)}`;
      pen.font = `${heavy ? "700 14px" : "12px"} system-ui, sans-serif`;
      const wide = pen.measureText(text).width;
      const left = x(i) - 10 - wide > LEFT ? x(i) - 10 - wide : Math.min(x(i) + 10, box.w - wide - 2);
      const ground = getComputedStyle(root.querySelector(".sky")).backgroundColor;
      pen.fillStyle = ground;
      pen.fillRect(left - 3, y(share[i]) - 9, wide + 6, 18);
      pen.fillStyle = colour("--ink");
      pen.fillText(text, left, y(share[i]) + 4);
    };
    const colour = (variable) => getComputedStyle(document.body).getPropertyValue(variable);
    const dot = (i, size, paint) => {
      pen.fillStyle = paint;
      pen.beginPath();
      pen.arc(x(i), y(share[i]), size, 0, 7);
      pen.fill();
    };
    const draw = () => {
      const { width: w, height: h } = place.getBoundingClientRect();
      const fine = window.devicePixelRatio || 1;
      box = { w, h };
      Object.assign(canvas, { width: w * fine, height: h * fine });
      pen.setTransform(fine, 0, 0, fine, 0, 0);
      axes();
      const [up, down] = [colour("--target"), colour("--foil")];
      pen.globalAlpha = 0.55;
      for (const i of order) {
        pen.fillStyle = share[i] >= 0 ? up : down;
        const size = Math.abs(share[i]) > 0.02 ? 0 : 1.6;
        if (size) pen.fillRect(x(i) - size / 2, y(share[i]) - size / 2, size, size);
      }
      pen.globalAlpha = 1;
      for (const i of order) {
        if (Math.abs(share[i]) <= 0.02) break;
        dot(i, 3 + 5 * Math.abs(share[i]), share[i] >= 0 ? up : down);
      }
      const named = order.slice(0, data.sky.furthest.length).filter((i) => i !== here);
      for (const i of named) label(i, name(i) === data.neuron);
      dot(here, 7, colour("--ink"));
      dot(here, 4.5, share[here] >= 0 ? up : down);
      label(here, true);
    };
    const axes = () => {
      pen.font = "11px system-ui, sans-serif";
      pen.fillStyle = colour("--soft");
      pen.strokeStyle = colour("--line");
      pen.lineWidth = 1;
      for (const tick of [-1, -0.5, -0.2, -0.05, 0, 0.05, 0.2, 0.5, 1]) {
        if (height(tick) > top || height(tick) < bottom) continue;
        pen.beginPath();
        pen.moveTo(LEFT, Math.round(y(tick)) + 0.5);
        pen.lineTo(box.w, Math.round(y(tick)) + 0.5);
        pen.stroke();
        pen.fillText(`${Math.round(100 * tick)} %`.replace("-", "\u2212"), 2, y(tick) + 4);
      }
      const every = layers > 40 ? 10 : 5;
      for (let layer = 0; layer < layers; layer += every)
        pen.fillText(layer, x(layer * width + width / 2) - 4, box.h - 18);
      pen.fillText("layer", LEFT, box.h - 3);
    };
    const select = (i) => {
      here = i;
      at("near").textContent = `${name(i)} recovers ${written(i)}`;
      at("door").textContent = `Open ${name(i)}`;
      at("door").dataset.door = name(i);
      place.setAttribute("aria-valuenow", order.indexOf(i) + 1);
      place.setAttribute("aria-valuetext", `${name(i)} recovers ${written(i)}`);
      draw();
    };
    const nearest = ({ clientX, clientY }) => {
      const { left, top: above } = canvas.getBoundingClientRect();
      const [px, py] = [clientX - left, clientY - above];
      let [best, least] = [here, Infinity];
      for (const i of order) {
        const far = (x(i) - px) ** 2 + (y(share[i]) - py) ** 2;
        if (far < least) [best, least] = [i, far];
      }
      return best;
    };
    let waiting = 0;
    place.addEventListener("pointermove", (event) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => {
        const i = nearest(event);
        if (i !== here) select(i);
      });
    });
    place.addEventListener("click", (event) => {
      const i = nearest(event);
      const sure = event.pointerType !== "touch" || i === here;
      select(i);
      if (sure) open(name(i));
    });
    place.addEventListener("keydown", (event) => {
      const rank = order.indexOf(here);
      const to = {
        ArrowRight: rank + 1, ArrowDown: rank + 1, ArrowLeft: rank - 1, ArrowUp: rank - 1,
        Home: 0, End: order.length - 1, PageDown: rank + 10, PageUp: rank - 10,
      }[event.key];
      if (event.key === "Enter") open(name(here));
      if (to === undefined) return;
      event.preventDefault();
      select(order[Math.max(0, Math.min(order.length - 1, to))]);
    });
    at("door").addEventListener("click", () => open(name(here)));
    new ResizeObserver(draw).observe(place);
    new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    select(order.find((i) => name(i) === data.neuron) ?? here);
  };

  /* The visitor's words: a word inside a sentence has its space with it. */
  const own = () => {
    const form = at("own");
    const fields = { target: at("own-target"), foil: at("own-foil") };
    const prompts = { clean: at("own-clean"), corrupted: at("own-corrupted") };
    const token = (text) => (/^[\p{L}\p{N}]/u.test(text) ? ` ${text.trimEnd()}` : text);
    const seen = (text) => text.replaceAll(" ", "\u00b7");
    const words = () => ({ target: token(fields.target.value), foil: token(fields.foil.value) });
    let written = false;
    let about = data.suggestions[0];
    const filled = (text, word) => text.replace("{}", () => word);
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
    const tell = () => {
      const { target, foil } = words();
      const read = [target, foil].map((each) => {
        const code = document.createElement("code");
        code.textContent = seen(each) || "\u2026";
        return code;
      });
      const rest = ": inside a sentence a word has its space with it.";
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
      for (const chip of form.querySelectorAll("[data-suggest]")) {
        const each = data.offers[chip.dataset.suggest];
        chip.setAttribute("aria-pressed", String(each.target === target && each.foil === foil));
      }
    };
    for (const field of Object.values(fields))
      field.addEventListener("input", () => (written ? tell() : fill(fitting()[0])));
    for (const prompt of Object.values(prompts))
      prompt.addEventListener("input", () => {
        written = true;
        tell();
      });
    form.addEventListener("click", ({ target: pressed }) => {
      const chip = pressed.closest("[data-suggest]");
      if (!chip) return;
      const each = data.offers[chip.dataset.suggest];
      fields.target.value = each.target.trimStart();
      fields.foil.value = each.foil.trimStart();
      written = false;
      fill(data.suggestions.find((s) => s.target === each.target && s.foil === each.foil));
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      look({ ...words(), clean: prompts.clean.value, corrupted: prompts.corrupted.value });
    });
    const look = (parts) => {
      const question = about.question;
      say("Looking through every neuron: this takes some seconds \u2026");
      at("verdict").scrollIntoView({ block: "nearest" });
      awaited = parts;
      bench((ask) => ask({ ...parts, question, neuron: "" }, "find", true));
    };
    tell();
  };
  let awaited;
  const say = (...parts) => at("verdict").replaceChildren(...parts);

  /* The answer, which stands in the workbench, told beside the words that it is about. */
  window.heardAnswers = () => {
    const answer = document.querySelector(".answer-find [data-question]");
    if (!awaited || !answer) return;
    const question = JSON.parse(answer.dataset.question);
    const same = ["target", "foil", "clean", "corrupted"].every((k) => question[k] === awaited[k]);
    if (!same) return;
    awaited = undefined;
    at("verdict").classList.toggle("wrong", Boolean(answer.querySelector("[role=alert]")));
    const more = document.createElement("button");
    more.type = "button";
    more.textContent = "See how it was found";
    more.addEventListener("click", () => answer.scrollIntoView({ block: "center" }));
    const told = [...answer.children].map((each) => {
      const copy = each.cloneNode(true);
      copy.removeAttribute("role");
      return copy;
    });
    say(...told, more);
    at("verdict").scrollIntoView({ block: "nearest" });
  };

  if (data.turns) turning();
  if (data.sky) stars();
  own();
})();

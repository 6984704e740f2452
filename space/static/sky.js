"use strict";
/* Every neuron as a dot: left to right by layer and number, up by the signed root of its recovery.
   A dot that is pressed, or chosen with the arrow keys and Enter, opens its neuron. */
(() => {
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("first-data").textContent);
  if (!data.sky) return;
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
  let [highest, lowest] = [0.1, -0.01];
  for (const i of order) {
    highest = Math.max(highest, share[i]);
    lowest = Math.min(lowest, share[i]);
  }
  const [top, bottom] = [height(highest) * 1.12, Math.min(-0.12, height(lowest)) * 1.15];
  const place = at("sky");
  const canvas = place.querySelector("canvas");
  let pen = canvas.getContext("2d");
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
  /* Left of its dot or right of it, where it has room and covers no label; else it is left out. */
  const label = (i, heavy, taken) => {
    const text = `${name(i)}  ${written(i)}`;
    pen.font = `${heavy ? "700 14px" : "12px"} system-ui, sans-serif`;
    const wide = pen.measureText(text).width;
    const free = (left) =>
      left > LEFT && left + wide < box.w && taken.every(
        (other) => left > other.right || left + wide < other.left || Math.abs(y(share[i]) - other.at) > 18
      );
    const left = [x(i) - 10 - wide, x(i) + 10].find(free);
    if (left === undefined) return;
    taken.push({ left: left - 6, right: left + wide + 6, at: y(share[i]) });
    const ground = getComputedStyle(place.closest("section")).backgroundColor;
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
  /* The crowd is drawn once for a size and a scheme; what is chosen goes on top of it. */
  const crowd = document.createElement("canvas");
  const NOTABLE = 0.02;
  const paint = () => {
    const { width: w, height: h } = place.getBoundingClientRect();
    const fine = window.devicePixelRatio || 1;
    box = { w, h };
    for (const each of [canvas, crowd]) Object.assign(each, { width: w * fine, height: h * fine });
    pen = crowd.getContext("2d");
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    axes();
    const [up, down] = [colour("--target"), colour("--foil")];
    pen.globalAlpha = 0.55;
    for (const i of order) {
      pen.fillStyle = share[i] >= 0 ? up : down;
      if (Math.abs(share[i]) <= NOTABLE) pen.fillRect(x(i) - 0.8, y(share[i]) - 0.8, 1.6, 1.6);
    }
    pen.globalAlpha = 1;
    for (const i of order) {
      if (Math.abs(share[i]) <= NOTABLE) break;
      dot(i, 3 + 5 * Math.abs(share[i]), share[i] >= 0 ? up : down);
    }
    pen = canvas.getContext("2d");
    draw();
  };
  const draw = () => {
    const fine = window.devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (crowd.width && crowd.height) pen.drawImage(crowd, 0, 0);
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    const named = order.slice(0, data.sky.furthest.length).filter((i) => i !== here);
    dot(here, 7, colour("--ink"));
    dot(here, 4.5, colour(share[here] >= 0 ? "--target" : "--foil"));
    const taken = [];
    label(here, true, taken);
    for (const i of named) label(i, name(i) === data.neuron, taken);
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
    if (sure) window.openNeuron(name(i));
  });
  place.addEventListener("keydown", (event) => {
    const rank = order.indexOf(here);
    const to = {
      ArrowRight: rank + 1, ArrowDown: rank + 1, ArrowLeft: rank - 1, ArrowUp: rank - 1,
      Home: 0, End: order.length - 1, PageDown: rank + 10, PageUp: rank - 10,
    }[event.key];
    if (event.key === "Enter") window.openNeuron(name(here));
    if (to === undefined) return;
    event.preventDefault();
    select(order[Math.max(0, Math.min(order.length - 1, to))]);
  });
  at("door").addEventListener("click", () => window.openNeuron(name(here)));
  new ResizeObserver(paint).observe(place);
  new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  select(order.find((i) => name(i) === data.neuron) ?? here);
})();

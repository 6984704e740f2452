"use strict";
/* Which answers stand on the page. Each names the parts of the question that it answers: those of
   another question than the one above them are hidden, and what the open tab lacks is asked again. */
(() => {
  if (window.answers) return;

  /* The question that was asked last: the one above the panels. */
  let current;
  let sent = "";
  const seen = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.offsetParent);
  const within = (root, kind = "") => [...root.querySelectorAll(`.answer${kind}`)];
  const answered = (answer) => answer.querySelector("[data-question]");
  const nameOf = ({ classList }) =>
    [...classList].find((each) => each.startsWith("answer-")).replace("answer-", "");
  const isCurrent = (answer) =>
    Object.entries(JSON.parse(answered(answer).dataset.question)).every(
      ([name, value]) => current[name] === value,
    );
  const openTab = () => seen("[role=tabpanel]").at(-1);

  const mark = () => {
    for (const answer of within(document)) {
      const earlier = Boolean(answered(answer)) && !isCurrent(answer);
      const name = nameOf(answer);
      const panel = answer.closest("[role=tabpanel]") || answer;
      for (const part of [answer, ...panel.querySelectorAll(`.foot-${name}, .more-${name}`)])
        if (part === answer || !part.closest(".answer")) part.toggleAttribute("data-earlier", earlier);
    }
  };

  /* Whether gradio waits for an answer, and whether one is missing of those that come by themselves:
     the quick ones, and the committed study's, which tells what it was asked even where it has none. */
  const isPending = () =>
    [...document.querySelectorAll(".answer [data-testid='status-tracker']")].some(
      (each) => !each.classList.contains("hide"),
    );
  const valueOf = (id) => document.querySelector(`#${id} textarea, #${id} input`)?.value;
  const missing = (each) => !answered(each) || !isCurrent(each);
  const lacks = () => {
    const panel = openTab();
    const quick = panel ? within(panel, ".quick") : [];
    return valueOf("heard") !== sent || quick.some(missing);
  };

  /* Gradio drops a question that is asked while the same one is on its way, keeps an answer for which
     its stream closed too early, and knows of no request that the network lost. So what is missing is
     asked again, later each time, and at last it is said; where gradio still waits, its stream is
     opened anew. */
  const PATIENCE = [4000, 8000, 16000];
  const LISTEN = 5000;
  let tries = 0;
  let timer = 0;
  const look = () => {
    const [pending, lost] = [isPending(), lacks()];
    document.getElementById("lost").hidden = pending || !lost || tries < PATIENCE.length;
    if (!pending && !lost) return;
    timer = setTimeout(look, pending ? LISTEN : (PATIENCE[tries + 1] ?? LISTEN));
    if (pending) document.getElementById("listen").click();
    else if (tries++ < PATIENCE.length) document.getElementById("ask").click();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PATIENCE[Math.min(tries, PATIENCE.length - 1)]);
  };

  const asked = (view, text) => {
    if (text !== sent) tries = 0;
    [stopped, refreshed] = [false, ""];
    [current, sent] = [view, text];
    mark();
    window.heardAnswers?.(view);
    wait();
  };

  /* What the page shows has changed: answers may have come. */
  let arrived = "";
  const watch = () => {
    if (!current) return;
    const here = [...document.querySelectorAll("[data-question]")].map((e) => e.dataset.question).join();
    if (here !== arrived) mark();
    arrived = here;
    bring();
    window.heardAnswers?.();
    document.body.classList.toggle("pending", isPending());
  };

  /* When it is known what a study answers, the page asks what was wished for by its name; else, once and
     where the open tab would be empty, what is cheap. It waits for the quick answers: of two questions
     that are sent at once gradio may hear of the later one late. */
  let [wished, brought, refreshed] = ["", "", ""];
  const lacking = (each) => missing(each) || each.querySelector("[role=alert]");
  const bring = () => {
    if (valueOf("heard") !== sent || refreshed !== sent) return;
    const name = wished || (brought === sent ? "" : valueOf("unwished"));
    [wished, brought] = ["", sent];
    const place = name && openTab()?.querySelector(`.answer-${name}`);
    if (place && lacking(place)) openTab().querySelector(`button.asks-${name}`)?.click();
  };

  window.refreshedAnswers = () => {
    refreshed = sent;
    bring();
  };

  /* Ask, pressed by a visitor on a tab whose answers have to be wished for, wishes for the first; the
     first screen wishes for one by its name. What was refused is asked again. */
  const pressOpen = (wish) => {
    if (typeof wish === "string") {
      wished = wish;
      bring();
      return;
    }
    const panel = openTab();
    if (!panel || within(panel, ".quick").length) return;
    brought = sent;
    const all = within(panel).filter(lacking);
    const first = all.find(answered) || all[0];
    if (first) panel.querySelector(`button.asks-${nameOf(first)}`)?.click();
  };

  /* Of the questions that wait in the page for the one on its way, Stop drops those asked before it. */
  let stopped = false;
  window.unlessStopped = ([view, ...values]) => [stopped ? "" : view, ...values];

  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#stop")) stopped = true;
    if (!target.closest?.("#again")) return;
    tries = 0;
    document.getElementById("lost").hidden = true;
    document.getElementById("ask").click();
  });

  window.answers = { asked, watch, pressOpen, seen };
})();

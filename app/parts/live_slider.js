// Follows the sparsity slider while it is dragged, and moves it by itself while it plays. Never more than one value is on its
// way: the next one is sent when the page has drawn the last.
const PACE = 120; // ms between two values at least
const PATIENCE = 4000; // ms after which an answer is no longer waited for
const STEP = 0.02, END = 0.95;

let watched, dragging = false, waiting = 0, sent = 0, wanted, timer, tell, say = {};

const slider = () => document.querySelector(".st-key-sidebar_sparsity input[type=range]");

function send(name, value) {
  waiting = Date.now();
  sent = waiting;
  tell(name, value);
}

function next() {
  clearTimeout(timer);
  const pause = waiting ? PATIENCE - (Date.now() - waiting) : PACE - (Date.now() - sent);
  if (pause > 0) {
    timer = setTimeout(next, Math.min(pause, PACE));
    return;
  }
  waiting = 0;
  if (dragging && wanted !== undefined) {
    const value = wanted;
    wanted = undefined;
    send("dragged", value);
  } else if (say.playing) {
    const at = Math.round(100 * (say.sparsity + STEP)) / 100;
    send("played", { at: Math.min(at, END), over: at >= END });
  }
}

// "63%" is how Streamlit writes it, "63 %" how the pages do
function spell(box) {
  const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const said = texts.currentNode.nodeValue.match(/^(\d[\d.]*)%$/);
    if (said) texts.currentNode.nodeValue = `${said[1]}\u00a0%`;
  }
}

function watch(input) {
  watched = input;
  const box = input.closest(".st-key-sidebar_sparsity");
  spell(box);
  new MutationObserver(() => spell(box)).observe(box, { subtree: true, childList: true, characterData: true });
  const group = input.closest('[role="group"]');
  group.addEventListener("pointerdown", () => (dragging = say.live), true);
  new MutationObserver(() => {
    if (!dragging) return;
    wanted = Number(input.value);
    next();
  }).observe(input, { attributes: true, attributeFilter: ["aria-valuetext", "value"] });
}

function release() {
  if (!dragging) return;
  dragging = false;
  wanted = undefined;
}

addEventListener("pointerup", release, true);
addEventListener("pointercancel", release, true);

export default function ({ data, setTriggerValue }) {
  tell = setTriggerValue;
  if (data.answer !== say.answer) waiting = 0;
  say = data;
  const input = slider();
  if (input && input !== watched) watch(input);
  if (say.playing || dragging) next();
  return () => clearTimeout(timer);
}

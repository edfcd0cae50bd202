// Draws a figure, and later ones in its place: nothing is torn down, so nothing flashes while the slider moves.
const AIR = 1; // pixels at least beside a number in a cell
const SMALLEST = 9; // pixels: smaller numbers cannot be read

let library;

function plotly(address) {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.Plotly);
    script.onerror = () => {
      library = undefined;
      failed(new Error(`${address} cannot be loaded`));
    };
    document.head.append(script);
  });
  return library;
}

// Numbers in cells are written smaller where the cells are narrow; where nobody could read them, the colours speak alone.
function fit(place) {
  for (const drawn of place.querySelectorAll(".hm")) {
    const texts = [...drawn.querySelectorAll(".heatmap-label text")];
    if (!texts.length) continue;
    const middles = [...new Set(texts.map((text) => Number(text.getAttribute("x"))))].sort((a, b) => a - b);
    const cell = Math.min(...middles.slice(1).map((x, n) => x - middles[n]));
    const widest = Math.max(...texts.map((text) => text.getBBox().width));
    const size = parseFloat(getComputedStyle(texts[0]).fontSize);
    const fitting = Math.min(size, (size * (cell - 2 * AIR)) / widest);
    for (const text of texts) {
      text.style.fontSize = `${fitting}px`;
      text.style.visibility = fitting < SMALLEST ? "hidden" : "";
    }
  }
}

// one figure at a time; of those that come meanwhile only the last is drawn
async function draw(place) {
  if (place.drawing) return;
  place.drawing = true;
  try {
    while (place.next) {
      const { figure, config, address } = place.next;
      place.next = null;
      const Plotly = await plotly(address);
      if (!place.watched) place.replaceChildren();
      await Plotly.react(place, figure.data, figure.layout, config);
      if (!place.watched) watch(place, Plotly);
    }
  } catch (error) {
    place.textContent = `This chart cannot be drawn (${error.message}): reload the page.`;
    place.text = undefined;
  } finally {
    place.drawing = false;
  }
}

function watch(place, Plotly) {
  place.watched = true;
  place.on("plotly_afterplot", () => fit(place));
  fit(place);
  place.on("plotly_click", ({ points }) => {
    const picked = points[0].customdata;
    if (picked !== undefined) place.pick(ArrayBuffer.isView(picked) ? Array.from(picked) : picked);
  });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (!place.clientWidth || place.clientWidth === width) return;
    width = place.clientWidth;
    Plotly.Plots.resize(place);
  }).observe(place);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".plot");
  place.pick = (picked) => setTriggerValue("picked", picked);
  const text = new TextDecoder().decode(data);
  if (text !== place.text) {
    place.text = text;
    place.next = JSON.parse(text);
    place.setAttribute("aria-label", place.next.alt);
    draw(place);
  }
  return () => place.isConnected || window.Plotly?.purge(place);
}

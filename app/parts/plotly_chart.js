// Draws a figure, and later ones in its place: nothing is torn down, so nothing flashes while the slider moves.
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

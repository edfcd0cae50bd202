// A text that was typed is a place of its own in the browser's history. Streamlit only overwrites the address as widgets change.
if (!history.typed) {
  history.typed = new Set();
  const overwrite = history.replaceState.bind(history);
  history.replaceState = (state, title, url) => {
    const now = new URL(location.href), next = new URL(url ?? now, now);
    const another = [...history.typed].some((name) => now.searchParams.get(name) !== next.searchParams.get(name));
    const add = another && now.pathname === next.pathname;
    add ? history.pushState(state, title, url) : overwrite(state, title, url);
  };
}

export default function ({ data }) {
  history.typed.add(data.name);
}

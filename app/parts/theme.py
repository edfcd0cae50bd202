"""The theme in force, and the few style rules that Streamlit's theme cannot express."""

from __future__ import annotations

import streamlit as st

from ..charts import DARK, LIGHT, Palette
from ..markup import matrices, miniatures


def palette() -> Palette:
    """The colours of the theme that the reader sees."""
    return DARK if getattr(st.context.theme, "type", None) == "dark" else LIGHT


def style(presenting: bool) -> None:
    """Rules for picture grids, captions and narrow windows; colours come in as variables of the theme."""
    p = palette()
    colors = {
        "dense": p.dense, "pruned": p.pruned, "own": p.versus[0], "rival": p.versus[1],
        "true": p.true, "false": p.false, "ink": p.ink, "muted": p.muted,
        "line": p.line, "surface": p.surface, "background": p.background,
    }  # fmt: skip
    variables = "".join(f"--mf-{name}:{color};" for name, color in colors.items())
    st.html(f"<style>:root{{{variables}}}{_RULES}{_DRAWN}{_PRESENTER if presenting else ''}</style>")


_DRAWN = matrices.RULES + miniatures.RULES
_RULES = """
.mf-grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(108px,1fr));gap:10px}
.mf-card{margin:0;border:1px solid var(--mf-line);border-radius:10px;overflow:hidden;background:var(--mf-surface);
  position:relative}
.mf-card img{display:block;width:100%;aspect-ratio:1;object-fit:cover}
.mf-card.mf-true{border-color:var(--mf-true);box-shadow:0 0 0 2px var(--mf-true)}
.mf-card figcaption{padding:5px 8px 7px;font-size:.82rem;line-height:1.25;color:var(--mf-ink);
  font-variant-numeric:tabular-nums}
.mf-line{display:flex;justify-content:space-between;gap:10px;white-space:nowrap}
.mf-muted{color:var(--mf-muted)}
.mf-rank{position:absolute;left:6px;top:6px;min-width:22px;padding:0 6px;border-radius:11px;text-align:center;
  font-size:.78rem;line-height:22px;font-weight:650;background:var(--mf-background);color:var(--mf-ink);opacity:.93}
.mf-check{position:absolute;right:6px;top:6px;padding:0 8px;border-radius:11px;font-size:.76rem;line-height:22px;
  font-weight:650;background:var(--mf-true);color:var(--mf-background)}
.mf-bar{height:4px;border-radius:2px;background:var(--mf-line);margin-top:4px;overflow:hidden}
.mf-bar i{display:block;height:100%;border-radius:2px}
.mf-head{display:flex;align-items:baseline;gap:8px;margin:0 0 8px;font-weight:650;font-size:1.05rem;
  border-bottom:3px solid;padding-bottom:5px}
.mf-head small{font-weight:400;font-size:.86rem;color:var(--mf-muted)}
.mf-dense{border-color:var(--mf-dense)} .mf-pruned{border-color:var(--mf-pruned)} 
.mf-own{border-color:var(--mf-own)} .mf-rival{border-color:var(--mf-rival)}
.mf-list{list-style:none;margin:0!important;padding:0!important;display:grid;gap:6px}
.mf-list li{display:grid;grid-template-columns:26px 1fr auto;gap:8px;align-items:baseline;border:1px solid var(--mf-line);
  border-radius:9px;padding:7px 10px;background:var(--mf-surface);font-size:.95rem;line-height:1.3;margin:0!important}
.mf-list li.mf-true{border-color:var(--mf-true);box-shadow:0 0 0 1px var(--mf-true)}
.mf-list .mf-bar{grid-column:2/4;margin:0}
.mf-says{border:1px solid var(--mf-line);border-left:5px solid;border-radius:10px;padding:14px 18px 12px;
  background:var(--mf-surface)}
.mf-says.mf-dense{border-left-color:var(--mf-dense)} .mf-says.mf-pruned{border-left-color:var(--mf-pruned)}
.mf-says.mf-own{border-left-color:var(--mf-own)} .mf-says.mf-rival{border-left-color:var(--mf-rival)}
.mf-says h4{margin:0;padding:0;font-size:.86rem;font-weight:600;color:var(--mf-muted)}
.mf-words{font-size:1.5rem;line-height:2.0;font-weight:600;margin:2px 0 6px;overflow-wrap:anywhere}
.mf-word{display:inline-block;margin-right:.32em;line-height:1.25;border-bottom:4px solid;padding-bottom:1px;cursor:help}
.mf-word.mf-wrong{color:var(--mf-false);text-decoration:line-through;text-decoration-thickness:2px}
.mf-differs{outline:1.5px dashed var(--mf-ink);outline-offset:3px;border-radius:3px}
.mf-verdict{font-size:.95rem}.mf-verdict b.ok{color:var(--mf-true)}.mf-verdict b.no{color:var(--mf-false)}
.mf-legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.84rem;color:var(--mf-muted);align-items:center}
.mf-swatch{display:inline-block;width:64px;height:6px;border-radius:3px;vertical-align:middle;margin:0 5px}
.st-key-headline [data-testid="stHorizontalBlock"]{flex-wrap:wrap}
.st-key-headline [data-testid="stColumn"]{min-width:148px}
.st-key-examples button{padding:.1rem .7rem;min-height:1.9rem;border-radius:1rem;font-size:.88rem}
[class*="st-key-row_"]{flex-wrap:nowrap!important}
[class*="st-key-row_"] h5{text-wrap:balance}
[class*="st-key-row_"]>:first-child{min-width:0;flex:1 1 0!important}
[class*="st-key-row_"] [data-testid="stPopoverButton"] div[aria-hidden="true"]{display:none}
[class*="st-key-row_"] [data-testid="stPopoverButton"] [data-testid="stMarkdownContainer"]{position:absolute;width:1px;
  height:1px;overflow:hidden;clip-path:inset(50%)}
[data-testid="stButtonGroup"]>div{flex-wrap:wrap}
.st-key-steps{min-height:2.6rem}
[class*="st-key-card_"] .katex-display{overflow-x:auto;overflow-y:hidden;padding:2px 0}
[class*="st-key-card_"] .katex{font-size:1.02em}
[class*="st-key-thumb_"]{position:relative}
[class*="st-key-thumb_"] button::after{content:"";position:absolute;inset:0;cursor:pointer}
[class*="st-key-thumb_"] :is(button,.stButton,[data-testid="stButton"],[data-testid="stElementContainer"]){position:static}
[class*="st-key-guess_"] button:has(del){border-color:var(--mf-pruned);
  background:color-mix(in srgb,var(--mf-pruned) 16%,transparent)}
[class*="st-key-guess_"] del{text-decoration-color:var(--mf-pruned);text-decoration-thickness:2px}
.st-key-presets button{padding:.15rem .55rem;min-height:2rem}
[class*="st-key-stories_sidebar"] button,.st-key-share button{padding:.1rem .6rem;min-height:2rem}
.st-key-model_row [data-testid="stMarkdownContainer"] p,.st-key-open_model button p{font-size:.875rem}
.st-key-open_model button{min-height:1.4rem;padding:0}
[data-testid="stPopoverBody"] [data-testid="stCode"] pre{padding-right:3.4rem}
[data-testid="stPopoverBody"] [data-testid="stCode"]>div,[data-testid="stPopoverBody"] [data-testid="stCode"]>div *{opacity:1;
  visibility:visible;transform:none}
[class*="st-key-chart_"] [data-testid="stPopover"] button,[class*="st-key-title_"] [data-testid="stPopover"] button{padding:0 .2rem}
[data-testid="stMetricValue"]{font-variant-numeric:tabular-nums}
[data-testid="stMainBlockContainer"]{padding-top:3rem}
[data-testid="stSidebarHeader"]{height:1rem;padding:0;margin:0}
[data-testid="stSidebarNav"] li,[data-testid="stSidebarNavLinkContainer"]{margin:0;padding:0}
[data-testid="stSidebarNavLink"]{padding:0 .5rem;height:1.45rem;min-height:0;margin:0}
[data-testid="stNavSectionHeader"]{padding:.25rem .5rem 0;min-height:0;margin:0}
[data-testid="stNavSectionHeader"] *{font-size:.8rem;color:var(--mf-muted)}
[data-testid="stSidebarNavItems"]>*{margin:0;padding:0}
[data-testid="stSidebarNavSeparator"]{margin-top:.1rem}
[data-testid="stSidebarUserContent"]{padding-top:.4rem;padding-bottom:1rem}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"]{gap:.45rem}
@media (max-width:1150px){
  .st-key-picture img{max-width:380px}
  .st-key-headline [data-testid="stHorizontalBlock"]{gap:8px}
  .st-key-headline [data-testid="stMetricLabel"] p{font-size:.8rem}
  [class*="st-key-wrap_"] [data-testid="stColumn"]{min-width:min(100%,420px);flex:1 1 420px}
  [class*="st-key-wrap_"] [data-testid="stHorizontalBlock"]{flex-wrap:wrap}
  [class*="st-key-wrap_asked"] [data-testid="stColumn"]:has(.st-key-picture),
  [class*="st-key-wrap_asked"] [data-testid="stColumn"]:has(.st-key-picture)>[data-testid="stVerticalBlock"]{display:contents}
  [class*="st-key-wrap_asked"] [data-testid="stVerticalBlock"]>:has(.st-key-controls_scene){order:3}
}
"""
_PRESENTER = """
[data-testid="stSidebar"],[data-testid="stHeader"],[data-testid="stExpandSidebarButton"],[class*="st-key-controls_"],
[class*="st-key-row_"] [data-testid="stPopover"]{display:none!important}
[data-testid="stMainBlockContainer"]{padding-top:1.4rem;padding-bottom:4.5rem;max-width:1800px}
[data-testid="stLayoutWrapper"]:has(>.st-key-presenter_bar){position:fixed;bottom:12px;right:18px;z-index:99;width:auto}
.st-key-presenter_bar{width:auto!important;padding:8px 10px;border-radius:14px;border:1px solid var(--mf-line);
  background:var(--mf-background);box-shadow:0 2px 14px color-mix(in srgb,var(--mf-ink) 18%,transparent)}
.st-key-presenter_bar>*,.st-key-stories_bar,.st-key-stories_bar>*{width:auto!important;flex:0 0 auto!important}
"""

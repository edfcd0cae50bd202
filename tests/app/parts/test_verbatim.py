"""Names, texts and files that are not ours are shown as they are: no link, no picture, no formula comes of them."""

import json
import re

import pytest
from google.protobuf.message import Message

from app.look.palette import LIGHT
from app.look.words import plain
from app.parts import ui
from tests.app.app_pages.test_task_pages import add, png
from tests.app.conftest import PAGES, plots
from tests.nasty import ALL, NASTY, nasty_model

MORE = (
    "https://evil.example",
    "www.evil.example",
    "WWW.evil.example",
    "x@evil.example",
    "&lt;b&gt;",
    "a -- b -> c >= d",
    "1. one",
    "- one",
    "+ one",
    "# one",
    "> one",
    "one\n\n---\ntwo",
    "\\*x\\*",
    "`x`",
    "~~x~~",
    "|a|b|\n|-|-|",
    "[x]: http://evil.example",
)
FIELDS = {"TextInput", "Selectbox", "Code", "Dataframe", "FileUploader", "BidiComponent"}  # these show no Markdown
# what the browser looks for in the text that is left once Markdown has been read
FOUND = re.compile(
    r"https?://|\bwww\.|\w@\w|:[\w+-]+:|:material.\w+:|(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", re.IGNORECASE
)


@pytest.mark.parametrize("text", NASTY + MORE)
def test_what_is_shown_is_the_text(text):
    said = ui.verbatim(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_{}\[\]()<>#|~!:$&]", said) and "\n" not in said
    assert not re.match(r"[-+=]|\d+\.", said)
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", said)  # as Markdown has it
    assert not FOUND.search(read)
    assert read.replace("\u2060", "") == " ".join(text.split())


def strings(message: Message):
    """All texts of an element."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if isinstance(one, Message):
                yield from strings(one)
            elif isinstance(one, str) and field.name not in ("id", "element_id", "url", "user_key"):
                yield one


def unescaped(at) -> list[tuple[str, str]]:
    """Where a nasty text stands as it is in something that reads Markdown or HTML, and charts with a tag that is not theirs."""
    parts = {*NASTY, *(text.replace("/", "") for text in NASTY)}
    found = []
    for element in at._tree:
        proto = getattr(element, "proto", None)
        kind = type(proto).__name__
        if isinstance(proto, Message) and kind not in FIELDS:
            nasty = {part for part in parts if kind != "Html" or "<" in part}
            found += [(kind, one) for one in strings(proto) if any(part in one for part in nasty)]
    figures = (str(json.loads(plot)["figure"]) for plot in plots(at))
    return found + [("chart", figure) for figure in figures if "<img" in figure]


def test_no_name_from_outside_is_read_as_markdown_on_any_page(open_page, tmp_path):
    at = open_page(
        model=str(nasty_model(tmp_path)),
        method="omp",
        allocation=ALL,
        layer=ALL,
        a=f"{ALL},omp,own,0.5",
        q=ALL,
        ask=ALL,
    )
    for page in PAGES:
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error, page
        assert not unescaped(at), page
        assert page != "compare" or len(plots(at)) > 4


@pytest.mark.parametrize("page", ["retrieval", "captioning", "vqa", "two_runs"])
def test_nor_is_what_is_typed_or_uploaded(open_page, page):
    at = open_page(page, q=ALL, ask=ALL)
    assert not at.exception and not unescaped(at)
    if page != "two_runs":
        add(at, png("red"), b"no picture", names=[f"{ALL}.png"] * 2)
        assert not at.exception and len(at.error) == 1 and not unescaped(at)


@pytest.mark.parametrize("text", NASTY)
def test_charts_keep_tags_in_names_as_text(text):
    bars = dict(type="bar", x=[text], y=[1], name=text, text=["<b>1</b>"])
    figure = LIGHT.figure([bars], dict(title=dict(text=f"{text}<br>x")))
    assert "<img" not in figure.to_json() and "<" not in plain(text)
    assert figure.data[0].text == ("<b>1</b>",) and figure.layout.title.text.endswith("<br>x")

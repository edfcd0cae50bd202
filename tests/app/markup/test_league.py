"""The paper's table and the verdicts as HTML: everything escaped, places marked, cells behind a verdict in reach."""

from html.parser import HTMLParser

from app.markup.league import SIGNS, Judged, League, Mark, verdicts
from multiflow_core.sweeps.claims import VERDICTS

NASTY = "<img src=x onerror=alert(1)>"
LEAGUE = League(
    ("63 %", "75 %"),
    ("TR@1", "VQA"),
    (Mark("99.0"),) * 4,
    (("OMP", (Mark("9.0", place=1), Mark("8.0", "0.5", 2), Mark("–"), Mark("1.0"))), (NASTY, (Mark("0"),) * 4)),
    chosen="OMP",
)


class Cells(HTMLParser):
    """What stands in the rows of a table."""

    def __init__(self, text: str):
        super().__init__()
        self.rows, self.kinds, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.kinds.append(dict(attrs).get("class", ""))
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_the_table_has_its_rows_and_marks():
    found = Cells(LEAGUE.html())
    assert found.rows[0] == ["Method", "63 %", "75 %"] and found.rows[1] == ["TR@1", "VQA"] * 2
    assert found.rows[2] == ["Dense", *["99.0"] * 4] and found.rows[3] == ["OMP", "9.0", "8.0±0.5", "–", "1.0"]
    assert found.kinds[2:] == ["mf-dense-row", "mf-chosen", ""]
    assert "img" not in found.tags and found.rows[4][0] == NASTY
    assert LEAGUE.html().count("mf-first") == LEAGUE.html().count("mf-second") == 1


def test_the_table_as_columns():
    table = LEAGUE.table()
    assert table["method"] == ["Dense", "OMP", NASTY] and table["TR@1 at 63 %"] == [99.0, 9.0, 0.0]
    assert table["TR@1 at 75 %"][1] is None


def test_every_verdict_has_a_sign_and_nothing_is_taken_for_a_tag():
    found = [Judged(NASTY, word, NASTY, ((NASTY, NASTY, True), ("b", "c", False)), NASTY) for word in VERDICTS]
    text = verdicts(found)
    assert set(SIGNS) == set(VERDICTS) and "<img" not in text
    assert text.count("<details>") == len(VERDICTS) and text.count("2 cells behind it") == len(VERDICTS)
    assert "<details>" not in verdicts([Judged("a", "holds", "b.")])

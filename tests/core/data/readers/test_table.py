"""Tables with captions, as people have them: any columns, separators, quotes and marks; and what is wrong with bad ones."""

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import dataset
from multiflow_core.data.columns import plain

from ..made import put, read, write


@pytest.fixture
def folder(tmp_path):
    put(tmp_path, "a.jpg", "b.png", "images/c.jpg")
    return tmp_path


def told(rows) -> list[tuple]:
    return [(row.name, row.captions) for row in rows]


@pytest.mark.parametrize(
    "column", ["image", "image_path", "file_name", "Filename", "filepath", "path", " File Name ", "img"]
)
@pytest.mark.parametrize("text", ["caption", "captions", "text", "sentence", "Title", "alt", "alt-text"])
def test_usual_columns_are_known(folder, column, text):
    write(folder / "captions.csv", f"{column},{text}\na.jpg,a cat\n")
    rows, bad = read(folder, "table")
    assert told(rows) == [("a.jpg", ("a cat",))] and bad == [] and rows[0].place == "captions.csv, line 2"


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a.csv", 'image,caption\na.jpg,"a cat, ""asleep"""\nc.jpg,one\n'),
        ("a.csv", 'image;caption\r\na.jpg;"a cat, ""asleep"""\r\n\r\nc.jpg;one\r\n'),
        ("a.csv", '\ufeffimage,caption\na.jpg,"a cat, ""asleep"""\nimages/c.jpg,one'),
        ("a.csv", 'image| comment_number| comment\na.jpg| 0| "a cat, ""asleep"""\nc.jpg| 0| one\n'),
        ("a.tsv", 'image\tcaption\na.jpg\ta cat, "asleep"\nc.jpg\tone\n'),
        ("a.csv", 'image,caption\na.jpg,"a cat,\n ""asleep"""\nc,one\n'),
        ("a.jsonl", '{"image": "a.jpg", "caption": "a cat, \\"asleep\\""}\n\n{"image": "c.jpg", "caption": ["one"]}\n'),
        ("a.json", json.dumps([{"image": "a.jpg", "text": 'a cat, "asleep"'}, {"image": "c.jpg", "text": "one"}])),
        ("a.json", json.dumps({"a.jpg": 'a cat, "asleep"', "c.jpg": ["one"]})),
        ("captions.txt", 'a.jpg,"a cat, ""asleep"""\nc.jpg,one\n'),
        ("Flickr8k.token.txt", 'a.jpg#0\ta cat, "asleep"\nc.jpg#0\tone\n'),
    ],
)
def test_separators_quotes_marks_and_line_ends(folder, name, held):
    write(folder / name, held)
    rows, bad = read(folder, "table")
    assert [row.captions for row in rows] == [('a cat, "asleep"',), ("one",)] and bad == []
    assert rows[1].picture.path.endswith("images/c.jpg")


def test_excels_unicode_text(folder):
    (folder / "captions.tsv").write_text("image\tcaption\na.jpg\tеж и £\n", encoding="utf-16")
    assert told(read(folder, "table")[0]) == [("a.jpg", ("еж и £",))]


def test_several_captions_in_columns_cells_and_rows(folder):
    write(
        folder / "captions.csv", 'image,caption_1,caption_2\na.jpg,one,two\na.jpg,three,\nb.png,"[""x"", ""y""]",one\n'
    )
    rows, _ = read(folder, "table")
    assert told(rows) == [("a.jpg", ("one", "two")), ("a.jpg", ("three",)), ("b.png", ("x", "y", "one"))]
    album = dataset.open(str(folder))
    by_name = {item.name: item.captions for split in ("train", "test") for item in album.items(split, 9)}
    assert by_name == {"a.jpg": ("one", "two", "three"), "b.png": ("x", "y", "one")}


def test_questions_classes_and_splits(folder):
    row = {"image": "a.jpg", "question": "how many?", "answers": ["two", "2", "two"], "label": 7, "split": "val"}
    write(folder / "data.jsonl", json.dumps(row))
    (found,), bad = read(folder, "table")
    (question,) = found.questions
    assert (question.text, question.answer, question.answers) == ("how many?", "two", ("two", "2", "two"))
    assert (found.label, found.split, found.captions, bad) == ("7", "val", (), [])


def test_files_called_after_splits_belong_together(folder):
    write(folder / "train.csv", "image,caption\na.jpg,one\n")
    write(folder / "test.csv", "image,caption\nb.png,two\n")
    assert [(row.name, row.split) for row in read(folder, "table")[0]] == [("b.png", "test"), ("a.jpg", "train")]


def test_tables_in_the_folders_of_splits(tmp_path):
    put(tmp_path, "train/a.png", "test/a.png")
    for split in ("train", "test"):
        write(tmp_path / split / "metadata.jsonl", json.dumps({"file_name": "a.png", "text": split}))
    assert [(row.split, row.captions) for row in read(tmp_path, "table")[0]] == [
        ("test", ("test",)),
        ("train", ("train",)),
    ]


def test_accents_are_the_same_however_they_are_written(tmp_path):
    put(tmp_path, "caf\u00e9.png", "nai\u0308f.png")
    write(tmp_path / "captions.csv", "image,caption\ncafe\u0301.png,one\nna\u00eff.png,two\n")
    rows, bad = read(tmp_path, "table")
    assert [row.captions for row in rows] == [("one",), ("two",)] and bad == []


def test_bad_rows_are_told_with_their_line_and_the_rest_goes_on(folder):
    write(
        folder / "captions.csv",
        "file_name,caption\na.jpg,one\nmissing.jpg,two\n,three\nb.png,\n../../etc/passwd,four\n/etc/passwd,five\n"
        "http://x.example/a.jpg,six\nc.jpg,seven\nb.png\n\0.jpg,eight\n",
    )
    rows, bad = read(folder, "table")
    assert [row.captions for row in rows] == [("one",), ("seven",)]
    assert bad == [
        "captions.csv, line 3: missing.jpg is missing",
        "captions.csv, line 4: it names no picture",
        "captions.csv, line 5: its caption is empty",
        "captions.csv, line 6: ../../etc/passwd lies outside of the data's folder",
        "captions.csv, line 7: /etc/passwd lies outside of the data's folder",
        "captions.csv, line 8: http://x.example/a.jpg is an address: pictures are read from files",
        "captions.csv, line 10: its caption is empty",
        "captions.csv, line 11: .jpg is missing",
    ]


def test_bad_lines_of_json(folder):
    held = [
        '{"image": "a.jpg", "caption": "one"}',
        "{",
        "[1]",
        '{"caption": "two"}',
        '{"image": "\\ud800.jpg", "caption": "x"}',
    ]
    write(
        folder / "data.jsonl",
        "\n".join([*held, '{"image": {"a": 1}, "caption": 3}', '{"image": "b.png", "caption": 3}']),
    )
    rows, bad = read(folder, "table")
    assert told(rows) == [("a.jpg", ("one",)), ("b.png", ("3",))]
    assert [line.partition(":")[0] for line in bad] == [f"data.jsonl, line {number}" for number in (2, 3, 4, 5, 6)]
    assert "it is no JSON" in bad[0] and "no JSON object" in bad[1] and "no column is of pictures" in bad[2]


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        (
            "captions.csv",
            "bild,satz\na.jpg,one\n",
            r"captions.csv is no table of pictures: no column is of pictures \(it has bild, satz\)",
        ),
        ("captions.csv", '"a\nb",caption\nx,one\n', r"\(it has a b, caption\)"),
        ("captions.csv", "url,caption\nhttp://x,one\n", "its column 'url' holds addresses: download the pictures"),
        ("captions.csv", "", "captions.csv is empty"),
        ("captions.csv", b"image,caption\na.jpg,\xff\xfe\n", "not encoded as UTF-8 .near line"),
        (
            "captions.csv",
            "image,caption\nx.jpg,one\n",
            "nothing that can be used .*: 1 bad rows, the first is captions.csv, line 2",
        ),
        ("captions.csv", "image,caption\n", "holds nothing that can be used"),
    ],
)
def test_nothing_usable_is_one_sentence(folder, name, held, said):
    write(folder / name, held)
    with pytest.raises(ValueError, match=said) as problem:
        dataset.open(str(folder))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ('{"foo": [1, 2]}', "none of the JSON files that are known: a list of rows"),
        ('{"foo": ', "no readable JSON: line 1"),
        ("[1, 2]", "nothing that can be used"),
        ("[]", "is empty"),
        ('[{"a": 1}]', r"no column is of pictures \(it has a\)"),
    ],
)
def test_a_json_file_that_nobody_knows(folder, held, said):
    with pytest.raises(ValueError, match=said):
        dataset.open(str(write(folder / "mine.json", held)))


def test_several_tables_have_to_be_told_apart(folder):
    write(folder / "one.csv", "image,caption\na.jpg,one\n")
    write(folder / "two.csv", "image,caption\na.jpg,two\n")
    with pytest.raises(ValueError, match=r"several tables \(one.csv, two.csv\): give the path of one"):
        dataset.open(str(folder))
    assert dataset.open(str(folder / "two.csv")).found.captions == 1


def test_a_field_without_an_end_is_one_bad_row(folder):
    write(folder / "captions.csv", "image,caption\na.jpg,one\n" + 'b.png,"' + "x\n" * 100_000)
    rows, bad = read(folder, "table")
    assert told(rows) == [("a.jpg", ("one",))]
    assert bad[0].startswith("captions.csv, line 3: it cannot be read")


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(',;|\t\n"'), max_size=20)


@given(st.lists(CELLS.filter(plain), min_size=1, max_size=6), st.sampled_from(",;\t|"), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_written_as_csv_is_read_again(tmp_path_factory, captions, delimiter, mark):
    folder = tmp_path_factory.mktemp("table")
    put(folder, "a.jpg")
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8-sig" if mark else "utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([["image", "caption"], *(["a.jpg", text] for text in captions)])
    rows, bad = read(folder, "table")
    expected = [plain(text) for text in captions]
    assert [row.captions for row in rows] == [(text,) for text in expected] or any(t.startswith("[") for t in expected)
    assert bad == []

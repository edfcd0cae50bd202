"""Data of one's own: splits, order, copies, broken pictures, exams, pairs, and how much memory it takes."""

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from multiflow_core.data import dataset, listing, sequences
from multiflow_core.data.album import NEUTRAL, Album
from multiflow_core.data.dataset import Question
from multiflow_core.data.index import Index
from multiflow_core.data.reader import Bad, Reader, Row, Source
from multiflow_core.data.sequences import Pictures
from multiflow_core.support.memory import process_memory

from .made import picture, put, write


def table(folder, count: int = 24, **columns) -> Album:
    """A folder of pictures with a caption each, and further columns, value by value."""
    put(folder, *(f"{i:03}.png" for i in range(count)))
    rows = [
        {"image": f"{i:03}.png", "caption": f"number {i}", **{k: v(i) for k, v in columns.items()}}
        for i in range(count)
    ]
    write(folder / "data.jsonl", "\n".join(json.dumps(row) for row in rows))
    return dataset.open(str(folder))


def names(items) -> list[str]:
    return [item.name for item in items]


# --- splits ---------------------------------------------------------------------------------------------------------


def test_a_hash_of_the_bytes_divides_what_has_no_splits(tmp_path):
    album = table(tmp_path)
    train, test = (names(album.items(split, 99)) for split in ("train", "test"))
    assert sorted(train + test) == [f"{i:03}.png" for i in range(24)] and 4 <= len(train) <= 20
    assert album.found.divided and not album.items("val", 9)
    assert album.split("test") == "test" and {text for _, text in album.pairs(99, 0, 16)} == {
        f"number {int(n[:3])}" for n in train
    }
    assert sum(album.halves().values()) == 24


def test_names_and_other_files_do_not_change_on_which_side_a_picture_is(tmp_path):
    one, other = table(tmp_path / "one", 12), tmp_path / "other"
    side = {item.captions[0]: split for split in ("train", "test") for item in one.items(split, 99)}
    for i in range(6):
        write(other / f"renamed{i}.png", picture(i))
    again = {item.name: split for split in ("train", "test") for item in dataset.open(str(other)).items(split, 99)}
    assert again == {f"renamed{i}.png": side[f"number {i}"] for i in range(6)}


def test_copies_lie_on_the_same_side_and_count_once(tmp_path):
    for i in range(8):
        write(tmp_path / f"{i}.png", picture(i % 4))
    album = dataset.open(str(tmp_path))
    found = [*album.items("train", 99), *album.items("test", 99)]
    assert len(found) == 4
    album.check()
    assert (
        sorted(album.copies()) == [(f"{i + 4}.png", f"{i}.png") for i in range(4)] and sum(album.halves().values()) == 4
    )


def test_named_splits_are_kept(tmp_path):
    album = table(tmp_path, split=lambda i: ("train", "restval", "val", "test")[i % 4])
    assert not album.found.divided and album.found.splits == {"restval": 6, "test": 6, "train": 6, "val": 6}
    assert {name: {int(n[:3]) % 4 for n in names(album.items(name, 99))} for name in ("train", "val", "test")} == {
        "train": {0, 1},
        "val": {2},
        "test": {3},
    }


def test_val_is_measured_on_where_there_is_no_test(tmp_path):
    album = table(tmp_path, split=lambda i: "train" if i % 2 else "validation")
    exam = album.exam("test", 99, 99, 99)
    assert exam.split == "val" and {int(item.name[:3]) % 2 for item in exam.items} == {0} and len(exam.items) == 12


def test_one_split_alone_is_divided(tmp_path):
    album = table(tmp_path, split=lambda i: "val")
    assert album.found.divided and album.items("train", 9) and album.items("test", 9)


def test_nothing_is_calibrated_with_that_is_measured_on_under_another_name(tmp_path):
    for i in range(6):
        write(tmp_path / "train" / f"a{i}.png", picture(i))
        write(tmp_path / "test" / f"b{i}.png", picture(i + 4))
    album = dataset.open(str(tmp_path))
    assert len(album.items("train", 99)) == 6
    calibrated = {image.tobytes() for image, _ in album.pairs(99, 0, 16)}
    measured = {image.tobytes() for image in album.pictures(album.items("test", 99), 16)}
    assert len(calibrated) == 4 and len(measured) == 6 and not calibrated & measured


# --- order ----------------------------------------------------------------------------------------------------------


def test_the_order_depends_on_names_alone_and_is_mixed(tmp_path):
    album, copy = table(tmp_path / "a"), table(tmp_path / "deeper/b")
    whole = names(album.items("test", 99))
    assert whole == names(copy.items("test", 99)) and names(album.items("test", 3)) == whole[:3]
    assert whole != sorted(whole) and album.fingerprint == copy.fingerprint


def test_pairs_depend_on_the_seed(tmp_path):
    album = table(tmp_path, caption_2=lambda i: f"again {i}")
    texts = [[text for _, text in album.pairs(5, seed, 16)] for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2] and len(texts[0]) == 5


@pytest.mark.parametrize("change", ["caption", "picture", "name", "split"])
def test_the_fingerprint_is_of_the_content(tmp_path, change):
    before = table(tmp_path, 4).fingerprint
    row = {"image": "000.png", "caption": "number 0"}
    if change == "picture":
        write(tmp_path / "000.png", picture(0, (25, 16)))
    else:
        os.rename(tmp_path / "000.png", tmp_path / "x.png") if change == "name" else None
        row |= (
            {"caption": "else"} if change == "caption" else {"image": "x.png"} if change == "name" else {"split": "val"}
        )
    lines = (tmp_path / "data.jsonl").read_text().splitlines()
    write(tmp_path / "data.jsonl", "\n".join([json.dumps(row), *lines[1:]]))
    after = Album(tmp_path, dataset.open(str(tmp_path)).reader)
    assert len(before) == 12 and after.found.bad == 0 and after.fingerprint != before


# --- what is asked --------------------------------------------------------------------------------------------------


def test_an_exam_has_all_that_is_known(tmp_path):
    put(tmp_path, *(f"{i}.png" for i in range(8)))
    rows = [
        {
            "image": f"{i}.png",
            "captions": [f"one {i}", f"two {i}"],
            "question": "how many?",
            "answer": str(i),
            "class": "ab"[i % 2],
        }
        for i in range(8)
    ]
    write(tmp_path / "data.json", rows)
    exam = dataset.open(str(tmp_path)).exam("test", 99, 2, 1)
    numbers = [int(item.name[0]) for item in exam.items]
    assert exam.texts == tuple(f"{word} {n}" for n in numbers for word in ("one", "two"))
    assert exam.owners() == tuple(i for i in range(len(numbers)) for _ in "ab")
    assert [exam.references(i) for i in (0, 1)] == [(f"one {n}", f"two {n}") for n in numbers[:2]]
    assert exam.asked == ((0, Question("how many?", str(numbers[0]))),) and exam.captioned == 2
    assert exam.classes == ("a", "b") and exam.labels == tuple(n % 2 for n in numbers)
    assert exam.data.judge(exam.texts, exam.items) is None


def test_pictures_without_texts_are_searched_for_nothing(tmp_path):
    put(tmp_path, *(f"{i}.png" for i in range(9)))
    album = dataset.open(str(tmp_path))
    exam = album.exam("test", 99, 99, 99)
    assert exam.items and (exam.texts, exam.asked, exam.captioned, exam.classes, exam.labels) == ((), (), 0, (), ())
    assert {text for _, text in album.pairs(9, 0, 16)} == {NEUTRAL}


def test_texts_to_calibrate_with(tmp_path):
    rows = {"a": {"class": "snowy owl"}, "b": {"question": "how many?", "answer": "two"}}
    for kind, row in rows.items():
        put(tmp_path / kind, *(f"{i}.png" for i in range(9)))
        write(tmp_path / kind / "data.json", [{"image": f"{i}.png", **row} for i in range(9)])
    said = {kind: {text for _, text in dataset.open(str(tmp_path / kind)).pairs(9, 0, 16)} for kind in rows}
    assert said == {"a": {"a photo of a snowy owl"}, "b": {"how many?"}}


def test_questions_to_calibrate_with_are_answered_and_nothing_is_measured_on_their_pictures(tmp_path):
    put(tmp_path, *(f"{i}.png" for i in range(12)))
    asked = [("how many?", str(i)) for i in range(12)], [("why?", "")] * 12, [(f"{n}?", "yes") for n in range(4)] * 12
    questions = [
        {"image": f"{i % 12}.png", "question": q, "answer": a} for part in asked for i, (q, a) in enumerate(part)
    ]
    write(tmp_path / "data.json", [*questions, *({"image": f"{i}.png", "caption": f"picture {i}"} for i in range(12))])
    album = dataset.open(str(tmp_path))
    pictures, found = album.asked(99, 0, 16)
    numbers = [number for number, _ in found]
    assert len(pictures) == len(album.pairs(99, 0, 16)) and set(numbers) == set(range(len(pictures)))
    assert all(1 <= numbers.count(n) <= dataset.EACH and question.answer for n, question in found)
    assert len(album.asked(2, 0, 16)[0]) == 2
    measured = {picture.tobytes() for picture in album.exam("test", 99, 0, 0).pictures(16)}
    assert measured and not measured & {picture.tobytes() for picture in pictures}


def test_nobody_has_asked(tmp_path):
    assert not any(map(len, table(tmp_path).asked(9, 0, 16)))


def test_captions_are_wanted_of_what_is_searched(tmp_path):
    """Pictures without a caption are left out where others have one."""
    album = table(tmp_path)
    put(tmp_path, "extra.png", first=99)
    with (tmp_path / "data.jsonl").open("a") as file:
        file.write('\n{"image": "extra.png", "caption": "", "question": "how?", "answer": "so"}')
    album = dataset.open(str(tmp_path))
    exams = [album.exam("test", 99, 99, 99)]
    assert album.found.questions == 1
    assert all(set(exam.owners()) == set(range(len(exam.items))) for exam in exams)


# --- what cannot be used --------------------------------------------------------------------------------------------


def test_broken_pictures_are_named_and_the_rest_goes_on(tmp_path):
    album = table(tmp_path)
    write(tmp_path / "003.png", picture(3)[:60])
    write(tmp_path / "004.png", "text")
    assert album.found.bad == 0
    found = album.check()
    assert found.bad == 2 and found.pictures == 24
    told = sorted(map(str, album.bad()))
    assert told[1] == "data.jsonl, line 5: 004.png is no picture that can be read" and told[0].startswith(
        "data.jsonl, line 4: 003.png "
    )
    usable = {*names(album.items("train", 99)), *names(album.items("test", 99))}
    assert len(usable) == 22 and not usable & {"003.png", "004.png"} and album.check().bad == 2


def test_a_picture_that_goes_is_one_sentence(tmp_path):
    album = table(tmp_path)
    pictures = album.pictures(album.items("test", 3), 16)
    for file in tmp_path.glob("*.png"):
        file.unlink()
    with pytest.raises(ValueError, match=r"The picture .*\.png cannot be opened any more"):
        pictures[0]


def test_too_few_pictures_for_two_sides(tmp_path):
    write(tmp_path / "a.png", picture(0))
    album = dataset.open(str(tmp_path))
    with pytest.raises(
        ValueError, match=r"no pictures to (measure on|calibrate with): of its 1 pictures none .* add some"
    ):
        (album.pairs if album.items("test", 1) else lambda *asked: album.exam("test", *asked))(1, 0, 16)


# --- pictures -------------------------------------------------------------------------------------------------------


def test_pictures_are_opened_when_they_are_asked_for(tmp_path, monkeypatch):
    album = table(tmp_path)
    items = album.items("train", 9)
    opened = []
    monkeypatch.setattr(sequences.pictures, "opened", lambda held, side: opened.append(side))
    pictures = album.pictures(items, 1234)
    assert isinstance(pictures[2:5], Pictures) and len(pictures[2:5]) == 3 and opened == []
    pictures[2], pictures[2:5][0]
    assert opened == [1234]  # kept


def test_pairs_are_opened_part_by_part(tmp_path):
    pairs = table(tmp_path).pairs(9, 0, 8)
    part = pairs[1:4]
    assert [text for _, text in part] == [pairs[i][1] for i in (1, 2, 3)]
    assert all(np.array_equal(part[i][0], pairs[i + 1][0]) for i in range(3))


# --- opening --------------------------------------------------------------------------------------------------------


def test_it_is_read_again_only_when_its_files_have_changed(tmp_path):
    first = table(tmp_path, 4)
    assert dataset.open(str(tmp_path)) is first and dataset.open(first.name) is first and dataset.open(first) is first
    with (tmp_path / "data.jsonl").open("a") as file:
        file.write('\n{"image": "000.png", "caption": "more"}')
    again = dataset.open(str(tmp_path))
    assert again is not first and again.found.captions == 5


def test_names_and_paths(tmp_path, monkeypatch):
    table(tmp_path / "own photos, 2024", 4)
    monkeypatch.chdir(tmp_path)
    album = dataset.open("own photos, 2024")
    assert (album.name, album.title) == ("own photos, 2024", "own photos, 2024") and album.path == str(
        tmp_path / "own photos, 2024"
    )


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("flatlnd", ValueError, "no data set is called 'flatlnd', did you mean 'flatland'"),
        ("tests/no/where", FileNotFoundError, "no file or folder 'tests/no/where'"),
        ("./nowhere.csv", FileNotFoundError, "no file or folder './nowhere.csv'"),
        ("captions.csv", FileNotFoundError, "no file or folder 'captions.csv'"),
        ("README.md", ValueError, "README.md is no data that can be read"),
        ("", ValueError, "no data set is called ''"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(name, error, said):
    with pytest.raises(error, match=said) as problem:
        dataset.open(name)
    assert "\n" not in str(problem.value)


# --- size -----------------------------------------------------------------------------------------------------------


def many(count: int):
    """Rows of many pictures, five captions each, and a bad one now and then."""
    for i in range(count):
        key = f"/data/pictures/{i // 5:08}.jpg"
        yield Row(
            key,
            Source(key, 0, i),
            key,
            (f"caption {i} of a picture with so many words in it as people use",),
            place=f"line {i}",
        )
        if i % 10 == 0:
            yield Bad(f"line {i}", "its caption is empty")


MEASURED = """
import sys
from pathlib import Path
from multiflow_core.data.index import Index
from multiflow_core.data.reader import Row, readers
from multiflow_core.data.sequences import Pictures
from multiflow_core.support.memory import forget_peak, process_memory
from tests.core.data.test_album import many


def grown(work):
    work(1000)
    forget_peak()
    before = process_memory("VmRSS")
    work(100_000)
    return process_memory("VmHWM") - before


def table(count):
    reader = next(one for one in readers() if one.name == "table")
    assert sum(isinstance(row, Row) for row in reader.rows(Path(sys.argv[1]) / f"{count}.csv")) == count


def index(count):
    made = Index(many(count))
    assert (made.count("picture"), made.count("caption"), made.count("bad")) == (count // 5, count, count // 10)
    assert len(made.numbers("caption", [""])) == count // 5 and len(made.captions(1)) == 5


print(grown(table), grown(index))
"""


@pytest.mark.skipif(process_memory("VmHWM") is None, reason="the system does not say what a process takes")
def test_a_hundred_thousand_rows_take_little_memory(tmp_path):
    """Read one by one, and kept on disk: the rows themselves would take 60 MB."""
    put(tmp_path, "a.png")
    for count in (1000, 100_000):
        write(tmp_path / f"{count}.csv", "image,caption\n" + "".join(f"a.png,caption {i}\n" for i in range(count)))
    ran = subprocess.run([sys.executable, "-c", MEASURED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert all(int(grown) < 24e6 for grown in ran.stdout.split()), ran.stdout


def test_many_rows_take_as_much_as_few():
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            Index(many(count))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8_000) < peak(1_000) + 5e5


def test_rows_that_fail_leave_no_index(tmp_path):
    def rows(path):
        yield Row("a", Source("a", 0, 1), "a")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        Album(tmp_path, Reader("toy", "toys", 1, lambda path: True, rows))


def test_texts_that_cannot_be_written_down(tmp_path):
    index = Index(
        [
            Row("a\ud800", Source("a\udcff", 0, 1), "a\ud800", ("x\ud800y",), label="\udcff", place="\ud800"),
            Bad("\ud800", "\udcff"),
        ]
    )
    entry = index.entry(1)
    assert (
        entry.source.path == "a\udcff"
        and "\ud800" not in entry.name
        and len(index.captions(1)) == 1
        and len(index.bad(9)) == 1
    )


# --- what is shown --------------------------------------------------------------------------------------------------


def test_the_listing_tells_what_there_is(tmp_path):
    table(tmp_path, split=lambda i: "train" if i % 2 else "test")
    write(tmp_path / "001.png", picture(0))
    write(tmp_path / "002.png", "text")
    with (tmp_path / "data.jsonl").open("a") as file:
        file.write('\n{"image": "none.png", "caption": "x"}' * 20)
    shown = list(listing.lines(dataset.open(str(tmp_path))))
    assert "a table of pictures with texts" in shown[0] and shown[1] == "  24 pictures, 24 captions"
    assert shown[2] == "  splits: test 12, train 12" and shown[3] == "21 rows cannot be used:"
    assert shown[4] == "  data.jsonl, line 25: none.png is missing" and "  and 13 more" in shown
    assert "  001.png is 000.png" in shown and sum("number" in line for line in shown) == 3


def test_the_listing_says_what_text_calibration_takes(tmp_path):
    put(tmp_path, *(f"{i}.png" for i in range(9)))
    shown = "\n".join(listing.lines(dataset.open(str(tmp_path))))
    assert 'gives every picture "a picture" as its text' in shown and "see one text" in shown and "(train " in shown


def test_lessons_are_of_the_train_split_alone_and_of_nothing_that_is_measured_on(tmp_path):
    for i in range(6):
        write(tmp_path / "train" / f"a{i}.png", picture(i))
        write(tmp_path / "test" / f"b{i}.png", picture(i + 4))
    lessons = dataset.open(str(tmp_path)).lessons(99)
    assert sorted(lesson.item.name for lesson in lessons) == [f"train/a{i}.png" for i in range(4)]
    assert not any(lesson.texts or lesson.questions for lesson in lessons)

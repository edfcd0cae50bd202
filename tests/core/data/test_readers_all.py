"""Claims that every registered reader must keep, also one added tomorrow: it knows its own, and whatever it is shown ends well."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import dataset
from multiflow_core.data.album import Album
from multiflow_core.data.reader import READERS, readers

from .made import picture, put, write


@pytest.mark.parametrize("reader", READERS.all(), ids=lambda reader: reader.name)
def test_claims(reader, tmp_path):
    assert reader.title and sum(other.title == reader.title for other in READERS.all()) == 1
    (tmp_path / "empty").mkdir()
    write(tmp_path / "a.dat", b"\0\xff" * 50)
    for path in (tmp_path / "nowhere", tmp_path / "a.dat"):
        assert not reader.recognises(path)
    if reader.recognises(tmp_path / "empty"):
        with pytest.raises(ValueError, match="empty"):
            list(reader.rows(tmp_path / "empty"))


def test_the_first_that_recognises_a_path_reads_it(tmp_path):
    """A folder with everything in it: pictures with texts beside them and a table; annotations come before both."""
    put(tmp_path, "a.jpg")
    write(tmp_path / "a.txt", "a cat")
    assert dataset.open(str(tmp_path)).reader.name == "sidecars"
    write(tmp_path / "captions.csv", "image,caption\na.jpg,one\n")
    assert dataset.open(str(tmp_path)).reader.name == "table"
    write(tmp_path / "k.json", {"images": [{"filename": "a.jpg", "split": "test", "sentences": [{"raw": "two"}]}]})
    assert dataset.open(str(tmp_path)).reader.name == "karpathy"
    assert [reader.place for reader in readers()] == sorted(reader.place for reader in readers())


KEYS = st.text(max_size=4) | st.sampled_from(
    ["image", "images", "annotations", "questions", "question", "question_id", "image_id", "id", "file_name", "filename",
     "sentences", "caption", "captions", "imageId", "answer", "answers", "split", "label", "a.jpg", "types"]
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["a.jpg", "a cat", "test", "../a.jpg", "7"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)


def shard(held: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in (("a.jpg", picture()), ("a.json", held), ("a.txt", held), ("a.cls", held)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


FILES = st.one_of(
    st.tuples(
        st.sampled_from(["a.json", "b.json", "val_questions.json"]), VALUES.map(lambda held: json.dumps(held).encode())
    ),
    st.tuples(
        st.sampled_from(["c.jsonl"]),
        st.lists(VALUES.map(json.dumps), max_size=3).map(lambda rows: "\n".join(rows).encode()),
    ),
    st.tuples(
        st.sampled_from(["data.csv", "a.tsv", "a.txt", "captions.txt", "a.json", "c.jsonl", "d.tar"]),
        st.binary(max_size=200),
    ),
    st.tuples(
        st.sampled_from(["data.csv", "captions.txt"]), st.text('image,caption\n"a.jpg;\t|', max_size=80).map(str.encode)
    ),
    st.tuples(st.just("d.tar"), VALUES.map(lambda held: shard(json.dumps(held).encode()))),
    st.tuples(st.just("d.tar"), st.integers(0, 6000).map(lambda end: shard(b"{}")[:end])),
)


@given(st.lists(FILES, max_size=3), st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_lies_in_a_folder_is_data_or_one_sentence(tmp_path_factory, files, with_picture):
    folder: Path = tmp_path_factory.mktemp("data")
    if with_picture:
        put(folder, "a.jpg")
    for name, held in files:
        write(folder / name, held)
    for path in (folder, *folder.iterdir()):
        said, album = opened(path)
        assert "\n" not in said and len(said) < 1000 and (said or isinstance(album, Album))
        if album:
            assert album.found.pictures >= 1 and len(album.fingerprint) == 12
            assert album.check().pictures >= len(album.items("test", 9))
            assert all("\n" not in str(row) for row in album.bad(99))


def opened(path: Path) -> tuple[str, Album | None]:
    """What is said of a path that cannot be opened, or what is found there."""
    try:
        return "", dataset.open(str(path))
    except (ValueError, OSError) as error:
        return str(error), None

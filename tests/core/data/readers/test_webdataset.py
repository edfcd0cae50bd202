"""WebDataset shards: samples by name, texts in several endings; cut off, compressed, sparse, no shards at all."""

import io
import json
import tarfile

import pytest

from multiflow_core.data import dataset

from ..made import picture, read, write


def shard(file, held: dict[str, object], **options):
    with tarfile.open(file, "w", **options) as tar:
        for name, content in held.items():
            content = (
                content
                if isinstance(content, bytes)
                else (content if isinstance(content, str) else json.dumps(content)).encode()
            )
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


SAMPLES = {
    "a/0001.jpg": picture(1, kind="JPEG"), "a/0001.txt": "a cat\none cat\n", "a/0001.cls": "3",
    "0002.json": {"caption": "a dog", "url": "http://x", "width": 3, "split": None}, "0002.png": picture(2),
    "0003.seg.png": picture(3), "0003.jpg": picture(4, kind="JPEG"), "0003.txt": "a cow",
}  # fmt: skip


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_samples_of_a_shard(tmp_path, form):
    shard(tmp_path / "data-0000.tar", SAMPLES, format=form)
    rows, bad = read(tmp_path, "webdataset")
    assert [(row.name, row.captions, row.label) for row in rows] == [
        ("data-0000.tar/a/0001", ("a cat", "one cat"), "3"),
        ("data-0000.tar/0002", ("a dog",), ""),
        ("data-0000.tar/0003", ("a cow",), ""),
    ]
    assert bad == []
    album = dataset.open(str(tmp_path / "data-0000.tar"))
    stored = {item.name[-4:]: album.reader.read(item.source) for s in ("train", "test") for item in album.items(s, 9)}
    assert stored == {"0001": SAMPLES["a/0001.jpg"], "0002": SAMPLES["0002.png"], "0003": SAMPLES["0003.jpg"]}


def test_shards_called_after_splits(tmp_path):
    for split in ("train", "val"):
        shard(tmp_path / f"{split}-000.tar", {"1.png": picture(len(split)), "1.txt": split})
    assert [(row.split, row.captions) for row in read(tmp_path, "webdataset")[0]] == [
        ("train", ("train",)),
        ("val", ("val",)),
    ]


def test_a_shard_that_is_cut_off_gives_what_is_whole(tmp_path):
    whole = shard(tmp_path / "a.tar", {f"{i}.png": picture(i, (64, 64)) for i in range(3)}).read_bytes()
    where = whole.index(picture(2, (64, 64))) + 100
    write(tmp_path / "a.tar", whole[:where])
    rows, bad = read(tmp_path / "a.tar", "webdataset")
    assert [row.name for row in rows] == ["a.tar/0", "a.tar/1"] and bad == [
        "a.tar, 2.png: the shard ends in the middle of it"
    ]
    assert dataset.open(str(tmp_path / "a.tar")).check().bad == 1


def test_a_shard_that_ends_after_a_sample_says_so(tmp_path):
    whole = shard(tmp_path / "a.tar", {f"{i}.png": picture(i) for i in range(3)}).read_bytes()
    write(tmp_path / "a.tar", whole[: whole.index(b"2.png")])
    rows, bad = read(tmp_path / "a.tar", "webdataset")
    assert len(rows) == 2 and bad == ["a.tar: the shard ends without an end mark: it may have been cut off"]


@pytest.mark.parametrize("held", [b"", b"no shard at all" * 100, b"\0" * 10_240])
def test_what_is_no_shard_is_one_sentence(tmp_path, held):
    with pytest.raises(ValueError, match="nothing that can be used"):
        dataset.open(str(write(tmp_path / "a.tar", held)))


def test_compressed_shards_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz"):
        pass
    with pytest.raises(ValueError, match="is compressed, so pictures in it cannot be found: unpack it"):
        dataset.open(str(tmp_path / "a.tar.gz"))


def test_bad_samples_are_told(tmp_path):
    held = {
        "1.txt": "alone",
        "2.png": picture(2),
        "2.txt": " ",
        "3.png": picture(3),
        "3.json": "{",
        "4.png": picture(4),
        "4.json": "[1]",
    }
    shard(tmp_path / "a.tar", held | {"5.png": picture(5), "5.txt": b"\xff", "6.png": picture(6)})
    rows, bad = read(tmp_path / "a.tar", "webdataset")
    assert [row.name for row in rows] == ["a.tar/6"]
    assert bad == [
        "a.tar, 1: there is no picture beside its texts",
        "a.tar, 2: its caption is empty",
        "a.tar, 3: its JSON cannot be read",
        "a.tar, 4: its JSON is no object",
        "a.tar, 5: it is not encoded as UTF-8",
    ]


def test_links_and_folders_in_a_shard_are_no_pictures(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for kind, name in ((tarfile.SYMTYPE, "1.png"), (tarfile.LNKTYPE, "2.png"), (tarfile.DIRTYPE, "3.png")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    with pytest.raises(ValueError, match="nothing that can be used"):
        dataset.open(str(tmp_path / "a.tar"))

"""Uploaded archives: what is taken from them, what is refused in a sentence, and how long they stay."""

import io
import zipfile

import pytest

from app.engine import archives
from tests.app.app_pages.test_task_pages import png


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_UPLOADS", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


def packed(files, compression=zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    file.seek(0)
    return file


def names(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_the_same_archive_is_kept_once_under_the_name_of_its_content(folder):
    files = {"a.png": png("red"), "sub/b.png": png("blue"), "captions.csv": b"image,caption\na.png,a red square\n"}
    address = archives.keep(packed(files), 1 << 20)
    assert archives.keep(packed(files), 1 << 20) == address and len(list(folder.iterdir())) == 1
    assert names(archives.place_of(address)) == ["a.png", "captions.csv", "sub/b.png"]
    assert (archives.place_of(address) / "a.png").read_bytes() == files["a.png"]
    assert archives.keep(packed({"a.png": png("green")}), 1 << 20) != address


def test_a_folder_in_it_is_the_data(folder):
    address = archives.keep(packed({"photos/a.png": b"1", "__MACOSX/a.png": b"2", ".hidden": b"3"}), 1 << 20)
    assert archives.place_of(address) == folder / address / "photos" and names(folder / address) == ["photos/a.png"]


@pytest.mark.parametrize(
    ("file", "most", "part"),
    [
        (io.BytesIO(b"no zip"), 1 << 20, "damaged, or is none"),
        (io.BytesIO(b""), 1 << 20, "damaged, or is none"),
        (packed({"../a.png": b"x"}), 1 << 20, "leads out of its folder"),
        (packed({"a.png": bytes(3 << 20)}, zipfile.ZIP_STORED), 1 << 20, "up to 1 MB"),
        (packed({"a.png": bytes(40 << 20)}), 1 << 20, "unpacks to more than"),
        (packed({f"{n}.png": b"" for n in range(archives.FILES + 1)}), 2 << 20, "at most 5,000"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_leaves_nothing(file, most, part, folder):
    file.seek(0)
    with pytest.raises(ValueError, match=part) as caught:
        archives.keep(file, most)
    assert "\n" not in str(caught.value)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_damaged_entry_leaves_nothing(folder):
    data = bytearray(packed({"a.png": png("red") * 50}, zipfile.ZIP_STORED).getvalue())
    data[100] ^= 255  # inside the picture: its checksum is wrong
    with pytest.raises(ValueError, match="damaged, or is none"):
        archives.keep(io.BytesIO(bytes(data)), 1 << 20)
    assert not list(folder.iterdir())


def test_the_oldest_go_when_there_is_no_room(folder, monkeypatch):
    monkeypatch.setattr(archives, "KEPT", 2)
    first, second, third = (archives.keep(packed({f"{n}.png": b"x"}), 1 << 20) for n in range(3))
    assert archives.place_of(third).is_dir() and archives.place_of(second).is_dir()
    with pytest.raises(FileNotFoundError, match="upload the archive again"):
        archives.place_of(first)


@pytest.mark.parametrize("address", ["", "flatland", "/data", "upload-", "upload-0123456789abcdef/..", "upload-XYZ"])
def test_other_addresses_are_none_of_an_archive(address):
    assert archives.place_of(address) is None

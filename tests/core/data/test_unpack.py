"""Zips that somebody sends: what is in them, and what must not get out of them."""

import io
import zipfile

import pytest

from multiflow_core.data import dataset
from multiflow_core.data.unpack import unpack

from .made import picture


def packed(held: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as made:
        for name, content in held.items():
            made.writestr(name, content)
    return file


def test_pictures_with_captions_are_data(tmp_path):
    held = {f"holiday/{i}.png": picture(i) for i in range(3)} | {
        "holiday/captions.csv": b"image,caption\n0.png,one\n1.png,two\n"
    }
    found = unpack(packed(held | {"__MACOSX/._0.png": b"x", "holiday/.DS_Store": b"x"}), tmp_path / "own")
    assert found == tmp_path / "own" / "holiday" and sorted(file.name for file in found.iterdir()) == [
        "0.png",
        "1.png",
        "2.png",
        "captions.csv",
    ]
    assert dataset.open(str(found)).found.captions == 2


def link(name: str) -> io.BytesIO:
    file = packed({"a.png": picture()})
    with zipfile.ZipFile(file, "a") as made:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o120777 << 16
        made.writestr(info, "/etc/passwd")
    return file


def test_links_stay_out(tmp_path):
    assert [file.name for file in unpack(link("b.png"), tmp_path / "own").iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("held", "limits", "said"),
    [
        ({"../a.png": b"x"}, {}, "'../a.png', which leads out of its folder"),
        ({"/etc/a.png": b"x"}, {}, "leads out of its folder"),
        ({"C:\\a.png": b"x"}, {}, "leads out of its folder"),
        ({"b\\..\\..\\a.png": b"x"}, {}, "leads out of its folder"),
        ({f"{i}.png": b"x" for i in range(5)}, {"most_files": 4}, "holds 5 files: at most 4 can be unpacked"),
        ({"a.png": b"\0" * 10**7}, {"most_bytes": 10**6}, "unpacks to more than 1 MB"),
        ({"a.png": b"\0" * 600_000, "b.png": b"\0" * 600_000}, {"most_bytes": 10**6}, "unpacks to more than 1 MB"),
    ],
)
def test_what_is_too_much_or_leads_out_leaves_nothing(tmp_path, held, limits, said):
    with pytest.raises(ValueError, match=said.replace("\\", "\\\\")) as problem:
        unpack(packed(held), tmp_path / "own", **limits)
    assert "\n" not in str(problem.value) and list(tmp_path.iterdir()) == []


def damaged() -> io.BytesIO:
    file = packed({"a.png": picture(0, (99, 99))}, zipfile.ZIP_STORED)
    held = bytearray(file.getvalue())
    held[500] ^= 1
    return io.BytesIO(held)


def encrypted() -> io.BytesIO:
    held = bytearray(packed({"a.png": picture()}, zipfile.ZIP_STORED).getvalue())
    held[6] |= 1
    held[held.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(held)


@pytest.mark.parametrize(
    ("file", "said"),
    [(io.BytesIO(b"text"), "is damaged, or is none"), (damaged(), "is damaged"), (encrypted(), "is encrypted")],
)
def test_what_cannot_be_unpacked_is_one_sentence(tmp_path, file, said):
    with pytest.raises(ValueError, match=said):
        unpack(file, tmp_path / "own")
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_a_zip_says_what_to_do(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed({"a.png": picture()}).getvalue())
    with pytest.raises(ValueError, match=r"a.zip is a zip: unpack it, and give the folder"):
        dataset.open(str(tmp_path / "a.zip"))

"""WebDataset: shards (.tar) in which the files of a picture follow one another: 0001.jpg, 0001.txt, 0001.json, 0001.cls.

Read with Python's own tarfile, which tells where in a shard a picture lies, so that it can be opened when it is asked for. The
library `webdataset` only streams, and decodes what it meets (pickles, too).
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..annotations import split_of
from ..columns import Columns, Said, one, texts
from ..pictures import LARGEST_FILE, is_picture
from ..reader import Bad, Reader, Row, Source, register
from .sidecars import captions_in

_LARGEST_TEXT = 1 << 20
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_TEXTS = ("txt", "text", "caption", "json", "cls", "label")


def shards(path: Path) -> list[Path]:
    """The shards that a path leads to: itself, or those in a folder, and in folders in it."""
    if path.is_file():
        return [path] if path.name.lower().endswith((".tar", *_COMPRESSED)) else []
    return sorted([*path.glob("*.tar"), *path.glob("[!.]*/*.tar")]) if path.is_dir() else []


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every picture in every shard."""
    for shard in shards(path):
        if shard.name.lower().endswith(_COMPRESSED):
            raise ValueError(
                f"{shard} is compressed, so pictures in it cannot be found: unpack it to a plain .tar first."
            )
        with shard.open("rb") as file:
            for key, parts in _samples(shard, file):
                yield parts if isinstance(parts, Bad) else _row(shard, key, parts)


def _samples(shard: Path, file: Any) -> Iterator[tuple[str, dict[str, Source | bytes] | Bad]]:
    """(key, {ending: what lies there}) of the files that follow one another with the same name up to its first dot."""
    key, parts = "", {}
    for member in _members(shard, file):
        if isinstance(member, Bad):
            yield "", member
            continue
        folder, slash, name = member.name.rpartition("/")
        stem, _, ending = name.partition(".")
        if folder + slash + stem != key and parts:
            yield key, parts
            parts = {}
        key, ending = folder + slash + stem, ending.lower()
        if is_picture(f"a.{ending}"):
            parts["picture"] = Source(str(shard.absolute()), member.offset_data, member.size)
        elif ending in _TEXTS and member.size <= _LARGEST_TEXT:
            parts[ending] = _bytes(file, member)
    if parts:
        yield key, parts


def _members(shard: Path, file: Any) -> Iterator[tarfile.TarInfo | Bad]:
    """The files in a shard whose bytes are all there."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            size = shard.stat().st_size
            while (member := tar.next()) is not None:
                tar.members = []  # which would grow with the shard
                if member.isreg() and not member.issparse():
                    if member.offset_data + member.size > size:
                        yield Bad(f"{shard.name}, {member.name}", "the shard ends in the middle of it")
                        return
                    yield member
            if tar.offset > size - tarfile.BLOCKSIZE:
                yield Bad(shard.name, "the shard ends without an end mark: it may have been cut off")
    except (tarfile.TarError, EOFError, OverflowError, ValueError) as error:
        yield Bad(shard.name, f"it is no shard, or is damaged ({error})")


def _bytes(file: Any, member: tarfile.TarInfo) -> bytes:
    here = file.tell()
    file.seek(member.offset_data)
    held = file.read(member.size)
    file.seek(here)
    return held


def _row(shard: Path, key: str, parts: dict[str, Source | bytes]) -> Row | Bad:
    place = f"{shard.name}, {key}"
    if "picture" not in parts:
        return Bad(place, "there is no picture beside its texts")
    if parts["picture"].length > LARGEST_FILE:
        return Bad(place, f"its picture is larger than {LARGEST_FILE >> 20} MB")
    try:
        said = _said(parts)
        texts_ = [parts[ending] for ending in ("txt", "text", "caption") if ending in parts]
        captions = captions_in(texts_[0]) if texts_ else said.captions
        label = parts.get("cls", parts.get("label", b"")).decode("utf-8-sig")
    except ValueError as error:
        return Bad(place, str(error))
    if texts_ and not captions:
        return Bad(place, "its caption is empty")
    name, split = f"{shard.name}/{key}", said.split or split_of(shard.name)
    source = parts["picture"]
    return Row(f"{shard}/{key}", source, name, captions, said.questions, one(label) or said.label, split, "", place)


def _said(parts: dict[str, Any]) -> Said:
    """What the JSON beside a picture says; img2dataset writes such."""
    if "json" not in parts:
        return Said("")
    try:
        held = json.loads(parts["json"])
    except (ValueError, RecursionError):
        raise ValueError("its JSON cannot be read") from None
    if not isinstance(held, dict):
        raise ValueError("its JSON is no object")
    held = {name: value for name, value in held.items() if texts(value)} | {"image": "here"}
    return Columns.of(held).read(held)


register(Reader("webdataset", "WebDataset shards", 50, lambda path: bool(shards(path)), rows))

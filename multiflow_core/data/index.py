"""An index of rows: on disk, so that data of any size takes little memory, and gone when it is closed."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from threading import RLock

from .columns import plain
from .dataset import Question
from .reader import Bad, Row, Source

_TABLES = """
CREATE TABLE picture (id INTEGER PRIMARY KEY, key BLOB UNIQUE, name TEXT, path BLOB, start INT, length INT,
    split TEXT, label TEXT, place TEXT, digest BLOB, problem TEXT);
CREATE INDEX lengths ON picture (length);
CREATE TABLE caption (picture INT, text TEXT);
CREATE INDEX captions ON caption (picture);
CREATE TABLE question (picture INT, asked TEXT UNIQUE, text TEXT, answer TEXT, type TEXT, answers TEXT);
CREATE INDEX questions ON question (picture);
CREATE TABLE bad (place TEXT, reason TEXT);
"""
_PICTURE = """
INSERT INTO picture (key, name, path, start, length, split, label, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET name = iif(name = '', excluded.name, name), path = coalesce(path, excluded.path),
    start = coalesce(start, excluded.start), length = coalesce(length, excluded.length),
    split = iif(split = '', excluded.split, split), label = iif(label = '', excluded.label, label)
RETURNING id, split, label
"""
_QUESTION = """
INSERT INTO question VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (asked) DO UPDATE SET text = iif(text = '', excluded.text, text), answer = iif(answer = '', excluded.answer, answer),
    type = iif(type = '', excluded.type, type), answers = iif(answers = '[]', excluded.answers, answers)
"""


@dataclass(frozen=True)
class Entry:
    """A picture of the index: its number, what it goes by, where it lies, its split and its class."""

    number: int
    name: str
    source: Source
    split: str
    label: str


class Index:
    """Rows, put together by the picture that they are about.

    >>> rows = [Row("a", Source("a.jpg", 0, 9), "a.jpg", ("a cat",)), Row("a", captions=("one cat",)), Bad("line 3", "no picture")]
    >>> index = Index(rows)
    >>> index.count("picture"), index.captions(1), [str(bad) for bad in index.bad(5)]
    (1, ('a cat', 'one cat'), ['line 3: no picture'])
    """

    def __init__(self, rows: Iterable[Row | Bad]):
        self._lock = RLock()
        # without a name: a file that only this connection knows, and that goes with it
        self._base = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._base.create_function("place_of", 2, _place, deterministic=True)
        with self._open() as base:
            base.executescript(
                f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; {_TABLES} BEGIN;"
            )
        for row in rows:
            with self._open() as base:
                if bad := row if isinstance(row, Bad) else _add(base, row):
                    base.execute("INSERT INTO bad VALUES (?, ?)", (plain(bad.place), plain(bad.reason)))
        with self._open() as base:
            _tidy(base)
            base.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._base
            except sqlite3.OperationalError as error:
                if "full" not in str(error):
                    raise
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None

    def _all(self, query: str, *values: object) -> list[tuple]:
        with self._open() as base:
            return base.execute(query, values).fetchall()

    # --- what there is ----------------------------------------------------------------------------------------------

    def count(self, table: str, where: str = "TRUE") -> int:
        """How many rows of a table ("picture", "caption", "question" or "bad") are so."""
        return self._all(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]

    def splits(self) -> dict[str, int]:
        """How many pictures there are of every split that rows name."""
        return dict(self._all("SELECT split, count(*) FROM picture GROUP BY split ORDER BY split"))

    def classes(self) -> tuple[str, ...]:
        """The names of all classes."""
        return tuple(
            label for (label,) in self._all("SELECT DISTINCT label FROM picture WHERE label != '' ORDER BY label")
        )

    def numbers(self, has: str, splits: Iterable[str], seed: str = "") -> array:
        """The numbers of the pictures of some splits with a "caption", a "question" or a "label", or of all ("").

        In an order that their names and a seed decide.
        """
        having = {"": "TRUE", "label": "label != ''"}.get(has) or f"EXISTS (SELECT 1 FROM {has} WHERE picture = one.id)"
        query = f"""SELECT id FROM picture AS one WHERE split IN (SELECT value FROM json_each(?)) AND {having}
            ORDER BY place_of(?, name), id"""
        with self._open() as base:
            return array("q", (number for (number,) in base.execute(query, (json.dumps(list(splits)), seed))))

    def entry(self, number: int) -> Entry:
        """A picture by its number."""
        query = "SELECT name, path, start, length, split, label FROM picture WHERE id = ?"
        name, path, start, length, split, label = self._all(query, number)[0]
        return Entry(number, name, Source(os.fsdecode(path), start, length), split, label)

    def captions(self, number: int) -> tuple[str, ...]:
        """The captions of a picture."""
        return tuple(text for (text,) in self._all("SELECT text FROM caption WHERE picture = ? ORDER BY rowid", number))

    def questions(self, number: int) -> tuple[Question, ...]:
        """The questions about a picture."""
        query = "SELECT text, answer, type, answers FROM question WHERE picture = ? ORDER BY rowid"
        return tuple(Question(*said, tuple(json.loads(answers))) for *said, answers in self._all(query, number))

    def bad(self, most: int) -> list[Bad]:
        """The first rows that cannot be used."""
        return [Bad(*row) for row in self._all("SELECT place, reason FROM bad ORDER BY rowid LIMIT ?", most)]

    def fingerprint(self) -> str:
        """12 digits of all that rows say and of the size of every picture: the same for the same data wherever it lies."""
        digest = blake2b(digest_size=6)
        with self._open() as base:
            for query in (
                "SELECT name, length, split, label FROM picture ORDER BY id",
                "SELECT name, text FROM caption JOIN picture ON id = picture ORDER BY caption.rowid",
                "SELECT name, text, answer, answers FROM question JOIN picture ON id = picture ORDER BY question.rowid",
            ):
                for row in base.execute(query):
                    digest.update(json.dumps(row).encode())
        return digest.hexdigest()

    # --- what is found when a picture is opened ---------------------------------------------------------------------

    def looked_at(self, number: int) -> tuple[bytes | None, str]:
        """The digest of a picture's bytes, None where it was not opened yet, and what is wrong with it."""
        return self._all("SELECT digest, problem FROM picture WHERE id = ?", number)[0]

    def keep(self, number: int, digest: bytes, problem: str) -> None:
        """Write down what was found; of a picture that cannot be used, as a bad row, too."""
        with self._open() as base:
            query = "UPDATE picture SET digest = ?, problem = ? WHERE id = ? AND digest IS NULL RETURNING place, name"
            for place, name in base.execute(query, (digest, problem, number)).fetchall():
                if problem:
                    base.execute(
                        "INSERT INTO bad VALUES (?, ?)", (place, problem if place == name else f"{name} {problem}")
                    )

    def digests(self) -> list[bytes]:
        """The digests of all pictures that were opened and can be used, each once."""
        return [digest for (digest,) in self._all("SELECT DISTINCT digest FROM picture WHERE problem = ''")]

    def as_long(self, number: int, split: str) -> list[int]:
        """The pictures of a split whose files have as many bytes as that of a picture."""
        query = (
            "SELECT other.id FROM picture JOIN picture AS other USING (length) WHERE picture.id = ? AND other.split = ?"
        )
        return [other for (other,) in self._all(query, number, split)]

    def copies(self) -> list[tuple[str, str]]:
        """(name, name) of every picture with the same bytes as an earlier one, and of that one."""
        query = """SELECT picture.name, first.name FROM picture
            JOIN (SELECT min(id) AS id, digest FROM picture WHERE problem = '' GROUP BY digest) AS one USING (digest)
            JOIN picture AS first ON first.id = one.id WHERE picture.id > one.id AND picture.problem = '' ORDER BY picture.id"""
        return self._all(query)


def _add(base: sqlite3.Connection, row: Row) -> Bad | None:
    """Write down what a row says; the row as a bad one where it contradicts an earlier one, or says the same again."""
    path = os.fsencode(row.picture.path) if row.picture else None
    start, length = row.picture[1:] if row.picture else (None, None)
    name, split, label = plain(row.name), plain(row.split), plain(row.label)
    values = (row.key.encode("utf-8", "surrogatepass"), name, path, start, length, split, label, plain(row.place))
    number, its_split, its_label = base.execute(_PICTURE, values).fetchone()
    if split != its_split and split:
        return Bad(row.place, f"it is in the split {split} here, and in {its_split} above")
    if label != its_label and label:
        return Bad(row.place, f"it is of the class {label} here, and of {its_label} above")
    query = "SELECT text FROM caption WHERE picture = ?"
    said = {text for (text,) in base.execute(query, (number,))} if row.captions else ()
    new = [text for text in dict.fromkeys(map(plain, row.captions)) if text not in said]
    base.executemany("INSERT INTO caption VALUES (?, ?)", ((number, text) for text in new))
    for question in row.questions:
        parts = [plain(part) for part in (question.text, question.answer, question.type)]
        base.execute(_QUESTION, (number, row.asked or None, *parts, json.dumps(question.answers)))
    again = row.captions and not new and not row.questions
    return Bad(row.place, "it says of a picture what was said before") if again else None


def _tidy(base: sqlite3.Connection) -> None:
    """Leave out what belongs to no picture, and questions that are only answered."""
    without = "SELECT id FROM picture WHERE path IS NULL"
    base.execute(
        f"INSERT INTO bad SELECT place, 'it is about a picture that is not there' FROM picture WHERE id IN ({without})"
    )
    for table in ("caption", "question"):
        base.execute(f"DELETE FROM {table} WHERE picture IN ({without})")
    base.execute(
        "INSERT INTO bad SELECT 'question ' || asked, 'it is answered, and asked nowhere' FROM question WHERE text = ''"
    )
    base.execute("DELETE FROM question WHERE text = ''")
    base.execute("DELETE FROM picture WHERE path IS NULL")


def _place(seed: str, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big", signed=True)

"""Registries: names and aliases, files found by themselves and once, and errors that help."""

import itertools
import sys
import textwrap
import threading
from dataclasses import dataclass

import pytest

from multiflow_core.support.registry import Registry, unknown_name


@dataclass
class Fruit:
    name: str
    aliases: tuple[str, ...] = ()


NUMBERS = itertools.count()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """package({"file": "source"}) -> the name of a new package that holds a registry, `FRUITS`, and these files."""

    def made(**files: str) -> str:
        name = f"fruits_{next(NUMBERS)}"
        folder = tmp_path / name
        folder.mkdir()
        head = (
            "from multiflow_core.support.registry import Registry\nfrom tests.core.support.test_registry import Fruit\n"
        )
        (folder / "__init__.py").write_text(f"{head}FRUITS = Registry('fruit', __name__)\n")
        for file, source in files.items():
            (folder / f"{file}.py").write_text(f"from . import FRUITS, Fruit\n{textwrap.dedent(source)}")
        monkeypatch.syspath_prepend(tmp_path)
        return name

    yield made
    for name in [name for name in sys.modules if name.startswith("fruits_")]:
        del sys.modules[name]


def fruits(package: str) -> Registry:
    return __import__(package).FRUITS


def test_entries_are_found_by_name_and_alias_and_listed_once_by_name():
    registry = Registry("fruit")
    pear, apple = registry.register(Fruit("pear")), registry.register(Fruit("apple", ("pome",)))
    assert registry.all() == (apple, pear)
    assert registry.get("pome") is registry.get("apple") is registry.get(apple) is apple
    assert "pome" in registry and "plum" not in registry
    other = registry.register(Fruit("pear"))
    assert registry.get("pear") is other and registry.all() == (apple, other)


def test_files_are_imported_when_first_asked_for_and_not_before(package):
    name = package(apple="FRUITS.register(Fruit('apple'))", pear="FRUITS.register(Fruit('pear'))")
    registry = fruits(name)
    assert f"{name}.apple" not in sys.modules
    assert [fruit.name for fruit in registry.all()] == ["apple", "pear"]
    assert "pear" in fruits(name) and fruits(name).get("apple").name == "apple"


def test_a_file_may_ask_while_it_is_imported(package):
    name = package(
        apple="FRUITS.register(Fruit('apple'))",
        pear="FRUITS.register(Fruit('pear', (FRUITS.get('apple').name + ' of another kind',)))",
    )
    assert fruits(name).get("apple of another kind").name == "pear"


def test_all_threads_see_the_whole_registry_and_each_file_is_run_once(package):
    slow = "import time\ntime.sleep(0.05)\nFRUITS.register(Fruit('{0}'))\nFRUITS.runs = getattr(FRUITS, 'runs', 0) + 1"
    name = package(**{fruit: slow.format(fruit) for fruit in ("apple", "pear", "plum")})
    registry, found = fruits(name), []
    ready = threading.Barrier(4)

    def ask(how):
        ready.wait()
        found.append(how())

    asked = (registry.all, registry.all, lambda: registry.get("plum"), lambda: "pear" in registry)
    threads = [threading.Thread(target=ask, args=(how,)) for how in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 4 and registry.runs == 3
    assert found.count(registry.all()) == 2 and True in found and registry.get("plum") in found
    assert len(registry.all()) == 3


def test_a_file_that_fails_is_not_forgotten(package):
    name = package(
        apple="if not FRUITS.__dict__.get('ripe'): raise RuntimeError('not ripe')\nFRUITS.register(Fruit('apple'))"
    )
    registry = fruits(name)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not ripe"):
            registry.all()
    registry.ripe = True
    assert registry.get("apple").name == "apple"


def test_an_unknown_name_is_told_what_there_is():
    registry = Registry("fruit")
    for n in range(14):
        registry.register(Fruit(f"apple{n:02}"))
    with pytest.raises(
        ValueError, match=r"^no fruit is called 'aple03', did you mean 'apple03'\? known: apple00, "
    ) as error:
        registry.get("aple03")
    assert str(error.value).endswith("apple11, ...")
    assert str(unknown_name("fruit", "zzz", ["a", "b"])) == "no fruit is called 'zzz'; known: a, b"

"""What a command of the command line is. Adding one = one file in this room that calls `register`. Needs no torch.

Whatever a command needs besides, it imports when it runs: help, and the mistakes that argparse finds, need no PyTorch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from ..support.registry import Registry


@dataclass(frozen=True)
class Command:
    """Something the command line can be told.

    >>> COMMANDS.get("formats").about
    'list the formats in which a pruned checkpoint can be written'

    Attributes:
        name: what is typed. about: what it does, in one line. place: among the others, lowest first.
        arguments: arguments(parser) adds those that it takes.
        run: run(options). Results go to standard output; ValueError and OSError are told in a sentence.
        told: more about it, above its arguments. examples: lines as one types them, below.
    """

    name: str
    about: str
    run: Callable[[argparse.Namespace], None]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    place: int = 100
    told: Callable[[], str] = str
    examples: tuple[str, ...] = ()

    def add(self, parsers) -> None:
        """Its parser, among those of the others."""
        parser = parsers.add_parser(
            self.name,
            help=self.about,
            description=self.told() or None,
            epilog="\n  ".join(("for example", *self.examples)) if self.examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.arguments(parser)
        parser.set_defaults(run=self.run)


COMMANDS: Registry[Command] = Registry("command", __package__)
register = COMMANDS.register


def commands() -> tuple[Command, ...]:
    """All commands, in the order in which people need them.

    >>> [command.name for command in commands()][:2]
    ['models', 'methods']
    """
    return tuple(sorted(COMMANDS.all(), key=lambda command: (command.place, command.name)))

"""The flags of settings, which are the fields of Hyperparameters and of Writing, and the values that were given."""

import argparse
import dataclasses
from typing import Any, Dict, List, Tuple, Type

from charrnn.hyperparameters import Checkable, range_in_words
from charrnn.system.commands_to_type import flag

METAVARS = {int: "N", float: "X"}


def add_settings(settings: Type[Checkable], groups: Dict[str, argparse._ArgumentGroup]) -> None:
    """Add the flags of the fields of a class to an argument parser. A flag that is not given has the value None.

    Args:
        settings: Hyperparameters, or another such class.
        groups: dict from the name of each group of flags to an argument group of the parser.
    """
    for field in fields_with_flags(settings):
        group = groups[field.metadata["group"]]
        kind = field.metadata["kind"]
        if kind is bool:
            _add_switch(group, field)
        elif kind is dict:
            group.add_argument(
                flag(field.name),
                type=_property,
                action="append",
                metavar="PROPERTY=X",
                help=field.metadata["help"],
            )
        else:
            _add_value(group, field)


def fields_with_flags(settings: Type[Checkable]) -> List[dataclasses.Field]:
    """Return the fields of a class that have a flag."""
    return [field for field in dataclasses.fields(settings) if field.metadata["group"]]


def _add_switch(group: argparse._ArgumentGroup, field: Any) -> None:
    """Add the flag that turns a field off, and one that turns it on if that is not the default."""
    meaning = field.metadata["help"]
    if not field.default:
        group.add_argument(
            flag(field.name),
            dest=field.name,
            action="store_const",
            const=True,
            help=meaning,
        )
        meaning = f"do not {meaning}"
    group.add_argument(
        flag(f"no_{field.name}"),
        dest=field.name,
        action="store_const",
        const=False,
        help=meaning,
    )


def _add_value(group: argparse._ArgumentGroup, field: Any) -> None:
    """Add the flag of a field that takes a value."""
    kind = field.metadata["kind"]
    choices = field.metadata["choices"]
    default = f"default: {field.metadata['otherwise'] or field.default}"
    if choices:
        metavar = None
        notes = default
    else:
        metavar = METAVARS[kind]
        notes = f"{range_in_words(field)}; {default}"
    group.add_argument(
        flag(field.name),
        type=kind,
        choices=choices,
        metavar=metavar,
        help=f"{field.metadata['help']} ({notes})",
    )


def _property(argument: str) -> Tuple[str, float]:
    """Read a property and a number."""
    name, _, number = argument.rpartition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"it takes a property and a number, such as 'inside quotation marks=1.5', not {argument!r}"
        )


def given_settings(settings: Type[Checkable], args: argparse.Namespace) -> Dict[str, Any]:
    """Return the values of the flags of :func:`add_settings` that were given, by the names of the fields."""
    given = {}
    for field in fields_with_flags(settings):
        value = getattr(args, field.name)
        if field.metadata["kind"] is dict:
            pairs = value if value else []
            value = dict(pairs)
        if value is not None:
            given[field.name] = value
    return given

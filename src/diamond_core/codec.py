"""Frozen dataclasses to plain JSON values and back: the format of cards and promotions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from diamond_core.errors import DiamondError

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Return *value*, a dataclass, as indented JSON text; ``decode`` reads it back, NaN included.

    Raises:
        TypeError, ValueError: it contains a value that is not possible in JSON.
    """
    return json.dumps(to_plain(value), indent=2).encode() + b"\n"


def decode(kind: type[T], data: bytes) -> T:
    """Return the *kind* that JSON text describes.

    Raises:
        ValueError: it is not JSON, or a value is missing or has another type.
    """
    try:
        value = json.loads(data)
    except RecursionError as ex:
        raise ValueError("it is nested too deeply") from ex
    return from_plain(kind, value)


def to_plain(value: Any) -> Any:
    """Return *value* as plain JSON values; times and days become ISO 8601 texts."""
    if is_dataclass(value):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_plain(each) for name, each in value.items()}
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Sequence):
        return [to_plain(each) for each in value]
    return value


def escaped(text: str) -> str:
    """Return *text* with escapes for lone surrogates, which JSON and databases do not accept.

    They come from file names and headers that are not valid text.
    """
    return str(text) if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def from_plain(kind: type[T], value: Any) -> T:
    """Return the *kind* that plain JSON values describe.

    Unknown keys are ignored, so that a later version can add some; a missing key gets the field's
    default.

    Raises:
        ValueError: a value is missing or has another type; the message says where.
    """
    read: T = _read(kind, value, "")
    return read


def _read(kind: Any, value: Any, at: str) -> Any:
    if kind is Any:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (inner,) = (each for each in arguments if each is not NoneType)
        return None if value is None else _read(inner, value, at)
    if is_dataclass(kind):
        return _read_dataclass(kind, value, at)
    if origin is tuple and arguments[1:] != (Ellipsis,):
        items = _checked(value, list, at)
        if len(items) != len(arguments):
            raise ValueError(f"{at} must have {len(arguments)} values")
        return tuple(_read(*pair, at) for pair in zip(arguments, items, strict=True))
    if origin in (tuple, Sequence):
        items = enumerate(_checked(value, list, at))
        return tuple(_read(arguments[0], each, f"{at}/{index}") for index, each in items)
    if origin is Mapping:
        items = _checked(value, dict, at).items()
        return {name: _read(arguments[1], each, f"{at}/{name}") for name, each in items}
    return _read_scalar(kind, value, at)


def _read_scalar(kind: Any, value: Any, at: str) -> Any:
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError as ex:
            raise ValueError(f"{at} is too large") from ex
    if not issubclass(kind, date | str):
        return _checked(value, kind, at)
    text = _checked(value, str, at)
    try:
        read = kind.fromisoformat(text) if issubclass(kind, date) else kind(text)
    except (DiamondError, ValueError) as ex:
        raise ValueError(f"{at}: {ex}") from ex
    if kind is datetime and read.tzinfo is None:
        raise ValueError(f"{at} must have a time zone")
    return read


def _read_dataclass(kind: Any, value: Any, at: str) -> Any:
    values = _checked(value, dict, at)
    read = {}
    for name, (hint, needed) in _fields_of(kind).items():
        if name in values:
            read[name] = _read(hint, values[name], f"{at}/{name}")
        elif needed:
            raise ValueError(f"{at}/{name} is missing")
    try:
        return kind(**read)
    except DiamondError as ex:  # such as an impossible stone
        raise ValueError(f"{at}: {ex}") from ex


def _checked(value: Any, kind: type[Any], at: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{at or 'it'} must be {kind.__name__}, not {type(value).__name__}")
    return value


@lru_cache
def _fields_of(kind: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Return each field's type, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        each.name: (
            hints[each.name],
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    }

"""How exchanges lie in a journal file: entries with a length and a checksum.

An entry is ``MARK``, the payload's length, its CRC-32 seeded with the file's own random number, and
the payload: a version, two lengths, the small fields as a JSON array, and both bodies as they are.
The seed keeps a body that looks like an entry from ever being read as one.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zlib import crc32

import orjson

from diamond_core.errors import DiamondError
from diamond_core.requests.exchange import Exchange

MARK: Final = b"\xa5EX\n"
_ENTRY: Final = struct.Struct("<4sII")
_LENGTHS: Final = struct.Struct("<BII")
_VERSION: Final = 1
_READ_BYTES: Final = 1 << 20


class UnreadableEntry(DiamondError):
    """A payload that this version can't turn into an exchange."""


def pack(exchange: Exchange, seed: int) -> bytes:
    """Return *exchange* as one entry for a file with this *seed*."""
    small = _small_fields(exchange)
    request, response = exchange.request_body, exchange.response_body
    lengths = _LENGTHS.pack(_VERSION, len(small), len(request))
    checksum = crc32(response, crc32(request, crc32(small, crc32(lengths, seed))))
    size = len(lengths) + len(small) + len(request) + len(response)
    return b"".join((_ENTRY.pack(MARK, size, checksum), lengths, small, request, response))


def pack_payload(payload: bytes, seed: int) -> bytes:
    """Return a payload as it was read as an entry for a file with this *seed*."""
    return _ENTRY.pack(MARK, len(payload), crc32(payload, seed)) + payload


def unpack(payload: bytes) -> Exchange:
    """Return the exchange in *payload*.

    Raises:
        UnreadableEntry: it was written by another version, or makes no exchange.
    """
    try:
        version, small_size, request_size = _LENGTHS.unpack_from(payload)
        if version != _VERSION:
            raise UnreadableEntry(f"its format is {version}; this version reads {_VERSION}")
        bodies = _LENGTHS.size + small_size
        small = _small_values(payload[_LENGTHS.size : bodies])
        id, request_id, at, method, path, query, headers, client, key, status, ms, model = small
        return Exchange(
            id=id,
            request_id=request_id,
            occurred_at=datetime.fromisoformat(at),
            method=method,
            path=path,
            query=query,
            headers=headers,
            client=client,
            key_name=key,
            status=status,
            duration_ms=ms,
            request_body=payload[bodies : bodies + request_size],
            response_body=payload[bodies + request_size :],
            model_id=model,
        )
    except (ValueError, TypeError, struct.error) as ex:
        raise UnreadableEntry(f"it makes no exchange: {ex}") from ex


def _small_fields(exchange: Exchange) -> bytes:
    fields = (
        exchange.id,
        exchange.request_id,
        exchange.occurred_at,
        exchange.method,
        exchange.path,
        exchange.query,
        exchange.headers,
        exchange.client,
        exchange.key_name,
        exchange.status,
        exchange.duration_ms,
        exchange.model_id,
    )
    try:
        return orjson.dumps(fields)
    except TypeError:  # lone surrogates, or headers that are a mapping but no dict
        return json.dumps(fields, default=_plain).encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else dict(value)


def _small_values(data: bytes) -> list[Any]:
    try:
        values = orjson.loads(data)
    except orjson.JSONDecodeError:  # lone surrogates
        values = json.loads(data)
    return list(values)


@dataclass(frozen=True, slots=True)
class Entry:
    """One whole entry: where it starts and ends in its file, and what it holds."""

    start: int
    end: int
    payload: bytes


def read_entries(file: int, start: int, end: int, seed: int) -> Iterator[Entry]:
    """Yield the entries between two places of an open file, up to the first that is not whole."""
    data, base = b"", start
    while start + _ENTRY.size <= end:
        size = _payload_size(data, start - base)
        if size is None or start - base + _ENTRY.size + size > len(data):
            wanted = max(_READ_BYTES, _ENTRY.size + (size or 0))
            data, base = os.pread(file, min(wanted, end - start), start), start
            size = _payload_size(data, 0)
            if size is not None and _ENTRY.size + size > len(data):
                data = os.pread(file, min(_ENTRY.size + size, end - start), start)
        entry = _entry_at(data, start - base, start, seed)
        if entry is None:
            return
        yield entry
        start = entry.end


def count_entries(file: int, start: int, end: int) -> tuple[int, int]:
    """Return how many entries seem to be between two places, and where the last of them ends.

    Reads only lengths: quick, and good enough to tell people.
    """
    count, data, base = 0, b"", start
    while start + _ENTRY.size <= end:
        size = _payload_size(data, start - base)
        if size is None:
            data, base = os.pread(file, min(_READ_BYTES, end - start), start), start
            size = _payload_size(data, 0)
        if size is None or start + _ENTRY.size + size > end:
            break
        start += _ENTRY.size + size
        count += 1
    return count, start


def next_entry(file: int, start: int, end: int, seed: int) -> int | None:
    """Return where the first whole entry after a damaged place starts, or None."""
    data = os.pread(file, end - start, start)
    at = data.find(MARK)
    while at >= 0:
        if _entry_at(data, at, start + at, seed) is not None:
            return start + at
        at = data.find(MARK, at + 1)
    return None


def _payload_size(data: bytes, at: int) -> int | None:
    if at + _ENTRY.size > len(data):
        return None
    mark, size, _ = _ENTRY.unpack_from(data, at)
    return int(size) if mark == MARK else None


def _entry_at(data: bytes, at: int, start: int, seed: int) -> Entry | None:
    size = _payload_size(data, at)
    if size is None:
        return None
    payload = data[at + _ENTRY.size : at + _ENTRY.size + size]
    checksum = _ENTRY.unpack_from(data, at)[2]
    if len(payload) < size or crc32(payload, seed) != checksum:
        return None
    return Entry(start, start + _ENTRY.size + size, payload)

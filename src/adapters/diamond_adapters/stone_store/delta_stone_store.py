"""Stones and deliveries as two Delta Lake tables: in a folder, or in an object store.

<folder>/stones       one row a stone: the columns of a CSV, id, date, delivery
<folder>/deliveries   one row for each row that was delivered (kind 'row'), and one for each delivery
                      (kind 'delivery') whose cells are the delivery as JSON

Any reader of Delta Lake can read both. Nothing is ever vacuumed, so every version stays readable.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from arro3.core import RecordBatch, RecordBatchReader, Schema
from arro3.io import read_parquet
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError

from diamond_adapters.object_urls import allows_http, check_object_url
from diamond_adapters.parquet_batches import watched, write_batches
from diamond_adapters.private_files import create_folder
from diamond_adapters.stone_store.columns import (
    DELIVERIES,
    STONES,
    of_delivery,
    rows_batch,
    rows_of,
    stones_batch,
    stones_of,
    summary_batch,
)
from diamond_core import (
    BATCH_ROWS,
    Conflict,
    DeliveredRows,
    Delivery,
    DeliveryNotFound,
    InvalidUrl,
    StoneRecords,
    StoneVersion,
    StoneVersionNotFound,
    Unavailable,
)

_KEPT: Final = {
    "delta.logRetentionDuration": "interval 1000 years",
    "delta.deletedFileRetentionDuration": "interval 1000 years",
    "delta.checkpointInterval": "10",  # else each opening reads up to 100 commits
}
_OPTIONS: Final = {"connect_timeout": "3s", "timeout": "60s"}
"""Of an object store; credentials come from the environment."""
_ATTEMPTS: Final = 20
_MANY_FILES: Final = 100
_RECENT: Final = 5
_PROPERTIES: Final = WriterProperties(compression="ZSTD", max_row_group_size=20_000)
_FILE_SIZE: Final = 16_000_000
"""The writer holds one file, and one group of rows, in memory."""
_ONE_AFTER_ANOTHER: Final = "stones"
"""A name that all commits of stones have."""
_NO_CLEANUP: Final = PostCommitHookProperties(cleanup_expired_logs=False)


class DeltaStoneStore:
    """A ``StoneStore`` in a folder or an object store.

    Args:
        url: a path of this machine, or the URL of an object store.
        options: the credentials of the object store, as ``deltalake`` takes them.
    """

    def __init__(self, url: str, options: dict[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._options = options

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the store at ``file:///absolute/folder``, or in an object store.

        Raises:
            InvalidUrl: it is not a folder of this machine and no bucket, or it can't be used.
        """
        parts = urlsplit(url)
        if parts.scheme != "file":
            check_object_url(url)
            return cls(url, {"allow_http": str(allows_http()).lower(), **_OPTIONS})
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise InvalidUrl("use file:///absolute/folder")
        path = unquote(parts.path)
        if set(path) & set("%?#"):  # deltalake 1.6 loses the table or its history there
            raise InvalidUrl("the path of this folder can't contain %, ? or #")
        return cls(path)

    def receive(
        self, rows: Iterable[DeliveredRows], conclude: Callable[[], Delivery | None]
    ) -> Delivery | None:
        with self._errors("deliveries"), _spooled(DELIVERIES, map(rows_batch, rows)) as reader:
            delivery = conclude()
            if delivery is None:
                return None
            # first the rows, then the delivery, which makes them count; each once, after a kill too
            table = self._created("deliveries", DELIVERIES)
            rows_of_delivery = (of_delivery(each, delivery) for each in reader)
            is_new = _append(table, DELIVERIES, rows_of_delivery, f"{delivery.id}/rows")
            _append(table, DELIVERIES, [summary_batch(delivery)], delivery.id)
            _compact(table)
        if not is_new:  # rows of a process that was killed: it may have decided otherwise
            self.update(delivery)
        return delivery

    def update(self, delivery: Delivery) -> None:
        self._find(delivery.id)
        summary = _quoted(delivery.to_json())
        for attempt in range(_ATTEMPTS):
            with self._errors("deliveries"):
                try:
                    self._table("deliveries").update(
                        predicate=f"delivery = {_quoted(delivery.id)}",
                        updates={
                            "cells": f"CASE WHEN kind = 'delivery' THEN {summary} ELSE cells END",
                            "state": _quoted(delivery.status),
                        },
                        post_commithook_properties=_NO_CLEANUP,
                    )
                except CommitFailedError:  # others have changed the same files
                    if attempt == _ATTEMPTS - 1:
                        raise
                else:
                    return

    def deliveries(self) -> Sequence[Delivery]:
        with self._errors("deliveries"):
            table = self._opened("deliveries")
            if table is None:
                return []
            found = [
                Delivery.from_json(text)
                for batch in _batches(table.scan(["cells"], "kind = 'delivery'"))
                for text in batch.column("cells").to_pylist()
            ]
        return sorted(found, key=lambda each: (each.at, each.id), reverse=True)

    def delivered(self, id: str) -> Iterator[DeliveredRows]:
        self._find(id)
        with self._errors("deliveries"):
            rows = f"kind = 'row' AND delivery = {_quoted(id)}"
            for batch in _batches(self._table("deliveries").scan(predicate=rows)):
                yield rows_of(batch)

    def put(
        self,
        delivery: Delivery,
        stones: Iterable[StoneRecords],
        *,
        after: StoneVersion | None,
        total: int,
        corrects: bool,
    ) -> None:
        batches = (stones_batch(each, delivery.id) for each in stones)
        commit = _commit(
            delivery.id, {"delivery": delivery.id, "stones": str(total)}, _ONE_AFTER_ANOTHER
        )
        with self._errors("stones"), _spooled(STONES, batches) as reader:
            table = self._created("stones", STONES)
            if table.transaction_version(delivery.id) is not None:
                return
            if _present(table) != after:
                raise Conflict("the stones have changed meanwhile")
            if corrects:
                table.merge(
                    reader,
                    "old.id = new.id",
                    source_alias="new",
                    target_alias="old",
                    commit_properties=commit,
                    post_commithook_properties=_NO_CLEANUP,
                ).when_matched_update_all().when_not_matched_insert_all().execute()
            else:
                _write(table, STONES, reader, commit)
            _compact(table)

    def version(self) -> StoneVersion | None:
        with self._errors("stones"):
            table = self._opened("stones")
            return None if table is None else _present(table)

    def versions(self) -> Sequence[StoneVersion]:
        with self._errors("stones"):
            table = self._opened("stones")
            return [] if table is None else _versions_of(table)

    def stones(self, version: int | None = None) -> Iterator[StoneRecords]:
        if version is not None and all(each.number != version for each in self.versions()):
            raise StoneVersionNotFound(version)
        with self._errors("stones"):
            table = self._opened("stones") if version is None else self._table("stones", version)
            for batch in [] if table is None else _batches(table.scan()):
                yield stones_of(batch)

    def _find(self, id: str) -> None:
        if all(each.id != id for each in self.deliveries()):
            raise DeliveryNotFound(id)

    def _created(self, name: str, schema: Schema) -> DeltaTable:
        if "://" not in self._url:
            create_folder(Path(self._url) / name)
        return DeltaTable.create(
            f"{self._url}/{name}",
            schema,
            mode="ignore",
            configuration=_KEPT,
            storage_options=self._options,
        )

    def _opened(self, name: str) -> DeltaTable | None:
        """Return a table, or None before the first delivery."""
        if "://" not in self._url and Path(self._url).exists() and not Path(self._url).is_dir():
            raise Unavailable(f"{self._url} is not a folder")
        if not DeltaTable.is_deltatable(f"{self._url}/{name}", self._options):
            return None
        return self._table(name)

    def _table(self, name: str, version: int | None = None) -> DeltaTable:
        return DeltaTable(f"{self._url}/{name}", version, storage_options=self._options)

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except CommitFailedError as ex:
            raise Conflict(f"the {name} have changed meanwhile") from ex
        except (DeltaError, OSError) as ex:
            raise Unavailable(f"the table of {name} failed: {' '.join(str(ex).split())}") from ex


def _batches(scan: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    return watched(scan, lambda ex: OSError(str(ex)))  # a file is missing or damaged


@contextmanager
def _spooled(schema: Schema, batches: Iterable[RecordBatch]) -> Iterator[RecordBatchReader]:
    """Write all *batches* to a temporary file, and yield them as a stream.

    A table is written by threads of its library, which can't be entered again: *batches* may read
    a table themselves. An error of *batches* is raised as it is.
    """
    with tempfile.TemporaryFile() as file:
        write_batches(schema, batches, file, BATCH_ROWS)
        file.seek(0)
        yield read_parquet(file)


def _present(table: DeltaTable) -> StoneVersion | None:
    """Return the present version of an opened table; it is mostly in the last commits."""
    return next(iter(_versions_of(table, _RECENT) or _versions_of(table)), None)


def _versions_of(table: DeltaTable, limit: int | None = None) -> list[StoneVersion]:
    """Return the versions of an opened table, newest first, in its last *limit* commits."""
    return [
        StoneVersion(
            number=commit["version"],
            at=datetime.fromtimestamp(commit["timestamp"] / 1000, UTC),
            delivery=commit["delivery"],
            stones=int(commit["stones"]),
        )
        for commit in table.history(limit)
        if "delivery" in commit and commit["version"] <= table.version()
    ]


def _append(table: DeltaTable, schema: Schema, batches: Iterable[RecordBatch], name: str) -> bool:
    """Append rows as the commit *name*, and return True, unless it was made already."""
    table.update_incremental()
    is_new = table.transaction_version(name) is None
    if is_new:
        _write(table, schema, batches, _commit(name))
    return is_new


def _write(
    table: DeltaTable, schema: Schema, batches: Iterable[RecordBatch], commit: CommitProperties
) -> None:
    write_deltalake(
        table,
        RecordBatchReader.from_batches(schema, batches),
        mode="append",
        target_file_size=_FILE_SIZE,
        writer_properties=_PROPERTIES,
        commit_properties=commit,
        post_commithook_properties=_NO_CLEANUP,
    )


def _compact(table: DeltaTable) -> None:
    """Join small files where there are many; earlier versions keep theirs."""
    table.update_incremental()
    if len(table.file_uris()) > _MANY_FILES:
        with suppress(CommitFailedError):  # another process does the same
            table.optimize.compact(
                target_size=_FILE_SIZE,
                writer_properties=_PROPERTIES,
                post_commithook_properties=_NO_CLEANUP,
            )


def _commit(name: str, facts: dict[str, str] | None = None, *more: str) -> CommitProperties:
    """Return what a commit says about itself.

    Of two commits at the same moment that have one of these names in common, the later one fails.
    """
    return CommitProperties(
        custom_metadata=facts, app_transactions=[Transaction(each, 1) for each in (name, *more)]
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

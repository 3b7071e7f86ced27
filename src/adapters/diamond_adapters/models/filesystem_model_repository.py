"""Models as folders of files. A folder appears complete or not at all, and never changes later.

<folder>/models/<id>/card.json, model.onnx, estimator.joblib, ...
<folder>/samples/<sha256>.npy
<folder>/promotions/000017.json
"""

from __future__ import annotations

import mmap
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from diamond_adapters.private_files import create_file, create_folder
from diamond_core import (
    Conflict,
    InvalidModelId,
    InvalidUrl,
    ModelExists,
    ModelFileNotFound,
    ModelId,
    Unavailable,
)

_DRAFT: Final = ".draft-"
_is_promotion: Final = re.compile(r"[0-9]{6,18}\.json").fullmatch
_is_shared: Final = re.compile(r"[0-9a-f]{64}\.npy").fullmatch
_OLD_SECONDS: Final = 3600.0


class FilesystemModelRepository:
    """A ``ModelRepository`` in a folder, shared by any number of processes.

    Files are written to a hidden draft, synced and then renamed, so readers see complete files.
    """

    def __init__(self, folder: Path) -> None:
        self._models = folder / "models"
        self._samples = folder / "samples"
        self._promotions = folder / "promotions"

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the repository at ``file:///absolute/folder``.

        Raises:
            InvalidUrl: it is not a folder of this machine.
        """
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise InvalidUrl("use file:///absolute/folder")
        return cls(Path(unquote(parts.path)))

    def add(self, id: ModelId, files: Mapping[str, bytes]) -> None:
        with _storing(f"the model {id}"):
            if (self._models / id).exists():
                raise ModelExists(id)
            with _draft(self._models) as draft:
                create_folder(draft)
                for name, data in files.items():
                    _write_synced(draft / name, data)
                _sync_folder(draft)
                try:
                    draft.rename(self._models / id)
                except OSError:
                    if (self._models / id).exists():
                        raise ModelExists(id) from None
                    raise
                _sync_folder(self._models)

    def ids(self) -> Sequence[ModelId]:
        ids = []
        with _reading("the folder of models"), suppress(FileNotFoundError):
            for folder in self._models.iterdir():
                with suppress(InvalidModelId):
                    id = ModelId(folder.name)
                    if folder.is_dir():
                        ids.append(id)
        return ids

    def read(self, id: ModelId, name: str) -> memoryview:
        data = _mapped(self._models / id / name)
        if data is None:
            raise ModelFileNotFound(id, name)
        return data

    def size(self, id: ModelId) -> int:
        with _reading(f"the model {id}"), suppress(FileNotFoundError):
            return sum(path.stat().st_size for path in (self._models / id).iterdir())
        return 0

    def remove(self, id: ModelId) -> None:
        with (
            _storing(f"the model {id}", "removed"),
            suppress(FileNotFoundError),
            _draft(self._models) as draft,
        ):
            (self._models / id).rename(draft)  # a draft is removed at the end
            _sync_folder(self._models)

    def share(self, digest: str, data: bytes) -> None:
        path = self._shared_file(digest)
        with _storing(f"the shared file {path}"):
            if not _contains(path, data):
                with _draft(self._samples) as draft:
                    _write_synced(draft, data)
                    draft.rename(path)
            _sync_folder(self._samples)

    def read_shared(self, digest: str) -> memoryview | None:
        return _mapped(self._shared_file(digest))

    def shared(self) -> Mapping[str, int]:
        with _reading("the folder of samples"), suppress(FileNotFoundError):
            paths = [path for path in self._samples.iterdir() if _is_shared(path.name)]
            return {path.stem: path.stat().st_size for path in paths}
        return {}

    def remove_shared(self, digest: str) -> None:
        path = self._shared_file(digest)
        with _storing(f"the shared file {path}", "removed"), suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(self._samples)

    def _shared_file(self, digest: str) -> Path:
        return self._samples / f"{digest}.npy"

    def location(self, id: ModelId, name: str) -> str:
        return str(self._models / id / name)

    def promote(self, number: int, record: bytes) -> None:
        with _storing(f"the promotion {number}"), _draft(self._promotions) as draft:
            _write_synced(draft, record)
            try:
                os.link(draft, self._promotion(number))  # fails if it exists
            except FileExistsError:
                raise Conflict(f"promotion {number} already exists") from None
            _sync_folder(self._promotions)

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        with _reading("the folder of promotions"), suppress(FileNotFoundError):
            names = os.listdir(self._promotions)  # noqa: PTH208  # a Path for each takes ten times as long
            later = f"{after + 1:06}"  # numbers of equal length sort like their names
            numbers = sorted(
                int(name[:-5])
                for name in names
                if (name >= later or len(name) > len(later) + 5) and _is_promotion(name)
            )
            return [(number, self._record(number)) for number in numbers if number > after]
        return []

    def _record(self, number: int) -> bytes:
        """Return a promotion, or b"" if it can't be read: its number is used anyway."""
        try:
            return self._promotion(number).read_bytes()
        except OSError:
            return b""

    def _promotion(self, number: int) -> Path:
        return self._promotions / f"{number:06}.json"


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield the path of a draft in *folder*; remove what is left of it at the end.

    Also remove the incomplete drafts of killed processes.
    """
    create_folder(folder)
    for old in folder.glob(f"{_DRAFT}*"):
        with suppress(OSError):  # for example, another process has just published it
            if old.stat().st_mtime < time.time() - _OLD_SECONDS:
                _discard(old)
    draft = folder / f"{_DRAFT}{secrets.token_hex(8)}"
    try:
        yield draft
    finally:
        _discard(draft)


def _discard(draft: Path) -> None:
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview | None:
    """Return the memory-mapped bytes of a file, or None if it is absent."""
    with _reading(str(path)):
        try:
            with path.open("rb") as file:
                if not os.fstat(file.fileno()).st_size:
                    return memoryview(b"")
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (FileNotFoundError, IsADirectoryError):
            return None


def _contains(path: Path, data: bytes) -> bool:
    """Whether the file has exactly this content; one that can't be read has not."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


@contextmanager
def _storing(what: str, done: str = "stored") -> Iterator[None]:
    try:
        yield
    except OSError as ex:
        raise Unavailable(f"{what} could not be {done}: {ex.strerror or ex}") from ex


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as ex:
        if isinstance(ex, FileNotFoundError):
            raise
        raise Unavailable(f"{what} can't be read: {ex.strerror or ex}") from ex


def _write_synced(path: Path, data: bytes) -> None:
    create_file(path)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

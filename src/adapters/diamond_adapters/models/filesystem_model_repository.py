"""Models as folders of files. A folder appears complete or not at all, and never changes later.

<folder>/models/<id>/card.json, model.onnx, estimator.joblib, ...
<folder>/samples/<sha256>.npy
<folder>/promotions/000017.json
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from diamond_adapters.models.names import is_promotion, is_shared, promotion_name, shared_name
from diamond_adapters.private_files import create_folder
from diamond_adapters.whole_files import drafted, mapped, sync_folder, write_synced
from diamond_core import (
    Conflict,
    InvalidModelId,
    InvalidUrl,
    ModelExists,
    ModelFileNotFound,
    ModelId,
    Unavailable,
)


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
            with drafted(self._models) as draft:
                create_folder(draft)
                for name, data in files.items():
                    write_synced(draft / name, data)
                sync_folder(draft)
                try:
                    draft.rename(self._models / id)
                except OSError:
                    if (self._models / id).exists():
                        raise ModelExists(id) from None
                    raise
                sync_folder(self._models)

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
        path = self._models / id / name
        with _reading(str(path)):
            data = mapped(path)
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
            drafted(self._models) as draft,
        ):
            (self._models / id).rename(draft)  # a draft is removed at the end
            sync_folder(self._models)

    def share(self, digest: str, data: bytes) -> None:
        path = self._shared_file(digest)
        with _storing(f"the shared file {path}"):
            if not _contains(path, data):
                with drafted(self._samples) as draft:
                    write_synced(draft, data)
                    draft.rename(path)
            sync_folder(self._samples)

    def read_shared(self, digest: str) -> memoryview | None:
        path = self._shared_file(digest)
        with _reading(str(path)):
            return mapped(path)

    def shared(self) -> Mapping[str, int]:
        with _reading("the folder of samples"), suppress(FileNotFoundError):
            paths = [path for path in self._samples.iterdir() if is_shared(path.name)]
            return {path.stem: path.stat().st_size for path in paths}
        return {}

    def remove_shared(self, digest: str) -> None:
        path = self._shared_file(digest)
        with _storing(f"the shared file {path}", "removed"), suppress(FileNotFoundError):
            path.unlink()
            sync_folder(self._samples)

    def _shared_file(self, digest: str) -> Path:
        return self._samples / shared_name(digest)

    def location(self, id: ModelId, name: str) -> str:
        return str(self._models / id / name)

    def promote(self, number: int, record: bytes) -> None:
        with _storing(f"the promotion {number}"), drafted(self._promotions) as draft:
            write_synced(draft, record)
            try:
                os.link(draft, self._promotion(number))  # fails if it exists
            except FileExistsError:
                raise Conflict(f"promotion {number} already exists") from None
            sync_folder(self._promotions)

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        with _reading("the folder of promotions"), suppress(FileNotFoundError):
            names = os.listdir(self._promotions)  # noqa: PTH208  # a Path for each takes ten times as long
            later = f"{after + 1:06}"  # numbers of equal length sort like their names
            numbers = sorted(
                int(name[:-5])
                for name in names
                if (name >= later or len(name) > len(later) + 5) and is_promotion(name)
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
        return self._promotions / promotion_name(number)


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

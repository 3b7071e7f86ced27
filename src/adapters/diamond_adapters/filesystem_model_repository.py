"""Models as folders of files. A folder appears whole or not at all and never changes after.

<home>/models/<id>/card.json, model.onnx, estimator.joblib, samples.npy, ...
<home>/champion.json        which model is served; replaced atomically
<home>/promotions.jsonl     who was made champion when, by whom and why
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from diamond_core.diamond_table import DTYPE, DiamondTable
from diamond_core.errors import (
    Conflict,
    DiamondError,
    ModelDamaged,
    ModelExists,
    ModelNotFound,
    Unavailable,
)
from diamond_core.model_card import ModelCard, ModelId, Promotion
from diamond_core.ports import ESTIMATOR_FILE, ONNX_FILE, FittedModel, Model

CARD_FILE: Final = "card.json"
SAMPLES_FILE: Final = "samples.npy"
_DRAFT: Final = ".draft-"


class FilesystemModelRepository:
    """A ``ModelRepository`` in a folder, shared by any number of processes on one host.

    *open_model* turns the bytes of a model's ONNX file into a ``Model``; *open_estimator* those
    of its pickled estimator, where a model has no ONNX file. None: such models are not opened,
    since to unpickle is to run whatever code the file holds.
    """

    def __init__(
        self,
        home: Path,
        open_model: Callable[[bytes], Model],
        open_estimator: Callable[[bytes], Model] | None = None,
    ) -> None:
        self._home = home
        self._models = home / "models"
        self._champion = home / "champion.json"
        self._promotions = home / "promotions.jsonl"
        self._open_model = open_model
        self._open_estimator = open_estimator

    def publish(self, card: ModelCard, fitted: FittedModel, samples: DiamondTable) -> ModelCard:
        contents = {**fitted.files, SAMPLES_FILE: _npy(samples)}
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        card = replace(card, files=digests)
        contents[CARD_FILE] = _json(card.to_json())
        draft = self._models / f"{_DRAFT}{card.id}-{os.getpid()}"
        with _storing():
            draft.mkdir(parents=True)
            try:
                for name, data in contents.items():
                    _write_synced(draft / name, data)
                _sync_folder(draft)
                if (self._models / card.id).exists():
                    raise ModelExists(card.id)
                draft.rename(self._models / card.id)
                _sync_folder(self._models)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return card

    def cards(self) -> Sequence[ModelCard]:
        cards = []
        for folder in self._folders():
            try:
                cards.append(self.card(ModelId(folder)))
            except DiamondError:
                continue  # not a model, or one that `diamond doctor` will tell about
        return sorted(cards, key=lambda card: (card.created_at, card.id), reverse=True)

    def damaged(self) -> Sequence[ModelDamaged]:
        """Return what is wrong with each model whose files are not what its card says."""
        found = []
        for folder in self._folders():
            try:
                id = ModelId(folder)
                card = self.card(id)
                for name in card.files:
                    self._checked(card, name)
            except ModelDamaged as ex:
                found.append(ex)
            except DiamondError:
                continue
        return found

    def card(self, id: ModelId) -> ModelCard:
        try:
            text = (self._models / id / CARD_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise ModelNotFound(id) from None
        except OSError as ex:
            raise ModelDamaged(id, f"{CARD_FILE} can't be read ({ex.strerror})") from ex
        try:
            card = ModelCard.from_json(json.loads(text))
        except (DiamondError, KeyError, TypeError, ValueError, AttributeError) as ex:
            raise ModelDamaged(id, f"{CARD_FILE} is no model card ({ex})") from ex
        if card.id != id:
            raise ModelDamaged(id, f"{CARD_FILE} is that of {card.id}")
        return card

    def open(self, id: ModelId) -> Model:
        card = self.card(id)
        name, opened = ONNX_FILE, self._open_model
        if ONNX_FILE not in card.files:
            if self._open_estimator is None or ESTIMATOR_FILE not in card.files:
                told = f"it has no {ONNX_FILE}"
                if ESTIMATOR_FILE in card.files:
                    told += f", and the settings do not allow to run its {ESTIMATOR_FILE}"
                raise ModelDamaged(id, told)
            name, opened = ESTIMATOR_FILE, self._open_estimator
        data = self._checked(card, name).read_bytes()
        try:
            return opened(data)
        except DiamondError as ex:
            raise ModelDamaged(id, str(ex)) from ex

    def samples(self, id: ModelId) -> DiamondTable:
        path = self._checked(self.card(id), SAMPLES_FILE)
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as ex:
            raise ModelDamaged(id, f"{SAMPLES_FILE} can't be read ({ex})") from ex
        if rows.dtype != DTYPE:
            raise ModelDamaged(id, f"{SAMPLES_FILE} holds other columns")
        return DiamondTable(rows)

    def path(self, id: ModelId, name: str) -> Path:
        """Return the path of one of the model's files.

        Raises:
            ModelNotFound: there is no such model, or it has no such file.
        """
        if name != CARD_FILE and name not in self.card(id).files:
            raise ModelNotFound(f"{id}/{name}")
        return self._models / id / name

    def promote(self, promotion: Promotion) -> None:
        if not (self._models / promotion.model_id / CARD_FILE).is_file():
            raise ModelNotFound(promotion.model_id)
        with _storing(), self._locked(".promotion.lock"):
            present = self.champion()
            if present != promotion.previous:
                raise Conflict(f"the champion is {present} now, not {promotion.previous}")
            line = json.dumps(promotion.to_json()).encode() + b"\n"
            with self._promotions.open("ab") as file:
                if file.tell() and not _ends_with_newline(self._promotions):
                    line = b"\n" + line  # a crash left half a line: keep ours apart
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            pointer = {"id": promotion.model_id, "promoted_at": promotion.at.isoformat()}
            draft = self._home / f".champion-{os.getpid()}"
            _write_synced(draft, _json(pointer))
            draft.replace(self._champion)
            _sync_folder(self._home)

    def champion(self) -> ModelId | None:
        try:
            return ModelId(json.loads(self._champion.read_bytes())["id"])
        except FileNotFoundError:
            return None
        except (DiamondError, OSError, ValueError, KeyError, TypeError) as ex:
            raise Unavailable(f"{self._champion.name} can't be read ({ex})") from ex

    def promotions(self) -> Sequence[Promotion]:
        try:
            lines = self._promotions.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as ex:
            raise Unavailable(f"{self._promotions.name} can't be read ({ex})") from ex
        written = []
        for line in lines:
            try:
                written.append(Promotion.from_json(json.loads(line)))
            except (DiamondError, ValueError, KeyError, TypeError):
                continue  # the torn line of a crash; the promotion did not happen
        # A promotion is written down first and then happens. Of one that a crash prevented, the
        # next says so: it names another champion as the previous one.
        afterwards = [each.previous for each in written[1:]] + [self.champion()]
        return [
            each for each, then in zip(written, afterwards, strict=False) if each.model_id == then
        ]

    @contextmanager
    def training(self, waiting: Callable[[str], None]) -> Iterator[None]:
        with self._locked(".training.lock", waiting):
            for draft in self._models.glob(f"{_DRAFT}*"):  # of trainings that were killed
                shutil.rmtree(draft, ignore_errors=True)
            yield

    def _folders(self) -> list[str]:
        try:
            return sorted(
                each.name for each in self._models.iterdir() if not each.name.startswith(".")
            )
        except FileNotFoundError:
            return []

    def _checked(self, card: ModelCard, name: str) -> Path:
        """Return the path of a file that is what the card says."""
        path = self._models / card.id / name
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as ex:
            raise ModelDamaged(card.id, f"{name} can't be read ({ex.strerror})") from ex
        if digest != card.files.get(name):
            raise ModelDamaged(
                card.id, f"{name} is not the file that was trained (SHA-256 differs)"
            )
        return path

    @contextmanager
    def _locked(self, name: str, waiting: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Hold a lock that ends with this process, however it ends."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / name).open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                waiting(f"waiting for {file.read().strip() or 'another process'}")
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()}, which began at {datetime.now(UTC):%H:%M:%S} UTC")
            file.flush()
            yield


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as ex:
        raise Unavailable(f"the model could not be stored: {ex}") from ex


def _npy(table: DiamondTable) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, table.rows, allow_pickle=False)
    return buffer.getvalue()


def _json(values: object) -> bytes:
    return json.dumps(values, indent=2).encode() + b"\n"


def _write_synced(path: Path, data: bytes) -> None:
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


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

"""Price many files, each into a file of the same name in another folder; a job can be resumed.

<output>/_diamond/job.json          the model of the job
<output>/_diamond/files/<name>      which file was priced, and what came of it
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from diamond_adapters.folders import FileEntry, Folder
from diamond_adapters.open_folder import open_folder
from diamond_app.priced_file import PARQUET, price_file
from diamond_app.priced_rows import PriceParts, in_this_thread, summed
from diamond_app.settings import Settings
from diamond_app.whole_file import whole_file
from diamond_core import (
    DiamondError,
    InvalidUrl,
    ModelId,
    PriceDiamonds,
    Progress,
    SourceUnreadable,
    Unavailable,
    no_progress,
)
from diamond_core.codec import decode, encode

KINDS: Final = (".csv", PARQUET)
_JOB: Final = "_diamond/job.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What came of a file.

    Attributes:
        version: that of the file that was priced.
        good, bad: how many of its rows were priced, and how many not.
        reasons: why not, and how many rows have each reason, see ``summed``.
        problem: why the file was not priced, or ''.
    """

    name: str
    version: str
    model: str
    good: int = 0
    bad: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What came of a job.

    Attributes:
        files: those that were priced now, and those that could not be.
        known: those that were priced before, by this job.
    """

    model: str
    files: Sequence[FileResult]
    known: Sequence[FileResult]

    @property
    def good(self) -> int:
        """How many rows are priced, by all runs of the job."""
        return sum(each.good for each in (*self.files, *self.known))

    @property
    def reasons(self) -> Counter[str]:
        """Why rows are not priced, in all runs of the job."""
        return summed(*(each.reasons for each in (*self.files, *self.known)))

    @property
    def failed(self) -> list[FileResult]:
        """The files that could not be priced."""
        return [each for each in self.files if each.problem]


class Map(Protocol):
    """Calls a function with each file, perhaps elsewhere, and yields the results in their order."""

    def __call__(
        self, work: Callable[[FileEntry], FileResult], files: Iterable[FileEntry], /
    ) -> Iterator[FileResult]: ...


@dataclass(frozen=True, slots=True)
class _Job:
    model: str
    schema: int = 1


class PricingJob:
    """Prices files of *source* into *output*, all with the model of the job's first run.

    A file is priced whole or not at all; one that was priced before, and has not changed since, is
    skipped. Only one file of each kind of step is on this host's disk at a time: one that is fetched,
    one that is priced, one that is stored.

    Raises:
        InvalidUrl: the folders are the same: the priced files would replace the others.
    """

    def __init__(self, source: Folder, output: Folder) -> None:
        if source.url.rstrip("/") == output.url.rstrip("/"):
            raise InvalidUrl("write the priced files into another folder: they have the same names")
        self._source = source
        self._output = output

    def model(self, champion: ModelId) -> ModelId:
        """Return the job's model: *champion*, if this is its first run."""
        data = self._output.read(_JOB)
        if data is None:
            self._output.write(_JOB, encode(_Job(champion)))
            return champion
        try:
            return ModelId(decode(_Job, data).model)
        except (ValueError, DiamondError) as ex:
            raise Unavailable(f"{self._output.url}/{_JOB} is damaged: {ex}") from ex

    def files(self, patterns: Sequence[str]) -> Sequence[FileEntry]:
        """Return the files that *patterns* name, in the order of their names.

        Raises:
            SourceUnreadable: there is none, or one is neither a CSV nor a Parquet file.
        """
        found = {each.name: each for some in patterns for each in self._source.files(some)}
        name = f"{self._source.url}/{' '.join(patterns)}"
        if not found:
            raise SourceUnreadable(name, "there is no such file")
        others = [each for each in sorted(found) if _kind(each) not in KINDS]
        if others:
            raise SourceUnreadable(
                name,
                f"{others[0]} is neither .csv nor .parquet; choose others, such as '*.parquet'",
            )
        return [found[each] for each in sorted(found)]

    def run(
        self,
        files: Sequence[FileEntry],
        price_diamonds: PriceDiamonds,
        price_parts: PriceParts,
        *,
        keep_formulas: bool = False,
        progress: Progress = no_progress,
    ) -> JobResult:
        """Price *files*; one that can't be priced is reported, and the others are priced.

        Raises:
            Unavailable: a folder can't be reached; what is priced so far stays.
        """
        model = price_diamonds.card.id
        known, left = self._sorted_out(files, model)
        total, done = sum(each.size for each in left) or 1, 0
        results: list[FileResult] = []
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diamond-job-")))
            pool = stack.enter_context(ThreadPoolExecutor(2))  # one fetches, one stores
            storing: Future[None] | None = None
            for entry, path in self._fetched(left, folder, pool):
                target = folder / f"priced-{len(results)}"
                result = FileResult(name=entry.name, version=entry.version, model=model)
                try:
                    with whole_file(target) as priced:
                        found = price_file(
                            path,
                            priced,
                            price_diamonds,
                            price_parts,
                            name=f"{self._source.url}/{entry.name}",
                            keep_formulas=keep_formulas,
                            progress=_part_of(progress, entry, done, total),
                        )
                except SourceUnreadable as ex:
                    result = replace(result, problem=ex.detail)
                else:
                    result = replace(
                        result, good=found.good, bad=found.bad, reasons=dict(found.reasons)
                    )
                if storing is not None:
                    storing.result()
                storing = None if result.problem else pool.submit(self._store, result, target)
                results.append(result)
                done += entry.size
            if storing is not None:
                storing.result()
        return JobResult(model=model, files=results, known=known)

    def run_on(
        self,
        map: Map,
        files: Sequence[FileEntry],
        models_url: str,
        model: ModelId,
        *,
        keep_formulas: bool = False,
        progress: Progress = no_progress,
    ) -> JobResult:
        """Price *files* as ``run`` does, each where *map* calls the function that does it.

        That can be another host, which reaches the folders and the models at their URLs too.

        Raises:
            Unavailable: a folder or the cluster can't be reached; what is priced so far stays.
        """
        known, left = self._sorted_out(files, model)
        total, done = sum(each.size for each in left) or 1, 0
        price = partial(
            _price_there, self._source.url, self._output.url, models_url, model, keep_formulas
        )
        results: list[FileResult] = []
        for entry, result in zip(left, map(price, left), strict=True):
            done += entry.size
            progress(f"priced {entry.name}", done / total)
            results.append(result)
        return JobResult(model=model, files=results, known=known)

    def _sorted_out(
        self, files: Sequence[FileEntry], model: ModelId
    ) -> tuple[list[FileResult], list[FileEntry]]:
        """Return what came of the files that were priced before, and the other files."""
        known: list[FileResult] = []
        left: list[FileEntry] = []
        for each in files:
            result = self._result(each.name)
            if result and (result.version, result.model) == (each.version, model):
                known.append(result)
            else:
                left.append(each)
        return known, left

    def _fetched(
        self, files: Sequence[FileEntry], folder: Path, pool: ThreadPoolExecutor
    ) -> Iterator[tuple[FileEntry, Path]]:
        """Yield each file with its local path; the next one is fetched meanwhile."""

        def fetch(at: int) -> Path:
            into = folder / f"fetched-{at}"
            into.mkdir()
            return self._source.fetch(files[at].name, into)

        coming = pool.submit(fetch, 0) if files else None
        for at, entry in enumerate(files):
            assert coming is not None  # noqa: S101  # there is one for each file
            path = coming.result()
            coming = pool.submit(fetch, at + 1) if at + 1 < len(files) else None
            yield entry, path
            if path.is_relative_to(folder):
                path.unlink()

    def _store(self, result: FileResult, path: Path) -> None:
        self._output.store(result.name, path)
        self._output.write(_result_path(result.name), encode(result))
        path.unlink()

    def _result(self, name: str) -> FileResult | None:
        data = self._output.read(_result_path(name))
        try:
            return None if data is None else decode(FileResult, data)
        except ValueError:  # damaged: the file is priced again
            return None


def _price_there(
    source: str, output: str, models_url: str, model: ModelId, keep_formulas: bool, entry: FileEntry
) -> FileResult:
    """Price one file in this process, which may be on another host than the job's."""
    price_diamonds = _loaded(models_url, model)
    job = PricingJob(open_folder(source), open_folder(output))
    (result,) = job.run(
        [entry], price_diamonds, in_this_thread(price_diamonds), keep_formulas=keep_formulas
    ).files
    return result


@lru_cache(1)
def _loaded(models_url: str, model: ModelId) -> PriceDiamonds:
    """Return a model; its copies, if the store is not a disk, are in this host's own home."""
    from diamond_app.container import build_container

    settings = replace(Settings.load(), models_url=models_url)
    return PriceDiamonds(build_container(settings).history().load(model))


def _part_of(
    progress: Progress, entry: FileEntry, done: int, total: int
) -> Callable[[str, float], None]:
    return lambda _, share: progress(
        f"pricing {entry.name}", min((done + share * entry.size) / total, 1.0)
    )


def _kind(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _result_path(name: str) -> str:
    return f"_diamond/files/{name}.json"

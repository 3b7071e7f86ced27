"""Everything that can go wrong, as one small tree.

DiamondError
├── InvalidDiamond        a stone that can't exist, or an invalid value
├── InvalidTable          columns that can't be a table of stones
├── InvalidModelId        a name that can't be a model's
├── InvalidSetting        the configuration can't be used
├── InvalidUrl            an address that no installed adapter can use
├── InvalidFilter         exchanges are asked for by an invalid value
├── SourceUnreadable      the training data can't be read
├── TooFewStones          the data is too small to learn from or to compare on
├── UnknownFamily         no such model family is installed
├── FamilyFailed          a family could not be trained or exported
├── ModelNotFound         no model with this id
│   ├── ModelFileNotFound the model has no file of this name
│   └── NoChampion        no model has been promoted yet
├── ExchangeNotFound      the request log has no exchange with this id
├── ModelExists           an id is taken
├── ModelDamaged          a model's files are not what its card says
├── NothingToRollBack     there was no champion before this one
├── Conflict              what was to change has changed meanwhile
└── Unavailable           something outside (disk, database) failed; try again
    └── Refused           it does not take this, and will not when tried again
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class DiamondError(Exception):
    """Root of all errors of the domain; its text is one sentence for people."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, in words for someone who is no data scientist."""

    field: str
    detail: str


class InvalidDiamond(DiamondError):
    """A stone that can't exist. ``problems`` names every wrong field at once."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.detail}" for p in self.problems))


class InvalidTable(DiamondError):
    """Columns that can't be a table of stones: wrong lengths, names or values."""


class InvalidModelId(DiamondError):
    """A text that can't name a model."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text[:80]!r} is not a model id: use lower-case letters, digits and hyphens"
        )


class InvalidSetting(DiamondError):
    """A setting that can't be used; the text names it."""

    def __init__(self, name: str, detail: str) -> None:
        self.name = name
        super().__init__(f"{name}: {detail}")


class InvalidUrl(DiamondError):
    """An address that no installed adapter can use; the text repeats no password."""


class InvalidFilter(DiamondError):
    """Exchanges are asked for by a value that can't be used."""

    def __init__(self, name: str, detail: str) -> None:
        self.name, self.detail = name, detail
        super().__init__(f"{name}: {detail}")


class SourceUnreadable(DiamondError):
    """Training data that can't be read; the text says where and why."""

    def __init__(self, source: str, detail: str) -> None:
        self.source = source
        super().__init__(f"cannot read {source}: {detail}")


class TooFewStones(DiamondError):
    """Too few stones for the purpose."""

    def __init__(
        self, found: int, needed: int, which: str = "usable", purpose: str = "train on"
    ) -> None:
        self.found, self.needed = found, needed
        super().__init__(
            f"{found} {which} stones are too few to {purpose}; at least {needed} needed"
        )


class UnknownFamily(DiamondError):
    """No model family of this name is installed."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"there is no model family {name!r}; installed are: {', '.join(known)}")


class FamilyFailed(DiamondError):
    """A family could not be trained or exported."""

    def __init__(self, family: str, detail: str) -> None:
        self.family = family
        super().__init__(f"the family {family!r} failed: {detail}")


class ModelNotFound(DiamondError):
    """No model with this id."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"there is no model {id!r}")


class ModelFileNotFound(ModelNotFound):
    """The model has no file of this name, or there is no such model."""

    def __init__(self, id: str, name: str) -> None:
        super().__init__(id)
        self.name = name
        self.args = (f"the model {id!r} has no file {name!r}",)


class NoChampion(ModelNotFound):
    """Nothing can be priced: no model has been promoted yet, or none can be loaded.

    Attributes:
        problem: why the champion can't be loaded; '' where there is none.
    """

    problem = ""

    def __init__(self, problem: str = "") -> None:
        super().__init__("champion")
        self.problem = problem
        self.args = (
            f"no model can be served: {problem}" if problem else "no model has been trained yet",
        )


class ExchangeNotFound(DiamondError):
    """The request log has no exchange with this id."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"there is no request {id[:80]!r}")


class ModelExists(DiamondError):
    """A model of this id is in the history already; models are never overwritten."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"the model {id!r} exists already")


class ModelDamaged(DiamondError):
    """A model's files are not what its card says; it is not loaded."""

    def __init__(self, id: str, detail: str) -> None:
        self.id, self.detail = id, detail
        super().__init__(f"the model {id!r} is damaged and was not loaded: {detail}")


class NothingToRollBack(DiamondError):
    """There was no champion before this one."""

    def __init__(self) -> None:
        super().__init__("there is no earlier champion to go back to")


class Conflict(DiamondError):
    """Somebody else has changed it meanwhile; nothing was done."""


class Unavailable(DiamondError):
    """Something outside (a disk, a database) failed; trying again may help."""


class Refused(Unavailable):
    """Something outside does not take what it was given; trying again won't help."""

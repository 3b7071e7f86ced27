"""All errors of the domain, as one small tree.

DiamondError
├── InvalidDiamond        an impossible stone, or an invalid value
├── InvalidTable          invalid columns for a table of stones
├── InvalidModelId        an invalid model id
├── InvalidSetting        an invalid setting
├── InvalidUrl            a URL that no installed adapter can use
├── InvalidFilter         an invalid value in a filter of exchanges
├── SourceUnreadable      the training data can't be read
├── TooFewStones          too few stones to train or to compare
├── UnknownFamily         no such model family is installed
├── FamilyFailed          a family could not be trained or exported
├── ModelNotFound         no model with this id
│   ├── ModelFileNotFound the model has no file of this name
│   └── NoChampion        no model was promoted, or none can be loaded
├── ExchangeNotFound      the request log has no exchange with this id
├── InvalidOutcome        an impossible outcome of a prediction
├── ImplausibleOutcome    a price paid that contradicts the prediction
├── PredictionNotFound    the request log has no prediction with this id
├── NotTheCaller          another caller asked for this prediction
├── DeliveryNotFound      the store of stones has no such delivery
├── StoneVersionNotFound  the store of stones has no such version
├── ModelExists           a model with this id already exists
├── NotReproducible       a model was not trained on the store of stones
├── NotRecomputable       the prices of an exchange can't be computed again
├── ModelDamaged          a model's files do not match its card
├── NothingToRollBack     no earlier champion can be served
├── Conflict              someone else made a change meanwhile
└── Unavailable           something external (disk, database) failed; try again
    └── Refused           it does not accept this value; a retry will not help
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAMED = 100
"""How many problems a message names."""


class DiamondError(Exception):
    """The base of all errors of the domain; its text is one sentence for users.

    An error can be pickled, so that another process can raise it.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(
    kind: type[DiamondError], args: tuple[Any, ...], facts: Mapping[str, Any]
) -> DiamondError:
    """Return an error with its text and facts: its class may be created from others."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, in words for users who are not data scientists."""

    field: str
    detail: str


class InvalidDiamond(DiamondError):
    """An impossible stone. ``problems`` names all invalid fields at once."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.detail}" for p in self.problems[:_NAMED]))


class InvalidTable(DiamondError):
    """Invalid columns for a table of stones: wrong lengths, names or values."""


class InvalidModelId(DiamondError):
    """A text that is not a valid model id."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text[:80]!r} is not a model id: use lower-case letters, digits and hyphens"
        )


class InvalidSetting(DiamondError):
    """An invalid setting; the text names it."""

    def __init__(self, name: str, detail: str) -> None:
        self.name = name
        super().__init__(f"{name}: {detail}")


class InvalidUrl(DiamondError):
    """A URL that no installed adapter can use; the text contains no password."""


class InvalidFilter(DiamondError):
    """An invalid value in a filter of exchanges."""

    def __init__(self, name: str, detail: str) -> None:
        self.name, self.detail = name, detail
        super().__init__(f"{name}: {detail}")


class SourceUnreadable(DiamondError):
    """Training data that can't be read; the text says where and why."""

    def __init__(self, source: str, detail: str) -> None:
        self.source, self.detail = source, detail
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
    """The model has no file of this name, or the model does not exist."""

    def __init__(self, id: str, name: str) -> None:
        super().__init__(id)
        self.name = name
        self.args = (f"the model {id!r} has no file {name!r}",)


class NoChampion(ModelNotFound):
    """No price can be predicted: no model has been promoted yet, or none can be loaded.

    Attributes:
        problem: why the champion can't be loaded; '' if there is no champion.
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
        super().__init__(f"there is no exchange {id[:80]!r}")


class InvalidOutcome(DiamondError):
    """An impossible outcome. ``problems`` names all invalid fields at once."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.detail}" for p in self.problems[:_NAMED]))


class ImplausibleOutcome(DiamondError):
    """A price paid that is so far from the predicted one that it must be a mistake."""

    def __init__(self, paid: float, predicted: float, factor: float) -> None:
        super().__init__(
            f"{paid:,.2f} USD is more than {factor:g} times away from the predicted"
            f" {predicted:,.2f} USD: check the number, its currency, and whether it is for one stone"
        )


class PredictionNotFound(DiamondError):
    """The request log has no prediction with this id, or not all of its exchange."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(
            f"there is no prediction {id[:100]!r} in the request log: it never was, or it was"
            " deleted, or its exchange was not kept whole"
        )


class NotTheCaller(DiamondError):
    """The outcome of a prediction that another caller asked for."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(
            f"another key asked for the price {id[:100]!r}: use that key, or one named 'admin'"
        )


class DeliveryNotFound(DiamondError):
    """The store of stones has no delivery with this id."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"there is no delivery {id[:80]!r}")


class StoneVersionNotFound(DiamondError):
    """The store of stones has no such version."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"the store of stones has no version {version}")


class ModelExists(DiamondError):
    """A model with this id is already in the history; models are never overwritten."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"the model {id!r} already exists")


class ModelDamaged(DiamondError):
    """A model's files do not match its card; it is not loaded."""

    def __init__(self, id: str, detail: str) -> None:
        self.id, self.detail = id, detail
        super().__init__(f"the model {id!r} is damaged and was not loaded: {detail}")


class NotReproducible(DiamondError):
    """The model was not trained on the store of stones: its rows are not kept."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(
            f"the model {id!r} was trained on a source, not on the store of stones: its rows are"
            " not kept"
        )


class NotRecomputable(DiamondError):
    """The prices of an exchange can't be computed again."""

    def __init__(self, id: str, reason: str) -> None:
        self.id, self.reason = id, reason
        super().__init__(f"the exchange {id!r} can't be computed again: {reason}")


class NothingToRollBack(DiamondError):
    """No earlier champion can be served."""

    def __init__(self) -> None:
        super().__init__("no earlier champion can be served")


class Conflict(DiamondError):
    """Someone else made a change meanwhile; nothing was done."""


class Unavailable(DiamondError):
    """Something external (a disk, a database) failed; a retry can help."""


class Refused(Unavailable):
    """Something external does not accept this value; a retry will not help."""

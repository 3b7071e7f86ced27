"""The configuration: the environment and a ``.env`` file, read once into a frozen value.

``DIAMOND_ALLOW_PICKLE`` counts from the environment only: a ``.env`` file comes from whatever folder
a command runs in, and must not be able to let it run code.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values

from diamond_app.exchange_filters import parse_age
from diamond_core.errors import InvalidModelId, InvalidSetting
from diamond_core.models.model_card import ModelId

HOME: Final = "DIAMOND_HOME"
MODELS_URL: Final = "DIAMOND_MODELS_URL"
DATA_URL: Final = "DIAMOND_DATA_URL"
DATABASE_URL: Final = "DIAMOND_DATABASE_URL"
API_KEYS: Final = "DIAMOND_API_KEYS"
ALLOW_PICKLE: Final = "DIAMOND_ALLOW_PICKLE"
ONE_TIME_KEY: Final = "DIAMOND_ONE_TIME_ADMIN_KEY"
"""Set by ``diamond serve`` for its workers, not by users."""
LOG_FORMAT: Final = "DIAMOND_LOG_FORMAT"
_LOG_FORMATS: Final = ("auto", "json", "text")
SPOOL_SYNC: Final = "DIAMOND_SPOOL_SYNC"
SPOOL_LIMIT: Final = "DIAMOND_SPOOL_LIMIT"
KEEP_REQUESTS: Final = "DIAMOND_KEEP_REQUESTS"
REQUESTS_LIMIT: Final = "DIAMOND_REQUESTS_LIMIT"
GATE_REJECTED: Final = "DIAMOND_GATE_REJECTED"
GATE_FACTOR: Final = "DIAMOND_GATE_FACTOR"
HALF_LIFE: Final = "DIAMOND_HALF_LIFE"
WINDOW: Final = "DIAMOND_WINDOW"
ORDER_CUT: Final = "DIAMOND_ORDER_CUT"
NOTIFY_URL: Final = "DIAMOND_NOTIFY_URL"
DRIFT_PSI: Final = "DIAMOND_DRIFT_PSI"
DRIFT_OUTSIDE: Final = "DIAMOND_DRIFT_OUTSIDE"
LIVE_BIAS: Final = "DIAMOND_LIVE_BIAS"
MONITOR_EVERY: Final = "DIAMOND_MONITOR_EVERY"
SHADOW: Final = "DIAMOND_SHADOW"
CORS_ORIGINS: Final = "DIAMOND_CORS_ORIGINS"
SECRETS: Final = (DATABASE_URL, API_KEYS, NOTIFY_URL)
"""What ``<name>_FILE`` can give too, as containers hand over secrets."""
DEFAULTS: Final = {
    HOME: "diamond-home",
    MODELS_URL: "",  # this and the next two are in the home
    DATA_URL: "",
    DATABASE_URL: "",
    API_KEYS: "",
    CORS_ORIGINS: "",
    SPOOL_SYNC: "process",
    SPOOL_LIMIT: "1GiB",
    KEEP_REQUESTS: "",
    REQUESTS_LIMIT: "",
    GATE_REJECTED: "10%",
    GATE_FACTOR: "1.5",
    HALF_LIFE: "",
    WINDOW: "",
    ORDER_CUT: "",
    NOTIFY_URL: "",
    DRIFT_PSI: "0.1",
    DRIFT_OUTSIDE: "5%",
    LIVE_BIAS: "10%",
    MONITOR_EVERY: "5m",
    SHADOW: "",
    LOG_FORMAT: "auto",
    ALLOW_PICKLE: "",
}
"""All settings of users, with the text that counts where none is given."""
_SIZE: Final = re.compile(r"([0-9]{1,12}) *([kmgt]?)(?:i?b)?", re.IGNORECASE)
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) *%")
_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:]+\](?::[0-9]{1,5})?"
)
_MINIMUM_SIZE: Final = 1 << 20
_KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The API keys by name, hashed: the secrets themselves are not kept.

    Attributes:
        digests: the hash of each key by its name.
        needed_to_price: whether pricing needs a key too; administration always does.
    """

    digests: Mapping[str, bytes] = field(default_factory=dict)
    needed_to_price: bool = True

    def __bool__(self) -> bool:
        return bool(self.digests)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name:secret`` pairs, separated by commas, or the path of a file of them.

        A path begins with ``@``, ``/``, ``./``, ``../`` or ``~/``. The file has a pair on each
        line; blank lines and those that begin with ``#`` are skipped. A blank text has no keys.

        Raises:
            InvalidSetting: a pair or the file can't be used, or there is no pair; the message
                contains no secret.
        """
        text = text.strip()
        if text.startswith(("@", "/", "./", "../", "~/")):
            path = Path(text.removeprefix("@")).expanduser()
            keys = cls(_digests(_lines(path), f"{path}, line"))
        else:
            pairs = list(enumerate(filter(None, text.split(",")), start=1))
            keys = cls(_digests(pairs, "pair"))
        if text and not keys:
            raise InvalidSetting(
                API_KEYS, "contains no key; add name:secret, or unset it to serve without keys"
            )
        return keys

    @classmethod
    def one_time(cls, secret: str) -> Self:
        """Return a single admin key; pricing needs no key."""
        return cls({"admin": _digest(secret)}, needed_to_price=False)

    def name_of(self, secret: str) -> str | None:
        """Return the name of the key with this *secret*, or None, in constant time."""
        digest, found = _digest(secret), None
        for name, known in self.digests.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a file of keys."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as ex:
        reason = ex.strerror if isinstance(ex, OSError) else "it is not UTF-8"
        raise InvalidSetting(API_KEYS, f"{path} can't be read: {reason}") from None
    return [
        (number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _digests(pairs: Sequence[tuple[int, str]], where: str) -> dict[str, bytes]:
    """Return the hash of each secret by its name."""
    digests: dict[str, bytes] = {}
    for number, pair in pairs:
        name, colon, secret = pair.strip().partition(":")
        if not pair.strip():
            continue
        if not colon or _KEY_NAME.fullmatch(name) is None:
            raise InvalidSetting(API_KEYS, f"{where} {number} is not name:secret")
        if len(secret) < 8:
            raise InvalidSetting(API_KEYS, f"the secret of {name!r} is shorter than 8 characters")
        if not (secret.isascii() and secret.isprintable() and secret == secret.strip()):
            raise InvalidSetting(
                API_KEYS,
                f"the secret of {name!r} would never match: use ASCII letters, digits and signs"
                " only, and no space at the ends",
            )
        if name in digests:
            raise InvalidSetting(API_KEYS, f"the name {name!r} is used twice")
        digests[name] = _digest(secret)
    return digests


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings.

    Attributes:
        home: the folder of the service's files on this host.
        models_url: where models and promotions are stored.
        data_url: where stones and deliveries are stored.
        database_url: the database of the request log.
        api_keys: who can use the service; empty: everyone can price, nobody can administer.
        cors_origins: the sites whose pages may call the API from a browser; empty: none but its own.
        spool_durable: whether a recorded exchange survives a power cut, not only a killed process.
        spool_limit: the maximum size of the spool, in bytes.
        keep_requests: how long the request log keeps an exchange; None: without limit.
        requests_limit: the size of the request log, in bytes, from which on exchanges are kept
            without their bodies; 0: no limit.
        log_format: ``json``, ``text``, or ``auto``: text on a terminal, else JSON.
        gate_rejected: the maximum share of rejected rows in a delivery that trains.
        gate_factor: the maximum factor between a delivery's prices and what they should be.
        half_life: the age at which a price weighs half as much in a training; None: age is ignored.
        window: models are compared on the newest prices of this duration; None: on all.
        order_cut: whether XGBoost never prices a better cut lower with measurements, too.
        notify_url: where the pipeline posts what happened; '' for nowhere.
        drift_psi: the maximum population stability index of a field; see ``drift``.
        drift_outside: the maximum share of stones outside the training range.
        live_bias: the maximum bias of the champion against the prices that were paid, as a share.
        monitor_every: how often the shipper compares the requests with the training data.
        shadow: the id of a model that prices what the champion prices, or None.
        allow_pickle: whether a model without an ONNX graph is served from its joblib file;
            loading that file can run any code in it. A ``.env`` file can't set it.
    """

    home: Path
    models_url: str = field(repr=False)  # can contain a password
    data_url: str = field(repr=False)  # can contain a password
    database_url: str = field(repr=False)  # can contain a password
    api_keys: ApiKeys = field(repr=False, default_factory=ApiKeys)
    cors_origins: Sequence[str] = ()
    spool_durable: bool = False
    spool_limit: int = 1 << 30
    keep_requests: timedelta | None = None
    requests_limit: int = 0
    log_format: str = "auto"
    gate_rejected: float = 0.1
    gate_factor: float = 1.5
    half_life: timedelta | None = None
    window: timedelta | None = None
    order_cut: bool = False
    notify_url: str = field(repr=False, default="")  # can contain a token
    drift_psi: float = 0.1
    drift_outside: float = 0.05
    live_bias: float = 0.1
    monitor_every: timedelta = timedelta(minutes=5)
    shadow: ModelId | None = None
    allow_pickle: bool = False

    @property
    def spool(self) -> Path:
        """The folder where exchanges wait for the database."""
        return self.home / "spool"

    @property
    def models_on_disk(self) -> bool:
        """Whether the models are files of this host, or on a disk that it has mounted."""
        return self.models_url.lower().startswith("file:")

    @property
    def database_digest(self) -> str:
        """A digest of ``database_url``, its password included, to recognize a change."""
        return hashlib.blake2b(
            self.database_url.encode(errors="surrogateescape"), digest_size=8
        ).hexdigest()

    @property
    def watch(self) -> str:
        """Identifies how the requests are watched, to recognize a change."""
        return f"{self.monitor_every} {self.shadow or ''}"

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Self:
        """Read the environment; what it lacks comes from the file ``.env`` of the current folder.

        Raises:
            InvalidSetting: a value can't be used.
        """
        given = {name: each.text for name, each in given_settings(environ, dotenv).items()}

        def text(name: str) -> str:
            return given.get(name) or DEFAULTS.get(name, "")

        home = Path(text(HOME)).expanduser()
        if home.exists() and not home.is_dir():
            raise InvalidSetting(HOME, f"{home} is not a folder")
        home = home.absolute()
        api_keys = ApiKeys.parse(text(API_KEYS))
        one_time_key = (os.environ if environ is None else environ).get(ONE_TIME_KEY)
        if not api_keys and one_time_key:
            api_keys = ApiKeys.one_time(one_time_key)
        return cls(
            home=home,
            models_url=text(MODELS_URL) or home.as_uri(),
            data_url=text(DATA_URL) or (home / "data").as_uri(),
            database_url=text(DATABASE_URL) or f"sqlite:///{quote(str(home / 'requests.db'))}",
            api_keys=api_keys,
            cors_origins=_origins(text(CORS_ORIGINS)),
            spool_durable=_spool_durable(text(SPOOL_SYNC)),
            spool_limit=_size(SPOOL_LIMIT, text(SPOOL_LIMIT)),
            requests_limit=_size(REQUESTS_LIMIT, text(REQUESTS_LIMIT)),
            keep_requests=_duration(KEEP_REQUESTS, text(KEEP_REQUESTS)),
            gate_rejected=_share(GATE_REJECTED, text(GATE_REJECTED)),
            gate_factor=_factor(GATE_FACTOR, text(GATE_FACTOR)),
            half_life=_duration(HALF_LIFE, text(HALF_LIFE)),
            window=_duration(WINDOW, text(WINDOW)),
            order_cut=_yes(ORDER_CUT, text(ORDER_CUT)),
            notify_url=_http_url(NOTIFY_URL, text(NOTIFY_URL)),
            drift_psi=_psi(text(DRIFT_PSI)),
            live_bias=_share(LIVE_BIAS, text(LIVE_BIAS)),
            drift_outside=_share(DRIFT_OUTSIDE, text(DRIFT_OUTSIDE)),
            monitor_every=_duration(MONITOR_EVERY, text(MONITOR_EVERY)) or timedelta(),
            shadow=_model(SHADOW, text(SHADOW)),
            log_format=_log_format(text(LOG_FORMAT)),
            allow_pickle=_yes(ALLOW_PICKLE, text(ALLOW_PICKLE)),
        )


class Given(NamedTuple):
    """A setting's text, and where it was found: the environment, or a file."""

    text: str
    where: str


def given_settings(
    environ: Mapping[str, str] | None = None, dotenv: Path | None = None
) -> dict[str, Given]:
    """Return what the environment and the file ``.env`` of the current folder set, by name.

    The environment takes precedence. A secret can be in a file that ``<name>_FILE`` names.

    Raises:
        InvalidSetting: such a file can't be read, or ``.env`` sets what it must not.
    """
    environ = os.environ if environ is None else environ
    file = Path(".env") if dotenv is None else dotenv
    values = {name: value for name, value in dotenv_values(file).items() if value is not None}
    if ALLOW_PICKLE in values:
        raise InvalidSetting(
            ALLOW_PICKLE, f"set it in the environment; it is not allowed in {file}"
        )
    found: dict[str, Given] = {}
    for where, given in ((str(file), values), ("environment", environ)):
        found |= {name: Given(text, where) for name, text in given.items()}
        for name in SECRETS:
            path = given.get(f"{name}_FILE")
            if not path:
                continue
            if given.get(name):
                raise InvalidSetting(name, f"{name}_FILE is set too: use one of them")
            found[name] = Given(_secret(name, Path(path)), f"{name}_FILE, {path}")
    return found


def _secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as ex:
        reason = ex.strerror if isinstance(ex, OSError) else "it is not UTF-8"
        raise InvalidSetting(f"{name}_FILE", f"{path} can't be read: {reason}") from None


def _origins(text: str) -> tuple[str, ...]:
    """Return the origins that *text* lists, separated by commas, as browsers write them."""
    origins = tuple(filter(None, (each.strip() for each in text.split(","))))
    for each in origins:
        if _ORIGIN.fullmatch(each) is None:
            raise InvalidSetting(
                CORS_ORIGINS,
                "must be origins such as https://shop.example or http://127.0.0.1:3000, without a"
                f" path and separated by commas, not {each[:60]!r}",
            )
    return origins


def _spool_durable(text: str) -> bool:
    if text not in {"process", "power"}:
        raise InvalidSetting(
            SPOOL_SYNC,
            "must be 'process' (survives a killed worker) or 'power' (survives a power cut too), "
            f"not {text[:40]!r}",
        )
    return text == "power"


def _size(name: str, text: str) -> int:
    """Return the bytes that *text* means; 0 for no text."""
    if not text:
        return 0
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) << 10 * " kmgt".index(match[2].lower() or " ") if match else 0
    if size < _MINIMUM_SIZE:
        raise InvalidSetting(name, f"must be at least 1 MiB, such as '1GiB', not {text[:40]!r}")
    return size


def _duration(name: str, text: str) -> timedelta | None:
    if not text:
        return None
    try:
        return parse_age(text)
    except ValueError as ex:
        raise InvalidSetting(name, str(ex)) from ex


def _share(name: str, text: str) -> float:
    match = _PERCENT.fullmatch(text.strip())
    share = float(match[1]) / 100.0 if match else 2.0
    if share > 1.0:
        raise InvalidSetting(name, f"must be from 0% to 100%, such as '10%', not {text[:40]!r}")
    return share


def _factor(name: str, text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 < factor < 1e6:
        raise InvalidSetting(name, f"must be a number above 1, such as '1.5', not {text[:40]!r}")
    return factor


def _psi(text: str) -> float:
    try:
        psi = float(text)
    except ValueError:
        psi = 0.0
    if not 0.0 < psi < 1e6:
        raise InvalidSetting(
            DRIFT_PSI, f"must be a number above 0, such as '0.1', not {text[:40]!r}"
        )
    return psi


def _model(name: str, text: str) -> ModelId | None:
    if not text:
        return None
    try:
        if text == "champion":
            raise InvalidModelId(text)
        return ModelId(text)
    except InvalidModelId as ex:
        raise InvalidSetting(name, f"must be the id of a model, not {text[:40]!r}") from ex


def _http_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = not text or (parts.scheme in {"http", "https"} and bool(parts.hostname))
    except ValueError:
        valid = False
    if not valid:  # its text can contain a token
        raise InvalidSetting(name, "must be a URL that begins with http:// or https://")
    return text


def _log_format(text: str) -> str:
    if text not in _LOG_FORMATS:
        raise InvalidSetting(LOG_FORMAT, f"must be one of {', '.join(_LOG_FORMATS)}, not {text!r}")
    return text


def _yes(name: str, text: str) -> bool:
    values = {"": False, "0": False, "no": False, "false": False}
    values |= {"1": True, "yes": True, "true": True}
    if text.strip().lower() not in values:
        raise InvalidSetting(name, f"must be 1 or 0, not {text!r}")
    return values[text.strip().lower()]

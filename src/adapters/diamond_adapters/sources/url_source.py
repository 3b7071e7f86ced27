"""The bytes behind an ``http`` or ``https`` URL: a server can send anything, at any speed."""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, Final, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from diamond_adapters.sources.bounded import Bounded

_TIMEOUT: Final = 60.0


def download(url: str, *, maximum: int, seconds: float) -> BinaryIO:
    """Return the bytes at *url* as a stream. It follows redirects to ``http`` and ``https`` only.

    Args:
        url: without a user and a password.
        maximum: how many bytes the server may send.
        seconds: how long the whole download may take.

    Raises:
        OSError: the server or the URL is the cause, also while the stream is read; the message is
            one sentence and does not contain the URL.
    """
    if "@" in urlsplit(url).netloc:
        raise OSError("a user or a password in the URL is not supported; download the file first")
    response = partial(_Response, maximum=maximum, deadline=time.monotonic() + seconds)
    with _one_sentence():
        opener = urllib.request.build_opener(_Handler(response), _Redirects())
        return cast("BinaryIO", opener.open(url, timeout=min(_TIMEOUT, seconds)))


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except HTTPError as ex:
        ex.close()
        raise OSError(f"the server answered {ex.code}") from ex
    except URLError as ex:
        raise OSError(str(ex.reason)) from ex
    except TimeoutError as ex:
        raise OSError("the download took too long; save it as a file first") from ex
    except (ValueError, http.client.InvalidURL) as ex:  # its text can contain a password
        raise OSError("the URL, or one that it redirects to, is not valid") from ex
    except http.client.IncompleteRead as ex:
        raise OSError(_CUT_OFF) from ex
    except http.client.HTTPException as ex:
        raise OSError("the server does not answer with valid HTTP") from ex


_CUT_OFF: Final = "the server ended the download too early; try again"


class _Received(Bounded):
    """What a socket receives, headers included, until a deadline."""

    def __init__(
        self, file: io.RawIOBase, maximum: int, sock: socket.socket, deadline: float
    ) -> None:
        super().__init__(file, maximum, "the download")
        self._sock = sock
        self._deadline = deadline

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0.0:
            raise TimeoutError
        self._sock.settimeout(min(_TIMEOUT, left))
        return super().readinto(buffer)


class _Response(http.client.HTTPResponse):
    def __init__(
        self, sock: socket.socket, *, maximum: int, deadline: float, **options: Any
    ) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_Received(self.fp.detach(), maximum, sock, deadline))

    def readinto(self, buffer: Any) -> int:
        with _one_sentence():
            count = super().readinto(buffer)
        if not count and self.length:  # http.client takes it for the end
            raise OSError(_CUT_OFF)
        return count


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens URLs with responses of our own."""

    def __init__(self, response: Callable[..., _Response]) -> None:
        super().__init__()
        self._response = response

    def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
        def connect(*args: Any, **more: Any) -> Any:
            connection = http_class(*args, **more)
            connection.response_class = self._response
            return connection

        return super().do_open(connect, req, **options)


class _Redirects(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.close()  # otherwise urllib reads its body into memory
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        scheme = urlsplit(newurl).scheme
        if scheme not in {"http", "https"}:
            raise URLError(f"it redirects to a URL with {scheme}:, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

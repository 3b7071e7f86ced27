"""A server that is broken or hostile costs one sentence, not a traceback, the memory or the day."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
from contextlib import suppress

import pytest

from diamond_adapters.sources.file_source import FileSource
from diamond_core import SourceUnreadable
from diamond_core.use_cases.read_stones import read_stones

CSV = b"carat,cut,color,clarity,price\n0.23,Ideal,E,SI2,326\n"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def serve():
    """Answer each connection with the next of some answers: bytes, or endless parts of them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = []

        def run(answers):
            for answer in answers:
                with suppress(OSError), listener.accept()[0] as connection:
                    connection.recv(65_536)
                    for part in [answer] if isinstance(answer, bytes) else answer:
                        connection.sendall(part)

        def serve(*answers):
            threads.append(threading.Thread(target=run, args=[answers], daemon=True))
            threads[-1].start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/stones.csv"

        yield serve
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # ends an accept
        for thread in threads:
            thread.join()


def redirect(url: str, size: int = 0) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: {size}\r\n\r\n".encode()


def refusal(url: str, **limits: float) -> str:
    with pytest.raises(SourceUnreadable) as caught:
        read_stones([FileSource.from_url(url, **limits)])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (OK + b"Content-Length: 500\r\n\r\n" + CSV, "ended the download too early"),
        (CHUNKED + b"ff\r\n" + CSV, "ended the download too early"),
        (CHUNKED + b"nonsense\r\n" + CSV, "ended the download too early"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not answer with valid HTTP"),
        (b"", "does not answer with valid HTTP"),
        (OK + b"X: y\r\n" * 200, "does not answer with valid HTTP"),
        (redirect("ftp://127.0.0.1/stones.csv"), "redirects to a URL with ftp:"),
        (redirect("file:///etc/passwd"), "the server answered 302"),
        (redirect("http://[::1"), "is not valid"),
        (redirect("http://h:abc/x"), "is not valid"),
    ],
    ids=str,
)
def test_a_broken_answer_is_one_sentence(serve, answer, said):
    assert said in refusal(serve(answer))


def test_follows_a_redirect_to_another_address(serve):
    endless = itertools.chain([redirect("/elsewhere.csv.gz", size=10**12)], itertools.repeat(CSV))
    url = serve(endless, OK + b"\r\n" + gzip.compress(CSV))
    assert len(read_stones([FileSource.from_url(url)])[0].table) == 1


@pytest.mark.parametrize(
    ("answer", "limits", "said"),
    [
        ([OK + b"\r\n", *[CSV] * 5000], {"download": 100_000}, "more than 100,000 bytes"),
        (
            [OK + b"\r\n" + gzip.compress(CSV * 100_000)],
            {"download": 100_000, "text": 1_000_000},
            "decompressed text has more than 1,000,000 bytes",
        ),
        (itertools.chain([OK + b"\r\n"], itertools.repeat(CSV)), {"seconds": 0.2}, "took too long"),
        (itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), {"seconds": 0.2}, "took too long"),
    ],
    ids=["a large body", "a gzip bomb", "an endless body", "endless headers"],
)
def test_a_download_has_a_maximum_size_and_time(serve, answer, limits, said):
    assert said in refusal(serve(answer), **limits)


def test_a_server_that_stops_sending_is_left_at_the_deadline(serve):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stones.csv"
        assert "took too long" in refusal(url, seconds=0.2)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://[::1", "not valid"),
        ("http://me:secret@[::1", "not valid"),
        ("http://h:abc/x", "not valid"),
        ("http://h/a b", "not valid"),
        ("http://h/ü", "not valid"),
        (f"http://{'h' * 70}.de/x", "not valid"),
        ("http:///x", "no host"),
        ("http://me:secret@h:1/x", "a password in the URL is not supported"),
        ("file:///nowhere/stones.csv", "file not found"),
        ("file:///nowhere%00", "file not found"),
        ("file:///", "it is a folder"),
        ("file://elsewhere/stones.csv", "use file:///absolute/path"),
    ],
)
def test_an_address_that_can_not_be_used_is_one_sentence(url, said):
    message = refusal(url)
    assert said in message
    assert "secret" not in message

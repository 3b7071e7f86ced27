"""The socket through which a worker serves: deadlines, and one packet for an answer."""

import socket
from types import SimpleNamespace

import pytest

from diamond_app.client_socket import ClientSocket


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        yield ours, theirs


def client(ours, keepalive=60.0, timeout=60.0):
    return ClientSocket(ours, SimpleNamespace(keepalive=keepalive, timeout=timeout))


def arrived(theirs):
    try:
        return theirs.recv(1000)
    except BlockingIOError:
        return b""


def test_sends_the_head_of_an_answer_with_its_body(pair):
    served = client(pair[0])
    served.serve()
    served.sendall(b"head ")
    assert arrived(pair[1]) == b""
    served.sendall(b"body")
    assert arrived(pair[1]) == b"head body"
    served.sendall(b"more")
    assert arrived(pair[1]) == b"more"


def test_sends_a_head_that_has_no_body(pair):
    served = client(pair[0])
    for answer in (b"first", b"second"):
        served.serve()
        served.sendall(answer)
        served.wait_for_next()
        assert arrived(pair[1]) == answer


def test_holds_nothing_back_outside_of_a_request(pair):
    served = client(pair[0])
    served.sendall(b"refused")
    assert arrived(pair[1]) == b"refused"


def test_sends_the_head_before_a_file(pair, tmp_path):
    (tmp_path / "file").write_bytes(b"from a file")
    served = client(pair[0])
    served.serve()
    served.sendall(b"head ")
    with (tmp_path / "file").open("rb") as file:
        served.sendfile(file)
    assert arrived(pair[1]) == b"head from a file"


def test_a_head_that_does_not_come_ends_the_connection(pair):
    assert client(pair[0], keepalive=0.01).recv(10) == b""


def test_a_body_that_does_not_come_is_too_slow(pair):
    served = client(pair[0], timeout=0.01)
    served.serve()
    with pytest.raises(TimeoutError, match="too slowly"):
        served.recv(10)
    served.wait_for_next()
    pair[1].sendall(b"next")
    assert served.recv(10) == b"next"


def test_after_the_deadline_takes_what_is_there_and_waits_for_no_more(pair):
    served = client(pair[0], keepalive=1e-9)
    pair[1].sendall(b"late")
    assert served.recv(10) == b"late"
    assert served.recv(10) == b""


@pytest.mark.parametrize(("keepalive", "timeout"), [(0, 60.0), (0, 0), (60.0, 0)])
def test_a_limit_of_zero_is_none(pair, keepalive, timeout):
    served = client(pair[0], keepalive, timeout)
    pair[1].sendall(b"headbody")
    assert served.recv(4) == b"head"
    served.serve()
    assert served.recv(4) == b"body"


def test_a_client_that_has_gone_ends_only_its_own_connection(pair):
    served = client(pair[0])
    served.serve()
    served.sendall(b"head")
    pair[0].close()
    served.wait_for_next()

import pytest

from diamond_app.cli.serve import addresses, is_loopback


@pytest.mark.parametrize(
    ("bind", "arguments", "expected"),
    [
        (None, "", ["127.0.0.1:8000"]),
        ("0.0.0.0:1", "--bind 127.0.0.1:2", ["0.0.0.0:1"]),
        (None, "--workers 2 --bind 0.0.0.0:80", ["0.0.0.0:80"]),
        (
            None,
            "--bind=[::1]:80 -b 10.0.0.1:80 -b127.0.0.1:3",
            ["[::1]:80", "10.0.0.1:80", "127.0.0.1:3"],
        ),
        (None, "--threads 8", ["127.0.0.1:8000"]),
    ],
)
def test_knows_where_gunicorn_will_listen(bind, arguments, expected):
    assert addresses(bind, arguments) == expected


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "localhost:80", "[::1]:80", "127.8.8.8:1"])
def test_knows_addresses_of_this_machine_alone(address):
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:80", ":80", "10.0.0.1:80", "[::]:80", "example.com:80", "unix:/x", "", "80"],
)
def test_knows_addresses_that_others_may_reach(address):
    assert not is_loopback(address)

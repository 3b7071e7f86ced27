"""The record's database killed, frozen, and behind TLS: a MariaDB of this module's own."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mariadb import fresh_database, run_sql, running_mariadb
from support import newest

from diamond_adapters.database import open_database
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_core.errors import Unavailable
from diamond_core.testing import an_exchange


def write_certificate(folder, name, address):
    """Write a key and a certificate that it signed itself, for *address*."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    write_certificate(folder, "server", "127.0.0.1")
    write_certificate(folder, "other", "127.0.0.1")
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def server(certificates):
    with running_mariadb(
        f"--ssl-cert={certificates / 'server.pem'}", f"--ssl-key={certificates / 'server.key'}"
    ) as running:
        yield running


@pytest.fixture
def url(server):
    with fresh_database(server.url) as fresh:
        yield fresh


@pytest.fixture
def open_log():
    """Return a log of a URL; its connection is closed in the end."""
    opened = []

    def open_(url):
        opened.append(open_database(url))
        return PeeweeRequestLog(opened[-1])

    yield open_
    for database in opened:
        database.close()


def test_a_killed_server_keeps_what_was_kept_and_is_used_again(server, url, open_log):
    log = open_log(url)
    kept, later = an_exchange(request_id="kept"), an_exchange(request_id="later")
    log.append(kept)
    server.kill()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        log.append(later)
    server.start()
    log.append(later)
    assert list(newest(log, 10)) == [later, kept]


def test_a_frozen_server_is_given_up_and_used_again(server, url, open_log):
    log = open_log(f"{url}?read_timeout=1&connect_timeout=1")
    kept, later = an_exchange(request_id="kept"), an_exchange(request_id="later")
    log.append(kept)
    server.freeze()
    try:
        with pytest.raises(Unavailable):
            log.append(later)
    finally:
        server.thaw()
    log.append(later)
    assert list(newest(log, 10)) == [later, kept]


@pytest.mark.parametrize("identity", ["", "&ssl_verify_identity=true"])
def test_tls_is_used_with_a_server_whose_certificate_is_known(
    url, open_log, certificates, identity
):
    log = open_log(f"{url}?ssl_ca={certificates / 'server.pem'}{identity}")
    log.append(an_exchange())
    assert len(newest(log, 1)) == 1


def test_a_server_of_another_certificate_is_refused(url, open_log, certificates):
    other = certificates / "other.pem"
    log = open_log(f"{url}?ssl_ca={other}")
    with pytest.raises(Unavailable, match="certificate"):
        newest(log, 1)


def test_a_certificate_that_is_none_is_told(url, open_log, tmp_path):
    (tmp_path / "ca.pem").write_text("nonsense")
    log = open_log(f"{url}?ssl_ca={tmp_path / 'ca.pem'}")
    with pytest.raises(Unavailable):
        newest(log, 1)


def test_a_login_that_requires_tls_fails_without(server, url, open_log):
    run_sql(url, "ALTER USER 'diamond'@'127.0.0.1' REQUIRE SSL")
    try:
        with pytest.raises(Unavailable, match="Access denied"):
            newest(open_log(f"{url}?ssl_disabled=true"), 1)
        assert list(newest(open_log(url), 1)) == []
    finally:
        run_sql(url, "ALTER USER 'diamond'@'127.0.0.1' REQUIRE NONE")

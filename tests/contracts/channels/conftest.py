"""What the channel tests share, and the table of channels × cases that they print at the end."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.contracts.channels.harness import EXPECTED

TABLE: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A home-made certificate for 127.0.0.1."""
    directory: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "both.pem").write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "both.pem")
    return context


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which channel said what in which case."""
    if not TABLE:
        return
    kinds = sorted({kind for kind, _ in TABLE})
    terminalreporter.section("channels × cases")
    width = max(map(len, EXPECTED))
    for start in range(0, len(kinds), 6):
        some = kinds[start : start + 6]
        terminalreporter.write_line(" " * width + "".join(f"  {kind:<17}" for kind in some))
        for case in EXPECTED:
            cells = "".join(f"  {TABLE.get((kind, case), '–'):<17}" for kind in some)
            terminalreporter.write_line(f"{case:<{width}}{cells}")
        terminalreporter.write_line("")

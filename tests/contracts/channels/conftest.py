"""What the channel tests share, and the table of channels × cases that they print at the end."""

from __future__ import annotations

import ssl

import pytest

from tests.contracts.channels.harness import EXPECTED
from tests.support.tls import home_made_certificate

TABLE: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A home-made certificate for 127.0.0.1."""
    return home_made_certificate(tmp_path_factory.mktemp("tls"))


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

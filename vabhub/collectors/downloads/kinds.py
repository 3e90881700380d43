"""Which collector reads which kind of download client: the one place that knows them all."""

from __future__ import annotations

from vabhub.collectors.downloads.aria2 import Aria2Collector
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.config import ClientConfig, ClientKind
from vabhub.collectors.downloads.nzbget import NzbgetCollector
from vabhub.collectors.downloads.qbittorrent import QBittorrentCollector
from vabhub.collectors.downloads.sabnzbd import SabnzbdCollector
from vabhub.collectors.downloads.transmission import TransmissionCollector

COLLECTORS: dict[ClientKind, type[ClientCollector]] = {
    ClientKind.QBITTORRENT: QBittorrentCollector,
    ClientKind.TRANSMISSION: TransmissionCollector,
    ClientKind.ARIA2: Aria2Collector,
    ClientKind.SABNZBD: SabnzbdCollector,
    ClientKind.NZBGET: NzbgetCollector,
}


def collector_of(config: ClientConfig) -> ClientCollector:
    """Return a new collector for one client."""
    return COLLECTORS[config.kind](config)

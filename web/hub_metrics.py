"""What Prometheus reads about the live sockets of this process."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("vabhub_sockets", "Open live sockets of this process", multiprocess_mode="livesum")
PUSHES = Counter("vabhub_socket_pushes_total", "Frames put into mailboxes", ["topic"])
RECEIVED = Counter("vabhub_socket_messages_received_total", "Messages from clients")
SLOW = Counter("vabhub_socket_slow_clients_total", "Clients closed because they did not read")

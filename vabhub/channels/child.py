"""Sends one message in a process of its own, for a channel whose library only workers may load.

`python -m vabhub.channels.child` reads what to send from stdin, so that no secret stands in a process list,
and writes the outcome to stdout.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

from vabhub.channels import registry
from vabhub.channels.base import Message, Outcome, OutcomeKind
from vabhub.settings import Settings, get_settings, use_settings

TIMEOUT_S = 30.0


def send(kind: str, settings: dict[str, Any], message: Message) -> Outcome:
    """Return how it ended; a child that dies or takes too long leaves it open."""
    plain = {name: getattr(message, name) for name in ("id", "title", "text", "type", "priority")}
    asked = {
        "kind": kind,
        "settings": settings,
        "message": plain,
        "at": message.created_at.isoformat(),
        "hub": get_settings().model_dump(mode="json", include={"port", "outbound_allow"}),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return Outcome(OutcomeKind.UNCERTAIN, f"no outcome within {TIMEOUT_S:.0f} s")
    except subprocess.CalledProcessError as error:
        return Outcome(
            OutcomeKind.UNCERTAIN, f"a fault in VabHub: the child process ended with {error.returncode}"
        )
    told = json.loads(done.stdout)
    return Outcome(OutcomeKind(told["kind"]), told["text"], told["provider_status"], told["retry_after_s"])


def main() -> int:
    """Send what stdin asks for."""
    asked = json.load(sys.stdin)
    use_settings(Settings(**asked["hub"]))  # all that `guard` has to know
    message = Message(**asked["message"], created_at=datetime.fromisoformat(asked["at"]))
    outcome = asdict(registry.make(asked["kind"], asked["settings"]).send(message))
    wanted = ("kind", "text", "provider_status", "retry_after_s")
    json.dump({name: outcome[name] for name in wanted}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

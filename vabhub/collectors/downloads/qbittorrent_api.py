"""Ask qBittorrent, with one attempt a question, short time-outs and a bounded answer.

`qbittorrent-api` repeats a failed call (a login too), forgets its cookie when it does, and logs in again
by itself on a 403. Each of the three can turn one wrong password into several, so they are switched off.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import requests
from qbittorrentapi import APIError, Client, Forbidden403Error, HTTPError, LoginFailed, Unauthorized401Error
from urllib3.exceptions import HTTPError as UrllibError
from urllib3.exceptions import ReadTimeoutError

from vabhub.collectors.downloads.base import Action
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed, network_fault, without_credentials

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 5.0
LONGEST_ANSWER_S = 10.0
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024


class NotLoggedIn(Exception):
    """qBittorrent wants a session cookie that it knows."""


class QBittorrentApi:
    """One session with one qBittorrent. Every method raises SourceFailed with a named fault."""

    def __init__(self, url: str, username: str, password: str, *, verify_tls: bool = True) -> None:
        self.where = without_credentials(url)
        self._client = _SingleAttemptClient(
            host=url,
            username=username,
            password=password,
            FORCE_SCHEME_FROM_HOST=True,
            SIMPLE_RESPONSES=True,
            VERIFY_WEBUI_CERTIFICATE=verify_tls,
            HTTPADAPTER_ARGS={"max_retries": 0},
            REQUESTS_ARGS={
                "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                "allow_redirects": False,
                "hooks": {"response": [self._check_answer]},
                # The client's own option loses to REQUESTS_CA_BUNDLE in the environment.
                **({} if verify_tls else {"verify": False}),
            },
        )

    def log_in(self) -> None:
        """Try the password once; SourceFailed CREDENTIALS when it is refused, BANNED when we are."""
        try:
            self._ask("auth_log_in")
        except NotLoggedIn as error:
            raise SourceFailed(FaultCode.BANNED, _BANNED.format(where=self.where)) from error

    def changes(self, rid: int) -> dict[str, Any]:
        """Return `sync/maindata` since answer `rid` (0: everything); NotLoggedIn without a valid cookie."""
        answer = self._ask("sync_maindata", rid=rid)
        if not isinstance(answer, dict) or not isinstance(answer.get("rid"), int):
            raise SourceFailed(FaultCode.WRONG_SERVICE, _WRONG_SERVICE.format(where=self.where))
        return answer

    def version(self) -> str:
        """Return the program's version, such as `v4.5.2`."""
        return str(self._ask("app_version"))[:40]

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> None:
        """Stop, start or delete torrents; NotLoggedIn without a valid cookie."""
        # The library knows that 5.0 renamed pause and resume to stop and start.
        method = {Action.PAUSE: "torrents_stop", Action.RESUME: "torrents_start"}.get(
            action, "torrents_delete"
        )
        more = {"delete_files": delete_files} if action is Action.DELETE else {}
        self._ask(method, torrent_hashes=list(ids), **more)

    def close(self) -> None:
        """Close the connections; the cookie is forgotten."""
        self._client._trigger_session_initialization()

    def _check_answer(self, response: requests.Response, **_: Any) -> None:
        try:
            self._refuse_redirect(response)
            _read_bounded(response)
        except (SourceFailed, requests.RequestException):
            response.raw.close()
            raise

    def _refuse_redirect(self, response: requests.Response) -> None:
        # Not followed: a redirected login would hand the password to another address.
        if response.status_code in range(300, 400):
            raise SourceFailed(FaultCode.WRONG_SERVICE, _REDIRECTED.format(where=self.where))

    def _ask(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except Forbidden403Error as error:
            raise NotLoggedIn from error
        except Unauthorized401Error as error:
            raise SourceFailed(FaultCode.HOST_REFUSED, _HOST_REFUSED.format(where=self.where)) from error
        except LoginFailed as error:
            raise SourceFailed(FaultCode.CREDENTIALS, _CREDENTIALS.format(where=self.where)) from error
        except HTTPError as error:
            raise self._http_fault(error) from error
        except APIError as error:
            raise SourceFailed(FaultCode.WRONG_SERVICE, _WRONG_SERVICE.format(where=self.where)) from error
        except requests.RequestException as error:
            fault = network_fault(error, self.where)
            raise SourceFailed(fault.code, fault.text) from error
        except ValueError as error:  # an address that urllib cannot take apart or encode
            raise SourceFailed(FaultCode.BAD_URL, _BAD_URL.format(where=self.where)) from error

    def _http_fault(self, error: HTTPError) -> SourceFailed:
        status = error.http_status_code
        if status >= 500:
            return SourceFailed(FaultCode.UPSTREAM, _UPSTREAM.format(where=self.where, status=status))
        if status == 404:
            return SourceFailed(FaultCode.WRONG_PATH, _WRONG_PATH.format(where=self.where))
        return SourceFailed(FaultCode.WRONG_SERVICE, _WRONG_SERVICE.format(where=self.where))


class _SingleAttemptClient(Client):
    """`qbittorrent-api` without its own retries and logins (see the top of this file)."""

    def _auth_request(self, *arguments: Any, **named: Any) -> Any:
        return self._request_manager(*arguments, **named)

    def _request_manager(self, *arguments: Any, **named: Any) -> Any:
        for ours in ("version_introduced", "version_removed", "_retries", "_retry_backoff_factor"):
            named.pop(ours, None)
        return self._request(*arguments, **named)


def _read_bounded(response: requests.Response) -> None:
    """Read the body within a time and a size that a real answer keeps.

    `requests` limits only the pause between two packets, and waits for a whole block of them: a drip of
    bytes would hold the thread for ever. So it is read as it comes.
    """
    deadline = time.monotonic() + LONGEST_ANSWER_S
    body = bytearray()
    try:
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER_BYTES:
                raise requests.exceptions.ContentDecodingError("the answer is too large")
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the answer drips")
    except ReadTimeoutError as error:
        raise requests.exceptions.ReadTimeout(error) from error
    except UrllibError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    response._content = bytes(body)
    response._content_consumed = True
    response.raw.release_conn()  # for the next question


_CREDENTIALS = "qBittorrent at {where} refused the user name or password."
_BANNED = (
    "qBittorrent at {where} has banned this machine after too many failed logins. Wait for the ban to end "
    "(an hour by default) or restart qBittorrent."
)
_HOST_REFUSED = (
    "{where} answered 401. Either qBittorrent checks the host name (Options, Web UI, Server domains) or a "
    "proxy in front of it wants its own login."
)
_WRONG_PATH = "{where} answers, but has no qBittorrent API below that path. Check the end of the address."
_WRONG_SERVICE = "{where} answers, but not as qBittorrent does. Check the address and the port."
_REDIRECTED = (
    "{where} redirects to another page, as a proxy's login or a change to https does. "
    "Give the address that qBittorrent itself answers at."
)
_UPSTREAM = "{where} answered {status}: qBittorrent or the proxy in front of it has a fault."
_BAD_URL = "{where} is not a web address. Write it as http://host:port."

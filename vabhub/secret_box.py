"""Seals secrets for the database, with a key made from SECRET_KEY."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vabhub.errors import SettingsError
from vabhub.settings import get_settings


def seal(plain: str) -> str:
    """Return `plain` encrypted and authenticated, as text."""
    return _box().encrypt(plain.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Return what was sealed with any of the current keys.

    Raises SettingsError when none fits: the key was changed without keeping the old one.
    """
    try:
        return _box().decrypt(sealed.encode("ascii")).decode()
    except InvalidToken as error:
        raise SettingsError(
            "SECRET_KEY: stored secrets were sealed with another key. Put the old key behind the new one, "
            "separated by a comma, or enter the channel's settings again."
        ) from error


def reseal(sealed: str) -> str:
    """Return the same secret sealed with the newest key; raises SettingsError when no key opens it."""
    return seal(unseal(sealed))


def is_newest(sealed: str) -> bool:
    """Return whether the newest key sealed this."""
    try:
        _fernet(_keys()[0]).decrypt(sealed.encode("ascii"))
    except InvalidToken:
        return False
    return True


def _keys() -> list[str]:
    return [part.strip() for part in get_settings().secret_key.split(",") if part.strip()]


def _box() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in _keys()])


def _fernet(key: str) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"vabhub secret box v1")
    return Fernet(base64.urlsafe_b64encode(derive.derive(key.encode())))

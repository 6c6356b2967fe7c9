"""Secrets at rest: envelope encryption (contract 8.5).

Each value has a fresh data key; the data key is wrapped by the master key that the
envelope names.  The current master key encrypts, current and previous decrypt, so that keys
are changed without a stop: `everturn rotate-secrets` writes all envelopes anew.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ALGORITHM: Final = "AES-256-GCM"
_VERSION: Final = 1
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_KEY_FORM: Final = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/=_-]+)")

Envelope = dict[str, Any]


class InvalidMasterKey(ValueError):
    """A master key is not `<name>:<base64 of 32 bytes>`."""


class EncryptionUnavailable(Exception):
    """No master key is configured, so secrets can be neither stored nor read."""


class CannotDecrypt(Exception):
    """The envelope names a master key that is not configured, or was changed."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that wraps data keys; `name` is what envelopes call it."""

    name: str
    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> MasterKey:
        """Read `kek-v1:<base64>`.

        Raises:
            InvalidMasterKey: it has another form or length.
        """
        match = _KEY_FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidMasterKey("must be <name>:<base64 of 32 bytes>")
        try:
            key = base64.b64decode(match[2].replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            raise InvalidMasterKey("its key is not base64") from None
        if len(key) != _KEY_BYTES:
            raise InvalidMasterKey("its key must have 32 bytes")
        return cls(match[1], key)


class SecretBox:
    """Encrypts and decrypts small values; one a process, safe between threads.

    `purpose` says what a value is and whose, such as `provider:<id>`.  It is authenticated
    with the value, so an envelope copied to another row does not open there.
    """

    def __init__(self, current: MasterKey | None, previous: MasterKey | None = None) -> None:
        self._current = current
        self._keys = {each.name: each for each in (previous, current) if each is not None}

    @property
    def is_available(self) -> bool:
        return self._current is not None

    def encrypt(self, secret: str, *, purpose: str) -> Envelope:
        """Wrap a value up.

        Raises:
            EncryptionUnavailable: no master key is configured.
        """
        if self._current is None:
            raise EncryptionUnavailable
        data_key = AESGCM.generate_key(bit_length=256)
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, secret.encode(), purpose.encode())
        return {
            "version": _VERSION,
            "alg": _ALGORITHM,
            "key_id": self._current.name,
            "dek_wrapped": _encoded(_wrap(self._current, data_key)),
            "nonce": _encoded(nonce),
            "ciphertext": _encoded(ciphertext),
        }

    def decrypt(self, envelope: Mapping[str, Any], *, purpose: str) -> str:
        """Open an envelope.

        Raises:
            EncryptionUnavailable: no master key is configured.
            CannotDecrypt: its master key is not configured, or it was changed or moved.
        """
        if not self._keys:
            raise EncryptionUnavailable
        master = self._keys.get(str(envelope.get("key_id")))
        if master is None:
            raise CannotDecrypt("the master key of this secret is not configured")
        try:
            data_key = _unwrap(master, base64.b64decode(envelope["dek_wrapped"]))
            nonce, ciphertext = (base64.b64decode(envelope[n]) for n in ("nonce", "ciphertext"))
            return AESGCM(data_key).decrypt(nonce, ciphertext, purpose.encode()).decode()
        except (InvalidTag, KeyError, ValueError, TypeError):
            raise CannotDecrypt("this secret was changed or belongs elsewhere") from None

    def is_stale(self, envelope: Mapping[str, Any]) -> bool:
        """Whether it is to be encrypted anew: another master key is the current one."""
        return self._current is not None and envelope.get("key_id") != self._current.name


def _wrap(master: MasterKey, data_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(master.key).encrypt(nonce, data_key, master.name.encode())


def _unwrap(master: MasterKey, wrapped: bytes) -> bytes:
    nonce, ciphertext = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    return AESGCM(master.key).decrypt(nonce, ciphertext, master.name.encode())


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

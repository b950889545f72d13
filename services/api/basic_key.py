"""Keys from clients that know no other way to log in than a name and a password."""

import base64
import binascii
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

_BASIC = b"basic "


class KeyAsPassword:
    """Below some paths takes ``Authorization: Basic`` with any name and a key as the password for that key.

    Clients of the OGC's interfaces (frost_sta_client, QGIS) send nothing else. Who may do what is decided where it
    always is: nothing but the header's form is changed.
    """

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the header in the form of a key."""
        if scope["type"] == "http" and scope["path"].startswith(self._paths):
            scope["headers"] = [(name, _as_key(name, value)) for name, value in scope["headers"]]
        await self._app(scope, receive, send)


def _as_key(name: bytes, value: bytes) -> bytes:
    if name != b"authorization" or not value.lower().startswith(_BASIC):
        return value
    try:
        _, sign, password = base64.b64decode(value[len(_BASIC) :], validate=True).partition(b":")
    except binascii.Error:
        return value
    return b"Bearer " + password if sign else value

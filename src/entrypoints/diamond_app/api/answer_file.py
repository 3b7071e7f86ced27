"""An answer that can be too large for the memory."""

from __future__ import annotations

import hashlib
import os
from tempfile import SpooledTemporaryFile
from typing import Self

import falcon

from diamond_app.api.exchange_context import Request
from diamond_app.api.request_body import KEPT, KEPT_WHOLE, start_of
from diamond_core import Truncation


class AnswerFile:
    """A file for an answer: in memory as long as it is small, then on disk.

    Use it in a ``with`` block, which closes it unless it is sent.
    """

    def __init__(self) -> None:
        self.file = SpooledTemporaryFile(max_size=KEPT_WHOLE)  # noqa: SIM115  # see ``__exit__``
        self._is_sent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_sent:
            self.file.close()

    def send(self, req: Request, resp: falcon.Response) -> None:
        """Make *resp* send the file."""
        file = self.file
        size = file.tell()
        file.seek(0)
        if size <= KEPT_WHOLE:
            resp.data = file.read()
            return
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        req.context.answered = start_of(file.read(2 * KEPT)), Truncation(size, digest)
        # gunicorn sends from where the descriptor stands: a seek inside the buffer, which is as
        # large as this read from Python 3.14 on, would not move it
        file.seek(0, os.SEEK_END)
        file.seek(0)
        resp.set_stream(file, size)  # the server closes it
        self._is_sent = True

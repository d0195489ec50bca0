"""Somebody between the lab and the engine, who can be gone."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path


class Middleman:
    """Stands between the lab and the engine, until it is dropped."""

    def __init__(self, path: Path, engine_path: str) -> None:
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen(64)
        self.engine_path = engine_path
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """The engine is gone, in the middle of whatever it was doing."""
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for end in self.open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self.listening.accept()
            except OSError:
                return
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(self.engine_path)
            self.open += [ours, theirs]
            for one, other in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

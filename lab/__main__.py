"""python -m lab, and `lab`: what takes longest is begun before the rest is imported."""

from __future__ import annotations

import gc
import os
import sys

from lab.early import leave_at_once


def main() -> None:
    """Run the command and exit with its verdict."""
    leave_at_once()  # and only then import what takes longer
    from lab.backends.launch import ForkServer, is_certain
    from lab.machine import make_streams_printable, raise_descriptor_limit

    raise_descriptor_limit()
    make_streams_printable()
    server = None
    try:
        if is_certain(sys.argv[1:], os.environ):
            server = ForkServer(reference=sys.argv[1] == "run")
        gc.disable()  # nothing that is imported is garbage
        from lab.cli import main

        gc.freeze()
        gc.enable()
        main(server)
    finally:
        if server is not None and not server.taken:
            server.end()


if __name__ == "__main__":
    main()

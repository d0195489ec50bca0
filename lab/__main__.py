"""python -m lab, and `lab`: what takes longest is begun before the rest is imported."""

from __future__ import annotations

import gc
import os
import sys

from lab.backends.launch import ForkServer, is_certain


def main() -> None:
    """Run the command and exit with its verdict."""
    server = ForkServer(reference=sys.argv[1] == "run") if is_certain(sys.argv[1:], os.environ) else None
    try:
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

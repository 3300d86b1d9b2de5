"""The program ``skdnn``, also as ``python -m skdnn``."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it silently, also while modules load."""
    try:
        from skdnn.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()

"""``python -m skdnn``."""

from skdnn.cli import main

main()

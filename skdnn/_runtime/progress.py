"""One live line on stderr for long work, in a terminal and in a notebook."""

import sys
import threading
from collections.abc import Mapping


class Progress:
    """A bar with counts, figures and the time left; silent unless enabled.

    `total` is the number of steps, `unit` what one is called. With `enabled` None it is
    shown in a terminal and in a notebook.
    """

    def __init__(self, total: int, unit: str, enabled: bool | None):
        self._bar = None
        self._lock = threading.Lock()
        if _is_interactive() if enabled is None else enabled:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                desc=unit,
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{desc} {n_fmt}/{total_fmt} |{bar}| {remaining} left"
                "{postfix}",
            )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(
        self, figures: Mapping[str, float] | None = None, n_steps: int = 1
    ) -> None:
        """Advance, from any thread, and show figures beside the bar."""
        if self._bar is None:
            return
        with self._lock:
            if figures:
                texts = {name: f"{value:.4f}" for name, value in figures.items()}
                self._bar.set_postfix(texts, refresh=False)
            self._bar.update(n_steps)


def _is_interactive() -> bool:
    is_notebook = type(sys.stderr).__module__.startswith("ipykernel.")
    return is_notebook or bool(sys.stderr is not None and sys.stderr.isatty())

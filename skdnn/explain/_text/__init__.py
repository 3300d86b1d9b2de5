"""Results in sentences; the modules register their functions by type of result."""

from skdnn.explain._text import (
    formatting,
    headlines,
    novelty,
    performance,
    sentences,
    uncertainty,
)

__all__ = [
    "formatting",
    "headlines",
    "novelty",
    "performance",
    "sentences",
    "uncertainty",
]

"""Results in sentences; the modules register their functions by type of result."""

from skdnn.explain._text import formatting, novelty, performance, sentences

__all__ = ["formatting", "novelty", "performance", "sentences"]

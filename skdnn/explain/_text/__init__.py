"""Results in sentences; `sentences` registers its functions by type of result."""

from skdnn.explain._text import formatting, sentences

__all__ = ["formatting", "sentences"]

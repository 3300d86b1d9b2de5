"""Results drawn with matplotlib; each module registers its functions by type."""

from skdnn.explain._plots import (
    attributions,
    counterfactuals,
    novelty,
    performance,
    profiles,
    tables,
)

__all__ = [
    "attributions",
    "counterfactuals",
    "novelty",
    "performance",
    "profiles",
    "tables",
]

"""Results drawn with matplotlib; each module registers its functions by type."""

from skdnn.explain._plots import (
    attributions,
    counterfactuals,
    performance,
    profiles,
    tables,
)

__all__ = ["attributions", "counterfactuals", "performance", "profiles", "tables"]

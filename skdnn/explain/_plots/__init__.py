"""Results drawn with matplotlib; each module registers its functions by type."""

from skdnn.explain._plots import attributions, profiles, tables

__all__ = ["attributions", "profiles", "tables"]

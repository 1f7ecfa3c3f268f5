"""What columns hold: profiles that add up, the causes of fat features, and the way back to the reference's form."""

from excise.features.caster import Cast, Caster
from excise.features.causes import causes
from excise.features.profile import ColumnProfile, FeatureProfile

__all__ = ["Cast", "Caster", "ColumnProfile", "FeatureProfile", "causes"]

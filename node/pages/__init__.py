"""Pages that a steward prints."""

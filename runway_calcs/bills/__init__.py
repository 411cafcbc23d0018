"""Open bills: what waiting costs, and which comes first."""

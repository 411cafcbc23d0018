"""The cash forecast: its items, its draws, its figures, and what changed."""

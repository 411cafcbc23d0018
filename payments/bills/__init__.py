"""Bills on their way to a batch: discovered, approved, staged, decided, put off; and what deciding would do."""

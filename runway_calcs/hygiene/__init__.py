"""Defects of the books and what each does to the forecast."""

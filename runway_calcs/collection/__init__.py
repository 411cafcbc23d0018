"""Whom to contact first."""

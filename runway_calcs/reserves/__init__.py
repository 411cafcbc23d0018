"""Reserves: targets, state, funding."""

"""How payment timing learns and speaks; ``runway_calcs.payment_timing`` is its public face."""

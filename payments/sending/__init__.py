"""From a sealed batch to recorded payments: the protocol, what is unclear, the comparison with QuickBooks."""

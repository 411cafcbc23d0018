"""The ledger's tables, and the only ways to read and write them: transactions, states, the audit, the invariants."""

"""Which bills to pay on which days under a cash floor."""

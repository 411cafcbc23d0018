"""The money: balances as the basis, reserves, holds, and what is free after them."""

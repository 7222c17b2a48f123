"""MULTI, EXEC, WATCH: transactions with optimistic locking.

Start with `multi`, which says what they are and are not.
"""

from cutaway.transactions.multi import Transaction, install, transactions
from cutaway.transactions.watches import Watches

__all__ = ["Transaction", "Watches", "install", "transactions"]

"""The one place where models are called.

A call passes, in this order: cache → single-flight → budget reservation →
concurrency and rate limit → timeout → retry → fallback → ledger. The timeout
bounds one attempt, since an attempt that hangs is worth a second one, and a call
that waits to be tried again holds no place in flight, so that one model's bad
hour does not stop the others. A fallback is asked through the same links as the
model it stands in for, with its own key, price and limits.
"""

from compose.models.call.caller import Caller

__all__ = ["Caller"]

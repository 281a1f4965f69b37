"""The engine: reserve, place, record, reconcile."""

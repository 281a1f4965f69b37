"""The REST API, the webhooks and the progress WebSocket, in FastAPI."""

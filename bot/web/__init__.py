"""Health and metrics over HTTP, on loopback."""

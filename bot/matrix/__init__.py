"""The Matrix shell: the only place that knows nio."""

"""One use case per file: decides through `core`, acts through `ports`."""

"""A homeserver, the bot and an example pair on this machine."""

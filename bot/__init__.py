"""Interlude: the bot between a client and a therapist, in their end-to-end encrypted Matrix room."""

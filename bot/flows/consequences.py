"""What follows from a batch of /sync once it is committed; `Service` acts on it."""

from dataclasses import dataclass, field


@dataclass(kw_only=True, slots=True)
class Consequences:
    """What has to be done once the batch is committed."""

    upload_keys: bool = False
    lists_changed: bool = False
    said: bool = False  # there was more than echoes of our own messages
    disturbed: bool = False  # there was room state
    replies: bool = False  # to-device messages were queued
    wedged: bool = False  # new Olm sessions may be due
    began: set[str] = field(default_factory=set)  # people whose devices began new Olm sessions
    readable: set[str] = field(default_factory=set)  # sessions whose events can be read now

    @property
    def about_keys(self) -> bool:
        """Whether there is something to do about keys."""
        return bool(
            self.upload_keys or self.lists_changed or self.replies or self.wedged or self.began or self.readable
        )

    @property
    def beyond_echoes(self) -> bool:
        """Whether anything came that can let something be sent: our own messages come back by the hundred."""
        return self.said or self.disturbed or self.about_keys

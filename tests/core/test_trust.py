"""Who gets keys and whose word counts (CRYPTO 2, 3, 4, 6, 9)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.trust import (
    Device,
    DeviceViolation,
    Identity,
    SeenDevice,
    SeenKeys,
    Share,
    Verdict,
    Violation,
    Withhold,
    can_read,
    confirm,
    fingerprint_groups,
    judge_devices,
    judge_identity,
    key_decision,
    word_counts,
)

USER = "@c:hs"
DAY = datetime(2026, 11, 23, 20, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
PINNED = Identity(user_id=USER, pinned_master="M1", pinned_at=DAY, master="M1", self_signing="S1")
DEVICE = Device(user_id=USER, device_id="A", ed25519="eA", curve25519="cA", signed=True, first_seen=DAY)
SEEN = SeenDevice(device_id="A", ed25519="eA", curve25519="cA", signed_by_pinned=True)


def keys(master: str | None = "M1", self_signing: str | None = "S1", *, ok: bool = True) -> SeenKeys:
    """An answer of the server."""
    return SeenKeys(master=master, self_signing=self_signing, self_signing_ok=ok)


def test_the_first_sight_pins() -> None:
    """A person of a pair is pinned at first sight, with the instant."""
    decided = judge_identity(Identity(user_id=USER), keys(), DAY, may_pin=True)
    assert decided.identity == PINNED
    assert decided.pinned
    assert decided.violations == ()


def test_nobody_is_pinned_before_the_pair_exists() -> None:
    """Before `pair add` keys may change freely; the pin is what is shown at the first sight after it."""
    before = judge_identity(Identity(user_id=USER), keys("M0", "S0"), DAY, may_pin=False)
    assert before.identity.pinned_master is None
    after = judge_identity(before.identity, keys(), NEXT, may_pin=True)
    assert (after.identity.pinned_master, after.identity.pinned_at) == ("M1", NEXT)
    assert after.identity.superseded_self_signing == frozenset()


def test_a_person_without_keys_is_not_pinned() -> None:
    """Without a master key there is nothing to pin, and the chance stays."""
    assert judge_identity(Identity(user_id=USER), keys(None, None, ok=False), DAY, may_pin=True).identity == Identity(
        user_id=USER
    )


def test_a_self_signing_key_that_the_master_did_not_sign_is_ignored() -> None:
    """A forged self-signing key neither enters at first sight nor replaces a good one."""
    first = judge_identity(Identity(user_id=USER), keys("M1", "forged", ok=False), DAY, may_pin=True)
    assert (first.identity.pinned_master, first.identity.self_signing) == ("M1", None)
    assert judge_identity(PINNED, keys("M1", "forged", ok=False), NEXT, may_pin=True).identity == PINNED


def test_missing_keys_change_nothing() -> None:
    """A server that leaves keys out does not unpin anybody."""
    assert judge_identity(PINNED, keys(None, None, ok=False), NEXT, may_pin=True).identity == PINNED


def test_a_changed_master_key_is_a_violation() -> None:
    """The pin and the old self-signing key stay, the violation is told once per key that is shown."""
    first = judge_identity(PINNED, keys("M2", "S2"), NEXT, may_pin=True)
    assert first.violations == (Violation.MASTER_CHANGED,)
    assert first.identity == replace(PINNED, master="M2", violation=Violation.MASTER_CHANGED)
    assert judge_identity(first.identity, keys("M2", "S2"), NEXT, may_pin=True).violations == ()
    assert judge_identity(first.identity, keys("M3", "S3"), NEXT, may_pin=True).violations != ()
    assert judge_identity(first.identity, keys(None, None), NEXT, may_pin=True).identity.violation is not None


def test_the_pinned_key_shown_again_ends_the_violation() -> None:
    """A violation lasts as long as the server shows it."""
    violated = judge_identity(PINNED, keys("M2", "S2"), NEXT, may_pin=True).identity
    assert judge_identity(violated, keys(), NEXT, may_pin=True).identity == PINNED
    assert judge_identity(violated, keys("M1", None), NEXT, may_pin=True).identity == PINNED


def test_a_self_signing_key_may_be_replaced_but_not_return() -> None:
    """A new self-signing key under the pinned master is accepted; an earlier one is a violation, told once."""
    renewed = judge_identity(PINNED, keys("M1", "S2"), NEXT, may_pin=True)
    assert renewed.violations == ()
    assert renewed.identity.self_signing == "S2"
    back = judge_identity(renewed.identity, keys("M1", "S1"), NEXT, may_pin=True)
    assert back.violations == (Violation.SELF_SIGNING_RETURNED,)
    assert back.identity == replace(renewed.identity, violation=Violation.SELF_SIGNING_RETURNED)
    assert judge_identity(back.identity, keys("M1", "S1"), NEXT, may_pin=True).violations == ()
    assert judge_identity(back.identity, keys("M1", None), NEXT, may_pin=True).identity == back.identity
    assert judge_identity(back.identity, keys("M1", "S2"), NEXT, may_pin=True).identity == renewed.identity


def test_confirming_takes_the_typed_fingerprint_only() -> None:
    """The key that is shown becomes the pin when exactly it was typed, blanks aside."""
    violated = judge_identity(PINNED, keys("Mzwei", "S2"), NEXT, may_pin=True).identity
    assert confirm(violated, "mzwei", NEXT) is None
    assert confirm(violated, "M1", NEXT) is None
    assert confirm(violated, "", NEXT) is None
    confirmed = confirm(violated, " Mz we\ti ", NEXT)
    assert confirmed is not None
    assert (confirmed.pinned_master, confirmed.pinned_at, confirmed.violation) == ("Mzwei", NEXT, None)
    assert confirmed.self_signing is None
    assert confirmed.superseded_self_signing == {"S1"}
    assert judge_identity(confirmed, keys("Mzwei", "S2"), NEXT, may_pin=True).identity.self_signing == "S2"


def test_confirming_what_is_pinned_changes_nothing() -> None:
    """The pin keeps its date, and the return of a self-signing key is not excused by it."""
    assert confirm(PINNED, "M1", NEXT) == PINNED
    violated = replace(PINNED, violation=Violation.SELF_SIGNING_RETURNED)
    assert confirm(violated, "M1", NEXT) == violated
    assert confirm(Identity(user_id=USER), "", NEXT) is None


def test_fingerprints_are_shown_in_groups() -> None:
    """What is shown can be typed back as it stands."""
    key = "SGVsbG8gd29ybGQ"
    assert fingerprint_groups(key) == "SGVs bG8g d29y bGQ"
    shown = replace(PINNED, master=key)
    assert confirm(shown, fingerprint_groups(key), NEXT) is not None


def test_new_devices_are_added() -> None:
    """A device that was never seen is recorded with the instant."""
    decided = judge_devices(USER, {}, [SEEN], DAY)
    assert decided.devices == {"A": DEVICE}
    assert (decided.added, decided.signed) == (("A",), ("A",))
    assert not decided.rotate


def test_an_unchanged_device_is_nothing_new() -> None:
    """Seen again, a device stays as it is."""
    decided = judge_devices(USER, {"A": DEVICE}, [SEEN], NEXT)
    assert decided.devices == {"A": DEVICE}
    assert decided.added + decided.removed + decided.signed + decided.lost_trust == ()
    assert not decided.rotate


def test_a_device_is_signed_later() -> None:
    """The signature makes it readable without a rotation."""
    unsigned = replace(DEVICE, signed=False)
    decided = judge_devices(USER, {"A": unsigned}, [SEEN], NEXT)
    assert (decided.signed, decided.added) == (("A",), ())
    assert not decided.rotate


def test_a_device_loses_its_signature() -> None:
    """A signature that is gone ends the running sessions."""
    decided = judge_devices(USER, {"A": DEVICE}, [replace(SEEN, signed_by_pinned=False)], NEXT)
    assert decided.lost_trust == ("A",)
    assert decided.rotate


def test_a_removed_device_is_remembered_and_may_not_return() -> None:
    """Removal rotates; the same keys under the same id are a violation, told once, and get nothing."""
    gone = judge_devices(USER, {"A": DEVICE}, [], NEXT)
    assert gone.removed == ("A",)
    assert gone.rotate
    back = judge_devices(USER, gone.devices, [SEEN], NEXT)
    assert back.violations == (DeviceViolation(device_id="A", violation=Violation.DEVICE_RETURNED),)
    assert (back.added, back.signed) == ((), ())
    assert key_decision(back.devices["A"], PINNED) == Withhold(code="m.unverified")
    assert judge_devices(USER, back.devices, [SEEN], NEXT).violations == ()
    assert not judge_devices(USER, gone.devices, [], NEXT).rotate


def test_an_old_device_id_may_be_used_with_new_keys() -> None:
    """After a removal other keys are another device, and the first keys stay remembered."""
    gone = judge_devices(USER, {"A": DEVICE}, [], NEXT)
    reused = SeenDevice(device_id="A", ed25519="eB", curve25519="cB", signed_by_pinned=True)
    again = judge_devices(USER, gone.devices, [reused], NEXT)
    assert again.added == ("A",)
    assert again.violations == ()
    gone_again = judge_devices(USER, again.devices, [], NEXT)
    for old in (SEEN, reused):
        returned = judge_devices(USER, gone_again.devices, [old], NEXT)
        assert [one.violation for one in returned.violations] == [Violation.DEVICE_RETURNED]


@pytest.mark.parametrize("changed", [replace(SEEN, ed25519="eX"), replace(SEEN, curve25519="cX")])
def test_changed_device_keys_are_a_violation(changed: SeenDevice) -> None:
    """The old record is kept, trust is gone until the right keys are shown again."""
    decided = judge_devices(USER, {"A": DEVICE}, [changed], NEXT)
    assert decided.violations == (DeviceViolation(device_id="A", violation=Violation.DEVICE_KEYS_CHANGED),)
    assert decided.devices["A"] == replace(DEVICE, violation=Violation.DEVICE_KEYS_CHANGED)
    assert (decided.lost_trust, decided.rotate) == (("A",), True)
    assert judge_devices(USER, decided.devices, [changed], NEXT).violations == ()
    assert judge_devices(USER, decided.devices, [SEEN], NEXT).devices == {"A": DEVICE}


def test_a_violation_of_one_device_leaves_the_others() -> None:
    """Delivery to the person's other devices goes on."""
    other = replace(DEVICE, device_id="B", ed25519="eB", curve25519="cB")
    seen = [
        replace(SEEN, ed25519="eX"),
        SeenDevice(device_id="B", ed25519="eB", curve25519="cB", signed_by_pinned=True),
    ]
    decided = judge_devices(USER, {"A": DEVICE, "B": other}, seen, NEXT)
    assert key_decision(decided.devices["B"], PINNED) == Share()
    assert can_read(decided.devices.values(), PINNED)


@pytest.mark.parametrize(
    ("device", "identity", "expected"),
    [
        (DEVICE, PINNED, Verdict.TRUSTED),
        (replace(DEVICE, signed=False), PINNED, Verdict.UNSIGNED),
        (DEVICE, replace(PINNED, pinned_master=None), Verdict.UNSIGNED),
        (None, PINNED, Verdict.UNKNOWN_DEVICE),
        (replace(DEVICE, user_id="@x:hs"), PINNED, Verdict.UNKNOWN_DEVICE),
        (replace(DEVICE, removed=True), PINNED, Verdict.REMOVED_DEVICE),
        (replace(DEVICE, violation=Violation.DEVICE_RETURNED, removed=True), PINNED, Verdict.VIOLATION),
        (DEVICE, replace(PINNED, violation=Violation.MASTER_CHANGED), Verdict.VIOLATION),
        (None, replace(PINNED, violation=Violation.SELF_SIGNING_RETURNED), Verdict.VIOLATION),
        (DEVICE, None, Verdict.STRANGER),
        (None, None, Verdict.STRANGER),
    ],
)
def test_only_a_signed_device_under_the_pin_counts(
    device: Device | None, identity: Identity | None, expected: Verdict
) -> None:
    """A word counts from a signed, present device of a pinned person without a violation, and from no other."""
    assert word_counts(device, identity) is expected
    assert expected.counts is (expected is Verdict.TRUSTED)


def test_keys_go_where_words_count() -> None:
    """A device whose word does not count gets the notice `m.unverified` and no key."""
    assert key_decision(DEVICE, PINNED) == Share()
    assert key_decision(replace(DEVICE, signed=False), PINNED) == Withhold(code="m.unverified")
    assert key_decision(DEVICE, replace(PINNED, violation=Violation.MASTER_CHANGED)) == Withhold(code="m.unverified")


def test_a_dehydrated_device_gets_keys_but_is_nobody() -> None:
    """A dehydrated device is shared with when signed; alone it does not make a person who can read."""
    dehydrated = replace(DEVICE, dehydrated=True)
    assert key_decision(dehydrated, PINNED) == Share()
    assert not can_read([dehydrated, replace(DEVICE, signed=False)], PINNED)
    assert can_read([dehydrated, DEVICE], PINNED)

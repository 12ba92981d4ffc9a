"""The bot's own cross-signing identity, and the reading of other people's keys from a server that may lie."""

import copy
from typing import Any

import pytest
import vodozemac
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import (
    CrossSigningKeys,
    CrossSigningSeeds,
    OwnDevice,
    cross_signing_keys,
    device_keys,
    device_ok,
    device_public_keys,
    device_signature,
    device_signed,
    device_signing_upload_body,
    other_devices,
    signatures_upload_body,
    verify_own_keys,
)
from bot.crypto.signatures import Ed25519Seed, sign_json, signature_ok
from tests.crypto.test_canonical import JSON

BOT = "@bot:localhost"
SEEDS = CrossSigningSeeds.from_bytes(bytes(range(96)))
ACCOUNT = vodozemac.Account()
DEVICE = OwnDevice(
    user_id=BOT,
    device_id="INTERLUDE",
    ed25519=ACCOUNT.ed25519_key.to_base64(),
    curve25519=ACCOUNT.curve25519_key.to_base64(),
)
Answer = dict[str, Any]


def _sign(message: bytes) -> str:
    return ACCOUNT.sign(message).to_base64()


KEYS = device_keys(DEVICE, _sign)


def _answer() -> Answer:
    """What an honest server answers to `/keys/query` after the bot's uploads."""
    upload = copy.deepcopy(device_signing_upload_body(BOT, SEEDS))
    return {
        "master_keys": {BOT: upload["master_key"]},
        "self_signing_keys": {BOT: upload["self_signing_key"]},
        "user_signing_keys": {BOT: upload["user_signing_key"]},
        "device_keys": {BOT: {"INTERLUDE": copy.deepcopy(device_signature(KEYS, SEEDS))}},
    }


def test_seeds_come_back_from_their_bytes() -> None:
    """The 96 bytes hold the whole identity; another length is refused."""
    seeds = CrossSigningSeeds.generate()
    assert CrossSigningSeeds.from_bytes(seeds.to_bytes()) == seeds
    assert len({seeds.master.seed, seeds.self_signing.seed, seeds.user_signing.seed}) == 3
    with pytest.raises(ValueError, match="96"):
        CrossSigningSeeds.from_bytes(bytes(95))


def test_seeds_stay_out_of_text() -> None:
    """Printing an identity shows no private byte."""
    assert (
        repr(SEEDS) == "CrossSigningSeeds(master=Ed25519Seed(), self_signing=Ed25519Seed(), user_signing=Ed25519Seed())"
    )


def test_device_keys_have_the_specified_form() -> None:
    """The device's keys name both algorithms and both keys, and carry the device's own signature."""
    assert KEYS["algorithms"] == ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]
    assert KEYS["keys"] == {"curve25519:INTERLUDE": DEVICE.curve25519, "ed25519:INTERLUDE": DEVICE.ed25519}
    assert set(KEYS) == {"user_id", "device_id", "algorithms", "keys", "signatures"}
    assert device_ok(BOT, "INTERLUDE", KEYS)


def test_the_upload_is_signed_by_the_master_key() -> None:
    """Self-signing and user-signing keys carry the master key's signature; the bodies show no seed."""
    body = device_signing_upload_body(BOT, SEEDS)
    master = SEEDS.master.public_key
    for usage in ("self_signing", "user_signing"):
        assert body[f"{usage}_key"]["usage"] == [usage]
        assert signature_ok(body[f"{usage}_key"], BOT, f"ed25519:{master}", master)
    assert body["master_key"] == {"user_id": BOT, "usage": ["master"], "keys": {f"ed25519:{master}": master}}
    for seed in (SEEDS.master, SEEDS.self_signing, SEEDS.user_signing):
        assert unpadded(seed.seed) not in str(body)


def test_the_signatures_upload_links_device_and_identity() -> None:
    """The device is signed by the self-signing key, the master key by the device alone."""
    body = signatures_upload_body(KEYS, SEEDS, _sign)[BOT]
    master, self_signing = SEEDS.master.public_key, SEEDS.self_signing.public_key
    assert signature_ok(body["INTERLUDE"], BOT, f"ed25519:{self_signing}", self_signing)
    assert signature_ok(body[master], BOT, "ed25519:INTERLUDE", DEVICE.ed25519)
    assert set(body[master]["signatures"][BOT]) == {"ed25519:INTERLUDE"}
    signed_fields = {name: value for name, value in body["INTERLUDE"].items() if name != "signatures"}
    assert signed_fields == {name: value for name, value in KEYS.items() if name != "signatures"}


def test_an_honest_server_shows_no_difference() -> None:
    """After the uploads nothing differs, also when the server adds `unsigned`."""
    answer = _answer()
    answer["device_keys"][BOT]["INTERLUDE"]["unsigned"] = {"device_display_name": "Interlude"}
    assert verify_own_keys(answer, DEVICE, SEEDS) == ()
    assert other_devices(answer, DEVICE) == ()


@pytest.mark.parametrize("usage", ["master", "self_signing", "user_signing"])
def test_each_missing_or_other_key_is_named(usage: str) -> None:
    """A cross-signing key that is missing, malformed or another one is named with its use."""
    title = usage.replace("_", "-") + " key"
    answer = _answer()
    del answer[f"{usage}_keys"][BOT]
    assert verify_own_keys(answer, DEVICE, SEEDS) == (f"{title}: the server has none",)
    answer[f"{usage}_keys"][BOT] = {"user_id": BOT}
    assert verify_own_keys(answer, DEVICE, SEEDS) == (f"{title}: the server shows a malformed one",)
    other = device_signing_upload_body(BOT, CrossSigningSeeds.generate())[f"{usage}_key"]
    answer[f"{usage}_keys"][BOT] = other
    (difference,) = verify_own_keys(answer, DEVICE, SEEDS)
    assert difference.startswith(f"{title}: the server shows {next(iter(other['keys'].values()))}")


@pytest.mark.parametrize("usage", ["self_signing", "user_signing"])
def test_a_lost_master_signature_is_named(usage: str) -> None:
    """A lower key whose signature the server dropped is a difference."""
    answer = _answer()
    del answer[f"{usage}_keys"][BOT]["signatures"]
    (difference,) = verify_own_keys(answer, DEVICE, SEEDS)
    assert "no valid signature by the master key" in difference


def test_each_difference_of_the_device_is_named() -> None:
    """Missing, other keys, no own signature, no self-signing signature: each is told apart."""
    answer = _answer()
    seen = answer["device_keys"][BOT]["INTERLUDE"]
    self_signing = SEEDS.self_signing.public_key
    del seen["signatures"][BOT][f"ed25519:{self_signing}"]
    assert verify_own_keys(answer, DEVICE, SEEDS) == (
        "device INTERLUDE: the server shows no valid signature by the self-signing key",
    )
    seen["signatures"] = {}
    assert "device INTERLUDE: the server shows no valid signature by itself" in verify_own_keys(answer, DEVICE, SEEDS)
    seen["keys"]["curve25519:INTERLUDE"] = DEVICE.ed25519
    assert "device INTERLUDE: the server shows other keys" in verify_own_keys(answer, DEVICE, SEEDS)
    del answer["device_keys"][BOT]
    assert verify_own_keys(answer, DEVICE, SEEDS) == ("device INTERLUDE: the server has no keys for it",)


def test_the_bot_s_other_devices_are_listed() -> None:
    """A device that the bot does not know is found in the answer."""
    answer = _answer()
    answer["device_keys"][BOT] |= {"Z": {}, "A": {}}
    assert other_devices(answer, DEVICE) == ("A", "Z")


def test_a_person_s_keys_are_read() -> None:
    """A well-formed answer gives the public keys and says that the master key signed the self-signing one."""
    assert cross_signing_keys(BOT, _answer()) == CrossSigningKeys(
        user_id=BOT,
        master=SEEDS.master.public_key,
        self_signing=SEEDS.self_signing.public_key,
        self_signing_ok=True,
    )


def test_a_self_signing_key_needs_the_master_s_signature() -> None:
    """Unsigned, signed by another key, or of another identity: the key is seen and not believed."""
    other = CrossSigningSeeds.generate()
    for stranger in (
        device_signing_upload_body(BOT, other)["self_signing_key"],
        {**_answer()["self_signing_keys"][BOT], "signatures": {}},
    ):
        answer = _answer() | {"self_signing_keys": {BOT: stranger}}
        keys = cross_signing_keys(BOT, answer)
        assert keys is not None
        assert keys.self_signing is not None
        assert not keys.self_signing_ok
    missing = cross_signing_keys(BOT, _answer() | {"self_signing_keys": {}})
    assert missing is not None
    assert (missing.self_signing, missing.self_signing_ok) == (None, False)


def test_a_key_of_someone_else_or_for_something_else_is_no_key() -> None:
    """The user and the use inside the signed object must be the ones asked for."""
    answer = _answer()
    assert cross_signing_keys("@alice:localhost", answer) is None
    answer["master_keys"]["@alice:localhost"] = answer["master_keys"][BOT]
    assert cross_signing_keys("@alice:localhost", answer) is None
    swapped = _answer()
    swapped["self_signing_keys"][BOT] = _answer()["user_signing_keys"][BOT]
    keys = cross_signing_keys(BOT, swapped)
    assert keys is not None
    assert keys.self_signing is None
    assert cross_signing_keys(BOT, {"master_keys": swapped["self_signing_keys"]}) is None


def test_another_spelling_of_a_key_is_no_key() -> None:
    """Padding or stray bits would let one key pass for two (CRYPTO 3)."""
    master = SEEDS.master.public_key
    spellings = [master + "=", master[:-1] + chr(ord(master[-1]) + 1)]
    assert all(from_unpadded(spelling) == from_unpadded(master) for spelling in spellings)
    for spelling in spellings:
        body = {"user_id": BOT, "usage": ["master"], "keys": {f"ed25519:{spelling}": spelling}}
        assert cross_signing_keys(BOT, {"master_keys": {BOT: body}}) is None


def test_a_device_must_be_the_one_it_says() -> None:
    """Another user, another id, a changed key or algorithm list, a missing key: the device is not accepted."""
    assert not device_ok("@alice:localhost", "INTERLUDE", KEYS)
    assert not device_ok(BOT, "OTHER", KEYS)
    changes: list[Answer] = [
        {"algorithms": []},
        {"device_id": "OTHER"},
        {"user_id": "@alice:localhost"},
        {"keys": {"ed25519:INTERLUDE": DEVICE.ed25519}},
        {"keys": KEYS["keys"] | {"curve25519:INTERLUDE": SEEDS.master.public_key}},
        {"keys": KEYS["keys"] | {"ed25519:INTERLUDE": SEEDS.master.public_key}},
        {"signatures": {}},
    ]
    for change in changes:
        assert not device_ok(BOT, "INTERLUDE", KEYS | change)


def test_a_device_is_signed_only_by_the_owner_s_self_signing_key() -> None:
    """The owner's key counts; the master key, another identity and no signature do not."""
    self_signing = SEEDS.self_signing.public_key
    signed = device_signature(KEYS, SEEDS)
    assert device_signed(BOT, signed, self_signing)
    assert not device_signed(BOT, KEYS, self_signing)
    assert not device_signed(BOT, signed, SEEDS.master.public_key)
    assert not device_signed("@alice:localhost", signed, self_signing)
    assert not device_signed(BOT, signed | {"algorithms": []}, self_signing)
    assert not device_signed(BOT, device_signature(KEYS, CrossSigningSeeds.generate()), self_signing)


def test_a_device_named_like_a_cross_signing_key_is_not_signed_by_it() -> None:
    """A server cannot pass a device's signature of itself for that of the self-signing key."""
    seed = Ed25519Seed.generate()
    name = seed.public_key
    impostor = {
        "user_id": BOT,
        "device_id": name,
        "algorithms": [],
        "keys": {f"ed25519:{name}": name, f"curve25519:{name}": DEVICE.curve25519},
    }
    signed = sign_json(impostor, BOT, f"ed25519:{name}", seed.sign)
    assert device_ok(BOT, name, signed)
    assert not device_signed(BOT, signed, name)


@settings(deadline=None)  # many signatures an example
@given(JSON)
def test_arbitrary_answers_are_only_absent(value: object) -> None:
    """Any JSON in any place is read as absent or unsigned, and nothing is raised."""
    answers: list[object] = [value]
    for section in ("master_keys", "self_signing_keys", "user_signing_keys", "device_keys"):
        answers += [_answer() | {section: value}, _answer() | {section: {BOT: value}}]
    for answer in [*answers[1:], _answer() | {"device_keys": {BOT: {"INTERLUDE": value}}}]:
        assert verify_own_keys(answer, DEVICE, SEEDS) != ()
    for answer in answers:
        other_devices(answer, DEVICE)
        keys = cross_signing_keys(BOT, answer)
        assert keys is None or keys.master == SEEDS.master.public_key
    assert device_public_keys("INTERLUDE", value) is None
    assert not device_ok(BOT, "INTERLUDE", value)
    assert not device_signed(BOT, value, SEEDS.self_signing.public_key)


@settings(deadline=None)  # many signatures an example
@given(st.data(), JSON)
def test_one_changed_place_in_an_honest_answer_is_noticed(data: st.DataObject, value: object) -> None:
    """Whatever a server puts in the place of any one value, the result is a difference or the same answer."""
    answer = _answer()
    spot: Any = answer
    while True:
        name = data.draw(st.sampled_from(sorted(spot)))
        if not isinstance(spot[name], dict) or data.draw(st.booleans()):
            break
        spot = spot[name]
    spot[name] = value
    if answer != _answer():
        assert verify_own_keys(answer, DEVICE, SEEDS) != ()
    keys = cross_signing_keys(BOT, answer)
    assert keys is None or keys.master == SEEDS.master.public_key

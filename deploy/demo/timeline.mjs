// What a person sees in a room, and waiting for it.
import { EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";

/** Says what the person's client makes of one event. */
export async function describe(person, event) {
    const failure = event.isDecryptionFailure() ? event.decryptionFailureReason : null;
    const readable = event.isEncrypted() && failure === null && !event.isRedacted();
    const shield = readable ? await person.crypto.getEncryptionInfoForEvent(event) : null;
    const original = failure === null ? event.getOriginalContent() : {};
    return {
        room: event.getRoomId(),
        event_id: event.getId(),
        sender: event.getSender(),
        type: failure === null ? event.getType() : event.getWireType(),
        wire_type: event.getWireType(),
        state_key: event.getStateKey() ?? null,
        content: original,
        shown: failure === null ? event.getContent() : {}, // with edits applied
        relates_to: original["m.relates_to"] ?? event.getWireContent()["m.relates_to"] ?? null,
        redacts: event.event.redacts ?? original.redacts ?? null,
        redacted: event.isRedacted(),
        sent_at: event.getTs(),
        session_id: event.getWireContent().session_id ?? null,
        shield_colour: shield?.shieldColour ?? null,
        shield_reason: shield?.shieldReason == null ? null : EventShieldReason[shield.shieldReason],
        failure,
    };
}

function* strings(value) {
    if (typeof value === "string") yield value;
    else if (value && typeof value === "object") for (const inner of Object.values(value)) yield* strings(inner);
}

function contains(event, words) {
    for (const text of strings(event.getOriginalContent())) if (text.includes(words)) return true;
    return false;
}

function relatesTo(event, id) {
    const relation = event.getOriginalContent()["m.relates_to"] ?? event.getWireContent()["m.relates_to"] ?? {};
    return relation.event_id === id || relation["m.in_reply_to"]?.event_id === id;
}

function matches(event, wanted) {
    if (event.isBeingDecrypted() || event.shouldAttemptDecryption()) return false;
    if (wanted.event_id && event.getId() !== wanted.event_id) return false;
    if (wanted.sender && event.getSender() !== wanted.sender) return false;
    if (wanted.failure) return event.decryptionFailureReason === wanted.failure;
    if (event.isDecryptionFailure()) return false;
    if (wanted.type && event.getType() !== wanted.type) return false;
    if (wanted.contains && !contains(event, wanted.contains)) return false;
    return !wanted.relates_to || relatesTo(event, wanted.relates_to);
}

function arrivedSince(person, room, since) {
    const events = person.arrivals.get(room) ?? [];
    if (!since) return events;
    const position = events.findIndex((event) => event.getId() === since);
    return position < 0 ? [] : events.slice(position + 1);
}

async function readWholeRoom(person, room) {
    const timeline = () => room.getLiveTimeline();
    while (timeline().getPaginationToken("b")) await person.client.scrollback(room, 100);
    const events = timeline().getEvents();
    await Promise.all(events.map((event) => event.getDecryptionPromise()));
    return events;
}

export const methods = {
    async timeline(person, { room }) {
        const known = person.client.getRoom(room);
        if (!known) throw new Error(`${room} is unknown to ${person.who}`);
        const events = await readWholeRoom(person, known);
        return Promise.all(events.map((event) => describe(person, event)));
    },

    async waitFor(person, { room, since, timeout, ...wanted }) {
        const find = () => arrivedSince(person, room, since).find((event) => matches(event, wanted));
        const event = await person.until(find, timeout, `an event like ${JSON.stringify(wanted)}`);
        return describe(person, event);
    },

    async waitForRedaction(person, { room, event_id, timeout }) {
        const find = () => (person.client.getRoom(room)?.findEventById(event_id)?.isRedacted() ? event_id : undefined);
        return person.until(find, timeout, `the redaction of ${event_id}`);
    },

    async toDevice(person) {
        return person.toDevice;
    },

    async withheld(person) {
        return person.toDevice
            .filter(({ type }) => type === "m.room_key.withheld")
            .map(({ sender, content }) => ({ sender, room: content.room_id, session_id: content.session_id, code: content.code }));
    },

    async waitForToDevice(person, { type, code, timeout }) {
        const find = () =>
            person.toDevice.find((message) => message.type === type && (!code || message.content.code === code));
        return person.until(find, timeout, `a ${type} ${code ?? ""}`);
    },
};

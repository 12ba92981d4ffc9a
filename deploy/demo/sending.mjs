// Everything that a person sends.
import { randomUUID } from "node:crypto";

import { decryptAttachment, encryptAttachment } from "./attachment.mjs";

const MESSAGE_TYPES = { image: "m.image", audio: "m.audio", voice: "m.audio", video: "m.video", file: "m.file" };

async function send(person, room, type, content) {
    const { event_id } = await person.client.sendEvent(room, type, content);
    return event_id;
}

function replying(content, replyTo) {
    return replyTo ? { ...content, "m.relates_to": { "m.in_reply_to": { event_id: replyTo } } } : content;
}

function editing(content, original) {
    return {
        ...content,
        body: `* ${content.body}`,
        "m.new_content": content,
        "m.relates_to": { rel_type: "m.replace", event_id: original },
    };
}

function pollResponse(poll, answers, stable) {
    const relation = { "m.relates_to": { rel_type: "m.reference", event_id: poll } };
    return stable
        ? ["m.poll.response", { ...relation, "m.selections": answers }]
        : ["org.matrix.msc3381.poll.response", { ...relation, "org.matrix.msc3381.poll.response": { answers } }];
}

function mediaContent({ kind, filename, caption, mimetype, info }, size, file) {
    const content = {
        msgtype: MESSAGE_TYPES[kind],
        body: caption ?? filename,
        filename,
        info: { mimetype, size, ...info },
        file,
    };
    if (kind !== "voice") return content;
    const duration = info?.duration ?? 1000;
    return {
        ...content,
        "org.matrix.msc1767.audio": { duration, waveform: [0, 256, 512, 256, 0] },
        "org.matrix.msc3245.voice": {},
    };
}

function fileOf(person, room, eventId) {
    const event = person.client.getRoom(room)?.findEventById(eventId);
    const file = event?.getContent().file;
    if (!file) throw new Error(`${eventId} carries no encrypted file`);
    return file;
}

function urlSegments(...segments) {
    return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

export const methods = {
    async sendText(person, { room, body, reply_to }) {
        return send(person, room, "m.room.message", replying({ msgtype: "m.text", body }, reply_to));
    },

    async sendNotice(person, { room, body, reply_to }) {
        return send(person, room, "m.room.message", replying({ msgtype: "m.notice", body }, reply_to));
    },

    async edit(person, { room, event_id, body }) {
        return send(person, room, "m.room.message", editing({ msgtype: "m.text", body }, event_id));
    },

    async redact(person, { room, event_id, reason }) {
        const answer = await person.client.redactEvent(room, event_id, undefined, reason ? { reason } : undefined);
        return answer.event_id;
    },

    async sendPoll(person, { room, question, answers }) {
        const text = (body) => ({ "org.matrix.msc1767.text": body });
        return send(person, room, "org.matrix.msc3381.poll.start", {
            ...text([question, ...answers.map(([, label], index) => `${index + 1}. ${label}`)].join("\n")),
            "org.matrix.msc3381.poll.start": {
                question: text(question),
                kind: "org.matrix.msc3381.poll.disclosed",
                max_selections: 1,
                answers: answers.map(([id, label]) => ({ id, ...text(label) })),
            },
        });
    },

    async sendPollResponse(person, { room, poll, answers, stable }) {
        return send(person, room, ...pollResponse(poll, answers, stable));
    },

    async sendMedia(person, { room, data, reply_to, ...media }) {
        if (!Object.hasOwn(MESSAGE_TYPES, media.kind)) throw new Error(`there is no kind of media ${media.kind}`);
        const plain = Buffer.from(data, "base64");
        const { ciphertext, file } = await encryptAttachment(plain);
        const { content_uri } = await person.client.uploadContent(ciphertext, {
            type: "application/octet-stream",
            includeFilename: false,
        });
        const content = mediaContent(media, plain.length, { ...file, url: content_uri });
        return send(person, room, "m.room.message", replying(content, reply_to));
    },

    /** Downloads and decrypts the file of an event; base64. */
    async readMedia(person, { room, event_id }) {
        const file = fileOf(person, room, event_id);
        const url = person.client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
        const response = await fetch(url, { headers: { Authorization: `Bearer ${person.client.getAccessToken()}` } });
        if (!response.ok) throw new Error(`the download was refused with status ${response.status}`);
        return (await decryptAttachment(Buffer.from(await response.arrayBuffer()), file)).toString("base64");
    },

    async sendRaw(person, { room, type, content }) {
        return send(person, room, type, content);
    },

    /** Past the SDK's encryption, as a careless client would. */
    async sendRawPlain(person, { room, type, content }) {
        const path = urlSegments("rooms", room, "send", type, randomUUID());
        return (await person.client.http.authedRequest("PUT", path, undefined, content)).event_id;
    },

    async sendState(person, { room, type, state_key, content }) {
        const answer = await person.client.sendStateEvent(room, type, content, state_key ?? "");
        return answer.event_id;
    },

    async sendToDevicePlain(person, { type, user, device, content }) {
        const path = urlSegments("sendToDevice", type, randomUUID());
        await person.client.http.authedRequest("PUT", path, undefined, { messages: { [user]: { [device]: content } } });
    },
};

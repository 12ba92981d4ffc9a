// Rooms, memberships and the raw API under the person's own token.
import { EventType, Preset } from "matrix-js-sdk";

const ENCRYPTION = { type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

function membership(person, room) {
    return person.client.getRoom(room)?.getMyMembership();
}

function inviterOf(person, room) {
    const member = room.getMember(person.client.getUserId());
    return member?.membership === "invite" ? member.events.member.getSender() : null;
}

function roomsWith(person, kind) {
    return person.client
        .getRooms()
        .filter((room) => room.getMyMembership() === kind)
        .map((room) => ({ room: room.roomId, name: room.name, inviter: inviterOf(person, room) }));
}

async function untilMembership(person, room, kind, timeout = 20) {
    await person.until(() => (membership(person, room) === kind ? true : undefined), timeout, `${kind} in ${room}`);
}

export const methods = {
    async createRoom(person, { invite = [], name }) {
        const { room_id } = await person.client.createRoom({
            preset: Preset.PrivateChat,
            invite,
            name,
            initial_state: [ENCRYPTION],
        });
        const encrypted = () => person.client.getRoom(room_id)?.hasEncryptionStateEvent() || undefined;
        await person.until(encrypted, 20, `${room_id} to be encrypted`);
        return room_id;
    },

    async joinedRooms(person) {
        return roomsWith(person, "join");
    },

    async invitations(person) {
        return roomsWith(person, "invite");
    },

    async waitForInvitation(person, { inviter, room, timeout }) {
        const find = () =>
            roomsWith(person, "invite").find(
                (invited) => (!inviter || invited.inviter === inviter) && (!room || invited.room === room),
            );
        return (await person.until(find, timeout, "an invitation")).room;
    },

    async waitForMember(person, { room, user, membership: kind, timeout }) {
        const find = () => (person.client.getRoom(room)?.getMember(user)?.membership === kind ? true : undefined);
        await person.until(find, timeout, `${user} to be ${kind} in ${room}`);
    },

    async members(person, { room }) {
        const members = person.client.getRoom(room)?.getMembers() ?? [];
        return Object.fromEntries(members.map((member) => [member.userId, member.membership]));
    },

    async join(person, { room }) {
        await person.client.joinRoom(room);
        await untilMembership(person, room, "join");
    },

    async leave(person, { room }) {
        await person.client.leave(room);
        await untilMembership(person, room, "leave");
    },

    async invite(person, { room, user }) {
        await person.client.invite(room, user);
    },

    async kick(person, { room, user, reason }) {
        await person.client.kick(room, user, reason);
    },

    async setDisplayName(person, { name }) {
        await person.client.setDisplayName(name);
    },

    async pause(person) {
        person.pause();
    },

    async resume(person) {
        person.resume();
    },

    async rest(person, { method, path, body, query }) {
        return person.client.http.authedRequest(method, path, query ?? undefined, body ?? undefined);
    },
};

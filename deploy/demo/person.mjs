// One logged-in person on one device, wholly in memory.
import {
    ClientEvent,
    createClient,
    MatrixEventEvent,
    PendingEventOrdering,
    RoomEvent,
    RoomStateEvent,
    SyncState,
} from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/index.js";

import { isolate } from "./identity.mjs";
import { describe } from "./timeline.mjs";

const HISTORY_ON_LOGIN = 100;

export class Person {
    constructor(who, password, report) {
        this.who = who;
        this.password = password;
        this.report = report;
        this.arrivals = new Map(); // room id -> the events in the order in which they came
        this.toDevice = []; // what came outside rooms, withheld notices among it
        this.storageKey = null; // [key id, key] of the secret storage, once it is known
        this.gate = null; // while syncing is paused: { opened: Promise, open() }
        this.announced = new Set();
        this.keysUploaded = false;
        this.#renewSignal();
    }

    static async login(who, { url, user, password, device_id, device_name, isolation }, report) {
        const response = await createClient({ baseUrl: url }).loginRequest({
            type: "m.login.password",
            identifier: { type: "m.id.user", user },
            password,
            device_id: device_id ?? undefined,
            initial_device_display_name: device_name ?? undefined,
        });
        const person = new Person(who, password, report);
        person.client = createClient({
            baseUrl: url,
            userId: response.user_id,
            deviceId: response.device_id,
            accessToken: response.access_token,
            fetchFn: (input, init) => person.#fetch(input, init),
            cryptoCallbacks: {
                getSecretStorageKey: async ({ keys }) => person.#keyAmong(keys),
                cacheSecretStorageKey: (id, _description, key) => (person.storageKey = [id, key]),
            },
        });
        await person.client.initRustCrypto({ useIndexedDB: false });
        isolate(person.crypto, isolation);
        return person;
    }

    get crypto() {
        return this.client.getCrypto();
    }

    async sync() {
        this.client.on(RoomEvent.Timeline, (event, room, toStart) => this.#arrived(event, room, toStart));
        this.client.on(MatrixEventEvent.Decrypted, (event) => this.#readable(event));
        this.client.on(RoomEvent.Redaction, () => this.changed());
        this.client.on(RoomEvent.MyMembership, () => this.changed());
        this.client.on(RoomStateEvent.Events, () => this.changed());
        this.client.on(ClientEvent.ReceivedToDeviceMessage, (received) => this.#receivedToDevice(received));
        this.client.on(ClientEvent.Sync, () => this.changed());
        this.client.on(CryptoEvent.KeyBackupSessionsRemaining, () => this.changed());
        await this.client.startClient({
            initialSyncLimit: HISTORY_ON_LOGIN,
            pendingEventOrdering: PendingEventOrdering.Detached,
        });
        const synced = [SyncState.Prepared, SyncState.Syncing];
        const complete = () => (this.keysUploaded && synced.includes(this.client.getSyncState())) || undefined;
        await this.until(complete, 30, "the first sync and the upload of the device's keys");
    }

    stop() {
        this.resume();
        this.client.stopClient();
    }

    pause() {
        if (this.gate) return;
        this.gate = {};
        this.gate.opened = new Promise((resolve) => (this.gate.open = resolve));
    }

    resume() {
        this.gate?.open();
        this.gate = null;
    }

    /** Wakes everything that waits in `until`. */
    changed() {
        const wake = this.wake;
        this.#renewSignal();
        wake();
    }

    /** Resolves with the first result of `check` that is not undefined; checks again whenever something has changed. */
    async until(check, seconds, what) {
        let timer;
        const late = new Promise((_resolve, reject) => {
            timer = setTimeout(() => reject(new Error(`waited ${seconds} s in vain for ${what}`)), seconds * 1000);
        });
        late.catch(() => {});
        try {
            for (;;) {
                const signal = this.signal; // taken before the check, so that no change is missed
                const found = await check();
                if (found !== undefined) return found;
                await Promise.race([signal, late]);
            }
        } finally {
            clearTimeout(timer);
        }
    }

    #renewSignal() {
        this.signal = new Promise((resolve) => (this.wake = resolve));
    }

    #keyAmong(keys) {
        if (!this.storageKey) return null;
        const [id, key] = this.storageKey;
        return id in keys ? [id, key] : null;
    }

    // stopClient would close the crypto store for good, so a pause holds the answers of /sync back instead.
    async #fetch(input, init) {
        const { pathname } = new URL(input);
        const isSync = pathname.endsWith("/sync");
        if (isSync && this.gate) await this.gate.opened;
        const response = await fetch(input, init);
        if (isSync && this.gate) await this.gate.opened;
        if (pathname.endsWith("/keys/upload") && response.ok) {
            this.keysUploaded = true;
            this.changed();
        }
        return response;
    }

    #arrived(event, room, toStart) {
        if (toStart || !room || !event.getId()?.startsWith("$")) return;
        const events = this.arrivals.get(room.roomId) ?? [];
        if (events.some((known) => known.getId() === event.getId())) return;
        events.push(event);
        this.arrivals.set(room.roomId, events);
        if (!event.isBeingDecrypted() && !event.shouldAttemptDecryption()) void this.#announce(event);
        this.changed();
    }

    #readable(event) {
        if (event.getId()?.startsWith("$")) void this.#announce(event);
        this.changed();
    }

    async #announce(event) {
        const state = `${event.getId()} ${event.decryptionFailureReason ?? "readable"}`;
        if (this.announced.has(state)) return;
        this.announced.add(state);
        this.report({ who: this.who, ...(await describe(this, event)) });
    }

    #receivedToDevice({ message, encryptionInfo }) {
        const { type, sender, content } = message;
        // Decrypted contents may be secrets; a test that needs to know of them needs their type only.
        this.toDevice.push({ type, sender, encrypted: Boolean(encryptionInfo), content: encryptionInfo ? {} : content });
        this.changed();
    }
}

// Cross-signing, secret storage, key backup, and whom the client trusts.
import {
    AllDevicesIsolationMode,
    decodeRecoveryKey,
    OnlySignedDevicesIsolationMode,
} from "matrix-js-sdk/lib/crypto-api/index.js";

const ISOLATION_MODES = {
    onlySignedDevices: () => new OnlySignedDevicesIsolationMode(),
    all: () => new AllDevicesIsolationMode(false),
};

export function isolate(crypto, mode) {
    if (!Object.hasOwn(ISOLATION_MODES, mode)) throw new Error(`there is no isolation mode ${mode}`);
    crypto.setDeviceIsolationMode(ISOLATION_MODES[mode]());
}

// The first upload needs no authentication; a later one (a reset) asks for the password.
function withPassword(person) {
    return async (upload) => {
        try {
            return await upload(null);
        } catch (error) {
            if (!error?.data?.session) throw error;
            return upload({
                type: "m.login.password",
                identifier: { type: "m.id.user", user: person.client.getUserId() },
                password: person.password,
                session: error.data.session,
            });
        }
    };
}

async function createSecretStorage(person) {
    const key = await person.crypto.createRecoveryKeyFromPassphrase();
    await person.crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => key,
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
    });
    return key.encodedPrivateKey;
}

async function unlockSecretStorage(person, recoveryKey) {
    const id = await person.client.secretStorage.getDefaultKeyId();
    const described = id && (await person.client.secretStorage.getKey(id));
    if (!described) throw new Error("this account has no secret storage");
    const key = decodeRecoveryKey(recoveryKey);
    if (!(await person.client.secretStorage.checkKey(key, described[1]))) throw new Error("the recovery key does not fit");
    person.storageKey = [id, key];
}

async function readAgain(person) {
    const failed = [...person.arrivals.values()].flat().filter((event) => event.isDecryptionFailure());
    await Promise.all(failed.map((event) => event.attemptDecryption(person.crypto, { isRetry: true })));
}

async function describeDevice(person, user, device) {
    const status = await person.crypto.getDeviceVerificationStatus(user, device.deviceId);
    return {
        device_id: device.deviceId,
        name: device.displayName ?? null,
        ed25519: device.getFingerprint() ?? null,
        curve25519: device.getIdentityKey() ?? null,
        signed_by_owner: status?.signedByOwner ?? false,
    };
}

// By itself the SDK uploads up to ten seconds after a key has come, which is too late for a device that logs out now.
async function uploadRoomKeys({ olmMachine, outgoingRequestProcessor }) {
    for (;;) {
        const request = await olmMachine.backupRoomKeys();
        if (!request) return;
        await outgoingRequestProcessor.makeOutgoingRequest(request);
    }
}

export const methods = {
    async bootstrap(person) {
        await person.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: withPassword(person) });
        return createSecretStorage(person);
    },

    async resetIdentity(person) {
        await person.crypto.resetEncryption(withPassword(person));
        return createSecretStorage(person);
    },

    async openWithRecoveryKey(person, { recovery_key }) {
        await unlockSecretStorage(person, recovery_key);
        // The seeds can be imported only beside the public keys that they belong to.
        await person.crypto.userHasCrossSigningKeys(person.client.getUserId(), true);
        await person.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: withPassword(person) });
        await person.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        await person.crypto.checkKeyBackupAndEnable();
        const { imported, total } = await person.crypto.restoreKeyBackup();
        await readAgain(person);
        return { imported, total };
    },

    async setDeviceIsolation(person, { mode }) {
        isolate(person.crypto, mode);
    },

    async ownFingerprint(person) {
        return person.crypto.getCrossSigningKeyId();
    },

    /** The master key that this client sees for a user. */
    async fingerprintOf(person, { user }) {
        await person.crypto.userHasCrossSigningKeys(user, true);
        const keys = await person.crypto.getUserCrossSigningKeys(user);
        return keys?.master_key ? Object.values(keys.master_key.keys)[0] : null;
    },

    async devices(person, { user }) {
        const devices = (await person.crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
        return Promise.all([...devices.values()].map((device) => describeDevice(person, user, device)));
    },

    async prepareToEncrypt(person, { room }) {
        person.crypto.prepareToEncrypt(person.client.getRoom(room));
    },

    async discardSession(person, { room }) {
        await person.crypto.forceDiscardSession(room);
    },

    /** Puts every room key of this device into the server's backup and returns how many keys are there. */
    async waitForBackup(person, { timeout }) {
        const version = await person.crypto.getActiveSessionBackupVersion();
        if (!version) throw new Error("the key backup is not active");
        const complete = async () => {
            await uploadRoomKeys(person.crypto);
            const { rooms } = await person.client.http.authedRequest("GET", "/room_keys/keys", { version });
            const there = new Set(Object.values(rooms).flatMap(({ sessions }) => Object.keys(sessions)));
            const here = await person.crypto.exportRoomKeys();
            return here.every(({ session_id }) => there.has(session_id)) ? there.size : undefined;
        };
        return person.until(complete, timeout, "the key backup");
    },
};

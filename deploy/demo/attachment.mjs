// Encrypted attachments: AES-CTR with a 64-bit counter, SHA-256 over the ciphertext (specification, "Sending encrypted attachments").
import { randomBytes, webcrypto } from "node:crypto";

const { subtle } = webcrypto;

function unpadded(bytes) {
    return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

function counter(iv) {
    return { name: "AES-CTR", counter: iv, length: 64 };
}

async function digest(bytes) {
    return unpadded(await subtle.digest("SHA-256", bytes));
}

export async function encryptAttachment(plain) {
    const iv = Buffer.concat([randomBytes(8), Buffer.alloc(8)]);
    const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
    const ciphertext = new Uint8Array(await subtle.encrypt(counter(iv), key, plain));
    const { k } = await subtle.exportKey("jwk", key);
    const jwk = { alg: "A256CTR", ext: true, k, key_ops: ["encrypt", "decrypt"], kty: "oct" };
    return { ciphertext, file: { v: "v2", key: jwk, iv: unpadded(iv), hashes: { sha256: await digest(ciphertext) } } };
}

export async function decryptAttachment(ciphertext, file) {
    if ((await digest(ciphertext)) !== file.hashes.sha256) throw new Error("the file is not the one that was sent");
    const key = await subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
    return Buffer.from(await subtle.decrypt(counter(Buffer.from(file.iv, "base64")), key, ciphertext));
}

// Reads one JSON request per line on stdin, answers on stdout, and reports what each person sees as {"event": ...}.
import readline from "node:readline";

// The SDK and its WebAssembly write to the console; stdout belongs to the protocol.
for (const level of ["trace", "debug", "info", "log"]) console[level] = () => {};
for (const level of ["warn", "error"]) console[level] = (...words) => process.stderr.write(`${words.map(String).join(" ")}\n`);

const { default: loglevel } = await import("loglevel");
const { logger } = await import("matrix-js-sdk/lib/logger.js");
loglevel.setLevel("error");
logger.setLevel("error", false);

const { Person } = await import("./person.mjs");
const methods = {
    ...(await import("./identity.mjs")).methods,
    ...(await import("./rooms.mjs")).methods,
    ...(await import("./sending.mjs")).methods,
    ...(await import("./timeline.mjs")).methods,
};

const people = new Map();

function write(line) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function login(who, params) {
    if (people.has(who)) throw new Error(`${who} is logged in already`);
    const person = await Person.login(who, params, (event) => write({ event }));
    people.set(who, person);
    await person.sync();
    return { user_id: person.client.getUserId(), device_id: person.client.getDeviceId() };
}

async function leaveProcess(who, person, { logout }) {
    people.delete(who);
    if (logout) await person.client.logout(true);
    person.stop();
}

async function perform({ who, method, params = {} }) {
    if (method === "login") return login(who, params);
    const person = people.get(who);
    if (!person) throw new Error(`${who} is not logged in`);
    if (method === "stop") return leaveProcess(who, person, { logout: false });
    if (method === "logout") return leaveProcess(who, person, { logout: true });
    if (!Object.hasOwn(methods, method)) throw new Error(`there is no method ${method}`);
    return methods[method](person, params);
}

async function answer(line) {
    const request = JSON.parse(line);
    try {
        write({ id: request.id, result: (await perform(request)) ?? null });
    } catch (error) {
        write({ id: request.id, error: `${request.method}: ${error?.message ?? error}` });
    }
}

// Background work of the SDK may fail after its person has stopped; that must not end the other people.
process.on("unhandledRejection", (error) => console.error("unhandled", error?.stack ?? error));

readline
    .createInterface({ input: process.stdin, crlfDelay: Infinity })
    .on("line", (line) => void answer(line))
    .on("close", () => process.exit(0));

write({ ready: true });

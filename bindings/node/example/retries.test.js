// SPDX-License-Identifier: MIT
// An example: the retries of a small client, under `synfault exec -- node --test`.
//
// EXAMPLE_RETRIES is how often the client retries; with less than 2 it is wrong, and tests fail.
"use strict";

const assert = require("node:assert");
const {once} = require("node:events");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const {test} = require("node:test");
const {setTimeout: sleep} = require("node:timers/promises");

const {faults, TimedOut} = require("../synfault.js");

const RETRIES = Number(process.env.EXAMPLE_RETRIES ?? 3);

function get(address, timeout) {
    return new Promise((resolve, reject) => {
        const request = http.get(`http://${address}/`, {timeout, agent: false}, (reply) => {
            reply.resume();
            resolve(reply.statusCode);
        });
        request.on("timeout", () => request.destroy(new Error("timed out")));
        request.on("error", reject);
    });
}

// The client under test.
async function fetchWithRetries(address) {
    for (let attempt = 0; attempt <= RETRIES; attempt++) {
        try {
            return await get(address, 1000);
        } catch {
            if (attempt < RETRIES) await sleep(50);
        }
    }
    return null;
}

test("refusals are retried", async (t) => {
    const session = await faults(t, {api: "refuse x2, accept"});
    if (!session) return;
    assert.equal(await fetchWithRetries(session.endpoints.api), 200);
    await session.wait("established", {attempt: 3});
    assert.equal(await session.attempts("api"), 3);
});

test("a scenario is judged when the test has ended", async (t) => {
    const source = {
        name: "three attempts and no more",
        endpoints: {api: {faults: ["refuse x2", "accept"]}},
        expect: {attempts: 3},
    };
    const session = await faults(t, {}, {source});
    if (!session) return;
    await fetchWithRetries(session.endpoints.api);
});

test("sessions are side by side", async (t) => {
    const hole = await faults(t, {api: "drop"});
    const server = hole && await faults(t, {api: "accept"});
    if (!server) return;
    await assert.rejects(get(hole.endpoints.api, 200), /timed out/);
    assert.equal(await fetchWithRetries(server.endpoints.api), 200);
    assert.equal(await hole.attempts(), 1);
    await assert.rejects(hole.wait("established", {timeout: 0.01}), TimedOut);
    assert.equal((await server.close()).outcome, "pass");
});

test("faults can be replaced and attempts held", async (t) => {
    const session = await faults(t, {api: "refuse"});
    if (!session) return;
    await assert.rejects(get(session.endpoints.api, 1000), /ECONNREFUSED/);
    await session.faults("accept");
    assert.equal(await get(session.endpoints.api, 1000), 200);
    const held = await session.hold();
    const refused = assert.rejects(get(session.endpoints.api, 5000), /ECONNREFUSED/);
    await session.wait("syn", {attempt: held});
    await session.release(held, "refuse");
    await refused;
});

test("outages begin at a command", async (t) => {
    const session = await faults(t, {api: "restart 1s from command, accept"});
    if (!session) return;
    const {host, port} = session.endpoints.api;
    const connection = net.connect(port, host);
    const reset = once(connection, "end").then(() => assert.fail("it was not reset"), (error) => error.code);
    await session.wait("established");
    assert.equal(await session.restart({duration: 0.1}), 1);
    for await (const event of session.follow()) { // those so far, then further ones as they happen
        if (event.kind !== "fault") continue;
        assert.deepEqual([event.fault, event.number], ["reset", 1]);
        break;
    }
    assert.equal(await reset, "ECONNRESET");
});

test("artefacts are written after the end", async (t) => {
    const session = await faults(t, {api: "accept"});
    if (!session) return;
    assert.equal(await fetchWithRetries(session.endpoints.api), 200);
    assert.equal((await session.close()).outcome, "pass");
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "artefacts-"));
    const {record, picture} = await session.artefacts(directory);
    assert(fs.existsSync(record) && fs.existsSync(picture));
    fs.rmSync(directory, {recursive: true});
});

test("what is impossible here is skipped", async (t) => {
    const source = "name: named\nendpoints: {api: {hostname: api.example.test}}\n";
    const session = await faults(t, {}, {source});
    if (!session) return;
    assert.equal(await fetchWithRetries(session.endpoints.api), 200);
});

// SPDX-License-Identifier: MIT
// Injects connection faults from a test's own code, under `synfault exec -- node --test`.
//
//     const {faults} = require("./synfault");
//     test("retries", async (t) => {
//         const session = await faults(t, {api: "refuse x2, accept"});
//         assert.equal(await fetchWithRetries(session.endpoints.api), 200);
//         assert.equal(await session.attempts("api"), 3);
//     });
//
// When the test has ended, a session that it has not closed is judged: a failure of the client fails
// the test with the findings, an unknown outcome fails it with an error of the type Unjudged. What
// the machine can't do skips it. Without node:test, open() returns a session.
"use strict";

const net = require("node:net");
const path = require("node:path");

// Seconds to wait for a reply, in addition to what is waited for.
const PATIENCE = process.env.SYNFAULT_PATIENCE >= 0.001 ? Math.min(process.env.SYNFAULT_PATIENCE, 86400) : 60;

// synfault refused a request, or could not do its work; it says nothing about the client.
class SynfaultError extends Error {
    constructor(code, text, remedy) {
        super(remedy ? `${text}; ${remedy}` : text);
        Object.assign(this, {name: new.target.name, code, text, remedy});
    }
}
class Unavailable extends SynfaultError {} // this machine can't inject the faults: a reason to skip the test
class TimedOut extends SynfaultError {} // what was waited for did not happen in time
class Unjudged extends SynfaultError {} // the outcome is unknown: the machine was too slow, or a fault never fired

// The client did not do what was expected; `findings` say what, as data.
class ClientFailed extends Error {
    constructor(judgement) {
        super(judgement.toString());
        Object.assign(this, {name: "ClientFailed", findings: judgement.findings});
    }
}

const ERRORS = {"unavailable": Unavailable, "timed-out": TimedOut};

// The address of an endpoint: `${endpoint}` is host:port.
class Endpoint {
    constructor(address) {
        const colon = address.lastIndexOf(":");
        this.address = address;
        this.host = address.slice(0, colon).replace(/^\[|\]$/g, "");
        this.port = Number(address.slice(colon + 1));
    }

    toString() {
        return this.address;
    }
}

// What a session means: `outcome` is pass, fail, error or skip.
class Judgement {
    constructor({outcome, findings, expectations}) {
        Object.assign(this, {outcome, findings, expectations});
    }

    toString() {
        return [this.outcome, ...this.findings.map((finding) => `  ${finding.message}`)].join("\n");
    }
}

// Yields what synfault says, as objects; its end is an error.
async function* said(socket) {
    let text = "";
    try {
        for await (const data of socket.setEncoding("utf8")) {
            const lines = (text + data).split("\n");
            text = lines.pop();
            for (const line of lines) yield JSON.parse(line);
        }
    } catch (error) {
        throw error instanceof SynfaultError ? error : new SynfaultError("ended", `synfault has ended: ${error.message}`);
    }
    throw new SynfaultError("ended", "synfault has ended");
}

// Sends a request on a connection of its own, since a wait keeps that busy. With {keep} it stays open, as `socket`.
async function ask(request, {keep = false} = {}) {
    const control = process.env.SYNFAULT_CONTROL;
    if (!control) throw new Unavailable("unavailable", "no synfault is at hand", "run the tests under `synfault exec --`");
    const token = process.env.SYNFAULT_TOKEN ?? "";
    if (control.startsWith("tcp:") && !token) {
        throw new SynfaultError("denied", "SYNFAULT_TOKEN is not set or empty", "it has to be synfault's token");
    }
    const socket = net.createConnection(control.startsWith("tcp:") ? new Endpoint(control.slice(4)) : {path: control});
    const late = new SynfaultError("ended", `synfault does not answer at ${control}`), replies = said(socket);
    const timer = setTimeout(() => socket.destroy(late), 1000 * PATIENCE + (request.timeout_ns ?? 0) / 1e6);
    let reply;
    try {
        socket.write(`${JSON.stringify({command: "hello", token})}\n${JSON.stringify(request)}\n`); // TCP needs the first
        reply = (await replies.next()).value;
        if (reply.ok) reply = (await replies.next()).value;
    } finally {
        clearTimeout(timer);
        if (!keep || !reply?.ok) socket.destroy();
    }
    if (reply.ok) return {socket, replies, ...reply.result};
    const {code, text, remedy} = reply.error;
    throw new (ERRORS[code] ?? SynfaultError)(code, text, remedy);
}

// Endpoints with faults.
class Session {
    constructor({socket, session, name, variables, endpoints}) {
        Object.assign(this, {socket, number: session, name, variables, judgement: null});
        this.endpoints = Object.fromEntries(endpoints.map((one) => [one.name, new Endpoint(one.addresses[0])]));
    }

    // Sends a request about the session.
    async ask(command, values) {
        const {socket, replies, ...result} = await ask({command, session: this.number, ...values});
        return result;
    }

    // Waits until an attempt has had an event: syn, verdict, established, closed …; returns it.
    wait(event, {endpoint, attempt = 1, timeout = 30} = {}) {
        return this.ask("wait", {endpoint, event, attempt, timeout_ns: Math.round(timeout * 1e9)});
    }

    // Replaces the faults of an endpoint; returns the number of the first attempt that gets the new ones.
    async faults(steps, endpoint) {
        return (await this.ask("faults", {steps, endpoint})).attempt;
    }

    // Holds an attempt that has not begun, by default the next one, until release(); returns its number.
    async hold({endpoint, attempt, limit = 30} = {}) {
        return (await this.ask("hold", {endpoint, attempt, limit_ns: Math.round(limit * 1e9)})).attempt;
    }

    // Decides about an attempt that is held: accept, refuse, drop or unreachable KIND.
    async release(attempt, verdict = "accept", endpoint = undefined) {
        await this.ask("release", {attempt, verdict, endpoint});
    }

    // Begins outages with `from command`, by default all, for some seconds or as the step says; returns how many
    // connections they ended.
    async restart({endpoint, duration} = {}) {
        return (await this.ask("restart", {endpoint, for_ns: duration && Math.round(duration * 1e9)})).ended;
    }

    // Returns the endpoints with their attempts so far and how those ended.
    status() {
        return this.ask("status");
    }

    // Returns how many attempts there were so far at an endpoint, or at all.
    async attempts(endpoint) {
        const {endpoints} = await this.status();
        return endpoints.filter((one) => endpoint === undefined || one.name === endpoint)
            .reduce((sum, one) => sum + one.attempts, 0);
    }

    // Returns some events from a sequence number on, and where to go on.
    events(since = 0) {
        return this.ask("events", {since});
    }

    // Yields all events from a sequence number on, as they happen, until the session has ended. If they are read too
    // late, an event `lost` says how many are missing.
    async *follow(since = 0) {
        for (;;) {
            const request = {command: "events", session: this.number, since, follow: true};
            const {socket, replies, events, next, following} = await ask(request, {keep: true});
            const watch = setInterval(() => this.status().catch((error) => socket.destroy(error)), 1000 * PATIENCE);
            try {
                yield* events;
                since = next;
                while (following) {
                    const {event} = (await replies.next()).value;
                    if (event.kind === "end") return;
                    yield event;
                }
            } finally {
                clearInterval(watch);
                socket.destroy();
            }
        }
    }

    // Judges what has happened so far.
    async check() {
        return new Judgement(await this.ask("check"));
    }

    // Ends the session and judges it. A second call returns the same judgement.
    async close() {
        this.closing ??= this.ask("close").finally(() => this.socket.destroy());
        const result = await this.closing;
        return this.judgement ??= new Judgement(result);
    }

    // Writes files about a closed session; returns their paths: record, picture, and capture if there is one.
    artefacts(directory) {
        return this.ask("artefacts", {directory: path.resolve(directory)});
    }

    // Closes the session, and throws unless the client did what was expected.
    async expectPass() {
        const judgement = await this.close();
        if (judgement.outcome === "fail") throw new ClientFailed(judgement);
        if (judgement.outcome === "error") throw new Unjudged("unjudged", judgement.toString());
    }
}
// For `await using`, where Node has it. What a session means that the test has closed is the test's affair.
if (Symbol.asyncDispose) {
    Session.prototype[Symbol.asyncDispose] = async function() {
        if (!this.judgement) await this.expectPass();
    };
}

// Opens a session: of endpoints, {api: "refuse x2, accept"}; or of a scenario, with the options
// {file, scenario} or {source}: its text, or an object. {name} is its name in reports.
async function open(endpoints = {}, {name, file, scenario, source} = {}) {
    const list = Object.entries(endpoints).map(([key, faults]) => ({name: key, faults}));
    return new Session(await ask({
        command: "open", name, scenario,
        endpoints: list.length > 0 ? list : undefined,
        file: file === undefined ? undefined : path.resolve(file),
        source: source === undefined || typeof source === "string" ? source : JSON.stringify(source),
    }, {keep: true}));
}

// Opens a session for a test of node:test, and judges it when the test has ended. Returns undefined
// after it has skipped the test: then the test has to return.
async function faults(t, endpoints, options = {}) {
    let session;
    try {
        session = await open(endpoints, {name: t.name, ...options});
    } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        t.skip(error.message);
        return undefined;
    }
    t.after(() => session.judgement || session.expectPass());
    return session;
}

module.exports = {faults, open, Session, Endpoint, Judgement, SynfaultError, Unavailable, TimedOut, Unjudged, ClientFailed};

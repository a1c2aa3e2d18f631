// SPDX-License-Identifier: GPL-2.0-or-later
// As waits.c, in the ways of Node: node waits.js SECONDS SLACK-MS HOST:PORT.
'use strict';

const { spawn, spawnSync } = require('child_process');
const { once } = require('events');
const net = require('net');
const { setTimeout: sleep } = require('timers/promises');
const { Worker } = require('worker_threads');

const [seconds, slack, server] = process.argv.slice(2);
const ms = seconds * 1000;
const [host, port] = server.split(':');

async function countsTicks() {
  let ticks = 0;

  await new Promise((done) => {
    const timer = setInterval(() => {
      if (++ticks === 20) {
        clearInterval(timer);
        done();
      }
    }, ms / 20);
  });
  return ticks === 20;
}

async function abortsASleep() {
  try {
    await sleep(100 * ms, null, { signal: AbortSignal.timeout(ms) });
  } catch (error) {
    return error.name === 'AbortError';
  }
  return false;
}

async function timesOutOnASocket() {
  const socket = net.connect({ host, port: Number(port), timeout: ms });

  await once(socket, 'timeout');
  socket.destroy();
  return true;
}

async function waitsForAWorker() {
  const worker = new Worker(`setTimeout(() => process.exit(7), ${ms})`, { eval: true });

  return (await once(worker, 'exit'))[0] === 7;
}

async function waitsForAChild() {
  return (await once(spawn('sleep', [seconds]), 'exit'))[0] === 0;
}

function endsAChild() {
  const { error, signal } = spawnSync('sleep', [String(100 * seconds)], { timeout: ms });

  return error.code === 'ETIMEDOUT' && signal === 'SIGTERM';
}

const waits = {
  'setTimeout': async () => (await sleep(ms, 7)) === 7,
  'setInterval': countsTicks,
  'Atomics.wait': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms) === 'timed-out',
  'AbortSignal.timeout': abortsASleep,
  'socket.setTimeout': timesOutOnASocket,
  'a worker that waits': waitsForAWorker,
  'a child that sleeps': waitsForAChild,
  'spawnSync with a timeout': endsAChild,
};

(async () => {
  for (const [name, wait] of Object.entries(waits)) {
    const monotonic = process.hrtime.bigint(), realtime = Date.now();
    const isRight = await wait();
    const tookMs = [Number(process.hrtime.bigint() - monotonic) / 1e6, Date.now() - realtime];
    // Node's clock has whole milliseconds.
    const right = isRight && tookMs.every((took) => took > ms - 2 && took < ms + Number(slack));

    console.log(`${name.padEnd(36)} ${tookMs.map((took) => took.toFixed(0)).join(' ms ')} ms `
      + `${right ? 'right' : 'WRONG'}`);
    if (!right)
      process.exitCode = 1;
  }
})();

// SPDX-License-Identifier: GPL-2.0-or-later
// As retry.c: node retry.js HOST:PORT TRIES BASE FACTOR [TIMEOUT].
'use strict';

const net = require('net');

const [server, tries, base, factor, timeout] = process.argv.slice(2);
const [host, port] = server.split(':');

function attempt(left, pause) {
  const socket = net.connect({ host, port: Number(port) });

  if (timeout)
    socket.setTimeout(timeout * 1000, () => socket.destroy(new Error('timed out')));
  socket.on('connect', () => socket.destroy());
  socket.on('error', (error) => {
    console.error(error.message);
    if (left > 1)
      setTimeout(attempt, pause * 1000, left - 1, pause * factor);
    else
      process.exitCode = 1;
  });
}

attempt(Number(tries), Number(base));

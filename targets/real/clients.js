#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// Clients made of libraries of npm, each as its documentation begins, with the settings that it comes with:
//
//     clients.js NAME HOST PORT
//
// Prints what went wrong and exits with 1, or prints "done" and exits with 0.
'use strict';

const [name, host, portText] = process.argv.slice(2);
const port = Number(portText);
const server = `${host}:${port}`;
const url = `http://${server}/`;
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

// once(emitter, event) waits for an event; an "error" event rejects.
function once(emitter, event) {
  return require('node:events').once(emitter, event);
}

const clients = {
  http: async () => (await once(require('node:http').get(url), 'response'))[0].resume(),
  fetch: async () => (await fetch(url)).text(),
  axios: () => require('axios').get(url),
  'axios-retry': () => {
    const axios = require('axios');
    require('axios-retry').default(axios, { retries: 3 });
    return axios.get(url);
  },
  got: () => require('got').default(url).text(),
  ky: () => require('ky').default(url).text(),
  undici: async () => (await require('undici').request(url)).body.text(),
  'undici-retry': async () => {
    const { Agent, RetryAgent } = require('undici');
    return (await new RetryAgent(new Agent()).request({ origin: `http://${server}`, path: '/', method: 'GET' })).body.text();
  },
  'node-fetch': async () => (await require('node-fetch').default(url)).text(),
  'fetch-retry': async () => (await require('fetch-retry')(fetch)(url)).text(),
  superagent: () => require('superagent').get(url).retry(3),
  needle: () => require('needle')('get', url),
  ws: () => once(new (require('ws'))(`ws://${server}/`), 'open'),
  'reconnecting-websocket': () => {
    const Socket = require('reconnecting-websocket');
    const socket = new Socket(`ws://${server}/`, [], { WebSocket: require('ws') });
    return new Promise((resolve) => socket.addEventListener('open', resolve));
  },
  'socket.io': () => new Promise((resolve) => require('socket.io-client').io(url).on('connect', resolve)),
  ioredis: () => {
    const { Redis } = require('ioredis');
    return new Redis(port, host).on('error', (error) => console.error(error.message)).get('key');
  },
  redis: () => {
    const client = require('redis').createClient({ socket: { host, port } });
    return client.on('error', (error) => console.error(error.message)).connect();
  },
  bullmq: () => {
    const { Queue } = require('bullmq');
    const queue = new Queue('q', { connection: { host, port } });
    return queue.on('error', (error) => console.error(error.message)).add('job', {});
  },
  pg: () => new (require('pg').Client)({ host, port, user: 'u', database: 'd' }).connect(),
  'pg-pool': () => new (require('pg').Pool)({ host, port, user: 'u', database: 'd' }).query('SELECT 1'),
  mysql2: () => require('mysql2/promise').createConnection({ host, port, user: 'u' }),
  mongodb: () => new (require('mongodb').MongoClient)(`mongodb://${server}/`).connect(),
  cassandra: () => {
    const { Client } = require('cassandra-driver');
    return new Client({ contactPoints: [server], localDataCenter: 'd' }).connect();
  },
  elasticsearch: () => new (require('@elastic/elasticsearch').Client)({ node: url }).info(),
  amqplib: () => require('amqplib').connect(`amqp://${server}`),
  rhea: () => once(require('rhea').connect({ host, port }), 'connection_open'),
  mqtt: () => {
    const client = require('mqtt').connect(`mqtt://${server}`);
    client.on('error', (error) => console.error(error.message));
    return new Promise((resolve) => client.on('connect', resolve));
  },
  nats: () => require('nats').connect({ servers: server }),
  kafkajs: () => {
    const { Kafka } = require('kafkajs');
    return new Kafka({ brokers: [server] }).producer().connect();
  },
  'grpc-js': () => {
    const grpc = require('@grpc/grpc-js');
    const client = new grpc.Client(server, grpc.credentials.createInsecure());
    const same = (bytes) => bytes;
    return new Promise((resolve, reject) => client.makeUnaryRequest('/s/m', same, same, Buffer.alloc(0),
      (error, value) => (error ? reject(error) : resolve(value))));
  },
  nodemailer: () => require('nodemailer').createTransport({ host, port })
    .sendMail({ from: 'a@example.org', to: 'b@example.org', text: 'text' }),
  'aws-s3': () => {
    const { S3Client, ListBucketsCommand } = require('@aws-sdk/client-s3');
    return new S3Client({ endpoint: url, region: 'us-east-1', credentials }).send(new ListBucketsCommand({}));
  },
  gcs: () => {
    const { Storage } = require('@google-cloud/storage');
    return new Storage({ apiEndpoint: url, projectId: 'p' }).bucket('b').file('f').download();
  },
  'azure-blob': async () => {
    const { BlobServiceClient } = require('@azure/storage-blob');
    return new BlobServiceClient(`${url}account?sig=s`).getProperties();
  },
  openai: () => {
    const OpenAI = require('openai').default;
    return new OpenAI({ apiKey: 'k', baseURL: url }).models.list();
  },
};

if (!Object.hasOwn(clients, name)) {
  console.error(`clients.js NAME HOST PORT; NAME is one of: ${Object.keys(clients).join(' ')}`);
  process.exit(64);
}
Promise.resolve()
  .then(clients[name])
  .then(
    () => console.log('done'),
    (error) => {
      console.error(`${error.code ?? error.name}: ${error.message}`);
      process.exitCode = 1;
    },
  )
  .finally(() => process.exit());

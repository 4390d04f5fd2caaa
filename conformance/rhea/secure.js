'use strict';
// TLS and WebSocket: from Node, and from a page in headless Chromium. A broker says where it has them: AMQPS_URL (with
// AMQPS_CA, a file with the certificate of its authority) and AMQPWS_URL (ws:// or wss://). `npm test` proves these programs
// against rhea's own server.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const WebSocket = require('ws');
const { test, skip } = require('../tap/tap.js');
const { rhea, address, connection, connect, event, sender, receiver, send, sendAll, outcome } = require('./broker.js');
const { browse } = require('./browser.js');

const { AMQPS_URL, AMQPS_CA, AMQPWS_URL, AMQP_USER, AMQP_PASSWORD } = process.env;

/** As browsers' clients of brokers and of Azure ask for it, and as the specification has it. */
const PROTOCOLS = {
  'the protocol of the specification': ['amqp'],
  "rhea's usual list of protocols": ['binary', 'AMQPWSB10', 'amqp'],
};

const ca = () => (AMQPS_CA ? { ca: readFileSync(AMQPS_CA) } : { rejectUnauthorized: false });

function tls() {
  if (!AMQPS_URL) skip('the broker has no TLS listener');
  const { hostname: host, port } = new URL(AMQPS_URL);
  return { transport: 'tls', host, port: Number(port || 5671), ...ca() };
}

function webSocket(protocols = ['amqp']) {
  if (!AMQPWS_URL) skip('the broker has no WebSocket listener');
  return { connection_details: rhea.websocket_connect(WebSocket)(AMQPWS_URL, protocols, ca()) };
}

function asUser() {
  if (!AMQP_USER) skip('the broker has no user');
  return { username: AMQP_USER, password: AMQP_PASSWORD };
}

/** What any connection must be able to do: many small messages, and a large one. */
async function exchange(made) {
  const at = address('secure');
  const link = await sender(made, at);
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  await sendAll(
    link,
    numbers.map((body) => ({ body })),
  );
  const body = randomBytes(1024 * 1024);
  assert.equal(outcome(await send(link, { body })), 'accepted');
  const { inbox } = await receiver(made, at);
  assert.deepEqual(await inbox.bodies(200), numbers);
  assert.ok(body.equals((await inbox.next()).message.body));
}

module.exports = async function secure() {
  await test('messages pass through TLS', async (trial) => {
    const made = await connect(trial, tls());
    assert.match(made.get_tls_socket().getProtocol(), /^TLSv1\.[23]$/);
    await exchange(made);
  });

  await test('a user logs in through TLS', async (trial) => exchange(await connect(trial, { ...tls(), ...asUser() })));

  await test('a client that does not know the authority of the broker does not go on', async (trial) => {
    const options = { ...tls(), ca: undefined, rejectUnauthorized: true };
    const made = connection(trial, options, { errors: true });
    made.connect();
    const { error } = await event(made, 'disconnected');
    assert.match(error.code, /CERT|SIGNATURE|ISSUER/);
  });

  await test('a client that speaks without TLS to a TLS listener does not get in', async (trial) => {
    const { host, port } = tls();
    const made = connection(trial, { host, port }, { errors: true });
    made.on('connection_open', () => trial.fail(new Error('it got in')));
    made.connect();
    await event(made, 'disconnected');
  });

  for (const [name, protocols] of Object.entries(PROTOCOLS)) {
    await test(`messages pass through a WebSocket from Node with ${name}`, async (trial) =>
      exchange(await connect(trial, webSocket(protocols))));
  }

  await test('a user logs in through a WebSocket', async (trial) =>
    exchange(await connect(trial, { ...webSocket(), ...asUser() })));

  await test('a WebSocket names the protocol that was chosen', async () => {
    webSocket();
    const socket = new WebSocket(AMQPWS_URL, PROTOCOLS["rhea's usual list of protocols"], ca());
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    const { protocol } = socket;
    socket.terminate();
    assert.ok(['amqp', 'AMQPWSB10'].includes(protocol), protocol);
  });

  let page;
  for (const name of ['sends and receives', 'passes 1 MiB', 'asks and is answered']) {
    await test(`a page in Chromium ${name} through a WebSocket`, async (trial) => {
      if (!AMQPWS_URL) skip('the broker has no WebSocket listener');
      page = page || browse(trial, AMQPWS_URL, address('page'));
      const said = (await page)[name];
      assert.equal(said, 'done');
    });
  }
};

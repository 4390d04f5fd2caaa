'use strict';
// Proves the programs of secure.js against a server of rhea's own, with TLS and a WebSocket, without a broker: a program that
// fails here is at fault itself. Needs the openssl command.

const { execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const rhea = require('rhea');
const { WebSocketServer } = require('ws');

/** Enough of a broker: what is sent to an address waits there for receivers with credit; dynamic ones get an address. */
class Relay {
  constructor() {
    this.queues = new Map();
    this.dynamic = 0;
    this.container = rhea.create_container();
    this.container.sasl_server_mechanisms.enable_anonymous();
    this.container.sasl_server_mechanisms.enable_plain((user, password) => user === 'prover' && password === 'proof');
    this.container.on('sender_open', ({ sender }) => {
      const at = sender.source.dynamic ? `dynamic-${++this.dynamic}` : sender.source.address;
      sender.set_source({ address: at });
      this.queue(at).links.push(sender);
    });
    this.container.on('receiver_open', ({ receiver }) => receiver.set_target({ address: receiver.target.address }));
    this.container.on('sendable', ({ sender }) => this.pass(sender.local.attach.source.value[0].value));
    this.container.on('message', ({ message, receiver }) => {
      const at = receiver.target.address || message.to;
      this.queue(at).messages.push(message);
      this.pass(at);
    });
    this.container.on('disconnected', () => {});
  }

  queue(at) {
    if (!this.queues.has(at)) this.queues.set(at, { messages: [], links: [] });
    return this.queues.get(at);
  }

  pass(at) {
    const { messages, links } = this.queue(at);
    for (const link of links.filter((each) => each.is_open())) {
      while (messages.length && link.sendable()) link.send(messages.shift());
    }
  }
}

async function prove() {
  const folder = mkdtempSync(path.join(tmpdir(), 'rhea-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ],
    { stdio: 'ignore' },
  );
  const { container } = new Relay();
  const tls = container.listen({
    transport: 'tls',
    host: '127.0.0.1',
    port: 0,
    key: readFileSync(key),
    cert: readFileSync(cert),
  });
  tls.on('tlsClientError', () => {});
  const sockets = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (asked) => ['amqp', 'AMQPWSB10'].find((each) => asked.has(each)),
  });
  sockets.on('connection', (socket) => container.websocket_accept(socket, {}));
  await Promise.all([tls, sockets].map((server) => new Promise((resolve) => server.on('listening', resolve))));
  const conformance = spawn(process.execPath, [path.join(__dirname, 'conformance.js'), 'secure'], {
    cwd: __dirname,
    stdio: 'inherit',
    env: {
      ...process.env,
      AMQPS_URL: `amqps://127.0.0.1:${tls.address().port}`,
      AMQPS_CA: cert,
      AMQPWS_URL: `ws://127.0.0.1:${sockets.address().port}/amqp`,
      AMQP_USER: 'prover',
      AMQP_PASSWORD: 'proof',
    },
  });
  conformance.on('exit', (code) => {
    rmSync(folder, { recursive: true });
    process.exit(code === null ? 1 : code);
  });
}

prove();

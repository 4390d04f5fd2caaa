'use strict';
// Runs in the page: rhea as browserify made it, over the browser's own WebSocket.

const rhea = require('rhea');
const given = new URLSearchParams(location.search);
const at = (word) => `${given.get('address')}.${word}`;

function connect() {
  return rhea.create_container().connect({
    connection_details: rhea.websocket_connect(WebSocket)(given.get('url'), ['binary', 'AMQPWSB10', 'amqp']),
    reconnect: false,
  });
}

const equal = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** Each ends by calling `done`, or with an error if what it got is wrong. */
const PROGRAMS = {
  'sends and receives'(connection, done) {
    const got = [];
    connection.open_receiver(at('numbers')).on('message', ({ message }) => {
      if (message.body !== got.length) done(new Error(`${message.body} came when ${got.length} was due`));
      else if (got.push(message.body) === 100) done();
    });
    connection.open_sender(at('numbers')).once('sendable', ({ sender }) => {
      for (let body = 0; body < 100; body++) sender.send({ body });
    });
  },

  'passes 1 MiB'(connection, done) {
    const body = new Uint8Array(1024 * 1024).map((_, i) => (i * 31) % 251);
    connection.open_receiver(at('large')).on('message', ({ message }) => {
      done(equal(body, message.body) ? undefined : new Error('other bytes came'));
    });
    connection.open_sender(at('large')).once('sendable', ({ sender }) => sender.send({ body }));
  },

  'asks and is answered'(connection, done) {
    const service = connect();
    service.open_receiver(at('service')).on('message', ({ message }) => {
      service.send({ to: message.reply_to, correlation_id: message.message_id, body: message.body.toUpperCase() });
    });
    const answers = connection.open_receiver({ source: { dynamic: true } });
    answers.on('message', ({ message }) => {
      service.close();
      done(message.body === 'PING' && message.correlation_id === 'q' ? undefined : new Error(JSON.stringify(message)));
    });
    answers.on('receiver_open', () => {
      connection
        .open_sender(at('service'))
        .once('sendable', ({ sender }) => sender.send({ reply_to: answers.source.address, message_id: 'q', body: 'ping' }));
    });
  },
};

function run(program) {
  return new Promise((resolve) => {
    const connection = connect();
    const end = (error) => {
      connection.close();
      resolve(error ? String(error.message || error.description || error) : 'done');
    };
    connection.container.on('error', end);
    connection.on('disconnected', ({ error }) => end(error || new Error('disconnected')));
    setTimeout(end, 15000, new Error('not done within 15 s'));
    program(connection, end);
  });
}

window.addEventListener('load', async () => {
  const said = {};
  for (const [name, program] of Object.entries(PROGRAMS)) said[name] = await run(program);
  await fetch('/', { method: 'POST', body: JSON.stringify(said) });
});

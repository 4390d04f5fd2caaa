'use strict';
// The broker under test as the environment tells of it, and what every test needs of rhea: connections that are closed
// when the test ends, events as promises, and what a receiver got as a queue.

const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');
const rhea = require('rhea');
const { skip } = require('../tap/tap.js');

const env = process.env;
const runId = env.RUN_ID || `run${Date.now()}`;

function endpoint(host, port, url) {
  const from = url ? new URL(url) : {};
  return { host: host || from.hostname || '127.0.0.1', port: Number(port || from.port || 5672) };
}

/** The listener for everyone. */
const open = endpoint(env.AMQP_HOST, env.AMQP_PORT, env.AMQP_URL);

/** The listener that wants a user, with the user. */
function ofUsers() {
  if (!env.AMQP_USER_URL && !env.AMQP_USER_PORT) skip('the broker has no listener that wants a user');
  const { host, port } = endpoint(env.AMQP_USER_HOST, env.AMQP_USER_PORT, env.AMQP_USER_URL);
  return { host, port, username: env.AMQP_USER, password: env.AMQP_PASSWORD };
}

/** Queues with settings of their own are in the config of a broker that the driver started, and of no other. */
function configured() {
  if (!env.BROKER_CRASH) skip('needs the queues of client.toml');
}

async function run(command, why) {
  if (!command) skip(why);
  await promisify(execFile)('sh', ['-c', command]);
}
const crash = () => run(env.BROKER_CRASH, "the broker can't be crashed from here");
const restart = () => run(env.BROKER_RESTART, "the broker can't be restarted from here");

let addresses = 0;
const address = (word) => `${runId}.rhea.${word}.${++addresses}`;

/** A connection of this test, in a container of its own. What rhea reports as an error fails the test, unless `errors` is true. */
function connection(trial, options = {}, { errors = false, container = {} } = {}) {
  const own = rhea.create_container(container);
  const { host, port } = open;
  const made = own.create_connection({ host, port, reconnect: false, ...options });
  own.on('error', (e) => errors || trial.fail(e));
  own.on('protocol_error', (e) => errors || trial.fail(e));
  own.on('disconnected', ({ error, reconnecting }) => {
    if (!errors && !reconnecting && !made.is_closed()) trial.fail(error || new Error('disconnected'));
  });
  trial.closing.push(() => close(made));
  return made;
}

/** A test has had what it wanted; whatever its connection does now is not waited for for long. */
function close(made) {
  made.set_reconnect(false);
  clearTimeout(made.scheduled_reconnect);
  if (made.is_remote_open() && made.socket_ready) {
    made.close();
    setTimeout(() => made.socket && made.socket.destroy && made.socket.destroy(), 1000).unref();
  } else if (made.socket && made.socket.destroy) {
    made.socket.destroy();
  }
}

async function connect(trial, options, more) {
  const made = connection(trial, options, more);
  made.connect();
  await event(made, 'connection_open');
  return made;
}

/** The context of the next event of this name. */
async function event(emitter, name) {
  const [context] = await once(emitter, name);
  return context;
}

async function sender(from, options) {
  const made = from.open_sender(options);
  await event(made, 'sendable');
  return made;
}

async function receiver(from, options) {
  const made = from.open_receiver(options);
  const inbox = new Inbox(made);
  await event(made, 'receiver_open');
  return { receiver: made, inbox };
}

/** The messages a receiver got and nobody took yet. */
class Inbox {
  constructor(link) {
    this.got = [];
    this.waiting = [];
    link.on('message', (context) => {
      const next = this.waiting.shift();
      if (next) next(context);
      else this.got.push(context);
    });
  }

  /** The next message with its delivery. */
  next() {
    return this.got.length ? Promise.resolve(this.got.shift()) : new Promise((resolve) => this.waiting.push(resolve));
  }

  async take(count) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  async bodies(count) {
    return (await this.take(count)).map(({ message }) => message.body);
  }
}

/** Sends, and resolves to the delivery when the broker has answered: accepted, rejected, released or modified. */
function send(link, message, tag, format) {
  const delivery = link.send(message, tag, format);
  return new Promise((resolve) => {
    const settled = (context) => {
      if (context.delivery !== delivery) return;
      link.removeListener('settled', settled);
      resolve(delivery);
    };
    link.on('settled', settled);
  });
}

const outcome = (delivery) => delivery.remote_state && delivery.remote_state.constructor.composite_type;

/** Sends as credit allows, and resolves when each was accepted. */
function sendAll(link, messages) {
  const left = messages.slice();
  let accepted = 0;
  return new Promise((resolve, reject) => {
    const push = () => {
      while (left.length && link.sendable()) link.send(left.shift());
    };
    link.on('sendable', push);
    link.on('accepted', () => ++accepted === messages.length && resolve());
    link.on('rejected', ({ delivery }) => reject(new Error(`rejected: ${JSON.stringify(delivery.remote_state.error)}`)));
    link.on('released', () => reject(new Error('released')));
    push();
    if (!messages.length) resolve();
  });
}

/** Grants credit, and asks for what is there and no more. Resolves to the messages when the broker says that was all. */
async function drain(link, inbox, credit) {
  link.add_credit(credit);
  link.drain_credit();
  await event(link, 'receiver_drained');
  link.drain = false;
  return inbox.got.splice(0);
}

/** All that a new receiver finds at this address: contexts of messages, which it accepts. */
async function rest(from, source) {
  const link = from.open_receiver({ source, credit_window: 0 });
  const inbox = new Inbox(link);
  await event(link, 'receiver_open');
  const all = await drain(link, inbox, 1000);
  link.close();
  await event(link, 'receiver_close');
  return all;
}

const bodies = (contexts) => contexts.map(({ message }) => message.body);

module.exports = {
  rhea,
  open,
  ofUsers,
  configured,
  crash,
  restart,
  address,
  connection,
  connect,
  event,
  sender,
  receiver,
  Inbox,
  send,
  sendAll,
  outcome,
  drain,
  rest,
  bodies,
};

'use strict';
// A broker that dies, or is stopped, and comes back: rhea reconnects by itself and attaches its links again.

const assert = require('node:assert/strict');
const { test } = require('../tap/tap.js');
const {
  crash,
  restart,
  address,
  connection,
  connect,
  event,
  sender,
  receiver,
  send,
  outcome,
  rest,
  bodies,
} = require('./broker.js');

const PATIENT = { reconnect: true, initial_reconnect_delay: 50, max_reconnect_delay: 200 };

/** A connection that reconnects, whose losses are no failures of the test. */
async function patient(trial, options) {
  const made = connection(trial, { ...PATIENT, ...options }, { errors: true });
  made.connect();
  await event(made, 'connection_open');
  return made;
}

/** Sends numbered durable messages until each is accepted, those without an answer again after a reconnect. */
class Producer {
  constructor(made, at, count) {
    this.accepted = new Set();
    this.unanswered = new Map();
    this.left = Array.from({ length: count }, (_, i) => i);
    this.link = made.open_sender(at);
    this.done = new Promise((resolve) => (this.finish = resolve));
    this.half = new Promise((resolve) => (this.reachHalf = resolve));
    const half = count / 2;
    this.link.on('sendable', () => this.push());
    this.link.on('accepted', ({ delivery }) => {
      this.accepted.add(this.unanswered.get(delivery));
      this.unanswered.delete(delivery);
      if (this.accepted.size === half) this.reachHalf();
      if (this.accepted.size === count) this.finish();
      this.push();
    });
    made.on('disconnected', () => {
      this.left.unshift(...this.unanswered.values());
      this.unanswered.clear();
    });
  }

  push() {
    // Few under way at a time, so that there are some left when the broker dies.
    while (this.left.length && this.unanswered.size < 50 && this.link.sendable()) {
      const body = this.left.shift();
      this.unanswered.set(this.link.send({ body, durable: true }), body);
    }
  }
}

async function survive(trial, stop) {
  const count = 2000;
  const at = address('survive');
  const [ours, theirs] = [await patient(trial), await patient(trial)];
  const seen = new Set();
  const all = new Promise((resolve) => {
    theirs
      .open_receiver({ source: at, credit_window: 100 })
      .on('message', ({ message }) => seen.add(message.body).size === count && resolve());
  });
  const back = [event(ours, 'disconnected'), event(theirs, 'disconnected')];
  const producer = new Producer(ours, at, count);
  await producer.half;
  await stop();
  await Promise.all(back);
  await producer.done;
  await all;
  assert.equal(producer.accepted.size, count);
}

/** What is made before a crash, and what must be there after it; one crash for all. */
const KEPT = {
  'accepted durable messages are there after a crash, in order, and others are not': {
    at: address('kept'),
    async before(trial) {
      const link = await sender(await patient(trial), this.at);
      for (let body = 0; body < 20; body++)
        assert.equal(outcome(await send(link, { body, durable: body % 2 === 0 })), 'accepted');
    },
    async after(trial) {
      assert.deepEqual(bodies(await rest(await connect(trial), this.at)), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    },
  },

  'what was received and not settled before a crash comes back, what was settled does not': {
    at: address('unsettled'),
    async before(trial) {
      const made = await patient(trial, { reconnect: false });
      const link = await sender(made, this.at);
      for (const body of [0, 1, 2]) await send(link, { body, durable: true });
      // Settled second: the broker's answer says that the removal is on disk.
      const { receiver: consumer, inbox } = await receiver(made, {
        source: this.at,
        credit_window: 0,
        autoaccept: false,
        rcv_settle_mode: 1,
      });
      consumer.add_credit(2);
      const [first] = await inbox.take(2);
      first.delivery.accept();
      await event(consumer, 'settled');
    },
    async after(trial) {
      assert.deepEqual(bodies(await rest(await connect(trial), this.at)), [1, 2]);
    },
  },

  'a durable subscription outlives a crash, with what it kept': {
    at: address('topic'),
    name: address('subscription'),
    container: { container: { id: address('subscriber') }, errors: true },
    subscribe(trial) {
      return connect(trial, {}, this.container).then((made) =>
        receiver(made, {
          name: this.name,
          source: { address: this.at, capabilities: ['topic'], durable: 2, expiry_policy: 'never' },
        }),
      );
    },
    async before(trial) {
      const { receiver: subscriber } = await this.subscribe(trial);
      subscriber.detach();
      await event(subscriber, 'receiver_close');
      const link = await sender(await patient(trial), { target: { address: this.at, capabilities: ['topic'] } });
      await send(link, { body: 'kept', durable: true });
    },
    async after(trial) {
      const { receiver: again, inbox } = await this.subscribe(trial);
      assert.deepEqual(await inbox.bodies(1), ['kept']);
      again.close();
      await event(again, 'receiver_close');
    },
  },
};

async function outlive() {
  await test('what is to outlive a crash is made, and the broker is killed', async (trial) => {
    for (const each of Object.values(KEPT)) await each.before(trial);
    await crash();
  });
  for (const [name, each] of Object.entries(KEPT)) {
    await test(name, (trial) => (process.env.BROKER_CRASH ? each.after(trial) : crash()));
  }
}

module.exports = async function crashes() {
  await test(
    'a broker that is killed in mid-load loses nothing: both sides reconnect, and all that was sent arrives',
    (trial) => survive(trial, crash),
    {
      seconds: 60,
    },
  );

  await test('a broker that is restarted in mid-load loses nothing', (trial) => survive(trial, restart), { seconds: 60 });

  await outlive();

  await test('a stopping broker closes its connections as amqp:connection:forced, which rhea takes as a reason to reconnect', async (trial) => {
    const made = await patient(trial);
    const told = event(made, 'connection_error');
    const again = event(made, 'disconnected').then(() => event(made, 'connection_open'));
    await restart();
    assert.equal((await told).error.condition, 'amqp:connection:forced');
    await again;
    assert.equal(outcome(await send(await sender(made, address('again')), { body: 1 })), 'accepted');
  });
};

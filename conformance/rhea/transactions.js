'use strict';
// Transactions. rhea has no calls for them, so these programs write what the specification says (part 4) with rhea's types: a
// link to a coordinator, declare and discharge as messages, and transactional states.

const assert = require('node:assert/strict');
const { test } = require('../tap/tap.js');
const { rhea, address, connect, event, sender, receiver, sendAll, rest, bodies } = require('./broker.js');

const { types, message: sections } = rhea;

const described = (code, fields) => types.described(types.wrap_ulong(code), types.wrap_list(fields));
const COORDINATOR = () => described(0x30, [types.wrap_array(['amqp:local-transactions'], 0xa3)]);
const DECLARE = () => described(0x31, []);
const DISCHARGE = (id, fail) => described(0x32, [id, fail]);
const TRANSFER = 0x14;
const STATE = 7;
const DECLARED = 0x33;
const TRANSACTIONAL = 0x34;

const ACCEPTED = () => sections.accepted().described();
const REJECTED = () => sections.rejected().described();

/** The state of a delivery in a transaction. */
const inside = (id, state) => described(TRANSACTIONAL, state ? [id, state] : [id]);

class Coordinator {
  static async of(session) {
    const link = session.create_sender(address('coordinator'));
    link.local.attach.target = COORDINATOR();
    link.set_source({});
    link.attach();
    await event(link, 'sendable');
    return new Coordinator(link);
  }

  constructor(link) {
    this.link = link;
  }

  /** Sends a control message, and resolves to the state that answers it. */
  async ask(body) {
    // Not as a message with this body: see messages.js for what rhea does to a body with a descriptor.
    const writer = new types.Writer();
    writer.write(body);
    const delivery = this.link.send(Buffer.concat([Buffer.from('005377', 'hex'), writer.toBuffer()]), undefined, 0);
    for (;;) {
      const { delivery: answered } = await event(this.link, 'settled');
      if (answered === delivery) return delivery.remote_state;
    }
  }

  async declare() {
    const state = await this.ask(DECLARE());
    assert.equal(state.descriptor.value, DECLARED);
    return types.wrap_binary(state.value[0].value);
  }

  discharge(id, fail) {
    return this.ask(DISCHARGE(id, fail));
  }
}

/** Sends within a transaction: rhea has no place for the state of a transfer, so it is set on the way out. */
async function sendInside(session, link, id, message) {
  const output = session.output;
  session.output = function (frame, payload) {
    if (frame.constructor.descriptor.numeric === TRANSFER) frame.value[STATE] = inside(id);
    return output.call(session, frame, payload);
  };
  link.send(message);
  const { delivery } = await event(link, 'settled');
  session.output = output;
  assert.equal(delivery.remote_state.descriptor.value, TRANSACTIONAL);
  assert.deepEqual(delivery.remote_state.value[0].value, id.value);
  return sections.unwrap_outcome(delivery.remote_state.value[1]).constructor.composite_type;
}

/** Settles within a transaction. rhea writes dispositions after transfers, so a discharge must be of a later turn. */
async function settleInside(id, contexts, state) {
  for (const { delivery } of contexts) delivery.update(true, inside(id, state()));
  await new Promise(setImmediate);
}

/** A session with a coordinator, and a queue of three messages. */
async function scene(trial) {
  const made = await connect(trial);
  const session = made.create_session();
  session.begin();
  const at = address('transaction');
  await sendAll(
    await sender(made, at),
    [1, 2, 3].map((body) => ({ body, durable: true })),
  );
  return { made, session, at, coordinator: await Coordinator.of(session) };
}

module.exports = async function transactions() {
  await test('what is sent in a transaction is there after the commit and not before', async (trial) => {
    const { made, session, coordinator } = await scene(trial);
    const at = address('sent');
    const link = await sender(session, at);
    const id = await coordinator.declare();
    for (const body of ['a', 'b']) assert.equal(await sendInside(session, link, id, { body }), 'accepted');
    assert.deepEqual(await rest(made, at), []);
    assert.equal((await coordinator.discharge(id, false)).constructor.composite_type, 'accepted');
    assert.deepEqual(bodies(await rest(made, at)), ['a', 'b']);
  });

  await test('what is sent in a transaction that is rolled back never was', async (trial) => {
    const { made, session, coordinator } = await scene(trial);
    const at = address('sent');
    const id = await coordinator.declare();
    await sendInside(session, await sender(session, at), id, { body: 'a' });
    assert.equal((await coordinator.discharge(id, true)).constructor.composite_type, 'accepted');
    assert.deepEqual(await rest(made, at), []);
  });

  await test('what is accepted in a transaction is gone with the commit', async (trial) => {
    const { made, session, at, coordinator } = await scene(trial);
    const { receiver: link, inbox } = await receiver(session, { source: at, credit_window: 0, autoaccept: false });
    const id = await coordinator.declare();
    link.add_credit(2);
    await settleInside(id, await inbox.take(2), ACCEPTED);
    await coordinator.discharge(id, false);
    link.close();
    await event(link, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [3]);
  });

  await test('what is accepted in a transaction comes back with the rollback, in order', async (trial) => {
    const { made, session, at, coordinator } = await scene(trial);
    const { receiver: link, inbox } = await receiver(session, { source: at, credit_window: 0, autoaccept: false });
    const id = await coordinator.declare();
    link.add_credit(2);
    await settleInside(id, await inbox.take(2), ACCEPTED);
    await coordinator.discharge(id, true);
    link.close();
    await event(link, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [1, 2, 3]);
  });

  await test('a transaction consumes from one queue and sends to another, all or nothing', async (trial) => {
    const { made, session, at, coordinator } = await scene(trial);
    const to = address('moved');
    const link = await sender(session, to);
    const { receiver: from, inbox } = await receiver(session, { source: at, credit_window: 0, autoaccept: false });
    for (const fail of [true, false]) {
      const id = await coordinator.declare();
      from.add_credit(1);
      const [context] = await inbox.take(1);
      assert.equal(context.message.body, 1);
      await sendInside(session, link, id, { body: context.message.body });
      await settleInside(id, [context], ACCEPTED);
      await coordinator.discharge(id, fail);
    }
    from.close();
    await event(from, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, to)), [1]);
    assert.deepEqual(bodies(await rest(made, at)), [2, 3]);
  });

  await test('a rejection in a transaction counts with the commit', async (trial) => {
    const { made, session, at, coordinator } = await scene(trial);
    const { receiver: link, inbox } = await receiver(session, { source: at, credit_window: 0, autoaccept: false });
    const id = await coordinator.declare();
    link.add_credit(1);
    await settleInside(id, await inbox.take(1), REJECTED);
    await coordinator.discharge(id, false);
    link.close();
    await event(link, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [2, 3]);
  });

  await test('a transaction whose coordinator is gone is rolled back', async (trial) => {
    const { made, session, coordinator } = await scene(trial);
    const at = address('sent');
    const id = await coordinator.declare();
    await sendInside(session, await sender(session, at), id, { body: 'a' });
    coordinator.link.close();
    await event(coordinator.link, 'sender_close');
    assert.deepEqual(await rest(made, at), []);
  });

  await test('the discharge of a transaction that is not known is rejected as amqp:transaction:unknown-id', async (trial) => {
    const { coordinator } = await scene(trial);
    const state = await coordinator.discharge(types.wrap_binary(Buffer.from('no such id')), false);
    assert.equal(state.constructor.composite_type, 'rejected');
    assert.equal(state.error.condition, 'amqp:transaction:unknown-id');
  });
};

'use strict';
// Connections and sessions: security layers, what the open says, heartbeats, closing.

const assert = require('node:assert/strict');
const { test } = require('../tap/tap.js');
const { rhea, ofUsers, address, connection, connect, event, sender, receiver, send, outcome } = require('./broker.js');

/** Connects with what is wrong, and resolves to the error that the client is told. */
async function refused(trial, options) {
  const made = connection(trial, options, { errors: true });
  const told = Promise.race([
    event(made, 'connection_error').then(({ error }) => error),
    event(made, 'connection_open').then(() => assert.fail('the connection is open')),
  ]);
  const gone = event(made, 'disconnected');
  made.connect();
  const error = await told;
  await gone;
  return error;
}

module.exports = async function connections() {
  await test('a client without a SASL layer may connect where everyone may', async (trial) => {
    const made = await connect(trial);
    assert.equal(made.sasl_transport, undefined);
    assert.ok(made.is_open());
  });

  await test('a user name without a password connects with SASL ANONYMOUS', async (trial) => {
    const made = await connect(trial, { username: 'whoever' });
    assert.equal(made.sasl_transport.mechanism.constructor.name, 'AnonymousClient');
  });

  await test('a user connects with SASL PLAIN', async (trial) => {
    const made = await connect(trial, ofUsers());
    const link = await sender(made, address('plain'));
    assert.equal(outcome(await send(link, { body: 'from a user' })), 'accepted');
  });

  await test('a wrong password is refused as amqp:unauthorized-access', async (trial) => {
    const error = await refused(trial, { ...ofUsers(), password: 'wrong' });
    assert.equal(error.condition, 'amqp:unauthorized-access');
  });

  await test('an unknown user is refused in the same words as a wrong password', async (trial) => {
    const wrong = await refused(trial, { ...ofUsers(), password: 'wrong' });
    const unknown = await refused(trial, { ...ofUsers(), username: 'nobody' });
    assert.deepEqual([unknown.condition, unknown.message], [wrong.condition, wrong.message]);
  });

  await test('SASL ANONYMOUS is not offered where a user is wanted', async (trial) => {
    const { host, port } = ofUsers();
    const error = await refused(trial, { host, port, username: 'whoever' });
    assert.match(error.message, /No suitable mechanism/);
  });

  await test('who brings no SASL layer does not get in where a user is wanted', async (trial) => {
    const { host, port } = ofUsers();
    const made = connection(trial, { host, port }, { errors: true });
    const end = Promise.race([event(made, 'disconnected').then(() => 'out'), event(made, 'connection_open').then(() => 'in')]);
    made.connect();
    assert.equal(await end, 'out');
  });

  await test('the open names product and version, and offers what JMS clients look for', async (trial) => {
    const made = await connect(trial, { desired_capabilities: ['ANONYMOUS-RELAY', 'SHARED-SUBS', 'DELAYED_DELIVERY'] });
    assert.equal(typeof made.properties.product, 'string');
    assert.match(made.properties.version, /^\d+\.\d+/);
    for (const capability of ['ANONYMOUS-RELAY', 'SHARED-SUBS', 'DELAYED_DELIVERY']) {
      assert.ok(made.offered_capabilities.includes(capability), `${made.offered_capabilities} lacks ${capability}`);
    }
    assert.ok(made.container_id.length > 0);
    assert.ok(made.max_frame_size >= 512);
    assert.ok(made.channel_max >= 1);
    assert.ok(made.idle_time_out > 0);
  });

  await test('properties and capabilities of a client of any kind are no obstacle', async (trial) => {
    const made = await connect(trial, {
      hostname: 'some.virtual.host',
      properties: {
        product: 'conformance',
        list: [1, 'two', null],
        map: { nested: { deep: true } },
        id: rhea.types.wrap_uuid(Buffer.alloc(16, 7)),
      },
      offered_capabilities: ['something-of-ours'],
      desired_capabilities: ['something-unheard-of'],
      outgoing_locales: ['nl-NL', 'en-US'],
      incoming_locales: ['nl-NL'],
    });
    const link = await sender(made, address('properties'));
    assert.equal(outcome(await send(link, { body: 1 })), 'accepted');
  });

  await test('a silent connection is kept by heartbeats of the broker', async (trial) => {
    // rhea closes when it heard nothing for twice its own time, here after 600 ms.
    const made = await connect(trial, { idle_time_out: 300 });
    let heartbeats = 0;
    await new Promise((resolve) =>
      made.socket.on('data', (data) => data.equals(Buffer.from([0, 0, 0, 8, 2, 0, 0, 0])) && ++heartbeats === 6 && resolve()),
    );
    assert.ok(made.is_open());
    const link = await sender(made, address('heartbeats'));
    assert.equal(outcome(await send(link, { body: 'still here' })), 'accepted');
  });

  await test('two connections of the same container live side by side', async (trial) => {
    const one = await connect(trial, { container_id: address('twins') });
    const other = await connect(trial, { container_id: one.options.container_id });
    for (const each of [one, other]) {
      assert.equal(outcome(await send(await sender(each, address('twins')), { body: 1 })), 'accepted');
    }
  });

  await test('a second connection is refused as amqp:invalid-field when the container wants to be the only one', async (trial) => {
    const only = { container_id: address('only'), desired_capabilities: ['sole-connection-for-container'] };
    await connect(trial, only);
    const second = connection(trial, only, { errors: true });
    second.connect();
    // An open that says so, then a close: a client must not take it for a connection that came and went.
    const { error } = await event(second, 'connection_error');
    assert.equal(error.condition, 'amqp:invalid-field');
    assert.equal(second.properties['amqp:connection-establishment-failed'], true);
  });

  await test('a close is answered, and nothing is said of an error', async (trial) => {
    const made = await connect(trial);
    made.close();
    const { connection: closed } = await event(made, 'connection_close');
    assert.equal(closed.error, undefined);
  });

  await test('a close with an error is answered like any other', async (trial) => {
    const made = await connect(trial);
    made.close({ condition: 'amqp:internal-error', description: 'the client gave up' });
    const { connection: closed } = await event(made, 'connection_close');
    assert.equal(closed.error, undefined);
  });

  await test('sessions of a connection live and end by themselves', async (trial) => {
    const made = await connect(trial);
    const sessions = [1, 2, 3].map(() => made.create_session());
    const at = address('sessions');
    for (const each of sessions) {
      each.begin();
      await event(each, 'session_open');
    }
    const links = [];
    for (const each of sessions) links.push(await sender(each, at));
    sessions[1].close();
    await event(sessions[1], 'session_close');
    assert.equal(outcome(await send(links[0], { body: 'first' })), 'accepted');
    assert.equal(outcome(await send(links[2], { body: 'third' })), 'accepted');
    const { inbox } = await receiver(sessions[2], at);
    assert.deepEqual(await inbox.bodies(2), ['first', 'third']);
  });

  await test('frames of 512 bytes are enough for both sides', async (trial) => {
    const made = await connect(trial, { max_frame_size: 512 });
    const at = address('frames');
    const body = Buffer.alloc(20000, 'abcdefg');
    assert.equal(outcome(await send(await sender(made, at), { body })), 'accepted');
    const { inbox } = await receiver(made, at);
    const { message } = await inbox.next();
    assert.ok(body.equals(message.body));
  });

  await test('a fault of the protocol closes the connection with a condition that says what was wrong', async (trial) => {
    const made = await connect(trial, {}, { errors: true });
    const session = made.create_session();
    session.begin();
    await event(session, 'session_open');
    // An attach whose handle is in use already (section 2.7.3).
    const first = session.open_sender(address('handle'));
    await event(first, 'sender_open');
    const second = session.create_sender('second');
    second.set_target({ address: address('handle') });
    second.local.attach.handle = first.local.handle;
    second.attach();
    const told = await Promise.race([
      event(session, 'session_error').then(({ session: ended }) => ended.error),
      event(made, 'connection_error').then(({ error }) => error),
    ]);
    assert.equal(told.condition, 'amqp:session:handle-in-use');
  });
};

'use strict';
// rhea-promise: the same protocol with calls that can be awaited.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Connection, types, filter } = require('rhea-promise');
const { test } = require('../tap/tap.js');
const { open: endpoint, ofUsers, configured, crash, address } = require('./broker.js');

function create(trial, options = {}) {
  const made = new Connection({ ...endpoint, reconnect: false, ...options });
  trial.closing.push(async () => {
    made._connection.set_reconnect(false);
    if (made.isOpen()) await made.close();
  });
  return made;
}

const open = (trial, options) => create(trial, options).open();

/** A receiver whose messages wait to be taken. rhea-promise wants the handlers with the options, before the link is open. */
async function receive(from, source, options = {}) {
  const got = [];
  const waiting = [];
  const receiver = await from.createReceiver({
    source,
    onMessage: (context) => (waiting.length ? waiting.shift()(context) : got.push(context)),
    onError: () => {},
    ...options,
  });
  const next = () => (got.length ? Promise.resolve(got.shift()) : new Promise((resolve) => waiting.push(resolve)));
  const take = async (count) => {
    const taken = [];
    while (taken.length < count) taken.push((await next()).message.body);
    return taken;
  };
  return { receiver, next, take, got };
}

async function drained({ receiver, got }, credit) {
  receiver.addCredit(credit);
  receiver.drainCredit();
  await once(receiver, 'receiver_drained');
  receiver.drain = false;
  return got.splice(0).map(({ message }) => message.body);
}

/** What waits at an address; it is taken. */
async function rest(from, at) {
  const taker = await receive(from, { address: at }, { credit_window: 0 });
  const all = await drained(taker, 1000);
  await taker.receiver.close();
  return all;
}

/** A sender may have no credit yet when it is open. */
async function sender(from, target) {
  const made = await from.createAwaitableSender({ target: { address: target } });
  while (!made.sendable()) await once(made, 'sendable');
  return made;
}

module.exports = async function promises() {
  await test('a connection opens, says what the broker is, and closes', async (trial) => {
    const made = await open(trial);
    assert.ok(made.isOpen() && made.isRemoteOpen());
    assert.ok(made.properties.product);
    assert.ok(made.maxFrameSize >= 512);
    await made.close();
    assert.equal(made.isOpen(), false);
  });

  await test('opening is rejected when nobody listens', async (trial) => {
    // A port that was free a moment ago.
    const server = require('node:net').createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    await assert.rejects(open(trial, { port }), { code: 'ECONNREFUSED' });
  });

  await test('a user connects with PLAIN', async (trial) => {
    const made = await open(trial, ofUsers());
    assert.ok((await (await sender(made, address('user'))).send({ body: 1 })).settled);
  });

  await test('opening is rejected when the password is wrong', async (trial) => {
    await assert.rejects(open(trial, { ...ofUsers(), password: 'wrong' }), { condition: 'amqp:unauthorized-access' });
  });

  await test('a send resolves when the message is accepted', async (trial) => {
    const made = await open(trial);
    const at = address('sent');
    const link = await sender(made, at);
    const delivery = await link.send({ body: 'hello', durable: true });
    assert.equal(delivery.remote_settled, true);
    const { take } = await receive(made, { address: at });
    assert.deepEqual(await take(1), ['hello']);
  });

  await test('500 sends under way at once all resolve, and arrive in order', async (trial) => {
    const made = await open(trial);
    const at = address('many');
    const link = await sender(made, at);
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    await Promise.all(numbers.map((body) => link.send({ body })));
    const { take } = await receive(made, { address: at });
    assert.deepEqual(await take(500), numbers);
  });

  await test('a send is rejected with condition and reason when the queue is full', async (trial) => {
    configured();
    const made = await open(trial);
    await rest(made, 'rhea.full');
    const link = await sender(made, 'rhea.full');
    for (let body = 0; body < 3; body++) await link.send({ body });
    await assert.rejects(link.send({ body: 'one too many' }), (error) => {
      assert.equal(error.name, 'SendOperationFailedError');
      assert.equal(error.code, 'rejected');
      assert.equal(error.innerError.condition, 'amqp:resource-limit-exceeded');
      return true;
    });
    assert.deepEqual(await rest(made, 'rhea.full'), [0, 1, 2]);
    await link.send({ body: 'room again' });
    assert.deepEqual(await rest(made, 'rhea.full'), ['room again']);
  });

  await test('a send that the broker holds ends with a time-out of the client, and the message counts if room comes', async (trial) => {
    configured();
    const made = await open(trial);
    await rest(made, 'rhea.slow');
    const link = await sender(made, 'rhea.slow');
    await link.send({ body: 'first' });
    await assert.rejects(link.send({ body: 'held' }, { timeoutInSeconds: 0.5 }), { name: 'OperationTimeoutError' });
    const { take, receiver } = await receive(made, { address: 'rhea.slow' });
    assert.deepEqual(await take(2), ['first', 'held']);
    await receiver.close();
  });

  await test('a send may be given up with a signal', async (trial) => {
    configured();
    const made = await open(trial);
    await rest(made, 'rhea.slow');
    const link = await sender(made, 'rhea.slow');
    await link.send({ body: 'first' });
    const given = new AbortController();
    const sent = link.send({ body: 'held' }, { abortSignal: given.signal });
    given.abort();
    await assert.rejects(sent, { name: 'AbortError' });
    const { take, receiver } = await receive(made, { address: 'rhea.slow' });
    assert.deepEqual(await take(2), ['first', 'held']);
    await receiver.close();
  });

  await test('credit by hand and a drain give what was asked for', async (trial) => {
    const made = await open(trial);
    const at = address('credit');
    const link = await sender(made, at);
    for (const body of [1, 2, 3, 4]) await link.send({ body });
    const taker = await receive(made, { address: at }, { credit_window: 0 });
    taker.receiver.addCredit(2);
    assert.deepEqual(await taker.take(2), [1, 2]);
    assert.deepEqual(await drained(taker, 10), [3, 4]);
    assert.deepEqual(await drained(taker, 10), []);
  });

  await test('messages may be accepted, released and rejected by hand', async (trial) => {
    const made = await open(trial);
    const at = address('settle');
    const link = await sender(made, at);
    for (const body of [1, 2, 3]) await link.send({ body });
    const taker = await receive(made, { address: at }, { credit_window: 0, autoaccept: false });
    taker.receiver.addCredit(3);
    // Each in a turn of its own: see links.js for what rhea makes of two outcomes in one turn.
    (await taker.next()).delivery.accept();
    await new Promise(setImmediate);
    (await taker.next()).delivery.release();
    await new Promise(setImmediate);
    (await taker.next()).delivery.reject({ condition: 'app:wrong', description: 'of no use' });
    await taker.receiver.close();
    assert.deepEqual(await rest(made, at), [2]);
  });

  await test('sessions and their links open and close by themselves', async (trial) => {
    const made = await open(trial);
    const at = address('session');
    const [one, other] = [await made.createSession(), await made.createSession()];
    const links = [await sender(one, at), await sender(other, at)];
    await links[0].send({ body: 'one' });
    await links[0].close();
    assert.equal(one.isOpen(), false, 'rhea-promise closes the session with its link');
    await links[1].send({ body: 'other' });
    await other.close();
    assert.deepEqual(await rest(made, at), ['one', 'other']);
  });

  await test('a request is answered over a pair of links of one session', async (trial) => {
    const made = await open(trial);
    const at = address('service');
    const answers = await made.createSender({ target: {} });
    await receive(
      made,
      { address: at },
      {
        onMessage: ({ message }) =>
          answers.send({ to: message.reply_to, correlation_id: message.message_id, body: message.body * 2 }),
      },
    );
    const pair = await made.createRequestResponseLink(
      { target: { address: at } },
      { source: { dynamic: true }, onMessage: () => {}, onError: () => {} },
    );
    const answer = once(pair.receiver, 'message');
    if (!pair.sender.sendable()) await once(pair.sender, 'sendable');
    pair.sender.send({ reply_to: pair.receiver.source.address, message_id: 'question', body: 21 });
    const [{ message }] = await answer;
    assert.deepEqual([message.correlation_id, message.body], ['question', 42]);
  });

  await test('a receiver with a wrong selector is told the condition', async (trial) => {
    const made = await open(trial);
    const source = { address: address('selector'), filter: filter.selector('size >') };
    // rhea-promise takes the attach that refuses for an open link; what follows it is an error of that.
    const error = await new Promise((resolve) => receive(made, source, { onError: ({ receiver }) => resolve(receiver.error) }));
    assert.equal(error.condition, 'amqp:invalid-field');
  });

  await test('a receiver with a selector gets what matches', async (trial) => {
    const made = await open(trial);
    const at = address('selector');
    const link = await sender(made, at);
    for (const size of [1, 20, 3, 40]) await link.send({ application_properties: { size: types.wrap_int(size) }, body: size });
    const { take } = await receive(made, { address: at, filter: filter.selector('size > 10') });
    assert.deepEqual(await take(2), [20, 40]);
  });

  await test('a sender that the broker detaches is told why', async (trial) => {
    const made = await open(trial);
    const other = await open(trial);
    const { receiver } = await receive(made, { dynamic: true });
    const link = await other.createAwaitableSender({ target: { address: receiver.source.address }, onError: () => {} });
    const told = once(link, 'sender_error');
    await receiver.close();
    const [context] = await told;
    assert.equal(context.sender.error.condition, 'amqp:resource-deleted');
  });

  await test(
    'a connection opens again after a crash, and its links work',
    async (trial) => {
      const made = await open(trial, { reconnect: true, initial_reconnect_delay: 50, max_reconnect_delay: 200 });
      const at = address('again');
      const link = await sender(made, at);
      await link.send({ body: 'before', durable: true });
      const lost = once(made, 'disconnected');
      await crash();
      await lost;
      while (!made.isRemoteOpen() || !link.isOpen() || !link.sendable()) await once(link, 'sendable');
      await link.send({ body: 'after', durable: true });
      const { take } = await receive(made, { address: at });
      assert.deepEqual(await take(2), ['before', 'after']);
    },
    { seconds: 60 },
  );
};

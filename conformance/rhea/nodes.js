'use strict';
// Nodes: request and reply, dynamic nodes, selectors, topics and subscriptions, browsing, addresses.

const assert = require('node:assert/strict');
const { test } = require('../tap/tap.js');
const {
  rhea,
  configured,
  address,
  connect,
  event,
  sender,
  receiver,
  send,
  sendAll,
  outcome,
  drain,
  rest,
  bodies,
} = require('./broker.js');

const TOPIC = ['topic'];

const topic = (at) => ({ address: at, capabilities: TOPIC });

/** A durable subscription; the name of the link is its name. */
const durable = (name, at, more) => ({
  name,
  source: { ...topic(at), durable: 2, expiry_policy: 'never', ...more },
});

async function gone(link, how) {
  link[how]();
  await event(link, 'receiver_close');
  // rhea forgets the link a moment later, and its name is free then.
  await new Promise(setImmediate);
}

/** Attaches what is not to be had, and resolves to the error. */
async function refusedReceiver(made, options) {
  const link = made.open_receiver(options);
  link.on('receiver_close', () => {});
  return (await event(link, 'receiver_error')).receiver.error;
}

async function refusedSender(made, options) {
  const link = made.open_sender(options);
  link.on('sender_close', () => {});
  return (await event(link, 'sender_error')).sender.error;
}

/** Replies with the body in capitals to whoever asks, as rhea's request and reply examples do. */
async function shout(made, at) {
  const replies = await sender(made, { target: {} });
  const { receiver: link } = await receiver(made, at);
  link.on('message', ({ message }) => {
    replies.send({
      to: message.reply_to,
      correlation_id: message.correlation_id ?? message.message_id,
      body: message.body.toUpperCase(),
    });
  });
}

async function client(made, at) {
  const { receiver: answers, inbox } = await receiver(made, { source: { dynamic: true } });
  const requests = await sender(made, at);
  return async (body, message_id) => {
    requests.send({ reply_to: answers.source.address, message_id, body });
    return (await inbox.next()).message;
  };
}

module.exports = async function nodes() {
  await test('a request is answered at the address of a dynamic receiver', async (trial) => {
    const at = address('service');
    await shout(await connect(trial), at);
    const ask = await client(await connect(trial), at);
    for (const line of [
      'Twas brillig, and the slithy toves',
      'Did gire and gymble in the wabe.',
      'All mimsy were the borogroves,',
    ]) {
      assert.equal((await ask(line, line)).body, line.toUpperCase());
    }
  });

  await test('the correlation-id of an answer has the type of the message-id', async (trial) => {
    const at = address('service');
    await shout(await connect(trial), at);
    const ask = await client(await connect(trial), at);
    const uuid = rhea.string_to_uuid('00112233-4455-6677-8899-aabbccddeeff');
    for (const id of ['a string', 17, uuid]) assert.deepEqual((await ask('ping', id)).correlation_id, id);
  });

  await test('50 clients each get their own answers', async (trial) => {
    const at = address('service');
    await shout(await connect(trial), at);
    const made = await connect(trial);
    const clients = await Promise.all(Array.from({ length: 50 }, () => client(made, at)));
    const answers = await Promise.all(clients.map((ask, i) => ask(`client ${i}`)));
    assert.deepEqual(
      answers.map(({ body }) => body),
      clients.map((_, i) => `CLIENT ${i}`),
    );
  });

  await test('a dynamic queue is gone with the link that made it', async (trial) => {
    const made = await connect(trial);
    const other = await connect(trial);
    const { receiver: link } = await receiver(made, { source: { dynamic: true } });
    const at = link.source.address;
    const toIt = await sender(other, at);
    assert.equal(outcome(await send(toIt, { body: 1 })), 'accepted');
    const told = event(toIt, 'sender_error');
    toIt.on('sender_close', () => {});
    await gone(link, 'close');
    assert.equal((await told).sender.error.condition, 'amqp:resource-deleted');
    assert.equal((await refusedSender(other, at)).condition, 'amqp:not-found');
  });

  await test('a dynamic target is a queue that its connection reads from', async (trial) => {
    const made = await connect(trial);
    const link = await sender(made, { target: { dynamic: true } });
    const at = link.target.address;
    assert.ok(at);
    assert.equal(outcome(await send(link, { body: 'to myself' })), 'accepted');
    const { inbox } = await receiver(made, at);
    assert.deepEqual(await inbox.bodies(1), ['to myself']);
  });

  await test('two dynamic nodes have different addresses', async (trial) => {
    const made = await connect(trial);
    const links = [await receiver(made, { source: { dynamic: true } }), await receiver(made, { source: { dynamic: true } })];
    assert.notEqual(links[0].receiver.source.address, links[1].receiver.source.address);
  });

  await test('a sender without an address sends each message to its own', async (trial) => {
    const made = await connect(trial);
    const places = [address('to'), address('to')];
    const link = await sender(made, { target: {} });
    for (let body = 0; body < 10; body++) assert.equal(outcome(await send(link, { to: places[body % 2], body })), 'accepted');
    assert.deepEqual(bodies(await rest(made, places[0])), [0, 2, 4, 6, 8]);
    assert.deepEqual(bodies(await rest(made, places[1])), [1, 3, 5, 7, 9]);
  });

  await test('a message to nowhere is rejected, and the sender goes on', async (trial) => {
    const made = await connect(trial);
    const link = await sender(made, { target: {} });
    const nowhere = await send(link, { body: 'without a to' });
    assert.equal(outcome(nowhere), 'rejected');
    assert.match(nowhere.remote_state.error.condition, /^amqp:/);
    assert.equal(outcome(await send(link, { to: address('somewhere'), body: 'with a to' })), 'accepted');
  });

  await test("a connection's own send needs no link", async (trial) => {
    const made = await connect(trial);
    const at = address('direct');
    const { inbox } = await receiver(made, at);
    made.send({ to: at, body: 'directly' });
    assert.deepEqual(await inbox.bodies(1), ['directly']);
  });

  await test('a selector gives the messages that match, and leaves the others', async (trial) => {
    const made = await connect(trial);
    const at = address('selector');
    await sendAll(await sender(made, at), [
      { application_properties: { colour: 'red', weight: 3 }, body: 'rose' },
      { application_properties: { colour: 'green', weight: 5 }, body: 'leaf' },
      { application_properties: { colour: 'red', weight: 40 }, body: 'brick' },
      { application_properties: { weight: 1 }, body: 'glass' },
    ]);
    const red = await rest(made, { address: at, filter: rhea.filter.selector("colour = 'red' AND weight < 10") });
    assert.deepEqual(bodies(red), ['rose']);
    const unknown = await rest(made, { address: at, filter: rhea.filter.selector('colour IS NULL') });
    assert.deepEqual(bodies(unknown), ['glass']);
    assert.deepEqual(bodies(await rest(made, at)), ['leaf', 'brick']);
  });

  await test('a selector knows the header and the properties of a message by their JMS names', async (trial) => {
    const made = await connect(trial);
    const at = address('selector-jms');
    await sendAll(await sender(made, at), [
      { priority: 9, subject: 'alarm', correlation_id: 'c-1', group_id: 'g', body: 0 },
      { priority: 1, subject: 'note', correlation_id: 'c-2', durable: true, body: 1 },
    ]);
    const select = async (text) => {
      const source = { address: at, distribution_mode: 'copy', filter: rhea.filter.selector(text) };
      return bodies(await rest(made, source));
    };
    assert.deepEqual(await select('JMSPriority > 5'), [0]);
    assert.deepEqual(await select("JMSType = 'note'"), [1]);
    assert.deepEqual(await select("JMSCorrelationID IN ('c-1', 'c-3')"), [0]);
    assert.deepEqual(await select("JMSDeliveryMode = 'PERSISTENT'"), [1]);
    assert.deepEqual(await select("JMSXGroupID LIKE 'g%'"), [0]);
  });

  await test('the selector in force is echoed in the attach', async (trial) => {
    const made = await connect(trial);
    const { receiver: link } = await receiver(made, {
      source: { address: address('echo'), filter: rhea.filter.selector("a = 'b'") },
    });
    assert.equal(String(link.source.filter['jms-selector'].value ?? link.source.filter['jms-selector']), "a = 'b'");
  });

  await test('a selector that is not one is refused as amqp:invalid-field', async (trial) => {
    const made = await connect(trial);
    const error = await refusedReceiver(made, {
      source: { address: address('wrong'), filter: rhea.filter.selector('colour = = red') },
    });
    assert.equal(error.condition, 'amqp:invalid-field');
    assert.ok(error.description.length > 10);
  });

  await test('a topic gives every subscriber every message from then on', async (trial) => {
    const made = await connect(trial);
    const at = address('topic');
    const link = await sender(made, { target: topic(at) });
    await send(link, { body: 'before' });
    const subscribers = [await receiver(made, { source: topic(at) }), await receiver(made, { source: topic(at) })];
    await sendAll(link, [{ body: 1 }, { body: 2 }, { body: 3 }]);
    for (const { inbox } of subscribers) assert.deepEqual(await inbox.bodies(3), [1, 2, 3]);
  });

  await test('a topic may be named by a prefix', async (trial) => {
    const made = await connect(trial);
    const at = address('prefix');
    const one = await receiver(made, `topic://${at}`);
    const other = await receiver(made, `topic://${at}`);
    await send(await sender(made, `topic://${at}`), { body: 'to both' });
    assert.deepEqual(await one.inbox.bodies(1), ['to both']);
    assert.deepEqual(await other.inbox.bodies(1), ['to both']);
  });

  await test('a durable subscription keeps what is published while its subscriber is away', async (trial) => {
    const at = address('durable');
    const name = address('subscription');
    const publisher = await connect(trial);
    const link = await sender(publisher, { target: topic(at) });
    const container = { container: { id: address('subscriber') } };
    const first = await connect(trial, {}, container);
    const { receiver: subscriber, inbox } = await receiver(first, durable(name, at));
    await send(link, { body: 'while here' });
    assert.deepEqual(await inbox.bodies(1), ['while here']);
    await gone(subscriber, 'detach');
    first.close();
    await event(first, 'connection_close');
    await sendAll(link, [
      { body: 'away 1', durable: true },
      { body: 'away 2', durable: true },
    ]);
    const back = await connect(trial, {}, container);
    const { receiver: again, inbox: kept } = await receiver(back, durable(name, at));
    assert.deepEqual(await kept.bodies(2), ['away 1', 'away 2']);
    await gone(again, 'close');
  });

  await test('closing the link ends a durable subscription', async (trial) => {
    const made = await connect(trial);
    const at = address('durable');
    const name = address('subscription');
    const link = await sender(made, { target: topic(at) });
    const { receiver: subscriber } = await receiver(made, durable(name, at));
    await gone(subscriber, 'close');
    await send(link, { body: 'to nobody' });
    const { receiver: again, inbox } = await receiver(made, { ...durable(name, at), credit_window: 0 });
    assert.deepEqual(await drain(again, inbox, 10), []);
    await gone(again, 'close');
  });

  await test('a subscription has a selector of its own', async (trial) => {
    const made = await connect(trial);
    const at = address('durable');
    const name = address('subscription');
    const { receiver: subscriber } = await receiver(made, durable(name, at, { filter: rhea.filter.selector('size > 10') }));
    await gone(subscriber, 'detach');
    const link = await sender(made, { target: topic(at) });
    await sendAll(
      link,
      [5, 15, 8, 20].map((size) => ({ application_properties: { size }, body: size })),
    );
    const { receiver: again, inbox } = await receiver(made, durable(name, at, { filter: rhea.filter.selector('size > 10') }));
    assert.deepEqual(await inbox.bodies(2), [15, 20]);
    await gone(again, 'close');
  });

  await test('subscribers of a shared subscription share its messages', async (trial) => {
    const at = address('shared');
    const source = { ...topic(at), capabilities: ['topic', 'shared', 'global'] };
    const name = address('subscription');
    const got = [];
    let all;
    const done = new Promise((resolve) => (all = resolve));
    for (const link of [name, `${name}|2`]) {
      const { receiver: subscriber } = await receiver(await connect(trial), { name: link, source });
      subscriber.on('message', ({ message }) => got.push(message.body) === 20 && all());
    }
    const publisher = await connect(trial);
    await sendAll(
      await sender(publisher, { target: topic(at) }),
      Array.from({ length: 20 }, (_, body) => ({ body })),
    );
    await done;
    assert.deepEqual(
      got.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  await test('a browser sees the messages, and takes none', async (trial) => {
    const made = await connect(trial);
    const at = address('browse');
    await sendAll(await sender(made, at), [{ body: 1 }, { body: 2 }, { body: 3 }]);
    const browser = { address: at, distribution_mode: 'copy' };
    assert.deepEqual(bodies(await rest(made, browser)), [1, 2, 3]);
    assert.deepEqual(bodies(await rest(made, browser)), [1, 2, 3]);
    const all = await rest(made, at);
    assert.deepEqual(
      all.map(({ message }) => [message.body, message.delivery_count]),
      [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    );
    assert.deepEqual(bodies(await rest(made, browser)), []);
  });

  await test('a browser may have a selector', async (trial) => {
    const made = await connect(trial);
    const at = address('browse');
    await sendAll(
      await sender(made, at),
      [1, 2, 3, 4].map((n) => ({ application_properties: { n }, body: n })),
    );
    const source = { address: at, distribution_mode: 'copy', filter: rhea.filter.selector('n BETWEEN 2 AND 3') };
    assert.deepEqual(bodies(await rest(made, source)), [2, 3]);
    assert.equal((await rest(made, at)).length, 4);
  });

  await test('a browser sees what was there when it came, and once, however often it asks', async (trial) => {
    const made = await connect(trial);
    const at = address('browse');
    const link = await sender(made, at);
    await sendAll(link, [{ body: 1 }, { body: 2 }]);
    const { receiver: browser, inbox } = await receiver(made, {
      source: { address: at, distribution_mode: 'copy' },
      credit_window: 0,
    });
    assert.deepEqual(bodies(await drain(browser, inbox, 1)), [1]);
    await send(link, { body: 'sent later' });
    assert.deepEqual(bodies(await drain(browser, inbox, 10)), [2]);
    assert.deepEqual(bodies(await drain(browser, inbox, 10)), []);
    assert.equal((await rest(made, at)).length, 3);
  });

  await test('a topic can not be had as a queue, and the client is told so', async (trial) => {
    const made = await connect(trial);
    const at = address('kind');
    await sender(made, { target: topic(at) });
    const error = await refusedReceiver(made, { source: { address: at, capabilities: ['queue'] } });
    assert.match(error.condition, /^amqp:/);
    assert.ok(error.description.includes(at), error.description);
  });

  await test('an address that can not be is refused, and the session lives', async (trial) => {
    const made = await connect(trial);
    for (const at of ['$no-such-thing', 'x'.repeat(2000)]) {
      assert.match((await refusedSender(made, { target: at })).condition, /^amqp:/);
      assert.match((await refusedReceiver(made, { source: at })).condition, /^amqp:/);
    }
    assert.equal(outcome(await send(await sender(made, address('alive')), { body: 1 })), 'accepted');
  });

  await test('addresses are any text', async (trial) => {
    const made = await connect(trial);
    for (const word of ['with blanks in it', 'ünïcödé', '日本語', 'a/b/c', 'percent%20', 'x'.repeat(200)]) {
      const at = address(word);
      assert.equal(outcome(await send(await sender(made, at), { body: word })), 'accepted');
      assert.deepEqual(bodies(await rest(made, at)), [word]);
    }
  });

  await test('messages of higher priority come first', async (trial) => {
    const made = await connect(trial);
    const at = address('priority');
    await sendAll(
      await sender(made, at),
      [4, 1, 9, 4, 0, 7].map((priority, i) => ({ priority, body: `${priority}.${i}` })),
    );
    assert.deepEqual(bodies(await rest(made, at)), ['9.2', '7.5', '4.0', '4.3', '1.1', '0.4']);
  });

  await test('a message that outlived its time goes to the dead-letter queue', async (trial) => {
    configured();
    const made = await connect(trial);
    const at = address('ttl');
    const { inbox } = await receiver(made, `${at}.dlq`);
    await send(await sender(made, at), { ttl: 100, body: 'too old' });
    assert.deepEqual(await inbox.bodies(1), ['too old']);
    assert.deepEqual(await rest(made, at), []);
  });

  await test('a message for later is delivered then, and not before', async (trial) => {
    const made = await connect(trial);
    const at = address('later');
    const { inbox } = await receiver(made, at);
    const link = await sender(made, at);
    const due = Date.now() + 600;
    await send(link, { body: 'later', message_annotations: { 'x-opt-delivery-time': rhea.types.wrap_long(due) } });
    await send(link, { body: 'now' });
    assert.deepEqual(await inbox.bodies(1), ['now']);
    assert.deepEqual(await inbox.bodies(1), ['later']);
    assert.ok(Date.now() >= due - 1, 'it came too early');
  });
};

'use strict';
// Links: credit, drain, and every way to settle.

const assert = require('node:assert/strict');
const { test } = require('../tap/tap.js');
const {
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
  Inbox,
} = require('./broker.js');

const numbers = (count) => Array.from({ length: count }, (_, body) => ({ body }));

/** A connection, and a queue with these messages in it. */
async function queue(trial, word, count) {
  const made = await connect(trial);
  const at = address(word);
  const link = await sender(made, at);
  await sendAll(link, numbers(count));
  return { made, at, link };
}

/** A receiver that settles nothing by itself and asks for nothing by itself. */
const byHand = (source, more) => ({ source, credit_window: 0, autoaccept: false, ...more });

module.exports = async function links() {
  await test('2,500 messages, more than the credit of either side, are each accepted and arrive in order', async (trial) => {
    const { made, at } = await queue(trial, 'many', 2500);
    const { inbox } = await receiver(made, at);
    assert.deepEqual(
      await inbox.bodies(2500),
      numbers(2500).map(({ body }) => body),
    );
  });

  for (const credit_window of [1, 2, 10]) {
    await test(`a credit window of ${credit_window} is enough for 200 messages`, async (trial) => {
      const { made, at } = await queue(trial, 'window', 200);
      const { inbox } = await receiver(made, { source: at, credit_window });
      assert.deepEqual(
        await inbox.bodies(200),
        numbers(200).map(({ body }) => body),
      );
    });
  }

  await test('no more messages arrive than were asked for with add_credit', async (trial) => {
    const { made, at, link } = await queue(trial, 'credit', 10);
    const { receiver: asked, inbox } = await receiver(made, { source: at, credit_window: 0 });
    asked.add_credit(3);
    assert.deepEqual(await inbox.bodies(3), [0, 1, 2]);
    // What the broker had to say before this answer was said.
    assert.equal(outcome(await send(link, { body: 10 })), 'accepted');
    assert.equal(inbox.got.length, 0);
    asked.add_credit(2);
    asked.add_credit(1);
    assert.deepEqual(await inbox.bodies(3), [3, 4, 5]);
    assert.equal(asked.credit, 0);
    assert.deepEqual(bodies(await rest(made, at)), [6, 7, 8, 9, 10]);
  });

  await test('a drain gives what is there and takes back the rest of the credit', async (trial) => {
    const { made, at } = await queue(trial, 'drain', 3);
    const { receiver: asked, inbox } = await receiver(made, { source: at, credit_window: 0 });
    assert.deepEqual(bodies(await drain(asked, inbox, 10)), [0, 1, 2]);
    assert.equal(asked.credit, 0);
  });

  await test('a drain of an empty queue is answered at once, again and again, and later credit counts', async (trial) => {
    const { made, at, link } = await queue(trial, 'drain', 0);
    const { receiver: asked, inbox } = await receiver(made, { source: at, credit_window: 0 });
    for (let i = 0; i < 20; i++) assert.deepEqual(await drain(asked, inbox, 5), []);
    asked.add_credit(1);
    await sendAll(link, numbers(2));
    assert.deepEqual(await inbox.bodies(1), [0]);
    assert.deepEqual(bodies(await drain(asked, inbox, 5)), [1]);
  });

  await test('two receivers of a queue share its messages', async (trial) => {
    const made = await connect(trial);
    const at = address('shared');
    const one = await receiver(made, at);
    const other = await receiver(made, at);
    await sendAll(await sender(made, at), numbers(100));
    const got = [];
    await new Promise((resolve) => {
      for (const { inbox } of [one, other]) {
        (async () => {
          for (;;) if (got.push((await inbox.next()).message.body) === 100) resolve();
        })();
      }
    });
    assert.deepEqual(
      got.sort((a, b) => a - b),
      numbers(100).map(({ body }) => body),
    );
  });

  await test('an accepted message is gone', async (trial) => {
    const { made, at } = await queue(trial, 'accept', 2);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(1);
    (await inbox.next()).delivery.accept();
    asked.close();
    await event(asked, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [1]);
  });

  await test('a released message comes back in its place, and does not count as failed', async (trial) => {
    const { made, at } = await queue(trial, 'release', 3);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(2);
    for (const { delivery } of await inbox.take(2)) delivery.release();
    asked.close();
    await event(asked, 'receiver_close');
    const again = await rest(made, at);
    assert.deepEqual(bodies(again), [0, 1, 2]);
    assert.deepEqual(
      again.map(({ message }) => message.delivery_count),
      [0, 0, 0],
    );
  });

  await test('a rejected message goes to the dead-letter queue and does not come back', async (trial) => {
    configured();
    const { made, at } = await queue(trial, 'reject', 2);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(1);
    (await inbox.next()).delivery.reject({ condition: 'app:poison', description: 'can not be read' });
    asked.close();
    await event(asked, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [1]);
    assert.deepEqual(bodies(await rest(made, `${at}.dlq`)), [0]);
  });

  await test('a message modified as failed comes back and has been delivered once', async (trial) => {
    const { made, at } = await queue(trial, 'failed', 1);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    for (let attempt = 0; attempt < 3; attempt++) {
      asked.add_credit(1);
      const { message, delivery } = await inbox.next();
      assert.equal(message.delivery_count, attempt);
      delivery.modified({ delivery_failed: true });
    }
    asked.add_credit(1);
    const { message, delivery } = await inbox.next();
    assert.equal(message.delivery_count, 3);
    delivery.accept();
  });

  await test('a message modified as not failed comes back uncounted', async (trial) => {
    const { made, at } = await queue(trial, 'modified', 1);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(2);
    (await inbox.next()).delivery.modified({ delivery_failed: false });
    const { message, delivery } = await inbox.next();
    assert.equal(message.delivery_count, 0);
    delivery.accept();
  });

  await test('a message that is undeliverable here goes to another receiver and not back to this one', async (trial) => {
    const { made, at } = await queue(trial, 'elsewhere', 1);
    const { receiver: here, inbox } = await receiver(made, byHand(at));
    here.add_credit(1);
    (await inbox.next()).delivery.modified({ delivery_failed: true, undeliverable_here: true });
    assert.deepEqual(await drain(here, inbox, 10), []);
    const elsewhere = await rest(made, at);
    assert.deepEqual(
      elsewhere.map(({ message }) => [message.body, message.delivery_count]),
      [[0, 1]],
    );
  });

  await test('what release is told in rhea is a modification', async (trial) => {
    const { made, at } = await queue(trial, 'release-told', 1);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(2);
    (await inbox.next()).delivery.release({ delivery_failed: true });
    const { message, delivery } = await inbox.next();
    assert.equal(message.delivery_count, 1);
    delivery.accept();
  });

  await test('annotations of a modification are on the message when it comes back', async (trial) => {
    const made = await connect(trial);
    const at = address('annotated');
    await send(await sender(made, at), { body: 1, message_annotations: { 'x-opt-kept': 'yes', 'x-opt-changed': 'before' } });
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(2);
    (await inbox.next()).delivery.modified({ message_annotations: { 'x-opt-changed': 'after', 'x-opt-new': 7 } });
    const { message, delivery } = await inbox.next();
    const { 'x-opt-kept': kept, 'x-opt-changed': changed, 'x-opt-new': fresh } = message.message_annotations;
    assert.deepEqual([kept, changed, fresh], ['yes', 'after', 7]);
    delivery.accept();
  });

  await test('deliveries may be settled in any order', async (trial) => {
    const { made, at } = await queue(trial, 'order', 10);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(10);
    const taken = await inbox.take(10);
    for (const i of [9, 0, 5, 3]) taken[i].delivery.accept();
    for (const i of [8, 1]) taken[i].delivery.release();
    asked.close();
    await event(asked, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [1, 2, 4, 6, 7, 8]);
  });

  await test(
    'a message that is released right after another was accepted comes back',
    async (trial) => {
      const { made, at } = await queue(trial, 'one-turn', 2);
      const { receiver: asked, inbox } = await receiver(made, byHand(at));
      asked.add_credit(2);
      const [first, second] = await inbox.take(2);
      first.delivery.accept();
      second.delivery.release();
      asked.close();
      await event(asked, 'receiver_close');
      assert.deepEqual(bodies(await rest(made, at)), [1]);
    },
    {
      todo: 'fault of the client: rhea/lib/session.js:102 compares outcomes only from the third delivery of a turn on, and says accepted of both: the frame is disposition(first=0, last=1, accepted)',
    },
  );

  await test('unsettled messages of a closed link come back in order, uncounted', async (trial) => {
    const { made, at } = await queue(trial, 'closed', 5);
    const { receiver: asked, inbox } = await receiver(made, byHand(at));
    asked.add_credit(3);
    await inbox.take(3);
    asked.close();
    await event(asked, 'receiver_close');
    const again = await rest(made, at);
    assert.deepEqual(bodies(again), [0, 1, 2, 3, 4]);
    assert.deepEqual(
      again.map(({ message }) => message.delivery_count),
      [0, 0, 0, 0, 0],
    );
  });

  await test('unsettled messages of a connection that broke come back as failed once', async (trial) => {
    const { made, at } = await queue(trial, 'broken', 2);
    const broken = await connect(trial, {}, { errors: true });
    const { receiver: asked, inbox } = await receiver(broken, byHand(at));
    asked.add_credit(1);
    await inbox.take(1);
    broken.socket.destroy();
    const { inbox: after } = await receiver(made, at);
    const again = (await after.take(2)).sort((a, b) => a.message.body - b.message.body);
    assert.deepEqual(
      again.map(({ message }) => [message.body, message.delivery_count]),
      [
        [0, 1],
        [1, 0],
      ],
    );
  });

  await test('a receiver that settles second is told the same outcome, and that it is settled', async (trial) => {
    const { made, at } = await queue(trial, 'second', 2);
    const { receiver: asked, inbox } = await receiver(made, byHand(at, { rcv_settle_mode: 1 }));
    assert.equal(asked.rcv_settle_mode, 1);
    asked.add_credit(1);
    for (const settle of ['accept', 'release']) {
      const { delivery } = await inbox.next();
      assert.equal(delivery.remote_settled, false);
      delivery[settle]();
      const { delivery: told } = await event(asked, 'settled');
      assert.equal(told, delivery);
      assert.equal(told.remote_settled, true);
      assert.equal(outcome(told), settle === 'accept' ? 'accepted' : 'released');
      if (settle === 'accept') asked.add_credit(1);
    }
    assert.deepEqual(bodies(await rest(made, at)), [1]);
  });

  await test('a sender without autosettle is told the outcome once, and settles later', async (trial) => {
    const made = await connect(trial);
    const at = address('autosettle');
    const link = await sender(made, { target: at, autosettle: false });
    const delivery = link.send({ body: 'kept' });
    let told = 0;
    link.on('accepted', () => told++);
    await event(link, 'settled');
    assert.equal(told, 1);
    assert.equal(delivery.settled, false);
    delivery.update(true);
    assert.equal(outcome(await send(link, { body: 'next' }, 'a tag of our own')), 'accepted');
    assert.deepEqual(bodies(await rest(made, at)), ['kept', 'next']);
  });

  await test('presettled messages arrive, and nothing is answered', async (trial) => {
    const made = await connect(trial);
    const at = address('presettled');
    const link = await sender(made, { target: at, snd_settle_mode: 1 });
    link.on('settled', () => trial.fail(new Error('a presettled message was answered')));
    for (let body = 0; body < 100; body++) link.send({ body });
    const { inbox } = await receiver(made, at);
    assert.deepEqual(
      await inbox.bodies(100),
      numbers(100).map(({ body }) => body),
    );
  });

  await test('a receiver may have its messages settled by the broker', async (trial) => {
    const { made, at } = await queue(trial, 'settled', 3);
    const { receiver: asked, inbox } = await receiver(made, byHand(at, { snd_settle_mode: 1 }));
    assert.equal(asked.snd_settle_mode, 1);
    asked.add_credit(2);
    for (const { delivery } of await inbox.take(2)) assert.equal(delivery.remote_settled, true);
    asked.close();
    await event(asked, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, at)), [2]);
  });

  await test('a link that is detached and attached again by name goes on', async (trial) => {
    const { made, at } = await queue(trial, 'again', 3);
    const name = address('link');
    for (const body of [0, 1, 2]) {
      const { receiver: asked, inbox } = await receiver(made, { name, source: at, credit_window: 0 });
      asked.add_credit(1);
      assert.deepEqual(await inbox.bodies(1), [body]);
      asked.detach();
      await event(asked, 'receiver_close');
      await new Promise(setImmediate);
    }
  });

  await test('a link of the same name in another session takes the place of the first, which is told', async (trial) => {
    const { made, at } = await queue(trial, 'stolen', 1);
    const [first, second] = [made.create_session(), made.create_session()];
    first.begin();
    second.begin();
    const name = address('link');
    const { receiver: old, inbox: lost } = await receiver(first, byHand(at, { name }));
    old.add_credit(1);
    await lost.next();
    const stolen = event(old, 'receiver_error');
    old.on('receiver_close', () => {});
    const link = second.open_receiver({ name, source: at });
    const inbox = new Inbox(link);
    const { receiver: ended } = await stolen;
    assert.equal(ended.error.condition, 'amqp:link:stolen');
    assert.deepEqual(await inbox.bodies(1), [0]);
  });

  await test('a link of the same name of another container is another link', async (trial) => {
    const one = await connect(trial);
    const other = await connect(trial);
    const at = address('names');
    const name = address('link');
    const links = [await sender(one, { name, target: at }), await sender(other, { name, target: at })];
    for (const link of links) assert.equal(outcome(await send(link, { body: 1 })), 'accepted');
    assert.equal((await rest(one, at)).length, 2);
  });

  await test('many links of one session work at the same time', async (trial) => {
    const made = await connect(trial);
    const places = Array.from({ length: 50 }, () => address('fan'));
    const links = await Promise.all(places.map((at) => sender(made, at)));
    const inboxes = await Promise.all(places.map((at) => receiver(made, at)));
    const sent = links.map((link, i) => send(link, { body: i }));
    for (const delivery of await Promise.all(sent)) assert.equal(outcome(delivery), 'accepted');
    for (const [i, { inbox }] of inboxes.entries()) assert.deepEqual(await inbox.bodies(1), [i]);
  });

  await test('a full queue rejects a message as amqp:resource-limit-exceeded and says which limit', async (trial) => {
    configured();
    const made = await connect(trial);
    await rest(made, 'rhea.full');
    const link = await sender(made, 'rhea.full');
    const outcomes = [];
    for (let body = 0; body < 5; body++) outcomes.push(await send(link, { body }));
    assert.deepEqual(outcomes.map(outcome), ['accepted', 'accepted', 'accepted', 'rejected', 'rejected']);
    const { error } = outcomes[3].remote_state;
    assert.equal(error.condition, 'amqp:resource-limit-exceeded');
    assert.match(error.description, /rhea\.full/);
    assert.equal(error.info.queue, 'rhea.full');
    assert.deepEqual(bodies(await rest(made, 'rhea.full')), [0, 1, 2]);
    assert.equal(outcome(await send(link, { body: 'room again' })), 'accepted');
    await rest(made, 'rhea.full');
  });

  await test('a message that waits for room is accepted when a consumer makes some', async (trial) => {
    configured();
    const made = await connect(trial);
    await rest(made, 'rhea.slow');
    const link = await sender(made, 'rhea.slow');
    await send(link, { body: 'first' });
    const waiting = send(link, { body: 'second' });
    let answered = false;
    waiting.then(() => (answered = true));
    const { receiver: consumer, inbox } = await receiver(made, byHand('rhea.slow'));
    consumer.add_credit(1);
    const { delivery } = await inbox.next();
    assert.equal(answered, false);
    delivery.accept();
    assert.equal(outcome(await waiting), 'accepted');
    consumer.close();
    await event(consumer, 'receiver_close');
    assert.deepEqual(bodies(await rest(made, 'rhea.slow')), ['second']);
  });

  await test('an exclusive queue refuses a second consumer with a condition', async (trial) => {
    configured();
    const made = await connect(trial);
    await receiver(made, 'rhea.exclusive');
    const second = made.open_receiver('rhea.exclusive');
    const { receiver: refused } = await event(second, 'receiver_error');
    assert.equal(refused.error.condition, 'amqp:resource-locked');
    assert.equal(refused.source.address, undefined);
  });

  await test('a receiver of rhea with its defaults gets what a sender of rhea with its defaults sends', async (trial) => {
    // As in rhea's README: one connection, one receiver, one sender, and the events on the container.
    const made = await connect(trial);
    const at = address('hello');
    const said = event(made.container, 'message');
    made.container.once('sendable', ({ sender: link }) => link.send({ body: 'Hello World!' }));
    made.open_receiver(at);
    made.open_sender(at);
    assert.equal((await said).message.body, 'Hello World!');
  });
};

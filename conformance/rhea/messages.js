'use strict';
// Messages: every section, every type, every kind of body, and sizes; what was sent is what arrives.

const assert = require('node:assert/strict');
const { createHash, randomBytes } = require('node:crypto');
const { test } = require('../tap/tap.js');
const { rhea, address, connect, event, sender, receiver, send, sendAll, outcome } = require('./broker.js');

const { types, message: sections } = rhea;

/** Sends one message and receives it, with another connection. */
async function pass(trial, message) {
  const at = address('message');
  assert.equal(outcome(await send(await sender(await connect(trial), at), message)), 'accepted');
  const { inbox } = await receiver(await connect(trial), at);
  return (await inbox.next()).message;
}

const big = Buffer.from([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]);

const TYPES = {
  null: null,
  'boolean true': types.True(),
  'boolean false, in a byte': types.Boolean(0),
  ubyte: types.wrap_ubyte(255),
  ushort: types.wrap_ushort(65535),
  uint: types.wrap_uint(4294967295),
  'uint 0': types.wrap_uint(0),
  'uint in a byte': types.wrap_uint(200),
  ulong: types.wrap_ulong(9007199254740991),
  'ulong beyond a double': types.wrap_ulong(Buffer.alloc(8, 0xff)),
  'ulong 0': types.wrap_ulong(0),
  byte: types.wrap_byte(-128),
  short: types.wrap_short(-32768),
  int: types.wrap_int(-2147483648),
  'int in a byte': types.wrap_int(-7),
  long: types.wrap_long(-9007199254740991),
  'long beyond a double': types.wrap_long(big),
  float: types.wrap_float(0.25),
  double: types.wrap_double(Math.PI),
  'double infinity': types.wrap_double(-Infinity),
  decimal32: types.Decimal32(Buffer.from('22500001', 'hex')),
  decimal64: types.Decimal64(Buffer.from('2238000000000001', 'hex')),
  decimal128: types.Decimal128(Buffer.from('22080000000000000000000000000001', 'hex')),
  'char beyond 16 bits': types.wrap_char(0x1f600),
  'timestamp before 1970': types.wrap_timestamp(-1234567890123),
  uuid: types.wrap_uuid(rhea.string_to_uuid('00112233-4455-6677-8899-aabbccddeeff')),
  binary: types.wrap_binary(Buffer.from([0, 1, 2, 254, 255])),
  'empty binary': types.wrap_binary(Buffer.alloc(0)),
  'long binary': types.wrap_binary(Buffer.alloc(1000, 'xyz')),
  string: types.wrap_string('Grüße, 世界, 😀, \u0000 and \u200b'),
  'empty string': types.wrap_string(''),
  'long string': types.wrap_string('ä'.repeat(400)),
  symbol: types.wrap_symbol('a-symbol'),
  'long symbol': types.wrap_symbol('s'.repeat(300)),
  'empty list': types.wrap_list([]),
  list: types.wrap_list([1, 'two', null, [3, [4, [5]]], { six: 6 }]),
  map: types.wrap_map({ a: 1, b: [2, 3], c: { d: { e: 'deep' } } }),
  'map with keys of all kinds': types.wrap_map_as_map(
    new Map([
      [1, 'one'],
      ['two', 2],
      [true, 'three'],
      [types.wrap_symbol('four'), 4],
    ]),
  ),
  'array of ints': types.wrap_array([1, -2, 3], 0x71),
  'array of symbols': types.wrap_array(['a', 'bc', ''], 0xa3),
  'empty array': types.wrap_array([], 0xa1),
  'array of lists': types.Array32([[types.wrap_int(1)], [types.wrap_string('x'), types.wrap_int(2)]], 0xd0),
  'described by a symbol': types.wrap_described('a value', 'com:example:type:string'),
  'described by a ulong': types.wrap_described([1, 2], 0x1234567890),
};

function encoded(value) {
  const writer = new types.Writer();
  writer.write(types.wrap(value));
  return writer.toBuffer();
}

const section = (code, value) => Buffer.concat([Buffer.from([0x00, 0x53, code]), encoded(value)]);

/** The bytes of a message after its header and delivery annotations: no one on the way may change them (section 3.2). */
function bare(bytes) {
  const reader = new types.Reader(bytes);
  let from = 0;
  while (reader.remaining()) {
    if (![0x70, 0x71].includes(reader.read().descriptor.value)) break;
    from = reader.position;
  }
  return bytes.subarray(from);
}

module.exports = async function messages() {
  await test('a value of each type arrives as the same bytes: as a body, in a list, as an annotation', async (trial) => {
    const at = address('types');
    const link = await sender(await connect(trial), at);
    const { inbox } = await receiver(await connect(trial), at);
    for (const [name, value] of Object.entries(TYPES)) {
      for (const body of [value, types.wrap_list([value, { key: value }])]) {
        const sent = Buffer.concat([section(0x72, types.wrap_symbolic_map({ 'x-opt-value': value })), section(0x77, body)]);
        // rhea gives a message of another format as the bytes that came; what is in it the broker does not mind.
        assert.equal(outcome(await send(link, sent, undefined, 7)), 'accepted', name);
        const { message: got, format } = await inbox.next();
        assert.equal(format, 7);
        assert.equal(bare(got).toString('hex'), bare(sent).toString('hex'), name);
      }
    }
  });

  await test('a value of each type is echoed through rhea, and is the same for the application', async (trial) => {
    const made = await connect(trial);
    const [to, back] = [address('echo'), address('echo')];
    const answers = await sender(await connect(trial), back);
    const { receiver: service } = await receiver(await connect(trial), to);
    service.on('message', ({ message }) =>
      answers.send({ body: message.body, application_properties: message.application_properties }),
    );
    const link = await sender(made, to);
    const { inbox } = await receiver(made, back);
    for (const [name, value] of Object.entries(TYPES).filter(([type]) => !type.startsWith('described'))) {
      const expected = sections.decode(sections.encode({ body: value })).body;
      link.send({ body: expected, application_properties: { name } });
      const { message } = await inbox.next();
      assert.equal(message.application_properties.name, name);
      assert.deepEqual(message.body, sections.decode(sections.encode({ body: expected })).body, name);
    }
  });

  await test(
    'a body that is a described value keeps its descriptor',
    async () => {
      // No matter of the broker: what rhea encodes lacks it.
      const body = types.wrap_described('a value', 'com:example:type');
      assert.ok(sections.encode({ body }).includes('com:example:type'));
    },
    {
      todo: 'fault of the client: rhea/lib/types.js:581 (via message.js:152) puts the descriptor of the section in place of that of the value',
    },
  );

  await test('all properties arrive', async (trial) => {
    const sent = {
      message_id: 'id-1',
      user_id: Buffer.from('someone'),
      to: 'to/somewhere',
      subject: 'subject',
      reply_to: 'reply/here',
      correlation_id: 'correlation-1',
      content_type: 'text/plain',
      content_encoding: 'identity',
      absolute_expiry_time: new Date(Date.now() + 3600000),
      creation_time: new Date(1500000000123),
      group_id: 'group',
      group_sequence: 4294967295,
      reply_to_group_id: 'reply group',
    };
    const got = await pass(trial, { ...sent, body: 1 });
    for (const [name, value] of Object.entries(sent)) assert.deepEqual(got[name], value, name);
  });

  for (const [kind, id] of Object.entries({
    'a string': 'text',
    'a ulong': 123456,
    'a uuid': rhea.string_to_uuid('00112233-4455-6677-8899-aabbccddeeff'),
    binary: types.wrap_binary(Buffer.from([1, 2, 3])),
  })) {
    await test(`message-id and correlation-id may be ${kind}`, async (trial) => {
      const got = await pass(trial, { message_id: id, correlation_id: id, body: 1 });
      const expected = id.value || id;
      assert.deepEqual(got.message_id, expected);
      assert.deepEqual(got.correlation_id, expected);
    });
  }

  await test('the header arrives, and the time to live grows no longer', async (trial) => {
    const got = await pass(trial, { durable: true, priority: 7, ttl: 100000, body: 1 });
    assert.deepEqual([got.durable, got.priority, got.delivery_count], [true, 7, 0]);
    assert.ok(got.ttl > 0 && got.ttl <= 100000, `${got.ttl}`);
  });

  await test('each message has a header, also when none was sent', async (trial) => {
    const at = address('header');
    const link = await sender(await connect(trial), at);
    const { inbox } = await receiver(await connect(trial), at);
    // The value 'x', and no other section.
    await send(link, Buffer.from('005377a10178', 'hex'), undefined, 0);
    const { message } = await inbox.next();
    // rhea has these fields of a header only when there is one.
    assert.deepEqual([message.durable, message.delivery_count, message.body], [false, 0, 'x']);
  });

  await test('annotations and application properties arrive', async (trial) => {
    const sent = {
      message_annotations: { 'x-opt-list': [1, 2], 'x-opt-map': { a: 1 }, 'x-opt-date': new Date(0), plain: 'key' },
      application_properties: {
        text: 'äöü',
        number: 1.5,
        yes: true,
        nothing: null,
        count: 7,
        data: Buffer.from('bytes'),
        '': 'empty key',
      },
      body: 'body',
    };
    const got = await pass(trial, sent);
    for (const [key, value] of Object.entries(sent.message_annotations))
      assert.deepEqual(got.message_annotations[key], value, key);
    assert.deepEqual({ ...got.application_properties }, sent.application_properties);
  });

  await test(
    'a footer arrives',
    async (trial) => {
      const got = await pass(trial, { footer: { 'x-opt-sum': 'abc' }, body: 'body' });
      assert.deepEqual({ ...got.footer }, { 'x-opt-sum': 'abc' });
    },
    {
      todo: 'fault of the client: rhea/lib/message.js:145,156 writes the footer before the body; section 3.2 has it last, and the broker rejects what is out of order',
    },
  );

  for (const [kind, body] of Object.entries({
    'one data section': sections.data_section(Buffer.from('data')),
    'several data sections': sections.data_sections([Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')]),
    'one sequence': sections.sequence_section([1, 'two', { three: 3 }]),
    'several sequences': sections.sequence_sections([[1], [2, 3], []]),
    'a null value': null,
    'an empty string': '',
  })) {
    await test(`a body may be ${kind}`, async (trial) => {
      const expected = sections.decode(sections.encode({ body })).body;
      assert.deepEqual((await pass(trial, { body })).body, expected);
    });
  }

  for (const [size, more] of [
    ['5 MiB', {}],
    ['5 MiB, durable', { durable: true }],
  ]) {
    await test(`a message of ${size} passes`, async (trial) => {
      const body = randomBytes(5 * 1024 * 1024);
      const got = await pass(trial, { ...more, application_properties: { sum: 1 }, body });
      assert.equal(createHash('sha256').update(got.body).digest('hex'), createHash('sha256').update(body).digest('hex'));
      assert.equal(got.application_properties.sum, 1);
    });
  }

  await test('a session window of 10 frames is enough for 200 messages', async (trial) => {
    const at = address('windows');
    const session = (await connect(trial)).create_session({ incoming: 10, outgoing: 10 });
    session.begin();
    await event(session, 'session_open');
    const link = await sender(session, at);
    await sendAll(
      link,
      Array.from({ length: 200 }, (_, body) => ({ body })),
    );
    const { inbox } = await receiver(session, at);
    assert.deepEqual(
      await inbox.bodies(200),
      Array.from({ length: 200 }, (_, i) => i),
    );
  });

  await test(
    'a message of more frames than the session window passes',
    async (trial) => {
      const at = address('windows');
      const body = randomBytes(64 * 1024);
      const made = await connect(trial, { max_frame_size: 4096 });
      assert.equal(outcome(await send(await sender(made, at), { body })), 'accepted');
      const session = made.create_session({ incoming: 10 });
      session.begin();
      const { inbox } = await receiver(session, { source: at, credit_window: 1 });
      assert.ok(body.equals((await inbox.next()).message.body));
    },
    {
      seconds: 2,
      todo: 'fault of the client: rhea/lib/session.js:406,647 renews the window of a session only when something else makes it process, so it never comes within a message',
    },
  );

  await test('a message of 1 MiB passes in frames of 4 KiB', async (trial) => {
    const at = address('frames');
    const body = randomBytes(1024 * 1024);
    const made = await connect(trial, { max_frame_size: 4096 });
    assert.equal(outcome(await send(await sender(made, at), { body })), 'accepted');
    const { inbox } = await receiver(made, { source: at, credit_window: 1 });
    assert.ok(body.equals((await inbox.next()).message.body));
  });

  await test('messages of all sizes around the size of a frame pass in order', async (trial) => {
    const made = await connect(trial, { max_frame_size: 2048 });
    const at = address('sizes');
    const sizes = [0, 1, 254, 255, 256, 1000, 1900, 1950, 1990, 1995, 2000, 2010, 2040, 2048, 2049, 4000, 4096, 6144, 65536];
    await sendAll(
      await sender(made, at),
      sizes.map((size) => ({ body: Buffer.alloc(size, 'z') })),
    );
    const { inbox } = await receiver(made, at);
    assert.deepEqual(
      (await inbox.bodies(sizes.length)).map(({ length }) => length),
      sizes,
    );
  });

  await test('messages of a format of their own keep it', async (trial) => {
    const at = address('format');
    const made = await connect(trial);
    const payload = sections.encode({ body: 'in a batch' });
    assert.equal(outcome(await send(await sender(made, at), payload, undefined, 0x80013700)), 'accepted');
    const { inbox } = await receiver(made, at);
    const { message, format } = await inbox.next();
    assert.equal(format, 0x80013700);
    assert.equal(bare(message).toString('hex'), bare(payload).toString('hex'));
  });

  await test('delivery tags are those of the sender, of any kind, and may be used again', async (trial) => {
    const made = await connect(trial);
    const link = await sender(made, address('tags'));
    for (const tag of ['a', Buffer.from([0]), Buffer.alloc(32, 9), 'a'])
      assert.equal(outcome(await send(link, { body: 1 }, Buffer.from(tag))), 'accepted');
  });
};

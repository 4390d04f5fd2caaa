// Sends and receives messages as raw bytes with rhea, and says what they mean as rhea's reader of types sees it.
//
// Reads commands from standard input and writes answers to standard output, a line of JSON each; one at a time.
//   {"do": "send", "address": a, "messages": [hex], "options": {...}}   -> {"outcomes": ["accepted", ...]}
//   {"do": "receive", "address": a, "count": n, "options": {...}}       -> {"messages": [hex]}
//   {"do": "decode", "message": hex}                                    -> {"means": [[section, "text"], ...]}
// What fails is answered with {"fault": "..."}.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const rhea = require('rhea');
const { types } = rhea;

const LIMIT_SECONDS = 30;
const HEADER = 0x70;

// rhea hands out decoded messages only. What it is to decode are the raw bytes, and those are what is wanted here.
const raw = require('rhea/lib/message.js');
raw.decode = (buffer) => buffer;

const SECTIONS = {
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': 0x73,
  'amqp:application-properties:map': 0x74,
  'amqp:data:binary': 0x75,
  'amqp:amqp-sequence:list': 0x76,
  'amqp:amqp-value:*': 0x77,
  'amqp:footer:map': 0x78,
};

/** What a value that rhea has read means, in the words of corpus.py. */
function meaning(typed) {
  const value = valueMeaning(typed);
  return typed.descriptor ? `described(${meaning(typed.descriptor)}, ${value})` : value;
}

function valueMeaning({ type, value, array_constructor: elements }) {
  switch (type.name) {
    case 'Null': return 'null';
    case 'True': case 'False': case 'Boolean': return `boolean ${Boolean(value)}`;
    case 'Ubyte': return `ubyte ${value}`;
    case 'Ushort': return `ushort ${value}`;
    case 'Uint': case 'SmallUint': case 'Uint0': return `uint ${value}`;
    case 'Ulong': case 'SmallUlong': case 'Ulong0': return `ulong ${Buffer.isBuffer(value) ? value.readBigUInt64BE() : value}`;
    case 'Byte': return `byte ${value}`;
    case 'Short': return `short ${value}`;
    case 'Int': case 'SmallInt': return `int ${value}`;
    case 'Long': case 'SmallLong': return `long ${Buffer.isBuffer(value) ? value.readBigInt64BE() : value}`;
    case 'Float': return `float ${Number.isNaN(value) ? 'NaN' : hexOf(4, (b) => b.writeFloatBE(value))}`;
    case 'Double': return `double ${Number.isNaN(value) ? 'NaN' : hexOf(8, (b) => b.writeDoubleBE(value))}`;
    case 'Decimal32': case 'Decimal64': case 'Decimal128': return `${type.name.toLowerCase()} ${value.toString('hex')}`;
    case 'CharUTF32': return `char ${value}`;
    case 'Timestamp': return `timestamp ${value.getTime()}`;
    case 'Uuid': return `uuid ${value.toString('hex')}`;
    case 'Vbin8': case 'Vbin32': return `binary ${value.toString('hex')}`;
    case 'Str8': case 'Str32': return `string ${value}`;
    case 'Sym8': case 'Sym32': return `symbol ${value}`;
    case 'List0': case 'List8': case 'List32': return `list[${value.map(meaning).join(', ')}]`;
    case 'Map8': case 'Map32': return `map{${pairs(value).join(', ')}}`;
    case 'Array8': case 'Array32': return `array[${value.map((v) => elementMeaning(v, elements)).join(', ')}]`;
    default: return `unknown ${type.name}`;
  }
}

function elementMeaning(element, { descriptor }) {
  const value = meaning(element);
  return descriptor ? `described(${meaning(descriptor)}, ${value})` : value;
}

function pairs(elements) {
  const found = [];
  for (let i = 0; i < elements.length; i += 2) {
    found.push(`${meaning(elements[i])}: ${meaning(elements[i + 1])}`);
  }
  return found;
}

function hexOf(size, write) {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer.toString('hex');
}

function decode({ message }) {
  const reader = new types.Reader(Buffer.from(message, 'hex'));
  const means = [];
  while (reader.remaining() > 0) {
    // Descriptor and value one by one: of a value that has more than one descriptor rhea keeps the first only.
    reader.read_typecode();
    const descriptor = reader.read().value;
    const value = reader.read();
    const code = SECTIONS[descriptor] ?? Number(descriptor);
    if (code !== HEADER) {
      means.push([code, meaning(value)]);
    }
  }
  return { means };
}

/** A connection that does one thing. `begin` gets it and what to call at the end: done(answer) or fail(reason). */
function talk(options, state, begin) {
  return new Promise((resolve, reject) => {
    const container = rhea.create_container({ id: options.container ?? `fidelity.rhea.${process.pid}` });
    const connection = container.connect({
      host: process.env.AMQP_HOST,
      port: Number(process.env.AMQP_PORT),
      reconnect: false,
      max_frame_size: options.frame,
    });
    let ended = false;
    const end = (call, value) => {
      if (!ended) {
        ended = true;
        clearTimeout(limit);
        connection.close();
        call(value);
      }
    };
    const fail = (reason) => end(reject, new Error(String(reason)));
    const seconds = options.seconds ?? LIMIT_SECONDS;
    const limit = setTimeout(() => fail(`not done within ${seconds} s: ${state()}`), seconds * 1000);
    for (const endpoint of ['connection', 'session', 'sender', 'receiver']) {
      connection.on(`${endpoint}_error`, (context) => fail(`the ${endpoint} ended: ${context[endpoint].error}`));
      connection.on(`${endpoint}_close`, () => fail(`the ${endpoint} ended`));
    }
    connection.on('disconnected', (context) => fail(`the connection was lost: ${context.error}`));
    connection.on('protocol_error', fail);
    connection.on('error', fail);
    begin(connection, (answer) => end(resolve, answer), fail);
  });
}

function send({ address, messages, options }) {
  const outcomes = new Array(messages.length).fill(null);
  let begun = 0;
  let open = messages.length;
  return talk(options, () => `${open} of ${messages.length} have no outcome`, (connection, done) => {
    const target = { address, capabilities: options.topic ? ['topic'] : undefined };
    const sender = connection.open_sender({ target });
    const numbers = new Map();
    const answered = (outcome) => ({ delivery }) => {
      const n = numbers.get(delivery.id);
      if (outcomes[n] === null) {
        const error = delivery.remote_state?.error;
        outcomes[n] = error ? `${outcome} ${error.condition}: ${error.description}` : outcome;
        open -= 1;
        if (open === 0) {
          done({ outcomes });
        }
      }
    };
    for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
      connection.on(outcome, answered(outcome));
    }
    connection.on('sendable', () => {
      while (begun < messages.length && sender.sendable()) {
        const delivery = sender.send(Buffer.from(messages[begun], 'hex'), String(begun), 0);
        numbers.set(delivery.id, begun);
        begun += 1;
      }
    });
  });
}

function receive({ address, count, options }) {
  const messages = [];
  const toFail = [];
  return talk(options, () => `${messages.length} of ${count} came`, (connection, done, fail) => {
    const source = { address };
    if (options.durable) {
      Object.assign(source, { durable: 2, expiry_policy: 'never', capabilities: ['topic'] });
    }
    if (options.browse) {
      source.distribution_mode = 'copy';
    }
    const receiver = connection.open_receiver({ name: options.link, source, credit_window: 0, autoaccept: false });
    const leave = () => {
      const left = () => done({ messages });
      connection.removeAllListeners('receiver_close');
      connection.on('receiver_close', left);
      connection.on('receiver_detached', left);
      options.keep ? receiver.detach() : receiver.close();
    };
    connection.on('receiver_open', () => (count === 0 ? leave() : receiver.add_credit(count)));
    connection.on('receiver_drained', leave);
    connection.on('message', ({ message, delivery }) => {
      messages.push(message.toString('hex'));
      if (options.fail) {
        // Not before all are here: each of them would come again at once.
        toFail.push(delivery);
      } else if (options.reject) {
        delivery.reject({ condition: 'amqp:internal-error', description: 'not wanted' });
      } else if (!options.browse) {
        delivery.accept();
      }
      if (messages.length > count) {
        fail('more messages came than were sent');
      } else if (messages.length === count && options.fail) {
        toFail.forEach((each) => each.modified({ delivery_failed: true, message_annotations: { 'x-opt-tried': 1 } }));
        leave();
      } else if (messages.length === count) {
        // Whoever gets the credit of a drain and has no message more says so.
        receiver.drain = true;
        receiver.add_credit(1);
      }
    });
  });
}

function version() {
  const file = path.join(path.dirname(require.resolve('rhea')), '..', 'package.json');
  return { version: JSON.parse(fs.readFileSync(file, 'utf8')).version };
}

const commands = { send, receive, decode, version };

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
      answer = await commands[command.do](command);
    } catch (fault) {
      answer = { fault: String(fault.message ?? fault) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();

'use strict';
// A TAP 14 writer for the Node projects: one line a test as soon as it ended, and no test without a limit.

const { writeSync } = require('node:fs');

const LIMIT_SECONDS = 30;

let count = 0;
let failed = 0;

/** Thrown by a test that finds that it can't run here. */
class Skipped extends Error {}

function skip(reason) {
  throw new Skipped(reason);
}

/** Not by console.log: clients write there, too. */
function say(line) {
  writeSync(1, `${line}\n`);
}

function begin() {
  say('TAP version 14');
}

/** The rows that follow are of this client; its version is that of the package as installed. */
function client(name) {
  say(`# client ${name} ${require(require.resolve(`${name}/package.json`, { paths: [process.cwd()] })).version}`);
}

function row(ok, name, { directive, error } = {}) {
  say(`${ok ? 'ok' : 'not ok'} ${++count} - ${name.replace(/#/g, '\\#')}${directive ? ` # ${directive}` : ''}`);
  if (error !== undefined) {
    // A JSON text is a YAML text, too.
    const text = String((error && error.stack) || (error && error.description) || error);
    say(`  ---\n  message: ${JSON.stringify(text.split('\n').slice(0, 8).join('\n'))}\n  ...`);
  }
  if (!ok && !/^TODO/.test(directive || '')) failed++;
}

/** It passed; what was known to be wrong with it holds no longer, unless this is another broker, which may take other things. */
function passed(name, todo) {
  if (todo && process.env.BROKER_CRASH) row(false, name, { error: `it passes now, so this no longer holds: ${todo}` });
  else row(true, name);
}

const skipped = (name, reason) => row(true, name, { directive: `SKIP ${reason}` });
const failure = (name, error) => row(false, name, { error });
/** The client is at fault, and `why` says where to see it. */
const known = (name, why, error) => row(false, name, { directive: `TODO ${why}`, error });

/**
 * Runs one test: `body` is given a trial with `name` and `fail(error)`, which is for errors that come from elsewhere.
 * `todo` is the evidence that the client fails it through a fault of its own.
 */
async function test(name, body, { todo, seconds = LIMIT_SECONDS } = {}) {
  let timer;
  const trial = { name, closing: [] };
  const cut = new Promise((_, reject) => {
    trial.fail = reject;
    timer = setTimeout(() => reject(new Error(`not done within ${seconds} s`)), seconds * 1000);
  });
  const uncaught = (error) => trial.fail(error);
  process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught);
  let error;
  try {
    await Promise.race([cut, (async () => body(trial))()]);
  } catch (e) {
    error = e === undefined ? new Error('failed without a word') : e;
  }
  clearTimeout(timer);
  for (const close of trial.closing.reverse()) {
    await Promise.resolve()
      .then(close)
      .catch((e) => (error = error || e));
  }
  process.off('uncaughtException', uncaught).off('unhandledRejection', uncaught);
  if (error instanceof Skipped) skipped(name, error.message);
  else if (error !== undefined && todo) known(name, todo, error);
  else if (error !== undefined) failure(name, error);
  else passed(name, todo);
}

/** Prints the plan and ends the process. */
function end() {
  say(`1..${count}`);
  process.exit(failed ? 1 : 0);
}

module.exports = { begin, client, test, passed, skipped, failure, known, skip, end };

'use strict';
// The broker under test as the environment tells of it.

const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const { skip } = require('../tap/tap.js');

const { env } = process;
const url = new URL(env.AMQP_URL || 'amqp://127.0.0.1:5672');
const host = env.AMQP_HOST || url.hostname;
const port = Number(env.AMQP_PORT || url.port || 5672);
const runId = env.RUN_ID || `run${Date.now()}`;

let addresses = 0;
const address = (word) => `${runId}.amqp10.${word}.${++addresses}`;

/** The URL of the listener that wants a user, with this user in it. */
function ofUser(user = env.AMQP_USER, password = env.AMQP_PASSWORD) {
  if (!env.AMQP_USER_PORT) skip('the broker has no listener that wants a user');
  return `amqp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${env.AMQP_USER_HOST}:${env.AMQP_USER_PORT}`;
}

async function crash() {
  if (!env.BROKER_CRASH) skip("the broker can't be crashed from here");
  await promisify(execFile)('sh', ['-c', env.BROKER_CRASH]);
}

module.exports = { host, port, runId, address, ofUser, crash, url: `amqp://${host}:${port}` };

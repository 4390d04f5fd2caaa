'use strict';
// How many messages a queue has, counted by a browser: amqp10 can't drain, so rhea does it.

const { once } = require('node:events');
const rhea = require('rhea');
const { host, port } = require('./broker.js');

async function depth(address) {
  const connection = rhea.create_container().connect({ host, port, reconnect: false });
  const browser = connection.open_receiver({ source: { address, distribution_mode: 'copy' }, credit_window: 0 });
  let count = 0;
  browser.on('message', () => count++);
  await once(browser, 'receiver_open');
  browser.add_credit(1000);
  browser.drain_credit();
  await once(browser, 'receiver_drained');
  connection.close();
  await once(connection, 'connection_close');
  return count;
}

/** The part of the module qmf2 that amqp10's tests use. */
function inPlaceOfManagement(own) {
  return class BrokerAgent {
    async initialize() {
      return this;
    }

    async getQueue(name) {
      return { msgDepth: await depth(own(name)) };
    }
  };
}

module.exports = { depth, inPlaceOfManagement };

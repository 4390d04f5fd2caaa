'use strict';
// Runs all, or with words on the command line only the files whose names have them: node conformance.js suite

// amqp10 tells of oddities on the console, which would be in between the rows.
console.log = console.error;

const tap = require('../tap/tap.js');

async function run() {
  const wanted = process.argv.slice(2);
  tap.begin();
  tap.client('amqp10');
  for (const file of ['programs', 'suite']) {
    if (!wanted.length || wanted.some((word) => file.includes(word))) await require(`./${file}.js`)();
  }
  tap.end();
}

run();

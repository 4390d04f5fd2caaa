'use strict';
// Runs all, or with words on the command line only the files whose names have them: node conformance.js links

const tap = require('../tap/tap.js');

const SECTIONS = {
  rhea: ['connections', 'links', 'nodes', 'messages', 'transactions', 'secure', 'crash'],
  'rhea-promise': ['promises'],
};

async function run() {
  const wanted = process.argv.slice(2);
  tap.begin();
  for (const [client, files] of Object.entries(SECTIONS)) {
    const chosen = files.filter((file) => !wanted.length || wanted.some((word) => file.includes(word)));
    if (chosen.length) tap.client(client);
    for (const file of chosen) await require(`./${file}.js`)();
  }
  tap.end();
}

run();

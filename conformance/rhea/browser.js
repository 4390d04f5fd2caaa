'use strict';
// Runs page.html in headless Chromium, and hands over what it says when it is done.

const { spawn, spawnSync } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { createServer } = require('node:http');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { skip } = require('../tap/tap.js');

const CHROMIUM = process.env.CHROMIUM || 'chromium';

const FILES = {
  '/': ['text/html', path.join(__dirname, 'page.html')],
  '/page.js': ['text/javascript', path.join(__dirname, 'page.js')],
  '/rhea.js': ['text/javascript', require.resolve('rhea/dist/rhea.js')],
};

/** Serves the page, and resolves with what it posts: for each program in it 'done', or what went wrong. */
function serve() {
  let told;
  const said = new Promise((resolve) => (told = resolve));
  const server = createServer((request, response) => {
    const file = FILES[new URL(request.url, 'http://page').pathname];
    if (request.method === 'POST') {
      let text = '';
      request
        .on('data', (data) => (text += data))
        .on('end', () => {
          response.end();
          told(JSON.parse(text));
        });
    } else if (file) {
      response.setHeader('Content-Type', file[0]);
      response.end(readFileSync(file[1]));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ server, said })));
}

/** Opens the page, which connects to this WebSocket and uses addresses that begin with this. */
async function browse(trial, url, address) {
  if (spawnSync(CHROMIUM, ['--version']).status !== 0) skip('there is no Chromium here');
  const { server, said } = await serve();
  const profile = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  const to = `http://127.0.0.1:${server.address().port}/?${new URLSearchParams({ url, address })}`;
  const chromium = spawn(
    CHROMIUM,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--ignore-certificate-errors',
      `--user-data-dir=${profile}`,
      to,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => chromium.on('exit', resolve));
  trial.closing.push(async () => {
    chromium.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
  });
  return Promise.race([said, ended.then((code) => Promise.reject(new Error(`Chromium ended with ${code}`)))]);
}

module.exports = { browse };

'use strict';

// A scripted loopback server, and clients of it.

const http = require('node:http');
const { once } = require('node:events');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { Client } = require('..');

const CREDIT = '{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z","has_phone_sha256":true,"has_free_credit":null}';

/** What no wait that is cut short may take, and less than any timeout of a call that is meant to hang. */
const PROMPT_MS = 20_000;
const LONG = { timeoutMs: 120_000 };

const balance = (amount) => CREDIT.replace('12.345678', amount);
const silent = () => null;

/** `answer(request, n)` gives [status, body, headers], or null: never. */
async function serve(t, answer) {
  const requests = [];
  const waiting = [];
  const server = http.createServer((request, response) => {
    const scripted = answer(request, requests.length);
    requests.push(request);
    waiting.splice(0).forEach((resolve) => resolve());
    if (scripted === null) return;
    const [status, body, headers = {}] = scripted;
    response.writeHead(status, headers).end(body);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 511 });
  await once(server, 'listening');
  const made = [];
  t.after(() => {
    made.forEach((client) => client.close());
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    async arrived(count) {
      while (requests.length < count) {
        await new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`${requests.length} requests, not ${count}`)), 3 * PROMPT_MS);
          waiting.push(() => resolve(clearTimeout(timer)));
        });
      }
    },
    client(options = {}) {
      made.push(new Client({ apiKey: 'sk-test', baseUrl: this.url, ...options }));
      return made.at(-1);
    },
  };
}

/** Runs a program that has `fish`, and the options `LONG` of a client. */
function program(url, code, ...flags) {
  const begin = `const fish = require(${JSON.stringify(path.join(__dirname, '..'))});
    const LONG = ${JSON.stringify({ apiKey: 'sk-test', baseUrl: url, ...LONG })};`;
  return script(`${begin}\n${code}`, ...flags);
}

function script(code, ...flags) {
  const child = spawn(process.execPath, [...flags, '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  child.stderr.on('data', (data) => (said += data));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, said }));
  return { child, ended };
}

module.exports = { CREDIT, LONG, PROMPT_MS, balance, program, script, serve, silent };

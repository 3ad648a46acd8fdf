// A client in a process of its own that repeats requests until SIGTERM: node flood-client.js < <JSON>.
// Prints the number of answers by status. The JSON: url, connections, requests: [{ method, path, headers, body }].
import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'node:http';

const { url, connections, requests } = JSON.parse(readFileSync(0, 'utf8'));
const { hostname, port } = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const statuses = {};
const ending = new AbortController();
let next = 0;
let answered = 0;

function ask() {
  const { method, path, headers = {}, body } = requests[next++ % requests.length];
  const length =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const asked = send({ agent, hostname, port, method, path, headers: { ...length, ...headers } }, (answer) => {
      // Signals that the flood is under way
      if (++answered === connections) process.stdout.write('\n');
      statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
      answer.resume().once('close', resolve);
    });
    asked.once('error', () => {
      statuses.error = (statuses.error ?? 0) + 1;
      resolve();
    });
    asked.end(body);
  });
}

async function caller() {
  while (!ending.signal.aborted) await ask();
}

process.once('SIGTERM', () => ending.abort());
await Promise.all(Array.from({ length: connections }, caller));
agent.destroy();
process.stdout.write(JSON.stringify(statuses));

// A client that asks and asks, in a process of its own: node flood.js '<JSON>', until it is told to end.
// Prints how often it got which status. The JSON: url, connections, requests: [{ method, path, headers, body }].
import { Agent, request as send } from 'node:http';

const { url, connections, requests } = JSON.parse(process.argv[2] ?? '{}');
const { hostname, port } = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const statuses = {};
let isEnding = false;
let next = 0;

function ask() {
  const { method, path, headers = {}, body } = requests[next++ % requests.length];
  const length =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const asked = send({ agent, hostname, port, method, path, headers: { ...length, ...headers } }, (answer) => {
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
  while (!isEnding) await ask();
}

process.once('SIGTERM', () => (isEnding = true));
await Promise.all(Array.from({ length: connections }, caller));
agent.destroy();
process.stdout.write(JSON.stringify(statuses));

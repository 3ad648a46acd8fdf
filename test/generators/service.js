import { spawn } from 'node:child_process';
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SERVICE_TOKEN = 'a-service-token-of-at-least-32-characters';
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** A session of an owner of its own, as the account service signs it (RS256). */
export function sessionToken() {
  const now = Math.floor(Date.now() / 1000);
  const encoded = [
    { alg: 'RS256', typ: 'JWT' },
    { exp: now + 7200, iat: now, nbf: now - 60, sub: randomUUID() },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = createSign('RSA-SHA256').update(encoded.join('.')).sign(privateKey, 'base64url');
  return [...encoded, signature].join('.');
}

/** Starts the built service on an embedded database of its own, on 127.0.0.1. Resolves once it listens. */
export async function startService(root) {
  const folder = mkdtempSync(join(tmpdir(), 'generators-'));
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      JWT_PUBLIC_KEY: publicKey,
      SERVICE_TOKENS: `tests:${SERVICE_TOKEN}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  let output = '';
  const url = await new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const listening = /at (http:\/\/[\d.]+:\d+)/.exec(output);
      if (listening) resolve(listening[1]);
    });
    ended.then(() => resolve(undefined));
  });
  if (url) return { url, serviceToken: SERVICE_TOKEN, stop };
  await stop();
  throw new Error('the service did not start');
}

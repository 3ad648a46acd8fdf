import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvFile } from './env-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'w3k-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(content: string, environment: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const file = join(folder, '.env');
  writeFileSync(file, content);
  readEnvFile(environment, file);
  return environment;
}

it('adds the variables of the file, with quotes, comments and the output of Windows editors', () => {
  const text =
    '\uFEFFHOST=::1\r\n# where it listens\r\nPORT = 8001 # and there\r\nDATA_DIR="a b"\r\n\r\nexport LOG_LEVEL=\'debug\'\r\n';
  expect(read(text)).toEqual({ HOST: '::1', PORT: '8001', DATA_DIR: 'a b', LOG_LEVEL: 'debug' });
});

it('adds quoted values of several lines, and empty ones', () => {
  expect(read('A="-----BEGIN\n\nKEY-----"\nB=\n  C = \'x\'')).toEqual({ A: '-----BEGIN\n\nKEY-----', B: '', C: 'x' });
});

it('keeps variables that are set, even to an empty value', () => {
  expect(read('HOST=::1\nPORT=8001\n', { HOST: '', PORT: '80' })).toEqual({ HOST: '', PORT: '80' });
});

it('accepts a missing file', () => {
  expect(() => readEnvFile({}, join(folder, 'none'))).not.toThrow();
});

it.each([['HOST\nsecret word\nPORT=1\n'], ['PORT=1\nsecret word'], ['PORT: secret word\n']])(
  'rejects a line that is not a variable, and does not quote it: %j',
  (text) => {
    const reading = () => read(text);
    expect(reading).toThrow('.env: each line must be NAME=value');
    expect(reading).not.toThrow('secret word');
  },
);

it('rejects a file that cannot be read', () => {
  expect(() => readEnvFile({}, folder)).toThrow(`${folder}: EISDIR`);
});

import { jest } from '@jest/globals';
import { createLogger } from './logger.js';

const settings = { logLevel: 'debug', serviceTokens: [] } as const;
const development = { ...settings, production: false };
const ESCAPE = String.fromCodePoint(27);
const [YELLOW, RED, PLAIN] = ['[33m', '[31m', '[39m'].map((code) => ESCAPE + code);

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(() => void jest.restoreAllMocks());

const requestLine = (status: number) =>
  [`GET /x ${status}`, { request_id: 'r1', method: 'GET', route: '/x', status, duration_ms: 2 }, 'Request'] as const;

describe('a readable line', () => {
  it('contains each field once, with the time in 24 hours', () => {
    createLogger(development, false).log(...requestLine(200));
    const line =
      /^\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):\d{2}:\d{2} INFO  \[Request\] GET \/x 200 \{ request_id: 'r1', duration_ms: 2 \}\n$/;
    expect(lines).toEqual([expect.stringMatching(line)]);
  });

  it('uses 24 hours in the afternoon', () => {
    const time = jest.useFakeTimers({ now: new Date(2026, 10, 24, 15, 33, 38) });
    createLogger(development, false).log('ready', 'Service');
    time.useRealTimers();
    expect(lines).toEqual(['2026-11-24 15:33:38 INFO  [Service] ready\n']);
  });

  it.each([
    [200, '', ''],
    [304, '', ''],
    [404, YELLOW, PLAIN],
    [499, YELLOW, PLAIN],
    [503, RED, PLAIN],
  ])('is coloured by the status %i of a request', (status, begin, end) => {
    createLogger(development, true).log(...requestLine(status));
    expect(lines[0]).toContain(` ${begin}INFO  [Request] GET /x ${status}${end} {`);
  });

  it('is yellow for a warning and red for an error', () => {
    const logger = createLogger(development, true);
    logger.warn('careful', 'Service');
    logger.error('broken', 'Service');
    expect(lines.map((line) => line.slice('2026-11-24 15:33:38 '.length))).toEqual([
      `${YELLOW}WARN  [Service] careful${PLAIN}\n`,
      `${RED}ERROR [Service] broken${PLAIN}\n`,
    ]);
  });
});

it('is one JSON object in production, with the level names of LOG_LEVEL', () => {
  const logger = createLogger({ ...settings, production: true });
  logger.log(...requestLine(404));
  logger.warn('careful', 'Service');
  logger.error('broken', undefined, 'Service');
  logger.debug('detail', 'Service');
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info', 'warn', 'error', 'debug']);
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    message: 'GET /x 404',
    context: 'Request',
    method: 'GET',
    route: '/x',
    status: 404,
    duration_ms: 2,
  });
});

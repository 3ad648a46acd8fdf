import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Load, Seen, Work } from './load.js';
import { run } from './process.js';

export function isWrkInstalled(): Promise<boolean> {
  return run('sh', ['-c', 'command -v wrk']).then(
    () => true,
    () => false,
  );
}

/** One round of load by wrk, with one thread. */
export async function loadByWrk(url: string, work: Work, { seconds, connections }: Load): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), 'w3k-wrk-'));
  try {
    const script = join(folder, 'work.lua');
    writeFileSync(script, luaOf(work, folder));
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '30s', '-s', script];
    return read(work.name, await run('wrk', [...options, url + work.request.path]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function luaOf({ request: { method, headers, body }, bodies, authorizations, expects }: Work, folder: string): string {
  const lines = [`wrk.method = "${method}"`];
  for (const [name, value] of Object.entries(headers)) lines.push(`wrk.headers["${name}"] = ${quoted(value)}`);
  if (body !== undefined) lines.push(`wrk.body = ${quoted(body)}`);
  if (bodies || authorizations) {
    const names = Object.entries({ bodies, authorizations }).map(([name, values = []]) => {
      const file = join(folder, name);
      writeFileSync(file, values.join('\n'));
      return quoted(file);
    });
    lines.push(`local bodiesFile, authorizationsFile = ${names.join(', ')}`);
    lines.push(`local expects = ${quoted(expects)}`, IN_TURN);
  }
  return lines.join('\n');
}

/** Sends the values in turn and checks each answer, which costs wrk more than repeating one request. */
const IN_TURN = `
local function read(file)
  local lines = {}
  for line in io.lines(file) do lines[#lines + 1] = line end
  return lines
end
local bodies, authorizations = read(bodiesFile), read(authorizationsFile)
local sent, threads = 0, {}
wrong = 0
function request()
  if #bodies > 0 then wrk.body = bodies[sent % #bodies + 1] end
  if #authorizations > 0 then wrk.headers["authorization"] = authorizations[sent % #authorizations + 1] end
  sent = sent + 1
  return wrk.format()
end
function response(_, _, body)
  if not body:find(expects, 1, true) then wrong = wrong + 1 end
end
function setup(thread) table.insert(threads, thread) end
function done() print("wrong answers: " .. threads[1]:get("wrong")) end`;

function quoted(text: string): string {
  return `[==[${text}]==]`;
}

function read(name: string, report: string): Seen {
  const trouble = /Non-2xx.*|Socket errors.*|wrong answers: [1-9].*/.exec(report)?.[0];
  if (trouble) throw new Error(`${name}: ${trouble}`);
  return {
    answers: Number(/(\d+) requests in/.exec(report)?.[1]),
    perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(report)?.[1]),
    p50: milliseconds(/50% +(\S+)/.exec(report)?.[1]),
    p99: milliseconds(/99% +(\S+)/.exec(report)?.[1]),
  };
}

const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** wrk writes a time as `1.23ms`. */
function milliseconds(time = ''): number {
  const [, figure, unit = ''] = /^([\d.]+)(\w+)$/.exec(time) ?? [];
  return Number(figure) * (UNITS[unit] ?? Number.NaN);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets are found by this many of their last characters first. */
const PRINT_LENGTH = 12;

/** The secrets, of 12 characters or more, that occur in the text. */
export function secretsIn(text, secrets) {
  const byPrint = groupByPrint(secrets);
  const found = new Set();
  for (let end = PRINT_LENGTH; end <= text.length; end++) {
    for (const secret of byPrint.get(text.slice(end - PRINT_LENGTH, end)) ?? []) {
      if (text.slice(0, end).endsWith(secret)) found.add(secret);
    }
  }
  return [...found];
}

/** Searches all logs in the folder for all secrets in it. @throws Error if one occurs */
export function searchLogs(folder) {
  const read = (ending) => readdirSync(folder).filter((name) => name.endsWith(ending));
  const textOf = (name) => readFileSync(join(folder, name), 'utf8');
  const log = read('.log').map(textOf).join('\n');
  const secrets = [...new Set(read('.secrets').flatMap((name) => textOf(name).split('\n')))].filter(Boolean);
  const found = secretsIn(log, [...secrets, '$argon2id$v=19']);
  if (found.length > 0) throw new Error(`The log of the service holds secrets: ${found.join(', ')}`);
  return { lines: log.split('\n').length, secrets: secrets.length };
}

function groupByPrint(secrets) {
  const groups = new Map();
  for (const secret of secrets) groups.set(printOf(secret), [...(groups.get(printOf(secret)) ?? []), secret]);
  return groups;
}

function printOf(secret) {
  return secret.slice(-PRINT_LENGTH);
}

import type { ErrorDetail } from '../errors/api-error.js';
import { MAX_DEPTH, MAX_ELEMENTS, MAX_ELEMENTS_PER_LIST, MAX_MEMBERS, MAX_NAME_LENGTH } from './json-shape.js';
import { isReservedName } from './reserved-names.js';

/** Further ones are not looked for. */
const MAX_OFFENCES = 100;

/** An object or a list that is open. */
interface Level {
  isList: boolean;
  /** Where it is; empty for the body itself. */
  path: string;
  /** The names that have been there, and how often. */
  names: Map<string, number>;
  /** Of a list: how many elements have begun. */
  elements: number;
  /** Of an object: the name whose value comes next. */
  name: string;
}

/**
 * Names what a JSON text should not have, by its path: too much of anything, names that are too long, reserved or
 * there twice, however they are written. One pass, which ends with the first bound that is exceeded or with the 100th
 * offence. Of a text that is not valid JSON it may say anything, and still ends.
 */
export function jsonOffences(text: string): ErrorDetail[] {
  return new OffenceFinder(text).find();
}

/** What ends the pass. */
class Enough extends Error {}

class OffenceFinder {
  private readonly offences: ErrorDetail[] = [];
  private readonly open: Level[] = [];
  private at = 0;
  private members = 0;
  private elements = 0;

  constructor(private readonly text: string) {}

  find(): ErrorDetail[] {
    try {
      while (this.at < this.text.length) this.readToken();
    } catch (enough) {
      if (!(enough instanceof Enough)) throw enough;
    }
    return this.offences;
  }

  private readToken(): void {
    const character = this.text.charAt(this.at);
    if (character === '{' || character === '[') this.enter(character === '[');
    else if (character === '}' || character === ']') this.open.pop();
    else if (character === '"') return this.readString();
    else if (!/[\s,:]/.test(character)) return this.readScalar();
    this.at++;
  }

  private enter(isList: boolean): void {
    const path = this.beginValue();
    if (this.open.length === MAX_DEPTH) this.stop(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
    this.open.push({ isList, path, names: new Map(), elements: 0, name: '' });
  }

  /** Numbers, `true` and their like. */
  private readScalar(): void {
    this.beginValue();
    while (this.at < this.text.length && !/[\s,:{}[\]"]/.test(this.text.charAt(this.at))) this.at++;
  }

  private readString(): void {
    const begin = this.at++;
    while (this.at < this.text.length && this.text.charAt(this.at) !== '"')
      this.at += this.text.charAt(this.at) === '\\' ? 2 : 1;
    const end = ++this.at;
    while (/\s/.test(this.text.charAt(this.at))) this.at++;
    const level = this.open.at(-1);
    if (this.text.charAt(this.at) === ':' && level && !level.isList) this.readName(level, this.text.slice(begin, end));
    else this.beginValue();
  }

  private readName(level: Level, literal: string): void {
    if (++this.members > MAX_MEMBERS) this.stop('', `the body must not have more than ${MAX_MEMBERS} members in all`);
    level.name = decoded(literal);
    const times = (level.names.get(level.name) ?? 0) + 1;
    level.names.set(level.name, times);
    if (times === 2) this.refuse(pathIn(level), 'is there more than once');
    if (times > 1) return;
    if (isReservedName(level.name)) this.refuse(pathIn(level), 'is a reserved name');
    if (level.name.length > MAX_NAME_LENGTH)
      this.refuse(pathIn(level), `a name must not be longer than ${MAX_NAME_LENGTH} characters`);
  }

  /** @returns where it is */
  private beginValue(): string {
    const level = this.open.at(-1);
    if (!level?.isList) return level ? pathIn(level) : '';
    if (++level.elements > MAX_ELEMENTS_PER_LIST)
      this.stop(level.path, `must not have more than ${MAX_ELEMENTS_PER_LIST} elements`);
    if (++this.elements > MAX_ELEMENTS)
      this.stop('', `the lists of the body must not have more than ${MAX_ELEMENTS} elements in all`);
    return pathIn(level);
  }

  private refuse(path: string, message: string): void {
    if (this.offences.length === MAX_OFFENCES) this.stop('', 'and further offences');
    this.offences.push({ path, message });
  }

  private stop(path: string, message: string): never {
    this.offences.push({ path, message });
    throw new Enough();
  }
}

function pathIn({ isList, path, name, elements }: Level): string {
  const step = isList ? String(elements - 1) : name;
  return path ? `${path}.${step}` : step;
}

/** Longer than a name may be, it is as good as its beginning: it is refused anyway. */
function decoded(literal: string): string {
  // Each character is written with six at most
  if (literal.length > 6 * MAX_NAME_LENGTH + 2) return literal.slice(1, 2 * MAX_NAME_LENGTH);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}

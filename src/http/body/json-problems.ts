import type { ErrorDetail } from '../errors/api-error.js';
import type { BodyBounds } from './body-bounds.js';
import { MAX_DEPTH, MAX_ELEMENTS, MAX_ELEMENTS_PER_LIST, MAX_NAME_LENGTH } from './json-shape.js';
import { isReservedName } from './reserved-names.js';

/** The search stops there. */
const MAX_PROBLEMS = 100;

/** An object or a list that is not closed yet. */
interface Level {
  isList: boolean;
  /** Its path; empty for the body itself. */
  path: string;
  /** How often each name has occurred. */
  names: Map<string, number>;
  /** For a list: the number of elements read, including the current one. */
  elements: number;
  /** For an object: the name of the current member. */
  name: string;
}

/**
 * Finds what a body must not contain, by path: more of anything than the bounds allow, and names that are too long,
 * reserved or duplicate, even if they are escaped. A single pass, which stops at the first exceeded bound or after 100
 * problems. For invalid JSON the result is meaningless, but the pass still ends.
 */
export function jsonProblems(text: string, bounds: BodyBounds): ErrorDetail[] {
  return new ProblemFinder(text, bounds.members).find();
}

/** Ends the pass. */
class LimitReached extends Error {}

class ProblemFinder {
  private readonly problems: ErrorDetail[] = [];
  private readonly openLevels: Level[] = [];
  private at = 0;
  private members = 0;
  private elements = 0;

  constructor(
    private readonly text: string,
    private readonly maxMembers: number,
  ) {}

  find(): ErrorDetail[] {
    try {
      while (this.at < this.text.length) this.readToken();
    } catch (enough) {
      if (!(enough instanceof LimitReached)) throw enough;
    }
    return this.problems;
  }

  private readToken(): void {
    const character = this.text.charAt(this.at);
    if (character === '{' || character === '[') this.openLevel(character === '[');
    else if (character === '}' || character === ']') this.openLevels.pop();
    else if (character === '"') return this.readString();
    else if (!/[\s,:]/.test(character)) return this.readScalar();
    this.at++;
  }

  private openLevel(isList: boolean): void {
    const path = this.beginValue();
    if (this.openLevels.length === MAX_DEPTH) this.stop(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
    this.openLevels.push({ isList, path, names: new Map(), elements: 0, name: '' });
  }

  /** Reads a number, `true`, `false` or `null`. */
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
    const level = this.openLevels.at(-1);
    if (this.text.charAt(this.at) === ':' && level && !level.isList) this.readName(level, this.text.slice(begin, end));
    else this.beginValue();
  }

  private readName(level: Level, literal: string): void {
    if (++this.members > this.maxMembers)
      this.stop('', `the body must not have more than ${this.maxMembers} members in all`);
    level.name = decoded(literal);
    const times = (level.names.get(level.name) ?? 0) + 1;
    level.names.set(level.name, times);
    if (times === 2) this.report(pathIn(level), 'is given more than once');
    if (times > 1) return;
    if (isReservedName(level.name)) this.report(pathIn(level), 'is a reserved name');
    if (level.name.length > MAX_NAME_LENGTH)
      this.report(pathIn(level), `a name must not be longer than ${MAX_NAME_LENGTH} characters`);
  }

  /** @returns the path of the value */
  private beginValue(): string {
    const level = this.openLevels.at(-1);
    if (!level?.isList) return level ? pathIn(level) : '';
    if (++level.elements > MAX_ELEMENTS_PER_LIST)
      this.stop(level.path, `must not have more than ${MAX_ELEMENTS_PER_LIST} elements`);
    if (++this.elements > MAX_ELEMENTS)
      this.stop('', `the lists of the body must not have more than ${MAX_ELEMENTS} elements in all`);
    return pathIn(level);
  }

  private report(path: string, message: string): void {
    if (this.problems.length === MAX_PROBLEMS) this.stop('', 'and further problems');
    this.problems.push({ path, message });
  }

  private stop(path: string, message: string): never {
    this.problems.push({ path, message });
    throw new LimitReached();
  }
}

function pathIn({ isList, path, name, elements }: Level): string {
  const step = isList ? String(elements - 1) : name;
  return path ? `${path}.${step}` : step;
}

/** The name in a literal. An overlong name is cut: it is rejected anyway. */
function decoded(literal: string): string {
  // An escaped character takes at most six
  if (literal.length > 6 * MAX_NAME_LENGTH + 2) return literal.slice(1, 2 * MAX_NAME_LENGTH);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}

import { fold, isAlias } from './aliases.js';

/** To look for what was meant costs time: further offences are only named. */
const MAX_HINTS = 16;
/** Ours are shorter. */
const MAX_NAME_LENGTH = 32;

interface Place {
  /** What comes before the name in its path, with a dot behind it; empty at the top. */
  parent?: string;
  kind?: 'property' | 'parameter';
  /** How many offences were named before this one. */
  rank?: number;
}

/**
 * The offence of a name that is not known there, and what was probably meant by it: the same name in another style,
 * number or depth, one that other services have for it, or one with a typing error.
 *
 * @param known the names that are, each with its path from there: `enabled`, `limits.max_uses`
 */
export function unknownMember(
  name: string,
  known: readonly string[],
  { parent = '', kind = 'property', rank = 0 }: Place = {},
): { path: string; message: string } {
  const meant = rank < MAX_HINTS && name.length <= MAX_NAME_LENGTH ? closest(fold(name), known) : undefined;
  const hint = meant === undefined ? '' : `; ${parent}${meant} was probably meant`;
  return { path: parent + name, message: `is not a known ${kind}${hint}` };
}

function closest(folded: string, known: readonly string[]): string | undefined {
  const nameOf = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  return (
    known.find((path) => fold(nameOf(path)) === folded) ??
    known.find((path) => isAlias(folded, nameOf(path))) ??
    known.find((path) => isMistyped(folded, fold(nameOf(path))))
  );
}

/**
 * What was probably meant by a value that is none of some: the same in another style, without what is before its dot, or
 * with a typing error. In words that go behind a message; none where nothing is near.
 *
 * @param rank how many offences were named before this one
 */
export function probablyMeant(given: unknown, values: readonly string[], rank = 0): string {
  if (typeof given !== 'string' || given.length > MAX_NAME_LENGTH || rank >= MAX_HINTS) return '';
  const folded = fold(given);
  const meant = values.find((value) => fold(value) === folded) ?? closest(folded, values) ?? nearly(folded, values);
  return meant === undefined ? '' : `; ${meant} was probably meant`;
}

function nearly(folded: string, values: readonly string[]): string | undefined {
  return values.find((value) => isMistyped(folded, fold(value)));
}

/** Whether one is the other with a letter wrong, missing, added or swapped with its neighbour; in long ones two. */
function isMistyped(one: string, other: string): boolean {
  const most = Math.min(one.length, other.length) < 6 ? 1 : 2;
  if (Math.min(one.length, other.length) < 4 || Math.abs(one.length - other.length) > most) return false;
  return editsBetween(one, other) <= most;
}

/** The distance of Damerau and Levenshtein, in which no letter is edited twice. */
function editsBetween(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (last[j - 1] as number) + Number(one[i - 1] !== other[j - 1]);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = isSwap ? (before[j - 2] as number) + 1 : Infinity;
      row.push(Math.min(change, swap, (last[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    [before, last] = [last, row];
  }
  return last.at(-1) as number;
}

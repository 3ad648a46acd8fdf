import { fold, isAlias } from './aliases.js';

/** Finding a suggestion takes time, so problems after this many get none. */
const MAX_HINTS = 16;
/** All known names are shorter. */
const MAX_NAME_LENGTH = 32;

interface Place {
  /** The path before the name, with its trailing dot; empty at the top level. */
  parent?: string;
  kind?: 'property' | 'parameter';
  /** The number of problems reported before this one. */
  rank?: number;
}

/**
 * Reports an unknown name, with a suggestion: the same name in another style, number or depth, the name for an alias
 * that other services use, or the name without a typing error.
 *
 * @param known the known names, as paths from the parent: `enabled`, `limits.max_uses`
 */
export function unknownMember(
  name: string,
  known: readonly string[],
  { parent = '', kind = 'property', rank = 0 }: Place = {},
): { path: string; message: string } {
  const meant = rank < MAX_HINTS && name.length <= MAX_NAME_LENGTH ? closestName(fold(name), known) : undefined;
  const hint = meant === undefined ? '' : `; ${parent}${meant} was probably meant`;
  return { path: parent + name, message: `is not a known ${kind}${hint}` };
}

function closestName(folded: string, known: readonly string[]): string | undefined {
  const nameOf = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  return (
    known.find((path) => fold(nameOf(path)) === folded) ??
    known.find((path) => isAlias(folded, nameOf(path))) ??
    known.find((path) => isMistyped(folded, fold(nameOf(path))))
  );
}

/**
 * A suggestion for an invalid value, to append to a message: the same value in another style, without the part before
 * its dot, or without a typing error. Empty if no value is close enough.
 *
 * @param rank the number of problems reported before this one
 */
export function probablyMeant(given: unknown, values: readonly string[], rank = 0): string {
  if (typeof given !== 'string' || given.length > MAX_NAME_LENGTH || rank >= MAX_HINTS) return '';
  const folded = fold(given);
  const meant =
    values.find((value) => fold(value) === folded) ?? closestName(folded, values) ?? closestValue(folded, values);
  return meant === undefined ? '' : `; ${meant} was probably meant`;
}

function closestValue(folded: string, values: readonly string[]): string | undefined {
  return values.find((value) => isMistyped(folded, fold(value)));
}

/** Whether the two differ by one typing error, or at most two if both have six letters or more. Four are needed. */
function isMistyped(one: string, other: string): boolean {
  const maxEdits = Math.min(one.length, other.length) < 6 ? 1 : 2;
  if (Math.min(one.length, other.length) < 4 || Math.abs(one.length - other.length) > maxEdits) return false;
  return editDistance(one, other) <= maxEdits;
}

/**
 * The Damerau-Levenshtein distance (optimal string alignment: a swap of neighbours is one edit). Our own: the
 * common libraries (`leven`, `fastest-levenshtein`) count a swap as two edits.
 */
function editDistance(one: string, other: string): number {
  let previous: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (last[j - 1] as number) + Number(one[i - 1] !== other[j - 1]);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = isSwap ? (previous[j - 2] as number) + 1 : Infinity;
      row.push(Math.min(change, swap, (last[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    [previous, last] = [last, row];
  }
  return last.at(-1) as number;
}

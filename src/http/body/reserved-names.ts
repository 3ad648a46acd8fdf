const RESERVED: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/**
 * Whether it is a name that JavaScript gives a meaning of its own: what every object inherits (`__proto__`,
 * `toString`, ...), and `prototype`. Libraries between the request and its DTO drop such a property without a word.
 */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name);
}

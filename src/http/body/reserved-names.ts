const RESERVED: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/**
 * Whether a name has a special meaning in JavaScript: the members that every object inherits (`__proto__`, `toString`,
 * ...), and `prototype`. Libraries between the request and its DTO silently drop properties with such names.
 */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name);
}

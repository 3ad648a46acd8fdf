/** The entries that these arguments name, in the order of `all`; all of them without any. Exits if a name is unknown. */
export function choose<T>(all: Record<string, T>, names: readonly string[], kind: string): [name: string, entry: T][] {
  const unknown = names.filter((name) => !Object.hasOwn(all, name));
  if (unknown.length > 0) {
    console.error(`There is no ${kind} ${unknown.join(', ')}; there are: ${Object.keys(all).join(', ')}`);
    process.exit(64);
  }
  return Object.entries(all).filter(([name]) => names.length === 0 || names.includes(name));
}

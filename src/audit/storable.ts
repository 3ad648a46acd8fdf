/** Replaces what PostgreSQL cannot store as text, U+0000 and lone surrogates, by U+FFFD. */
export function storableText(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd').replaceAll('\0', '\ufffd');
}

/** @returns an id that PostgreSQL can cast to `uuid`; `null` for anything else */
export function storableId(id: string | null): string | null {
  return id !== null && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) ? id : null;
}

/** @returns JSON that PostgreSQL can store as `jsonb`; `{"unreadable": true}` for a value that has no JSON form */
export function storableJson(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    // JSON escapes both; texts without escapes, as most are, need no second pass
    return text.includes('\\u') ? JSON.stringify(withStorableTexts(JSON.parse(text))) : text;
  } catch {
    return JSON.stringify({ unreadable: true });
  }
}

function withStorableTexts(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(withStorableTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [storableText(name), withStorableTexts(child)]),
  );
}

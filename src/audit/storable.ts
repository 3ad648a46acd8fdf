/**
 * A text as PostgreSQL can store it: it takes neither U+0000 nor half of a surrogate pair. In their place stands the
 * replacement character.
 */
export function storableText(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd').replaceAll('\0', '\ufffd');
}

/** An id as PostgreSQL reads it into a `uuid`; `null` for what is none. */
export function storableId(id: string | null): string | null {
  return id !== null && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) ? id : null;
}

/** JSON that PostgreSQL can store as `jsonb`, whatever it is made of: what is no JSON at all is only said to be there. */
export function storableJson(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    // Either is escaped in JSON; most texts have no escapes, and need no second look
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

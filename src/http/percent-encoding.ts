/** A percent-encoded text (RFC 3986, 2.1), decoded; as it is where that is no valid encoding. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

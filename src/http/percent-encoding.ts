/** Decodes percent-encoding (RFC 3986, 2.1); returns invalid encodings unchanged. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

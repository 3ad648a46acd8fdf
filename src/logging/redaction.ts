/** Patterns of secrets in any text, and their replacements, which keep the prefix. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/((?:Bearer|Basic) +)[\w.~+/-]+=*/gi, '$1[redacted]'],
  [/w3s_[0-9A-Za-z]{8,}/g, 'w3s_[redacted]'],
  // A key pair in base64, as in HTTP Basic: it starts with `w3k_`
  [/dzNrX[\w+/-]{20,}=*/g, '[redacted]'],
  // A JSON Web Token (RFC 7519): its header always starts with `{"`
  [/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[redacted]'],
  // A PHC string
  [/\$argon2[^\s"']+/g, '[redacted]'],
  // The password in a URL
  [/([a-z][a-z\d+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, '$1[redacted]@'],
  // Query parameters with a secret's name
  [/([?&][^=&#\s]*(?:secret|token|password|credential)[^=&#\s]*=)[^&#\s"']+/gi, '$1[redacted]'],
  // 32 bytes in base64, as in CREDENTIAL_KEYS
  [/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g, '[redacted]'],
];

/** Creates a function that redacts secrets in texts, including JSON: the given ones, and any that match a pattern. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return (text) => {
    const withoutGiven = spellings.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
    return SHAPES.reduce((left, [shape, replacement]) => left.replace(shape, replacement), withoutGiven);
  };
}

/** What secrets look like, wherever they stand; what is put in their place keeps what comes before them. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/((?:Bearer|Basic) +)[\w.~+/-]+=*/gi, '$1[redacted]'],
  [/w3s_[0-9A-Za-z]{8,}/g, 'w3s_[redacted]'],
  // A pair in base64, as in HTTP Basic: all of them begin with `w3k_`
  [/dzNrX[\w+/-]{20,}=*/g, '[redacted]'],
  // A JSON Web Token (RFC 7519): its header always begins with `{"`
  [/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[redacted]'],
  // A PHC string
  [/\$argon2[^\s"']+/g, '[redacted]'],
  // The password in a URL
  [/([a-z][a-z\d+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, '$1[redacted]@'],
  // What a query names so
  [/([?&][^=&#\s]*(?:secret|token|password|credential)[^=&#\s]*=)[^&#\s"']+/gi, '$1[redacted]'],
  // 32 bytes in base64, as in CREDENTIAL_KEYS
  [/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g, '[redacted]'],
];

/** Takes secrets out of texts, JSON among them: those that look like ones of ours, and those that are given. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return (text) => {
    const withoutGiven = spellings.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
    return SHAPES.reduce((left, [shape, replacement]) => left.replace(shape, replacement), withoutGiven);
  };
}

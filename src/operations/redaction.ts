/** What secrets look like, wherever they stand; what is put in their place keeps what comes before them. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\bw3s_[0-9A-Za-z]{8,}/g, 'w3s_[redacted]'],
  // A JSON Web Token (RFC 7519): its header always begins with `{"`
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[redacted]'],
  [/\b(Bearer +)[\w.~+/-]+=*/gi, '$1[redacted]'],
  // A PHC string
  [/\$argon2[^\s"']+/g, '[redacted]'],
  // The password in a URL
  [/(\b[a-z][a-z\d+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, '$1[redacted]@'],
  // 32 bytes in base64, as in CREDENTIAL_KEYS
  [/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g, '[redacted]'],
];

/** Takes secrets out of texts: those that look like ones of ours, and those that are given. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  return (text) => {
    const withoutGiven = secrets.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
    return SHAPES.reduce((left, [shape, replacement]) => left.replace(shape, replacement), withoutGiven);
  };
}

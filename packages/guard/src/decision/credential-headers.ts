import type { IncomingHttpHeaders } from 'node:http';

/** The header names as the documentation writes them and as scripts do. */
export const API_KEY_HEADER = 'pinning_api_key';
const SECRET_KEY_HEADER = 'pinning_secret_key';

/** The values of the headers that carry credentials, and whether any of them was sent twice, in whatever spelling. */
export class CredentialHeaders {
  authorization: string | undefined = undefined;
  apiKey: string | undefined = undefined;
  secretKey: string | undefined = undefined;
  /** The name of one that was sent more than once. */
  repeated: string | undefined = undefined;

  /** @param rawHeaders names and values in turn, as Node received them: in its other forms, repeated ones are joined or lost */
  static received(rawHeaders: readonly string[]): CredentialHeaders {
    const found = new CredentialHeaders();
    for (let i = 0; i < rawHeaders.length; i += 2) found.add(rawHeaders[i] as string, rawHeaders[i + 1] as string);
    return found;
  }

  /** @param headers by their names, in any case; a list is a repeated header */
  static given(headers: IncomingHttpHeaders): CredentialHeaders {
    const found = new CredentialHeaders();
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      if (typeof value === 'string') found.add(name, value);
      else if (value) for (const each of value) found.add(name, each);
    }
    return found;
  }

  /** The length is looked at first: few other headers share it. */
  private add(name: string, value: string): void {
    switch (name.length) {
      case 13:
        if (!isNamed(name, 'authorization')) return;
        if (this.authorization !== undefined) this.repeated ??= 'authorization';
        this.authorization = value;
        return;
      case 15:
        if (!isNamed(name, API_KEY_HEADER) && !isNamed(name, 'pinning-api-key')) return;
        if (this.apiKey !== undefined) this.repeated ??= API_KEY_HEADER;
        this.apiKey = value;
        return;
      case 18:
        if (!isNamed(name, SECRET_KEY_HEADER) && !isNamed(name, 'pinning-secret-key')) return;
        if (this.secretKey !== undefined) this.repeated ??= SECRET_KEY_HEADER;
        this.secretKey = value;
    }
  }
}

/** RFC 9110, 5.1: a name is not case-sensitive. */
function isNamed(name: string, sought: string): boolean {
  return name === sought || name.toLowerCase() === sought;
}

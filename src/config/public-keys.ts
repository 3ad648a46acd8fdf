import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const PEM = /-----BEGIN ([A-Z\d ]+)-----(.*?)-----END \1-----/gs;
/** As RFC 7468 has it. */
const LINE = /.{1,64}/g;

/**
 * The public keys in a text: a PEM, or several, one after the other; or in the file that it names. However its lines were
 * broken on their way here (as `\n`, as `\r\n`, as blanks, indented), they are mended. What is wrong is added to the context.
 */
export function readPublicKeys(given: string, context: z.RefinementCtx): string[] {
  const text = given.includes('-----BEGIN') ? given : readKeyFile(given, context);
  if (text === undefined) return z.NEVER;
  if (text.includes('PRIVATE KEY'))
    return refuse(context, 'must be the public key: keep the private one with its signer');
  const pems = [...text.matchAll(PEM)].map(([, label = '', body = '']) => pem(label, body));
  const isWhole = pems.length > 0 && pems.length === text.split('-----BEGIN').length - 1;
  try {
    if (isWhole) return pems.map((key) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString());
  } catch {
    // Told below, as what is no PEM at all
  }
  return refuse(context, 'must be a public key in PEM, or several, or the path of a file that holds them');
}

function refuse(context: z.RefinementCtx, problem: string): never {
  context.addIssue(problem);
  return z.NEVER;
}

function readKeyFile(file: string, context: z.RefinementCtx): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(context, `must be a public key in PEM, or several, or the path of a file that can be read (${code})`);
  }
}

function pem(label: string, body: string): string {
  const base64 = body.replaceAll(/\\[nr]|\s/g, '');
  return [`-----BEGIN ${label}-----`, ...(base64.match(LINE) ?? []), `-----END ${label}-----`, ''].join('\n');
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The files of an untrusted authority, and of a server certificate that it signed. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** Creates them in a folder, for a server named `localhost`, without an address. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name);
  const [ca, caKey, cert, key] = ['ca.pem', 'ca.key', 'server.pem', 'server.key'].map(file) as [
    string,
    string,
    string,
    string,
  ];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...made, '-subj', '/CN=An authority', '-keyout', caKey, '-out', ca);
  const extensions = ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
  openssl(
    'req',
    '-x509',
    ...made,
    '-subj',
    '/CN=localhost',
    ...extensions,
    '-CA',
    ca,
    '-CAkey',
    caKey,
    '-keyout',
    key,
    '-out',
    cert,
  );
  return { ca, cert, key };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

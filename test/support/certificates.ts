import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The files of an authority that nobody trusts, and of a server's certificate that it has signed. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** Makes them in a folder, for a server that is called `localhost`, and by no address. */
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

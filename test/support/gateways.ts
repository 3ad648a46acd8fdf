import { CADDY_VARIABLE, startCaddy } from './caddy.js';
import type { Addresses, Gateway } from './gateway-process.js';
import { HAPROXY_VARIABLE, startHaproxy } from './haproxy.js';
import { NGINX_VARIABLE, startNginx } from './nginx.js';

/** A gateway for which `deploy/` has a configuration, and how to start it. */
interface Shipped {
  name: string;
  variable: string;
  start: (addresses: Addresses) => Promise<Gateway>;
}

const SHIPPED: Shipped[] = [
  { name: 'nginx', variable: NGINX_VARIABLE, start: startNginx },
  { name: 'Caddy', variable: CADDY_VARIABLE, start: (addresses) => startCaddy(addresses) },
  { name: 'HAProxy', variable: HAPROXY_VARIABLE, start: (addresses) => startHaproxy(addresses) },
];

/** The same tests for each of them; those that this machine lacks are skipped with a message. */
export function describeGateways(tests: (start: Shipped['start'], name: string) => void): void {
  for (const { name, variable, start } of SHIPPED) {
    const isInstalled = process.env[variable] !== undefined;
    if (!isInstalled)
      process.stderr.write(`Skipped: the gateways' tests with ${name}, which need ${variable}=<its path>\n`);
    (isInstalled ? describe : describe.skip)(name, () => tests(start, name));
  }
}

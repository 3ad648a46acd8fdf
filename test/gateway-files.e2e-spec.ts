import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

it('deploy/traefik.yml removes the headers that nginx does, except those that Traefik sets itself', () => {
  const { routers, middlewares } = read('deploy/traefik.yml').http;
  for (const name of ['w3ipfs-platform', 'w3ipfs-keys'])
    expect(routers[name].middlewares[0]).toBe('w3ipfs-client-headers');
  const removed = middlewares['w3ipfs-client-headers'].headers.customRequestHeaders as Record<string, string>;
  expect(new Set(Object.values(removed))).toEqual(new Set(['']));
  const text = readFileSync('deploy/client-headers.conf', 'utf8');
  const names = [...text.matchAll(/proxy_set_header (\S+) "";/g)].map(([, name]) => String(name));
  expect(new Set(names).size).toBe(names.length);
  const own = ['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Forwarded-Port', 'X-Real-IP'];
  expect(names.filter((name) => !(name in removed)).toSorted()).toEqual(own.toSorted());
});

const names = [...readFileSync('deploy/client-headers.conf', 'utf8').matchAll(/proxy_set_header (\S+) "";/g)].map(
  ([, name]) => String(name).toLowerCase(),
);

describe('the lists of headers that only proxies may send', () => {
  const identity = ['owner', 'key-id', 'scopes', 'code', 'scope'].map((name) => `x-w3ipfs-${name}`);

  it('are the same in client-headers.caddyfile', () => {
    const text = readFileSync('deploy/client-headers.caddyfile', 'utf8');
    const removed = [...text.matchAll(/^request_header -(\S+)$/gm)].map(([, name]) => String(name).toLowerCase());
    expect([...names, ...identity].filter((name) => !removed.includes(name))).toEqual([]);
    expect(new Set(removed).size).toBe(removed.length);
  });

  it('are the same in haproxy.cfg', () => {
    const text = readFileSync('deploy/haproxy.cfg', 'utf8').split('backend')[0] ?? '';
    const patterns = [...text.matchAll(/http-request del-header '([^']+)' -m reg/g)].map(
      ([, one]) => new RegExp(String(one)),
    );
    const isRemoved = (name: string) => patterns.some((pattern) => pattern.test(name));
    expect([...names, ...identity].filter((name) => !isRemoved(name))).toEqual([]);
    const kept = [
      'authorization',
      'pinning_api_key',
      'accept',
      'x-of-the-app',
      'origin',
      'if-match',
      'idempotency-key',
    ];
    expect(kept.filter(isRemoved)).toEqual([]);
  });

  it.each(['deploy/envoy.yaml', 'deploy/istio.yaml'])('are the same in %s', (path) => {
    const text = readFileSync(path, 'utf8');
    const plain = new Set(
      names.map((name) => name.replaceAll('_', '-')).filter((name) => !name.startsWith('x-w3ipfs')),
    );
    expect([...plain].filter((name) => !text.includes(`['${name}'] = true`))).toEqual([]);
    expect(text).toContain("plain:find('^x%-w3ipfs')");
  });
});

/** Without its comments, which configure nothing. */
function instructions(path: string): string {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map((line) => line.replace(/(?:^|\s)#.*$/, '')).join('\n');
}

it('ignores only comments', () => {
  expect(instructions('deploy/gateway-api.yaml')).not.toContain('CHANGE');
  expect(instructions('deploy/gateway-api.yaml')).toContain('hostnames: [api.example.com]');
});

it.each([
  ['deploy/nginx.conf', /scope=admin&/],
  ['deploy/Caddyfile', /\?scope=admin$/m],
  ['deploy/haproxy.cfg', /w3ipfs_authorize_scope admin /],
  ['deploy/traefik.yml', /\?scope=admin\s/],
  ['deploy/envoy.yaml', /\?admin\(/],
  ['deploy/istio.yaml', /\?admin\(/],
  // The one that cannot require a scope: the route table has none of its admins' routes
  ['deploy/gateway-api.yaml', /value: \/api\/users /],
  ['deploy/kubernetes/ingress-nginx.yaml', /scope=admin&/],
])('%s has an open route, one for admins, and a line for each page', (path, admins) => {
  const text = instructions(path);
  expect(text).toMatch(admins);
  const plain = text.replaceAll('\\', '');
  for (const place of ['/api/auth/login', '/api/users', 'docs', 'openapi.json', 'console', 'health', 'metrics'])
    expect(plain).toContain(place);
});

describe('the headers that a manifest can remove', () => {
  const lower = (given: string[]) => given.map((name) => name.toLowerCase());
  const spellings = ['owner', 'key-id', 'scopes'].flatMap((name) => spellingsOf(`x-w3ipfs-${name}`));
  const credentials = ['authorization', ...['pinning-api-key', 'pinning-secret-key'].flatMap(spellingsOf)];

  it('of gateway-api.yaml: each spelling of the headers that the platform trusts, 16 names a rule', () => {
    const { rules } = documentsIn('deploy/gateway-api.yaml')[0].spec;
    for (const { filters, matches } of rules) {
      const ofType = (type: string) => filters.find((one: any) => one.type === type);
      const removed = lower(ofType('RequestHeaderModifier').requestHeaderModifier.remove);
      const replaced = lower(ofType('ExternalAuth')?.externalAuth.http.allowedResponseHeaders ?? []);
      expect([matches, spellings.filter((name) => ![...removed, ...replaced].includes(name))]).toEqual([matches, []]);
      // Removing it would also remove the key service's own header
      expect(removed.filter((name) => replaced.includes(name))).toEqual([]);
      expect(removed.length).toBeLessThanOrEqual(16);
      // Not replaced by a header of the key service, for a POST only
      if (replaced.length === 0) expect(matches).toEqual([expect.objectContaining({ method: 'POST' })]);
    }
  });

  it('of ingress-nginx: all of the list except those that it sets itself', () => {
    const [{ data }] = documentsIn('deploy/kubernetes/ingress-nginx-client-headers.yaml');
    expect(new Set(Object.values(data))).toEqual(new Set(['']));
    const removed = lower(Object.keys(data));
    const own = [
      'proxy',
      'x-real-ip',
      'x-original-forwarded-for',
      ...['host', 'port', 'scheme'].map((one) => `x-forwarded-${one}`),
    ];
    expect(names.filter((name) => !removed.includes(name)).toSorted()).toEqual(own.toSorted());
    for (const name of spellings.filter((one) => one.includes('_'))) expect(removed).toContain(name);
  });

  it('of ingress-nginx: the credentials, and the caller’s identity on routes without a check', () => {
    const ingresses = documentsIn('deploy/kubernetes/ingress-nginx.yaml');
    const removedBy = (name: string) => {
      const { annotations } = ingresses.find(({ metadata }) => metadata.name === name).metadata;
      const snippet: string = annotations['nginx.ingress.kubernetes.io/configuration-snippet'];
      return lower([...snippet.matchAll(/^proxy_set_header (\S+) "";$/gm)].map(([, one]) => String(one)));
    };
    for (const name of ['w3ipfs-platform', 'w3ipfs-admins', 'w3ipfs-open'])
      expect(removedBy(name)).toEqual(expect.arrayContaining(credentials));
    expect(removedBy('w3ipfs-open')).toEqual(expect.arrayContaining(spellings));
  });

  it('of traefik.yml and istio.yaml: the credentials', () => {
    const hidden = Object.keys(read('deploy/traefik.yml').http.middlewares['w3ipfs-hide'].headers.customRequestHeaders);
    expect(lower(hidden)).toEqual(expect.arrayContaining(credentials));
    const { spec } = documentsIn('deploy/istio.yaml').find(({ kind }) => kind === 'VirtualService');
    const toPlatform = spec.http.find(({ route }: any) => route?.[0].destination.host.startsWith('platform.'));
    expect(toPlatform.route[0].headers.request.remove).toEqual(expect.arrayContaining(credentials));
  });
});

/** Every spelling of a name with hyphens or underscores. */
function spellingsOf(name: string): string[] {
  const [first = '', ...others] = name.split('-');
  return others.reduce((all, part) => all.flatMap((one) => [`${one}-${part}`, `${one}_${part}`]), [first]);
}

function read(path: string) {
  return parse(readFileSync(path, 'utf8'), { merge: true });
}

function documentsIn(path: string): any[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((one) => one.toJS());
}

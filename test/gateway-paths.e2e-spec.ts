import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { SCOPES } from '../src/principals/scopes.js';

/** How Envoy and Istio route a path, by the expressions in their files. */
interface Decisions {
  isNotFound: (path: string) => boolean;
  /** @param scopes as the key service's answer named them, if it did */
  isDenied: (path: string, scopes: string | undefined) => boolean;
}

const documents = (file: string): any[] => parseAllDocuments(readFileSync(file, 'utf8')).map((one) => one.toJS());

describe.each<[string, Decisions]>([
  ['deploy/envoy.yaml', envoy()],
  ['deploy/istio.yaml', istio()],
])('%s', (_, { isNotFound, isDenied }) => {
  it('answers 404 to what services and gateways ask, in any case and percent-encoded', () => {
    const asked = ['verify', 'Verify/batch', 'AUTHORIZE', 'authorize/at/x', '%76erify', 'x/%2e%2e/verify', './verify'];
    asked.push('reports', 'Reports/', '%72eports', 'changes', 'CHANGES', './changes');
    expect(asked.filter((path) => !isNotFound(`/api/apiKeys/${path}`))).toEqual([]);
    expect(isNotFound('/API/apikeys//verify')).toBe(true);
    for (const path of ['/health/live', '/Metrics']) expect([path, isNotFound(path)]).toEqual([path, true]);
  });

  it('answers 404 to no other path', () => {
    const keys = ['', '/', '/list', '/report-leak/', '/x/rotate', '/verifying', '/reported', '/exchanges'].map(
      (path) => `/api/apiKeys${path}`,
    );
    const others = ['/docs/', '/openapi.json', '/console/app.js', '/api/pinning/pins', '/api/users', '/api/auth/login'];
    expect([...keys, ...others].filter(isNotFound)).toEqual([]);
  });

  it('admits only admins to admin routes, whatever the route table says', () => {
    for (const path of ['/api/users', '/api/users/', '/API/Users/7']) {
      for (const scopes of ['data.pin_list', 'data.nft_list pinning.unpin', '', undefined])
        expect([path, scopes, isDenied(path, scopes)]).toEqual([path, scopes, true]);
      for (const scopes of ['admin', SCOPES.join(' ')]) expect([path, isDenied(path, scopes)]).toEqual([path, false]);
    }
    for (const path of ['/api/usersettings', '/api/pinning/pins', '/x/api/users'])
      expect([path, isDenied(path, '')]).toEqual([path, false]);
  });
});

/** By the first matching route, whose filters run in order. */
function envoy(): Decisions {
  const file = parse(readFileSync('deploy/envoy.yaml', 'utf8'), { merge: true });
  const { route_config: config, http_filters: filters } =
    file.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const names: string[] = filters.map(({ name }: { name: string }) => name);
  expectOrder(names, ['w3ipfs.client-headers', 'envoy.filters.http.ext_authz', 'w3ipfs.admins', 'w3ipfs.hide']);
  const [{ routes }] = config.virtual_hosts;
  return {
    isNotFound: (path) => {
      // The open route is for one method only
      const fits = ({ match }: any) => !match.headers && wholly(match.safe_regex?.regex ?? '.*').test(path);
      return routes.find(fits).direct_response?.status === 404;
    },
    isDenied: deniedBy(filters.find(({ name }: { name: string }) => name === 'w3ipfs.admins')),
  };
}

/** By the first rule, which answers directly, and the filter before the router. */
function istio(): Decisions {
  const all = documents('deploy/istio.yaml');
  const [{ match, directResponse }] = all.find(({ kind }) => kind === 'VirtualService').spec.http;
  const [{ patch, match: place }] = all.find(({ metadata }) => metadata.name === 'w3ipfs-admins').spec.configPatches;
  if (directResponse.status !== 404 || patch.operation !== 'INSERT_BEFORE') throw new Error('not as it was');
  if (place.listener.filterChain.filter.subFilter.name !== 'envoy.filters.http.router') throw new Error('too early');
  return {
    isNotFound: (path) => match.some(({ uri }: any) => wholly(uri.regex).test(path)),
    isDenied: deniedBy(patch.value),
  };
}

/** How an RBAC filter with one policy decides on a path and a header. */
function deniedBy({ typed_config: { rules } }: any): Decisions['isDenied'] {
  const { principals, permissions } = rules.policies.admins;
  const [path, { not_rule: isAdmin }] = permissions[0].and_rules.rules;
  const isForAll = JSON.stringify(principals) === '[{"any":true}]';
  if (rules.action !== 'DENY' || !isForAll || isAdmin.header.name !== 'x-w3ipfs-scopes')
    throw new Error('no such rule');
  const paths = wholly(path.url_path.path.safe_regex.regex);
  const admins = wholly(isAdmin.header.string_match.safe_regex.regex);
  return (one, scopes) => paths.test(one) && !(scopes !== undefined && admins.test(scopes));
}

/** Envoy's expressions (RE2) match the whole text; a flag is a prefix. */
function wholly(expression: string): RegExp {
  const isInsensitive = expression.startsWith('(?i)');
  return new RegExp(`^(?:${expression.replace('(?i)', '')})$`, isInsensitive ? 'i' : '');
}

function expectOrder(names: string[], expected: string[]): void {
  const found = names.filter((name) => expected.includes(name));
  if (found.join() !== expected.join()) throw new Error(`the filters stand in another order: ${found.join()}`);
}

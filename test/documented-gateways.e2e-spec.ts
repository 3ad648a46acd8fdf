import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { basicOf, bearerOf, bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

type Headers = Record<string, string>;

/** How a gateway that cannot run here asks about a request, by its documentation and its file. */
interface Documented {
  file: string;
  ask: (method: string, path: string, client: Headers) => { method: string; path: string; headers: Headers };
}

/** The method unchanged, the path behind a prefix, no body, and the named ones of the client's headers. */
function prefixed(file: string, prefix: string, allowed: string[], own: Headers): Documented {
  return {
    file,
    ask: (method, path, client) => ({
      method,
      path: prefix + path,
      headers: { ...own, 'content-length': '0', ...only(allowed, client) },
    }),
  };
}

const text = (file: string) => readFileSync(file, 'utf8');

const extAuthz = parse(text('deploy/envoy.yaml'))
  .static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters.map(
    (filter: { typed_config: object }) => filter.typed_config,
  )
  .find((config: { http_service?: object }) => config.http_service);
const envoy = prefixed(
  'deploy/envoy.yaml',
  extAuthz.http_service.path_prefix,
  extAuthz.allowed_headers.patterns.map(({ exact }: { exact: string }) => exact),
  { host: 'w3ipfs-keys', 'x-envoy-internal': 'true', 'x-envoy-expected-rq-timeout-ms': '5000' },
);

const provider = parse(
  text('deploy/istio.yaml')
    .match(/^# {3}meshConfig:\n(?:# {5}.*\n)+/m)![0]
    .replaceAll(/^# {3}/gm, ''),
).meshConfig.extensionProviders[0].envoyExtAuthzHttp;
const istio = prefixed('deploy/istio.yaml', provider.pathPrefix, provider.includeRequestHeadersInCheck, {
  host: provider.service,
  'x-envoy-internal': 'true',
  'x-b3-sampled': '0',
});

const [routes] = parseAllDocuments(text('deploy/gateway-api.yaml')).map((one) => one.toJS());
const { http } = routes.spec.rules
  .flatMap(({ filters }: { filters: object[] }) => filters)
  .find(({ type }: { type: string }) => type === 'ExternalAuth').externalAuth;
const gatewayApi = prefixed('deploy/gateway-api.yaml', http.path, ['authorization', ...http.allowedHeaders], {
  host: 'api.example.com',
});

const ingresses = parseAllDocuments(text('deploy/kubernetes/ingress-nginx.yaml')).map((one) => one.toJS());
const authUrl = (name: string) => {
  const { metadata } = ingresses.find(({ metadata: { name: given } }) => given === name);
  return new URL(metadata.annotations['nginx.ingress.kubernetes.io/auth-url']);
};
const HOST = 'api.example.com';

/** All of the client's headers and the gateway's own, with the client's host in the URL. */
function ingressNginx(file: string, { pathname, search, host }: URL): Documented {
  return {
    file,
    ask: (method, path, client) => ({
      method: 'GET',
      path: pathname + search,
      headers: {
        ...client,
        host,
        'x-request-id': '0123456789abcdef0123456789abcdef',
        'x-original-url': `https://${HOST}${path}`,
        'x-original-method': method,
        'x-sent-from': 'nginx-ingress-controller',
        'x-real-ip': '192.0.2.7',
        'x-forwarded-for': '192.0.2.7',
        'x-auth-request-redirect': path,
      },
    }),
  };
}

const { middlewares } = parse(text('deploy/traefik.yml')).http;

/** The named ones of the client's headers and the gateway's own; no query but that of its address. */
function traefik(middleware: string): Documented {
  const { address, authRequestHeaders, trustForwardHeader } = middlewares[middleware].forwardAuth;
  const { pathname, search, host } = new URL(address);
  if (trustForwardHeader !== false) throw new Error('the client could say what its method and path are');
  return {
    file: 'deploy/traefik.yml',
    ask: (method, path, client) => ({
      method: 'GET',
      path: pathname + search,
      headers: {
        ...only(authRequestHeaders, client),
        host,
        'user-agent': 'Go-http-client/1.1',
        'x-forwarded-for': '192.0.2.7',
        'x-forwarded-method': method,
        'x-forwarded-proto': 'https',
        'x-forwarded-host': HOST,
        'x-forwarded-port': '443',
        'x-forwarded-uri': path,
        'accept-encoding': 'gzip',
      },
    }),
  };
}

let lists: IssuedKey;
const service = useService({ ROUTE_TABLE: 'deploy/routes.example.json' });
beforeAll(async () => {
  lists = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
});

const INGRESS = 'deploy/kubernetes/ingress-nginx.yaml';

describe.each([
  envoy,
  istio,
  gatewayApi,
  ingressNginx(INGRESS, authUrl('w3ipfs-platform')),
  traefik('w3ipfs-authorize'),
])('$file', ({ ask }) => {
  const sent = async (method: string, path: string, client: Headers) => {
    const asked = ask(method, path, client);
    return service.client.call(asked.method, asked.path, { headers: asked.headers });
  };
  const pairs = (): Headers[] => [
    pairHeaders(lists),
    { 'pinning-api-key': lists.api_key, 'pinning-secret-key': lists.secret_key },
    { authorization: bearerOf(lists) },
    { authorization: basicOf(lists) },
  ];

  it('asks by the method and path, in each spelling of the credentials', async () => {
    for (const client of pairs()) {
      const passed = await sent('GET', '/api/pinning/pins?limit=5&scope=admin', client);
      expect([passed.status, passed.headers['x-w3ipfs-key-id']]).toEqual([200, lists.id]);
      const upload = { ...client, 'content-type': 'multipart/form-data; boundary=x' };
      const refused = await sent('POST', '/api/pinning?scope=data.pin_list', upload);
      expect([refused.status, refused.headers['x-w3ipfs-scope']]).toEqual([403, 'pinning.pin_file_to_ipfs']);
      expect((await sent('DELETE', '/api/pinning/unpin/x?scope=data.pin_list', client)).status).toBe(403);
      expect((await sent('PUT', '/api/billing', client)).headers['x-w3ipfs-scope']).toBe('admin');
      expect((await sent('GET', '/api/pinning/../nft/nfts', client)).status).toBe(403);
    }
  });

  it('admits sessions and admins to the rest, everyone to public routes, and nobody else', async () => {
    expect((await sent('PUT', '/api/billing', sessionOf('ann'))).status).toBe(200);
    expect((await sent('GET', '/api/account/avatar', pairHeaders(lists))).status).toBe(200);
    const open = await sent('POST', '/api/auth/login', {});
    expect([open.status, open.headers['x-w3ipfs-owner']]).toEqual([200, '']);
    expect((await sent('OPTIONS', '/api/pinning', {})).status).toBe(200);
    expect((await sent('GET', '/api/pinning/pins', {})).status).toBe(401);
  });
});

it.each([ingressNginx(INGRESS, authUrl('w3ipfs-admins')), traefik('w3ipfs-authorize-admins')])(
  '$file requires the scope in its configuration, whatever the route table says',
  async ({ ask }) => {
    const { path, headers } = ask('GET', '/api/account/avatar', pairHeaders(lists));
    expect((await service.client.get(path, headers)).headers['x-w3ipfs-scope']).toBe('admin');
    const ofAdmin = ask('GET', '/api/account/avatar', sessionOf('ann'));
    expect((await service.client.get(ofAdmin.path, ofAdmin.headers)).status).toBe(200);
  },
);

function only(names: string[], headers: Headers): Headers {
  const allowed = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => allowed.has(name.toLowerCase())));
}

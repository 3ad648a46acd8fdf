import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { ConfigurationError } from '../src/config/start-error.js';
import { parseVariables, VARIABLE_NAMES } from '../src/config/variables.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { freePort } from './support/free-port.js';
import { checkNginx, INCLUDED, NGINX_VARIABLE } from './support/nginx.js';
import { PROMTOOL_VARIABLE, promtool } from './support/promtool.js';
import { sharedVariables } from './support/process.js';
import { startService } from './support/service.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';
import { readRouteTable } from '../src/gateway/route-table-file.js';

type Variables = Record<string, string>;

/** Variables that OpenTelemetry's libraries read themselves, as .env.example says. */
const TELEMETRY = [
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_EXPORTER_OTLP_HEADERS',
];
const READ = [...VARIABLE_NAMES, ...TELEMETRY];
const IMAGE: Variables = { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8000' };
/** The variables that an operator sets. */
const SECRETS: Variables = {
  ...sharedVariables,
  POSTGRES_PASSWORD: 'p',
};

const deployments = {
  'docker-compose.yml': composed(),
  'deploy/kubernetes': {
    ...literals(read('deploy/kubernetes/kustomization.yaml').configMapGenerator[0].literals),
    ...withSecrets(read('deploy/kubernetes/secret.example.yaml').stringData),
  },
};

const variablesOf = (source: NodeJS.ProcessEnv) => parseVariables(source, readRouteTable);

it.each(Object.entries(deployments))(
  '%s passes variables that the service reads, and all that it requires',
  (_, given) => {
    expect(Object.keys(given).filter((name) => !READ.includes(name))).toEqual([]);
    expect(() => variablesOf({ ...IMAGE, ...given })).not.toThrow();
  },
);

it('would detect a missing one', () => {
  const { DATABASE_URL: _, ...rest } = composed();
  expect(() => variablesOf({ ...IMAGE, ...rest })).toThrow(ConfigurationError);
});

it('docker-compose.yml passes every variable that its image does not set', () => {
  const passed = { ...IMAGE, ...composed() };
  // No embedded database there
  expect(READ.filter((name) => !(name in passed))).toEqual(['DATA_DIR']);
});

it('both processes of docker-compose.yml get the same variables, and nginx routes to both', () => {
  const { services } = read('docker-compose.yml');
  expect(services['api-keys-2'].environment).toEqual(services['api-keys-1'].environment);
  const upstreams = readFileSync('deploy/compose/upstreams.conf', 'utf8');
  for (const name of ['api-keys-1', 'api-keys-2']) {
    expect(upstreams).toContain(`server ${services[name].networks.front.ipv4_address}:8000 `);
  }
  expect(composed()['TRUSTED_PROXIES']).toBe(`${services.nginx.networks.front.ipv4_address}/32`);
});

it('nginx finds in its container the files that deploy/nginx.conf includes', () => {
  const mounted: string[] = read('docker-compose.yml').services.nginx.volumes;
  const places = mounted.map((volume) => volume.split(':')[1]);
  for (const file of [...INCLUDED, 'nginx.conf', 'upstreams.conf']) expect(places).toContain(`/etc/nginx/${file}`);
});

const MEGABYTES: Record<string, number> = { m: 1, mb: 1, mi: 1, g: 1_024, gb: 1_024, gi: 1_024 };
/** Of `1g`, `512m`, `1Gi`, `256mb`. */
function megabytes(size: string): number {
  const [, amount, unit = ''] = /^(\d+)([a-z]+)$/i.exec(size) ?? [];
  return Number(amount) * (MEGABYTES[unit.toLowerCase()] ?? Number.NaN);
}

/** The limit of Node's heap in megabytes. */
function heapOf(command: string[]): number {
  return Number(/--max-old-space-size=(\d+)/.exec(command.join(' '))?.[1]);
}

/** Leaves room below the limit for memory outside the heap, and above the cache for everything else. */
function expectHeapFits(command: string[], limit: number): void {
  const { VERIFICATION_CACHE_MB: cache } = variablesOf({});
  expect(command).toEqual(['node', expect.stringMatching(/^--max-old-space-size=\d+$/), 'dist/main.js']);
  expect(heapOf(command)).toBeGreaterThanOrEqual(2 * cache);
  expect(heapOf(command)).toBeLessThanOrEqual(0.7 * limit);
}

describe('every container', () => {
  const { services } = read('docker-compose.yml');

  it.each(Object.keys(services))('%s has limits of memory and processes', (name) => {
    expect(megabytes(services[name].mem_limit)).toBeGreaterThanOrEqual(256);
    expect(megabytes(services[name].mem_limit)).toBeLessThanOrEqual(2_048);
    expect(services[name].pids_limit).toBeGreaterThanOrEqual(64);
    expect(services[name].pids_limit).toBeLessThanOrEqual(512);
  });

  it.each(['api-keys-1', 'api-keys-2'])('%s has a heap limit that fits into its memory', (name) => {
    expectHeapFits(services[name].command, megabytes(services[name].mem_limit));
  });

  it('valkey reaches its own memory limit before that of its container', () => {
    const { command, mem_limit: limit } = services.valkey;
    expect(megabytes(command[command.indexOf('--maxmemory') + 1])).toBeLessThanOrEqual(0.7 * megabytes(limit));
  });

  it('is live while it answers, even if a dependency is unavailable', () => {
    const [, check = ''] = /^HEALTHCHECK ([^]*?)\nCMD/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
    expect(check).toContain("'/health/live'");
    // The image's own counts
    for (const name of ['api-keys-1', 'api-keys-2']) expect(services[name].healthcheck).toBeUndefined();
    expect(services.nginx.healthcheck.test.join(' ')).toContain('/health/live');
  });
});

it('the example of a route table is valid', () => {
  const { ROUTE_TABLE } = variablesOf({ ROUTE_TABLE: 'deploy/routes.example.json' });
  expect(ROUTE_TABLE).toEqual(expect.arrayContaining([{ method: 'POST', path: '/api/auth/login', scope: 'public' }]));
});

const hasNginx = process.env[NGINX_VARIABLE] !== undefined;
if (!hasNginx) process.stdout.write(`Skipped, since ${NGINX_VARIABLE} is not set: nginx's own check of its files\n`);

(hasNginx ? it : it.skip).each(['deploy/upstreams.conf', 'deploy/compose/upstreams.conf'])(
  'nginx starts with %s',
  async (path) => {
    // These names resolve only within the composition
    const upstreams = readFileSync(path, 'utf8').replaceAll('host.docker.internal', '127.0.0.1');
    await expect(checkNginx(upstreams)).resolves.toBeUndefined();
  },
);

describe('deploy/kubernetes', () => {
  const manifest = (name: string) => read(`deploy/kubernetes/${name}.yaml`);
  const { spec } = manifest('deployment');
  const [container] = spec.template.spec.containers;

  it.each([
    ['deployment', spec.selector.matchLabels],
    ['spread', spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels],
    ['service', manifest('service').spec.selector],
    ['disruption budget', manifest('pod-disruption-budget').spec.selector.matchLabels],
    ['network policy', manifest('network-policy').spec.podSelector.matchLabels],
  ])('the %s selects the pods of the deployment', (_, selector) => {
    expect(selector).not.toEqual({});
    expect(spec.template.metadata.labels).toMatchObject(selector);
  });

  it('a pod has limits, a heap that fits into them, and is live while it answers', () => {
    const { limits, requests } = container.resources;
    expect(megabytes(requests.memory)).toBeLessThanOrEqual(megabytes(limits.memory));
    expectHeapFits(container.command, megabytes(limits.memory));
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect(container[probe].httpGet.path).toBe('/health/live');
    // A pod that is slow for a moment, or starting, is not restarted
    const { startupProbe, readinessProbe, livenessProbe } = container;
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(120);
    expect(livenessProbe.periodSeconds * livenessProbe.failureThreshold).toBeGreaterThan(
      readinessProbe.periodSeconds * readinessProbe.failureThreshold,
    );
  });

  it('every named port is one of the container', () => {
    const used = [
      ...manifest('service').spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
      ...manifest('network-policy').spec.ingress[0].ports.map(({ port }: { port: string }) => port),
      ...['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => container[probe].httpGet.port),
    ];
    expect([...new Set(used)]).toEqual(container.ports.map(({ name }: { name: string }) => name));
  });

  it('the sources of the variables are defined, or documented', () => {
    const { resources, configMapGenerator } = manifest('kustomization');
    const [config] = configMapGenerator;
    const secret = manifest('secret.example').metadata;
    expect(container.envFrom).toEqual([{ configMapRef: { name: config.name } }, { secretRef: { name: secret.name } }]);
    for (const file of resources) expect(read(`deploy/kubernetes/${file}`).metadata.name).toBe('api-keys');
  });
});

const hasPromtool = process.env[PROMTOOL_VARIABLE] !== undefined;
if (!hasPromtool) process.stdout.write(`Skipped, since ${PROMTOOL_VARIABLE} is not set: promtool's checks\n`);
const withPromtool = hasPromtool ? it : it.skip;

describe('metrics', () => {
  let metrics: Set<string>;
  let exposed: string;
  beforeAll(async () => {
    // The metrics of Redis exist if it is configured, even while it is unavailable
    const service = await startService({ ...serviceVariables, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await service.client.get('/health/live');
    const { text } = await service.client.get('/metrics', serviceHeaders);
    await service.stop();
    exposed = text;
    metrics = new Set(text.match(/^\w+/gm));
    for (const [, name] of text.matchAll(/^# TYPE (\w+) /gm)) metrics.add(name as string);
  });

  const used = {
    'deploy/grafana-dashboard.json': expressions(JSON.parse(readFileSync('deploy/grafana-dashboard.json', 'utf8'))),
    'deploy/alerts.yml': expressions(read('deploy/alerts.yml')),
  };

  it.each(Object.entries(used))('%s uses only existing ones', (_, texts) => {
    const names = texts.flatMap((text) => text.match(/\b(?:w3ipfs_keys|nodejs|process)_\w+\b(?!:)/g) ?? []);
    expect(names.length).toBeGreaterThan(10);
    expect([...new Set(names)].filter((name) => !metrics.has(name))).toEqual([]);
  });

  withPromtool('are named and described as Prometheus requires', () => {
    expect(promtool(['check', 'metrics'], exposed)).toBe('');
  });

  withPromtool('deploy/alerts.yml passes its tests', () => {
    expect(promtool(['check', 'rules', 'deploy/alerts.yml'])).toBe('');
    expect(promtool(['test', 'rules', 'deploy/alerts.test.yml'])).toBe('');
  });

  withPromtool('every panel of the dashboard has a query that Prometheus parses', () => {
    const filled = used['deploy/grafana-dashboard.json'].map((text) => text.replaceAll('$__rate_interval', '5m'));
    const rules = filled.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const file = join(makeFolder(), 'panels.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(promtool(['check', 'rules', file])).toBe('');
    removeFolder(dirname(file));
  });

  it.each(Object.entries(used))('%s closes every bracket', (_, texts) => {
    expect(texts.filter((text) => !isBalanced(text))).toEqual([]);
    expect(isBalanced('sum(rate(a{b="("}[5m])')).toBe(false);
  });
});

it('every alert links to its section in docs/operations.md', () => {
  const headings = new Set(readFileSync('docs/operations.md', 'utf8').match(/^### \w+$/gm));
  const { rules } = read('deploy/alerts.yml').groups[0];
  const alerts = rules.filter((rule: object) => 'alert' in rule);
  expect(alerts.length).toBeGreaterThan(10);
  for (const { alert, annotations } of alerts) {
    const page = 'https://example.com/w3ipfs-api-keys/docs/operations.md';
    expect(annotations.runbook_url).toBe(`${page}#${alert.toLowerCase()}`);
    expect(headings).toContain(`### ${alert}`);
  }
});

function read(path: string) {
  return parse(readFileSync(path, 'utf8'), { merge: true });
}

/** The variables that docker-compose.yml passes if only the secrets are set. */
function composed(): Variables {
  const given = Object.entries(read('docker-compose.yml').services['api-keys-1'].environment as Variables);
  const filled = (value: string) => value.replace(/\$\{(\w+):[?-][^}]*\}/g, (_, name: string) => SECRETS[name] ?? '');
  return Object.fromEntries(given.map(([name, value]) => [name, filled(value)]));
}

function literals(lines: string[]): Variables {
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]));
}

/** The example's values, with plausible ones for those to be generated. */
function withSecrets(example: Variables): Variables {
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, SECRETS[name] ?? value]));
}

/** Every `expr`, at any depth. */
function expressions(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => (name === 'expr' ? [String(child)] : expressions(child)));
}

/** Removes strings, then innermost pairs until nothing changes: no bracket may remain. */
function isBalanced(expression: string): boolean {
  let rest = expression.replaceAll(/"(?:\\.|[^"\\])*"/g, '');
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replaceAll(/\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}/g, '');
  }
  return !/[()[\]{}]/.test(rest);
}

import { VERSION } from '../src/config/version.js';
import { createTestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { type SmallServer, startServer } from './support/platform.js';
import { run } from './support/process.js';
import { startService } from './support/service.js';
import { accountService, sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

/** A span as OTLP's JSON has it. */
interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

function spansIn(received: string[]): Span[] {
  return received
    .flatMap((text) => JSON.parse(text).resourceSpans)
    .flatMap((resource) => resource.scopeSpans.flatMap((scope: { spans: Span[] }) => scope.spans));
}

/** The resource attributes of their sender, once for each export. */
function resourcesIn(received: string[]): Record<string, unknown>[] {
  const all = received.flatMap((text) => JSON.parse(text).resourceSpans as { resource: Pick<Span, 'attributes'> }[]);
  return all.map(({ resource }) => attributesOf(resource));
}

function attributesOf({ attributes }: Pick<Span, 'attributes'>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

function attributeOf({ attributes }: Span, name: string): unknown {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
}

describe('the spans of a service with a collector', () => {
  const received: string[] = [];
  const headers = { ...sessionOf('ann'), 'user-agent': 'test/1', traceparent: `00-${TRACE}-${CALLER}-01` };
  let url: string;
  let key: IssuedKey;
  let spans: Span[];
  let issued: Span;
  beforeAll(async () => {
    const collector = await startServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      received.push(text);
      expect(request.url).toBe('/v1/traces');
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
    // Read by OpenTelemetry itself
    process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'deployment.environment.name=test,service.name=other';
    process.env['OTEL_SERVICE_NAME'] = 'keys-of-a-test';
    const service = await startService({
      ...serviceVariables,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.address}`,
    });
    delete process.env['OTEL_RESOURCE_ATTRIBUTES'];
    delete process.env['OTEL_SERVICE_NAME'];
    url = service.client.url;
    key = (await service.client.post('/api/apiKeys', headers, powerlessBody)).body.data;
    await verify(service.client, key);
    await verify(service.client, { id: '', api_key: 'x', secret_key: 'y' });
    await service.client.post('/api/apiKeys/verify', serviceHeaders, {});
    await service.client.get('/nowhere?token=hidden-in-a-query');
    await until(() => spansIn(received).filter(({ name }) => name.endsWith('/verify')).length === 3, 'the spans');
    await service.stop();
    await collector.stop();
    spans = spansIn(received);
    issued = spans.find(({ name }) => name === 'POST /api/apiKeys') as Span;
  }, 180_000);

  it('continue the trace of a request, and describe it', () => {
    expect(issued).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
    const { hostname, port } = new URL(url);
    expect(attributesOf(issued)).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/api/apiKeys',
      'http.response.status_code': 200,
      'url.path': '/api/apiKeys',
      'url.scheme': 'http',
      'server.address': hostname,
      'server.port': Number(port),
      'client.address': '127.0.0.1',
      'user_agent.original': 'test/1',
    });
  });

  it('have no route for an unknown path', () => {
    const nowhere = spans.find(({ name }) => name === 'GET') as Span;
    expect(attributesOf(nowhere)).toMatchObject({ 'url.path': '/nowhere', 'http.response.status_code': 404 });
    expect(attributesOf(nowhere)).not.toMatchObject({ 'http.route': expect.anything() });
  });

  it('name the service, its version and its instance', () => {
    const resources = resourcesIn(received);
    expect(resources.length).toBeGreaterThan(0);
    for (const resource of resources)
      expect(resource).toMatchObject({
        'service.name': 'keys-of-a-test',
        'service.version': VERSION,
        'service.instance.id': resources[0]?.['service.instance.id'],
        'telemetry.sdk.language': 'nodejs',
        'deployment.environment.name': 'test',
      });
  });

  it('include the queries of a request', () => {
    const queries = spans.filter(({ parentSpanId }) => parentSpanId === issued.spanId);
    expect(queries.map((span) => attributeOf(span, 'db.query.text'))).toContainEqual(
      expect.stringMatching(/^INSERT INTO "api_keys"/),
    );
    expect(queries.find(({ name }) => name === 'INSERT api_keys')).toBeDefined();
    for (const query of queries)
      expect(attributesOf(query)).toMatchObject({
        'db.system.name': 'postgresql',
        'db.operation.name': /^\w+/.exec(query.name)?.[0],
      });
    expect(queries.map((span) => attributeOf(span, 'db.operation.name'))).not.toContain('WITH');
  });

  it('have the verdict, the key and the error of a verification', () => {
    const verified = spans.filter(({ name }) => name === 'POST /api/apiKeys/verify');
    expect(verified.map((span) => attributeOf(span, 'w3ipfs.verdict'))).toEqual([
      'VALID',
      'INVALID_CREDENTIALS',
      undefined,
    ]);
    const errors = ['w3ipfs.error_code', 'error.type'].map((name) => verified.map((span) => attributeOf(span, name)));
    expect(errors).toEqual([
      [undefined, undefined, 'validation_failed'],
      [undefined, undefined, undefined],
    ]);
    expect(verified.map((span) => attributeOf(span, 'w3ipfs.key_id'))).toEqual([key.id, undefined, undefined]);
  });

  it('contain neither secrets nor queries of URLs', () => {
    expect(received.join()).not.toContain('hidden-in-a-query');
    for (const secret of [key.secret_key, headers.authorization.slice(7), serviceHeaders.authorization.slice(7)])
      expect(received.join()).not.toContain(secret);
  });
});

/** A collector with the exports it has received. */
async function startCollector(): Promise<{ collector: SmallServer; spans: () => Span[]; text: () => string }> {
  const received: string[] = [];
  const collector = await startServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    received.push(text);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  return { collector, spans: () => spansIn(received), text: () => received.join() };
}

/** The spans of sequential calls, each with its own headers, from a service with this sampler. */
async function spansOf(
  { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, ...variables }: Record<string, string>,
  calls: Record<string, string>[],
) {
  const { collector, spans, text } = await startCollector();
  // Read by OpenTelemetry itself
  Object.assign(process.env, { OTEL_TRACES_SAMPLER: OTEL_TRACES_SAMPLER ?? '' });
  Object.assign(process.env, { OTEL_TRACES_SAMPLER_ARG: OTEL_TRACES_SAMPLER_ARG ?? '' });
  const service = await startService({
    ...serviceVariables,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.address}`,
    ...variables,
  });
  for (const headers of calls) expect((await service.client.get('/health/live', headers)).status).toBe(200);
  // Pending spans are sent before it stops
  await service.stop();
  await collector.stop();
  return { spans: spans().filter(({ name }) => name === 'GET /health/live'), text: text() };
}

const part = (flags: string, traceId = TRACE) => ({ traceparent: `00-${traceId}-${CALLER}-${flags}` });
/** A ratio samples small trace ids. */
const SMALL = '00000000000000000000000000000001';

describe('whether a request is recorded', () => {
  const services = { ...serviceHeaders };

  it('is decided by trusted proxies and services, not by strangers, with no sampler configured', async () => {
    const off = { OTEL_TRACES_SAMPLER: 'parentbased_always_off' };
    const behind = await spansOf({ ...off, TRUSTED_PROXIES: '127.0.0.1/32' }, [part('01'), part('00'), {}]);
    expect(behind.spans).toMatchObject([{ traceId: TRACE, parentSpanId: CALLER }]);
    const direct = await spansOf(off, [
      part('01'),
      { ...part('01'), authorization: `Bearer ${'x'.repeat(32)}` },
      { ...part('01'), ...sessionOf('ann') },
      { ...part('01', SMALL), ...services },
    ]);
    expect(direct.spans).toMatchObject([{ traceId: SMALL, parentSpanId: CALLER }]);
  });

  it('is sampled for strangers as without a trace: they can neither force nor avoid it', async () => {
    const on = await spansOf({}, [part('01'), part('00'), { ...part('00', SMALL), ...services }]);
    expect(on.spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE]);
    for (const sampler of ['parentbased_traceidratio', 'traceidratio']) {
      const ratio = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: '0.000000001' };
      const calls = [part('01', SMALL), part('00', SMALL), { ...part('01', SMALL), ...services }];
      expect((await spansOf(ratio, calls)).spans).toHaveLength(1);
    }
  });
});

it('keeps only the ids of a stranger, and nothing malformed', async () => {
  const more = { tracestate: 'vendor=told', baggage: 'secret=told' };
  const services = { ...part('01', SMALL), ...serviceHeaders };
  const malformed = ['', '00-', `ff-${TRACE}-${CALLER}-01`, `00-${'0'.repeat(32)}-${CALLER}-01`, `00-${TRACE}-x-01`];
  const { spans, text } = await spansOf({}, [
    { ...part('01'), ...more },
    { ...services, ...more },
    { ...services, tracestate: `a=${'b'.repeat(600)}` },
    ...malformed.map((traceparent) => ({ traceparent })),
  ]);
  const [strangers, service, long, ...rest] = spans;
  expect([strangers?.traceId, strangers?.traceState ?? '']).toEqual([TRACE, '']);
  expect([service?.traceId, service?.traceState]).toEqual([SMALL, 'vendor=told']);
  expect([long?.traceId, long?.traceState ?? '']).toEqual([SMALL, '']);
  expect(rest).toHaveLength(malformed.length);
  for (const { traceId, parentSpanId } of rest) {
    expect([TRACE, SMALL]).not.toContain(traceId);
    expect(parentSpanId ?? '').toBe('');
  }
  expect(text).not.toContain('secret=told');
});

it('is redacted like the log, including the request id that a client sends', async () => {
  const secret = `w3s_${'b'.repeat(40)}`;
  const token = serviceHeaders.authorization.slice(7);
  const session = sessionOf('ann').authorization.slice(7, 120);
  const ids = [secret, token, session];
  const { spans, text } = await spansOf(
    {},
    ids.map((id) => ({ 'x-request-id': id })),
  );
  expect(spans.map((span) => attributeOf(span, 'w3ipfs.request_id'))).toEqual([
    'w3s_[redacted]',
    '[redacted]',
    expect.stringContaining('[redacted]'),
  ]);
  for (const id of ids) expect(text).not.toContain(id);
});

it('is not loaded without a collector', async () => {
  const database = await createTestDatabase();
  const program = `
    const { createApp } = await import('./app.js');
    const { loadEnvironment } = await import('./configuration.js');
    const app = await createApp(loadEnvironment(process.env));
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(process.cwd() + '/').cache);
    await app.close();
    console.log(JSON.stringify({ nest: loaded.some((file) => file.includes('/typeorm/')), opentelemetry: [
      ...new Set(loaded.map((file) => /@opentelemetry\\/([^/]+)/.exec(file)?.[1]).filter(Boolean))] }));`;
  const variables = { ...database.variables, JWT_PUBLIC_KEY: accountService.publicKey, LOG_LEVEL: 'error' };
  const { stdout, stderr } = await run(['--input-type=module', '-e', program], variables);
  await database.drop();
  expect(stderr).toBe('');
  // Only the interface, without an implementation, is loaded
  expect(JSON.parse(stdout)).toEqual({ nest: true, opentelemetry: ['api'] });
});

it('still answers while the collector is unavailable', async () => {
  const service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  const { id } = await issueKey(service.client, 'ann');
  expect((await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).status).toBe(200);
  await service.stop();
});

import { createTestDatabase } from './support/database.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { startServer } from './support/platform.js';
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
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

function spansIn(received: string[]): Span[] {
  return received
    .flatMap((text) => JSON.parse(text).resourceSpans)
    .flatMap((resource) => resource.scopeSpans.flatMap((scope: { spans: Span[] }) => scope.spans));
}

function attributeOf({ attributes }: Span, name: string): unknown {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
}

it('follows a request that belongs to a trace, and its queries, and tells the collector no secret', async () => {
  const received: string[] = [];
  const collector = await startServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    received.push(text);
    expect(request.url).toBe('/v1/traces');
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  const service = await startService({
    ...serviceVariables,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.address}`,
  });
  const headers = { ...sessionOf('ann'), traceparent: `00-${TRACE}-${CALLER}-01` };
  const { body } = await service.client.post('/api/apiKeys', headers, powerlessBody);
  await verify(service.client, body.data);
  await verify(service.client, { id: '', api_key: 'x', secret_key: 'y' });
  await service.client.post('/api/apiKeys/verify', serviceHeaders, {});
  await until(() => spansIn(received).filter(({ name }) => name.endsWith('/verify')).length === 3, 'the spans');
  await service.stop();
  await collector.stop();

  const spans = spansIn(received);
  const issued = spans.find(({ name }) => name === 'POST /api/apiKeys') as Span;
  expect(issued).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
  expect(attributeOf(issued, 'http.response.status_code')).toBe(200);
  const queries = spans.filter(({ parentSpanId }) => parentSpanId === issued.spanId);
  expect(queries.map((span) => attributeOf(span, 'db.query.text'))).toContainEqual(
    expect.stringMatching(/^INSERT INTO "api_keys"/),
  );
  const verified = spans.filter(({ name }) => name === 'POST /api/apiKeys/verify');
  expect(verified.map((span) => attributeOf(span, 'w3ipfs.verdict'))).toEqual([
    'VALID',
    'INVALID_CREDENTIALS',
    undefined,
  ]);
  expect(verified.map((span) => attributeOf(span, 'error.type'))).toEqual([undefined, undefined, 'validation_failed']);
  for (const secret of [body.data.secret_key, headers.authorization.slice(7), serviceHeaders.authorization.slice(7)])
    expect(received.join()).not.toContain(secret);
});

it('is not loaded where nobody is told of traces', async () => {
  const database = await createTestDatabase();
  const program = `
    const { createApp } = await import('./dist/app.setup.js');
    const { loadEnvironment } = await import('./dist/config/environment.js');
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
  // The interface alone, without anything behind it, comes with the metrics
  expect(JSON.parse(stdout)).toEqual({ nest: true, opentelemetry: ['api'] });
});

it('answers all the same while the collector is away', async () => {
  const service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  await issueKey(service.client, 'ann');
  await service.stop();
});

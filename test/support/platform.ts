import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a test's own, `address` as `host:port`. */
export interface SmallServer {
  address: string;
  stop(): Promise<void>;
}

/** What nginx lets through must not fail here, or it would look as if nginx had refused it. */
const LENIENT = { insecureHTTPParser: true, maxHeaderSize: 65_536 };

export async function startServer(
  listener: (...call: Parameters<RequestListener>) => void | Promise<void>,
): Promise<SmallServer> {
  const server = createServer(LENIENT, (request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** What the platform's service got, which it answers with, under the status in `?status=`. */
interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  bytes: number;
}

/** Stands for the service that the gateway guards. */
export function startPlatform(): Promise<SmallServer> {
  return startServer(async (request, response) => {
    const echo = await echoOf(request);
    const status = Number(new URL(echo.url, 'http://platform').searchParams.get('status') ?? 200);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(echo));
  });
}

async function echoOf(request: IncomingMessage): Promise<Echo> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  const { method = '', url = '', headers } = request;
  return { method, url, headers: headers as Record<string, string>, bytes };
}

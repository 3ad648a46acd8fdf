import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a test's own, `address` as `host:port`. */
export interface SmallServer {
  address: string;
  stop(): Promise<void>;
}

/** Requests that nginx passes must not fail here, or nginx would seem to have refused them. */
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

/** The request that the platform's service received, echoed with the status in `?status=`. */
interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  bytes: number;
}

/** Stands in for the service behind the gateway. */
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

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { originForm } from './request-target.js';

/** Handles a request itself, or passes it on. */
export type Layer = (request: IncomingMessage, response: ServerResponse, next: RequestListener) => void;

/** Puts a layer in front of the current request listener of a server. */
export function addLayer(server: Server, layer: Layer): void {
  const [next] = server.listeners('request') as [RequestListener];
  server.removeAllListeners('request');
  server.on('request', (request, response) => layer(request, response, next));
}

/** Brings the target of each request into origin-form. */
export const normalizeTarget: Layer = (request, response, next) => {
  request.url = originForm(request.url ?? '');
  next(request, response);
};

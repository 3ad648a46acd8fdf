import type { FastifyContextConfig, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { admit, type Admission } from '../http/admit.js';
import { addressReader, type ClientAddress, requirement } from '../http/client-address.js';
import { rateHeaders } from '../http/rate-headers.js';
import { RefusedRequest } from '../http/refused-request.js';
import { readRouteScopes } from '../input/required.js';
import type { Guard, GuardVerdict } from '../types.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The verdict on the key that the request was let through with; `null` on public routes. */
    apiKey: GuardVerdict | null;
  }
  interface FastifyContextConfig {
    /** The scopes that the route needs, all of them; without, any valid key passes. */
    scopes?: readonly string[];
    /** `scopes`. */
    scope?: never;
    /** Opens the route to everyone. */
    public?: boolean;
  }
}

/** Options of the plugin. */
export interface ApiKeysGuardOptions {
  /** Closed with the application. */
  guard: Guard;
  /** The socket's address by default; with Fastify's `trustProxy`, `(request) => request.ip`. */
  clientAddress?: ClientAddress<FastifyRequest>;
}

type Done = (error?: Error) => void;

const plugin: FastifyPluginCallback<ApiKeysGuardOptions> = (fastify, { guard, clientAddress }, ready) => {
  if (typeof guard?.check !== 'function') return ready(new TypeError('apiKeysGuard needs the option guard'));
  const addressOf = addressReader(clientAddress);
  fastify.decorateRequest('apiKey', null);
  // Routes that were added before are checked at each request
  fastify.addHook('onRoute', ({ config }) => void (config && scopesOf(config)));
  // No promise, and no closure, where the guard decides locally
  fastify.addHook('onRequest', (request, reply, done) => {
    const { config } = request.routeOptions;
    // Without an address, it answers 404
    if (config.public === true || config.url === undefined) return done();
    try {
      const admission = admit(guard, request.raw, requirement(scopesOf(config), addressOf(request)));
      if (!(admission instanceof Promise)) return settle(admission, request, reply, done);
      admission.then((given) => settle(given, request, reply, done), done);
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onClose', () => guard.close());
  ready();
};

const NONE: readonly string[] = [];
/** By the configuration of their route: read once. */
const scopesOfRoutes = new WeakMap<FastifyContextConfig, readonly string[]>();

/** @throws TypeError if something else may have been meant: the route would be open to every key */
function scopesOf(config: FastifyContextConfig): readonly string[] {
  let scopes = scopesOfRoutes.get(config);
  if (!scopes) scopesOfRoutes.set(config, (scopes = readScopes(config)));
  return scopes;
}

function readScopes(config: FastifyContextConfig): readonly string[] {
  if ('scope' in config) throw new TypeError('config.scope is not known: write config.scopes, a list');
  const { scopes = NONE } = config;
  if (!Array.isArray(scopes)) throw new TypeError('config.scopes must be a list of scopes');
  return readRouteScopes(scopes);
}

function settle(admission: Admission, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  if (admission instanceof RefusedRequest) {
    reply.code(admission.status).headers(admission.headers).send(JSON.stringify(admission.body));
    return;
  }
  request.apiKey = admission;
  if (admission.rateLimit) reply.headers(rateHeaders(admission));
  done();
}

/**
 * Fastify plugin: every route of the application needs a valid API key, with the scopes of its `config`, unless that says
 * `public`. It is not encapsulated: it also guards what is registered beside it and before it.
 */
export const apiKeysGuard = Object.assign(plugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'api-keys-guard',
});

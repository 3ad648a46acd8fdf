import type { FastifyRequest } from 'fastify';
import type { AuditSource } from './audit-source.js';
import type { Principal } from './principal.js';

/** A request that has passed through the authentication guard. */
export interface CallerRequest extends FastifyRequest {
  /** The admitted caller. */
  user?: Principal;
  /** A caller with the right secret that was refused. */
  denied?: Principal;
  source?: AuditSource;
}

/** For handlers behind the guard. */
export type AdmittedRequest = CallerRequest & Required<Pick<CallerRequest, 'user' | 'source'>>;

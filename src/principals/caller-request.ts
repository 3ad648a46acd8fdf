import type { FastifyRequest } from 'fastify';
import type { AuditSource } from './audit-source.js';
import type { Principal } from './principal.js';

/** A request as the authentication guard leaves it. */
export interface CallerRequest extends FastifyRequest {
  /** The caller, once it is admitted; where Passport puts it. */
  user?: Principal;
  /** A caller whose key pair is right, but that was refused. */
  denied?: Principal;
  source?: AuditSource;
}

/** For handlers behind the guard. */
export type AdmittedRequest = CallerRequest & Required<Pick<CallerRequest, 'user' | 'source'>>;

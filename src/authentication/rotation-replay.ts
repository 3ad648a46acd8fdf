import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { untagged } from '../api-keys/etag.js';
import type { RotatedAnswer } from '../api-keys/issuing/key-issuer.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { StoredAnswer } from '../http/stored-answer.js';
import { ClientAddress } from '../http/client-address.js';
import { Verifier } from '../verification/verifier.js';
import { CallLimits } from './call-limits.js';
import type { CallerRequest } from '../principals/caller-request.js';
import { ignoreClientError } from '../principals/refusal-errors.js';
import { LostRotations } from './lost-rotations.js';
import { Principal } from '../principals/principal.js';

/**
 * A key that rotates itself replaces the secret that it calls with: if the response is lost, the client has no valid
 * credentials to retry with. So the same request by the replaced pair gets the stored response, until that expires.
 *
 * The old secret is good for nothing else and authenticates no principal: the new secret, from the stored response, has to
 * pass every check as if it had been presented, and is charged for the call. Other callers get the ordinary refusal.
 */
@Injectable()
export class RotationReplay {
  constructor(
    private readonly lostRotations: LostRotations,
    private readonly verifier: Verifier,
    private readonly apiKeys: ApiKeysService,
    private readonly clientAddress: ClientAddress,
    private readonly callLimits: CallLimits,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns `undefined` unless the request is the same, and the new secret may still make it
   * @throws ApiError if the key's rates or uses do not permit the call; UnavailableError
   */
  async answerTo(request: CallerRequest): Promise<StoredAnswer | undefined> {
    const stored = await this.lostRotations.find(request);
    const principal = stored && (await this.principalOf(stored, request).catch(ignoreClientError));
    if (!principal) return undefined;
    // For the log and the audit trail
    request.user = principal;
    const headers = await this.callLimits.charge(request, principal);
    await this.record(principal, request);
    const { answer, headers: ofKey } = untagged(stored);
    return new StoredAnswer(answer, { ...headers, ...ofKey });
  }

  /** Shows the owner that a holder of the old secret got the new one. */
  private record({ ownerId, actor, apiKey }: Principal, { raw, id }: FastifyRequest): Promise<void> {
    const source = { actor, ip: this.clientAddress.of(raw) ?? null, requestId: id };
    const at = new Date(this.clock.now());
    const event = { action: 'key.rotation_repeated', apiKeyId: apiKey?.id ?? null, source, at } as const;
    return this.auditTrail.recordSeparately(ownerId, [event]);
  }

  /** The principal of the new secret, if it is still the current one. @throws ApiError if it may not rotate the key now */
  private async principalOf({ data }: RotatedAnswer, { raw, id }: FastifyRequest): Promise<Principal | undefined> {
    const ip = this.clientAddress.of(raw);
    const pair = { apiKey: data.api_key, secretKey: data.secret_key };
    const { valid, key } = await this.verifier.identify(pair, { scopes: ['admin'], ip });
    if (!valid || key.secretKind !== 'current') return undefined;
    const principal = Principal.apiKey(key);
    const source = { actor: principal.actor, ip: ip ?? null, requestId: id };
    await this.apiKeys.assertStillAllowed({ ownerId: key.ownerId, key, source });
    return principal;
  }
}

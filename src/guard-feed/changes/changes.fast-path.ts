import { Injectable } from '@nestjs/common';
import { success } from '../../http/envelope.js';
import { FastPath } from '../../http/fast-path.js';
import type { FastPathRequest } from '../../http/fast-path-routes.js';
import type { FullResponse } from '../../http/write-response.js';
import { ServiceTokens } from '../../principals/service-tokens.js';
import { GuardSightings } from '../guard-sightings.js';
import { toChangesDto } from './changes.dto.js';
import { readChangesQuery } from './changes-query.js';
import { GuardChanges } from './guard-changes.js';

/** Answers guards without the pipeline, since each asks several times a second; `ChangesController` gives the same answers. */
@Injectable()
export class ChangesFastPath {
  constructor(
    fastPath: FastPath,
    serviceTokens: ServiceTokens,
    private readonly changes: GuardChanges,
    private readonly sightings: GuardSightings,
  ) {
    fastPath.register({
      method: 'GET',
      path: '/api/apiKeys/changes',
      identify: (request) => serviceTokens.identify(request),
      respond: (request) => this.respond(request),
    });
  }

  private async respond({ raw, context }: FastPathRequest): Promise<FullResponse> {
    const guard = this.sightings.note(context.caller ?? '', raw);
    const answer = await this.changes.ask(readChangesQuery(raw.url), guard);
    return { body: JSON.stringify(success(toChangesDto(answer))) };
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, CurrentPrincipal } from '../principals/decorators/current-principal.decorator.js';
import { ReplayableRotation, PresentedPair } from '../principals/decorators/presented-pair.decorator.js';
import type { Principal } from '../principals/principal.js';
import { Clock } from '../clock.js';
import { success } from '../http/envelope.js';
import { ApiIdempotencyKey, IdempotencyKey } from '../idempotency/idempotency-key.decorator.js';
import { ApiErrors, ApiSuccess, MANAGEMENT, WITH_BODY, WITH_IDEMPOTENCY_KEY } from '../openapi/answers.decorator.js';
import { Authenticated } from '../principals/decorators/authenticated.decorator.js';
import type { Tag } from '../openapi/tags.js';
import { ApiKeysService } from './api-keys.service.js';
import type { Caller } from '../principals/caller.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { ApiKeyIdParam } from './dto/api-key-id.param.js';
import { ApiKeyDto, ApiKeyPageDto, IssuedApiKeyDto, RotatedApiKeyDto } from './dto/api-key.dto.js';
import { CreateApiKeyDto } from './dto/create-api-key.dto.js';
import { DeleteQuery } from './dto/delete.query.js';
import { DeletedDto } from './dto/deleted.dto.js';
import * as examples from './dto/examples.js';
import { ListApiKeysQuery, toKeyQuery } from './dto/list-api-keys.query.js';
import { RotateApiKeyDto } from './dto/rotate.dto.js';
import { toKeyPatch, UpdateApiKeyDto } from './dto/update-api-key.dto.js';
import type { ApiKey } from './api-key.entity.js';
import { ApiIfMatch, ETAG, IfMatch, tagged } from './etag.js';
import { ETagInterceptor } from './etag.interceptor.js';
import { IdempotentIssuance } from './issuing/idempotent-issuance.js';
import { KeySearch } from './search/key-search.js';
import { Revocations } from './revocation/revocations.js';

@Controller('apiKeys')
@Authenticated('admin')
@UseInterceptors(ETagInterceptor)
@ApiTags('API keys' satisfies Tag)
export class ApiKeysController {
  constructor(
    private readonly apiKeys: ApiKeysService,
    private readonly keySearch: KeySearch,
    private readonly revocations: Revocations,
    private readonly issuance: IdempotentIssuance,
    private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiIdempotencyKey()
  @ApiOperation({
    operationId: 'createApiKey',
    summary: 'Issue a key; its secret is only in this answer',
    description:
      'The key belongs to the owner of the session, or of the key that issues it. A key grants no more than it has: its ' +
      'limits are inherited if left out, and can only be narrowed. Without `admin: true`, every scope has to be given.',
  })
  @ApiBody({ type: CreateApiKeyDto, examples: examples.CREATE_EXAMPLES })
  @ApiSuccess(IssuedApiKeyDto, 'The key was issued.', examples.ISSUED_EXAMPLE, ETAG)
  @ApiErrors(...MANAGEMENT, ...WITH_BODY, ...WITH_IDEMPOTENCY_KEY, 'exceeds_issuer', 'key_limit_reached')
  create(
    @CurrentCaller() caller: Caller,
    @Body() body: CreateApiKeyDto,
    @IdempotencyKey() idempotencyKey: string | undefined,
  ) {
    return this.issuance.issue(caller, body, idempotencyKey);
  }

  @Get('list')
  @ApiOperation({
    operationId: 'listApiKeys',
    summary: 'List and find your keys, newest first',
    description:
      'Without filters: all that are not revoked. For the next page, pass the `next_cursor` of this one as `cursor`, until ' +
      'it is `null`. Secrets are never shown.',
  })
  @ApiSuccess(ApiKeyPageDto, 'A page of the keys.', examples.PAGE_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed')
  async list(@CurrentPrincipal() { ownerId }: Principal, @Query() query: ListApiKeysQuery) {
    return success(ApiKeyPageDto.of(await this.keySearch.find(ownerId, toKeyQuery(query)), this.clock.now()));
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getApiKey',
    summary: 'Read a key, even a revoked one',
    description: 'A revoked key is shown until it is purged. Send its `ETag` as `If-Match` of a change.',
  })
  @ApiSuccess(ApiKeyDto, 'The key.', examples.KEY_EXAMPLE, ETAG)
  @ApiErrors(...MANAGEMENT, 'validation_failed', 'key_not_found')
  async get(@CurrentPrincipal() { ownerId }: Principal, @Param() { id }: ApiKeyIdParam) {
    return this.show(await this.apiKeys.read(ownerId, id));
  }

  @Patch(':id')
  @ApiIfMatch()
  @ApiOperation({
    operationId: 'updateApiKey',
    summary: 'Change a key; properties left out stay as they are',
    description:
      '`scopes` and `metadata` are replaced as a whole; each of `limits` can be changed separately, and `null` clears ' +
      'it. A key cannot change its own scopes, limits or `enabled`. The change is in force from this answer on, and in ' +
      'every other process within `REVOCATION_BOUND_MS`.',
  })
  @ApiBody({ type: UpdateApiKeyDto, examples: examples.UPDATE_EXAMPLES })
  @ApiSuccess(ApiKeyDto, 'The changed key.', examples.KEY_EXAMPLE, ETAG)
  @ApiErrors(...MANAGEMENT, ...WITH_BODY, 'key_not_found', 'exceeds_issuer', 'precondition_failed')
  async update(
    @CurrentCaller() caller: Caller,
    @Param() { id }: ApiKeyIdParam,
    @Body() body: UpdateApiKeyDto,
    @IfMatch() versions: number[] | undefined,
  ) {
    return this.show(await this.apiKeys.update(caller, id, toKeyPatch(body), versions));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @ReplayableRotation()
  @ApiIdempotencyKey()
  @ApiIfMatch()
  @ApiOperation({
    operationId: 'rotateApiKey',
    summary: 'Give a key a new secret; the previous one may stay valid for a while',
    description:
      'The `api_key` stays. Until the overlap ends both secrets are valid, though never beyond the expiry of the key; a ' +
      'further rotation ends an earlier overlap. The body is optional.',
  })
  @ApiBody({ type: RotateApiKeyDto, required: false, examples: examples.ROTATE_EXAMPLES })
  @ApiSuccess(RotatedApiKeyDto, 'The key with its new secret.', examples.ROTATED_EXAMPLE, ETAG)
  @ApiErrors(
    ...MANAGEMENT,
    ...WITH_BODY,
    ...WITH_IDEMPOTENCY_KEY,
    'key_not_found',
    'exceeds_issuer',
    'precondition_failed',
  )
  rotate(
    @CurrentCaller() caller: Caller,
    @PresentedPair() pair: KeyPair | undefined,
    @Param() { id }: ApiKeyIdParam,
    @Body() body: RotateApiKeyDto,
    @IfMatch() versions: number[] | undefined,
    @IdempotencyKey() idempotencyKey: string | undefined,
  ) {
    return this.issuance.rotate(caller, { id, versions, body, pair }, idempotencyKey);
  }

  @Delete(':id')
  @ApiIfMatch()
  @ApiOperation({
    operationId: 'deleteApiKey',
    summary: 'Revoke a key permanently',
    description:
      'The key is refused from this answer on, and by every other process within `REVOCATION_BOUND_MS`. With ' +
      '`cascade=true`, so are all its descendants: `complete` is `false` while their rows are still being written.',
  })
  @ApiResponse({
    status: 200,
    description: 'The key was revoked.',
    type: DeletedDto,
    example: examples.DELETED_EXAMPLE,
  })
  @ApiErrors(...MANAGEMENT, ...WITH_BODY, 'key_not_found', 'precondition_failed')
  async delete(
    @CurrentCaller() caller: Caller,
    @Param() { id }: ApiKeyIdParam,
    @Query() { cascade }: DeleteQuery,
    @IfMatch() versions: number[] | undefined,
  ): Promise<DeletedDto> {
    return DeletedDto.of(await this.revocations.revoke(caller, id, { cascade: cascade === 'true', versions }));
  }

  private show(key: ApiKey) {
    return tagged(success(ApiKeyDto.of(key, this.clock.now())), key);
  }
}

import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiSchema, PartialType } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import {
  IsInt,
  IsObject,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationArguments,
} from 'class-validator';
import type { ErrorDetail } from '../../http/errors/api-error.js';
import { Optional } from '../../http/validation/optional.decorator.js';
import { membersOf } from '../../http/validation/dto-reader.js';
import type { ProblemsWithin } from '../../http/validation/validation.pipe.js';
import { InvalidNetworkError, parseNetwork } from '@w3ipfs/api-keys-guard/decision';
import type { KeyLimits } from '../../principals/key-limits.js';
import { parseTimestamp } from '../../http/validation/timestamp.js';

const MAX_USES = 1_000_000_000_000;
const MAX_REQUESTS = 1_000_000;
/** 31 days. */
const MAX_WINDOW_SECONDS = 2_678_400;
const MAX_NETWORKS = 64;

/** `null` stands for no limit; the meaning of a missing limit depends on the call. */
function Limit(
  name: string,
  explain: (value: unknown, limits: Partial<LimitsDto>) => string | undefined,
  context?: ProblemsWithin,
): PropertyDecorator {
  const problemWith = ({ value, object }: ValidationArguments) => explain(value, object);
  return applyDecorators(
    ValidateIf((_, value) => value !== undefined && value !== null),
    ValidateBy(
      {
        name,
        validator: {
          validate: (_, args) => args !== undefined && problemWith(args) === undefined,
          defaultMessage: (args) => (args && problemWith(args)) ?? '',
        },
      },
      { context },
    ),
  );
}

function WholeNumber(most: number): PropertyDecorator {
  const message = `must be a whole number from 1 to ${most}`;
  return applyDecorators(
    Max(most, { message }),
    Min(1, { message }),
    IsInt({ message }),
    ApiProperty({ type: 'integer', minimum: 1, maximum: most }),
  );
}

const TIMESTAMP = 'must be a time in RFC 3339 with its zone, like 2030-01-31T12:00:00Z';

/** Whether it has passed is checked later (`assertFuture()`), since a retried request must not fail for that. */
function explainTimestamp(value: unknown): string | undefined {
  return parseTimestamp(value) ? undefined : TIMESTAMP;
}

function explainExpiry(value: unknown, { not_before: notBefore }: Partial<LimitsDto>): string | undefined {
  const [begins, ends] = [parseTimestamp(notBefore), parseTimestamp(value)];
  return explainTimestamp(value) ?? (begins && ends && begins >= ends ? 'must be after not_before' : undefined);
}

const NETWORKS = `must be a list of 1 to ${MAX_NETWORKS} networks, like 192.0.2.0/24`;

function explainNetworks(value: unknown): string | undefined {
  return isNetworkList(value) && badNetworks(value).length === 0 ? undefined : NETWORKS;
}

function isNetworkList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_NETWORKS;
}

function badNetworks(networks: unknown[]): ErrorDetail[] {
  return networks.flatMap((network, index) => {
    const message = explainNetwork(network);
    return message === undefined ? [] : [{ path: String(index), message }];
  });
}

function explainNetwork(network: unknown): string | undefined {
  try {
    parseNetwork(typeof network === 'string' ? network : '');
    return undefined;
  } catch (error) {
    if (error instanceof InvalidNetworkError) return error.message;
    throw error;
  }
}

@ApiSchema({ name: 'RateLimit' })
export class RateLimitDto {
  @WholeNumber(MAX_REQUESTS)
  requests: number;

  @WholeNumber(MAX_WINDOW_SECONDS)
  window_seconds: number;
}

/** The limits of a key, as they are given and as they are shown. */
@ApiSchema({ name: 'Limits' })
export class LimitsDto {
  @Limit('not_before', explainTimestamp)
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Valid from this time on' })
  not_before: string | null;

  @Limit('expires_at', explainExpiry)
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Valid until this time' })
  expires_at: string | null;

  @ValidateIf((_, value) => value !== undefined && value !== null)
  @WholeNumber(MAX_USES)
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_USES,
    nullable: true,
    description: 'The maximum number of uses',
  })
  max_uses: number | null;

  @ValidateIf((_, value) => value !== undefined && value !== null)
  @TypeOf(() => RateLimitDto)
  @ValidateNested({ message: 'must be an object with requests, window_seconds' })
  @IsObject({ message: 'must be an object with requests, window_seconds' })
  @ApiProperty({
    type: RateLimitDto,
    nullable: true,
    description: 'At most `requests` in any window of `window_seconds`',
  })
  rate_limit: RateLimitDto | null;

  @Limit('allowed_cidrs', explainNetworks, {
    problemsWithin: (value) => (isNetworkList(value) ? badNetworks(value) : []),
  })
  @ApiProperty({
    type: [String],
    nullable: true,
    minItems: 1,
    maxItems: MAX_NETWORKS,
    description: 'The networks that it may be used from, IPv4 and IPv6',
    example: ['192.0.2.0/24', '2001:db8::/32'],
  })
  allowed_cidrs: string[] | null;

  static of({ notBefore, expiresAt, maxUses, rateLimit, allowedCidrs }: KeyLimits): LimitsDto {
    return {
      not_before: notBefore?.toISOString() ?? null,
      expires_at: expiresAt?.toISOString() ?? null,
      max_uses: maxUses,
      rate_limit: rateLimit && { requests: rateLimit.requests, window_seconds: rateLimit.windowSeconds },
      allowed_cidrs: allowedCidrs,
    };
  }
}

/** The limits in a request: each may be left out; `null` stands for none. */
@ApiSchema({ name: 'GivenLimits' })
export class GivenLimitsDto extends PartialType(LimitsDto, { skipNullProperties: false }) {}

const LIMITS = `must be an object with any of ${[...membersOf(LimitsDto)].join(', ')}`;

/** Optional limits in a request. */
export function GivenLimits(): PropertyDecorator {
  return applyDecorators(
    Optional(),
    TypeOf(() => GivenLimitsDto),
    ValidateNested({ message: LIMITS }),
    IsObject({ message: LIMITS }),
    ApiProperty({ type: GivenLimitsDto, required: false }),
  );
}

/** Limits left out stay left out. */
export function toKeyLimits(limits: GivenLimitsDto): Partial<KeyLimits> {
  const {
    not_before: notBefore,
    expires_at: expiresAt,
    max_uses: maxUses,
    rate_limit: rate,
    allowed_cidrs: cidrs,
  } = limits;
  // Typed so that a limit which is not read does not compile
  const read: { [L in keyof KeyLimits]: KeyLimits[L] | undefined } = {
    notBefore: notBefore === undefined ? undefined : parseTimestamp(notBefore),
    expiresAt: expiresAt === undefined ? undefined : parseTimestamp(expiresAt),
    maxUses,
    rateLimit: rate && { requests: rate.requests, windowSeconds: rate.window_seconds },
    allowedCidrs: cidrs && cidrs.map((cidr) => parseNetwork(cidr).toString()),
  };
  return Object.fromEntries(Object.entries(read).filter(([, limit]) => limit !== undefined));
}

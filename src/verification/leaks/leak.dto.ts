import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Length, ValidateBy } from 'class-validator';
import { IN_TEXT } from '../../api-keys/credentials/credentials.js';

const MAX_LENGTH = 100;

/** One half of a pair, as the finder copied it: perhaps with white space, quotes, or the name of a variable. */
function Found(half: RegExp): PropertyDecorator {
  const halfIn = (text: string) => half.exec(text)?.[0] ?? text.trim();
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? halfIn(value) : value)),
    Length(1, MAX_LENGTH, { message: `must be a string of 1 to ${MAX_LENGTH} characters` }),
  );
}

/** A field that finders are likely to send, rejected with what to send instead. */
function Rejected(message: string): PropertyDecorator {
  return ValidateBy({ name: 'rejected', validator: { validate: (value) => value === undefined } }, { message });
}

/** The body of `POST /api/apiKeys/report-leak`. */
@ApiSchema({ name: 'LeakReportRequest' })
export class LeakReportDto {
  @Found(IN_TEXT.apiKey)
  @ApiProperty({ example: 'w3k_3mJ0vXq8TzKc1RbYdNfA', minLength: 1, maxLength: MAX_LENGTH })
  api_key: string;

  @Found(IN_TEXT.secretKey)
  @ApiProperty({ description: 'As it was found', minLength: 1, maxLength: MAX_LENGTH })
  secret_key: string;

  @Rejected('is not accepted here: send the part before the dot as api_key, and the part after it as secret_key')
  credential?: never;
}

@ApiSchema({ name: 'LeakReported' })
export class LeakReportedDto {
  @ApiProperty()
  message: string;

  @ApiProperty({ enum: ['success'] })
  status: 'success';
}

export const LEAK_REPORT_EXAMPLES = {
  pair: {
    summary: 'A pair from a public repository',
    value: { api_key: 'w3k_3mJ0vXq8TzKc1RbYdNfA', secret_key: 'w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0' },
  },
};

/** Does not reveal whether the pair was valid. */
export const LEAK_REPORTED: LeakReportedDto = {
  message: 'Thank you. If this is the pair of a key, the key has been revoked.',
  status: 'success',
};

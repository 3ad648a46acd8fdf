import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Length, ValidateBy } from 'class-validator';
import { IN_TEXT } from '../../api-keys/credentials/credentials.js';

const LONGEST = 100;

/** A half of a pair, as it was found: with white space around it perhaps, quotes, or what it is called. */
function Found(half: RegExp): PropertyDecorator {
  const halfIn = (text: string) => half.exec(text)?.[0] ?? text.trim();
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? halfIn(value) : value)),
    Length(1, LONGEST, { message: `must be a string of 1 to ${LONGEST} characters` }),
  );
}

/** What finders may think to send, and how to send it instead. */
function Refused(message: string): PropertyDecorator {
  return ValidateBy({ name: 'refused', validator: { validate: (value) => value === undefined } }, { message });
}

/** The body of `POST /api/apiKeys/report-leak`. */
@ApiSchema({ name: 'LeakReportRequest' })
export class LeakReportDto {
  @Found(IN_TEXT.apiKey)
  @ApiProperty({ example: 'w3k_3mJ0vXq8TzKc1RbYdNfA', minLength: 1, maxLength: LONGEST })
  api_key: string;

  @Found(IN_TEXT.secretKey)
  @ApiProperty({ description: 'As it was found', minLength: 1, maxLength: LONGEST })
  secret_key: string;

  @Refused('is not taken here: give what is before its dot as api_key, and what is behind it as secret_key')
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

/** Whether the pair was good is not told. */
export const LEAK_REPORTED: LeakReportedDto = {
  message: 'Thank you. If this is the pair of a key, the key has been revoked.',
  status: 'success',
};

import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Length } from 'class-validator';

const LONGEST = 100;

/** The body of `POST /api/apiKeys/report-leak`. */
@ApiSchema({ name: 'LeakReportRequest' })
export class LeakReportDto {
  @Length(1, LONGEST, { message: `must be a string of 1 to ${LONGEST} characters` })
  @ApiProperty({ example: 'w3k_3mJ0vXq8TzKc1RbYdNfA', minLength: 1, maxLength: LONGEST })
  api_key: string;

  @Length(1, LONGEST, { message: `must be a string of 1 to ${LONGEST} characters` })
  @ApiProperty({ description: 'As it was found', minLength: 1, maxLength: LONGEST })
  secret_key: string;
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

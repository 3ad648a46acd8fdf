import { ADMIN_SCOPES, effectiveScopes } from '../../principals/scopes.js';
import type { ValidVerdictDto, VerdictBatchDto } from './verdict.dto.js';

export const VERDICT_EXAMPLE: ValidVerdictDto = {
  valid: true,
  code: 'VALID',
  key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  owner_id: '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0',
  name: 'test-api-key',
  scopes: effectiveScopes(ADMIN_SCOPES),
  remaining_uses: null,
  rate_limit: { limit: 180, remaining: 179, reset_seconds: 60 },
  expires_at: null,
};

export const BATCH_EXAMPLE: VerdictBatchDto = {
  verdicts: [VERDICT_EXAMPLE, { valid: false, code: 'UNAVAILABLE', retry_after_seconds: 2 }],
};

export const REQUEST_EXAMPLES = {
  one: {
    summary: 'May this key upload?',
    value: {
      api_key: 'w3k_3mJ0vXq8TzKc1RbYdNfA',
      secret_key: 'w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0',
      scope: 'pinning.pin_file_to_ipfs',
    },
  },
  credential: {
    summary: 'The same, by a credential',
    value: {
      credential: 'w3k_3mJ0vXq8TzKc1RbYdNfA.w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0',
      scope: 'pinning.pin_file_to_ipfs',
    },
  },
};

export const BATCH_REQUEST_EXAMPLES = {
  several: {
    summary: 'May this key upload, and does the other one exist?',
    value: {
      requests: [
        REQUEST_EXAMPLES.one.value,
        {
          api_key: 'w3k_9hQ2sLd7WmX4vBzKtRfN',
          secret_key: 'w3s_Bq7nTz4LkWxR2mVhYcD9sGpJ6fUa3eKoXi8vN1Zt',
          ip: '203.0.113.7',
          cost: 0,
        },
      ],
    },
  },
};

import { credentialOf } from '@w3ipfs/api-keys-guard/decision';
import { ADMIN_SCOPES, effectiveScopes } from '../../principals/scopes.js';
import type { ApiKeyDto, ApiKeyPageDto, IssuedApiKeyDto, RotatedApiKeyDto } from './api-key.dto.js';
import type { DeletedDto } from './deleted.dto.js';
import type { LimitsDto } from './limits.dto.js';

const everyScope = effectiveScopes(ADMIN_SCOPES);

/** The two bodies of the published documentation. */
export const CREATE_EXAMPLES = {
  full: { summary: 'Every scope given', value: { name: 'test-api-key', scopes: everyScope } },
  admin: { summary: 'An admin key, the rest left out', value: { name: 'Admin api key', scopes: { admin: true } } },
};

export const UPDATE_EXAMPLES = {
  rename: { summary: 'A new name, and no expiry', value: { name: 'gallery', limits: { expires_at: null } } },
  disable: { summary: 'Refuse it until it is enabled again', value: { enabled: false } },
};

export const ROTATE_EXAMPLES = {
  overlap: { summary: 'The previous secret stays valid for a day', value: { overlap_seconds: 86_400 } },
  atOnce: { summary: 'The previous secret becomes invalid at once', value: {} },
};

const limits: LimitsDto = {
  not_before: null,
  expires_at: '2027-01-01T00:00:00.000Z',
  max_uses: 100_000,
  rate_limit: { requests: 180, window_seconds: 60 },
  allowed_cidrs: ['192.0.2.0/24'],
};

export const KEY_EXAMPLE: ApiKeyDto = {
  id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  name: 'test-api-key',
  api_key: 'w3k_3mJ0vXq8TzKc1RbYdNfA',
  scopes: everyScope,
  limits,
  metadata: { team: 'gallery' },
  status: 'active',
  uses: 7,
  last_used_at: '2026-11-24T03:41:07.112Z',
  created_at: '2026-11-24T03:33:38.649Z',
  updated_at: '2026-11-24T03:33:38.649Z',
  issued_by: null,
  rotation: null,
  revoked_at: null,
  revoked_reason: null,
};

export const PAGE_EXAMPLE: ApiKeyPageDto = { total: 1, api_keys: [KEY_EXAMPLE], next_cursor: null };

const secretKey = 'w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0';

const issued = {
  name: KEY_EXAMPLE.name,
  api_key: KEY_EXAMPLE.api_key,
  secret_key: secretKey,
  credential: credentialOf({ apiKey: KEY_EXAMPLE.api_key, secretKey }),
  id: KEY_EXAMPLE.id,
  scopes: everyScope,
  limits,
  metadata: KEY_EXAMPLE.metadata,
  created_at: KEY_EXAMPLE.created_at,
};

export const ISSUED_EXAMPLE: IssuedApiKeyDto = issued;

export const DELETED_EXAMPLE: DeletedDto = {
  message: 'API key has been deleted',
  data: { revoked: 1, complete: true },
  status: 'success',
};

export const ROTATED_EXAMPLE: RotatedApiKeyDto = {
  ...issued,
  rotation: { previous_secret_expires_at: '2026-11-25T03:33:38.649Z', previous_secret_last_used_at: null },
};

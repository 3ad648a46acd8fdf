import type { IncomingMessage } from 'node:http';
import { credentialsIn, CredentialsProblem, type PresentedCredentials } from '@w3ipfs/api-keys-guard/decision';
import { ApiError } from '../http/errors/api-error.js';
import { AmbiguousCredentialsError, UnauthenticatedError } from './refusal-errors.js';

/** Read once: whatever is done to the headers later changes nothing. */
const known = new WeakMap<IncomingMessage, PresentedCredentials | ApiError>();

/** Reads the credentials from the headers. @throws what `readCredentials()` returns */
export function presentedCredentials(request: IncomingMessage): PresentedCredentials {
  const credentials = readCredentials(request);
  if (credentials instanceof ApiError) throw credentials;
  return credentials;
}

/**
 * Reads the credentials from the headers.
 *
 * @returns AmbiguousCredentialsError for more than one, UnauthenticatedError if they are incomplete, naming what is missing
 */
export function readCredentials(request: IncomingMessage): PresentedCredentials | ApiError {
  let credentials = known.get(request);
  if (!credentials) known.set(request, (credentials = readCredentialsOnce(request)));
  return credentials;
}

/** The same where nothing else reads them. */
export function readCredentialsOnce(request: IncomingMessage): PresentedCredentials | ApiError {
  const credentials = credentialsIn(request);
  return credentials instanceof CredentialsProblem ? errorFor(credentials) : credentials;
}

function errorFor({ kind, message }: CredentialsProblem): ApiError {
  return kind === 'ambiguous'
    ? new AmbiguousCredentialsError(message)
    : new UnauthenticatedError('INVALID_CREDENTIALS', message);
}

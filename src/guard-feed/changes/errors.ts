import { ApiError } from '../../http/errors/api-error.js';

/** The changes since a guard's position are no longer known, or the position is of a later state of the database. */
export class PositionExpiredError extends ApiError {
  constructor() {
    super(
      'position_expired',
      'The changes since this position are no longer known. Drop every grant, and start again without `since`.',
    );
  }
}

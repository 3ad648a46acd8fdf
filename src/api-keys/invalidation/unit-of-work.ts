import type { EntityManager } from 'typeorm';

/** A transaction on an owner's keys, and what every process has to drop from its cache once it is committed. */
export class UnitOfWork {
  private readonly withNotification: string[] = [];
  private readonly withoutNotification: string[] = [];
  /** Known once its invalidations are recorded. */
  transactionId: string | null = null;

  constructor(readonly tx: EntityManager) {}

  /** For keys that have changed, by their `api_key`: each process drops them within `REVOCATION_BOUND_MS`. */
  invalidate(...identifiers: string[]): void {
    this.withNotification.push(...identifiers);
  }

  /** Without a notification, for changes that are in force already: other processes learn of them by their next poll. */
  invalidateQuietly(...identifiers: string[]): void {
    this.withoutNotification.push(...identifiers);
  }

  /** @param texts see `announcements.ts` */
  announce(...texts: string[]): void {
    this.withNotification.push(...texts);
  }

  get notified(): readonly string[] {
    return this.withNotification;
  }

  get unnotified(): readonly string[] {
    return this.withoutNotification;
  }
}

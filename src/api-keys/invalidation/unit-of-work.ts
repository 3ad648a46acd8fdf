import type { EntityManager } from 'typeorm';

/** A transaction on an owner's keys, and what every process has to drop from its cache once it is committed. */
export class UnitOfWork {
  private readonly loud: string[] = [];
  private readonly quiet: string[] = [];

  constructor(readonly tx: EntityManager) {}

  /** For keys that have changed, by their `api_key`: each process drops them within `REVOCATION_BOUND_MS`. */
  invalidate(...identifiers: string[]): void {
    this.loud.push(...identifiers);
  }

  /** Without a notification, for changes that are in force already: other processes learn of them by their next poll. */
  invalidateQuietly(...identifiers: string[]): void {
    this.quiet.push(...identifiers);
  }

  /** @param text see `announcements.ts` */
  announce(text: string): void {
    this.loud.push(text);
  }

  get notified(): readonly string[] {
    return this.loud;
  }

  get unnotified(): readonly string[] {
    return this.quiet;
  }
}

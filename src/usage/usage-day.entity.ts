import { Column, Entity, PrimaryColumn } from 'typeorm';

const PRIMARY_KEY = { primaryKeyConstraintName: 'usage_days_pkey' };

/** The number of times a key got a verdict on one day (UTC). */
@Entity('usage_days')
export class UsageDay {
  @PrimaryColumn({ name: 'api_key_id', type: 'uuid', ...PRIMARY_KEY })
  apiKeyId: string;

  @PrimaryColumn({ type: 'date', ...PRIMARY_KEY })
  day: string;

  /** A verdict's code. */
  @PrimaryColumn({ type: 'varchar', length: 20, ...PRIMARY_KEY })
  code: string;

  @Column({ type: 'bigint' })
  count: string;
}

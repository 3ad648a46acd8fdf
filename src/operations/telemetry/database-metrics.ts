import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import { Metrics } from './metrics.js';

/** The figures of a pool of pg. */
interface PoolFigures {
  waitingCount: number;
  totalCount: number;
}

/** Metrics of the connection pools. */
@Injectable()
export class DatabaseMetrics {
  constructor(
    private readonly metrics: Metrics,
    private readonly managementPool: DataSource,
    @Inject(VERIFICATION_POOL) private readonly verificationPool: DataSource,
  ) {
    this.addGauge('database_connections_waiting', 'Queries waiting for a connection', 'waitingCount');
    this.addGauge('database_connections', 'Open connections in the pools', 'totalCount');
  }

  private addGauge(name: string, help: string, figure: keyof PoolFigures): void {
    const read = ({ driver }: DataSource) => (Reflect.get(driver, 'master') as PoolFigures)[figure];
    this.metrics.labelledGauge(name, help, 'pool', () => ({
      management: read(this.managementPool),
      verification: read(this.verificationPool),
    }));
  }
}

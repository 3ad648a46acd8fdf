import { Module } from '@nestjs/common';
import { OwnerReads } from './owner-reads.js';

/** State of an owner as a whole: its lock, its number of keys, its share of reads. */
@Module({ providers: [OwnerReads], exports: [OwnerReads] })
export class OwnersModule {}

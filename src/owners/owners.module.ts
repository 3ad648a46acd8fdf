import { Module } from '@nestjs/common';
import { OwnerReads } from './owner-reads.js';

/** Keeps what belongs to an owner as a whole. */
@Module({ providers: [OwnerReads], exports: [OwnerReads] })
export class OwnersModule {}

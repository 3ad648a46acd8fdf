import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { Verifier } from './verifier.js';

/** Knows what a presented key may do. */
@Module({ imports: [ApiKeysModule], providers: [Verifier], exports: [Verifier] })
export class VerificationModule {}

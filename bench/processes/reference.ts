import { Body, Controller, HttpCode, Inject, Module, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import argon2 from 'argon2';
import { IsString } from 'class-validator';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { createDataSource } from '../../src/database/data-source.js';
import { loadEnvironment } from '../../src/configuration.js';

/**
 * The reference: a straightforward implementation. A NestJS service that reads the row and checks the secret with
 * argon2id (19456 KiB, two passes, one lane: OWASP's first choice) on every request.
 */
const OWASP_COST = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

@Entity('reference_keys')
class ReferenceKey {
  @PrimaryColumn({ name: 'api_key', type: 'varchar', length: 24 })
  apiKey: string;

  @Column({ name: 'secret_hash', type: 'text' })
  secretHash: string;
}

class VerifyDto {
  @IsString()
  api_key: string;

  @IsString()
  secret_key: string;

  @IsString()
  scope: string;
}

@Controller('api/apiKeys/verify')
class ReferenceController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  @Post()
  @HttpCode(200)
  async verify(@Body(new ValidationPipe({ expectedType: VerifyDto })) { api_key, secret_key, scope }: VerifyDto) {
    const key = await this.dataSource.getRepository(ReferenceKey).findOneBy({ apiKey: api_key });
    const valid = key !== null && (await argon2.verify(key.secretHash, secret_key));
    return { data: { valid, code: valid ? 'VALID' : 'INVALID_CREDENTIALS', api_key, scope }, status: 'success' };
  }
}

@Module({
  controllers: [ReferenceController],
  providers: [{ provide: DataSource, useFactory: openTable }],
})
class ReferenceModule {}

async function openTable(): Promise<DataSource> {
  const { options } = createDataSource(loadEnvironment(process.env).database);
  const dataSource = new DataSource({ ...options, entities: [ReferenceKey], migrations: [], synchronize: true });
  await dataSource.initialize();
  const { apiKey, secretKey } = JSON.parse(process.argv[2] ?? '{}') as KeyPair;
  await dataSource.getRepository(ReferenceKey).save({ apiKey, secretHash: await argon2.hash(secretKey, OWASP_COST) });
  return dataSource;
}

const app = await NestFactory.create<NestFastifyApplication>(ReferenceModule, new FastifyAdapter(), {
  logger: ['error'],
});
await app.listen(0, '127.0.0.1');
console.log(`at ${await app.getUrl()}`);

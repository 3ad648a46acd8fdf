import { isatty } from 'node:tty';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { redactor } from './redaction.js';

const LEVELS: LogLevel[] = ['error', 'warn', 'log', 'debug'];
const LEAST: Record<Environment['logLevel'], LogLevel> = { error: 'error', warn: 'warn', info: 'log', debug: 'debug' };

/** What the framework says of its own start: of use to whoever debugs that. */
const FRAMEWORK = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

type LogSettings = Pick<Environment, 'production' | 'logLevel' | 'serviceTokens'>;

/**
 * JSON lines in production, readable ones elsewhere. Nothing that is logged is meant to hold a secret; whatever holds
 * one all the same, a text of the driver's, say, loses it here, on its way out.
 */
class ServiceLogger extends ConsoleLogger {
  private readonly withoutSecrets: (text: string) => string;

  constructor({ production, logLevel, serviceTokens }: LogSettings) {
    super({
      json: production,
      colors: !production && isatty(1),
      logLevels: LEVELS.slice(0, LEVELS.indexOf(LEAST[logLevel]) + 1),
      flattenParams: true,
    });
    this.withoutSecrets = redactor(serviceTokens.map(({ token }) => token));
  }

  override log(message: unknown, ...rest: unknown[]): void {
    const isFramework = FRAMEWORK.has(String(rest.at(-1)));
    return isFramework ? super.debug(message, ...rest) : super.log(message, ...rest);
  }

  protected override stringifyMessage(message: unknown, level: LogLevel): string {
    return this.withoutSecrets(super.stringifyMessage(message, level));
  }

  protected override stringifyParams(params: Record<string, unknown>): string {
    return this.withoutSecrets(super.stringifyParams(params));
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(stack && this.withoutSecrets(stack));
  }

  protected override stringifyJsonLogObject(record: Record<string, unknown>): string {
    return this.withoutSecrets(super.stringifyJsonLogObject(record));
  }
}

export function createLogger(settings: LogSettings): ConsoleLogger {
  return new ServiceLogger(settings);
}

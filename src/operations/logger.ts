import { isatty } from 'node:tty';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';

const LEVELS: LogLevel[] = ['error', 'warn', 'log', 'debug'];
const LEAST: Record<Environment['logLevel'], LogLevel> = { error: 'error', warn: 'warn', info: 'log', debug: 'debug' };

/** What the framework says of its own start: of use to whoever debugs that. */
const FRAMEWORK = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

class ServiceLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    const isFramework = FRAMEWORK.has(String(rest.at(-1)));
    return isFramework ? super.debug(message, ...rest) : super.log(message, ...rest);
  }
}

/** JSON lines in production, readable ones elsewhere. */
export function createLogger({ production, logLevel }: Pick<Environment, 'production' | 'logLevel'>): ConsoleLogger {
  return new ServiceLogger({
    json: production,
    colors: !production && isatty(1),
    logLevels: LEVELS.slice(0, LEVELS.indexOf(LEAST[logLevel]) + 1),
  });
}

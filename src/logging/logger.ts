import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { redactor } from './redaction.js';

const LEVELS: LogLevel[] = ['error', 'warn', 'log', 'debug'];
const MIN_LEVEL: Record<Environment['logLevel'], LogLevel> = {
  error: 'error',
  warn: 'warn',
  info: 'log',
  debug: 'debug',
};

/** Contexts of the framework's own start, logged at `debug`. */
const FRAMEWORK_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Nest's `log` is `info` everywhere else, including `LOG_LEVEL`. */
const LEVEL_NAMES: Partial<Record<LogLevel, string>> = { log: 'info' };

type Colour = Parameters<typeof styleText>[0];
const COLOURS: Partial<Record<LogLevel, Colour>> = { error: 'red', warn: 'yellow', debug: 'gray' };
/** Fields of a request that its message already contains. */
const IN_MESSAGE = new Set(['method', 'route', 'status']);
/** ISO 8601 with a space, in local time: `2026-11-24 15:33:38`. */
const TIME_FORMAT = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });

type Fields = Record<string, unknown>;

type LogSettings = Pick<Environment, 'production' | 'logLevel' | 'serviceTokens'>;

/**
 * The logger of the service: JSON lines in production, readable lines otherwise. Redacts secrets in all output, as a
 * second line of defence: log calls should not contain any.
 */
class ServiceLogger extends ConsoleLogger {
  private readonly withoutSecrets: (text: string) => string;

  constructor(
    { production, logLevel, serviceTokens }: LogSettings,
    private readonly isColoured: boolean,
  ) {
    super({
      json: production,
      colors: false,
      logLevels: LEVELS.slice(0, LEVELS.indexOf(MIN_LEVEL[logLevel]) + 1),
      flattenParams: true,
    });
    this.withoutSecrets = redactor(serviceTokens.map(({ token }) => token));
  }

  override log(message: unknown, ...rest: unknown[]): void {
    const isFramework = FRAMEWORK_CONTEXTS.has(String(rest.at(-1)));
    return isFramework ? super.debug(message, ...rest) : super.log(message, ...rest);
  }

  /** The level, context and message, coloured by severity, then the remaining fields. */
  protected override formatMessage(
    level: LogLevel,
    message: unknown,
    ...[_pid, _level, context, _since, fields = {}]: [string, string, string, string, Fields?]
  ): string {
    const name = (LEVEL_NAMES[level] ?? level).toUpperCase().padEnd(5);
    const others = Object.entries(fields).filter(([field]) => !IN_MESSAGE.has(field));
    const rest = others.length > 0 ? ` ${this.stringifyParams(Object.fromEntries(others))}` : '';
    const text = `${name} ${context}${this.stringifyMessage(message, level)}`;
    const colour = this.isColoured ? colourOf(level, fields['status']) : undefined;
    return `${TIME_FORMAT.format(Date.now())} ${colour ? styleText(colour, text, { validateStream: false }) : text}${rest}\n`;
  }

  protected override getJsonLogObject(
    ...[message, options]: Parameters<ConsoleLogger['getJsonLogObject']>
  ): ReturnType<ConsoleLogger['getJsonLogObject']> {
    const record = super.getJsonLogObject(message, options);
    return { ...record, level: (LEVEL_NAMES[options.logLevel] ?? options.logLevel) as LogLevel };
  }

  protected override stringifyMessage(message: unknown, level: LogLevel): string {
    return this.withoutSecrets(super.stringifyMessage(message, level));
  }

  protected override stringifyParams(params: Fields): string {
    return this.withoutSecrets(super.stringifyParams(params));
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(stack && this.withoutSecrets(stack));
  }

  protected override stringifyJsonLogObject(record: Fields): string {
    return this.withoutSecrets(super.stringifyJsonLogObject(record));
  }
}

/** By the level or, for a request, by its status. */
function colourOf(level: LogLevel, status: unknown): Colour | undefined {
  if (typeof status !== 'number' || status < 400) return COLOURS[level];
  return status < 500 ? 'yellow' : 'red';
}

/** @param isColoured whether readable lines are coloured */
export function createLogger(settings: LogSettings, isColoured = isatty(1)): ConsoleLogger {
  return new ServiceLogger(settings, isColoured);
}

import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { redactor } from './redaction.js';

const LEVELS: LogLevel[] = ['error', 'warn', 'log', 'debug'];
const MIN_LEVEL: Record<Environment['logLevel'], LogLevel> = { error: 'error', warn: 'warn', info: 'log', debug: 'debug' };

/** What the framework says of its own start: of use to whoever debugs that. */
const FRAMEWORK_CONTEXTS = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/** What Nest calls `log` is `info` to everybody else, `LOG_LEVEL` included. */
const LEVEL_NAMES: Partial<Record<LogLevel, string>> = { log: 'info' };

type Colour = Parameters<typeof styleText>[0];
const COLOURS: Partial<Record<LogLevel, Colour>> = { error: 'red', warn: 'yellow', debug: 'gray' };
/** Of a request, its message says these. */
const IN_MESSAGE = new Set(['method', 'route', 'status']);
/** As in ISO 8601 but for the blank, by the clock on the wall: `2026-11-24 15:33:38`. */
const TIME_FORMAT = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });

type Fields = Record<string, unknown>;

type LogSettings = Pick<Environment, 'production' | 'logLevel' | 'serviceTokens'>;

/**
 * JSON lines in production, readable ones elsewhere. Nothing that is logged is meant to hold a secret; whatever holds
 * one all the same, a text of the driver's, say, loses it here, on its way out.
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

  /** The level, the origin and the message in the colour that the event deserves, then what else is known of it. */
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

/** Of a request, by what it was answered. */
function colourOf(level: LogLevel, status: unknown): Colour | undefined {
  if (typeof status !== 'number' || status < 400) return COLOURS[level];
  return status < 500 ? 'yellow' : 'red';
}

/** @param isColoured whether lines for people are coloured */
export function createLogger(settings: LogSettings, isColoured = isatty(1)): ConsoleLogger {
  return new ServiceLogger(settings, isColoured);
}

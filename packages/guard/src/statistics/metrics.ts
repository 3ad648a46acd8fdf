import type { GuardState, GuardStats } from '../types.js';

const STATES: readonly GuardState[] = ['cold', 'fresh', 'stale', 'away', 'refused', 'closed'];

/** The statistics as OpenMetrics text. */
export function metricsOf(stats: GuardStats): string {
  const states = Object.fromEntries(STATES.map((state) => [state, state === stats.state ? 1 : 0]));
  return [
    ...metric('gauge', 'state', 'The state of the guard', 'state', states),
    ...gauge('keys', 'Keys remembered', stats.keys),
    ...gauge('refused_pairs', 'Refused pairs remembered', stats.refusals),
    ...gauge('age_seconds', 'Age of what is known', stats.ageMs / 1_000),
    ...metric('counter', 'decisions', 'Verdicts by where they were decided', 'source', stats.decided),
    ...metric('counter', 'checks', 'Verdicts by code', 'code', stats.verdicts),
    ...metric('counter', 'not_kept', 'Verdicts that were not remembered', 'because', stats.notKept),
    ...counter('questions', 'Questions about changes', stats.asked),
    ...counter('questions_failed', 'Questions about changes that failed', stats.failed),
    ...counter('changes', 'Changes applied', stats.changes),
    ...counter('forgotten', 'How often everything was forgotten', stats.forgotten),
    ...counter('reported', 'Local verdicts that the service has counted', stats.reported),
    ...counter('unreported', 'Local verdicts that the service will not count', stats.unreported),
    '# EOF\n',
  ].join('\n');
}

function gauge(name: string, help: string, value: number): string[] {
  return [...head('gauge', name, help), `w3ipfs_guard_${name} ${format(value)}`];
}

function counter(name: string, help: string, value: number): string[] {
  return [...head('counter', name, help), `w3ipfs_guard_${name}_total ${format(value)}`];
}

function metric(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): string[] {
  const suffix = type === 'counter' ? '_total' : '';
  const sample = ([value, n]: [string, number]) =>
    `w3ipfs_guard_${name}${suffix}{${label}="${escaped(value)}"} ${format(n)}`;
  return [...head(type, name, help), ...Object.entries(values).map(sample)];
}

function head(type: string, name: string, help: string): string[] {
  return [`# TYPE w3ipfs_guard_${name} ${type}`, `# HELP w3ipfs_guard_${name} ${help}.`];
}

function format(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

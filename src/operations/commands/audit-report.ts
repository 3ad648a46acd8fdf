import type { AcceptedOffence } from '../../audit/audit-acceptances.js';
import type { AuditReport } from '../../audit/audit-check.js';
import type { AuditProblem } from '../../audit/audit-problem.js';
import { reportLine, CommandReport } from './command-report.js';

/** What `verify-audit` has found. */
export function auditReport(report: AuditReport): CommandReport {
  return new CommandReport(auditJson(report), auditText(report));
}

/** That an offence was accepted, and by which event. */
export function acceptanceReport(offence: AuditProblem, event: string): CommandReport {
  const text = [reportLine('accepted', problemText(offence)), reportLine('event', event)].join('\n');
  return new CommandReport({ accepted: problemJson(offence), event: Number(event) }, text);
}

/** `unlisted` only where there are more offences than are listed. */
function auditJson({ owners, events, offences, unlisted, accepted }: AuditReport): object {
  return {
    owners,
    events,
    offences: offences.map(problemJson),
    ...(unlisted > 0 && { unlisted }),
    accepted: accepted.map(({ event, reason, ...offence }) => ({
      ...problemJson(offence),
      event: Number(event),
      reason,
    })),
  };
}

function problemJson({ owner_id, seq, through, problem }: AuditProblem): object {
  return { owner_id, seq: Number(seq), ...(through !== undefined && { through: Number(through) }), problem };
}

/** The verdict first, then what it is about. */
function auditText({ owners, events, offences, unlisted, accepted }: AuditReport): string {
  return [
    offences.length === 0 ? intactText(owners) : `Not all of the ${owners} trails are whole.`,
    '',
    reportLine('owners', owners),
    reportLine('events', events),
    reportLine('offences', ...offences.map(problemText)),
    ...(unlisted > 0 ? [reportLine('unlisted', unlisted)] : []),
    reportLine('accepted', ...accepted.map(acceptanceText)),
  ].join('\n');
}

function intactText(owners: number): string {
  return `All ${owners} trails are whole${owners === 0 ? ': there is not a single event in this database' : ''}.`;
}

function problemText({ owner_id: owner, seq, through, problem }: AuditProblem): string {
  return `${owner}, event ${seq}: ${problem}${through === undefined ? '' : ` (to event ${through})`}`;
}

function acceptanceText({ event, reason, ...offence }: AcceptedOffence): string {
  return `${problemText(offence)}; accepted by event ${event}: ${reason}`;
}

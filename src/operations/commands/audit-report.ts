import type { AcceptedProblem } from '../../audit/audit-acceptances.js';
import type { AuditReport } from '../../audit/audit-check.js';
import type { AuditProblem } from '../../audit/audit-problem.js';
import { reportLine, CommandReport } from './command-report.js';

/** The output of `verify-audit`. */
export function auditReport(report: AuditReport): CommandReport {
  return new CommandReport(auditJson(report), auditText(report));
}

/** The output of `verify-audit --accept`: the accepted problem, and the event that accepts it. */
export function acceptanceReport(problem: AuditProblem, event: string): CommandReport {
  const text = [reportLine('accepted', problemText(problem)), reportLine('event', event)].join('\n');
  return new CommandReport({ accepted: problemJson(problem), event: Number(event) }, text);
}

/** `unlisted` is present only if there are more problems than are listed. */
function auditJson({ owners, events, problems, unlisted, accepted }: AuditReport): object {
  return {
    owners,
    events,
    offences: problems.map(problemJson),
    ...(unlisted > 0 && { unlisted }),
    accepted: accepted.map(({ event, reason, ...problem }) => ({
      ...problemJson(problem),
      event: Number(event),
      reason,
    })),
  };
}

function problemJson({ owner_id, seq, through, problem }: AuditProblem): object {
  return { owner_id, seq: Number(seq), ...(through !== undefined && { through: Number(through) }), problem };
}

/** The verdict first, then the details. */
function auditText({ owners, events, problems, unlisted, accepted }: AuditReport): string {
  return [
    problems.length === 0 ? intactText(owners) : `Not all of the ${owners} trails are intact.`,
    '',
    reportLine('owners', owners),
    reportLine('events', events),
    reportLine('offences', ...problems.map(problemText)),
    ...(unlisted > 0 ? [reportLine('unlisted', unlisted)] : []),
    reportLine('accepted', ...accepted.map(acceptanceText)),
  ].join('\n');
}

function intactText(owners: number): string {
  return `All ${owners} trails are intact${owners === 0 ? ': this database has no events' : ''}.`;
}

function problemText({ owner_id: owner, seq, through, problem }: AuditProblem): string {
  return `${owner}, event ${seq}: ${problem}${through === undefined ? '' : ` (to event ${through})`}`;
}

function acceptanceText({ event, reason, ...problem }: AcceptedProblem): string {
  return `${problemText(problem)}; accepted by event ${event}: ${reason}`;
}

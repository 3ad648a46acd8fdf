import type { AcceptedProblem } from '../../audit/audit-acceptances.js';
import type { AuditReport } from '../../audit/audit-check.js';
import type { AuditProblem } from '../../audit/audit-problem.js';
import { line, Worded } from './worded.js';

/** What `verify-audit` has found. */
export function auditReport(report: AuditReport): Worded {
  return new Worded(auditJson(report), auditText(report));
}

/** That an offence was accepted, and by which event. */
export function acceptance(offence: AuditProblem, event: string): Worded {
  const text = [line('accepted', offenceText(offence)), line('event', event)].join('\n');
  return new Worded({ accepted: offenceJson(offence), event: Number(event) }, text);
}

/** `unlisted` only where there are more offences than are listed. */
function auditJson({ owners, events, problems: offences, unlisted, accepted }: AuditReport): object {
  return {
    owners,
    events,
    offences: offences.map(offenceJson),
    ...(unlisted > 0 && { unlisted }),
    accepted: accepted.map(({ event, reason, ...offence }) => ({
      ...offenceJson(offence),
      event: Number(event),
      reason,
    })),
  };
}

function offenceJson({ owner_id, seq, through, problem }: AuditProblem): object {
  return { owner_id, seq: Number(seq), ...(through !== undefined && { through: Number(through) }), problem };
}

/** The verdict first, then what it is about. */
function auditText({ owners, events, problems: offences, unlisted, accepted }: AuditReport): string {
  return [
    offences.length === 0 ? wholeText(owners) : `Not all of the ${owners} trails are whole.`,
    '',
    line('owners', owners),
    line('events', events),
    line('offences', ...offences.map(offenceText)),
    ...(unlisted > 0 ? [line('unlisted', unlisted)] : []),
    line('accepted', ...accepted.map(acceptanceText)),
  ].join('\n');
}

function wholeText(owners: number): string {
  return `All ${owners} trails are whole${owners === 0 ? ': there is not a single event in this database' : ''}.`;
}

function offenceText({ owner_id: owner, seq, through, problem }: AuditProblem): string {
  return `${owner}, event ${seq}: ${problem}${through === undefined ? '' : ` (to event ${through})`}`;
}

function acceptanceText({ event, reason, ...offence }: AcceptedProblem): string {
  return `${offenceText(offence)}; accepted by event ${event}: ${reason}`;
}

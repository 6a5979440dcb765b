/** Keeps secrets out of reports. */
import type { Report, ReportedFinding, Result } from "../report.ts";
import type { Redactor } from "../session/redaction.ts";
import type { Json } from "../wire/json.ts";

/**
 * With every secret masked, before a document is made of it: a mask over the finished document could hide the words and marks
 * that make it red, because a server chooses the tokens it gives out. What the run itself wrote, and the formats and the exit
 * code rest on, stays as it is.
 */
export function maskReport(report: Report, redactor: Pick<Redactor, "redact" | "redactAll">): Report {
  const masked = redactor.redactAll({ ...report, evidence: {} });
  const { schemaVersion, tool, verdict, exit, totals, notCovered, leftOut } = report;
  const { id, startedAt, effort } = report.run;
  const { allow, failOn } = report.profile;
  return {
    ...masked,
    schemaVersion,
    tool,
    verdict,
    exit,
    totals,
    notCovered,
    leftOut,
    run: { ...masked.run, id, startedAt, effort },
    profile: { ...masked.profile, allow, failOn },
    results: report.results.map((result, at): Result => {
      const { check, category, kind, effect, touches, observation, findings } = result;
      return {
        ...(masked.results[at] ?? result),
        check,
        category,
        kind,
        effect,
        touches,
        ...(observation === undefined ? {} : { observation }),
        findings: findings.map((finding, index): ReportedFinding => {
          const { name, level, data, accepted, expired } = finding;
          return {
            ...(masked.results[at]?.findings[index] ?? finding),
            name,
            level,
            data: maskJson(data, redactor),
            ...(accepted === undefined ? {} : { accepted: { ...accepted, reason: redactor.redact(accepted.reason) } }),
            ...(expired === undefined ? {} : { expired: { ...expired, reason: redactor.redact(expired.reason) } }),
          };
        }),
      };
    }),
    evidence: Object.fromEntries(
      Object.entries(report.evidence).map(([key, seen]) => [key, maskJson(seen, redactor)] as const),
    ),
  };
}

/** Keys, too: a server may have chosen them. What has no secret in it is not copied: evidence is most of what a run keeps. */
function maskJson(value: Json, redactor: Pick<Redactor, "redact">): Json {
  if (typeof value === "string") return redactor.redact(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const masked = items.map((one) => maskJson(one, redactor));
    return masked.some((one, at) => one !== items[at]) ? masked : value;
  }
  let isMasked = false;
  const entries = Object.entries(value).map(([key, inner]) => {
    const masked = [redactor.redact(key), maskJson(inner, redactor)] as const;
    isMasked ||= masked[0] !== key || masked[1] !== inner;
    return masked;
  });
  return isMasked ? Object.fromEntries(entries) : value;
}

/** Durations as people write and read them: always with a unit. */

export const durationForm: RegExp = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
export const durationWanted = "a duration with a unit, such as 500ms, 30s, 2m or 1h";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds; undefined if the text is not a duration above zero. */
export function durationMs(written: string): number | undefined {
  const found = durationForm.exec(written.trim());
  if (found === null) return undefined;
  const ms = Number(found[1]) * unitMs[found[2] as keyof typeof unitMs];
  return ms > 0 && Number.isFinite(ms) ? ms : undefined;
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 6_000) / 10} min`;
}

/** Of an estimate, which is never exact: rounded up to whole seconds, from 10 s to 5 s, from a minute to 30 s. */
export function durationAbout(ms: number): string {
  const stepMs = ms <= 10_000 ? 1_000 : ms <= 60_000 ? 5_000 : 30_000;
  return durationText(Math.max(1, Math.ceil(ms / stepMs)) * stepMs);
}

/** The results that are about the run as a whole, and not about one check. They have no findings that a profile could accept. */
import type { Level, Touches } from "./check.ts";
import type { Effect } from "./exit.ts";
import { truncated } from "./formats/printable.ts";
import type { Outcome } from "./run.ts";
import type { Contradictory } from "./session/contradictions.ts";
import type { Entry } from "./session/ledger.ts";
import type { Exchange } from "./session/recording.ts";
import type { Json } from "./wire/json.ts";

interface Advice {
  readonly risk: string;
  readonly remedy: string;
}

export interface OwnResult extends Partial<Advice> {
  readonly check: string;
  readonly category: string;
  readonly title: string;
  readonly kind: "pass" | "fail" | "unknown" | "skip";
  readonly effect: Effect;
  readonly required: false;
  readonly ofTheRun: true;
  readonly sentence: string;
  readonly findings: readonly (Advice & {
    readonly name: string;
    readonly level: Level;
    readonly sentence: string;
    readonly data: Json;
    readonly sent: readonly Exchange[];
  })[];
  readonly touches: Touches;
  readonly limits: Readonly<Record<string, never>>;
  readonly tookMs: number;
}

/** The result of the clean-up: what remains of the namespaces and accounts that the run used. */
export type CleanUp =
  | { readonly kind: "none" }
  | { readonly kind: "clean"; readonly names: number }
  | { readonly kind: "kept"; readonly sentence: string }
  /** Still listed after a request to remove them. */
  | { readonly kind: "left"; readonly left: readonly (Entry & { readonly why: string })[] }
  | { readonly kind: "unclear"; readonly sentence: string };

const ofTheRun = {
  category: "run",
  required: false,
  ofTheRun: true,
  touches: "nothing",
  limits: {},
  tookMs: 0,
  findings: [],
} as const;

export const consistencyId = "run/answers-consistent";
const shownMax = 5;
const shownSentenceMax = 200;

/** What there is to know of the answers of a run. */
interface Answers {
  readonly outcomes: readonly Pick<Outcome, "step" | "contradictory">[];
  /** Of the answers to the run itself. */
  readonly contradictory?: Contradictory;
  readonly exchange: (number: number) => Exchange | undefined;
}

/** What the checks that share an observation got; without checks: the requests of the run itself. */
interface Got {
  readonly checks: readonly string[];
  readonly contradictory: Contradictory;
}

/**
 * Of every answer of the run. To a check, an answer that disagrees with itself is none, so the check may be unknown, or even
 * pass on its other answers; to an application it is a wrong answer.
 */
export function consistencyResult(parts: Answers): OwnResult {
  const row = { ...ofTheRun, check: consistencyId } as const;
  const all = gotBy(parts);
  const shown = all
    .flatMap(({ checks, contradictory }) => contradictory.first.map((one) => ({ checks, ...one })))
    .slice(0, shownMax);
  const [first] = shown;
  if (first === undefined) {
    const title = "Every answer agrees with itself";
    return { ...row, title, kind: "pass", effect: "none", sentence: "no answer contradicted itself" };
  }
  const count = all.reduce((sum, { contradictory }) => sum + contradictory.count, 0);
  const [by = "requests of the run itself"] = first.checks;
  const others = all.flatMap(({ checks }) => checks).filter((check) => check !== by).length;
  const sentence =
    `${count} ${count === 1 ? "answer contradicts itself" : "answers contradict themselves"}, in ${by}` +
    `${others === 0 ? "" : ` and ${others} more`}: ${truncated(first.sentence, shownSentenceMax)}`;
  const data: Json = {
    count,
    by: all.map(({ checks, contradictory }) => ({ checks, count: contradictory.count })),
    first: shown.map(({ exchange, sentence: why }) => ({ exchange, why: truncated(why, shownSentenceMax) })),
  };
  const advice = {
    risk: "Applications read a wrong count or a false success, whichever part of the answer they trust.",
    remedy:
      "Send the request shown by hand and compare the parts of its answer; look for a proxy that changes answers.",
  };
  const sent = shown.flatMap(({ exchange }) => parts.exchange(exchange) ?? []);
  return {
    ...row,
    title: "Answers contradict themselves",
    kind: "fail",
    effect: "blocks",
    sentence,
    findings: [{ name: "contradictory", level: "block", sentence, data, ...advice, sent }],
    ...advice,
  };
}

function gotBy({ outcomes, contradictory: ofTheRunItself }: Answers): Got[] {
  const byObservation = new Map<object, Got>();
  for (const { step, contradictory } of outcomes) {
    if (contradictory === undefined) continue;
    const { id, observation } = step.check;
    const checks = [...(byObservation.get(observation)?.checks ?? []), id];
    byObservation.set(observation, { checks, contradictory });
  }
  const rest = ofTheRunItself === undefined ? [] : [{ checks: [], contradictory: ofTheRunItself }];
  return [...byObservation.values(), ...rest];
}

/** Of a run with --insecure: whatever its checks have shown, they may have shown it of another server. */
export function certificateResult(): OwnResult {
  const sentence = "the server's certificate was not verified (--insecure)";
  const advice = {
    risk: "The server that was checked may be another one, and it has seen the credentials.",
    remedy: "Pass the CA of the server with --ca-file, and leave out --insecure.",
  };
  return {
    ...ofTheRun,
    check: "run/certificate-verified",
    title: "The server's certificate was not verified",
    kind: "fail",
    effect: "warns",
    sentence,
    findings: [{ name: "notVerified", level: "warn", sentence, data: {}, ...advice, sent: [] }],
    ...advice,
  };
}

export const cleanUpId = "run/nothing-left-behind";

export function cleanUpResult(cleanUp: CleanUp): OwnResult {
  const row = { ...ofTheRun, check: cleanUpId, title: "The run leaves nothing behind" } as const;
  switch (cleanUp.kind) {
    case "none":
      return { ...row, kind: "pass", effect: "none", sentence: "nothing was made" };
    case "clean":
      return {
        ...row,
        kind: "pass",
        effect: "none",
        sentence: `none of the ${cleanUp.names} namespaces and accounts it used is still listed`,
      };
    case "kept":
      return { ...row, kind: "skip", effect: "none", sentence: cleanUp.sentence };
    case "unclear":
      return {
        ...row,
        kind: "unknown",
        effect: "undetermined",
        sentence: `leftovers could not be looked up: ${cleanUp.sentence}`,
      };
    case "left": {
      const names = cleanUp.left.map(({ kind, name }) => `${kind} ${name}`);
      const sentence = `still listed after removal: ${names.join(", ")}`;
      const data: Json = { left: cleanUp.left.map(({ kind, name, why }) => ({ kind, name, why })) };
      const advice = {
        risk: "A dropped namespace or account still exists: its name, quota and rows remain in use.",
        remedy: "Run kalam-ready cleanup --dry-run to list the leftovers; remove manually what cleanup cannot.",
      };
      return {
        ...row,
        title: "The run could not remove everything it created",
        kind: "fail",
        effect: "blocks",
        sentence,
        findings: [{ name: "leftBehind", level: "block", sentence, data, ...advice, sent: [] }],
        ...advice,
      };
    }
  }
}

/** What an observation gets besides the target. */
import type { Context, Effort, Observation } from "../check.ts";
import { need } from "../server/need.ts";
import { openJournal, type OpenJournal } from "../history/journal.ts";
import { sleep } from "./pacing.ts";
import { randomFrom } from "./random.ts";
import type { Session } from "./session.ts";

export interface ContextOptions {
  readonly effort: Effort;
  readonly seed: number;
  readonly production?: boolean;
  readonly leastMs?: number;
}

export interface ContextParts {
  readonly observation: Pick<Observation, "id">;
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly othersDone: Promise<void>;
  /** Called with each journal that is opened; closing it is the caller's. */
  readonly onJournal: (journal: OpenJournal) => void;
}

export function makeContext(
  { ledger }: Pick<Session, "ledger">,
  { effort, seed, production = false, leastMs }: ContextOptions,
  { observation, scratch, signal, othersDone: others, onJournal }: ContextParts,
): Context {
  const streams = new Map<string, () => number>();
  return {
    scratch,
    production,
    effort,
    signal,
    random(name) {
      const stream = streams.get(name) ?? randomFrom(`${seed} ${observation.id} ${name}`);
      streams.set(name, stream);
      return stream;
    },
    need,
    size: (sizes) => sizes[effort],
    async othersDone(least) {
      await Promise.all([others, sleep(leastMs ?? least[effort], signal)]);
    },
    name(suffix) {
      const name = `${scratch}_${suffix}`;
      ledger.enter({ kind: "namespace", name });
      return name;
    },
    claim(name) {
      ledger.enter({ kind: "namespace", name });
    },
    topicName(suffix) {
      const name = `${scratch}.${suffix}`;
      ledger.enter({ kind: "topic", name });
      return name;
    },
    accountName(suffix) {
      const name = `${scratch}_${suffix}`;
      ledger.enter({ kind: "account", name });
      return name;
    },
    journal() {
      const journal = openJournal({
        made: (name) => ledger.enter({ kind: "folder", name }),
        gone: (name) => ledger.strike({ kind: "folder", name }),
      });
      onJournal(journal);
      return journal;
    },
    async poll(ask, done, { withinMs, everyMs }) {
      const until = performance.now() + withinMs;
      for (;;) {
        const answer = await ask();
        if (done(answer) || performance.now() + everyMs > until) return answer;
        await sleep(everyMs, signal);
      }
    },
  };
}

import type { Notice, Opened, Resumption, SocketFigures, Subscription } from "./live/notices.ts";
import type { SwitchedOn } from "./faults.ts";
import type { Settings } from "./settings.ts";
import type { Login, Profile } from "./sql/accounts.ts";
import type { Answer } from "./sql/batch.ts";
import type { WireSession } from "./postgres/sessions.ts";
import type { Parameter } from "./sql/parameters.ts";
import type { LastEnd } from "./store/damage.ts";
import type { Acknowledging, Consuming, TopicAnswer } from "./topics/answers.ts";

/** The requests that the database thread takes, with their answers. */
export interface WorkerCalls {
  sql: {
    ask: {
      readonly user: string;
      readonly address: string;
      readonly sql: string;
      readonly parameters: readonly Parameter[];
      readonly namespace: string;
      readonly sockets: SocketFigures;
      readonly wireSessions: readonly WireSession[];
    };
    answer: Answer;
  };
  consume: { ask: Consuming & { readonly user: string }; answer: TopicAnswer };
  ack: { ask: Acknowledging & { readonly user: string }; answer: TopicAnswer };
  subscribe: { ask: Subscription; answer: Opened };
  unsubscribe: { ask: Pick<Subscription, "connection" | "id">; answer: null };
  /** Closes all live queries of a closed connection. */
  leave: { ask: Pick<Subscription, "connection">; answer: null };
  login: { ask: { readonly user: string; readonly password: string; readonly address: string }; answer: Login };
  profile: { ask: { readonly user: string }; answer: Profile | undefined };
  needsSetup: { ask: null; answer: boolean };
  setup: {
    ask: {
      readonly user: string;
      readonly password: string;
      readonly rootPassword: string;
      readonly email: string | null;
    };
    answer:
      | { readonly kind: "done"; readonly profile: Profile }
      | { readonly kind: "already" }
      | { readonly kind: "weak" | "refused"; readonly message: string };
  };
  /** Delivers committed changes to live queries. */
  deliver: { ask: null; answer: null };
  close: { ask: null; answer: boolean };
}

export type Kind = keyof WorkerCalls;

export interface WorkerRequest<K extends Kind = Kind> {
  readonly kind: K;
  readonly ask: WorkerCalls[K]["ask"];
}

/** The start parameters of the thread. */
export interface WorkerStart {
  readonly settings: Settings;
  readonly rootPassword: string | undefined;
  /** The end of the process before this one; undefined for a thread that replaces another of this process. */
  readonly lastEnd: LastEnd | undefined;
  readonly faults: SwitchedOn;
  readonly live: Resumption;
}

export type WorkerMessage =
  | { readonly kind: "open" }
  | { readonly kind: "answer"; readonly answer: unknown }
  /** Notices for live queries, of all changes up to a number. */
  | { readonly kind: "live"; readonly deliveredUpTo: string; readonly notices: readonly Notice[] };

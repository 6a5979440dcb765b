import type { News, Opened, Resumption, SocketFigures, Subscription } from "./live/news.ts";
import type { Settings } from "./settings.ts";
import type { Login, Profile } from "./sql/accounts.ts";
import type { Answer } from "./sql/batch.ts";
import type { Parameter } from "./sql/parameters.ts";

/** What the thread that has the database is asked, and what each question is answered with. */
export interface Questions {
  sql: {
    ask: {
      readonly user: string;
      readonly address: string;
      readonly sql: string;
      readonly parameters: readonly Parameter[];
      readonly namespace: string;
      readonly sockets: SocketFigures;
    };
    answer: Answer;
  };
  subscribe: { ask: Subscription; answer: Opened };
  unsubscribe: { ask: Pick<Subscription, "connection" | "id">; answer: null };
  /** All live queries of a connection that is gone. */
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
  /** Tell what was committed and not told. */
  deliver: { ask: null; answer: null };
  close: { ask: null; answer: boolean };
}

export type Kind = keyof Questions;

export interface Asked<K extends Kind = Kind> {
  readonly kind: K;
  readonly ask: Questions[K]["ask"];
}

/** What the thread is started with. */
export interface Start {
  readonly settings: Settings;
  readonly rootPassword: string | undefined;
  readonly live: Resumption;
}

export type Told =
  | { readonly kind: "open" }
  | { readonly kind: "answer"; readonly answer: unknown }
  /** What live queries have to be told, of all changes up to one. */
  | { readonly kind: "live"; readonly toldUpTo: string; readonly news: readonly News[] };

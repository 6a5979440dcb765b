import type { Answer } from "./sql/batch.ts";
import type { Login, Profile } from "./sql/accounts.ts";
import type { Parameter } from "./sql/parameters.ts";
import type { Settings } from "./settings.ts";

/** What the thread that has the database is asked, and what each question is answered with. */
export interface Questions {
  sql: {
    ask: {
      readonly user: string;
      readonly address: string;
      readonly sql: string;
      readonly parameters: readonly Parameter[];
      readonly namespace: string;
    };
    answer: Answer;
  };
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
}

export type Told = { readonly kind: "open" } | { readonly kind: "answer"; readonly answer: unknown };

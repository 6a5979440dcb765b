/** Evidence of a look at a sound PostgreSQL port on loopback, for proofs. */
import type { PostgresSaid } from "../../../src/server/target.ts";
import { wrongCases, type Seen } from "./looking.ts";

type Reached = Extract<PostgresSaid, { readonly kind: "reached" }>;

const rows = [
  ["1", "7", "true", "0.1", "kr_a1b2c_1 own"],
  ["2", "-2147483648", "false", "-2.5", "it's"],
  ["3", null, null, null, null],
  ["9007199254740993", "0", "true", "1000000000000000", ""],
];
const rowsInText = rows.map(([id = null, n = null, flag, amount = null, note = null]) => [
  id,
  n,
  flag?.slice(0, 1) ?? null,
  amount === "1000000000000000" ? "1e+15" : amount,
  note,
]);
export const table = {
  kind: "rows",
  columns: ["id", "n", "flag", "amount", "note"],
  rows: rowsInText,
} as const;
export const nobodyIsKnown = { kind: "refused", code: "28P01", message: "password authentication failed" } as const;

export function reached(change: Partial<Omit<Reached, "kind">> = {}): Reached {
  return {
    kind: "reached",
    tls: "none",
    asks: "clearText",
    login: { kind: "in" },
    results: [],
    exchange: 7,
    ...change,
  };
}

export const refused: Reached = reached({ login: nobodyIsKnown });
export const unreached: PostgresSaid = { kind: "unreached", detail: "nothing listens on 127.0.0.1:5432", exchange: 7 };
export const timedOut: Reached = reached({
  asks: null,
  login: { kind: "broken", because: "timeout", detail: "no answer within 10000 ms" },
});
export const closed: Reached = reached({
  login: { kind: "broken", because: "closed", detail: "the server closed the connection without an error" },
});
/** Its password was not sent, because others could read it. */
export const withheld: Reached = reached({ login: { kind: "withheld" } });

export const sound: Seen = {
  name: "127.0.0.1:5432",
  named: false,
  isLoopback: true,
  mark: "kr_a1b2c_1 own",
  foreignMark: "kr_a1b2c_1 foreign",
  http: { before: rows, after: rows },
  right: reached({ results: [table, table] }),
  wrong: wrongCases.map((name, at) => ({
    case: name,
    user: at === 2 ? "kr_a1b2c_1_nobody" : "kr_a1b2c_user_1",
    said: refused,
    again: null,
  })),
  elsewhere: [
    { address: "192.0.2.2", said: { kind: "unreached", detail: "nothing listens on 192.0.2.2:5432", exchange: 7 } },
  ],
  sessions: { shown: true, left: [] },
  counted: true,
};

/** At an address that is not loopback: no password is sent there without TLS. */
export const remote: Seen = {
  ...sound,
  name: "db.example.com:5432",
  isLoopback: false,
  right: reached({ tls: "verified", results: [table, table] }),
  elsewhere: [],
};

export function withWrong(at: number, change: Partial<Seen["wrong"][number]>): Seen {
  return { ...sound, wrong: sound.wrong.map((one, index) => (index === at ? { ...one, ...change } : one)) };
}

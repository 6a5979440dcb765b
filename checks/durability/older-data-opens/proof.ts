import { damagedOthers, inOthers, neverStartOthers, newer } from "../../../src/faults/others.ts";
import { changeResult, changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { topicFault } from "../../../src/faults/topics.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { endedOf, lineOf } from "../evidence.ts";
import { olderDataOpens } from "./index.ts";
import type { NotOpened, Opened } from "./opening.ts";
import type { Shown } from "./places.ts";

const digest = [lineOf("the number of rows", ["2"]), lineOf("rows 1 to 25", ["1 | 1.01", "2 | 2.02"])];
const types = { id: "bigint", price: "decimal precision 12 scale 2" };
const shared: Shown = { type: "SHARED", owner: "root", table: "shared", digest, types };
const own: Shown = { ...shared, type: "USER", owner: "alice", table: "own" };
const before = [shared, own];
const shownAs = (change: Partial<Shown>, twin: Shown | null = null) => [
  { ...shared, ...change, twin },
  { ...own, twin: null },
];
const logins = ["alice", "bob"].map((who) => ({ who, kind: "in" as const, told: "" }));
const came = { why: null, came: ["3", "4", "5"], elsewhere: [], waitedMs: 20, exchange: 9 };
const write = { table: "shared", owner: "root" as const, statement: "INSERT", said: yes() };
const opened: Opened = {
  version: "0.4.3",
  logins,
  shown: shownAs({}),
  topic: came,
  writes: [write],
  flush: endedOf(),
  after: shared,
};
const topic = { why: null as string | null, done: ["0", "1", "2"], open: ["3", "4", "5"] };
const seen = (change: Partial<Opened> | NotOpened = {}) => ({
  version: "0.4.2" as string | null,
  topic,
  rounds: [{ by: "stop" as const, before, opened: "words" in change ? change : { ...opened, ...change } }],
});
const sound = seen();
const notOpened: NotOpened = { why: "it ended with exit code 1", ended: true, words: "", rootRefused: false };
const rows = (now: readonly string[]): Shown["digest"] => [
  lineOf("the number of rows", ["2"]),
  lineOf("rows 1 to 25", now),
];
const otherwise = { ...shared, digest: rows(["1 | 10.1", "2 | 20.2"]) };
const missing = digest.map((line) => ({ ...line, lines: null, why: "table 'shared' not found", missing: true }));

/** A fault of any server's requests, for the newer release. */
const inNewer = (fault: Fault): Fault => inOthers(newer, fault);
const page = /^SELECT id, n, .* FROM kept\.shared WHERE id > 0 /;

export default proveCheck(olderDataOpens, {
  holds: [
    sound,
    { ...sound, rounds: [...sound.rounds.map((round) => ({ ...round, by: "kill" as const })), ...sound.rounds] },
    { ...sound, version: null },
    { ...seen({ topic: null }), topic: { why: "CREATE TOPIC …: no topics here", done: [], open: [] } },
    // Shown in another way, and so are rows that the newer release wrote itself.
    seen({ shown: shownAs(otherwise, otherwise), after: otherwise }),
    seen({ shown: shownAs({ types: { ...types, price: "text" } }, { ...shared, types: { ...types, price: "text" } }) }),
  ],
  cannotTell: [
    { ...sound, rounds: [] },
    { ...sound, version: "0.4.3" },
    seen({ ...notOpened, ended: false, why: "it did not answer within 60000 ms" }),
    seen({ logins: [{ who: "alice", kind: "unsure", told: "timeout" }] }),
    seen({ shown: shownAs({ digest: [lineOf("the number of rows", null)] }) }),
    seen({ shown: shownAs({ types: null }) }),
    seen({ topic: { ...came, why: "status 500", came: [] } }),
    seen({ writes: [{ ...write, said: nothing() }] }),
    seen({ flush: { ...endedOf(), status: "running", pace: slowPace }, after: null }),
    seen({ flush: { ...endedOf(), status: "running", pace: latePace }, after: null }),
    seen({ after: { ...shared, digest: [lineOf("the number of rows", null)] } }),
  ],
  breaks: {
    tableMissing: {
      seen: seen({ shown: shownAs({ digest: missing }) }),
      fault: damagedOthers(
        "startWithoutTable=3",
        newer,
        refuseIt("ignoresATable", /kept\.own/, { message: "table 'kalam.kept.own' not found" }),
      ),
    },
    rowsDiffer: {
      seen: seen({ shown: shownAs({ digest: rows(["1 | 1.01"]) }) }),
      says: /is gone/,
      fault: damagedOthers(
        "skipSegment=3",
        newer,
        changeRows("losesARow", page, (all) => all.slice(1)),
      ),
    },
    typesDiffer: {
      seen: seen({ shown: shownAs({ types: { ...types, price: "decimal precision 12 scale 1" } }) }),
      also: ["rowsDiffer"],
      says: /the column price of \w+ was .* 2 and is .* 1/,
      fault: damagedOthers(
        "misreadDecimals",
        newer,
        changeResult("misreadsDecimals", /^SELECT \* FROM kept\./, ({ schema, ...rest }) => ({
          ...rest,
          schema: JSON.parse(JSON.stringify(schema).replaceAll('"scale":2', '"scale":1')) as never,
        })),
      ),
    },
    loginsBroken: {
      seen: seen({ logins: [{ who: "alice", kind: "refused", told: "401 unauthorized" }] }),
      says: /does not let (alice|bob|carol|dora) in/,
      fault: damagedOthers("losePassword=4", newer, {
        name: "forgetsAccounts",
        wrap: (wire, fired) => ({
          ...wire,
          async exchange(request) {
            const answer = await wire.exchange(request);
            const isOther = typeof request.body === "string" && /alice|bob|carol|dora/.test(request.body);
            if (!request.path.endsWith("/auth/login") || !isOther || answer.kind === "broken") return answer;
            fired();
            const body = new TextEncoder().encode('{"error":"unauthorized","message":"Invalid credentials"}');
            return { ...answer, status: 401, body };
          },
        }),
      }),
    },
    acknowledgedAgain: {
      seen: seen({ topic: { ...came, came: ["2", "3", "4", "5"] } }),
      fault: damagedOthers(
        "rewindOffsets=9",
        newer,
        topicFault("deliversAgain", (messages) => {
          const [first] = messages;
          return first === undefined ? undefined : [{ ...first, key: "0" }, ...messages];
        }),
      ),
    },
    messagesLost: {
      seen: seen({ topic: { ...came, came: [], elsewhere: ["3"], waitedMs: 15_000 } }),
      fault: damagedOthers(
        "skipMessages",
        newer,
        topicFault("skipsMessages", (messages, { group }) =>
          group === "workers" && messages.length > 0 ? [] : undefined,
        ),
      ),
    },
    notWritable: {
      seen: seen({ writes: [{ ...write, said: no("SQL_EXECUTION_ERROR", "table is read-only", "rule") }] }),
      case: "shared",
      fault: inNewer(
        refuseIt("refusesWrites", /^INSERT INTO kept\.shared /, {
          message: "Statement 1 failed: Invalid operation: table is read-only",
        }),
      ),
    },
    refused: {
      seen: seen({ ...notOpened, words: "error: this data folder has format version 3, expected 4" }),
      fault: neverStartOthers("refusesOlderData", newer, "error: the data folder has format version 3, expected 4"),
    },
    silentRefusal: {
      seen: seen({ ...notOpened, words: "thread 'main' panicked at src/format.rs:17" }),
      fault: neverStartOthers("panics", newer, "thread 'main' panicked at src/store.rs:17:9"),
    },
  },
  mayBeLost: [{ what: /^SELECT/, because: "it is asked again until it is answered, or only a control" }],
});

import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { schemaHistoryKept } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Column already exists", "exists");
const step = (version: number | null, said = yes()) => ({ said, version });
const kept = (version: number, columns: string[], latest = false) => ({ version, latest, columns });
const history = [
  kept(1, ["id", "a"]),
  kept(2, ["id", "a", "b"]),
  kept(3, ["id", "a", "b", "c"]),
  kept(4, ["id", "a", "b"], true),
];
const sound = {
  first: 1,
  stepped: [step(2), step(2, refusal), step(3), step(3, refusal), step(4)],
  history: history as typeof history | null,
  historySaid: yes(),
  described: { versions: [4], columns: ["id", "a", "b"], exchange: 1 } as {
    versions: number[];
    columns: string[];
    exchange: number;
  } | null,
  describedHistory: { versions: [1, 2, 3], columns: ["id", "a", "b", "c"], exchange: 1 } as {
    versions: number[];
    columns: string[];
    exchange: number;
  } | null,
};
const stepped = (at: number, change: ReturnType<typeof step>) =>
  sound.stepped.map((one, n) => (n === at ? change : one));

export default proveCheck(schemaHistoryKept, {
  holds: [
    sound,
    { ...sound, described: null, describedHistory: null },
    {
      ...sound,
      first: 7,
      stepped: sound.stepped.map((one) => ({ ...one, version: (one.version ?? 0) + 6 })),
      history: history.map((one) => ({ ...one, version: one.version + 6 })),
      described: null,
    },
  ],
  cannotTell: [
    { ...sound, stepped: stepped(0, step(1, nothing())) },
    { ...sound, stepped: stepped(1, step(2)) },
    { ...sound, stepped: stepped(3, step(3, nothing())) },
    { ...sound, stepped: stepped(2, step(null)) },
    { ...sound, history: null, historySaid: nothing() },
    { ...sound, stepped: sound.stepped.slice(0, 2) },
  ],
  breaks: {
    notCounted: {
      also: ["notOneLatest"],
      seen: { ...sound, stepped: sound.stepped.map((one) => ({ ...one, version: 1 })) },
      fault: changeColumn("stayAtVersionTwo", /SELECT version FROM system\.tables/, "version", (cell) =>
        Number(cell) > 2 ? "2" : cell,
      ),
    },
    historyLost: {
      seen: { ...sound, history: history.slice(2) },
      fault: changeRows("loseTheFirstVersion", /FROM system\.schemas WHERE/, (rows) => rows.slice(1)),
    },
    notOneLatest: {
      seen: { ...sound, history: history.map((one) => ({ ...one, latest: true })) },
      fault: changeColumn("markAllAsLatest", /FROM system\.schemas WHERE/, "is_latest", () => true),
    },
    describedWrong: {
      seen: { ...sound, described: { versions: [1], columns: ["id", "a", "b"], exchange: 1 } },
      fault: changeColumn("describeTheFirstVersion", /^DESCRIBE TABLE \S+$/, "schema_version", () => 1),
    },
  },
  mayBeLost: [{ what: /^DESCRIBE /, because: "then the sentence says that DESCRIBE was not answered" }],
});

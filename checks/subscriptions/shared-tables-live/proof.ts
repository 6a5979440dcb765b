import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { errorBody, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { sharedTablesLive } from "./index.ts";

const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);
const closed = refusal("UNAUTHORIZED", "access level 'private' requires elevated privileges");
const access = [
  { who: "user", table: "PUBLIC" as const, select: yes(), opening: ready() },
  { who: "user", table: "PRIVATE" as const, select: denied, opening: closed },
  { who: "service", table: "PUBLIC" as const, select: yes(), opening: ready() },
  { who: "service", table: "PRIVATE" as const, select: yes(), opening: ready() },
  { who: "user", table: "tightened" as const, select: denied, opening: closed },
];
const tightened = {
  said: yes(),
  select: denied,
  written: 2,
  insiders: 2,
  leaked: 0,
  fenced: true,
  ended: null as number | null,
  alive: true,
  exchange: 7,
};
const sound = { access, tightened };
const having = (at: number, change: object) => ({
  ...sound,
  access: access.map((one, n) => (n === at ? { ...one, ...change } : one)),
});

/** The ALTER TABLE is answered and SELECT is refused, but the live query goes on. */
function closeOnlyForSelect(): Fault {
  let closing = false;
  return sqlFault("closeOnlyForSelect", (sql) => {
    if (/^ALTER TABLE \S+\.shown SET/.test(sql)) {
      closing = true;
      const results = [{ row_count: 0, message: "altered" }];
      return Promise.resolve({ status: 200, body: { status: "success", results, took: 1 } });
    }
    if (!closing || !/^SELECT id FROM \S+\.shown /.test(sql)) return undefined;
    return Promise.resolve({ status: 403, body: errorBody("PERMISSION_DENIED", "Access denied") });
  });
}

export default proveCheck(sharedTablesLive, {
  holds: [sound, { ...sound, tightened: { ...tightened, fenced: false, ended: 1008 } }],
  cannotTell: [
    // A version that has no live queries on shared tables.
    having(0, { opening: refusal("UNSUPPORTED", "Shared tables do not support live queries") }),
    having(1, { opening: noOpening() }),
    having(1, { select: nothing() }),
    { ...sound, tightened: null },
    { ...sound, tightened: { ...tightened, select: yes(), leaked: 2 } },
    { ...sound, tightened: { ...tightened, alive: false } },
    { ...sound, tightened: { ...tightened, insiders: 1 } },
    { ...sound, tightened: { ...tightened, fenced: false } },
    { ...sound, tightened: { ...tightened, fenced: false, ended: 1006 } },
  ],
  breaks: {
    tooOpen: {
      seen: having(1, { opening: ready() }),
      fault: messageFault("serveTheHidden", (message) => {
        const { subscription } = message;
        const sql = isRecord(subscription) ? subscription["sql"] : undefined;
        if (!isRecord(subscription) || typeof sql !== "string" || !sql.endsWith(".hidden")) return undefined;
        return [{ ...message, subscription: { ...subscription, sql: sql.replace(".hidden", ".shown") } }];
      }),
    },
    tooClosed: {
      seen: having(0, { opening: closed }),
      fault: frameFault("refuseTheFirst", () => (message, { pass, fired }) => {
        const { type, subscription_id: id } = message;
        if (type !== "subscription_ack" || id !== "q1") return pass(message);
        fired();
        pass({ type: "error", subscription_id: id, code: "UNAUTHORIZED", message: "Permission denied" });
      }),
    },
    lateRevoke: { seen: { ...sound, tightened: { ...tightened, leaked: 1 } }, fault: closeOnlyForSelect() },
  },
});

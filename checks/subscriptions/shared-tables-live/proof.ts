import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { errorBody, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { sharedTablesLive } from "./index.ts";

const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);
const closed = refusal("UNAUTHORIZED", "access level 'private' requires elevated privileges");
const open = { select: yes(), opening: ready(), selected: 1, snapshot: 1 };
const shut = { select: denied, opening: closed, selected: 0, snapshot: 0 };
const access = [
  { who: "user", table: "PUBLIC" as const, ...open },
  { who: "user", table: "PRIVATE" as const, ...shut },
  { who: "service", table: "PUBLIC" as const, ...open },
  { who: "service", table: "PRIVATE" as const, ...open },
  { who: "user", table: "tightened" as const, ...shut },
];
const tightened = {
  said: yes(),
  select: denied,
  selected: 0,
  written: 2,
  insiders: 2,
  leaked: 0,
  fenced: true,
  ended: null as number | null,
  alive: true,
  exchange: 7,
};
const sound = { sharedAccess: "levels" as "levels" | "policies", access, tightened };
/** Policies hide the rows of a closed table. */
const hidden = {
  sharedAccess: "policies" as const,
  access: access.map((one) => ({ ...one, select: yes(), opening: ready() })),
  tightened: { ...tightened, select: yes() },
};
const hiddenHaving = (at: number, change: object) => ({
  ...hidden,
  access: hidden.access.map((one, n) => (n === at ? { ...one, ...change } : one)),
});
const having = (at: number, change: object) => ({
  ...sound,
  access: access.map((one, n) => (n === at ? { ...one, ...change } : one)),
});

/** The change is answered and SELECT is refused, but the live query goes on. */
function closeOnlyForSelect(): Fault {
  let closing = false;
  return sqlFault("closeOnlyForSelect", (sql) => {
    if (/^(ALTER TABLE \S+\.shown SET|DROP POLICY \w+ ON \S+\.shown$)/.test(sql)) {
      closing = true;
      const results = [{ row_count: 0, message: "altered" }];
      return Promise.resolve({ status: 200, body: { status: "success", results, took: 1 } });
    }
    if (!closing || !/^SELECT id FROM \S+\.shown /.test(sql)) return undefined;
    return Promise.resolve({ status: 403, body: errorBody("PERMISSION_DENIED", "Access denied") });
  });
}

export default proveCheck(sharedTablesLive, {
  holds: [
    sound,
    hidden,
    // Where access has levels, the rows of a snapshot are not compared.
    having(0, { snapshot: 0 }),
    ...[1008, 3000, 4001].map((ended) => ({ ...sound, tightened: { ...tightened, fenced: false, ended } })),
  ],
  cannotTell: [
    // A version that has no live queries on shared tables.
    having(0, { opening: refusal("UNSUPPORTED", "Shared tables do not support live queries") }),
    having(1, { opening: noOpening() }),
    having(1, { select: nothing() }),
    // A dba in place of the service account.
    { ...sound, access: access.map((one) => (one.who === "service" ? { ...one, who: "dba" } : one)) },
    { ...sound, access: access.slice(1) },
    { ...sound, tightened: null },
    hiddenHaving(0, { snapshot: 0 }),
    { ...hidden, tightened: { ...hidden.tightened, selected: 1 } },
    { ...hidden, tightened: { ...hidden.tightened, select: nothing(), leaked: 2 } },
    { ...sound, tightened: { ...tightened, select: yes(), leaked: 2 } },
    { ...sound, tightened: { ...tightened, alive: false } },
    { ...sound, tightened: { ...tightened, insiders: 1 } },
    { ...sound, tightened: { ...tightened, fenced: false } },
    { ...sound, tightened: { ...tightened, fenced: false, ended: 1006 } },
    { ...sound, tightened: { ...tightened, fenced: false, ended: 2999 } },
    { ...sound, tightened: { ...tightened, said: nothing() } },
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
    lateRevoke: {
      also: ["tooOpen"],
      seen: { ...sound, tightened: { ...tightened, leaked: 1 } },
      fault: closeOnlyForSelect(),
    },
  },
});

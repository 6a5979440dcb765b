import { cellText, isRecord, type Json } from "../../../src/wire/json.ts";
import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { Opening } from "../../vocabulary/opening.ts";
import { oneResume as one, resuming, silenceResumed, type Message } from "../resume-complete/proof.ts";
import { wrongDomains } from "./attempts.ts";
import { sharedResumeComplete } from "./index.ts";

const ready: Opening = { kind: "ready", code: "", message: "", reason: "", exchange: 1 };
const rejected: Opening = {
  ...ready,
  kind: "refused",
  code: "CURSOR_REJECTED",
  message: "other history",
  reason: "other",
};
const expired: Opening = { ...rejected, code: "CURSOR_EXPIRED", message: "subscribe again" };
const late: Opening = { ...ready, kind: "unsure", message: "neither acknowledged nor refused" };
const attempts = wrongDomains.map((name) => ({ case: name as string, opening: rejected as Opening | null, why: "" }));
const sound = {
  resumed: [one, one],
  why: null as string | null,
  attempts,
  old: { opening: expired as Opening | null, written: 1_100, delivered: 0, why: "" },
};
const lastIs = (change: object) => ({ ...sound, resumed: [one, { ...one, ...change }] });
const attemptIs = (opening: Opening | null) => ({
  ...sound,
  attempts: attempts.map((each, at) => (at === 0 ? { ...each, opening } : each)),
});
const oldIs = (change: Partial<typeof sound.old>) => ({ ...sound, old: { ...sound.old, ...change } });

/** Each table's domain is taken from its own acknowledgements and put into every resume, as by a server that does not compare. */
function acceptAnyDomain(): Fault {
  return {
    name: "takeTheDomainForGranted",
    wrap(wire, fired) {
      const domains = new Map<string, Json>();
      const learning = frameFault("", () => (message, { pass }) => {
        const control = message["batch_control"];
        const domain = isRecord(control) ? control["version_domain"] : undefined;
        if (domain !== undefined && isRecord(domain)) domains.set(cellText(domain["table_id"]), domain);
        pass(message);
      }).wrap(wire, () => {});
      return messageFault("", (message) => {
        const found = resuming(message);
        const [, table = ""] = /FROM (\S+)/.exec(cellText(found?.subscription["sql"])) ?? [];
        const domain = domains.get(table);
        if (found === undefined || domain === undefined || found.options["version_domain"] !== undefined)
          return undefined;
        const options = { ...found.options, version_domain: domain };
        return [{ ...message, subscription: { ...found.subscription, options } }];
      }).wrap(learning, fired);
    },
  };
}

/** Answers a resume of that table with some of its rows, as a server that starts where its log begins. */
function forgetOldChanges(): Fault {
  return {
    name: "skipWhatIsNoLongerKept",
    wrap(wire, fired) {
      const dropping = frameFault("", () => (message, { pass }) => {
        const { type, rows } = message;
        const isLater = (row: Json): boolean => isRecord(row) && row["mark"] === "later";
        const all = Array.isArray(rows) ? (rows as readonly Json[]) : [];
        if (type !== "initial_data_batch" || !all.some(isLater)) return pass(message);
        fired();
        pass({ ...message, rows: all.filter((row, at) => !isLater(row) || at % 2 === 0) });
      }).wrap(wire, fired);
      return messageFault("", (message) => {
        const found = resuming(message);
        if (found === undefined || !/\.old(?:$| )/.test(cellText(found.subscription["sql"]))) return undefined;
        const { from: _from, version_domain: _domain, ...options } = found.options;
        return [{ ...message, subscription: { ...found.subscription, options } }];
      }).wrap(dropping, fired);
    },
  };
}

export default proveCheck(sharedResumeComplete, {
  holds: [sound, oldIs({ opening: ready, delivered: 1_100 })],
  cannotTell: [
    { ...sound, resumed: [], why: "no live connection" },
    { ...sound, resumed: [one] },
    lastIs({ fenced: false, lost: ["7"] }),
    { ...sound, attempts: attempts.slice(1) },
    attemptIs(null),
    attemptIs(late),
    attemptIs({ ...rejected, code: "RATE_LIMIT_EXCEEDED", reason: "limit" }),
    attemptIs({ ...rejected, code: "UNAUTHORIZED", message: "access denied", reason: "right" }),
    oldIs({ opening: null, why: "no live connection" }),
    oldIs({ opening: { ...rejected, code: "RATE_LIMIT_EXCEEDED", message: "slower", reason: "limit" } }),
    oldIs({ opening: { ...rejected, code: "UNAUTHORIZED", message: "access denied", reason: "right" } }),
    oldIs({ opening: late }),
    oldIs({ opening: ready, delivered: 0, why: "the last row did not arrive" }),
  ],
  breaks: {
    lostOnResume: {
      seen: lastIs({ lost: ["1007"] }),
      fault: frameFault("resumeOffByOne", () => {
        let seen = false;
        return (message, { pass, fired }) => {
          const rows = message["rows"] as readonly Message[] | undefined;
          const isFirst = message["type"] === "initial_data_batch" && !seen && rows !== undefined && rows.length > 1;
          seen ||= message["type"] === "initial_data_batch";
          if (!isFirst || rows.length > 100) return pass(message);
          fired();
          pass({ ...message, rows: rows.slice(1) });
        };
      }),
    },
    ghostRows: {
      seen: lastIs({ ghosts: ["1002"] }),
      fault: frameFault("resumeWithoutDeletes", () => (message, { pass, fired }) => {
        if (message["type"] !== "change" || message["change_type"] !== "delete") return pass(message);
        fired();
      }),
    },
    silentAfterResume: {
      seen: lastIs({ fenced: false, silent: true }),
      fault: silenceResumed(),
    },
    wrongCursorAccepted: {
      seen: attemptIs(ready),
      fault: acceptAnyDomain(),
      case: "without its domain",
    },
    lostBehindOldCursor: {
      seen: oldIs({ opening: ready, delivered: 1_000 }),
      fault: forgetOldChanges(),
    },
    expiryUnsaid: {
      seen: oldIs({ opening: { ...rejected, code: "SUBSCRIPTION_FAILED", message: "Execution error" } }),
      fault: frameFault("rejectWithoutAReason", () => (message, { pass, fired }) => {
        if (message["code"] !== "CURSOR_EXPIRED") return pass(message);
        fired();
        pass({ ...message, code: "SUBSCRIPTION_FAILED", message: "Execution error" });
      }),
    },
  },
});

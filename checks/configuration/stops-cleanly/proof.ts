import { afterStart, damaged, lifecycleFault } from "../../../src/faults/control.ts";
import { endFault } from "../../../src/faults/live.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import { sentBy } from "../../concurrency/evidence.ts";
import { failed, notRestarted, stopped } from "../../durability/evidence.ts";
import { asRead } from "../../durability/reading.ts";
import type { Stopped } from "../../../src/wire/control.ts";
import { stopsCleanly } from "./index.ts";

const cutAll = endFault("closesWithoutAFrame", (close) => ({ ...close, code: 1006, reason: "" }));

const stopsAs = (stop: Stopped): Fault =>
  lifecycleFault("stopsOtherwise", (lifecycle, fired) => ({
    async stop(options) {
      await lifecycle.stop(options);
      fired();
      return stop;
    },
  }));

const insert = (key: string, at: number, outcome: OperationOutcome = "ok"): Operation => ({
  ...sentBy(0, at, at, 5, outcome),
  kind: "insert",
  key,
  values: { mark: `m${key}` },
});
const written = [insert("1", 100), insert("2", 110), insert("3", 120, "unsure")];
const read = (keys: readonly string[] | null) =>
  asRead({ rows: keys?.map((id) => ({ id, mark: `m${id}` })) ?? null, exchange: 9 }, { from: 900, to: 910 });
type Close = { readonly code: number; readonly reason: string } | null;
const closed: Close = { code: 1001, reason: "Server shutting down" };
const dropped: Close = { code: 1006, reason: "" };
const term = {
  signal: "SIGTERM" as "SIGTERM" | "SIGINT",
  stopped: true,
  exitCode: 0 as number | null,
  pace: { waitedMs: 300, controlMs: 5 },
  noLive: null as string | null,
  closes: [closed, closed] as readonly Close[],
  restart: stopped,
  operations: [...written, read(["1", "2"])],
  unread: null as string | null,
};
const int = { ...term, signal: "SIGINT" as const, operations: [...written, read(["1", "2", "3"])] };
const withInt = (change: Partial<typeof term>, kind: "process" | "docker" = "process") => ({
  kind,
  rounds: [term, { ...int, ...change }],
});
const hung = { stopped: false, exitCode: null };

export default proveCheck(stopsCleanly, {
  holds: [
    withInt({}),
    // Nothing tells the exit code there.
    withInt({ exitCode: null }, "docker"),
  ],
  cannotTell: [
    { kind: "process", rounds: [term] },
    withInt({ restart: notRestarted }),
    withInt({ restart: failed, operations: [...written, read(null)], unread: "no answer" }),
    withInt({ noLive: "no live query could be opened: 403" }),
    withInt({ operations: [read([])] }),
    withInt({ closes: [closed, dropped] }),
    withInt({ ...hung, pace: { waitedMs: 10_000, controlMs: 4_000 } }),
  ],
  breaks: {
    lostOnStop: {
      seen: withInt({ operations: [...written, read(["1"])] }),
      fault: damaged(
        "loseOnStop=12",
        afterStart(changeRows("losesRows", /^SELECT id, mark FROM \S+\.sig\w+ ORDER/, (rows) => rows.slice(1))),
      ),
    },
    droppedSockets: {
      seen: withInt({ closes: [dropped, null] }),
      says: /SIGINT: \d of 2 WebSocket connections ended without a close frame/,
      fault: damaged("cutOnStop", cutAll),
    },
    hungOnStop: {
      seen: withInt({ ...hung, pace: { waitedMs: 10_000, controlMs: 5 } }),
      fault: damaged("hangOnStop", stopsAs({ stopped: false, exitCode: null, tookMs: 10_000 })),
    },
    dirtyExit: {
      seen: withInt({ exitCode: 3 }),
      says: /SIGINT: the server ended with exit code 3/,
      fault: damaged("dirtyExit", stopsAs({ stopped: true, exitCode: 3, tookMs: 300 })),
    },
  },
  mayBeLost: [
    { what: /^INSERT/, because: "the rows of one client of several" },
    { what: /^SELECT (1 AS|metric_name)/, because: "it is asked again, or only a control" },
  ],
});

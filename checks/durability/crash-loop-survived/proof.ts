import { afterStart, damaged, lifecycleFault } from "../../../src/faults/control.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { failed, killed, notRestarted, slowToStart } from "../evidence.ts";
import { crashLoopSurvived } from "./index.ts";

const starts = (...times: readonly number[]) =>
  times.map((answeredMs) => ({ restart: { ...killed, answeredMs }, controlMs: 8 }));
const even = starts(900, 1_400, 900, 1_100, 1_000, 900);
const row = (id: number, mark = "round 1", sure = true) => ({ id: String(id), mark, sure });
const written = [row(1), row(2, "updated in round 3"), row(3, "round 1", false)];
const shown = (...rows: readonly ReturnType<typeof row>[]) => ({
  rows: rows.map(({ id, mark }) => ({ id, mark })),
  why: null,
  cause: null,
  exchange: 9,
});
const sound = { kills: even, written, reading: shown(row(1), row(2, "updated in round 3")) };
const slowing = starts(900, 1_400, 1_900, 2_400, 2_900, 3_400);

export default proveCheck(crashLoopSurvived, {
  holds: [
    sound,
    { ...sound, reading: shown(row(1), row(2, "updated in round 3"), row(3)) },
    // One slow start is no trend.
    { ...sound, kills: starts(900, 900, 900, 900, 9_000, 900) },
  ],
  cannotTell: [
    { ...sound, kills: even.slice(0, 4) },
    { ...sound, kills: [...even, { restart: notRestarted, controlMs: 8 }] },
    { ...sound, kills: [...even, { restart: failed, controlMs: 8 }] },
    { ...sound, kills: [...even, { restart: slowToStart, controlMs: 8 }] },
    { ...sound, reading: { rows: null, why: "looped: connection reset", cause: null, exchange: 9 } },
    { ...sound, written: [row(3, "round 1", false)] },
    // A plain query takes long, too.
    { ...sound, kills: slowing.map((one, at) => ({ ...one, controlMs: 50 * (at + 1) })) },
  ],
  breaks: {
    lostRows: {
      seen: { ...sound, reading: shown(row(1), row(2)) },
      fault: damaged(
        "loseOnKill=4",
        afterStart(changeRows("losesTheFirstRow", /^SELECT id, mark FROM \S+\.looped ORDER/, (rows) => rows.slice(1))),
      ),
    },
    slowerEachTime: {
      seen: { ...sound, kills: slowing },
      fault: {
        name: "startsLaterEachTime",
        wrap(wire, fired) {
          let laterMs = 0;
          return lifecycleFault("startsLaterEachTime", (lifecycle) => ({
            async start(...how) {
              const started = await lifecycle.start(...how);
              if (started.kind === "notReady") return started;
              fired();
              laterMs += 4_000;
              const { startedAt, readyMs } = started;
              return { ...started, startedAt: startedAt - laterMs, readyMs: readyMs + laterMs };
            },
          })).wrap(wire, () => undefined);
        },
      },
    },
  },
  mayBeLost: [
    { what: /^(INSERT|UPDATE)/, because: "what is not acknowledged may be there or not; the others are enough" },
    { what: /^SELECT (1 AS|metric_name)/, because: "it is asked again, or only a control" },
  ],
});

import { breakServer, claimSuccess, errorBody, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { manyClientsAllServed } from "./index.ts";

const slower = no("RATE_LIMIT_EXCEEDED", "Too many queries per second", "rate", 429);
const attempt = (key: number, said = yes()) => ({ key, said, from: key / 100, to: 20 });
const wishes = Array.from({ length: 20 }, (_, at) => ({ client: at, attempts: [attempt(at)] }));
const stored = wishes.map((_, key) => ({ key, right: true }));
type Row = (typeof stored)[number];
const changed = wishes.map((_, key) => ({ key, said: yes(), now: `changed value of ${key}` as string | null }));
type Changed = (typeof changed)[number];
const sound = { clients: 20, wishes, stored: stored as Row[] | null, changed: changed as Changed[] | null };
const firstChanged = (change: object) => ({
  ...sound,
  changed: changed.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const firstTries = (...attempts: ReturnType<typeof attempt>[]) => [{ client: 0, attempts }, ...wishes.slice(1)];
const busy = { ...nothing("unavailable"), status: 503, code: "UNAVAILABLE" };

export default proveCheck(manyClientsAllServed, {
  holds: [
    sound,
    { ...sound, wishes: firstTries(attempt(90, slower), attempt(0)) },
    // A write without an answer may have been done.
    { ...sound, wishes: firstTries(attempt(90, nothing()), attempt(0)), stored: [...stored, { key: 90, right: true }] },
  ],
  cannotTell: [
    { clients: 0, wishes: [], stored: [], changed: [] },
    { ...sound, stored: null },
    { ...sound, changed: null },
    firstChanged({ said: nothing(), now: "value of 0" }),
    { ...sound, wishes: firstTries(attempt(90, nothing()), attempt(91, nothing()), attempt(92, nothing())) },
    { ...sound, wishes: firstTries(attempt(90, slower), attempt(91, nothing()), attempt(92, slower)) },
    // By a proxy that does not reach the server.
    { ...sound, wishes: firstTries(attempt(90, slower), attempt(91, slower), attempt(92, { ...busy, code: "" })) },
    { ...sound, wishes: wishes.map((one, at) => ({ ...one, attempts: [{ ...attempt(at), from: at, to: at + 0.5 }] })) },
  ],
  breaks: {
    neverServed: {
      seen: { ...sound, wishes: firstTries(attempt(90, slower), attempt(91, busy), attempt(92, busy)) },
      // A table of connections that leaks: from some moment on, the server turns everyone away.
      fault: breakServer("turnEveryoneAway", /VALUES \((\d{2,}), 'value of/),
    },
    refusedButDone: {
      seen: {
        ...sound,
        wishes: firstTries(attempt(90, slower), attempt(0)),
        stored: [...stored, { key: 90, right: true }],
      },
      fault: sqlFault("refuseAfterTheWork", async (sql, _, exchange) => {
        if (!/VALUES \(7, 'value of/.test(sql)) return undefined;
        await exchange();
        return { status: 429, body: errorBody("RATE_LIMIT_EXCEEDED", "Too many queries per second") };
      }),
    },
    lostRows: {
      seen: { ...sound, stored: stored.slice(1) },
      fault: claimSuccess("acknowledgeOneWithoutWriting", /VALUES \(17, 'value of/, 1),
    },
    lostChanges: {
      seen: firstChanged({ now: "value of 0" }),
      fault: claimSuccess("acknowledgeAnUpdateWithoutDoingIt", /SET v = 'changed value of 13'/, 1),
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "the client tries again with another key, and the sentence tells how often" },
  ],
});

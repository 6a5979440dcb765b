import { claimSuccess, errorBody, refuseIt, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { Burst } from "./burst.ts";
import { rateLimitSaysSo } from "./index.ts";

const tally = { served: 110, refused: 190, odd: [] as string[], unclear: 0 };
const sound: Burst = {
  unsafe: null,
  limit: 100,
  tally,
  tookMs: 400,
  shutMs: 20,
  bystander: { asked: 5, served: 5, refused: 0 },
  refusedWrites: 38,
  done: [],
  exchanges: [1, 2],
};
const all = { served: 300, refused: 0, odd: [], unclear: 0 };
const rushed = /^INSERT INTO \S+\.rushed|AS rushed$/;
const slower = "Too many queries per second";

/** Changes the refusals for the rate. */
const reword = (name: string, status: number, code: string): Fault =>
  sqlFault(name, async (sql, _, exchange) => {
    if (!rushed.test(sql)) return undefined;
    const said = await exchange();
    return said?.status === 429 ? { status, body: errorBody(code, slower) } : undefined;
  });

export default proveCheck(rateLimitSaysSo, {
  holds: [sound, { ...sound, tally: { ...tally, refused: 180, unclear: 10 } }],
  cannotTell: [
    { ...sound, unsafe: "the server is not on this machine" },
    { ...sound, tally: all, tookMs: 4_000 },
    { ...sound, tally: { ...all, served: 120, unclear: 180 } },
    { ...sound, tally: { ...tally, served: 0 } },
    { ...sound, done: null },
    { ...sound, refusedWrites: 0 },
    { ...sound, bystander: { asked: 5, served: 0, refused: 0 } },
  ],
  breaks: {
    noLimit: { seen: { ...sound, tally: all, tookMs: 300 }, fault: claimSuccess("serveEveryone", rushed, 1) },
    wrongCode: {
      seen: { ...sound, tally: { ...tally, odd: ["503"] } },
      fault: reword("callItUnavailable", 503, "SERVICE_UNAVAILABLE"),
    },
    refusedButDone: {
      seen: { ...sound, done: [7] },
      fault: sqlFault("refuseAfterTheWork", async (sql, _, exchange) => {
        if (!/^INSERT INTO \S+\.rushed \(id\) VALUES \(25\)/.test(sql)) return undefined;
        await exchange();
        return { status: 429, body: errorBody("RATE_LIMIT_EXCEEDED", slower) };
      }),
    },
    spread: {
      seen: { ...sound, bystander: { asked: 5, served: 3, refused: 2 } },
      fault: limitEveryone(),
    },
    staysShut: {
      seen: { ...sound, shutMs: null },
      fault: refuseIt("stayShut", /^SELECT 1 AS again$/, { status: 429, code: "RATE_LIMIT_EXCEEDED", message: slower }),
    },
  },
  mayBeLost: [
    { what: /rushed/, because: "one of hundreds, and those that were served and refused are counted" },
    { what: /^SELECT 1 AS (one|again)$/, because: "one of several queries of the other account, or tried again" },
  ],
});

/** One bucket for all accounts: while it is empty, others are refused as well. */
function limitEveryone(): Fault {
  let asides = 0;
  return sqlFault("oneBucketForAll", (sql) => {
    if (sql !== "SELECT 1 AS one") return undefined;
    asides += 1;
    return asides > 2 ? undefined : Promise.resolve({ status: 429, body: errorBody("RATE_LIMIT_EXCEEDED", slower) });
  });
}

import type { Values } from "../../../src/history/history.ts";
import { afterStart, damaged, lifecycleFault } from "../../../src/faults/control.ts";
import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import type { LoginSaid } from "../../vocabulary/logins.ts";
import { notRestarted, slowToStart, stopped } from "../evidence.ts";
import type { Reading } from "../reading.ts";
import { rowsSurviveRestart } from "./index.ts";

const made = "1780000000000000";
const row = (owner: string, id: string, change: Values = {}): Values => ({
  id,
  mark: `${owner}-${id}`,
  level: 7,
  made,
  ...change,
});
const reading = (rows: readonly Values[]): Reading => ({ rows, why: null, cause: null, exchange: 5 });
const unread: Reading = { rows: null, why: "own: connection reset", cause: null, exchange: 6 };
const owned = (owner: string, change: { before?: Reading; after?: Reading } = {}) => ({
  owner,
  table: owner === "shared" ? ("SHARED" as const) : ("USER" as const),
  written: 2,
  before: reading([row(owner, "1"), row(owner, "2")]),
  after: reading([row(owner, "1"), row(owner, "2")]),
  ...change,
});
const said = (kind: LoginSaid["kind"], outcome: string): LoginSaid => ({ kind, status: 200, outcome, exchange: 7 });
const [inside, refused] = [said("in", "200"), said("refused", "401 unauthorized")];
const logins = ["alice", "bob"].map((owner) => ({ owner, tries: [inside] }));
const others = [owned("bob"), owned("shared")];
const sound = { restart: stopped, owned: [owned("alice"), ...others], logins, sameSecret: true };
const alice = (change: Parameters<typeof owned>[1]) => ({ ...sound, owned: [owned("alice", change), ...others] });
const own = /^SELECT id, mark, level, made FROM \S+\.own ORDER/;

export default proveCheck(rowsSurviveRestart, {
  holds: [sound, { ...sound, sameSecret: false }],
  cannotTell: [
    { ...sound, restart: notRestarted },
    { ...sound, restart: slowToStart, owned: [], logins: [] },
    alice({ after: unread }),
    alice({ before: reading([row("alice", "1")]), after: reading([row("alice", "1")]) }),
    { ...sound, logins: [{ owner: "alice", tries: [said("unsure", "timeout"), said("unsure", "timeout")] }] },
    { ...sound, logins: [{ owner: "alice", tries: [said("unsure", "timeout"), refused] }] },
    // The token may well be refused: it was signed with another secret.
    { ...alice({ after: { ...unread, cause: "login" } }), sameSecret: false },
  ],
  breaks: {
    lostRows: {
      seen: alice({ after: reading([row("alice", "2")]) }),
      says: /^\d of \d+ rows of (alice|shared)/,
      fault: damaged("loseOnStop=3", afterStart(changeRows("losesTheFirstRow", own, (rows) => rows.slice(1)))),
    },
    changedRows: {
      seen: alice({ after: reading([row("alice", "1", { made: "1790000000000000" }), row("alice", "2")]) }),
      says: /made of \d+ was/,
      fault: damaged(
        "evaluateDefaultsAgain",
        afterStart(changeColumn("evaluatesDefaultsAgain", own, "made", () => 1_790_000_000_000_000)),
      ),
    },
    strangeRows: {
      seen: alice({ after: reading([row("alice", "1"), row("alice", "2"), row("alice", "3")]) }),
      fault: afterStart(
        changeRows("addsARow", own, ([first = [], ...rest]) => [first, ...rest, [String(10 ** 9), ...first.slice(1)]]),
      ),
    },
    crossedUsers: {
      seen: alice({ after: reading([row("bob", "1"), row("bob", "2")]) }),
      fault: afterStart(
        changeColumn("showsRowsOfAnotherUser", own, "mark", (mark) =>
          typeof mark === "string" ? mark.replace("alice-", "bob-") : mark,
        ),
      ),
    },
    accountsLost: {
      seen: { ...sound, logins: [{ owner: "bob", tries: [refused, refused] }] },
      also: ["lostRows"],
      fault: lifecycleFault("startOnAnEmptyFolder", (lifecycle, fired) => ({
        async start(withinMs) {
          fired();
          return await lifecycle.start(withinMs, { emptyFolder: true });
        },
      })),
    },
  },
  mayBeLost: [
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
  ],
});

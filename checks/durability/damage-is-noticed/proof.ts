import { damagedOthers, from, inOthers, neverStartOthers } from "../../../src/faults/others.ts";
import { changeColumn, changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { lineOf } from "../evidence.ts";
import { damageIsNoticed } from "./index.ts";

type Part = "all" | "segment" | "manifest" | "stray" | "hot" | "none";
const [count, page] = ["the number of rows", "rows 1 to 25"];
const linesOf = (rows: readonly string[] | null) => [lineOf(count, rows && [String(rows.length)]), lineOf(page, rows)];
const [two, one] = [["1 | a", "2 | b"], ["1 | a"]];
const looked = { hurt: linesOf(two), sound: linesOf(["7 | z"]), write: null as string | null };
const round = (part: Part, change: object = {}) => ({
  damage: `a damaged ${part}`,
  part,
  file: `storage/hurt/batch-1.parquet`,
  notStarted: null as { why: string; ended: boolean; words: string } | null,
  looked: looked as typeof looked | null,
  ...change,
});
/** The rows are nowhere else. */
const whole = round("all", {
  looked: { ...looked, hurt: linesOf(null).map((line) => ({ ...line, why: "batch-1.parquet not found" })) },
});
const seen = (...rounds: readonly ReturnType<typeof round>[]) => ({
  before: looked,
  control: round("none"),
  rounds: [whole, round("segment"), round("manifest"), ...rounds],
  untried: [] as readonly string[],
});
const sound = seen(round("hot"), round("stray"));
const refused = (why: string) => ({ ...looked, hurt: linesOf(null).map((line) => ({ ...line, why })) });
const notStarted = (words: string, ended = true) => ({
  looked: null,
  notStarted: { why: "it ended with exit code 1", ended, words },
});
/** Started after the first one and the one on the undamaged copy. */
const onDamaged = from(3);

export default proveCheck(damageIsNoticed, {
  holds: [
    sound,
    seen(),
    { ...sound, untried: ["a manifest deleted"] },
    seen(round("segment", { looked: refused("Parquet error: EOF") })),
    seen(round("segment", { looked: refused("cannot read batch-1.parquet") })),
    seen(round("hot", notStarted("Corruption: block checksum mismatch in 000012.sst"))),
    // A store that all tables share.
    seen(
      round("hot", {
        looked: { ...looked, sound: linesOf(null).map((line) => ({ ...line, why: "checksum mismatch" })) },
      }),
    ),
  ],
  cannotTell: [
    { ...sound, before: refused("timeout") },
    { ...sound, control: round("none", notStarted("")) },
    { ...sound, control: round("none", { looked: null }) },
    { ...sound, control: round("none", { looked: { ...looked, hurt: linesOf(one) } }) },
    { ...sound, control: round("none", { looked: refused("timeout") }) },
    { ...sound, control: round("none", { looked: { ...looked, write: "an insert: timeout" } }) },
    { ...sound, rounds: [round("segment")], untried: ["a manifest deleted"] },
    { ...sound, rounds: [round("manifest")] },
    { ...sound, rounds: sound.rounds.slice(1) },
    { ...sound, rounds: [round("all"), ...sound.rounds.slice(1)] },
    seen(round("segment", notStarted("", false))),
  ],
  breaks: {
    silentLoss: {
      seen: seen(round("segment", { looked: { ...looked, hurt: linesOf(one) } })),
      // A bit may be flipped within a value.
      also: ["silentChange"],
      fault: damagedOthers(
        "hideDamage",
        onDamaged,
        changeRows("hidesDamage", /^SELECT id, n, .* FROM kr_damage\.hurt WHERE id > 0 /, (rows) => rows.slice(1)),
      ),
    },
    silentChange: {
      seen: seen(round("segment", { looked: { ...looked, hurt: linesOf(["1 | a", "2 | c"]) } })),
      fault: inOthers(
        onDamaged,
        changeColumn(
          "believesAFlippedBit",
          /^SELECT id, n, .* FROM kr_damage\.hurt WHERE id > 50 /,
          "mark",
          () => "other",
        ),
      ),
      also: ["hotDamageHidden"],
    },
    hotDamageHidden: {
      seen: seen(round("hot", { looked: { ...looked, hurt: linesOf(one) } })),
      fault: damagedOthers(
        "ignoreChecksums",
        onDamaged,
        changeColumn("losesTheMark", /^SELECT id, n, .* FROM kr_damage\.hurt WHERE id > 50 /, "mark", () => "other"),
      ),
    },
    spread: {
      seen: seen(round("segment", { looked: { ...looked, sound: linesOf(null) } })),
      fault: inOthers(
        onDamaged,
        refuseIt("failsForAllTables", /FROM kr_damage\.sound/, { message: "Execution error" }),
      ),
    },
    unclearError: {
      seen: seen(round("segment", notStarted("thread 'main' panicked: called `Option::unwrap()` on a `None` value"))),
      fault: neverStartOthers("panicsOnDamage", onDamaged, "thread 'main' panicked: explicit panic"),
    },
  },
  mayBeLost: [{ what: /^SELECT/, because: "it is asked again until it is answered, or only a control" }],
});

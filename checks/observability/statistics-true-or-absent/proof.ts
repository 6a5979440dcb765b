import { changeColumn } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { statisticsTrueOrAbsent } from "./index.ts";

const figure = (name: string, told: string | null, wanted = "10") => ({
  figure: name,
  told,
  wanted,
  unread: null as string | null,
  exchange: 1,
});
const figures = [
  figure("SHOW STATS: logical_rows before a flush", "10"),
  figure("SHOW STATS: logical_rows after a flush", "10"),
  figure("system.namespaces: table_count", "2", "2"),
  figure("a subscription's total_rows", "10"),
];
const sound = { counted: "10" as string | null, figures, unanswered: null as string | null };
const first = (change: object) => figures.map((one, at) => (at === 0 ? { ...one, ...change } : one));

export default proveCheck(statisticsTrueOrAbsent, {
  holds: [sound, { ...sound, figures: first({ told: null }) }],
  cannotTell: [
    { ...sound, counted: null },
    { ...sound, unanswered: "the connection was reset" },
    { ...sound, counted: "9", figures: first({ told: "9" }) },
    { ...sound, figures: first({ told: null, unread: "no answer within 15000 ms" }) },
    { ...sound, figures: figures.map((one) => ({ ...one, told: null })) },
    { ...sound, figures: [] },
  ],
  breaks: {
    wrongFigure: {
      seen: { ...sound, figures: first({ told: "0" }) },
      fault: changeColumn("reportNoRows", /^SHOW STATS/, "logical_rows", () => "0"),
    },
  },
  mayBeLost: [
    {
      what: /system\.(manifest|jobs)/,
      because: "then the number of segments is not compared, and the sentence names what was",
    },
  ],
});

/** SQL files for kalam -f, and the rows that each must leave. */

type Kind = "control" | "whole" | "stops" | "transaction";

/** A file with its own range of ids. `rows`: the ids and texts that must exist afterwards. */
interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly script: (t: string) => string;
  readonly from: number;
  readonly rows: readonly (readonly [id: number, v: string])[];
}

export const cases: readonly Case[] = [
  {
    name: "plain statements",
    kind: "control",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (101, 'a');\nINSERT INTO ${t} (id, v) VALUES (102, 'b');\n`,
    from: 100,
    rows: [
      [101, "a"],
      [102, "b"],
    ],
  },
  {
    name: "a semicolon in a text",
    kind: "whole",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (201, 'a;b');\nINSERT INTO ${t} (id, v) VALUES (202, ';');\n`,
    from: 200,
    rows: [
      [201, "a;b"],
      [202, ";"],
    ],
  },
  {
    name: "a quote and a semicolon in a text",
    kind: "whole",
    script: (t) => `INSERT INTO ${t} (id, v) VALUES (301, 'it''s; done');\n`,
    from: 300,
    rows: [[301, "it's; done"]],
  },
  {
    name: "a semicolon in a comment",
    kind: "whole",
    script: (t) =>
      `INSERT INTO ${t} (id, v) VALUES (401, 'a'); -- first; then\nINSERT INTO ${t} (id, v) VALUES (402, 'b');\n`,
    from: 400,
    rows: [
      [401, "a"],
      [402, "b"],
    ],
  },
  {
    name: "a semicolon in a long comment",
    kind: "whole",
    script: (t) => `/* one; two;\n three */\nINSERT INTO ${t} (id, v) VALUES (501, 'a');\n`,
    from: 500,
    rows: [[501, "a"]],
  },
  {
    name: "line ends of Windows, several lines a statement",
    kind: "whole",
    script: (t) =>
      `INSERT INTO ${t}\r\n  (id, v)\r\nVALUES\r\n  (601, 'a');\r\n\r\nINSERT INTO ${t} (id, v) VALUES (602, 'b')\r\n`,
    from: 600,
    rows: [
      [601, "a"],
      [602, "b"],
    ],
  },
  {
    name: "an error in the middle",
    kind: "stops",
    script: (t) =>
      `INSERT INTO ${t} (id, v) VALUES (701, 'a');\nINSERT INTO ${t} (id, v) VALUES (701, 'again');\nINSERT INTO ${t} (id, v) VALUES (702, 'b');\n`,
    from: 700,
    rows: [[701, "a"]],
  },
  {
    name: "BEGIN … COMMIT",
    kind: "transaction",
    script: (t) =>
      `BEGIN;\nINSERT INTO ${t} (id, v) VALUES (801, 'a');\nINSERT INTO ${t} (id, v) VALUES (802, 'b');\nCOMMIT;\n`,
    from: 800,
    rows: [
      [801, "a"],
      [802, "b"],
    ],
  },
];

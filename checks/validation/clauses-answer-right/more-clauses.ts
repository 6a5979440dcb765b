/** More small exact queries: times, texts beyond ASCII, NULLs in joins and subqueries, long lists. `{v}` is the table of `values`. */
import { clause, list, ordered, type Clause } from "./clause.ts";

export const valuesColumns = "id BIGINT PRIMARY KEY, t TEXT, at TIMESTAMP, day DATE, price DECIMAL(12, 2), k INT";
export const values = {
  flushed: [
    "(1, 'é', '2026-01-02 03:04:05', '2026-01-02', 0.10, -7)",
    "(3, '50x', '2026-01-02 03:04:05.000001', '2025-12-31', 0.20, 7)",
    "(5, '50%', '1969-12-31 23:59:59', '1969-12-31', 12345678.90, 2147483647)",
  ],
  hot: [
    "(2, 'a_b', '2026-01-01 23:30:00', '2026-01-01', 0.30, 2147483647)",
    "(4, '\u{1F600}', NULL, NULL, NULL, NULL)",
    "(6, ' naïve ', '2026-03-29 01:30:00', '2026-03-29', -0.05, 0)",
  ],
};
export const valuesLeft = [
  ["1", "-7"],
  ["2", "2147483647"],
  ["3", "7"],
  ["4", null],
  ["5", "2147483647"],
  ["6", "0"],
];

/** Past what a server is likely to compare one by one; only the last is there. */
const longList = [...Array.from({ length: 200 }, (_, at) => 1_000 + at), 8].join(", ");

/** At light effort every other one is asked: those that are asked for alone come first. */
const pairs: readonly (readonly [Clause, Clause])[] = [
  [
    clause(
      "TIMESTAMPs from and until",
      "SELECT id FROM {v} WHERE at >= '2026-01-01 23:00:00' AND at < '2026-01-02 03:05:00'",
      list("1", "2", "3"),
    ),
    clause("a TIMESTAMP =", "SELECT id FROM {v} WHERE at = '2026-01-02 03:04:05'", list("1")),
  ],
  [
    clause(
      "ORDER BY a TIMESTAMP",
      "SELECT id FROM {v} WHERE at IS NOT NULL ORDER BY at",
      list("5", "2", "1", "3", "6"),
      ordered,
    ),
    clause(
      "BETWEEN of TIMESTAMPs",
      "SELECT id FROM {v} WHERE at BETWEEN '2026-01-01 23:30:00' AND '2026-01-02 03:04:05'",
      list("1", "2"),
    ),
  ],
  [
    clause("a DATE", "SELECT id FROM {v} WHERE day < '2026-01-01'", list("3", "5")),
    clause("the latest TIMESTAMP", "SELECT id FROM {v} WHERE at = (SELECT MAX(at) FROM {v})", list("6")),
  ],
  [
    clause("SUM beyond INT", "SELECT SUM(k) AS s FROM {v}", list("4294967294")),
    clause("SUM of DECIMAL", "SELECT SUM(price) AS s FROM {v}", list("12345679.45")),
  ],
  [
    clause("LIKE of one character beyond ASCII", "SELECT id FROM {v} WHERE t LIKE '_'", list("1", "4")),
    clause("a DATE and a TIMESTAMP", "SELECT id FROM {v} WHERE day = '2026-01-02' AND at <> '2026-01-02 03:04:05'", []),
  ],
  [
    clause("LIKE with an escape", String.raw`SELECT id FROM {v} WHERE t LIKE '50\%'`, list("5")),
    clause(
      "an INTERVAL",
      "SELECT id FROM {v} WHERE at > CAST('2026-01-02 03:04:05' AS TIMESTAMP) - INTERVAL '1 day' AND id < 5",
      list("1", "2", "3"),
    ),
  ],
  [
    clause("CHAR_LENGTH beyond ASCII", "SELECT id, CHAR_LENGTH(t) AS c FROM {v} WHERE id IN (1, 4, 6)", [
      ["1", "1"],
      ["4", "1"],
      ["6", "7"],
    ]),
    clause("SUBSTR and REPLACE", "SELECT SUBSTR(t, 4, 2) AS s, REPLACE(t, 'v', 'w') AS r FROM {v} WHERE id = 6", [
      ["ïv", " naïwe "],
    ]),
  ],
  [
    clause("division below 0", "SELECT k / 2 AS d, k % 4 AS m FROM {v} WHERE id = 1", [["-3", "-3"]]),
    clause("FLOOR, CEIL and ABS", "SELECT FLOOR(d) AS f, CEIL(d) AS c, ABS(d) AS a FROM {p} WHERE id IN (2, 5)", [
      ["2.0", "3.0", "2.25"],
      ["-4.0", "-4.0", "4.0"],
    ]),
  ],
  [
    clause("WHERE with GROUP BY", "SELECT city, COUNT(*) AS c FROM {p} WHERE n > 5 GROUP BY city", [
      ["oslo", "2"],
      ["rome", "2"],
    ]),
    clause("HAVING of a count", "SELECT city FROM {p} GROUP BY city HAVING COUNT(n) < 2", list(null)),
  ],
  [
    clause(
      "GROUP BY two columns",
      "SELECT city, ok, COUNT(*) AS c FROM {p} WHERE id <> 2 AND city IS NOT NULL GROUP BY city, ok",
      [
        ["oslo", "true", "1"],
        ["rome", "true", "1"],
        ["rome", "false", "1"],
        ["bern", "true", "1"],
        ["bern", "false", "1"],
      ],
    ),
    clause(
      "ORDER BY an aggregate",
      "SELECT city, SUM(n) AS s FROM {p} WHERE city IS NOT NULL GROUP BY city ORDER BY SUM(n) DESC",
      [
        ["rome", "50"],
        ["oslo", "30"],
        ["bern", "-7"],
      ],
      ordered,
    ),
  ],
  [
    // NULLs are equal to nothing, not even to each other.
    clause("JOIN of columns with NULLs", "SELECT COUNT(*) AS c FROM {p} a JOIN {p} b ON a.city = b.city", list("12")),
    clause(
      "LEFT JOIN with a condition beside the key",
      "SELECT o.id, p.name FROM {o} o LEFT JOIN {p} p ON p.id = o.who AND p.n > 10",
      [
        ["1", null],
        ["2", null],
        ["3", "bob"],
        ["4", null],
        ["5", null],
      ],
    ),
  ],
  [
    clause("NOT IN a subquery with a NULL", "SELECT id FROM {p} WHERE id NOT IN (SELECT who FROM {o})", []),
    clause(
      "NOT EXISTS",
      "SELECT p.id FROM {p} p WHERE NOT EXISTS (SELECT 1 FROM {o} o WHERE o.who = p.id)",
      list("3", "4", "5", "6", "7", "8"),
    ),
  ],
  [
    clause("CASE without ELSE", "SELECT id, CASE WHEN n > 10 THEN 'x' END AS t FROM {p} WHERE id IN (1, 2, 4)", [
      ["1", null],
      ["2", "x"],
      ["4", null],
    ]),
    clause(
      "CASE of a value",
      "SELECT id, CASE city WHEN 'oslo' THEN 1 WHEN 'rome' THEN 2 ELSE 0 END AS c FROM {p} WHERE id IN (1, 3, 4)",
      [
        ["1", "1"],
        ["3", "2"],
        ["4", "0"],
      ],
    ),
  ],
  [
    clause(
      "eleven parameters",
      "SELECT id FROM {p} WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      list("3", "5"),
      {
        params: [101, 102, 103, 104, 105, 106, 107, 108, 109, 3, 5],
      },
    ),
    clause("IN of 201 values", `SELECT id FROM {p} WHERE id IN (${longList})`, list("8")),
  ],
  [
    // The row had it when it was flushed.
    clause("the old value of an updated row", "SELECT id FROM {p} WHERE city = 'paris'", []),
    clause("BETWEEN from above to below", "SELECT id FROM {p} WHERE n BETWEEN 20 AND 5", []),
  ],
  [
    clause("RANK of equal values", "SELECT id, RANK() OVER (ORDER BY n DESC) AS r FROM {p} WHERE id IN (1, 2, 3, 5)", [
      ["1", "4"],
      ["2", "2"],
      ["3", "1"],
      ["5", "2"],
    ]),
    clause("SUM of a partition", "SELECT id, SUM(n) OVER (PARTITION BY city) AS s FROM {p} WHERE id IN (1, 2, 3, 6)", [
      ["1", "30"],
      ["2", "30"],
      ["3", "30"],
      ["6", "0"],
    ]),
  ],
  [
    clause(
      "UNION ALL with ORDER BY and LIMIT",
      "SELECT id FROM {p} WHERE id > 6 UNION ALL SELECT id FROM {o} WHERE id < 3 ORDER BY id LIMIT 3",
      list("1", "2", "7"),
      ordered,
    ),
    clause(
      "DISTINCT with ORDER BY and LIMIT",
      "SELECT DISTINCT n FROM {p} WHERE n IS NOT NULL ORDER BY n DESC LIMIT 2",
      list("30", "20"),
      ordered,
    ),
  ],
];

export const moreClauses: readonly Clause[] = pairs.flat();

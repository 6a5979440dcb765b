/** Small exact queries, one for each clause of SQL that programs rely on. `{p}` and `{o}` are the tables of `rows`. */
import { clause, list, ordered, type Clause } from "./clause.ts";

export const peopleColumns = "id BIGINT PRIMARY KEY, name TEXT, city TEXT, n INT, d DOUBLE, ok BOOLEAN, big BIGINT";
export const ordersColumns = "id BIGINT PRIMARY KEY, who BIGINT, item TEXT, cost INT";

/** Every other row is flushed; the first statements after that bring the rows to what the clauses expect. */
export const people = {
  flushed: [
    "(1, 'ann', 'oslo', 10, 1.5, TRUE, 9007199254740993)",
    "(3, 'cid', 'rome', 30, NULL, TRUE, NULL)",
    "(5, 'eve', 'paris', 99, -4.0, FALSE, 0)",
    "(7, 'gus_', 'bern', -7, 3.75, FALSE, 1)",
    "(90, 'gone', 'oslo', 1000, 1000, TRUE, 1000)",
  ],
  hot: [
    "(2, 'bob', 'oslo', 20, 2.25, FALSE, 9007199254740992)",
    "(4, 'dan', NULL, NULL, 0.5, NULL, -5)",
    "(6, 'Fay', 'bern', 0, 10.0, TRUE, 7)",
    "(8, 'h%l', NULL, 5, NULL, NULL, 2)",
    "(91, 'gone too', 'rome', 1000, 1000, TRUE, 1000)",
  ],
};
export const changes: readonly string[] = [
  "UPDATE {p} SET city = 'rome', n = 20 WHERE id = 5",
  "DELETE FROM {p} WHERE id = 90",
  "DELETE FROM {p} WHERE id = 91",
];
export const orders = {
  flushed: ["(1, 1, 'pen', 3)", "(2, 1, 'ink', 12)", "(3, 2, 'pen', 3)"],
  hot: ["(4, 9, 'cap', 8)", "(5, NULL, 'map', 5)"],
};

/** Key, city and number, and key and item, of the rows that are left then. */
export const peopleLeft = [
  ["1", "oslo", "10"],
  ["2", "oslo", "20"],
  ["3", "rome", "30"],
  ["4", null, null],
  ["5", "rome", "20"],
  ["6", "bern", "0"],
  ["7", "bern", "-7"],
  ["8", null, "5"],
];
export const ordersLeft = [
  ["1", "pen"],
  ["2", "ink"],
  ["3", "pen"],
  ["4", "cap"],
  ["5", "map"],
];

export const clauses: readonly Clause[] = [
  clause("WHERE =", "SELECT id FROM {p} WHERE city = 'rome'", list("3", "5")),
  clause("WHERE <>", "SELECT id FROM {p} WHERE city <> 'rome'", list("1", "2", "6", "7")),
  clause("WHERE <", "SELECT id FROM {p} WHERE n < 10", list("6", "7", "8")),
  clause("WHERE <=", "SELECT id FROM {p} WHERE n <= 10", list("1", "6", "7", "8")),
  clause("WHERE >", "SELECT id FROM {p} WHERE d > 2.25", list("6", "7")),
  clause("WHERE >=", "SELECT id FROM {p} WHERE d >= 2.25", list("2", "6", "7")),
  clause("WHERE AND", "SELECT id FROM {p} WHERE city = 'oslo' AND n > 10", list("2")),
  clause("WHERE OR", "SELECT id FROM {p} WHERE city = 'rome' OR n = 0", list("3", "5", "6")),
  clause("AND before OR", "SELECT id FROM {p} WHERE n = 0 OR n = 20 AND city = 'oslo'", list("2", "6")),
  clause("WHERE NOT", "SELECT id FROM {p} WHERE NOT (n = 20)", list("1", "3", "6", "7", "8")),
  clause("a BOOLEAN column", "SELECT id FROM {p} WHERE ok", list("1", "3", "6")),
  clause("IS NULL", "SELECT id FROM {p} WHERE city IS NULL", list("4", "8")),
  clause("IS NULL beside 0", "SELECT id FROM {p} WHERE n IS NULL", list("4")),
  clause("IS NOT NULL", "SELECT id FROM {p} WHERE d IS NOT NULL", list("1", "2", "4", "5", "6", "7")),
  clause("= NULL", "SELECT id FROM {p} WHERE city = NULL", []),
  clause("IS NOT TRUE", "SELECT id FROM {p} WHERE ok IS NOT TRUE", list("2", "4", "5", "7", "8")),
  clause("IS DISTINCT FROM", "SELECT id FROM {p} WHERE n IS DISTINCT FROM 20", list("1", "3", "4", "6", "7", "8")),
  clause("IN", "SELECT id FROM {p} WHERE n IN (0, 5, 30)", list("3", "6", "8")),
  clause("NOT IN", "SELECT id FROM {p} WHERE n NOT IN (0, 5, 30)", list("1", "2", "5", "7")),
  clause("NOT IN with a NULL", "SELECT id FROM {p} WHERE n NOT IN (0, NULL)", []),
  clause("IN a subquery", "SELECT id FROM {p} WHERE id IN (SELECT who FROM {o})", list("1", "2")),
  clause("BETWEEN", "SELECT id FROM {p} WHERE n BETWEEN 5 AND 20", list("1", "2", "5", "8")),
  clause("NOT BETWEEN", "SELECT id FROM {p} WHERE n NOT BETWEEN 5 AND 20", list("3", "6", "7")),
  clause("BETWEEN of texts", "SELECT id FROM {p} WHERE name BETWEEN 'b' AND 'd'", list("2", "3")),
  clause("LIKE at the start", "SELECT id FROM {p} WHERE name LIKE 'g%'", list("7")),
  clause("LIKE at the end", "SELECT id FROM {p} WHERE name LIKE '%n'", list("1", "4")),
  clause("LIKE of one character", "SELECT id FROM {p} WHERE name LIKE '_o_'", list("2")),
  clause("LIKE and case", "SELECT id FROM {p} WHERE name LIKE 'f%'", []),
  clause("NOT LIKE", "SELECT id FROM {p} WHERE name NOT LIKE '%a%'", list("2", "3", "5", "7", "8")),
  clause("EXISTS", "SELECT p.id FROM {p} p WHERE EXISTS (SELECT 1 FROM {o} o WHERE o.who = p.id)", list("1", "2")),
  clause("a large integer", "SELECT id FROM {p} WHERE big = 9007199254740993", list("1")),
  clause("a large integer read", "SELECT big FROM {p} WHERE id = 2", list("9007199254740992")),
  clause("a parameter of text", "SELECT id FROM {p} WHERE name = $1", list("8"), { params: ["h%l"] }),
  clause("parameters out of order", "SELECT id FROM {p} WHERE n > $2 AND n < $1", list("1", "2", "5"), {
    params: [30, 5],
  }),
  clause(
    "ORDER BY a number",
    "SELECT n FROM {p} WHERE n IS NOT NULL ORDER BY n",
    list("-7", "0", "5", "10", "20", "20", "30"),
    ordered,
  ),
  clause(
    "ORDER BY DESC",
    "SELECT n, id FROM {p} WHERE n > 9 ORDER BY n DESC, id",
    [
      ["30", "3"],
      ["20", "2"],
      ["20", "5"],
      ["10", "1"],
    ],
    ordered,
  ),
  clause(
    "ORDER BY a text",
    "SELECT name FROM {p} WHERE id IN (1, 2, 5, 3) ORDER BY name DESC",
    list("eve", "cid", "bob", "ann"),
    ordered,
  ),
  clause(
    "ORDER BY two columns",
    "SELECT city, n FROM {p} WHERE city IS NOT NULL ORDER BY city, n DESC",
    [
      ["bern", "0"],
      ["bern", "-7"],
      ["oslo", "20"],
      ["oslo", "10"],
      ["rome", "30"],
      ["rome", "20"],
    ],
    ordered,
  ),
  clause(
    "NULLS FIRST",
    "SELECT n FROM {p} WHERE id <= 5 ORDER BY n NULLS FIRST",
    list(null, "10", "20", "20", "30"),
    ordered,
  ),
  clause(
    "NULLS LAST",
    "SELECT n FROM {p} WHERE id <= 5 ORDER BY n DESC NULLS LAST",
    list("30", "20", "20", "10", null),
    ordered,
  ),
  clause(
    "ORDER BY an expression",
    "SELECT 0 - n AS m FROM {p} WHERE id <= 3 ORDER BY 0 - n",
    list("-30", "-20", "-10"),
    ordered,
  ),
  clause(
    "ORDER BY with LIMIT",
    "SELECT id, n FROM {p} WHERE n > 0 ORDER BY n DESC, id LIMIT 3",
    [
      ["3", "30"],
      ["2", "20"],
      ["5", "20"],
    ],
    ordered,
  ),
  clause(
    "ORDER BY a column not selected",
    "SELECT id FROM {p} WHERE n > 0 ORDER BY n DESC, id",
    list("3", "2", "5", "1", "8"),
    ordered,
  ),
  clause(
    "ORDER BY the key DESC with LIMIT",
    "SELECT id FROM {p} ORDER BY id DESC LIMIT 3",
    list("8", "7", "6"),
    ordered,
  ),
  clause("LIMIT", "SELECT id FROM {p} ORDER BY id LIMIT 3", list("1", "2", "3"), ordered),
  clause("OFFSET", "SELECT id FROM {p} ORDER BY id LIMIT 3 OFFSET 4", list("5", "6", "7"), ordered),
  clause("OFFSET beyond the end", "SELECT id FROM {p} ORDER BY id LIMIT 3 OFFSET 8", []),
  clause("LIMIT 0", "SELECT id FROM {p} LIMIT 0", []),
  clause("DISTINCT", "SELECT DISTINCT city FROM {p}", list("oslo", "rome", "bern", null)),
  clause("DISTINCT of two columns", "SELECT DISTINCT city, ok FROM {p} WHERE city IS NOT NULL AND id < 6", [
    ["oslo", "true"],
    ["oslo", "false"],
    ["rome", "true"],
    ["rome", "false"],
  ]),
  clause("COUNT(*)", "SELECT COUNT(*) AS c FROM {p}", list("8")),
  clause("COUNT of a column", "SELECT COUNT(city) AS c FROM {p}", list("6")),
  clause("COUNT(DISTINCT)", "SELECT COUNT(DISTINCT city) AS c FROM {p}", list("3")),
  clause("SUM", "SELECT SUM(n) AS s FROM {p}", list("78")),
  clause("SUM of large integers", "SELECT SUM(big) AS s FROM {p} WHERE id <= 2", list("18014398509481985")),
  clause("AVG", "SELECT AVG(d) AS a FROM {p} WHERE id <> 6", list("0.8")),
  clause("MIN and MAX", "SELECT MIN(n) AS lo, MAX(n) AS hi FROM {p}", [["-7", "30"]]),
  clause("MIN and MAX of a text", "SELECT MIN(city) AS lo, MAX(city) AS hi FROM {p}", [["bern", "rome"]]),
  clause("aggregates of no rows", "SELECT COUNT(*) AS c, SUM(n) AS s, MAX(n) AS m FROM {p} WHERE id > 99", [
    ["0", null, null],
  ]),
  clause("GROUP BY", "SELECT city, COUNT(*) AS c, SUM(n) AS s FROM {p} GROUP BY city", [
    ["oslo", "2", "30"],
    ["rome", "2", "50"],
    ["bern", "2", "-7"],
    [null, "2", "5"],
  ]),
  clause("HAVING", "SELECT city FROM {p} GROUP BY city HAVING SUM(n) > 5", list("oslo", "rome")),
  clause("JOIN", "SELECT p.name, o.item FROM {p} p JOIN {o} o ON o.who = p.id", [
    ["ann", "pen"],
    ["ann", "ink"],
    ["bob", "pen"],
  ]),
  clause("LEFT JOIN", "SELECT o.item, p.name FROM {o} o LEFT JOIN {p} p ON p.id = o.who WHERE o.id > 2", [
    ["pen", "bob"],
    ["cap", null],
    ["map", null],
  ]),
  clause("RIGHT JOIN", "SELECT p.name, o.id FROM {o} o RIGHT JOIN {p} p ON p.id = o.who WHERE p.id BETWEEN 2 AND 3", [
    ["bob", "3"],
    ["cid", null],
  ]),
  clause("FULL JOIN", "SELECT COUNT(*) AS c FROM {o} o FULL JOIN {p} p ON p.id = o.who", list("11")),
  clause("CROSS JOIN", "SELECT COUNT(*) AS c FROM {p} CROSS JOIN {o}", list("40")),
  clause("self-join", "SELECT a.id, b.id AS other FROM {p} a JOIN {p} b ON a.n = b.n AND a.id < b.id", [["2", "5"]]),
  clause(
    "UNION",
    "SELECT who FROM {o} WHERE who IS NOT NULL UNION SELECT id FROM {p} WHERE id < 3",
    list("1", "2", "9"),
  ),
  clause(
    "UNION ALL",
    "SELECT item FROM {o} WHERE id = 1 UNION ALL SELECT item FROM {o} WHERE id = 3",
    list("pen", "pen"),
  ),
  clause("INTERSECT", "SELECT id FROM {p} INTERSECT SELECT who FROM {o}", list("1", "2")),
  clause("EXCEPT", "SELECT id FROM {p} WHERE id < 5 EXCEPT SELECT who FROM {o}", list("3", "4")),
  clause(
    "CASE",
    "SELECT id, CASE WHEN n >= 20 THEN 'much' WHEN n >= 0 THEN 'some' ELSE 'none' END AS t FROM {p} WHERE id IN (2, 4, 6, 7)",
    [
      ["2", "much"],
      ["4", "none"],
      ["6", "some"],
      ["7", "none"],
    ],
  ),
  clause(
    "COALESCE and NULLIF",
    "SELECT COALESCE(city, 'nowhere') AS c, NULLIF(n, 5) AS n FROM {p} WHERE id IN (1, 8)",
    [
      ["oslo", "10"],
      ["nowhere", null],
    ],
  ),
  clause("arithmetic", "SELECT n + 1 AS a, n - 1 AS b, n * 2 AS c, n / 4 AS d, n % 4 AS e FROM {p} WHERE id = 1", [
    ["11", "9", "20", "2", "2"],
  ]),
  clause("arithmetic with NULL", "SELECT n + 1 AS a FROM {p} WHERE id = 4", list(null)),
  clause(
    "text functions",
    "SELECT UPPER(name) AS u, LOWER('ÀB') AS l, CHAR_LENGTH(city) AS c, name || '!' AS x FROM {p} WHERE id = 1",
    [["ANN", "àb", "4", "ann!"]],
  ),
  clause("CAST", "SELECT CAST(n AS TEXT) AS t, CAST('12' AS INT) AS i FROM {p} WHERE id = 7", [["-7", "12"]]),
  clause("subquery as a value", "SELECT id FROM {p} WHERE n = (SELECT MAX(n) FROM {p})", list("3")),
  clause(
    "subquery in FROM",
    "SELECT x.c FROM (SELECT city AS c FROM {p} WHERE ok) x WHERE x.c <> 'oslo'",
    list("rome", "bern"),
  ),
  clause("WITH", "WITH x AS (SELECT n FROM {p} WHERE n > 10) SELECT SUM(n) AS s FROM x", list("70")),
  clause("a column alias", "SELECT n AS points FROM {p} WHERE id = 1 ORDER BY points", list("10")),
  clause("row numbers", "SELECT id, ROW_NUMBER() OVER (ORDER BY n DESC, id) AS r FROM {p} WHERE id <= 3", [
    ["1", "3"],
    ["2", "2"],
    ["3", "1"],
  ]),
  clause("no FROM", "SELECT 1 + 1 AS two", list("2")),
];

/** Statements on a table of their own, and what each leaves in it. `{t}` is the table. */
export const defaultsColumns = "id BIGINT PRIMARY KEY, v TEXT DEFAULT 'none', n INT DEFAULT 7";
export const filling: readonly string[] = [
  "INSERT INTO {t} (id) VALUES (1)",
  "INSERT INTO {t} (id, v) VALUES (2, NULL)",
  "INSERT INTO {t} (id, n) VALUES (3, 0), (4, 1)",
  "INSERT INTO {t} (id, v) VALUES (5, 'a'); INSERT INTO {t} (id, v) VALUES (6, 'b')",
  "ALTER TABLE {t} ADD COLUMN extra TEXT",
  "INSERT INTO {t} (id, v, n, extra) VALUES (7, 'x', 8, 'y')",
  "UPDATE {t} SET extra = 'later' WHERE id = 6",
  "UPDATE {t} SET n = CASE WHEN id = 5 THEN 50 ELSE n END, v = v || '!' WHERE id IN (5, 6)",
];
export const filled: readonly Clause[] = [
  clause("DEFAULT", "SELECT v, n FROM {t} WHERE id = 1", [["none", "7"]]),
  clause("NULL instead of DEFAULT", "SELECT v, n FROM {t} WHERE id = 2", [[null, "7"]]),
  clause("DEFAULT in several rows", "SELECT id, v, n FROM {t} WHERE id IN (3, 4)", [
    ["3", "none", "0"],
    ["4", "none", "1"],
  ]),
  clause("a batch of INSERTs, and UPDATE with CASE", "SELECT v, n FROM {t} WHERE id IN (5, 6)", [
    ["a!", "50"],
    ["b!", "7"],
  ]),
  clause("ADD COLUMN", "SELECT id, extra FROM {t} WHERE id IN (1, 6, 7)", [
    ["1", null],
    ["6", "later"],
    ["7", "y"],
  ]),
];

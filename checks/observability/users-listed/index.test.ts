import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judged, nothing, yes } from "../../vocabulary/evidence.ts";
import { usersListed } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof usersListed.judge>[0];
type Look = Seen["before"];
type Listed = NonNullable<Look["rows"]>[number];

const roles = ["user", "service", "dba"];
const found = (seen: Seen): string[] => {
  const verdict = usersListed.judge(seen, {});
  return verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
};
const login = (kind: "in" | "refused" | "unsure") => ({ kind, status: 200, outcome: kind, exchange: 1 });

/** A correct server, with other accounts among the rows, in any order. */
const legal = fc
  .record({
    firstLogin: fc.option(fc.integer({ min: 1, max: 1e9 })),
    later: fc.integer({ min: 1, max: 1e6 }),
    failed: fc.nat(3),
    others: fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { maxLength: 3 }),
    turn: fc.nat(5),
  })
  .map(({ firstLogin, later, failed, others, turn }): Seen => {
    const accounts = roles.map((role) => ({ user: `kr_a1b2c_${role}_1`, role }));
    const row = ({ user, role }: { user: string; role: string }, change: Partial<Listed> = {}): Listed => ({
      user,
      role,
      kind: "password",
      lastLogin: null,
      failed: "0",
      ...change,
    });
    const look = (change: Partial<Listed>): Look => {
      const rows = [
        ...accounts.map((one, at) => row(one, at === 0 ? change : {})),
        ...others.map((user) => row({ user, role: "user" })),
      ];
      const at = turn % rows.length;
      return { said: yes(), rows: [...rows.slice(at), ...rows.slice(0, at)] };
    };
    const before = firstLogin === null ? null : String(firstLogin);
    const after = String((firstLogin ?? 0) + later);
    return {
      accounts,
      before: look({ lastLogin: before, failed: String(failed) }),
      entered: login("in"),
      afterLogin: look({ lastLogin: after, failed: String(failed) }),
      wrong: [login("refused"), login("refused")],
      afterWrong: look({ lastLogin: after, failed: String(failed + 2) }),
    };
  });

/** Changes the row of one account in one look; null removes it. */
function changed(look: Look, user: string, change: Partial<Listed> | null): Look {
  const rows = look.rows ?? [];
  return {
    ...look,
    rows:
      change === null
        ? rows.filter((one) => one.user !== user)
        : rows.map((one) => (one.user === user ? { ...one, ...change } : one)),
  };
}

test("a correct server passes", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(found(seen)).toEqual(["pass"]);
    }),
  );
});

test("an account that is missing, listed twice, or has another role or kind is reported", () => {
  const wrongs = fc.constantFrom("missing", "twice", "role", "kind");
  fc.assert(
    fc.property(legal, fc.nat(2), wrongs, (seen, at, what) => {
      const account = seen.accounts[at] ?? { user: "", role: "" };
      const { user, role } = account;
      const { before } = seen;
      const twin = before.rows?.find((one) => one.user === user);
      const other = role === "dba" ? "user" : "dba";
      const expected = {
        missing: [changed(before, user, null), `missing ${role}`],
        twice: [
          { ...before, rows: [...(before.rows ?? []), ...(twin === undefined ? [] : [twin])] },
          "wrong number of rows",
        ],
        role: [changed(before, user, { role: other }), "wrong role"],
        kind: [changed(before, user, { kind: "oauth" }), "wrong kind"],
      } as const;
      const [look, name] = expected[what];
      expect(found({ ...seen, before: look })).toEqual([name]);
    }),
  );
});

test("a frozen last login and a frozen or wrong count of failures are reported", () => {
  fc.assert(
    fc.property(legal, fc.integer({ min: -2, max: 5 }), (seen, more) => {
      const user = seen.accounts[0]?.user ?? "";
      const was = seen.before.rows?.find((one) => one.user === user);
      const still = changed(seen.afterLogin, user, { lastLogin: was?.lastLogin ?? null });
      expect(found({ ...seen, afterLogin: still })).toEqual(["frozen last login"]);
      const count = String(Math.max(0, Number(was?.failed ?? 0) + more));
      const rise = Number(count) - Number(was?.failed ?? 0);
      const wanted = rise === 2 ? "pass" : rise > 0 ? "wrong failed logins" : "frozen failed logins";
      expect(found({ ...seen, afterWrong: changed(seen.afterWrong, user, { failed: count }) })).toEqual([wanted]);
    }),
  );
});

test("a view or a login that was not answered is no finding", () => {
  const unread = { said: nothing(), rows: null };
  const lacks = fc.constantFrom<Partial<Seen>>(
    { before: unread },
    { afterLogin: unread },
    { afterWrong: unread },
    { entered: login("unsure") },
    { wrong: [login("refused"), login("unsure")] },
    { wrong: [] },
  );
  fc.assert(
    fc.property(legal, lacks, (seen, lack) => {
      expect(found({ ...seen, ...lack })).toEqual(["unknown"]);
    }),
  );
});

const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(usersListed, { ...written, ...change });

test("a last login that stays empty is frozen, with what was told before and after", () => {
  const rows = (lastLogin: string | null) => (written.before.rows ?? []).map((one) => ({ ...one, lastLogin }));
  const look = (lastLogin: string | null): Look => ({ ...written.before, rows: rows(lastLogin) });
  expect(judge({ before: look("1000"), afterLogin: look("1000"), afterWrong: { ...written.afterWrong } })).toEqual([
    expect.stringMatching(/^frozen: last login: .*"before":"1000","after":"1000"/),
  ]);
  expect(judge({ before: look(null), afterLogin: look(null) })).toEqual([
    expect.stringMatching(/^frozen: last login: .*"before":"empty","after":"empty"/),
  ]);
});

test("a count that rises too far is wrong, with what was expected", () => {
  const afterWrong = {
    ...written.afterWrong,
    rows: (written.afterWrong.rows ?? []).map((one) => ({ ...one, failed: "5" })),
  };
  expect(judge({ afterWrong })).toEqual([expect.stringMatching(/^wrong: failed logins: .*"told":"5","wanted":"2"/)]);
});

test("a login that failed, a wrong password that was not refused and one look too few decide nothing", () => {
  expect(judge({ entered: login("refused"), afterLogin: written.before })).toEqual([
    "unknown: the login with the right password failed: refused",
  ]);
  const [first = login("refused")] = written.wrong;
  expect(judge({ wrong: [first, login("in")], afterWrong: written.afterLogin })).toEqual([
    "unknown: a wrong password was not refused: in",
  ]);
  expect(judge({ wrong: [first], afterWrong: written.afterLogin })).toEqual([
    "unknown: system.users shows no last login or no count of failed logins",
  ]);
  for (const look of ["afterLogin", "afterWrong"] as const)
    expect(judge({ [look]: { said: nothing(), rows: null } })).toEqual([
      "unknown: system.users could not be read again: no answer within 15000 ms",
    ]);
});

test("a view without the last login decides nothing", () => {
  const without = (look: Look): Look => ({
    ...look,
    rows: (look.rows ?? []).map(({ user, role, kind, failed = null }) => ({ user, role, kind, failed })),
  });
  expect(judge({ before: without(written.before) })).toEqual([
    expect.stringMatching(/^unknown: system.users shows no/),
  ]);
});

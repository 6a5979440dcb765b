import { expect, test } from "vitest";
import { failed, killed, notRestarted, slowToStart, stopped } from "./evidence.ts";
import { restartText, restartTimes, whyNoneRestarted, whyNotRestarted, type Identity } from "./restart.ts";

const none: Identity = { process: null, pid: null, uptimeSeconds: null };
const between = (before: Partial<Identity>, after: Partial<Identity>): string | undefined =>
  whyNotRestarted({ ...stopped, before: { ...none, ...before }, after: { ...none, ...after } });

test("another process shows a restart, and where nobody knows it, another process id of the server or an uptime that went down", () => {
  expect(between({ process: "process 1" }, { process: "process 2" })).toBeUndefined();
  expect(between({ pid: "11" }, { pid: "12" })).toBeUndefined();
  expect(between({ pid: "1", uptimeSeconds: 9 }, { pid: "1", uptimeSeconds: 0 })).toBeUndefined();
});

test("the same process, an uptime that went on, and no figures at all show none", () => {
  expect(between({ process: "process 1", uptimeSeconds: 9 }, { process: "process 1", uptimeSeconds: 0 })).toMatch(
    /^nothing shows/,
  );
  expect(between({ pid: "1", uptimeSeconds: 3 }, { pid: "1", uptimeSeconds: 3 })).toMatch(/^nothing shows/);
  expect(between({}, {})).toMatch(/^nothing shows that the server was restarted: it was stopped and started/);
  expect(between({ process: "process 1" }, {})).toMatch(/^nothing shows/);
});

test("a start that failed, and one after which nothing was answered, are told apart", () => {
  expect(whyNotRestarted(failed)).toMatch(/did not start again after it was killed: it ended with exit code 1/);
  expect(whyNotRestarted(slowToStart)).toMatch(/health was not answered within 60000 ms$/);
  expect(whyNotRestarted({ ...killed, answeredMs: null })).toBe("no query was answered within 30 s after the start");
  expect(whyNoneRestarted([stopped, notRestarted])).toMatch(/^nothing shows/);
  expect(whyNoneRestarted([stopped, killed])).toBeUndefined();
});

test("a time line is that of the slowest restart, with what was done before and after it", () => {
  const times = restartTimes([stopped, { ...killed, answeredMs: 900 }], { wroteMs: 110.4, readMs: 30 });
  expect(times.map(({ what, ms }) => `${what} ${ms}`)).toEqual([
    "writes 110",
    "kill 80",
    "health 300",
    "SQL 420",
    "first answer 900",
    "all there 30",
  ]);
  expect(restartTimes([failed])).toEqual([{ what: "kill", ms: 80 }]);
  expect(restartTimes([])).toEqual([]);
});

test("a pass says how the server was ended, how soon it answered, and that this is no power loss", () => {
  expect(restartText([killed])).toBe(
    "killed (SIGKILL to its process group), answering again after 440 ms; this is the end of a process, not a power loss",
  );
  expect(restartText([stopped, { ...killed, answeredMs: 900 }])).toBe(
    "2 times stopped (SIGTERM to its process group) and killed (SIGKILL to its process group), answering again after 440 to 900 ms; this is the end of a process, not a power loss",
  );
});

test.each([
  ["a process id that only one of both tells", { pid: null }, { pid: "12" }],
  ["a process id that is not told afterwards", { pid: "11" }, { pid: null }],
  ["an uptime that is told only before", { pid: "1", uptimeSeconds: 9 }, { pid: "1" }],
  ["an uptime that is told only afterwards", { pid: "1" }, { pid: "1", uptimeSeconds: 0 }],
  ["another process afterwards only", {}, { process: "process 2" }],
])("%s shows no restart", (_, before, after) => {
  expect(between(before, after)).toMatch(/^nothing shows/);
});

test("each of several restarts must be one", () => {
  expect(whyNoneRestarted([notRestarted, killed])).toMatch(/^nothing shows/);
  expect(whyNoneRestarted([failed, notRestarted])).toMatch(/^the server did not start again/);
  expect(whyNoneRestarted([])).toBeUndefined();
});

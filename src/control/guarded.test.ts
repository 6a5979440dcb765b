import { expect, test } from "vitest";
import { ControlError, type Lifecycle, type Started } from "../wire/control.ts";
import { guarded } from "./guarded.ts";

const ready: Started = { kind: "ready", startedAt: 0, healthyMs: 1, readyMs: 2 };

/** A server that does as it is told, and notes it. */
function controlled(change: Partial<Lifecycle> = {}): { lifecycle: Lifecycle; log: string[] } {
  const log: string[] = [];
  const lifecycle = guarded({
    how: { kill: "kill it", stop: "stop it" },
    processId: () => Promise.resolve("1"),
    kill: () => Promise.resolve(void log.push("kill")),
    stop: () => Promise.resolve((log.push("stop"), { stopped: true, exitCode: 0, tookMs: 1 })),
    start: (_, changes) => Promise.resolve((log.push(changes === undefined ? "start" : "start otherwise"), ready)),
    ...change,
  });
  return { lifecycle, log };
}

test("a server to which nothing was done, or that was started again, is left alone", async () => {
  const { lifecycle, log } = controlled();
  expect(await lifecycle.revive()).toBeUndefined();
  await lifecycle.kill();
  await lifecycle.start(1);
  expect(await lifecycle.revive()).toBeUndefined();
  expect(log).toEqual(["kill", "start"]);
});

test.for<[string, (lifecycle: Lifecycle) => Promise<unknown>, string[]]>([
  ["killed", async ({ kill }) => await kill(), ["kill", "start"]],
  ["stopped", async ({ stop }) => await stop({ withinMs: 1 }), ["stop", "start"]],
  [
    "started otherwise",
    async ({ start }) => await start(1, { emptyFolder: true }),
    ["start otherwise", "kill", "start"],
  ],
])("one that was %s is started as it was", async ([, act, expected]) => {
  const { lifecycle, log } = controlled();
  await act(lifecycle);
  expect(await lifecycle.revive()).toBeUndefined();
  expect(log).toEqual(expected);
});

test("one that did not end or did not come up is killed first", async () => {
  const stuck = controlled({ stop: () => Promise.resolve({ stopped: false, exitCode: null, tookMs: 1 }) });
  await stuck.lifecycle.stop({ withinMs: 1 });
  expect(await stuck.lifecycle.revive()).toBeUndefined();
  expect(stuck.log).toEqual(["kill", "start"]);
  const bad = controlled({
    start: () => Promise.resolve({ kind: "notReady", why: "it ended", ended: true, lastWords: "no disk" }),
  });
  await bad.lifecycle.kill();
  await bad.lifecycle.start(1);
  expect(await bad.lifecycle.revive()).toBe("it ended: no disk");
  expect(bad.log).toEqual(["kill", "kill"]);
});

test("a command that fails may have worked all the same: the server is started, and the failure told", async () => {
  const { lifecycle, log } = controlled({ kill: () => Promise.reject(new ControlError("exit code 1")) });
  await expect(lifecycle.kill()).rejects.toThrow("exit code 1");
  expect(await lifecycle.revive()).toBeUndefined();
  expect(log).toEqual(["start"]);
  const without = controlled({ start: () => Promise.reject(new ControlError("not found")) });
  await without.lifecycle.kill();
  expect(await without.lifecycle.revive()).toBe("not found");
});

test("what was not even tried leaves it as it was", async () => {
  const { lifecycle, log } = controlled({
    stop: () => Promise.reject(new ControlError("there is no stop", { untried: true })),
  });
  await expect(lifecycle.stop({ withinMs: 1 })).rejects.toThrow("there is no stop");
  expect(lifecycle.isLeft()).toBe(false);
  expect(await lifecycle.revive()).toBeUndefined();
  expect(log).toEqual([]);
});

test("a kill that fails does not keep it from being started", async () => {
  const { lifecycle, log } = controlled({
    kill: () => Promise.reject(new ControlError("no right to")),
    stop: () => Promise.reject(new ControlError("exit code 1")),
  });
  await expect(lifecycle.stop({ withinMs: 1 })).rejects.toThrow("exit code 1");
  expect(lifecycle.isLeft()).toBe(true);
  expect(await lifecycle.revive()).toBeUndefined();
  expect(log).toEqual(["start"]);
});

test("what an abandoned check still does is done before the server is revived", async () => {
  let kill = (): void => undefined;
  const { lifecycle, log } = controlled({
    kill: async () =>
      await new Promise((resolve) => {
        kill = () => resolve(void log.push("killed at last"));
      }),
  });
  const killing = lifecycle.kill();
  const reviving = lifecycle.revive();
  await new Promise((resolve) => setImmediate(resolve));
  kill();
  await Promise.all([killing, reviving]);
  expect(log).toEqual(["killed at last", "start"]);
});

/** Control of a server in a container, by the docker command. */
import { sleep } from "../session/pacing.ts";
import { ControlError, type Lifecycle, type Started } from "../wire/control.ts";
import type { Wire } from "../wire/wire.ts";
import { runCommand, stopsAnswering } from "./command.ts";
import { waitUntilReady } from "./readiness.ts";

const goneWithinMs = 10_000;
const pollEveryMs = 100;

/** What docker says of the container. */
interface Container {
  readonly pid: string;
  readonly startedAt: string;
  readonly isRunning: boolean;
  readonly exitCode: number;
  /** `no`, `always`, `unless-stopped`, `on-failure`. */
  readonly policy: string;
}

const format =
  "{{.State.Pid}} {{.State.StartedAt}} {{.State.Running}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}";

async function inspect(name: string): Promise<Container> {
  const said = await runCommand(["docker", "inspect", "--type", "container", "--format", format, name]);
  const [pid, startedAt, running, exitCode, policy = "no"] = said.trim().split(" ");
  if (pid === undefined || startedAt === undefined || running === undefined)
    throw new ControlError(`docker inspect ${name}: expected the state of a container, got ${JSON.stringify(said)}`);
  return {
    pid,
    startedAt,
    isRunning: running === "true",
    exitCode: Number(exitCode),
    policy: policy === "" ? "no" : policy,
  };
}

/** Throws ControlError, also for a container that is not running: it cannot be the server under check. */
export async function dockerLifecycle(
  name: string,
  exchange: Wire["exchange"],
): Promise<Omit<Lifecycle, "revive" | "isLeft">> {
  const { isRunning, policy } = await inspect(name);
  if (!isRunning) throw new ControlError(`the container ${name} is not running, so it is not the server under check`);
  const untilEnded = async (withinMs: number): Promise<Container> => {
    const until = performance.now() + withinMs;
    for (;;) {
      const container = await inspect(name);
      if (!container.isRunning || performance.now() > until) return container;
      await sleep(pollEveryMs);
    }
  };
  return {
    how: { kill: `docker kill ${name}${reactsTo(policy)}`, stop: `docker kill --signal SIGTERM ${name}` },
    async processId() {
      const { pid, startedAt } = await inspect(name);
      return `process ${pid} of the container, started ${startedAt}`;
    },
    async kill() {
      // It fails for a container that has ended already.
      if ((await inspect(name)).isRunning) await runCommand(["docker", "kill", name]);
      await untilEnded(goneWithinMs);
      if (!(await stopsAnswering(exchange, goneWithinMs)))
        throw new ControlError(
          `the server still answers after docker kill ${name}: that container is not the server under check`,
        );
    },
    async stop({ signal = "SIGTERM", withinMs }) {
      const askedAt = performance.now();
      await runCommand(["docker", "kill", "--signal", signal, name]);
      const { isRunning: goesOn, exitCode } = await untilEnded(withinMs);
      const tookMs = Math.round(performance.now() - askedAt);
      return { stopped: !goesOn, exitCode: goesOn ? null : exitCode, tookMs };
    },
    async start(withinMs): Promise<Started> {
      const startedAt = performance.now();
      await runCommand(["docker", "start", name], withinMs);
      const started = await waitUntilReady({ exchange, startedAt, withinMs, isOver: () => undefined });
      if (started.kind === "ready") return started;
      const { isRunning: runs, exitCode } = await inspect(name);
      return runs ? started : { ...started, why: `it ended with exit code ${exitCode}`, ended: true };
    },
    pausing: {
      async pause() {
        await runCommand(["docker", "pause", name]);
      },
      async resume() {
        await runCommand(["docker", "unpause", name]);
      },
    },
  };
}

/** Which end of the process makes docker restart it by itself. */
function reactsTo(policy: string): string {
  if (policy === "no") return "";
  return `; its restart policy ${policy} reacts to a crash of the process and not to docker kill`;
}

/** Faults in how a server's process behaves. */
import type { Control, Lifecycle, TrialOutcome, TrialSettings } from "../wire/control.ts";
import type { Fault } from "../proof.ts";
import type { Wire } from "../wire/wire.ts";

/** Intercepts servers started on trial. Anything but undefined from `meddle` replaces the outcome and counts as fired. */
export function trialFault(
  name: string,
  meddle: (
    settings: TrialSettings,
    trial: (settings: TrialSettings) => Promise<TrialOutcome>,
  ) => Promise<TrialOutcome> | undefined,
): Fault {
  return controlFault(name, (control, fired) => {
    const { own } = control;
    if (own === undefined) return control;
    return {
      ...control,
      own: {
        ...own,
        async trial(settings, withinMs) {
          const meddled = meddle(settings, async (instead) => await own.trial(instead, withinMs));
          if (meddled === undefined) return await own.trial(settings, withinMs);
          fired();
          return await meddled;
        },
      },
    };
  });
}

/** Changes what the control of the server's process tells or does. */
export function controlFault(name: string, change: (control: Control, fired: () => void) => Control): Fault {
  return {
    name,
    wrap: (wire, fired) => (wire.control === undefined ? wire : { ...wire, control: change(wire.control, fired) }),
  };
}

/** Changes how the server is stopped and started. */
export function lifecycleFault(
  name: string,
  change: (lifecycle: Lifecycle, fired: () => void) => Partial<Lifecycle>,
): Fault {
  return controlFault(name, (control, fired) => {
    const { lifecycle } = control;
    if (lifecycle === undefined) return control;
    return { ...control, lifecycle: { ...lifecycle, ...change(lifecycle, fired) } };
  });
}

/** A fault that begins once the server was started again: what it came back with. */
export function afterStart(fault: Fault): Fault {
  return {
    name: fault.name,
    wrap(wire, fired) {
      const { lifecycle } = wire.control ?? {};
      if (wire.control === undefined || lifecycle === undefined) return wire;
      const faulty = fault.wrap(wire, fired);
      let isStarted = false;
      return {
        ...wire,
        exchange: async (request) => await (isStarted ? faulty : wire).exchange(request),
        control: {
          ...wire.control,
          lifecycle: {
            ...lifecycle,
            async start(...how) {
              const started = await lifecycle.start(...how);
              isStarted = true;
              return started;
            },
          },
        },
      };
    },
  };
}

/** Calls `fired`, each time that the result is called, as often as the sandbox has said since that a switch of its own took effect. */
export function countingFired(stderr: () => string, fired: () => void): () => void {
  let noted = 0;
  return () => {
    const all = [...stderr().matchAll(/^sandbox fault \w+ fired/gm)].length;
    // Another process says it anew.
    if (all < noted) noted = 0;
    for (; noted < all; noted += 1) fired();
  };
}

/**
 * Starts the sandbox with one of its own switches on (`loseOnKill=3`), which damages what it has saved. Fires as often as the
 * sandbox says that it did. Any other server gets the fault `elsewhere`, which only shows what such a server would.
 */
export function damaged(onSandbox: string, elsewhere: Fault): Fault {
  const switched = (wire: Wire, fired: () => void): Wire => {
    const { own, lifecycle } = wire.control ?? {};
    if (wire.control === undefined || own === undefined || lifecycle === undefined) return wire;
    const note = countingFired(() => own.stderr(), fired);
    /** Some take effect only when the server is asked something, or asked to end. */
    const noting = async <T>(act: Promise<T>): Promise<T> => {
      const done = await act;
      note();
      return done;
    };
    return {
      ...wire,
      exchange: async (request) => await noting(wire.exchange(request)),
      control: {
        ...wire.control,
        lifecycle: {
          ...lifecycle,
          stop: async (options) => await noting(lifecycle.stop(options)),
          async start(withinMs) {
            const environment = { KALAM_SANDBOX_FAULTS: onSandbox };
            return await noting(lifecycle.start(withinMs, { environment }));
          },
        },
      },
    };
  };
  return {
    name: onSandbox,
    wrap: (wire, fired) => (isSandbox(wire) ? switched(wire, fired) : elsewhere.wrap(wire, fired)),
  };
}

function isSandbox({ control }: Wire): boolean {
  return control?.own?.stderr().includes("kalam-sandbox is a sandbox") === true;
}

/** A kill and a start that do nothing: the server goes on as if nothing had happened. */
export const restartNothing: Fault = lifecycleFault("restartNothing", (_, fired) => ({
  kill: async () => await Promise.resolve(fired()),
  stop: async () => {
    fired();
    return await Promise.resolve({ stopped: true, exitCode: 0, tookMs: 1 });
  },
  start: async () => {
    fired();
    return await Promise.resolve({ kind: "ready", startedAt: performance.now(), healthyMs: 1, readyMs: 2 });
  },
}));

/** The server ends by itself whenever it is started again. */
export const neverStartAgain: Fault = lifecycleFault("neverStartAgain", (_, fired) => ({
  start: async () => {
    fired();
    const lastWords = "error: the write-ahead log is damaged";
    return await Promise.resolve({ kind: "notReady", why: "it ended with exit code 1", ended: true, lastWords });
  },
}));

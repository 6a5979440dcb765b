/** How a server that somebody else runs may be stopped and started. */
import type { Commands } from "../control/command.ts";
import type { ServerChoice } from "./server.ts";
import { description, settings } from "./settings.ts";
import { list, object, value, type Shape } from "./shape.ts";
import type { Sources } from "./sources.ts";
import { readValue, UsageError } from "./usage.ts";
import { nonEmpty } from "./values.ts";

export type ControlChoice =
  | { readonly kind: "docker"; readonly container: string }
  | { readonly kind: "command"; readonly commands: Commands };

type Words = readonly string[];

function words(about: string): Shape<Words> {
  return list(about, value("The program, or an argument.", nonEmpty));
}

const container = value(description(settings.container), settings.container.kind);

/** The key `control` of a profile. */
export const controlShape = object(
  "How this server may be stopped and started, for the checks that do; by docker or by command.",
  {
    docker: object("By the docker command.", { container }, ["container"]),
    command: object(
      "By commands of this machine: lists of a program and its arguments, which no shell reads.",
      {
        kill: words("Ends the server at once, as kill -9 does."),
        stop: words("Asks the server to end, as SIGTERM does."),
        start: words("Starts it again on the same data."),
      },
      ["kill", "start"],
      (read, wrong) => {
        for (const key of ["kill", "stop", "start"] as const)
          if (read[key]?.length === 0)
            wrong(key, "emptyCommand", "expected a program and its arguments, got an empty list");
      },
    ),
  },
  [],
  (read, wrong) => {
    if (read.docker !== undefined && read.command !== undefined)
      wrong("command", "controlTwice", "docker and command cannot both be given: one of them stops the server");
  },
);

/** Throws UsageError. */
export function chooseControl(from: Sources, server: ServerChoice): ControlChoice | undefined {
  const { flags, document } = from;
  if (flags.container !== undefined && server.serverBin !== undefined) {
    throw new UsageError(
      "containerAndServerBin",
      "--container and --server-bin cannot be combined: kalam-ready stops and starts the server that it has started itself",
    );
  }
  if (flags.container !== undefined) {
    const named = readValue("--container", flags.container, settings.container.kind);
    return from.note("control", "flag --container", { kind: "docker", container: named });
  }
  const written = choiceOf(document.control);
  // It is about the profile's server: another one is under check, and that one must not be stopped for it.
  const isOthers = document.server !== undefined && from.origins["server"] !== from.line("server");
  if (written === undefined || server.serverBin !== undefined || isOthers)
    return from.note("control", "default", undefined);
  return from.note("control", from.line("control"), written);
}

function choiceOf(written: Sources["document"]["control"]): ControlChoice | undefined {
  const { docker, command } = written ?? {};
  if (docker?.container !== undefined) return { kind: "docker", container: docker.container };
  const [kill, stop, start] = [command?.kill, command?.stop, command?.start];
  if (!isCommand(kill) || !isCommand(start)) return undefined;
  return { kind: "command", commands: { kill, start, ...(isCommand(stop) ? { stop } : {}) } };
}

function isCommand(given: Words | undefined): given is readonly [string, ...string[]] {
  return given !== undefined && given.length > 0;
}

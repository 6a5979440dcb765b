/** The command line: the only file that knows commander. Each action is a lazy import, so that `--help` loads nothing else. */
import { Command, CommanderError, Option } from "commander";
import { lastWords, leaveDeadTerminal, surviveBrokenStreams } from "./commands/output.ts";
import { hasCrashed } from "./commands/signals.ts";
import type { ProveFlags } from "./commands/prove.ts";
import { exits, type ExitName } from "./exit.ts";
import { packageVersion } from "./package.ts";
import {
  helpText,
  outputSettings,
  runSettings,
  serverSettings,
  settings,
  type Flags,
  type Setting,
} from "./profile/settings.ts";
import { UsageError } from "./profile/usage.ts";
import { UserError } from "./user-error.ts";

export { internalError } from "./commands/signals.ts";

const selectorForms =
  "a check's id or name, a category, a test of the production plan (VAL-01), touches:load, or a glob";

/** Sets the process's exit code; never throws. */
export async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  surviveBrokenStreams();
  let exit: ExitName = "internal";
  try {
    exit = await parse(argv, environment);
  } catch (error) {
    exit = failed(error, argv.includes(settings.debug.flag));
  }
  process.exitCode = exits[hasCrashed() ? "internal" : exit].code;
  // Last of all: what else happens at exit is registered by now.
  process.on("exit", leaveDeadTerminal);
}

async function parse(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<ExitName> {
  let exit: ExitName = "ready";
  /** An action of a command: loads its file only when it is called. */
  const act =
    <Words extends unknown[]>(action: (...words: Words) => Promise<ExitName>) =>
    async (...words: Words): Promise<void> => {
      exit = await action(...words);
    };

  const program = new Command("kalam-ready")
    .description(
      "Checks from outside, over the interfaces of real clients, whether a KalamDB server is ready for production.",
    )
    .version(packageVersion, "-V, --version", "print the version")
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", moreHelp);

  /** With its flags if it is named: hundreds would take a fifth of the start. */
  const declare = (of: Command, name: string, description: string, names: readonly (keyof Flags)[] = []): Command => {
    const all: readonly (keyof Flags)[] = [...names, ...outputSettings];
    // Of other commands the help says only that they have flags, so one of them is enough.
    return flags(of.command(name).description(description), argv.includes(name) ? all : all.slice(-1));
  };
  const command = declare.bind(undefined, program);

  command("check", "run the checks against a server; the exit code is the verdict", [
    ...serverSettings,
    ...runSettings,
    "seed",
    "keep",
  ])
    .addHelpText("after", moreHelp)
    .action(
      act(async (given: Flags) => {
        const { withPendingReports } = await import("./commands/pending-reports.ts");
        return await withPendingReports(
          given,
          environment,
          async (pending) => await (await import("./commands/check.ts")).check(given, environment, pending),
        );
      }),
    );

  command("plan", "print what check would do with the same flags; sends nothing", [
    ...serverSettings,
    ...runSettings,
  ]).action(act(async (given: Flags) => await (await import("./commands/plan.ts")).plan(given, environment)));

  command("list", "list the checks: id, level, what they touch and need, the tests of the production plan they cover")
    .argument("[selectors...]", selectorForms)
    .option("--json", "as JSON")
    .action(
      act(
        async (selectors: string[], given: Flags) =>
          await (await import("./commands/list.ts")).list(selectors, given, environment),
      ),
    );

  command("explain", "explain a check: what it sends, what it does not show, findings, limits, risk, remedy")
    .argument("<selector>", selectorForms)
    .option("--json", "as JSON, described by schemas/explain.schema.json")
    .action(
      act(
        async (selector: string, given: Flags) =>
          await (await import("./commands/explain.ts")).explain(selector, given, environment),
      ),
    );

  command("prove", "prove that each check finds its faults, on a given server or on the sandbox", [
    ...serverSettings,
    "kalamBin",
    "allow",
    "effort",
  ])
    .argument("[selectors...]", `${selectorForms}; with --gallery: names of faults`)
    .option(
      "--gallery",
      "run the checks against each fault of the gallery: the run must be NOT READY, with a finding that fits",
    )
    .option("--quick", "with --gallery: run only the checks that should find the fault")
    .option("--json", "as JSON")
    .option("--trouble", "also prove that no check fails because answers are lost; takes minutes a check")
    .action(
      act(
        async (selectors: string[], given: ProveFlags) =>
          await (await import("./commands/prove.ts")).prove(selectors, given, environment),
      ),
    );

  command("cleanup", "find and remove what earlier runs left", serverSettings)
    .option("--dry-run", "only list it")
    .option("--run <id>", "what this run left, whatever its age")
    .option("--older-than <duration>", "the minimum age of objects that no ledger lists", "1h")
    .action(act(async (given: Flags) => await (await import("./commands/cleanup.ts")).cleanup(given, environment)));

  const profile = program.command("profile").description("write, check and show profiles");
  const profileCommand = declare.bind(undefined, profile);
  const profileArgument = settings.profile.about;
  profileCommand("init", "write a commented profile")
    .argument("[file]", "the file to write; - prints it", "kalam-ready.yaml")
    .action(
      act(
        async (file: string, given: Flags) =>
          await (await import("./commands/profile.ts")).profileInit(file, given, environment),
      ),
    );
  profileCommand("lint", "check a profile for errors")
    .argument("[file]", profileArgument)
    .action(
      act(
        async (file: string | undefined, given: Flags) =>
          await (await import("./commands/profile.ts")).profileLint(file, given, environment),
      ),
    );
  profileCommand("show", "print the effective profile and the origin of each value", [
    ...serverSettings,
    ...runSettings,
  ])
    .argument("[file]", profileArgument)
    .action(
      act(
        async (file: string | undefined, given: Flags) =>
          await (await import("./commands/profile.ts")).profileShow(file, given, environment),
      ),
    );
  profileCommand("schema", "print the JSON Schema of profiles, for editors").action(
    act(async (given: Flags) => await (await import("./commands/profile.ts")).profileSchemaCommand(given, environment)),
  );

  command("demo", "start the sandbox, check it, then break it in one way to show a failure").action(
    act(async (given: Flags) => await (await import("./commands/demo.ts")).demo(given, environment)),
  );
  command("sandbox", "run the sandbox in the foreground, for trying profiles and pipelines")
    .option("--port <n>", "the port; 0 for a free one (default: 0)")
    .option(
      "--dialect <version>",
      "the version of KalamDB that it speaks: 0.4.3, or 0.8 as documented (default: 0.4.3)",
    )
    .action(act(async (given: Flags) => await (await import("./commands/sandbox.ts")).sandbox(given, environment)));
  program
    .command("version")
    .description("print the version")
    .option("--json", "as JSON, with the version of Node.js")
    .action(({ json = false }: { json?: boolean }) => {
      const all = { name: "kalam-ready", version: packageVersion, node: process.version };
      process.stdout.write(json ? `${JSON.stringify(all, undefined, 2)}\n` : `${packageVersion}\n`);
    });

  if (argv.length === 0) {
    // An empty variable in a pipeline must not be green.
    process.stderr.write(program.helpInformation());
    return "usage";
  }
  refuseRepeats(program);
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    await unparsed(error, argv, program);
    throw error;
  }
  return exit;
}

/** A mistyped flag, or a mistyped `check`, does not leave the green report of an earlier run in place either. */
async function unparsed(error: unknown, argv: readonly string[], program: Command): Promise<void> {
  // The help or the version was asked for, and is to be shown at once: nothing more is loaded.
  if (error instanceof CommanderError && error.exitCode === 0) return;
  const word = argv.find((one) => !one.startsWith("-"));
  const isCheck = word === "check" || !program.commands.some((command) => command.name() === word);
  const { failUnparsed } = await import("./commands/pending-reports.ts");
  if (error instanceof CommanderError) {
    // A value that follows the unknown flag may be a secret.
    const message = error.message.replace(/^error: /, "").replace(/=[^']*'/, "'");
    failUnparsed(argv, "usage", { code: codeOf(error), message }, { isCheck });
  } else if (error instanceof UserError && !isCheck) failUnparsed(argv, error.exit, error, { isCheck });
}

/** Commander's codes are like commander.unknownOption. */
function codeOf({ code }: CommanderError): string {
  return code.replace("commander.", "");
}

/** Gives a command the flags of these settings. */
function flags(command: Command, names: readonly (keyof Flags)[]): Command {
  for (const name of names) {
    const setting: Setting & { readonly flag: string } = settings[name];
    const option = new Option(setting.flag, helpText(setting));
    if (setting.repeats === true)
      option.argParser((word: string, words: readonly string[] | undefined) => [...(words ?? []), word]);
    command.addOption(option);
  }
  return command;
}

/** Of a flag with one value, the last would win: an appended variable of a pipeline would choose another server. */
function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    if (!option.required || option.parseArg !== undefined) continue;
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given) throw new UsageError("givenTwice", `${option.long}: given twice`, { setting: option.long ?? "" });
      given = true;
    });
  }
  for (const one of command.commands) refuseRepeats(one);
}

const examples: readonly (readonly [command: string, effect?: string])[] = [
  ["kalam-ready demo", "on its own server"],
  ["export KALAM_READY_URL=http://127.0.0.1:8080"],
  ["export KALAM_READY_USER=root KALAM_READY_PASSWORD='...'"],
  ["kalam-ready plan", "sends nothing"],
  ["kalam-ready check"],
  ["kalam-ready check --read-only", "touches nothing"],
  ["kalam-ready check --only configuration --only answers-sql", "some checks"],
  ["kalam-ready check --profile gate --report junit=ready.xml", "in a pipeline"],
  ["kalam-ready explain answers-sql"],
  ["kalam-ready cleanup --dry-run", "lists leftovers"],
];

function moreHelp(): string {
  const width = 59;
  const exampleLines = examples.map(([command, effect]) =>
    effect === undefined ? `  ${command}` : `  ${command.padEnd(width)}# ${effect}`,
  );
  const exitLines = Object.values(exits).map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`);
  const { variable, defaultText, about } = settings.state;
  const state = [`  ${about}`, `  ${variable}; default: ${defaultText}`];
  const sections = { Examples: exampleLines, "State folder": state, "Exit codes": exitLines };
  return Object.entries(sections)
    .map(([name, lines]) => `\n${name}:\n${lines.join("\n")}\n`)
    .join("");
}

/** Reports an error. An error of the user has an exit of its own; every other one is a defect of kalam-ready. */
function failed(error: unknown, debug: boolean): ExitName {
  if (error instanceof CommanderError) {
    // Commander has printed the message.
    if (debug && error.exitCode !== 0) process.stderr.write(`kalam-ready: [${codeOf(error)}]\n`);
    return error.exitCode === 0 ? "ready" : "usage";
  }
  if (error instanceof UserError) {
    const message = debug ? error.detail : error.message;
    if (error.exit === "badProfile") lastWords(message, "");
    else lastWords(message);
    return error.exit;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  lastWords(`internal error, please report it: ${trace}`);
  return "internal";
}

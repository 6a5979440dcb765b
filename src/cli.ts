/** The command line: the only file that knows commander. Each action is a lazy import, so that `--help` loads nothing else. */
import { Command, CommanderError, Option } from "commander";
import { exits, type ExitName } from "./exit.ts";
import { packageVersion } from "./package.ts";

/** Sets the process's exit code; never throws. */
export async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { surviveClosedPipes } = await import("./commands/output.ts");
  surviveClosedPipes();
  let exit: ExitName = "internal";
  try {
    exit = await parse(argv, environment);
  } catch (error) {
    exit = await failed(error);
  }
  process.exitCode = exits[exit].code;
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
      "Is this KalamDB server ready for production? Checks it from outside, over the interfaces real clients use.",
    )
    .version(packageVersion, "-V, --version", "print the version")
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", exitHelp);

  const command = (name: string, description: string): Command =>
    output(program.command(name).description(description));

  run(server(command("check", "run the checks against a server; the exit code is the verdict")))
    .option("--seed <n>", "the same schedule, keys and values again")
    .option("--keep", "leave the scratch namespaces and accounts, and say how to remove them")
    .action(act(async (flags: object) => await (await import("./commands/check.ts")).check(flags, environment)));

  run(server(command("plan", "what check would do with the same flags; sends nothing"))).action(
    act(async (flags: object) => await (await import("./commands/plan.ts")).plan(flags, environment)),
  );

  command("list", "the checks: id, level, what they touch and need, the tests of the production plan they cover")
    .argument("[selectors...]", "only these: id, category, touches:load, glob")
    .option("--json", "as JSON")
    .action(
      act(
        async (selectors: string[], flags: object) =>
          await (await import("./commands/list.ts")).list(selectors, flags, environment),
      ),
    );

  command("explain", "everything about one check")
    .argument("<id>", "the check's id, or its name alone")
    .action(
      act(
        async (id: string, flags: object) =>
          await (await import("./commands/explain.ts")).explain(id, flags, environment),
      ),
    );

  server(command("prove", "each check against its faults: green, red by name, green; on a server, or on the sandbox"))
    .argument("[selectors...]", "only these checks")
    .addOption(kalamOption())
    .option("--allow <touches>", "what may be touched on a server of yours (repeat or comma)", many)
    .option("--effort <size>", "sample sizes: light, standard, deep (KALAM_READY_EFFORT)")
    .option("--json", "as JSON")
    .action(
      act(
        async (selectors: string[], flags: object) =>
          await (await import("./commands/prove.ts")).prove(selectors, flags, environment),
      ),
    );

  server(command("cleanup", "find and remove what a killed run left"))
    .option("--dry-run", "only say what there is")
    .option("--run <id>", "what this run left, whatever its age")
    .option("--older-than <duration>", "what no ledger knows must be at least this old", "1h")
    .action(act(async (flags: object) => await (await import("./commands/cleanup.ts")).cleanup(flags, environment)));

  const profile = program.command("profile").description("write, check and show profiles");
  const profileCommand = (name: string, description: string): Command =>
    output(profile.command(name).description(description));
  profileCommand("init", "write a commented profile")
    .argument("[file]", "where to; - prints it", "kalam-ready.yaml")
    .action(
      act(
        async (file: string, flags: object) =>
          await (await import("./commands/profile.ts")).profileInit(file, flags, environment),
      ),
    );
  profileCommand("lint", "check a profile")
    .argument("[file]", "a file, a shipped one's name, or - for stdin")
    .action(
      act(
        async (file: string | undefined, flags: object) =>
          await (await import("./commands/profile.ts")).profileLint(file, flags, environment),
      ),
    );
  run(server(profileCommand("show", "the effective profile, with the origin of each value")))
    .argument("[file]", "a file, a shipped one's name, or - for stdin")
    .action(
      act(
        async (file: string | undefined, flags: object) =>
          await (await import("./commands/profile.ts")).profileShow(file, flags, environment),
      ),
    );
  profileCommand("schema", "the JSON Schema of profiles, for editors").action(
    act(
      async (flags: object) => await (await import("./commands/profile.ts")).profileSchemaCommand(flags, environment),
    ),
  );

  command("demo", "start the sandbox, check it, then break it in one way and show what red looks like").action(
    act(async (flags: object) => await (await import("./commands/demo.ts")).demo(flags, environment)),
  );
  command("sandbox", "start the sandbox and stay in the foreground, for trying profiles and pipelines")
    .option("--port <n>", "the port; a free one where absent")
    .action(act(async (flags: object) => await (await import("./commands/sandbox.ts")).sandbox(flags, environment)));
  program
    .command("version")
    .description("print the version")
    .action(() => {
      process.stdout.write(`${packageVersion}\n`);
    });

  if (argv.length === 0) {
    // An empty variable in a pipeline must not be green.
    process.stderr.write(program.helpInformation());
    return "usage";
  }
  await program.parseAsync(argv, { from: "user" });
  return exit;
}

const many = (word: string, words: readonly string[] = []): readonly string[] => [...words, word];

/** Which server, and who logs in. */
function server(command: Command): Command {
  return command
    .option("--url <url>", "the server's address (KALAM_READY_URL)")
    .option("-p, --profile <file|name|->", "a profile: a file, a shipped one's name, or stdin (KALAM_READY_PROFILE)")
    .option("--user <name>", "who logs in (KALAM_READY_USER); the password comes from KALAM_READY_PASSWORD")
    .option("--token-file <file>", "a file with an access token, instead of user and password (KALAM_READY_TOKEN)")
    .option("--password-stdin", "read the password from stdin")
    .option("--server-bin <path>", "instead of --url: start this server, check it, stop it (KALAMDB_SERVER_BIN)")
    .option("--server-config <path>", "the settings file for --server-bin")
    .option("--budget <duration>", "time for the whole run, such as 2m (KALAM_READY_BUDGET)")
    .option("--timeout <duration>", "time for one check, such as 30s (KALAM_READY_TIMEOUT)")
    .option("--max-rps <n>", "requests a second, at most (KALAM_READY_MAX_RPS)");
}

/** Which checks, how far, and what to report. */
function run(command: Command): Command {
  return command
    .option("--only <selector>", "only these checks: id, category, touches:load, glob (repeat)", many)
    .option("--skip <selector>", "not these checks (repeat)", many)
    .option("--require <selector>", "these must pass (repeat)", many)
    .option("--allow <touches>", "what may be touched: nothing, scratch, load, process, disk (repeat or comma)", many)
    .option("--read-only", "touch nothing, the same as --allow nothing")
    .option("--effort <size>", "sample sizes: light, standard, deep (KALAM_READY_EFFORT)")
    .option("--parallel <n>", "checks side by side (KALAM_READY_PARALLEL)")
    .addOption(kalamOption())
    .option("--fail-on <level>", "what fails the gate: block, warn (KALAM_READY_FAIL_ON)")
    .option("--report <format[=path]>", "table, json, junit; without a path to stdout (repeat)", many)
    .option("--json", "short for --report json");
}

/** The binary of KalamDB's command line, for the checks that need it. */
function kalamOption(): Option {
  return new Option("--kalam-bin <path>", "the kalam command line, for the checks that need it (KALAM_BIN)");
}

/** What is said to people on stderr, and how. */
function output(command: Command): Command {
  return command
    .option("-q, --quiet", "nothing on stderr but errors")
    .option("-v, --verbose", "more on stderr")
    .option("--debug", "every request on stderr")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
    .option("--ascii", "no signs beyond ASCII")
    .option("--no-progress", "no progress on stderr");
}

function exitHelp(): string {
  const lines = Object.values(exits).map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`);
  return `\nExit codes:\n${lines.join("\n")}\n`;
}

/** What a user can do wrong has an exit of its own; everything else is our defect. */
async function failed(error: unknown): Promise<ExitName> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? "ready" : "usage";
  const known = await Promise.all([
    import("./profile/usage.ts"),
    import("./profile/read.ts"),
    import("./commands/files.ts"),
  ]);
  const [{ UsageError }, { ProfileError }, { CannotWriteError }] = known;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) {
    process.stderr.write(`kalam-ready: ${message}\n`);
    return "usage";
  }
  if (error instanceof ProfileError) {
    process.stderr.write(`${message}\n`);
    return "badProfile";
  }
  if (error instanceof CannotWriteError) {
    process.stderr.write(`kalam-ready: ${message}\n`);
    return "cannotWrite";
  }
  process.stderr.write(
    `kalam-ready: a defect of kalam-ready, please report it: ${error instanceof Error ? (error.stack ?? message) : message}\n`,
  );
  return "internal";
}

import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { cases } from "./cases.ts";
import { optionsHonoured } from "./index.ts";

const newest = Array.from({ length: 20 }, (_, at) => String(20 - at));
const pagesOf = (rows: readonly string[], size: number): string[][] =>
  rows.length === 0 ? [[]] : [rows.slice(0, size), ...(rows.length > size ? pagesOf(rows.slice(size), size) : [])];
const opened = cases.map(({ name, options, newest: wanted, refusal: rejected }) =>
  rejected !== undefined
    ? { case: name, opening: refusal("UNSUPPORTED", "no"), pages: [] as string[][], alive: false }
    : {
        case: name,
        opening: ready(),
        pages: pagesOf(wanted === "all" ? newest : newest.slice(0, wanted), options?.batchSize ?? 1_000),
        alive: true,
      },
);
const sound = { opened, newest };
const having = (name: string, change: object) => ({
  ...sound,
  opened: opened.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

/** Changes the rows of every page but the first. */
function pageFault(name: string, change: (rows: readonly unknown[]) => readonly unknown[]): Fault {
  return frameFault(name, () => (message, { pass, fired }) => {
    const { rows, batch_control: control } = message;
    const later = isRecord(control) && control["batch_num"] !== 0;
    if (message["type"] !== "initial_data_batch" || !later || !Array.isArray(rows)) return pass(message);
    fired();
    pass({ ...message, rows: change(rows) as [] });
  });
}

/** Changes the options of a subscription on its way. */
function optionFault(name: string, option: string, change: (options: Record<string, unknown>) => object): Fault {
  return messageFault(name, (message) => {
    const { subscription } = message;
    const options = isRecord(subscription) ? subscription["options"] : undefined;
    if (!isRecord(subscription) || !isRecord(options) || options[option] === undefined) return undefined;
    return [{ ...message, subscription: { ...subscription, options: change(options) as Record<string, never> } }];
  });
}

export default proveCheck(optionsHonoured, {
  holds: [
    sound,
    having("the last 10 in pages of 4", {
      opening: ready(),
      pages: [newest.slice(0, 4), newest.slice(4, 8), newest.slice(8, 10)],
      alive: true,
    }),
    having("pages of 0", { opening: ready(), pages: [newest], alive: true }),
  ],
  cannotTell: [
    { ...sound, opened: opened.slice(1) },
    { ...sound, newest: newest.slice(1) },
    having("pages of 7", { alive: false }),
    having("pages of 7", { opening: noOpening(), pages: [], alive: false }),
    having("pages of 7", { opening: refusal("UNSUPPORTED", "no"), pages: [], alive: false }),
    having("pages of 0", { opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED"), alive: false }),
  ],
  breaks: {
    wrongWindow: {
      seen: having("the last 3", { pages: [["20", "19", "17"]] }),
      fault: optionFault("giveOneLess", "last_rows", (options) => ({
        ...options,
        last_rows: Number(options["last_rows"]) - 1,
      })),
    },
    lostPage: {
      seen: having("pages of 7", { pages: pagesOf(newest.slice(1), 7) }),
      fault: pageFault("loseARowOfEachLaterPage", (rows) => rows.slice(1)),
    },
    doubledPage: {
      also: ["wrongWindow"],
      seen: having("pages of 7", { pages: [...pagesOf(newest, 7), ["1"]] }),
      fault: pageFault("repeatARowOfEachLaterPage", (rows) => [...rows, ...rows.slice(0, 1)]),
    },
    silentlyIgnored: {
      seen: having("unknown option", { opening: ready(), pages: [newest], alive: true }),
      fault: optionFault("dropUnknownOptions", "last_row", () => ({})),
    },
  },
});

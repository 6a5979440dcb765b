/** Looks for the limit of each part of a request, and tries twice as much. */
import type { Context } from "../../../src/check.ts";
import type { Target } from "../../../src/server/target.ts";
import { lateTimes, type Pace } from "../../vocabulary/pace.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { nextSize } from "./sizes.ts";
import { parts, tryOnce, type Part, type Try } from "./trying.ts";

/** A megabyte over a slow line takes a while. */
const floorMs = 5_000;
const waitMsMax = 30_000;

export type Sized = Try & {
  /** How long a request without an answer was awaited, and how long as much took that was accepted. */
  readonly pace: Pace;
  /** How the connection ended when all was sent at once; null where it did not. The answer is then to a client that pauses. */
  readonly hasty: string | null;
};

export type Limit = {
  readonly part: Part;
  /** In the order in which they were sent. */
  readonly tries: readonly Sized[];
  /** What the server's settings tell; null if they tell nothing. */
  readonly told: number | null;
};

const toldBy: Readonly<Record<Part, string | undefined>> = {
  statement: undefined,
  body: "rate_limit.request_body_limit_bytes",
  parameter: "execution.max_parameter_size_bytes",
};

export async function findLimits(target: Target, context: Context): Promise<{ limits: Limit[]; direct: boolean }> {
  const as = await target.account("user");
  const halvings = context.size({ light: 2, standard: 5, deep: 24 });
  const limits: Limit[] = [];
  for (const part of parts) {
    const tries: Sized[] = [];
    const send = async (bytes: number): Promise<Sized> => {
      const sized = await trySize(target, context, { as, part, bytes, tries });
      tries.push(sized);
      return sized;
    };
    for (let bytes = nextSize(boundsOf(tries), [], halvings); bytes !== undefined;) {
      const { kind } = await send(bytes);
      if (kind !== "accepted" && kind !== "refused") break;
      const tried = tries.map((one) => one.bytes);
      bytes = boundsOf(tries).accepted === 0 ? undefined : nextSize(boundsOf(tries), tried, halvings);
    }
    const { accepted, refused } = boundsOf(tries);
    const twice = 2 * refused;
    const isComplete = accepted > 0 && refused < Infinity && tries.every(({ kind }) => isAnswered(kind));
    // What is accepted above what was refused is looked at again.
    if (isComplete && !tries.some(({ bytes }) => bytes === twice) && (await send(twice)).kind === "accepted") {
      await send(refused);
      await send(twice);
    }
    const setting = Number(target.capabilities.settings[toldBy[part] ?? ""]);
    limits.push({ part, tries, told: Number.isInteger(setting) && setting > 0 ? setting : null });
  }
  return { limits, direct: target.control !== undefined };
}

function isAnswered(kind: Try["kind"]): boolean {
  return kind === "accepted" || kind === "refused";
}

/** The smallest refused size, and the largest accepted one below it. */
export function boundsOf(tries: readonly Pick<Try, "bytes" | "kind">[]): { accepted: number; refused: number } {
  const of = (kind: Try["kind"]): number[] => tries.filter((one) => one.kind === kind).map(({ bytes }) => bytes);
  const refused = Math.min(...of("refused"));
  return { accepted: Math.max(0, ...of("accepted").filter((bytes) => bytes < refused)), refused };
}

/** Sends it, and where the answer is odd once more. */
async function trySize(
  target: Target,
  context: Context,
  one: Pick<Parameters<typeof tryOnce>[2], "as" | "part" | "bytes"> & { readonly tries: readonly Try[] },
): Promise<Sized> {
  const largest = one.tries.findLast(({ kind }) => kind === "accepted");
  const controlMs = largest === undefined ? null : Math.ceil((largest.tookMs * one.bytes) / largest.bytes);
  const withinMs = Math.min(waitMsMax, Math.max(floorMs, lateTimes * (controlMs ?? 0)));
  let wasCut = false;
  const { first, last } = await askedTwice(
    async (look) => {
      // Where the connection broke, the server may have answered before everything was sent.
      const paused = look === 2 && wasCut;
      const tried = await tryOnce(target, context, { ...one, withinMs, paused });
      wasCut = tried.kind === "cut";
      return tried;
    },
    ({ kind, next }) => !isAnswered(kind) || (next !== null && next.kind !== "fine"),
  );
  const pace = { waitedMs: last.kind === "silent" ? withinMs : last.tookMs, controlMs };
  return { ...last, pace, hasty: first.kind === "cut" ? first.text : null };
}

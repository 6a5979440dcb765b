/** Sends one bad subscription, and reads what came of it frame by frame: an accepted one need not behave like a subscription. */
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { cellText, type Frame, type Live, truncated } from "../../../src/server/target.ts";
import { reasonOf, type Reason } from "../../vocabulary/opening.ts";
import type { Case } from "./cases.ts";

export type Tried = {
  readonly case: string;
  readonly sql: string;
  readonly kind: "acknowledged" | "refused" | "unanswered" | "closed";
  readonly code: string;
  readonly message: string;
  readonly reason: Reason | "";
  /** If accepted: keys of the rows that came, in the snapshot and after the write at the end. */
  readonly rows: readonly string[];
  readonly exchange: number;
};

const answerWithinMs = 3_000;

/** The returned function is for the end, when rows have had time to arrive. */
export async function ask(live: Live, one: Case, table: string, id: string): Promise<() => Tried> {
  const from = live.frames.length;
  const sql = one.sql(table);
  const { exchange } = await live.subscribe(sql, one.withoutSnapshot === true ? null : {}, id);
  const answer = await live.untilFrame(
    ({ type }) => type === "error" || type === "subscription_ack",
    answerWithinMs,
    from,
  );
  const outcome = outcomeOf(answer, live);
  return () => ({ case: one.name, sql, ...outcome, rows: rowsAbout(live.frames.slice(from), id), exchange });
}

function outcomeOf(answer: Frame | undefined, live: Live): Pick<Tried, "kind" | "code" | "message" | "reason"> {
  const nothing = { code: "", message: "", reason: "" } as const;
  const close = live.closed();
  if (answer?.type === "subscription_ack") return { kind: "acknowledged", ...nothing };
  if (close !== undefined) return { kind: "closed", ...nothing, message: `${close.code} ${close.reason}`.trim() };
  if (!isRecord(answer?.json)) return { kind: "unanswered", ...nothing };
  const [code, message] = [cellText(answer.json["code"]), cellText(answer.json["message"])];
  return { kind: "refused", code, message: truncated(message, 200), reason: reasonOf(code, message) };
}

/** Keys of the rows in frames about a subscription. */
function rowsAbout(frames: readonly Frame[], id: string): string[] {
  const rows = frames.flatMap(({ json, about }) =>
    about === id && isRecord(json) && Array.isArray(json["rows"]) ? (json["rows"] as readonly Json[]) : [],
  );
  return [...new Set(rows.filter(isRecord).map((row) => cellText(row["id"])))];
}

import { dialect } from "../dialect.ts";
import type { Code } from "./notices.ts";

/** Frames as text: versions are bare numbers that JSON.stringify would round. */

const text = (value: string): string => JSON.stringify(value);

export const authSuccess = (user: string, role: string, compression: string): string =>
  JSON.stringify({ type: "auth_success", user, role, protocol: { serialization: "json", compression } });

export const authError = (message: string): string => JSON.stringify({ type: "auth_error", message });

export const failure = (id: string, code: Code, message: string): string =>
  JSON.stringify({ type: "error", subscription_id: id, code, message });

/** One page of the initial rows. */
export interface Page {
  readonly number: number;
  readonly rows: readonly string[];
  readonly hasMore: boolean;
  /** The highest version on the page. */
  readonly upTo: string | undefined;
  /** JSON of the history that the versions belong to, for a table whose cursors need it. */
  readonly domain: string | undefined;
}

function control({ number, hasMore, upTo, domain }: Page): string {
  const status = hasMore ? (number === 0 ? "loading" : "loading_batch") : "ready";
  if (dialect.cursor === "text") {
    const [history, last] = [
      domain === undefined ? "" : `"version_domain":${domain},`,
      upTo === undefined ? "" : `,"last_seq_id":"${upTo}"`,
    ];
    return `{${history}"batch_num":${number},"has_more":${hasMore},"status":"${status}"${last}}`;
  }
  return `{"batch_num":${number},"has_more":${hasMore},"status":"${status}","last_seq_id":${upTo ?? "null"}}`;
}

export const acknowledgement = (id: string, page: Page, schema: string, totalRows: number): string =>
  `{"type":"subscription_ack","subscription_id":${text(id)},"total_rows":${totalRows},"batch_control":${control(page)},"schema":${schema}}`;

export const batch = (id: string, page: Page): string =>
  `{"type":"initial_data_batch","subscription_id":${text(id)},"rows":[${page.rows.join(",")}],"batch_control":${control(page)}}`;

export const change = (id: string, body: string): string => `{"type":"change","subscription_id":${text(id)},${body}`;

/** Faults in what a consumer of a topic receives. */
import type { Fault } from "../proof.ts";
import { cellText, isRecord, parseExact, writeExact, type Json } from "../wire/json.ts";
import type { RawRequest } from "../wire/wire.ts";

export const consumePath = "/v1/api/topics/consume";
export const ackPath = "/v1/api/topics/ack";

export type Message = { readonly [field: string]: Json };

/** One poll or acknowledgement, as far as faults look at it. */
interface Asked {
  readonly by: string;
  readonly group: string;
  readonly partition: string;
  /** The last offset that is acknowledged; undefined for a poll. */
  readonly upTo: number | undefined;
  /** When it was sent, milliseconds. */
  readonly sentAt: number;
}

/**
 * Changes the messages of polls: `change` gets each poll's messages and returns others, or undefined to leave them. It is
 * also called for acknowledgements, with no messages; what it returns for one is not used.
 */
export function topicFault(
  name: string,
  change: (messages: readonly Message[], asked: Asked) => readonly Message[] | undefined,
): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request) {
        if (request.path !== consumePath && request.path !== ackPath) return await wire.exchange(request);
        const sentAt = performance.now();
        const answer = await wire.exchange(request);
        if (answer.kind === "broken" || answer.status !== 200) return answer;
        const asked = { ...askedIn(request), sentAt };
        const body = parseExact(new TextDecoder().decode(answer.body));
        const messages =
          isRecord(body) && Array.isArray(body["messages"]) ? (body["messages"] as readonly Message[]) : [];
        const changed = change(messages, asked);
        if (asked.upTo !== undefined || changed === undefined || !isRecord(body)) return answer;
        fired();
        return { ...answer, body: new TextEncoder().encode(writeExact({ ...body, messages: changed })) };
      },
    }),
  };
}

function askedIn({ headers, body }: RawRequest): Omit<Asked, "sentAt"> {
  const parsed = parseExact(typeof body === "string" ? body : "{}");
  const fields = isRecord(parsed) ? parsed : {};
  const upTo = fields["upto_offset"];
  return {
    by: headers["authorization"] ?? "",
    group: cellText(fields["group_id"] ?? ""),
    partition: JSON.stringify(fields["partition_id"] ?? 0),
    upTo: upTo === undefined ? undefined : Number(upTo),
  };
}

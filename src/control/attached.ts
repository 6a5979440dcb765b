/** Control of a server that this run attaches to. */
import type { ControlChoice } from "../profile/control.ts";
import type { Control } from "../wire/control.ts";
import type { Wire } from "../wire/wire.ts";
import { commandLifecycle } from "./command.ts";
import { dockerLifecycle } from "./docker.ts";
import { guarded } from "./guarded.ts";

/** `onStart` is called after each start of the server. Throws ControlError where docker does not know the container. */
export async function attachedControl(
  choice: ControlChoice,
  exchange: Wire["exchange"],
  onStart: () => void,
): Promise<Control> {
  const lifecycle =
    choice.kind === "docker"
      ? await dockerLifecycle(choice.container, exchange)
      : commandLifecycle(choice.commands, exchange);
  return { kind: choice.kind, lifecycle: guarded(lifecycle, onStart) };
}

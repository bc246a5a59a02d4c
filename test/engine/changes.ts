import type { EngineEvent } from "@pulumi/pulumi/automation";

/** What an update creates, updates, replaces or deletes. */
export function changeRecorder() {
  const changes: { op: string; type: string; name: string }[] = [];
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const { op = "same", type = "", urn = "" } = resourcePreEvent?.metadata ?? {};
    if (!["same", "read"].includes(op)) changes.push({ op, type, name: urn.split("::").at(-1) ?? "" });
  };
  return { changes, onEvent };
}

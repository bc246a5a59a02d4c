import { connect } from "node:net";
import { createInterface } from "node:readline";

export interface MonitorRequest {
  execute: string;
  arguments?: Record<string, unknown>;
}

const limitMillis = 30_000;

/**
 * Sends commands over QEMU's monitor protocol (QMP), one after the other. Resolves to what they returned.
 * @throws an Error that has QEMU's own words, at the first command that it refuses.
 */
export async function askQemu(socketPath: string, requests: readonly MonitorRequest[]): Promise<unknown[]> {
  const socket = connect(socketPath);
  const lines = createInterface(socket);
  let trouble = new Error(`${socketPath} was closed before QEMU answered`);
  socket.on("error", (error) => {
    trouble = error;
  });
  socket.on("close", () => lines.close());
  socket.setTimeout(limitMillis, () => socket.destroy(new Error(`${socketPath} does not answer`)));
  const messages = answers(lines);
  try {
    const returned: unknown[] = [];
    for (const request of [{ execute: "qmp_capabilities" }, ...requests]) {
      socket.write(`${JSON.stringify(request)}\n`);
      const { value: answer } = await messages.next();
      if (answer === undefined) throw trouble;
      if (answer.error) throw new Error(`QEMU refuses ${request.execute}: ${answer.error.desc}`);
      returned.push(answer.return);
    }
    return returned.slice(1);
  } finally {
    socket.destroy();
  }
}

interface Answer {
  return?: unknown;
  error?: { desc: string };
}

/** The answers among the monitor's lines; the greeting and the events are other lines. */
async function* answers(lines: AsyncIterable<string>): AsyncGenerator<Answer, undefined> {
  for await (const line of lines) {
    const message = JSON.parse(line) as Answer;
    if ("return" in message || "error" in message) yield message;
  }
  return undefined;
}

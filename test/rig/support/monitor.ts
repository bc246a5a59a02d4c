import { connect } from "node:net";

/**
 * Sends one command to QEMU's monitor for people, over its machine protocol; returns what it printed.
 *
 * @throws when the monitor printed an error, as `savevm` and `loadvm` do where they succeed with silence
 */
export async function monitorCommand(socketPath: string, command: string): Promise<string> {
  const printed = await ask(socketPath, command);
  if (/^Error|not supported|unknown command/m.test(printed)) throw new Error(`QEMU, "${command}": ${printed.trim()}`);
  return printed;
}

function ask(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath).setEncoding("utf8");
    let received = "";
    let answer: string | undefined;
    socket.on("connect", () => {
      const request = { execute: "human-monitor-command", arguments: { "command-line": command }, id: "done" };
      socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify(request)}\n`);
    });
    socket.on("data", (text) => {
      received += String(text);
      for (const line of received.split("\n").filter((part) => part.trimEnd().endsWith("}"))) {
        const message = JSON.parse(line) as { id?: string; return?: unknown; error?: { desc: string } };
        if (message.id === "done") answer = message.error?.desc ?? String(message.return ?? "");
      }
      if (answer !== undefined) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () =>
      answer === undefined ? reject(new Error(`QEMU's monitor did not answer "${command}"`)) : resolve(answer),
    );
  });
}

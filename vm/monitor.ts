import { connect } from "node:net";

/** What the runner asks of a running QEMU: end at once, or press the machine's power button. */
export type MonitorCommand = "quit" | "system_powerdown";

const limitMillis = 5_000;

/**
 * Sends one command over QEMU's monitor protocol (QMP). Resolves to whether it was accepted; a monitor that does not
 * answer is no error, because whoever asks has a harder means left.
 */
export function askMonitor(socketPath: string, command: MonitorCommand): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath).setEncoding("utf8").setTimeout(limitMillis);
    let received = "";
    socket.on("connect", () => {
      socket.write(`${JSON.stringify({ execute: "qmp_capabilities" })}\n`);
      socket.write(`${JSON.stringify({ execute: command, id: command })}\n`);
    });
    socket.on("data", (text) => {
      received += String(text);
      if (accepted(received, command)) socket.end();
    });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve(accepted(received, command)));
  });
}

/** Whether the monitor's lines have a success for the command. Events and the greeting are other lines. */
export function accepted(lines: string, command: MonitorCommand): boolean {
  return lines.split(/\r?\n/).some((line) => {
    if (!line.endsWith("}")) return false;
    const message = JSON.parse(line) as Record<string, unknown>;
    return message.id === command && "return" in message;
  });
}

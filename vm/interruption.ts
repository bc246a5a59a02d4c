const controller = new AbortController();
const lookMillis = 250;
let caller: number | undefined;

/** Fires when whoever started this program is gone, where that is watched. What takes long gives up then. */
export const interrupted: AbortSignal = controller.signal;

/**
 * Watches the process that started this program. A Pulumi that is interrupted kills a command's shell, nothing that the shell
 * has started, and waits for that all the same (command provider 1.2.1): that the shell is gone is all that can be seen of a
 * Ctrl-C from here.
 *
 * @param pid its process id, as it said itself: by the time that this program could ask, it may be gone
 */
export function endWith(pid: number): void {
  caller = pid;
  setInterval(look, lookMillis).unref();
  look();
}

function look(): void {
  if (caller !== undefined && process.ppid !== caller) controller.abort();
}

/** Whether an interruption comes from here. Else what is started stays in the terminal's group, which a Ctrl-C reaches. */
export const isWatching = () => caller !== undefined;

/** @throws when it is interrupted at this very moment */
export function throwIfInterrupted(): void {
  look();
  interrupted.throwIfAborted();
}

import { Trouble } from "./trouble";

const caller = process.ppid;

/**
 * Whether the process that started this one is gone. A Pulumi that is interrupted kills a command's shell and nothing that
 * the shell has started, whose end it waits for all the same (command provider 1.2.1): that the shell is gone is all
 * that this program can see of a Ctrl-C.
 */
export const callerIsGone = () => process.ppid !== caller;

/** The work was given up, because nobody waits for it any more. */
export class Interruption extends Trouble {
  constructor(where: string) {
    super("interrupted: whoever started this was ended", where, "start it again: it goes on with what is there");
  }
}

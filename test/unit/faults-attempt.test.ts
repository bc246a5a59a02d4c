import { expect, test } from "vitest";
import { errorsIn } from "../faults/support/Attempt";

test("of a failed up's text a person takes what is wrong and what to do, each once", () => {
  const text = `
 +  command:remote:Command clock-converge creating (32s) timebase: what to do: mend it
    error: Process exited with status 1: running "sh toolkit/timebase converge":
    timebase: error on node-1: grub-mkconfig failed
    timebase: what to do: mend it
    error: update failed
    timebase: error on node-1: grub-mkconfig failed`;
  expect(errorsIn(text)).toBe("error on node-1: grub-mkconfig failed\nwhat to do: mend it");
});

test("of a table it is what failed, and not what to do about a warning", () => {
  const text = `
      warn  clocksource.reliable     a virtual machine
            what to do: compare clocks
      FAIL  clocksource.current      expected tsc, found hpet
            what to do: see dmesg`;
  expect(errorsIn(text)).toBe("FAIL  clocksource.current      expected tsc, found hpet\nwhat to do: see dmesg");
});

test("where the host said nothing, it is the engine's error, without the command", () => {
  const text = `error: wait: no exit status: running "sh toolkit/timebase converge":\nerror: update failed`;
  expect(errorsIn(text)).toBe("error: wait: no exit status");
});

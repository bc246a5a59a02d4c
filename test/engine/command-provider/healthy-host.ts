import { printed } from "../../unit/support/evidence";
import type { Answer } from "./ssh-server";

/**
 * Answers as the toolkit of a healthy host does: it converges, and whatever its plan asks for is said to hold. Nothing of
 * a clock is looked at.
 */
export const healthyHost: Answer = (command, stdin) => {
  if (command.includes("timebase converge")) return `converged-boot-id=${BOOT_ID}\nconverged-reboot=ordered\n`;
  if (!command.includes("timebase prove")) return "";
  const planned = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(stdin)?.[1];
  const [host, owner, timescale] = ["host", "owner", "timescale"].map(planned);
  return `${printed({ host, owner, timescale, errorBoundNs: 150_000 })}\n`;
};

const BOOT_ID = "11111111-1111-4111-8111-111111111111";

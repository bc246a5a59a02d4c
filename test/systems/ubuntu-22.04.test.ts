import { distribution } from "./support/distributions";
import { describeSystem } from "./support/system";

describeSystem(distribution("jammy", "bios"));

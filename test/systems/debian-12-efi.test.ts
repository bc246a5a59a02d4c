import { describeSystem } from "./support/system";
import { systems } from "./support/systems";

describeSystem(systems["debian-12-efi"]);

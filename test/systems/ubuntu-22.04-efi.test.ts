import { describeSystem } from "./support/system";
import { systems } from "./support/systems";

describeSystem(systems["ubuntu-22.04-efi"]);

import { describeSystem } from "./support/system";
import { systems } from "./support/systems";

describeSystem(systems["amazon-linux-2"]);

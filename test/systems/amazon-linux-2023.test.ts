import { amazon } from "./support/amazon";
import { describeSystem } from "./support/system";

describeSystem(amazon("2023", "GRUB with BLS entries, BIOS"));

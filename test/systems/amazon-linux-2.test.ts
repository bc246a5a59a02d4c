import { amazon } from "./support/amazon";
import { describeSystem } from "./support/system";

describeSystem(amazon("2", "GRUB in /boot/grub2, grubby, BIOS"));

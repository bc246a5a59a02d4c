import { trapImage } from "../../rig/image";
import { debian } from "./support/debian";
import { describeSystem } from "./support/system";

describeSystem({ ...debian, id: "debian-bios", bootLoader: "GRUB, BIOS", spec: { image: trapImage } });

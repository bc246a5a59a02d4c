import { LocalVmFirmware } from "../../components";
import { trapImage } from "../../rig/image";
import { debian } from "./support/debian";
import { describeSystem } from "./support/system";

describeSystem({
  ...debian,
  id: "debian-efi",
  bootLoader: "GRUB, EFI with a stub",
  spec: { image: { ...trapImage, firmware: LocalVmFirmware.Efi } },
});

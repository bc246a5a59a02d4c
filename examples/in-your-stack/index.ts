import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { GuestPtp, HostClock, RebootPolicy } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();

// The machine: here its address is configured; in your stack it is an output of the resource that makes it.
const machine = {
  name: "worker",
  address: config.require("address"),
  user: config.get("user") ?? "ubuntu",
  privateKey: config.getSecret("privateKey"), // not set: the SSH agent is asked
  hostKey: config.require("hostKey"),
};

const clock = new HostClock("worker", {
  endpoint: machine,
  reboot: RebootPolicy.IfNeeded,
  guestPtp: GuestPtp.Required,
  sources: [{ address: config.get("ntpServer") ?? "169.254.169.123", minPollLog2: 4, maxPollLog2: 4, prefer: true }],
  maxErrorMicros: config.getObject<number>("maxErrorMicros") ?? 500, // getNumber would take 50 for 50ms
});

// Nothing of the experiment starts on a clock that is not proved.
new remote.Command(
  "experiment",
  {
    connection: {
      host: machine.address,
      user: machine.user,
      privateKey: machine.privateKey,
      hostKey: machine.hostKey,
    },
    create: "sudo systemctl start experiment",
  },
  { dependsOn: clock },
);

export const clocksource = clock.clocksource;
export const errorBoundNs = clock.errorBoundNs;

import { type FakeHost, plans } from "./FakeHost";
import { following, refclock } from "./sources";

// Hosts with network PTP.

export const ptpConf = "etc/linuxptp/timebase.conf";
export const ptpUnit = "etc/systemd/system/timebase-ptp4l.service";
export const dropin = "etc/systemd/system/chrony.service.d/timebase-ptp.conf";
/** What systemd makes of the unit. */
export const ptpState = "fake/units/timebase-ptp4l.service";
export const linuxptp = "fake/packages/linuxptp";
/** That of the hub at 10.77.0.1. */
export const hubIdentity = "027462.000a.4d0001";

/** A client of the hub that defines the time, by PTP only. */
export const client = following(plans.time, "ptp 10.77.0.1").replace("timescale=utc", "timescale=hub:hub");
export const hub = plans.hub.replace("time-allow=", "time-ptp=10.77.0.1\ntime-allow=");

/** A client that follows: its chronyd has the samples, and its ptp4l says this. */
export const says = (host: FakeHost, said: string): void => {
  host.chrony(refclock("PTP0").replace("0.000010000,0.000002000", "0.000000001,0.000095000"));
  host.write("fake/pmc", said);
};

/** A hub, with its own address. */
export const onHub = (host: FakeHost): void => {
  host.write("fake/addresses", "10.77.0.1\n");
  host.write("fake/interface", "ens5");
};

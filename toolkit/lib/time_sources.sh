# shellcheck shell=sh
# Time sources: what the plan asks for, what of it this host can have, and the lines of chrony's configuration that come of
# it. A server or a pool is a line already; what a cloud gives is a row of this table.

# The columns of a row, `-` for none:
#   cloud   whose machines have it (lib/cloud.sh)
#   leap    what it does with a leap second: smeared over a day, exact, or unknown; as the program knows it (TIME_SOURCE_KINDS)
#   clock   the clock_name of its device in /sys/class/ptp, as a pattern; device numbers are not stable; `plan`: the plan names it
#   way     how the device comes to be: `parameter:<module>/<name>` by a boot with that set to 1, `module:<name>` by loading it
#   error   how far the device itself may be off, which chrony does not know: a file of the device's driver with a figure in
#           nanoseconds, or the figure, before which the plan's own (error-ns) comes
#   line    chrony's, in which DEVICE stands for the device; sources are told apart by refid
# The samples of a ptp are ptp4l's (lib/network_ptp.sh). The values of clouds are the operators' own: Amazon's user guide of
# EC2, Google's "Configure accurate time", Azure's "Time sync for Linux VMs".
time_source_table='
aws-ntp   aws   smeared -               -                        -               server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4
aws-phc   aws   exact   ena-ptp-*       parameter:ena/phc_enable phc_error_bound refclock PHC DEVICE refid ENA0 poll 0 delay 0.000010 prefer
gcp-ntp   gcp   smeared -               -                        -               server metadata.google.internal prefer iburst
gcp-phc   gcp   unknown KVM?virtual?PTP module:ptp_kvm           1000000         refclock PHC DEVICE refid KVM0 poll -1 prefer
azure-phc azure unknown hyperv          -                        -               refclock PHC DEVICE refid HYV0 poll 3 dpoll -2 offset 0 prefer
phc       -     exact   plan            -                        -               refclock PHC DEVICE refid CARD poll 0 delay 0.000010 prefer
ptp       -     -       -               -                        -               refclock SHM 16 refid PTP0 poll -1 dpoll -3 prefer'

# time_source_row KIND: sets the variables of its row; source_line is empty when there is none.
time_source_row() {
  while read -r source_kind source_cloud source_leap source_clock source_way source_error source_line; do
    if [ "$source_kind" = "$1" ]; then return 0; fi
  done <<TABLE
$time_source_table
TABLE
}

# time_source_known LINE: whether this is a source of a plan.
time_source_known() {
  case "${1%% *}" in
    server | pool) [ "${1#* }" != "$1" ] ;;
    ptp | phc)
      time_source_place=${1%% *}
      # shellcheck disable=SC2086 # words
      set -- $1
      shift
      case "$time_source_place" in
        ptp) ipv4_known "${1:-}" ;;
        phc) clock_name_known "${1:-}" ;;
      esac && time_source_options "$@"
      ;;
    *)
      time_source_row "${1%% *}"
      if [ -z "$source_line" ] && [ "${1%% *}" != auto ]; then return 1; fi
      # shellcheck disable=SC2086 # words
      time_source_options $1
      ;;
  esac
}

# time_source_options FIRST WORD...: whether the words after the first are options of a source that is no server and no pool.
time_source_options() {
  while [ $# -gt 1 ]; do
    case "$2:${3:-}" in
      trust:*) shift ;;
      error-ns:*[!0-9]* | error-ns: | error-ns:???????????????*) return 1 ;;
      error-ns:*) shift 2 ;;
      *) return 1 ;;
    esac
  done
}

# ipv4_known TEXT: whether it looks like an IPv4 address.
ipv4_known() {
  case "$1" in
    *[!0-9.]* | *..* | .* | *. | *.*.*.*.* | *????????????????*) return 1 ;;
    *.*.*.*) return 0 ;;
    *) return 1 ;;
  esac
}

# clock_name_known TEXT: whether it looks like a clock_name, or a pattern of one in which ? stands for a space.
clock_name_known() {
  case "$1" in
    '' | trust | error-ns | [!A-Za-z0-9_]* | *[!A-Za-z0-9._:?-]*) return 1 ;;
  esac
}

# sources_choose: what of the plan's sources this host has now, from the live system. Sets
#   sources_fixed    lines for chrony's configuration: what needs no device
#   sources_run      lines that hold for this start of chronyd: a device that is missing would end it
#   sources_dynamic  yes when there may be such lines, now or after a boot
#   sources_devices  a line "REFID DEVICE ERROR" for each device in use; ERROR is a figure, a file, or -
#   sources_left     what this host cannot have: "KIND: reason; ..."
#   sources_awaited  the kinds whose device comes by a boot that is still due
#   sources_missing  yes when a device is not there
#   sources_note     what `auto` has become, and why
#   sources_leap     what they do with a leap second, or nothing where the host does not know it: all do the same
sources_choose() {
  sources_fixed='' sources_run='' sources_dynamic=no sources_devices='' sources_left='' sources_awaited='' sources_missing=no sources_note='' sources_leap=''
  if [ -z "$plan_time_sources" ]; then return 0; fi
  while read -r source_word source_options; do
    case "$source_word" in
      server | pool) sources_fixed="$sources_fixed$source_word $source_options$newline" ;;
      auto) sources_choose_auto "$source_options" ;;
      ptp)
        time_source_row ptp
        case " $source_options " in *' trust '*) source_line="$source_line trust" ;; esac
        sources_fixed="$sources_fixed$source_line$newline"
        ;;
      *)
        time_source_lacking "$source_word" "$source_options"
        if [ "$source_clock" != - ] && [ "$cloud" = "$source_cloud" ]; then sources_dynamic=yes; fi
        if [ -n "$source_lacking" ]; then
          sources_left="${sources_left:+$sources_left; }$source_word: $source_lacking"
          if [ "$source_awaits" = yes ]; then sources_awaited="$sources_awaited $source_word"; fi
        elif [ "$source_clock" = - ]; then
          sources_fixed="$sources_fixed$source_rendered$newline"
        else
          sources_run="$sources_run$source_rendered$newline"
        fi
        if [ -z "$source_lacking" ]; then sources_leap=$source_leap; fi
        ;;
    esac
  done <<SOURCES
$plan_time_sources
SOURCES
}

# sources_choose_auto OPTIONS: the device of this cloud, else its time service; never both, because they may differ in what
# they do with leap seconds. Which of them is seen anew at each start of chronyd.
sources_choose_auto() {
  cloud_detect
  if [ -z "$cloud" ]; then
    sources_left="auto: this is none of the clouds that it knows, $cloud_names ($cloud_seen)"
    return 0
  fi
  sources_dynamic=yes
  for source_auto in "$cloud-phc" "$cloud-ntp"; do
    time_source_row "$source_auto"
    if [ -z "$source_line" ]; then continue; fi
    time_source_lacking "$source_auto" "$1"
    if [ -z "$source_lacking" ]; then
      sources_run=$source_rendered$newline sources_leap=$source_leap
      sources_note="auto is $source_auto${sources_note:+ ($sources_note)}"
      return 0
    fi
    sources_note="${sources_note:+$sources_note; }no $source_auto: $source_lacking"
  done
  sources_left="auto: $sources_note"
}

# time_source_lacking KIND OPTIONS: sets source_lacking to why this host has no such source, or to nothing, and then
# source_rendered to its line; source_awaits is yes when a boot that is still due brings it.
time_source_lacking() {
  time_source_row "$1"
  cloud_detect
  # A card in the machine is no cloud's.
  if [ "$source_clock" = plan ]; then source_clock=${2%% *} source_cloud=$cloud; fi
  source_lacking='' source_awaits=no source_rendered=$source_line
  if [ "$cloud" != "$source_cloud" ]; then
    source_lacking="this machine is none of $source_cloud ($cloud_seen)"
    return 0
  fi
  case " $2 " in *' trust '*) source_rendered="$source_rendered trust" ;; esac
  if [ "$source_clock" = - ]; then return 0; fi
  # What a driver tells is not for the program to say.
  case "$source_error" in
    *[!0-9-]*) ;;
    *)
      case " $2 " in
        *' error-ns '*)
          source_error=${2##*error-ns }
          source_error=${source_error%% *}
          ;;
      esac
      ;;
  esac
  if [ "$source_error" = - ]; then
    source_lacking='nobody publishes how far its clock may be off, and the program does not say it (errorMicros)'
    return 0
  fi
  clock_device "$source_clock"
  if [ -z "$clock_device" ]; then
    source_device_lacking
    return 0
  fi
  if [ "$1" = phc ] && [ -n "$clock_others" ]; then
    source_lacking="several devices are called $source_clock: $clock_device$clock_others"
    return 0
  fi
  case "$source_error" in
    *[!0-9]*) source_error=$TIMEBASE_ROOT/sys/class/ptp/$clock_device/device/$source_error ;;
    *)
      if [ "$source_error" -ge "$plan_max_error_ns" ]; then
        source_lacking="its clock may be off by $((source_error / 1000)) us by itself, and maxErrorMicros allows $((plan_max_error_ns / 1000)) us in all"
        return 0
      fi
      ;;
  esac
  source_rendered="${source_rendered%%DEVICE*}/dev/$clock_device${source_rendered#*DEVICE}"
  source_refid=${source_rendered#* refid }
  sources_devices="$sources_devices${source_refid%% *} $clock_device $source_error$newline"
}

# clock_device PATTERN: sets clock_device to the device whose clock has this name, as ptp1, or to nothing; and clock_others
# to further ones, each after a space. A cloud's are of network adapters of one machine, any of which will do.
clock_device() {
  clock_device='' clock_others=''
  for clock_folder in "$TIMEBASE_ROOT"/sys/class/ptp/ptp*; do
    first_line "$clock_folder/clock_name"
    # shellcheck disable=SC2254 # a pattern
    case "$first_line" in
      $1)
        if [ ! -e "$TIMEBASE_ROOT/dev/${clock_folder##*/}" ]; then continue; fi
        if [ -z "$clock_device" ]; then clock_device=${clock_folder##*/}; else clock_others="$clock_others ${clock_folder##*/}"; fi
        ;;
    esac
  done
}

# source_device_lacking: why there is no device, in source_lacking.
source_device_lacking() {
  sources_missing=yes
  source_lacking="there is no clock $source_clock in /sys/class/ptp"
  source_module=${source_way#*:}
  case "$source_way" in
    module:*)
      if [ ! -d "$TIMEBASE_ROOT/sys/module/$source_module" ]; then source_lacking="$source_lacking, and its module $source_module is not loaded${source_refused:+ ($source_refused)}"; fi
      ;;
    parameter:*) source_parameter_lacking "${source_module%/*}" "${source_module#*/}" ;;
  esac
}

# source_parameter_lacking MODULE NAME: the same for a device that the driver makes only when it was told to.
source_parameter_lacking() {
  if [ ! -d "$TIMEBASE_ROOT/sys/module/$1" ]; then
    source_lacking="$source_lacking, and its driver $1 is not loaded"
    return 0
  fi
  if [ ! -e "$TIMEBASE_ROOT/sys/module/$1/parameters/$2" ]; then
    first_line "$TIMEBASE_ROOT/sys/module/$1/version"
    source_lacking="$source_lacking, and its driver $1${first_line:+ $first_line} has no parameter $2: it is too old, was built without, or is told by devlink"
    return 0
  fi
  boot_cmdline
  first_line "$TIMEBASE_ROOT/sys/module/$1/parameters/$2"
  case "$first_line" in
    [1Y]) source_lacking="$source_lacking, although its driver $1 was loaded with $2=1: this machine has none" ;;
    *)
      if has_word "$boot_cmdline" "$1.$2=1"; then
        source_lacking="$source_lacking: the kernel was booted with $1.$2=1, and its driver $1 runs with $2=$first_line"
      elif plan_has boot && has_word "$plan_boot_parameters" "$1.$2=1"; then
        source_awaits=yes
        source_lacking="it comes by a boot with $1.$2=1, which is still due"
      else
        source_lacking="$source_lacking: its driver $1 runs with $2=${first_line:-0}, and this plan sets no boot parameters (HostClock and ExperimentCluster do)"
      fi
      ;;
  esac
}

# sources_load: loads the modules of the plan's devices. Whether the hypervisor plays along is not known before; what it
# refuses is not loaded.
sources_load() {
  source_refused=
  cloud_detect
  for source_load in $plan_time_sources; do
    if [ "$source_load" = auto ]; then source_load=$cloud-phc; fi
    time_source_row "$source_load"
    case "$source_cloud:$source_way" in
      "$cloud:module:"*)
        source_module=${source_way#module:}
        if [ -d "$TIMEBASE_ROOT/sys/module/$source_module" ]; then continue; fi
        source_refused=$(modprobe "$source_module" 2>&1) && source_refused=
        source_refused=${source_refused##*"$newline"}
        ;;
    esac
  done
}
source_refused=
# For a plan without a time section.
sources_awaited=

# sources_preflight: a source that this host cannot have is told before any change, and refused when there is no other.
sources_preflight() {
  sources_load
  sources_choose
  sources_tell_utc
  if [ -z "$sources_left" ]; then return 0; fi
  if [ -z "$sources_fixed$sources_run$sources_awaited" ]; then
    fail "it has none of the time sources that it is to follow: $sources_left" \
      'give it one that it can have: a server by its address, or TimeSourceKind.Auto on a machine of a cloud; or correct what is named'
  fi
  say "left out: $sources_left"
}

# sources_tell_utc: refuses a card whose clock is ahead of this host's by what TAI is ahead of UTC: 37 s since 2017 (IERS,
# Bulletin C), a few more or less. That ptp4l sets it to TAI is usual, and nothing says so.
sources_tell_utc() {
  while read -r source_refid clock_device source_error; do
    if [ "$source_refid" != CARD ]; then continue; fi
    python_find
    if [ -z "$python" ]; then
      fail "whether the clock of /dev/$clock_device tells UTC cannot be seen: there is no Python on this host" 'install python3'
    fi
    source_ahead=$(timeout -k 1 20 "$python" -ES "$TIMEBASE_HOME/lib/clocks.py" ahead "$TIMEBASE_ROOT/dev/$clock_device" 2>&1) ||
      fail "the clock of /dev/$clock_device cannot be read: ${source_ahead##*"$newline"}" "see dmesg on the host"
    case "$source_ahead" in
      3[0-9] | 4[0-5])
        fail "the clock of /dev/$clock_device is $source_ahead s ahead of this host's: it tells TAI, and UTC is needed" \
          "have whatever sets the card's clock set it to UTC; or set this host's own clock, if that is what is wrong"
        ;;
    esac
  done <<DEVICES
$sources_devices
DEVICES
}

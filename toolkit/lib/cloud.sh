# shellcheck shell=sh
# The cloud whose machine this is, by what its firmware says of itself. No network is asked: an address of a cloud's
# metadata service may be anybody's elsewhere.

cloud_folder=$TIMEBASE_ROOT/sys/class/dmi/id
cloud_names='aws, gcp, azure'

# cloud_detect: sets cloud to aws, gcp, azure or nothing, and cloud_seen to what was looked at. The words are the operators'
# own; the older machines of EC2, on Xen, say it in the version of their firmware. The tag is that of every Azure machine.
cloud_detect() {
  cloud='' cloud_seen=''
  for cloud_key in sys_vendor product_name chassis_asset_tag bios_version; do
    first_line "$cloud_folder/$cloud_key"
    cloud_seen="${cloud_seen:+$cloud_seen, }$cloud_key \"$first_line\""
    case "$cloud_key:$first_line" in
      'sys_vendor:Amazon EC2' | bios_version:*amazon*) cloud=aws ;;
      'product_name:Google Compute Engine') cloud=gcp ;;
      chassis_asset_tag:7783-7084-3265-9085-8269-3286-77) cloud=azure ;;
    esac
  done
}

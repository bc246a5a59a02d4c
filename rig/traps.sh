# Setup text of the demo's image: what cloud images and their users have done to a host before a clock tool arrives.
# It runs in the image's chroot, as root, by "sh -eu".

# Ubuntu's cloud images assign this variable after /etc/default/grub has been read: an edit of it there is lost.
cat > /etc/default/grub.d/50-cloudimg-settings.cfg << 'EOF'
# Cloud Image specific Grub settings for Generic Cloud Images
# CLOUD_IMG: This file was created/modified by the Cloud Image build process

# Set the recordfail timeout
GRUB_RECORDFAIL_TIMEOUT=0

# Do not wait on grub prompt
GRUB_TIMEOUT=0

# Set the default commandline
GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"

# Set the grub console type
GRUB_TERMINAL=console
EOF

# A user's own parameters, in two kinds of quotes, with a remark, and no newline at the end of the file: what is
# appended to the file joins the remark, and what rewrites the value loses a parameter.
sed -i '/^GRUB_CMDLINE_LINUX=/d' /etc/default/grub
printf '%s' "GRUB_CMDLINE_LINUX='audit=0'\" loglevel=5\" # capacity team: keep audit off" >> /etc/default/grub

# The distribution's own time daemon is a rival of any other.
systemctl enable systemd-timesyncd

# Not installed, but within reach of apt without the network.
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --download-only chrony

#!/bin/sh
# Restarts one systemd service and waits until it runs.
set -eu

service=${DESKSIDE_P_SERVICE:?}
unit=${service%.service}.service
state() { systemctl show --property=ActiveState --value -- "$unit"; }

command -v systemctl >/dev/null || { echo "There is no systemd on this machine."; exit 2; }
before=$(state)
echo "$unit is $before"
if [ -n "${DESKSIDE_DRY_RUN:-}" ]; then
	echo "would restart $unit"
	echo "This was a trial: nothing was restarted."
	echo "deskside: state=$before"
	exit 0
fi

echo "step 1 of 2: restarting $unit"
systemctl reset-failed -- "$unit" 2>/dev/null || true
systemctl restart -- "$unit"

echo "step 2 of 2: waiting until it runs"
up=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	if [ "$(state)" = active ]; then up=$((up + 1)); else up=0; fi
	[ "$up" -ge 3 ] && break # it stayed up for a moment
	sleep 1
done
after=$(state)
echo "$unit is $after"
echo "deskside: state=$after"
[ "$up" -ge 3 ] || { systemctl status --no-pager --lines=5 -- "$unit" || true; exit 1; }

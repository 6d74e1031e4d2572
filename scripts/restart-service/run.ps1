# Restarts one Windows service and waits until it runs.
$ErrorActionPreference = 'Stop'
$name = $env:DESKSIDE_P_SERVICE
$service = Get-Service -Name $name
Write-Output "$name is $($service.Status)"
if ($env:DESKSIDE_DRY_RUN) {
	Write-Output "would restart $name"
	Write-Output "This was a trial: nothing was restarted."
	Write-Output "deskside: state=$($service.Status)"
	exit 0
}
Write-Output "step 1 of 2: restarting $name"
Restart-Service -Name $name
Write-Output "step 2 of 2: waiting until it runs"
$service.WaitForStatus('Running', [TimeSpan]::FromSeconds(60))
Start-Sleep -Seconds 3
$service.Refresh()
Write-Output "$name is $($service.Status)"
Write-Output "deskside: state=$($service.Status)"
if ($service.Status -ne 'Running') { exit 1 }

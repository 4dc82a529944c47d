# Called by the updater of an original agent in the folder this archive was unpacked into, and by hand. Exit 0, or 1 with the
# reason. It carries AmazonSSMAgentSetup.exe, or package.zip for Windows without an installer service.
param([switch]$Register, [string]$Code, [string]$Id, [string]$Region, [switch]$Disabled)
$ErrorActionPreference = 'Stop'
$name = 'AmazonSSMAgent'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$folder = Join-Path $env:ProgramFiles 'Amazon\SSM'
$agent = Join-Path $folder 'amazon-ssm-agent.exe'
$system = Join-Path $env:SystemRoot 'System32'

function Invoke-Checked([string]$What, [string]$Program, [string[]]$Arguments, [int[]]$Good = @(0)) {
    $p = Start-Process -FilePath $Program -ArgumentList $Arguments -Wait -PassThru -NoNewWindow
    if ($Good -notcontains $p.ExitCode) { throw "$What failed with exit code $($p.ExitCode)" }
}

function Install-Zip([string]$Zip) {
    & (Join-Path $here 'uninstall.ps1')
    if ($LASTEXITCODE) { throw 'the installed version could not be removed' }
    New-Item -ItemType Directory -Force -Path $folder | Out-Null
    Expand-Archive -Path $Zip -DestinationPath $folder -Force
    $start = if ($Disabled) { 'Disabled' } else { 'Automatic' }
    # Not by sc.exe: a command line with quotes in it reaches no native program whole.
    New-Service -Name $name -BinaryPathName ('"{0}" service' -f $agent) -StartupType $start -DisplayName 'Amazon SSM Agent' -Description 'Amazon SSM Agent' | Out-Null
    $sc = Join-Path $system 'sc.exe'
    & $sc failureflag $name 1 | Out-Null
    & $sc failure $name reset= 86400 actions= restart/1000/restart/1000/restart/1000 | Out-Null
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name"
    New-ItemProperty -Path $key -Name 'Version' -PropertyType String -Value '@VERSION@' -Force | Out-Null
}

try {
    if ($Register -and (-not $Code -or -not $Id -or -not $Region)) {
        throw '[ERROR] Not enough parameters for RegisterManagedInstance.'
    }
    $setup = Join-Path $here 'AmazonSSMAgentSetup.exe'
    $zip = Join-Path $here 'package.zip'
    if (Test-Path $setup) {
        Invoke-Checked 'AmazonSSMAgentSetup.exe' $setup @('/quiet', '/norestart', 'ALLOWEC2INSTALL=YES', 'SKIPSYMLINKSCAN=YES') @(0, 3010)
    } elseif (Test-Path $zip) {
        Install-Zip $zip
    } else {
        throw 'neither AmazonSSMAgentSetup.exe nor package.zip is here'
    }
    if ($Register) {
        Stop-Service $name -ErrorAction SilentlyContinue
        # Other accounts can read the arguments of a program, not its environment.
        $env:SSM_ACTIVATION_CODE = $Code
        $env:SSM_ACTIVATION_ID = $Id
        try {
            Invoke-Checked 'the registration' $agent @('-register', '-y', '-region', $Region)
        } finally {
            Remove-Item Env:SSM_ACTIVATION_CODE -ErrorAction SilentlyContinue
            Remove-Item Env:SSM_ACTIVATION_ID -ErrorAction SilentlyContinue
        }
    }
    if (-not $Disabled) { Start-Service $name }
    exit 0
} catch {
    Write-Output "$_"
    exit 1
}

# Stops and removes the service and the programs; settings stay, and data, too, unless -removeProgramData is given.
param([switch]$removeProgramData)
$ErrorActionPreference = 'Stop'
$name = 'AmazonSSMAgent'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$folder = Join-Path $env:ProgramFiles 'Amazon\SSM'
try {
    $setup = Join-Path $here 'AmazonSSMAgentSetup.exe'
    if (Test-Path $setup) {
        $p = Start-Process -FilePath $setup -ArgumentList '/uninstall', '/quiet', '/norestart' -Wait -PassThru
        # 1605: this product is not installed
        if (@(0, 1605, 3010) -notcontains $p.ExitCode) { throw "AmazonSSMAgentSetup.exe failed with exit code $($p.ExitCode)" }
    } elseif (Get-Service $name -ErrorAction SilentlyContinue) {
        Stop-Service $name -Force
        & (Join-Path $env:SystemRoot 'System32\sc.exe') delete $name | Out-Null
        if ($LASTEXITCODE) { throw "the service was not removed: $LASTEXITCODE" }
    }
    if ((-not (Test-Path $setup)) -and (Test-Path $folder)) {
        Get-ChildItem -Path $folder | Where-Object { @('seelog.xml', 'amazon-ssm-agent.json') -notcontains $_.Name } |
            Remove-Item -Recurse -Force
    }
    if ($removeProgramData) { Remove-Item -Recurse -Force (Join-Path $env:ProgramData 'Amazon\SSM') -ErrorAction SilentlyContinue }
    exit 0
} catch {
    Write-Output "$_"
    exit 1
}

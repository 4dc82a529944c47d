package documents

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// builtIns are the names of the documents every region has; they can't be changed.
func builtIns() []string {
	return []string{"AWS-RunPowerShellScript", "AWS-RunShellScript", "AWS-UpdateSSMAgent"}
}

// builtIn makes a built-in document.
func (r *Repository) builtIn(name string) (document, bool) {
	if !slices.Contains(builtIns(), name) {
		return document{}, false
	}
	var body map[string]any
	switch name {
	case "AWS-RunShellScript":
		body = scriptDocument("aws:runShellScript", "Runs a shell script, one line per command.")
	case "AWS-RunPowerShellScript":
		body = scriptDocument("aws:runPowerShellScript", "Runs a PowerShell script, one line per command.")
	default:
		body = updateDocumentBody(r.url() + "/amazon-ssm-{Region}/ssm-agent-manifest.json")
	}
	text, _ := json.MarshalIndent(body, "", "  ") // plain maps always can be
	return document{Name: name, Type: "Command", Default: 1, Next: 2, builtIn: true,
		Versions: []documentVersion{{Number: 1, Format: "JSON", Content: string(text), Created: time.Unix(1420070400, 0).UTC()}}}, true
}

// scriptDocument is of the old schema, as the original's are: results go by the name of the plugin.
func scriptDocument(plugin, description string) map[string]any {
	return map[string]any{
		"schemaVersion": "1.2",
		"description":   description,
		"parameters": map[string]any{
			"commands": map[string]any{"type": "StringList", "description": "The lines of the script.", "minItems": 1,
				"displayType": "textarea"},
			"workingDirectory": map[string]any{"type": "String", "default": "", "description": "The folder the script starts in.", "maxChars": 4096},
			"executionTimeout": map[string]any{"type": "String", "default": "3600",
				"description":    "Seconds after which the script is ended, 1 to 172800 (48 hours).",
				"allowedPattern": "^([1-9][0-9]{0,4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800)$"},
		},
		"runtimeConfig": map[string]any{plugin: map[string]any{"properties": []any{map[string]any{
			"id": "0." + plugin, "runCommand": "{{ commands }}", "workingDirectory": "{{ workingDirectory }}",
			"timeoutSeconds": "{{ executionTimeout }}",
		}}}},
	}
}

// prepareWindows is the first step of the update document: old agents on Windows need their update folder made, and Nano
// Server has no update (docs/protocol/update.md, "The update document").
func prepareWindows() []any {
	lines := strings.Split(strings.TrimSpace(`
$service = 'HKLM:\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent'
$version = (Get-ItemProperty -Path $service -ErrorAction SilentlyContinue).Version
if ($version -and ([version]$version -ge [version]'3.0.1031.0')) { exit 0 }
$sku = (Get-CimInstance -ClassName Win32_OperatingSystem).OperatingSystemSKU
if ($sku -eq 143 -or $sku -eq 144) { Write-Host 'The agent on Nano Server is not updated this way.'; exit 40 }
$folder = Join-Path $env:ProgramData 'Amazon\SSM\Update'
try { New-Item -ItemType Directory -Force -Path $folder | Out-Null } catch { Write-Host "Cannot make ${folder}: $_"; exit 41 }
try { & icacls.exe $folder /inheritance:r /grant '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' | Out-Null }
catch { Write-Host "Cannot protect ${folder}: $_"; exit 42 }
`), "\n")
	out := make([]any, len(lines))
	for i, l := range lines {
		out[i] = l
	}
	return out
}

func updateDocumentBody(source string) map[string]any {
	return map[string]any{
		"schemaVersion": "2.2",
		"description":   "Updates the agent to the newest version of its region, or to the one that is named.",
		"parameters": map[string]any{
			"version": map[string]any{"type": "String", "default": "", "description": "The version to install; empty means the newest."},
			"allowDowngrade": map[string]any{"type": "String", "default": "false", "allowedValues": []any{"true", "false"},
				"description": "Whether an older version may replace a newer one."},
		},
		"mainSteps": []any{
			map[string]any{"action": "aws:runPowerShellScript", "name": "createUpdateFolder",
				"precondition": map[string]any{"StringEquals": []any{"platformType", "Windows"}},
				"inputs":       map[string]any{"runCommand": prepareWindows()}},
			map[string]any{"action": "aws:updateSsmAgent", "name": "awsupdateSsmAgent",
				"inputs": map[string]any{"agentName": "amazon-ssm-agent", "source": source, "allowDowngrade": "{{ allowDowngrade }}",
					"targetVersion": "{{ version }}"}},
		},
	}
}

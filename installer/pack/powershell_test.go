package pack_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape looks at a PowerShell script as far as that goes without PowerShell: strings end, brackets close in their order, only
// ASCII (Windows PowerShell 5 takes a file without a mark for the machine's own code page).
func shape(text string) error {
	var open []rune
	closes := map[rune]rune{')': '(', '}': '{', ']': '['}
	r := []rune(text)
	line := 1
	for i := 0; i < len(r); i++ {
		switch c := r[i]; {
		case c == '\n':
			line++
		case c > 126 || c < ' ' && c != '\t':
			return fmt.Errorf("line %d: %q", line, c)
		case c == '`':
			i++
		case c == '#':
			for i < len(r) && r[i] != '\n' {
				i++
			}
			line++
		case c == '\'' || c == '"':
			for i++; i < len(r) && r[i] != c; i++ {
				if r[i] == '\n' {
					return fmt.Errorf("line %d: a string does not end", line)
				}
				if c == '"' && r[i] == '`' {
					i++
				}
			}
			if i == len(r) {
				return fmt.Errorf("line %d: a string does not end", line)
			}
		case strings.ContainsRune("({[", c):
			open = append(open, c)
		case strings.ContainsRune(")}]", c):
			if len(open) == 0 || open[len(open)-1] != closes[c] {
				return fmt.Errorf("line %d: %q closes nothing", line, c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%q is not closed", open)
	}
	return nil
}

// The scripts for Windows are not run anywhere here: no PowerShell is at hand. Their structure, their exit codes and what
// other programs rest upon (docs/protocol/update.md, "Script behaviour and exit codes", "Windows packages") are checked.
func TestPowerShellScriptsKeepTheirExitCodes(t *testing.T) {
	for wrong, text := range map[string]string{"a string": "'a\n'", "closes nothing": "{ ( }", "is not closed": "{", "é": "é"} {
		if err := shape(text); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for name, wants := range map[string][]string{
		"install": {"[switch]$Register, [string]$Code, [string]$Id, [string]$Region, [switch]$Disabled", "'AmazonSSMAgentSetup.exe'",
			"'package.zip'", "'uninstall.ps1'",
			"'/quiet', '/norestart', 'ALLOWEC2INSTALL=YES', 'SKIPSYMLINKSCAN=YES'", "'Amazon\\SSM'",
			"-Name 'Version' -PropertyType String -Value '@VERSION@'",
			"-BinaryPathName ('\"{0}\" service' -f $agent)", "-DisplayName 'Amazon SSM Agent'", "failureflag $name 1",
			"reset= 86400 actions= restart/1000/restart/1000/restart/1000",
			"$env:SSM_ACTIVATION_CODE = $Code", "@('-register', '-y', '-region', $Region)", "Remove-Item Env:SSM_ACTIVATION_CODE",
			"if (-not $Disabled) { Start-Service $name }"},
		"uninstall": {"param([switch]$removeProgramData)", "'/uninstall', '/quiet', '/norestart'", "@('seelog.xml', 'amazon-ssm-agent.json')",
			"delete $name", "@(0, 1605, 3010)",
			"Remove-Item -Recurse -Force (Join-Path $env:ProgramData 'Amazon\\SSM')"},
	} {
		b, err := os.ReadFile("assets/update/windows/" + name + ".ps1")
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if err := shape(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		// Exit 0, or 1 with the reason: nothing ends it but these two, and every fault leads to the second.
		var codes []string
		for _, m := range regexp.MustCompile(`(?m)^\s*exit (.*)$`).FindAllStringSubmatch(text, -1) {
			codes = append(codes, m[1])
		}
		if !slices.Equal(codes, []string{"0", "1"}) || strings.Count(text, "exit ") != 2+strings.Count(text, "with exit ") ||
			!strings.Contains(text, "$ErrorActionPreference = 'Stop'") ||
			!regexp.MustCompile(`(?s)\ntry \{.*\n    exit 0\n\} catch \{\n    Write-Output "\$_"\n    exit 1\n\}\n$`).MatchString(text) {
			t.Errorf("%s ends with %v, or not as it must", name, codes)
		}
		// Quotes within an argument do not reach a native program as they are.
		for line := range strings.Lines(text) {
			if strings.HasPrefix(strings.TrimSpace(line), "& $") && strings.ContainsAny(line, "\"`") {
				t.Errorf("%s hands quotes on: %s", name, line)
			}
		}
	}
}

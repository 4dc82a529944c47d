package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/cab"
	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setupexe"
	"github.com/ssm-setup/ssm-setup/manifests"
)

func windowsOn(arch string) pack.Platform { return pack.Platform{OS: "windows", Arch: arch} }

func openMSI(t *testing.T, in pack.Input) *msi.Database {
	t.Helper()
	b := make1(t, "msi", in)
	d, err := msi.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rows are the rows of a table, one a line, values between bars, sorted.
func rows(d *msi.Database, table string) (lines []string) {
	t := d.Table(table)
	if t == nil {
		return nil
	}
	for _, r := range t.Rows {
		words := make([]string, len(r))
		for i, v := range r {
			if v != nil {
				words[i] = fmt.Sprint(v)
			}
		}
		lines = append(lines, strings.TrimRight(strings.Join(words, " | "), " |"))
	}
	slices.Sort(lines)
	return lines
}

func property(d *msi.Database, name string) string {
	for _, r := range d.Table("Property").Rows {
		if r[0] == name {
			return fmt.Sprint(r[1])
		}
	}
	return ""
}

// These must never change: Windows knows the product and its parts by them.
func TestTheCodesOfAnMSINeverChange(t *testing.T) {
	for arch, want := range map[string]string{
		"amd64": "{DF53916C-0FD1-5640-8799-5F8CCF2FAAD9} {F65FE675-AB98-5591-9D4F-3E59D3BA7473} x64;1033",
		"arm64": "{DF53916C-0FD1-5640-8799-5F8CCF2FAAD9} {85164274-633D-5939-94B2-0D76DBB3F831} Arm64;1033",
		"386":   "{DF53916C-0FD1-5640-8799-5F8CCF2FAAD9} {7EBBDC33-7DEB-5E96-AA2D-6712917E44DE} Intel;1033",
	} {
		d := openMSI(t, input(t, windowsOn(arch)))
		if got := property(d, "UpgradeCode") + " " + property(d, "ProductCode") + " " + d.Summary.Template; got != want {
			t.Errorf("%s: got %s, want %s", arch, got, want)
		}
	}
	in := input(t, windowsOn("amd64"))
	first := rows(openMSI(t, in), "Component")
	in.Version = manifests.MustVersion("9.7.0.0")
	second := openMSI(t, in)
	if !slices.Equal(first, rows(second, "Component")) {
		t.Error("another version has other components: an upgrade would delete the service")
	}
	if property(second, "ProductCode") == "{F65FE675-AB98-5591-9D4F-3E59D3BA7473}" {
		t.Error("another version has the same ProductCode")
	}
	if arm := rows(openMSI(t, input(t, windowsOn("arm64"))), "Component"); !slices.Equal(first, arm) {
		t.Error("both 64-bit architectures lie in one place, so their components must be the same")
	}
	golden(t, first, `
Activation | {72F7B8BA-3D73-5950-9C43-662C2EE32918} | AgentFolder | 320 | NOT REMOVE="ALL" AND REGION AND CODE AND ID AND (NOT REGISTERED OR NOT SERVICEIMAGE OR OVERRIDE~="YES")
LICENSE | {2ECABB7C-1131-544E-8D27-33514C4CAACB} | AgentFolder | 256 |  | LICENSE
NOTICE.md | {FB047AD8-370E-5383-A334-9A7AE76C558D} | AgentFolder | 256 |  | NOTICE.md
amazon_ssm_agent.exe | {7B42E245-E355-5211-B972-B4D7A74903E0} | AgentFolder | 256 |  | amazon_ssm_agent.exe
amazon_ssm_agent.json.template | {A1E3DE19-C766-5F66-B015-CA4DF22F9A1F} | AgentFolder | 256 |  | amazon_ssm_agent.json.template
seelog.xml.template | {C5428CA3-6BA9-5C84-AEFB-B6F1038DFC7E} | AgentFolder | 256 |  | seelog.xml.template
ssm_agent_worker.exe | {4B79A7F5-1D4E-5CC0-A9B3-DC495C18F16F} | AgentFolder | 256 |  | ssm_agent_worker.exe
`)
}

func TestAnMSIHoldsTheFilesOfTheAgent(t *testing.T) {
	in := input(t, windowsOn("amd64"))
	d := openMSI(t, in)
	files, err := cab.Read(d.Stream("agent.cab"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, f := range files {
		names = append(names, f.Name)
		for _, r := range d.Table("File").Rows {
			if r[0] == f.Name && (r[7] != i+1 || r[3] != len(f.Data)) {
				t.Errorf("%s: row %v, place %d, %d bytes", f.Name, r, i+1, len(f.Data))
			}
		}
		if !f.Modified.Equal(in.Time) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
	}
	golden(t, names, `
amazon_ssm_agent.exe
ssm_agent_worker.exe
amazon_ssm_agent.json.template
seelog.xml.template
LICENSE
NOTICE.md`)
	if got := string(files[1].Data); got != "program ssm-agent-worker" {
		t.Errorf("worker: %q", got)
	}
	golden(t, rows(d, "File")[:3], `
LICENSE | LICENSE | LICENSE | 11358 |  |  | 512 | 5
NOTICE.md | NOTICE.md | NOTICE.md | 608 |  |  | 512 | 6
amazon_ssm_agent.exe | amazon_ssm_agent.exe | AMAZO~1.EXE|amazon-ssm-agent.exe | 24 | 9.1.0.0 | 1033 | 512 | 1`)
	golden(t, rows(d, "DuplicateFile"), `
ssm_cli.exe | amazon_ssm_agent.exe | amazon_ssm_agent.exe | ssm-cli.exe | AgentFolder
ssm_document_worker.exe | amazon_ssm_agent.exe | amazon_ssm_agent.exe | SSMDO~8.EXE|ssm-document-worker.exe | AgentFolder
ssm_session_logger.exe | amazon_ssm_agent.exe | amazon_ssm_agent.exe | SSMSE~10.EXE|ssm-session-logger.exe | AgentFolder
ssm_session_worker.exe | amazon_ssm_agent.exe | amazon_ssm_agent.exe | SSMSE~9.EXE|ssm-session-worker.exe | AgentFolder`)
	golden(t, rows(d, "Directory"), `
AgentFolder | AmazonFolder | SSM
AmazonFolder | ProgramFiles64Folder | Amazon
ProgramFiles64Folder | TARGETDIR | .
TARGETDIR |  | SourceDir`)
	if n := len(d.Table("MsiFileHash").Rows); n != 4 {
		t.Errorf("%d hashes", n)
	}
}

// What wine cannot show of the service: recovery for ever, and that an upgrade neither deletes nor resets it.
func TestAnMSIKeepsTheServiceThroughAnUpgrade(t *testing.T) {
	d := openMSI(t, input(t, windowsOn("amd64")))
	for table, want := range map[string]string{
		"ServiceInstall": "AmazonSSMAgent | AmazonSSMAgent | Amazon SSM Agent | 16 | 2 | 32769 |  |  |  |  | service | amazon_ssm_agent.exe | Amazon SSM Agent",
		"ServiceControl": "Start | AmazonSSMAgent | 1 |  | 0 | amazon_ssm_agent.exe\nStop | AmazonSSMAgent | 162 |  | 1 | amazon_ssm_agent.exe",
		"Registry": `ActivationCode | 2 | SOFTWARE\AmazonSSMAgentActivation | Code | [CODE] | Activation` + "\n" +
			`ActivationId | 2 | SOFTWARE\AmazonSSMAgentActivation | Id | [ID] | Activation` + "\n" +
			`ActivationRegion | 2 | SOFTWARE\AmazonSSMAgentActivation | Region | [REGION] | Activation` + "\n" +
			`Owner | 2 | SYSTEM\CurrentControlSet\Services\AmazonSSMAgent | ProductCode | [ProductCode] | amazon_ssm_agent.exe` +
			"\n" + `Version | 2 | SYSTEM\CurrentControlSet\Services\AmazonSSMAgent | Version | 9.1.0.0 | amazon_ssm_agent.exe`,
		"Upgrade": property(d, "UpgradeCode") + " | 0.0.0 | 9.1.0 |  | 769 |  | PREVIOUSVERSIONFOUND\n" +
			property(d, "UpgradeCode") + " | 9.1.0 | 127.255.65535 |  | 514 |  | NEWERVERSIONFOUND",
	} {
		golden(t, rows(d, table), want)
	}
	when := conditions(d)
	for action, want := range map[string]string{
		"StopServices": "NOT UPGRADINGPRODUCTCODE", "DeleteServices": "NOT UPGRADINGPRODUCTCODE", "InstallServices": "NOT SERVICEIMAGE",
		"SetRecovery": `NOT SERVICEIMAGE AND NOT REMOVE="ALL"`, "StartServices": `NOT SERVICESTART="#4"`,
	} {
		if when[action] != want {
			t.Errorf("%s happens when %q, want %q", action, when[action], want)
		}
	}
}

func conditions(d *msi.Database) map[string]string {
	when := map[string]string{}
	for _, r := range d.Table("InstallExecuteSequence").Rows {
		when[r[0].(string)] = ""
		if r[1] != nil {
			when[r[0].(string)] = r[1].(string)
		}
	}
	return when
}

// The order that Windows Installer asks for, and the one that our promises rest on.
func TestTheActionsOfAnMSIAreInOrder(t *testing.T) {
	d := openMSI(t, input(t, windowsOn("amd64")))
	at := map[string]int{}
	seen := map[int]string{}
	for _, r := range d.Table("InstallExecuteSequence").Rows {
		n := r[2].(int)
		if seen[n] != "" {
			t.Errorf("%s and %s have one place", seen[n], r[0])
		}
		seen[n], at[r[0].(string)] = r[0].(string), n
	}
	for _, chain := range []string{
		"FindRelatedProducts AppSearch LaunchConditions CostInitialize FileCost CostFinalize MigrateFeatureStates InstallValidate InstallInitialize ProcessComponents",
		"InstallInitialize KeepFloor StopServices AwaitEnd ClearRegistration ForgetVersions DeleteServices RemoveRegistryValues RemoveDuplicateFiles RemoveFiles InstallFiles DuplicateFiles",
		"InstallFiles CheckLinks InstallServices SetRecovery UndoActivation PlaceForActivation WriteRegistryValues UndoFolders PrepareFolders UndoSettings WriteSettings UndoRegistration RegisterNode StartServices RegisterProduct",
		"RegisterProduct PublishFeatures PublishProduct InstallFinalize RemoveExistingProducts",
		"CostFinalize TellFolder InstallValidate", "LaunchConditions TakeActivationCode TakeActivationId CostInitialize",
	} {
		names := strings.Fields(chain)
		for i := range len(names) - 1 {
			if at[names[i]] == 0 || at[names[i]] >= at[names[i+1]] {
				t.Errorf("%s (%d) is not before %s (%d)", names[i], at[names[i]], names[i+1], at[names[i+1]])
			}
		}
	}
	for _, r := range d.Table("CustomAction").Rows {
		if at[r[0].(string)] == 0 {
			t.Errorf("%s is in no sequence", r[0])
		}
		if source, ok := r[2].(string); r[1].(int)&0x3F == 18 && (!ok || !slices.ContainsFunc(d.Table("File").Rows,
			func(f []any) bool { return f[0] == source })) {
			t.Errorf("%s runs %v, which is no file", r[0], r[2])
		}
	}
}

// The activation is on no command line of an action, and the properties are hidden from the log.
func TestSecretsStayOutOfCommandLinesAndTheInstallersLog(t *testing.T) {
	d := openMSI(t, input(t, windowsOn("amd64")))
	hidden := strings.Split(property(d, "MsiHiddenProperties"), ";")
	for _, name := range []string{"CODE", "ACTIVATION_CODE"} {
		if !slices.Contains(hidden, name) {
			t.Errorf("%s is not hidden", name)
		}
	}
	secure := strings.Split(property(d, "SecureCustomProperties"), ";")
	for _, name := range []string{"REGION", "CODE", "ID", "ENDPOINT", "SOURCE", "ALLOW_INSECURE", "ACTIVATION_CODE", "ACTIVATION_ID",
		"SKIPSYMLINKSCAN", "NEWERVERSIONFOUND"} {
		if !slices.Contains(secure, name) {
			t.Errorf("%s does not reach the installing side", name)
		}
	}
	const undo = 0x100
	for _, r := range d.Table("CustomAction").Rows {
		target, kind := fmt.Sprint(r[3]), r[1].(int)
		if kind&0x3F == 18 && (strings.Contains(target, "[CODE]") || strings.Contains(target, "[ID]")) {
			t.Errorf("%s shows the activation: %s", r[0], target)
		}
		if at := strings.Index(target, "[SOURCE]"); at >= 0 && target[at:] != `[SOURCE]"` {
			t.Errorf("%s has more behind the source, a path whose last backslash takes the quote along: %s", r[0], target)
		}
		if strings.HasPrefix(fmt.Sprint(r[0]), "Undo") != (kind&undo != 0) {
			t.Errorf("%s has type %d", r[0], kind)
		}
	}
}

// plainHTTP is the condition by which a first installation refuses a property that is plain http to another machine.
func plainHTTP(name string) string {
	return strings.ReplaceAll(`Installed OR PREVIOUSVERSIONFOUND OR ALLOW_INSECURE="1" OR ALLOW_INSECURE~="YES" OR ALLOW_INSECURE~="TRUE" OR NOT `+
		`(X~<<"http://" AND NOT (X~<<"http://localhost" OR X~<<"http://127." OR X~<<"http://[::1]")) | X is plain http to another machine; `+
		`take an https address. ALLOW_INSECURE=1 accepts it, where every machine on the way is trusted.`, "X", name)
}

// A refused installation says why; a removal is never refused.
func TestAnMSISaysWhyItIsRefused(t *testing.T) {
	d := openMSI(t, input(t, windowsOn("amd64")))
	golden(t, rows(d, "LaunchCondition"), `
Installed OR NOT (CODE OR ACTIVATION_CODE) OR (REGION AND (ID OR ACTIVATION_ID)) | To register, REGION, CODE and ID are needed together.
Installed OR NOT (ID OR ACTIVATION_ID) OR (REGION AND (CODE OR ACTIVATION_CODE)) | To register, REGION, CODE and ID are needed together.
Installed OR NOT NEWERVERSIONFOUND | A newer version of [ProductName] is installed; it is not replaced by version [ProductVersion].`+
		` Remove it first if you want to go back.
Installed OR NOT SOURCE OR REGION | SOURCE is where the packages of a region come from: REGION is needed, too.
`+plainHTTP("ENDPOINT")+"\n"+plainHTTP("SOURCE")+`
Installed OR Privileged | [ProductName] can only be installed by an administrator.
Installed OR WINDOWSMAJOR | [ProductName] needs Windows Server 2016 or Windows 10 or later.`)
	if got := strings.Join(rows(d, "CustomAction"), "\n"); got != strings.TrimSpace(`
AwaitEnd | 3154 | ssm_agent_worker.exe | package wait
CheckLinks | 3090 | ssm_agent_worker.exe | -tools -winOnFirstInstallChecks
ClearRegistration | 3154 | ssm_agent_worker.exe | -register -clear -y
FinishSettings | 3602 | ssm_agent_worker.exe | package settings -keep
ForgetVersions | 3154 | ssm_agent_worker.exe | package forget -product "[ProductCode]"
KeepFloor | 3154 | amazon_ssm_agent.exe | updater keep-floor
PlaceForActivation | 3090 | ssm_agent_worker.exe | package register -prepare
PrepareFolders | 3090 | ssm_agent_worker.exe | package prepare
RegisterNode | 3090 | ssm_agent_worker.exe | package register
SetRecovery | 3154 | ssm_agent_worker.exe | package recovery
TakeActivationCode | 51 | CODE | [ACTIVATION_CODE]
TakeActivationId | 51 | ID | [ACTIVATION_ID]
TellFolder | 51 | ARPINSTALLLOCATION | [AgentFolder]
UndoActivation | 3346 | ssm_agent_worker.exe | package register -undo
UndoFolders | 3346 | ssm_agent_worker.exe | package prepare -undo
UndoRegistration | 3346 | ssm_agent_worker.exe | -register -clear -y
UndoSettings | 3346 | ssm_agent_worker.exe | package settings -undo
WriteSettings | 3090 | ssm_agent_worker.exe | package settings -region "[REGION]" -endpoint "[ENDPOINT]" `+
		`-allow-insecure="[ALLOW_INSECURE]" -source "[SOURCE]"`) {
		t.Errorf("actions:\n%s", got)
	}
	for action, want := range map[string]string{
		"ForgetVersions":    `REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE`,
		"ClearRegistration": `REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE AND CLEARREGISTRATION~="YES"`,
		"PrepareFolders":    `NOT REMOVE="ALL"`,
		"AwaitEnd":          `(PREVIOUSVERSIONFOUND OR REMOVE="ALL") AND NOT UPGRADINGPRODUCTCODE`,
		"UndoFolders":       `NOT REMOVE="ALL" AND NOT Installed AND NOT PREVIOUSVERSIONFOUND`,
	} {
		if got := conditions(d)[action]; got != want {
			t.Errorf("%s happens when %q", action, got)
		}
	}
}

// Every column of every table has its row in _Validation, and what the rows ask for holds.
func TestEveryColumnOfAnMSIIsValidated(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", "386"} {
		d := openMSI(t, input(t, windowsOn(arch)))
		described := map[string]bool{}
		for _, r := range d.Table("_Validation").Rows {
			described[fmt.Sprint(r[0], ".", r[1])] = true
		}
		columns := 0
		for _, table := range d.Tables {
			for _, c := range table.Columns {
				if columns++; !described[table.Name+"."+c.Name] {
					t.Errorf("%s: nothing is said of %s.%s", arch, table.Name, c.Name)
				}
			}
		}
		if columns != len(described) || d.Table("_Validation") == nil {
			t.Errorf("%s: %d columns, %d are described", arch, columns, len(described))
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", arch, err)
		}
		if d.Summary.Schema != 500 {
			t.Errorf("%s: for Windows Installer %d", arch, d.Summary.Schema)
		}
	}
}

func TestA32BitMSIIsForThe32BitFolders(t *testing.T) {
	d := openMSI(t, input(t, windowsOn("386")))
	if got := rows(d, "Directory")[2]; got != "ProgramFilesFolder | TARGETDIR | ." {
		t.Errorf("folder %s", got)
	}
	for _, r := range d.Table("Component").Rows {
		if r[3].(int)&0x100 != 0 {
			t.Errorf("component %v is for 64 bits", r)
		}
	}
	if !slices.ContainsFunc(rows(d, "LaunchCondition"), func(s string) bool { return strings.HasPrefix(s, "Installed OR NOT VersionNT64") }) {
		t.Error("it could be installed beside the 64-bit one")
	}
}

func TestAVersionThatWindowsCannotCompareIsRefused(t *testing.T) {
	for text, fits := range map[string]bool{"9.1.0.0": true, "127.255.65535.0": true, "9.1.0.1": false, "128.0.0.0": false,
		"9.256.0.0": false, "9.1.65536.0": false} {
		in := input(t, windowsOn("amd64"))
		in.Version = manifests.MustVersion(text)
		_, err := pack.Make(format(t, "msi"), in, t.TempDir())
		if fits != (err == nil) || !fits && (!errors.Is(err, pack.ErrThreeParts) || !strings.Contains(err.Error(), "fourth part is 0")) {
			t.Errorf("%s: %v", text, err)
		}
		if err2 := format(t, "exe").Fits(in.Version); (err2 == nil) != fits {
			t.Errorf("exe of %s: %v", text, err2)
		}
	}
}

func TestASetupProgramCarriesTheMSI(t *testing.T) {
	in := input(t, windowsOn("amd64"))
	exe := make1(t, "exe", in)
	got, err := setupexe.Read(bytes.NewReader(exe), int64(len(exe)))
	if err != nil || !bytes.Equal(got, make1(t, "msi", in)) {
		t.Errorf("it carries %d bytes, %v", len(got), err)
	}
	if !bytes.HasPrefix(exe, []byte("program "+pack.Carrier)) {
		t.Errorf("it begins with %.30q", exe)
	}
}

package pack

import (
	"fmt"
	"path"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/container/msi"
)

// The Windows package promises what the Linux ones do: an upgrade never deletes the service, never stops it for good and never
// resets what an admin set (start type, account, Environment, recovery), and nothing but a removal removes.
//
//   - The component of the launcher has its GUID for ever, so Windows Installer counts old and new package as two owners of
//     one component. The new one is installed over the old one, and only when that is finished is the old one removed
//     (RemoveExistingProducts behind InstallFinalize): what both own stays. As a second lock, StopServices and DeleteServices
//     do nothing in a removal that is part of an upgrade.
//   - InstallServices would write start type and account anew, and our own action the recovery (Windows Installer's table for
//     that does not work, say its own makers). Both run only where there is no such service yet (AppSearch: SERVICEIMAGE).
//     ServiceInstall's row stays in place for that first time and for a repair after the service was deleted by hand.
//   - The service is stopped for the exchange of its files (and its processes are waited for, which end a moment later) and
//     started afterwards, unless it is disabled (SERVICESTART). Its
//     start is not waited for: a machine that is not through with its own setup must not undo ours.
//   - Documents and sessions live in processes of their own. The Restart Manager would end them in a silent installation; it
//     is switched off. A program still in use is replaced at the next start of the machine (exit code 3010); no restart is
//     made by itself.
//   - Programs state their version (package resource), and the File table repeats it, so Windows Installer replaces older ones
//     and never newer ones; documents have hashes, so a template that an admin edited is kept.
//   - What the agent and admins make (settings, registration, data, logs) belongs to no component, so a removal leaves it.
//   - The folder of data is made here, with access for administrators and the system alone, and the pointer's slots in it: the
//     worker does that (`package prepare`), because Windows Installer sets access only on what it creates itself.
//
// An original agent is taken over in place: its service is a service of that name like any other, so its start type, account,
// Environment and recovery stay, its registration too, and at no time is there none. What its installer is called by Windows
// (upgrade code, product codes) is not known and differs between its versions, so it is not removed; its entry among the
// programs is hidden until ours is removed, because removing it would take our programs along.
//
// Downgrades are refused by a launch condition (1603), before anything changes. The upper end of what is replaced includes the
// package's own version: a.b.c under another ProductCode (another architecture) is an upgrade, too.
//
// Properties: REGION, CODE and ID register; ACTIVATION_CODE and ACTIVATION_ID are other names. ENDPOINT names services in place of the
// region's, SOURCE is where packages come from (with REGION), ALLOW_INSECURE=1 accepts one of them that is plain http to another machine.
// An upgrade or repair keeps a registration there is, unless OVERRIDE=YES; a first installation with a code always registers. A verbose
// log (/l*v) shows what is written into the registry, the code among it: with a code, take /l*. CLEARREGISTRATION=YES at removal forgets
// it. ALLOWEC2INSTALL is taken and means nothing.
const (
	ProductName  = "Amazon SSM Agent"
	ProductMaker = "ssm-setup authors"
	serviceName  = "AmazonSSMAgent"
	serviceKey   = `SYSTEM\CurrentControlSet\Services\` + serviceName
	featureName  = "Agent"
	agentFolder  = "AgentFolder" // small letters: not to be set on the command line
)

// Numbers of Windows Installer.
const (
	component64       = 0x100
	transitive        = 0x40
	fileVital         = 0x200
	localMachine      = 2
	serviceOwnProcess = 0x10
	serviceAutomatic  = 2
	serviceNormal     = 1 | 0x8000 // an installation without the service has failed
	onInstallStart    = 0x01
	onInstallStop     = 0x02
	onRemovalStop     = 0x20
	onRemovalDelete   = 0x80
	upgradeMigrate    = 0x001
	upgradeDetect     = 0x002
	upgradeMinIn      = 0x100
	upgradeMaxIn      = 0x200
	searchRaw         = 2
	search64          = 16
)

// product is a package being made; the first error counts.
type product struct {
	in  Input
	db  *msi.Database
	err error
}

func (p *product) add(table string, values ...any) {
	if err := p.db.Add(table, values...); err != nil && p.err == nil {
		p.err = err
	}
}

// bits is 386, where files and keys lie elsewhere on a 64-bit Windows, or not.
func (p *product) bits() int {
	if p.in.Platform.Arch == "386" {
		return 32
	}
	return 64
}

// only64 is a flag that packages for 64-bit systems have.
func (p *product) only64(flag int) int {
	if p.bits() == 64 {
		return flag
	}
	return 0
}

func (p *product) three() string {
	n := p.in.Version.Parts()
	return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
}

// upgradeCode is one for all versions and architectures: there is one service.
func upgradeCode() string { return msi.GUID("upgrade code", Launcher) }

func (p *product) tables(files []msiFile) {
	p.properties()
	p.folders()
	p.files(files)
	p.service(identifier(p.in.Platform.Executable(Launcher)))
	p.activation()
	p.upgrade()
	p.searches()
	p.conditions()
}

func (p *product) properties() {
	secure := []string{previousFound, newerFound, serviceImage, serviceStart, windowsMajor, registered,
		"REGION", "CODE", "ID", "ENDPOINT", "SOURCE", "ALLOW_INSECURE", "ACTIVATION_CODE", "ACTIVATION_ID", "OVERRIDE", "CLEARREGISTRATION",
		"ALLOWEC2INSTALL", "SKIPSYMLINKSCAN"}
	for _, row := range [][2]string{
		{"ProductName", ProductName},
		{"Manufacturer", ProductMaker},
		{"ProductVersion", p.three()},
		{"ProductLanguage", "1033"},
		{"ProductCode", msi.GUID("product code", Launcher, p.in.Version.String(), p.in.Platform.Arch)},
		{"UpgradeCode", upgradeCode()},
		{"ALLUSERS", "1"},
		{"REBOOT", "ReallySuppress"},
		{"REINSTALLMODE", "emus"}, // programs of the same version too: a.b.c of another architecture is an upgrade
		{"MSIRESTARTMANAGERCONTROL", "Disable"},
		{"SecureCustomProperties", strings.Join(secure, ";")},
		{"MsiHiddenProperties", "CODE;ACTIVATION_CODE"},
		{"ARPCOMMENTS", "Makes this machine a managed node of AWS Systems Manager"},
		{"ARPURLINFOABOUT", homepage},
		{"ARPHELPLINK", homepage},
		{"ARPNOMODIFY", "1"},
	} {
		p.add("Property", row[0], row[1])
	}
}

// trustFolder holds a root of trust, see [TrustFile].
const trustFolder = "TrustFolder"

func (p *product) folders() {
	programs := "ProgramFilesFolder"
	if p.bits() == 64 {
		programs = "ProgramFiles64Folder"
	}
	p.add("Directory", "TARGETDIR", nil, "SourceDir")
	p.add("Directory", programs, "TARGETDIR", ".")
	p.add("Directory", "AmazonFolder", programs, "Amazon")
	p.add("Directory", agentFolder, "AmazonFolder", "SSM")
	if len(p.in.Trust) > 0 {
		p.add("Directory", trustFolder, agentFolder, path.Dir(TrustFile))
	}
	const everything = 0x18 // not to be advertised, not to be left out
	p.add("Feature", featureName, nil, ProductName, "Programs and service", 1, 1, nil, everything)
}

// files makes a component of each file, whose GUID follows from where the file lies: the same for every version.
func (p *product) files(files []msiFile) {
	for i, f := range files {
		id := msi.GUID("component", fmt.Sprint(p.bits()), strings.ToLower(f.folder+f.name))
		folder := agentFolder
		if f.folder != "" {
			folder = trustFolder
		}
		p.add("Component", f.key, id, folder, p.only64(component64), nil, f.key)
		p.add("FeatureComponents", featureName, f.key)
		if f.version == "" {
			h := f.hashParts()
			p.add("MsiFileHash", f.key, 0, h[0], h[1], h[2], h[3])
		}
		p.add("File", f.key, f.key, shortName(f.name, i)+f.name, int(f.size), f.version, f.lang, fileVital, i+1)
	}
	p.add("Media", 1, len(files), nil, "#"+cabinetName)
	launcher := identifier(p.in.Platform.Executable(Launcher))
	for i, name := range links {
		exe := p.in.Platform.Executable(name)
		p.add("DuplicateFile", identifier(exe), launcher, launcher, shortName(exe, len(files)+i)+exe, agentFolder)
	}
}

// shortName is the name for the eyes of DOS, with a bar behind it; none where the name is short enough itself.
func shortName(name string, n int) string {
	stem, ext, _ := strings.Cut(name, ".")
	if i := strings.LastIndexByte(ext, '.'); i >= 0 {
		ext = ext[i+1:]
	}
	if len(stem) <= 8 && len(ext) <= 3 && strings.Count(name, ".") < 2 {
		return ""
	}
	stem = strings.ToUpper(strings.ReplaceAll(stem, "-", ""))
	return fmt.Sprintf("%s~%d.%s|", stem[:min(5, len(stem))], n+1, strings.ToUpper(ext[:min(3, len(ext))]))
}

// service is the launcher's (docs/protocol/update.md, "Windows packages"), started with Windows.
func (p *product) service(component string) {
	p.add("ServiceInstall", serviceName, serviceName, ProductName, serviceOwnProcess, serviceAutomatic, serviceNormal, nil, nil, nil, nil,
		"service", component, ProductName)
	p.add("ServiceControl", "Start", serviceName, onInstallStart, nil, 0, component)
	p.add("ServiceControl", "Stop", serviceName, onInstallStop|onRemovalStop|onRemovalDelete, nil, 1, component)
	p.add("Registry", "Version", localMachine, serviceKey, "Version", p.in.Version.String(), component)
	p.add("Registry", "Owner", localMachine, serviceKey, "ProductCode", "[ProductCode]", component) // whose removal is one
}

// activationKey holds an activation from WriteRegistryValues to the registration, which removes it: a command line, which Windows shows
// to others and may write down, does not. The key is made before, for the system and administrators alone (`package register
// -prepare`). Its component is there only where this installation registers, is asked anew each time, and has no file to be missed.
const activationKey = `SOFTWARE\AmazonSSMAgentActivation`

func (p *product) activation() {
	const component = "Activation"
	p.add("Component", component, msi.GUID("component", fmt.Sprint(p.bits()), "activation"), agentFolder, p.only64(component64)|transitive,
		registering, nil)
	p.add("FeatureComponents", featureName, component)
	p.add("CreateFolder", agentFolder, component)
	for _, row := range [][3]string{{"ActivationRegion", "Region", "[REGION]"}, {"ActivationId", "Id", "[ID]"},
		{"ActivationCode", "Code", "[CODE]"}} {
		p.add("Registry", row[0], localMachine, activationKey, row[1], row[2], component)
	}
}

// upgrade says what is replaced and what must not be. Both ends of both ranges are there, and
// none is above 127: wine takes an open end for 0 and compares with a sign.
func (p *product) upgrade() {
	p.add("Upgrade", upgradeCode(), "0.0.0", p.three(), nil, upgradeMigrate|upgradeMinIn|upgradeMaxIn, nil, previousFound)
	p.add("Upgrade", upgradeCode(), p.three(), "127.255.65535", nil, upgradeDetect|upgradeMaxIn, nil, newerFound)
}

// Properties that Windows Installer fills in.
const (
	previousFound = "PREVIOUSVERSIONFOUND"
	newerFound    = "NEWERVERSIONFOUND"
	serviceImage  = "SERVICEIMAGE" // the service's program: there is a service
	serviceStart  = "SERVICESTART" // "#4": disabled
	windowsMajor  = "WINDOWSMAJOR" // "#10"; nothing before Windows 10 and Server 2016
	registered    = "REGISTERED"   // the registration's file
)

func (p *product) searches() {
	for _, s := range [][3]string{
		{serviceImage, serviceKey, "ImagePath"},
		{serviceStart, serviceKey, "Start"},
		{windowsMajor, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, "CurrentMajorVersionNumber"},
	} {
		p.add("AppSearch", s[0], s[0])
		p.add("RegLocator", s[0], localMachine, s[1], s[2], searchRaw|p.only64(search64))
	}
	p.add("AppSearch", registered, registered)
	p.add("Signature", registered, "registration")
	p.add("DrLocator", registered, nil, `[CommonAppDataFolder]Amazon\SSM\InstanceData`, 0)
}

// conditions are what must hold before anything is changed; a removal must always be possible.
func (p *product) conditions() {
	p.add("LaunchCondition", "Installed OR NOT "+newerFound,
		"A newer version of [ProductName] is installed; it is not replaced by version [ProductVersion]. "+
			"Remove it first if you want to go back.")
	p.add("LaunchCondition", "Installed OR "+windowsMajor, "[ProductName] needs Windows Server 2016 or Windows 10 or later.")
	p.add("LaunchCondition", "Installed OR Privileged", "[ProductName] can only be installed by an administrator.")
	const codes = "(CODE OR ACTIVATION_CODE)"
	const ids = "(ID OR ACTIVATION_ID)"
	p.add("LaunchCondition", fmt.Sprintf("Installed OR NOT %s OR (REGION AND %s)", codes, ids),
		"To register, REGION, CODE and ID are needed together.")
	p.add("LaunchCondition", fmt.Sprintf("Installed OR NOT %s OR (REGION AND %s)", ids, codes),
		"To register, REGION, CODE and ID are needed together.")
	p.add("LaunchCondition", "Installed OR NOT SOURCE OR REGION", "SOURCE is where the packages of a region come from: REGION is needed, too.")
	for _, name := range []string{"ENDPOINT", "SOURCE"} {
		p.add("LaunchCondition", "Installed OR "+previousFound+" OR "+allowsInsecure+" OR NOT "+insecure(name), name+
			" is plain http to another machine; take an https address. ALLOW_INSECURE=1 accepts it, where every machine on the way is trusted.")
	}
	if p.bits() == 32 {
		p.add("LaunchCondition", "Installed OR NOT VersionNT64", "This is a 64-bit Windows; take the 64-bit package of [ProductName].")
	}
}

// allowsInsecure holds with the property by which a person accepts plain http; the worker takes the same values.
const allowsInsecure = `ALLOW_INSECURE="1" OR ALLOW_INSECURE~="YES" OR ALLOW_INSECURE~="TRUE"`

// insecure holds where a property is plain http to another machine. It is there to tell people before anything is changed, at a first
// installation; the worker decides, which also knows what the settings have already.
func insecure(property string) string {
	return fmt.Sprintf(`(%[1]s~<<"http://" AND NOT (%[1]s~<<"http://localhost" OR %[1]s~<<"http://127." OR %[1]s~<<"http://[::1]"))`, property)
}

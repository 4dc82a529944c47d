package pack

// Kinds of custom actions.
const (
	setProperty = 51
	runProgram  = 18 // a file of the package, with arguments

	evenIfItFails = 0x40
	whenUndoing   = 0x100
	whenDone      = 0x200
	inOrder       = 0x400 // deferred
	asSystem      = 0x800
)

// Names of custom actions.
const (
	stepCode         = "TakeActivationCode"
	stepID           = "TakeActivationId"
	stepFolder       = "TellFolder"
	stepKeepFloor    = "KeepFloor"
	stepAwait        = "AwaitEnd"
	stepRecovery     = "SetRecovery"
	stepUnprepare    = "UndoFolders"
	stepPrepare      = "PrepareFolders"
	stepUnsettle     = "UndoSettings"
	stepSettle       = "WriteSettings"
	stepSettled      = "FinishSettings"
	stepUnwrite      = "UndoActivation"
	stepPlace        = "PlaceForActivation"
	stepUnregister   = "UndoRegistration"
	stepRegister     = "RegisterNode"
	stepForgetNode   = "ClearRegistration"
	stepForget       = "ForgetVersions"
	stepLinks        = "CheckLinks"
	orderedRun       = runProgram | inOrder | asSystem
	undoingRun       = orderedRun | whenUndoing
	removing         = `REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE`
	changing         = `NOT REMOVE="ALL"`
	settling         = changing + " AND (REGION OR ENDPOINT OR SOURCE)"
	registering      = changing + " AND REGION AND CODE AND ID AND (NOT " + registered + " OR NOT " + serviceImage + ` OR OVERRIDE~="YES")`
	unlessUpgraded   = "NOT UPGRADINGPRODUCTCODE"
	unlessService    = "NOT " + serviceImage
	unlessSwitched   = "NOT " + serviceStart + `="#4"`
	neverInstalledIt = unlessService + " AND NOT Installed AND NOT " + `SKIPSYMLINKSCAN~="YES"`
)

// settingsCall has the source at its end: a path with a backslash as its last character would take the quote for itself, and with it what
// follows.
const settingsCall = `package settings -region "[REGION]" -endpoint "[ENDPOINT]" -allow-insecure="[ALLOW_INSECURE]" -source "[SOURCE]"`

// step is one row of a sequence.
type step struct {
	name, when string
	at         int
}

// steps are the sequences and what our own actions do.
//
// The registry's Version is written behind InstallServices, not before it as in most packages: the service's key shall be made
// by the service manager. Our own actions run as the system, when the files are there and before the service starts, each
// undoing one in front of the one it undoes.
func (p *product) steps() {
	p.actions()
	first := []step{{"FindRelatedProducts", "", 25}, {"AppSearch", "", 50}, {"LaunchConditions", "", 100}}
	costs := []step{{"CostInitialize", "", 800}, {"FileCost", "", 900}, {"CostFinalize", "", 1000}}
	begin := []step{{"InstallValidate", "", 1400}, {"InstallInitialize", "", 1500}}
	publish := []step{{"PublishFeatures", "", 6300}, {"PublishProduct", "", 6400}, {"InstallFinalize", "", 6600}}
	p.sequence("InstallExecuteSequence", first, costs, begin, publish, []step{
		{"ValidateProductID", "", 700},
		{stepCode, "ACTIVATION_CODE AND NOT CODE", 710},
		{stepID, "ACTIVATION_ID AND NOT ID", 720},
		{stepFolder, changing, 1010},
		{"MigrateFeatureStates", "", 1200},
		{"ProcessComponents", "", 1600},
		{"UnpublishFeatures", "", 1800},
		{stepKeepFloor, changing + " AND " + previousFound, 1850},
		{"StopServices", unlessUpgraded, 1900},
		{stepAwait, "(" + previousFound + ` OR REMOVE="ALL") AND ` + unlessUpgraded, 1910},
		{stepForgetNode, removing + ` AND CLEARREGISTRATION~="YES"`, 1950},
		{stepForget, removing, 1960},
		{"DeleteServices", unlessUpgraded, 2000},
		{"RemoveRegistryValues", "", 2600},
		{"RemoveDuplicateFiles", "", 3400},
		{"RemoveFiles", "", 3500},
		{"RemoveFolders", "", 3600},
		{"CreateFolders", "", 3700},
		{"InstallFiles", "", 4000},
		{"DuplicateFiles", "", 4210},
		{stepLinks, neverInstalledIt, 4300},
		{"InstallServices", unlessService, 5100},
		{stepRecovery, unlessService + " AND " + changing, 5200},
		{stepUnwrite, registering, 5280},
		{stepPlace, registering, 5290},
		{"WriteRegistryValues", "", 5300},
		{stepUnprepare, changing + " AND NOT Installed AND NOT " + previousFound, 5340},
		{stepPrepare, changing, 5350},
		{stepUnsettle, settling, 5400},
		{stepSettle, settling, 5410},
		{stepSettled, settling, 5420},
		{stepUnregister, registering + " AND NOT " + registered, 5500},
		{stepRegister, registering, 5510},
		{"StartServices", unlessSwitched, 5900},
		{"RegisterUser", "", 6000},
		{"RegisterProduct", "", 6100},
		{"RemoveExistingProducts", "", 6700},
	})
	p.sequence("InstallUISequence", first, costs, []step{{"ExecuteAction", "", 1300}})
	p.sequence("AdminExecuteSequence", costs, begin, []step{{"InstallAdminPackage", "", 3900}, {"InstallFiles", "", 4000},
		{"InstallFinalize", "", 6600}})
	p.sequence("AdminUISequence", costs, []step{{"ExecuteAction", "", 1300}})
	p.sequence("AdvtExecuteSequence", []step{{"CostInitialize", "", 800}, {"CostFinalize", "", 1000}}, begin, publish)
}

func (p *product) sequence(table string, parts ...[]step) {
	for _, part := range parts {
		for _, s := range part {
			p.add(table, s.name, s.when, s.at)
		}
	}
}

// actions are our own. The agent does the work: `ssm-agent-worker package` has the words that only packages use.
func (p *product) actions() {
	launcher, worker := identifier(p.in.Platform.Executable(Launcher)), identifier(p.in.Platform.Executable(Worker))
	for _, a := range []struct {
		name           string
		kind           int
		source, target string
	}{
		{stepCode, setProperty, "CODE", "[ACTIVATION_CODE]"},
		{stepID, setProperty, "ID", "[ACTIVATION_ID]"},
		{stepFolder, setProperty, "ARPINSTALLLOCATION", "[" + agentFolder + "]"},
		{stepKeepFloor, orderedRun | evenIfItFails, launcher, "updater keep-floor"},
		{stepLinks, orderedRun, worker, "-tools -winOnFirstInstallChecks"},
		{stepAwait, orderedRun | evenIfItFails, worker, "package wait"},
		{stepRecovery, orderedRun | evenIfItFails, worker, "package recovery"},
		{stepUnprepare, undoingRun, worker, "package prepare -undo"},
		{stepPrepare, orderedRun, worker, "package prepare"},
		{stepUnsettle, undoingRun, worker, "package settings -undo"},
		{stepSettle, orderedRun, worker, settingsCall},
		{stepSettled, orderedRun | whenDone, worker, "package settings -keep"},
		{stepUnregister, undoingRun, worker, "-register -clear -y"},
		{stepUnwrite, undoingRun, worker, "package register -undo"},
		{stepPlace, orderedRun, worker, "package register -prepare"},
		{stepRegister, orderedRun, worker, "package register"},
		{stepForgetNode, orderedRun | evenIfItFails, worker, "-register -clear -y"},
		{stepForget, orderedRun | evenIfItFails, worker, `package forget -product "[ProductCode]"`},
	} {
		p.add("CustomAction", a.name, a.kind, a.source, a.target)
	}
}

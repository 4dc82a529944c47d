package house_test

import "testing"

// hostKinds are the kinds of hosts that the product is for, and what is promised of each.
var hostKinds = []shown{
	{"systemd", "test/boot:TestAPackageLivesThroughUpdateUpgradeAndRemoval"},
	{"no service manager", "test/boot:TestWhereNoServiceManagerRunsTheInstalledPackageIsAtWork"},
	{"Upstart, by recorded calls: an exchange", "updater/takeover:TestUpstartIsAskedInItsOwnWords"},
	{"Upstart, by recorded calls: scripts of update archives", "installer/pack:TestUpdateScriptsAnswerAsUpdatersExpect"},
	{"OpenRC and SysV are known in a booted container", "no test: the exchange's answer alone is held, see the next line"},
	{"OpenRC and SysV: no exchange, and the command", "updater/takeover:TestSystemsWithoutAKnownServiceManagerAreToldTheCommand"},
	{"deb and rpm: an administrator's word", "test/boot:TestPackageManagersKeepTheAgentAtWork"},
	{"deb and rpm: the agent at work in front of each script", "test/boot:TestPackageManagersKeepTheAgentAtWork"},
	{"tar", "test/story:TestStories"},
	{"tar: exit codes of the archive's scripts", "installer/pack:TestUpdateScriptsAnswerAsUpdatersExpect"},
	{"snap: as the original's is described", "test/house:TestTheSnapIsDescribedAsTheOriginalsIs"},
	{"snap: packages are refused beside it", "installer/pack:TestPackagesRefuseASystemWithTheSnap"},
	{"snap, by recorded calls: an exchange", "updater/takeover:TestAnOriginalIsExchangedForOursInOneTransaction"},
	{"snap that is busy", "installer/setup:TestASnapThatIsBusyIsRemovedLater"},
	{"/usr is read-only", "no test: updates write below /var alone, installer:TestEverythingLiesUnderTheRoot"},
	{"/var is mounted noexec: named by install (noexec.txtar)", "test/story:TestStories"},
	{"/var is mounted noexec: no fault of the release", "updater:TestAStoreWithoutExecutionIsNamed"},
	{"/var is mounted noexec: steps say so", "agent/plugins:TestAScriptThatCannotRunForNoExecSaysSo"},
	{"package upgrade and removal over an update", "test/boot:TestAPackageLivesThroughUpdateUpgradeAndRemoval"},
	{"package downgrade and reinstallation over an update", "no test: over a package alone, test/boot:TestPackageManagersKeepTheAgentAtWork"},
	{"packages of earlier releases", "test/boot:TestHostsWithEarlierPackagesAreUpgradedAndGoBackAndForward"},

	{"Windows: the service is not stopped, removed or made anew by an update", "no test: under a root alone, see below"},
	{"Windows: nor deleted by a package upgrade; recovery actions", "installer/pack:TestAnMSIKeepsTheServiceThroughAnUpgrade"},
	{"Windows: parent, stop and switch without signals; files in use", "test/boot:TestWindowsUpdatesGoesBackAndUninstallsUnderARoot"},
	{"Windows: the same rules room by room, the long ones by make test-wine-long", "test/boot:TestRoomsThatAskTheSystemPassOnWindows"},
	{"Windows: the store under Program Files", "installer:TestEverythingLiesUnderTheRoot"},
	{"Windows: the registry's Version names what was confirmed", "no test: it names the package's version, see the next line"},
	{"Windows: the registry's Version is the package's", "test/boot:TestTheMSIInstallsRegistersUpgradesAndLeaves"},

	{"macOS: a disabled job", "installer/service:TestAJobThatIsDisabledDoesNotComeBack"},
	{"macOS: a disabled job, at a package upgrade", "installer/pack:TestAPkgLeavesADisabledServiceDisabled"},
	{"macOS: structure of a pkg", "installer/pack:TestLibarchiveReadsPayloadAndScriptsOfAPkg"},
	{"macOS: the job", "installer/pack:TestTheLaunchdJobIsTheOriginals"},

	{"power cuts: updates on ext4 and xfs", "test/boot:TestAHostComesThroughPowerCutsInUpdates"},
	{"power cuts: exchanges", "test/boot:TestAnExchangeOfAgentsComesThroughPowerCuts"},
	{"hundreds of updates", "test/soak:TestHostsAreUpdatedBackAndForthUnderCommands"},
}

// Each kind names a test that is there, or says that none is.
func TestEveryKindOfHostIsHeldByATest(t *testing.T) {
	for _, s := range hostKinds {
		s.isThere(t)
	}
}

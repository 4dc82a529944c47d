package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shown is a statement of docs/protocol/update.md and where it is held: a test, as "room:Name", or a sentence on why it does not arise.
type shown struct{ statement, where string }

// updateMusts are the statements of its section 1 that other programs depend on.
var updateMusts = []shown{
	{"1.1 a newer updater understands every older agent's command line", "updater/takeover:TestTheCommandLineOfEveryOriginalIsTaken"},
	{"1.6 keys of a manifest in any case", "manifests:TestAListingKnowsVersionsAndTheirStatus"},
	{"1.10 ignored flags stay defined", "updater/takeover:TestTheCommandLineOfEveryOriginalIsTaken"},
	{"1.10 the updater survives the stop of the service", "test/boot:TestAnOriginalIsTakenOverByItsOwnDocumentAndComesBack"},
	{"1.10 the login shell of ssm-user on macOS", "updater/takeover:TestTheAccountOfSessionsLosesItsLoginShellOnMacOS"},
	{"1.10 another package is none of this system's", "updater/takeover:TestAnotherPackageThanTheAgentsIsRefused"},
	{"1.12 the lock interoperates", "installer/host:TestAPidLockHasTheOriginalsFiles"},
	{"1.15 worker under the original's names and paths", "installer:TestEverythingLiesUnderTheRoot"},
	{"1.15 the registry's Version on Windows", "updater/takeover:TestWindowsHasToNameItsVersion"},
	{"1.10 a panic is reported", "updater/takeover:TestAPanicIsAnsweredAsAFailure"},
	{"1.18 audit events are lines", "updater/takeover:TestNoVersionBeginsALineOfItsOwnInTheAuditFile"},
	{"1.18 a command of ssmmessages is answered", "test/boot:TestTheKeeperGoesOnWhereTheUpdaterIsKilled"},
	{"1.18 the output goes into the command's bucket", "updater/takeover:TestWhatTheStepPrintedIsUploadedOnceItIsAnswered"},
	{"1.18 replies_mgs is watched and its files are sent", "agent/mailbox:TestTheReplyThatAnUpdaterLeftIsSent"},
}

// updateBehaviours are those of its section 7 about an update, by number.
var updateBehaviours = map[int]shown{
	1:  {"22 elements", "updater/takeover:TestTheCommandLineOfEveryOriginalIsTaken"},
	2:  {"the disable flag", "updater/takeover:TestTheCommandLineOfEveryOriginalIsTaken"},
	3:  {"allowDowngrade is no truth value", "agent/plugins:TestAnUpdateThatIsNotTakenFails"},
	4:  {"a message id with blanks", "updater/takeover:TestTheCommandLineOfEveryOriginalIsTaken"},
	5:  {"None", "updater/takeover:TestAnUpdateIsDecidedInTheOriginalsWords"},
	6:  {"properties that are text", "agent/plugins:TestAnUpdateThatIsNotTakenFails"},
	7:  {"no manifest", "our plugin fetches none: its updater is the one installed, and says so in the answer"},
	8:  {"no updater", "our plugin fetches none"},
	9:  {"no space", "our plugin writes nothing; the updater refuses a full disk"},
	10: {"the disk cannot be asked", "our plugin does not ask"},
	11: {"the second start works", "our plugin hands a request over, which is on disk before a process starts"},
	12: {"the updater is gone", "updater:TestTheUpdatersFirstLineDecides"},
	13: {"processes cannot be asked", "our plugin reads the updater's first line instead"},
	14: {"another holds the lock", "installer/host:TestAPidLockOfAnotherProcessHolds"},
	15: {"the holder is dead", "installer/host:TestThePidLockOfADeadProcessIsTaken"},
	16: {"the lock lapsed", "installer/host:TestAPidLockOfAnotherProcessHolds"},
	17: {"the lock is the updater's", "updater/takeover:TestTheLockThatAPluginHandsOverIsTaken"},
	18: {"a panic frees the lock", "our plugin holds no lock"},
	19: {"CheckSum or Checksum", "manifests:TestAListingKnowsVersionsAndTheirStatus"},
	20: {"status", "manifests:TestAListingKnowsVersionsAndTheirStatus"},
	21: {"status by platform", "manifests:TestTheLatestActiveVersionIsThatOfItsPlatform"},
	22: {"unknown package", "manifests:TestADamagedManifestIsRefusedInTheOriginalsWords"},
	23: {"empty UriFormat", "manifests:TestADamagedManifestIsRefusedInTheOriginalsWords"},
	24: {"Ubuntu", "updater/takeover:TestASystemGoesByTheOriginalsNames"},
	25: {"Nano", "updater/takeover:TestASystemGoesByTheOriginalsNames"},
	26: {"macOS", "updater/takeover:TestASystemGoesByTheOriginalsNames"},
	27: {"which has systemd", "what runs is looked at, not the version of the system: updater/takeover/managers.go"},
	28: {"a version that is no number", "what runs is looked at"},
	29: {"cn-north-1", "regions:TestEndpointsFollowThePartition"},
	30: {"manifest from a package's address", "updater/takeover:TestTheManifestIsFoundFromAPackagesAddress"},
	31: {"region in the stable address", "regions:TestABucketsAddressFollowsRegionAndEndpoint"},
	32: {"stable beside no manifest", "updater/takeover:TestAnUpdateIsDecidedInTheOriginalsWords"},
	33: {"3.d.32.2", "manifests:TestAVersionFileHoldsOneVersion"},
	46: {"identity selectors", "ours has one way to its identity, whatever version ran before"},
	47: {"uninstall only at a downgrade; ours never does: one transaction",
		"updater/takeover:TestOursIsExchangedForAnOriginalWhoseVersionIsNamed"},
	48:  {"exit 124", "updater/takeover:TestSomeFailuresOfScriptsAreNotTakenBack"},
	49:  {"exit 125", "updater/takeover:TestAFailedPackageManagerIsTriedFourTimesWithWaits"},
	50:  {"running apps", "updater/takeover:TestSomeFailuresOfScriptsAreNotTakenBack"},
	51:  {"install fails", "updater/takeover:TestWhatDoesNotRunIsTakenBack"},
	52:  {"no worker", "updater/takeover:TestWhatDoesNotRunIsTakenBack"},
	53:  {"rollback does not start", "updater/takeover:TestWhatDoesNotRunIsTakenBack"},
	54:  {"uninstall fails", "updater/takeover:TestWindowsRemovesANewerVersionFirst"},
	55:  {"registry", "updater/takeover:TestWindowsHasToNameItsVersion"},
	56:  {"healthy", "updater/takeover:TestAnOriginalIsExchangedForOursInOneTransaction"},
	57:  {"a script hangs", "updater/takeover:TestAScriptThatHangsIsEndedWithAllThatItStarted"},
	58:  {"cloud-init hangs", "updater/takeover:TestCloudInitIsWaitedForTenMinutes"},
	59:  {"the service is stopped", "test/boot:TestAnOriginalIsTakenOverByItsOwnDocumentAndComesBack"},
	60:  {"DeleteMessage last", "updater/takeover:TestAnOriginalIsExchangedForOursInOneTransaction"},
	61:  {"replies_mgs", "updater/takeover:TestACommandOfSSMMessagesIsAnsweredByAFile"},
	62:  {"codes", "updater/takeover:TestWhatDoesNotRunIsTakenBack"},
	63:  {"banner", "updater/takeover:TestAReplysTextIsCutAsTheOriginals"},
	64:  {"keys of steps", "updater/takeover:TestARunOfSchema1IsAnsweredUnderThePlugin"},
	65:  {"self-update", "updater/takeover:TestAScheduledUpdateOfAnOriginalHasNoReply"},
	66:  {"NoAlarm", "updater/takeover:TestSomeFailuresOfScriptsAreNotTakenBack"},
	67:  {"folders that stay", "updater/takeover:TestTheRunningUpdatersFolderStays"},
	68:  {"the service cannot be reached", "updater/takeover:TestAnUpdateGoesOnThoughTheServiceCannotBeReached"},
	100: {"an original's updater and our package", "test/boot:TestAnRPMTakesOverFromTheOriginalsAndGivesBack"},
}

// Each statement names a test that is there, or why there is none.
func TestEveryStatementOnUpdatesIsHeldByATest(t *testing.T) {
	list := append([]shown(nil), updateMusts...)
	for n := 1; n <= 68; n++ {
		s, ok := updateBehaviours[n]
		if n >= 34 && n <= 45 {
			s, ok = shown{"version checks", "updater/takeover:TestAnUpdateIsDecidedInTheOriginalsWords"}, true
		}
		if !ok {
			t.Errorf("behaviour %d is not listed", n)
		}
		list = append(list, s)
	}
	for _, s := range append(list, updateBehaviours[100]) {
		s.isThere(t)
	}
}

// isThere fails where the test that a statement names is not there.
func (s shown) isThere(t *testing.T) {
	t.Helper()
	room, name, ok := strings.Cut(s.where, ":")
	if !ok || strings.Contains(room, " ") {
		return
	}
	files, _ := filepath.Glob(filepath.Join("../..", filepath.FromSlash(room), "*_test.go"))
	found := false
	for _, file := range files {
		text, _ := os.ReadFile(file)
		found = found || strings.Contains(string(text), "func "+name+"(")
	}
	if !found {
		t.Errorf("%s: there is no %s", s.statement, s.where)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/selfswap"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
)

// Exit codes of ssm-setup; the README shows this table.
const (
	exitOK           = 0  // done, or nothing to do
	exitFailed       = 1  // did not work, for a reason none of the others names
	exitUsage        = 2  // bad flag, argument or input
	exitRegion       = 3  // a region could not be reached or read
	exitVerify       = 4  // a checksum, size, version or signature is not what it must be
	exitRefused      = 5  // refused by a rule: downgrade, unsupported platform, another agent runs here
	exitBusy         = 6  // another installation or update is under way
	exitPermission   = 7  // not allowed to read or write here
	exitRegistration = 8  // the service refused the activation
	exitRolledBack   = 9  // the new version failed and the old one is back
	exitNoSpace      = 10 // no room on the disk
	exitUnhealthy    = 11 // installed, but the agent did not become healthy in time
)

// problem is an error for people: "error: cannot <verb> <object>: cause", then a hint and the exit code.
type problem struct {
	verb, object string
	cause        error
	hint         string
	code         int
	name         string // stable word for --json, for example ErrorAttempToDowngrade; empty: from the code
}

func (p *problem) Error() string {
	if p.cause == nil {
		return fmt.Sprintf("cannot %s %s", p.verb, p.object)
	}
	return fmt.Sprintf("cannot %s %s: %v", p.verb, p.object, p.cause)
}

func (p *problem) Unwrap() error { return p.cause }

// cannot makes a problem; explain finds code and hint where they are left out.
func cannot(verb, object string, cause error) *problem {
	return &problem{verb: verb, object: object, cause: cause}
}

func (p *problem) withHint(hint string) *problem { p.hint = hint; return p }
func (p *problem) withCode(code int) *problem    { p.code = code; return p }

// usage is a problem of the command line itself.
func usage(format string, args ...any) *problem {
	return &problem{verb: "understand", object: "the command line", cause: fmt.Errorf(format, args...), code: exitUsage,
		hint: "run the verb with --help"}
}

// explanations map what lower rooms return to an exit code and a next step. First match wins; a verb that knows better
// sets its own.
var explanations = []struct {
	match func(error) bool
	code  int
	hint  string
}{
	{is(context.Canceled), exitFailed, "it was interrupted; run the same command again"},
	{is(syscall.EROFS), exitPermission, "this file system is read-only: name another place, or mount it for writing"},
	{isFull, exitNoSpace, "free some space and run the same command again; nothing was left half done"},
	{is(bucket.ErrUnreachable), exitRegion, "check the address, the network and the proxy settings, then run it again"},
	{is(bucket.ErrMissing), exitRegion, "ssm-setup regions shows what each region serves"},
	{is(bucket.ErrDenied), exitRegion, "the bucket must be public, or the region's name is misspelled"},
	{is(bucket.ErrNotBucket), exitRegion, "something between here and the region answers in its place: check proxy and --endpoint"},
	{isStatus, exitRegion, "the region has a fault of its own: try again later, or another region"},
	{is(bucket.ErrChecksum), exitVerify, "the file is damaged or not what the manifest lists; nothing was installed. Try again, or publish it anew"},
	{is(bucket.ErrSize), exitVerify, "the file is damaged or not what the manifest lists; nothing was installed. Try again, or publish it anew"},
	{is(manifests.ErrVersionFile), exitRegion, "the region's VERSION file is damaged, or a proxy answers in its place"},
	{is(manifests.ErrManifest), exitRegion, "the region's manifest is damaged, or a proxy answers in its place"},
	{is(manifests.ErrNotListed), exitRefused, manifests.HintUnsupported},
	{is(manifests.ErrVersion), exitUsage, "a version has four parts, for example 9.1.0.0; latest, stable and constraints such as '>=9.1' work too"},
	{is(regions.ErrRegion), exitUsage, "a region is named like eu-west-1"},
	{is(pack.ErrNoSource), exitUsage, "run it in the source tree, name the tree with --source, or pack binaries with --bin"},
	{is(pack.ErrOut), exitPermission, "name a folder that you may write to with --out"},
	{is(pack.ErrToolchain), exitFailed, "--toolchain " + pack.LocalToolchain + " compiles with the Go that is installed; its bytes may differ from those of other machines"},
	{is(pack.ErrNoGo), exitFailed, "install Go (see go.mod for the release), or pack binaries with --bin"},
	{is(pack.ErrNothing), exitUsage, "name other formats with --only, or other platforms with --platform: deb and rpm are for linux, msi and exe for windows, pkg for darwin"},
	{is(errNotSetup), exitUsage, "name a file such as " + pack.Setup + "-linux-amd64 of a release"},
	{is(pack.ErrNoBinary), exitUsage, "the folder must hold amazon-ssm-agent and ssm-agent-worker, or a folder such as linux_amd64 with them"},
	{is(pack.ErrPlatform), exitVerify, "name the platform the binaries were built for with --platform"},
	{is(pack.ErrVersion), exitVerify, "link binaries with -X " + stampVariable + "=ssm-setup-version=<version>"},
	{is(pack.ErrTooLow), exitUsage, "choose a version such as 9.1.0.0"},
	{is(pack.ErrThreeParts), exitUsage, "Windows compares three parts of a version: choose one such as 9.1.7.0, or leave msi, exe, update and greengrass out with --only"},
	{is(sign.ErrPassphrase), exitUsage, "put the right one into the variable " + passphraseVariable + ", or for the OpenPGP key alone into " + pgpPassphraseVariable},
	{is(sign.ErrExpired), exitRefused, "use a key that is valid now; nothing was signed with it"},
	{is(sign.ErrCommand), exitFailed, "it is run as CMD openpgp|x509 rsa-sha256|ecdsa-sha256 DIGEST, with the digest's bytes on standard input, and has to print base64"},
	{is(sign.ErrTimestamp), exitFailed, "run it again, or name another server with --timestamp-url"},
	{is(sign.ErrKey), exitUsage, "OpenPGP keys are read armored or not, private keys as PKCS #8, certificates as PEM or DER"},
	{is(sign.ErrUnsigned), exitVerify, "do not use it, unless you know where it comes from by other means"},
	{is(sign.ErrUntrusted), exitVerify, "name the key with --key or the certificate of the authority with --ca, if you trust them"},
	{is(sign.ErrBad), exitVerify, "the file is damaged or was changed: fetch it again, and do not use this one"},
	{is(publish.ErrRelease), exitUsage, "--from names what ssm-setup build wrote: dist, or dist/<version>"},
	{is(publish.ErrPublished), exitRefused, "a version's bytes never change: build a higher version, or say --replace"},
	{is(publish.ErrDenied), exitPermission, "use credentials that may write there (s3:GetObject, PutObject, ListBucket): AWS_PROFILE, --profile, AWS_SHARED_CREDENTIALS_FILE"},
	{is(publish.ErrUnable), exitRefused, "without If-Match and If-None-Match two publications could mix: publish to a folder with --to, and copy that, VERSION last"},
	{is(publish.ErrFaulty), exitRegion, "run it again later; VERSION still names the old version"},
	{is(publish.ErrDiffers), exitVerify, "the bucket gave back something else; run it again, VERSION still names the old version"},
	{is(publish.ErrChanged), exitBusy, "somebody else publishes there right now; run it again"},
	{is(publish.ErrNoBucket), exitRegion, "make the bucket first, or check the region's name and --to"},
	{is(publish.ErrCredentials), exitPermission, "set AWS_PROFILE, --profile, AWS_ACCESS_KEY_ID and its kin, or AWS_SHARED_CREDENTIALS_FILE"},
	{is(publish.ErrSigned), exitRefused, "give the key with --sign-pgp-key, or say --no-repositories; nothing was written"},
	{is(publish.ErrKey), exitVerify, "do not trust that region or bucket: no release names such a place"},
	{is(publish.ErrNotServed), exitRefused, "publish it first: ssm-setup publish; ssm-setup mark changes a status"},
	{is(errNoSum), exitVerify, "give --sha256, or put SHA256SUMS of the release beside the file"},
	{is(selfswap.ErrChecksum), exitVerify, "the file is damaged or not the one the checksum belongs to; nothing was changed"},
	{is(systems.ErrUnsupported), exitRefused, "the README lists the supported systems"},
	{is(errNotInstalled), exitRefused, "run ssm-setup install first"},
	{is(errOriginal), exitRefused, "remove the original agent first, or use --root with a folder of your own; its registration stays usable"},
	{is(errNotRoot), exitPermission, "run it as root, or use --root with a folder of your own"},
	{is(errLoose), exitPermission, "chmod go-w on that folder, or choose one of your own"},
	{is(errNoPackager), exitRefused, "use --root with a folder: it needs no package manager"},
	{is(errPackager), exitFailed, "repair what the package manager says and run the same command again"},
	{is(errNoRoom), exitNoSpace, "free some space and run the same command again; nothing was left half done"},
	{is(errOtherRegion), exitRefused, "ssm-setup register --override registers it anew, after that install again"},
	{is(errOtherFloor), exitRefused, "ssm-setup update --version changes what runs; the floor stays"},
	{is(errRegistration), exitRegistration, "check id and code, and that the activation has not expired nor reached its limit; nothing was left half done"},
	{is(errUnhealthy), exitUnhealthy, "it is installed and goes on trying: see ssm-setup status and the logs it names"},
	{is(updater.ErrBusy), exitBusy, "wait until that one is done, then run the same command again; ssm-setup status shows it"},
	{is(updater.ErrDeaf), exitUnhealthy, "it stays on probation and proves itself as soon as the service can be reached; ssm-setup rollback takes it back"},
	{is(updater.ErrLost), exitFailed, "ssm-setup status shows how it ends"},
	{is(errMirroring), exitBusy, "wait until that one is done, then run the same command again"},
	{is(installer.ErrBusy), exitBusy, "wait until that one is done, then run the same command again"},
	{is(unpack.ErrArchive), exitVerify, "the package is damaged although its checksum is right: publish it anew"},
	{is(unpack.ErrUnsafe), exitVerify, "this is not a package of ssm-setup build"},
	{is(unpack.ErrTooBig), exitVerify, "this is not a package of ssm-setup build"},
	{is(syscall.ENOTDIR), exitUsage, "a part of that path is a file: name another folder"},
	{is(fs.ErrNotExist), exitFailed, "see whether the files and folders that the command names are there"},
	{is(fs.ErrPermission), exitPermission, "run it as root, or use --root with a folder of your own"},
}

// stampVariable is what the linker sets to a program's version.
const stampVariable = "github.com/ssm-setup/ssm-setup/installer/stamp.mark"

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func isStatus(err error) bool {
	var s *bucket.StatusError
	return errors.As(err, &s)
}

// explain fills in code and hint.
func explain(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{verb: "do", object: "that", cause: err}
	}
	for _, e := range explanations {
		if !e.match(err) {
			continue
		}
		if p.code == 0 {
			p.code = e.code
		}
		if p.hint == "" {
			p.hint = e.hint
		}
		break
	}
	if p.code == 0 {
		p.code = exitFailed
	}
	return p
}

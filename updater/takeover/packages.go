package takeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// limits are for archives of either agent, in bytes: a package of some 60 MB, and on Ubuntu a snap beside it.
func limits() unpack.Limits { return unpack.Limits{Files: 100, File: 512 << 20, Total: 1 << 30} }

// fetch has both packages at hand, the source's first, and the package manager try the target's.
func (w *work) fetch(ctx context.Context) error {
	if err := w.openSources(ctx); err != nil {
		return err
	}
	from, err := w.obtain(ctx, w.home, w.r.Order.Source, "ErrorSourcePkgDownload", "source")
	if err != nil {
		return err
	}
	to, err := w.obtain(ctx, w.source, w.r.Order.Target, "ErrorTargetPkgDownload", "target")
	if err != nil {
		return err
	}
	w.r.From, w.r.To = from, to
	if err := w.save(); err != nil {
		return err
	}
	way := packingNamed(to.Packing)
	if way.try == nil {
		return nil
	}
	out, code, err := w.System.Run(ctx, "", 0, filled(way.try, w.path(*to))...)
	if err != nil || code != 0 {
		return &failure{code: "ErrorInstallFailed", text: fmt.Sprintf("failed to install %v %v, ErrorMessage=%v", w.r.Order.Package,
			to.Version,
			errors.Join(err, fmt.Errorf("the package manager would not take it: %s", lastLines(out))))}
	}
	return nil
}

func (w *work) openSources(ctx context.Context) (err error) {
	url, err := w.r.Order.manifestURL()
	if err == nil {
		w.source, err = w.Open(ctx, url)
	}
	if w.home = w.source; err == nil && w.r.Home != "" {
		w.home, err = w.Open(ctx, w.r.Home)
	}
	return err
}

// obtain fetches the archive of a version and unpacks it.
func (w *work) obtain(ctx context.Context, s Source, version, code, word string) (*Package, error) {
	bad := func(format string, args ...any) error {
		return &failure{code: code, text: fmt.Sprintf(format, args...)}
	}
	v, err := manifests.ParseVersion(version)
	if err != nil {
		return nil, bad("Failed to get %s hash/url: %v", word, err)
	}
	m, err := s.Manifest(ctx)
	if err != nil {
		return nil, bad("Failed to get %s hash/url: %v", word, err)
	}
	listing, err := m.Listing(agentPackage, w.archive())
	if err != nil {
		return nil, bad("Failed to get %s hash/url: %v", word, err)
	}
	entry, ok := listing.Find(v)
	sum, err := entry.Sum()
	if !ok || err != nil {
		return nil, bad("Failed to get %s hash/url: incorrect package name or version, %v, %v", word, agentPackage, version)
	}
	downloads := filepath.Join(w.Layout.Download(), "update")
	folder := filepath.Join(agentPackage, v.String())
	to := filepath.Join(w.Layout.UpdateRoot(), folder)
	if err := errors.Join(os.MkdirAll(downloads, 0o700), os.RemoveAll(to), os.MkdirAll(to, 0o700)); err != nil {
		return nil, &failure{code: "ErrorCreateUpdateFolder",
			text: fmt.Sprintf("failed to create download folder %v %v, ErrorMessage=%v", agentPackage, version,
				err)}
	}
	url, file := s.URL(v, w.archive()), filepath.Join(downloads, sum.String()+"-"+w.archive())
	if err := s.Fetch(ctx, bucket.Want{URL: url, Path: file, SHA256: sum, Size: entry.Size,
		Rate: cmp.Or(w.r.LimitRate, w.Rate)}); err != nil {
		return nil, bad("failed to download file reliably, %v, %v", url, err)
	}
	w.line1("Successfully downloaded %v", url)
	if _, err := unpack.File(file, to, limits(), func(string) bool { return true }); err != nil {
		return nil, bad("failed to uncompress installation package, %v", err)
	}
	os.Remove(file)
	return w.unpacked(v.String(), folder, bad)
}

// unpacked describes the package in an archive.
func (w *work) unpacked(version, folder string, bad func(string, ...any) error) (*Package, error) {
	p := &Package{Version: version, Packing: packingHere(w.platform(), w.System.Snap), Folder: folder}
	way := packingNamed(p.Packing)
	if p.File = way.payload; p.File == "" {
		p.File = way.script
	}
	sum, err := host.SHA256File(w.path(*p))
	if err != nil {
		return nil, bad("failed to uncompress installation package, there is no %v in it", p.File)
	}
	p.SHA256 = sum
	return p, errors.Join(host.SyncDir(filepath.Dir(w.path(*p))), host.SyncDir(filepath.Dir(filepath.Dir(w.path(*p)))))
}

func (w *work) path(p Package) string {
	return filepath.Join(w.Layout.UpdateRoot(), filepath.FromSlash(p.Folder), filepath.Base(p.File))
}

// present is what is installed; whole: the package manager calls it so.
func (w *work) present(ctx context.Context) (version string, whole bool) {
	way := packingNamed(packingHere(w.platform(), w.System.Snap))
	out, code, err := w.System.Run(ctx, "", time.Minute, way.query...)
	if err != nil || code != 0 {
		return "", false
	}
	has := versionIn(out)
	for _, other := range fourParts.FindAllString(out, -1) {
		if versionIn(other) != has { // a power cut in a transaction leaves both
			return has, false
		}
	}
	return has, strings.Contains(out, way.whole)
}

// Tries and waits (docs/protocol/update.md, "Running scripts").
const (
	triesForward = 4
	triesBack    = 3
	scriptTime   = 150 * time.Second
	longestWait  = 20 * time.Second
	managerWait  = 30 * time.Second
)

// Exit codes of scripts (docs/protocol/update.md, "Script behaviour and exit codes").
const (
	codeNoInit   = 124
	codePackager = 125
	codeSnapd    = 126
)

// put has a package put in the place of another, and the service started. What is in place already is not put again.
func (w *work) put(ctx context.Context, p, there Package, tries int) error {
	var out string
	var code int
	for n := 1; n <= tries; n++ {
		var err error
		if out, code, err = w.putOnce(ctx, p, there); err != nil {
			return err
		}
		if code == 0 {
			return w.startService(ctx)
		}
		if strings.Contains(out, `snap "amazon-ssm-agent" has running apps`) && n == tries {
			code = codeSnapd
		}
		if code == codeNoInit || n == tries {
			break
		}
		wait := min(time.Duration(4*n)*time.Second, longestWait) + time.Duration(w.System.Random(2000))*time.Millisecond
		if code == codePackager {
			wait += managerWait
		}
		if err := w.System.Pause(ctx, wait); err != nil {
			return err
		}
	}
	f := &failure{code: "ErrorInstallFailed", text: fmt.Sprintf("The execution of command returned Exit Status: %d \n %v", code,
		lastLines(out))}
	switch code {
	case codeNoInit:
		f.code = "ErrorUnsupportedServiceManager"
	case codeSnapd:
		f.code = "ErrorInstallFailedDueToSnapd"
	}
	return f
}

// putOnce is one try. A package manager is not interrupted; a script is, after its time.
func (w *work) putOnce(ctx context.Context, p, there Package) (out string, code int, err error) {
	if has, whole := w.present(ctx); whole && has == p.Version && packingNamed(p.Packing).put != nil {
		return "", 0, nil
	}
	if sum, err := host.SHA256File(w.path(p)); err != nil || sum != p.SHA256 {
		return "", 0, &failure{code: "ErrorInstallFailed", text: fmt.Sprintf("%s was changed or is damaged", w.path(p))}
	}
	way, dir := packingNamed(p.Packing), filepath.Dir(w.path(p))
	if way.unput != "" && below(p.Version, there.Version) {
		script := filepath.Join(filepath.Dir(w.path(there)), way.unput)
		out, code, err = w.System.Run(ctx, filepath.Dir(script), scriptTime, scripted(script)...)
		if w.print(out); err != nil || code != 0 {
			f := &failure{code: "ErrorUninstallFailed", sub: "downgrade_", text: fmt.Sprintf("failed to uninstall %v %v, ErrorMessage=%v",
				w.r.Order.Package, there.Version, lastLines(out))}
			if code == codeNoInit {
				f.code = "ErrorUnsupportedServiceManager"
			}
			return out, code, f
		}
	}
	if way.put != nil {
		out, code, err = w.System.Run(ctx, dir, 0, filled(way.put, w.path(p))...)
		if code != 0 {
			code = codePackager
		}
	} else {
		out, code, err = w.System.Run(ctx, dir, scriptTime, scripted(filepath.Join(dir, way.script))...)
	}
	w.print(out)
	if err != nil {
		return out, -1, nil //nolint:nilerr // it could not be started: another try may
	}
	if code == 0 && way.unsynced {
		if _, code, err := w.System.Run(ctx, "", 0, "sync"); err != nil || code != 0 {
			w.Log.Warn("the new files may not outlive a power cut in the next seconds", "code", code, "error", err)
		}
	}
	return out, code, nil
}

// print keeps what a package manager or script printed where the original does.
func (w *work) print(text string) {
	if text == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(w.Layout.UpdateRoot(), "stdout"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(text)
	_ = f.Close()
}

// startService starts the service anew: no script of a package is relied on for that.
func (w *work) startService(ctx context.Context) error {
	m, ok := managerNamed(w.System.Manager)
	if !ok {
		return noManager(w.System.Manager, w.System.Restart)
	}
	for _, c := range append(m.read, m.up...) {
		if out, code, err := w.System.Run(ctx, "", 2*time.Minute, c...); err != nil || code != 0 {
			w.Log.Warn("a command of the service manager failed", "command", c, "code", code, "printed", printable(out), "error", err)
		}
	}
	return nil
}

// lastLines are the last five lines of what a program printed, in one.
func lastLines(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return printable(strings.Join(lines[max(0, len(lines)-5):], "; "))
}

// printable is a text from outside for a reply or a log: at most 600 bytes, no control characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	const longest = 600
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

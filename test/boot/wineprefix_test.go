//go:build boot && linux

package boot_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// prefix is a Windows of one test's own: a wine prefix in which programs run, services are started and packages installed.
//
// What wine cannot show is not claimed: recovery by the service manager, rollback of an installation, access lists, what is hidden
// from an installer's log, the reason it shows to people, UAC, the event log, other architectures (it is for 64 bits only here).
type prefix struct {
	t   *testing.T
	dir string
}

// windows makes a Windows for a test; everything in it ends with the test. One ordinary program is held open for its length,
// for wine ends services soon after the last one.
func windows(t *testing.T) *prefix { t.Helper(); return windowsWith(t, shim) }

// plainWindows has only the source of random bytes that Go needs, and deletes as this wine does: not at all, for Go.
func plainWindows(t *testing.T) *prefix { t.Helper(); return windowsWith(t, plainShim) }

func windowsWith(t *testing.T, shim string) *prefix {
	t.Helper()
	t.Parallel() // it waits more than it works
	w := &prefix{t: t, dir: filepath.Join(t.TempDir(), "prefix")}
	// The system's own files are only linked; what is written in place (the registry) and what is ours to change is copied.
	copies := `mkdir "$2" && cp -al "$1"/. "$2" && cd "$2" &&
for f in *.reg; do cp -p "$f" "$f.own" && mv "$f.own" "$f"; done`
	if out, err := exec.Command("sh", "-ec", copies, "copy", preparedPrefix(t, shim), w.dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the prefix: %v\n%s", err, out)
	}
	t.Cleanup(w.halt)
	hold := w.command(context.Background(), "cmd")
	stdin, err := hold.StdinPipe()
	must(t, err)
	must(t, hold.Start())
	t.Cleanup(func() { stdin.Close(); hold.Wait() })
	return w
}

// shim is what wine 8 lacks for Go, as the bcryptprimitives.dll that every Go program loads first: a source of random bytes; and
// a deletion that Windows may not know (FileDispositionInformationEx, class 64) is answered as such a Windows answers, so that Go
// falls back to the older one. wine says "not implemented" instead, which Go does not know. The first 32 bytes of a system call
// of wine's can stand anywhere.
const shim = randomBytes + `
typedef LONG (WINAPI *call)(HANDLE, PVOID, PVOID, ULONG, ULONG);
static call original;
static LONG WINAPI answer(HANDLE file, PVOID status, PVOID info, ULONG n, ULONG class) {
	return class == 64 ? (LONG)0xC0000003 : original(file, status, info, n, class);
}
BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID more) {
	static const BYTE jump[6] = {0xff, 0x25};
	BYTE *at = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtSetInformationFile"), *copy;
	PVOID to = answer;
	DWORD old;
	if (why != DLL_PROCESS_ATTACH || !at || at[0] != 0x4c || at[31] != 0xc3) return TRUE;
	if (!(copy = VirtualAlloc(0, 32, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE))) return TRUE;
	for (int i = 0; i < 32; i++) copy[i] = at[i];
	original = (call)copy;
	if (!VirtualProtect(at, 14, PAGE_EXECUTE_READWRITE, &old)) return TRUE;
	for (int i = 0; i < 6; i++) at[i] = jump[i];
	for (int i = 0; i < 8; i++) at[6 + i] = ((BYTE *)&to)[i];
	return TRUE;
}
`

// plainShim is the source of random bytes alone.
const plainShim = randomBytes + `
BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID more) { return TRUE; }
`

const randomBytes = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n) { return SystemFunction036(data, (ULONG)n); }
`

// shimName tells prefixes with different shims apart.
func shimName(shim string) string {
	sum := sha256.Sum256([]byte(shim))
	return hex.EncodeToString(sum[:4])
}

// preparing holds the test that makes the prepared prefix; the others wait for it.
var preparing sync.Mutex

// preparedPrefix is a finished prefix with Go's needs met, made once a machine.
func preparedPrefix(t *testing.T, shim string) string {
	t.Helper()
	preparing.Lock()
	defer preparing.Unlock()
	dir := filepath.Join(os.TempDir(), "ssm-setup-boot-wine-"+shimName(shim))
	if _, err := os.Stat(dir + ".done"); err == nil {
		return dir
	}
	os.RemoveAll(dir)
	w := &prefix{t: t, dir: dir}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for _, step := range [][]string{{"wineboot", "-i"}, {"winecfg", "-v", "win10"}} {
		if out, err := w.command(ctx, step...).CombinedOutput(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			t.Fatalf("%s: %v\n%s", step[0], err, out)
		}
	}
	w.halt()
	w.eventually("a registry on disk", func() bool { // the server writes it at its end, which halt does not always see
		_, err := os.Stat(filepath.Join(dir, "system.reg"))
		return err == nil
	})
	source := filepath.Join(t.TempDir(), "shim.c")
	must(t, os.WriteFile(source, []byte(shim), 0o600))
	out, err := exec.Command("x86_64-w64-mingw32-gcc", "-shared", "-O2", "-s", "-nostartfiles", "-e", "DllMain",
		"-o", w.path(`C:\windows\system32\bcryptprimitives.dll`), source, "-ladvapi32").CombinedOutput()
	if err != nil {
		t.Fatalf("bcryptprimitives.dll: %v\n%s", err, out)
	}
	must(t, os.WriteFile(dir+".done", nil, 0o644))
	return dir
}

// command is a Windows program to be run; "cmd", "sc" and their like are found by name.
func (w *prefix) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "wine", args...)
	cmd.Env = append(w.environment(), "AWS_EC2_METADATA_DISABLED=true")
	cmd.WaitDelay = 5 * time.Second // children that live on keep the pipes
	return cmd
}

// environment has nothing of this machine's account in it: wine hands it on.
func (w *prefix) environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + filepath.Dir(w.dir), "LC_ALL=C.UTF-8", "WINEPREFIX=" + w.dir,
		"WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
}

// try runs a program and returns what it printed. The exit code is cut to 8 bits.
func (w *prefix) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := w.command(ctx, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), err
}

// run is try for what must work.
func (w *prefix) run(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// path is where a file of drive C: lies on this machine.
func (w *prefix) path(windows string) string {
	rest := strings.TrimPrefix(windows, `C:\`)
	return filepath.Join(w.dir, "drive_c", filepath.FromSlash(strings.ReplaceAll(rest, `\`, "/")))
}

// copy puts a file of the host into the prefix, whose folders it makes.
func (w *prefix) copy(from, to string) {
	w.t.Helper()
	to = w.path(to)
	must(w.t, os.MkdirAll(filepath.Dir(to), 0o755))
	in, err := os.Open(from)
	must(w.t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	must(w.t, err)
	defer out.Close()
	_, err = io.Copy(out, in)
	must(w.t, err)
}

// write makes a text file in the prefix.
func (w *prefix) write(to, text string) {
	w.t.Helper()
	must(w.t, os.MkdirAll(filepath.Dir(w.path(to)), 0o755))
	must(w.t, os.WriteFile(w.path(to), []byte(text), 0o644))
}

// processes are this machine's ids of the prefix's running programs of a file name. (wine's own tasklist prints nothing.)
func (w *prefix) processes(name string) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		program, _, _ := strings.Cut(string(line), "\x00")
		if !strings.EqualFold(program[strings.LastIndexAny(program, `\/`)+1:], name) {
			continue
		}
		env, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if strings.Contains("\x00"+string(env), "\x00WINEPREFIX="+w.dir+"\x00") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (w *prefix) eventually(what string, ok func() bool) { w.t.Helper(); eventually(w.t, what, ok) }

// halt ends everything in the prefix and waits for it.
func (w *prefix) halt() {
	for _, flag := range []string{"-k", "-w"} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		cmd := exec.CommandContext(ctx, "/usr/lib/wine/wineserver64", flag)
		cmd.Env = w.environment()
		_ = cmd.Run()
		cancel()
	}
}

//go:build boot

package browser_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one browser with one tab, and what its pages complained of.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// openTab starts chromium; the test says so where there is none.
func openTab(t *testing.T) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("this machine has no chromium")
	}
	profile, err := os.MkdirTemp("", "chromium-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(profile) })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profile),
		chromedp.WindowSize(1280, 800), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	must(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // starts the browser, which lives as long as this context
	must(t, chromedp.Listen(ctx, func(e any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	}))
	return b
}

// perform runs one action, which waits for what it needs.
func perform[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, long)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "Could not find node with given id") {
		time.Sleep(100 * time.Millisecond) // the live page exchanged the element after it was looked for: nothing was done with it
		value, err = chromedp.Run(ctx, action)
	}
	if err != nil {
		b.fail(err)
	}
	return value
}

// fail ends the test with what the page shows.
func (b *tab) fail(err error) {
	b.t.Helper()
	at, _ := chromedp.Run(b.ctx, chromedp.Location())
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	b.t.Fatalf("%v at %s\n%s\n%q", err, at, text, b.complaintsNow())
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	perform(b, chromedp.Steps(actions...))
}

// ask evaluates an expression.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	return perform(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// until waits until an expression holds. (The page's policy forbids what chromedp's own waiting would put into it.)
func (b *tab) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(50 * time.Millisecond) {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && ok { // an error: the page is being exchanged
			return
		}
		if time.Now().After(end) {
			b.fail(fmt.Errorf("never: %s (%w)", expression, err))
		}
	}
}

// reads waits until the page's text says all of these.
func (b *tab) reads(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
	}
}

func (b *tab) click(selector string) { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }

// follow clicks a link by its words.
func (b *tab) follow(words string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`//a[normalize-space()=%q]`, words))))
}

// open follows a link of the menu and waits for its page.
func (b *tab) open(words string) {
	b.t.Helper()
	b.follow(words)
	b.until(fmt.Sprintf("document.querySelector('nav a[aria-current]')?.textContent == %q && document.querySelector('footer')", words))
}

// shot keeps a picture.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SSM_SETUP_SCREENSHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	must(b.t, os.MkdirAll(dir, 0o755))
	png := perform(b, chromedp.CaptureScreenshot())
	must(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	b.t.Logf("%s.png has %d bytes", name, len(png))
}

func TestAPersonInstallsCommandsAndUpdatesThreeHostsInABrowser(t *testing.T) {
	b := openTab(t)
	r := startRegion(t)
	r.publish("9.1.0.0")
	for i := 1; i <= 3; i++ { // stopped before the region is
		root := filepath.Join(r.dir, fmt.Sprintf("host%d", i))
		t.Cleanup(func() {
			if out, err := r.command("uninstall", "--root", root).CombinedOutput(); err != nil {
				t.Errorf("uninstall %s: %v\n%s", root, err, out)
			}
		})
	}
	b.do(chromedp.Navigate(r.link()))
	b.reads("No host is registered", "live")
	install(b, r)
	command(b)
	r.publish("9.2.0.0")
	update(b)
	look(b)
	attack(b, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser says: %s", c)
	}
}

// install makes an activation and runs its line for three folders; the list of hosts follows without a reload.
func install(b *tab, r *region) {
	b.t.Helper()
	b.open("Activations")
	b.do(chromedp.SetValue(chromedp.CSS("input[name=limit]"), "3"), chromedp.Click(chromedp.CSS("button.main")))
	line := perform(b, chromedp.Text(chromedp.CSS("#line")))
	if !strings.HasPrefix(line, "echo ") || !strings.Contains(line, "./host1") {
		b.t.Fatalf("the line: %s", line)
	}
	b.shot("activation")
	b.open("Hosts")
	b.reads("No host is registered", "live")
	ask[bool](b, "window.sameDocument = true")
	for _, root := range []string{"./host1", "./host2", "./host3"} {
		r.shell(strings.Replace(line, "./host1", root, 1))
	}
	b.reads("3 hosts", "9.1.0.0: 3", "up to date")
	b.until("[...document.querySelectorAll('td .chip')].filter(c => c.textContent == 'Online').length == 3")
	if !ask[bool](b, "window.sameDocument === true") {
		b.t.Error("the page was loaded anew")
	}
	b.shot("hosts")
}

// command sends a script through the form that its document makes.
func command(b *tab) {
	b.t.Helper()
	b.open("Commands")
	b.follow("Send a command")
	b.do(chromedp.SendKeys(chromedp.CSS("#p-commands"), "echo $((6*7))\nsleep 2\necho '<b>bold</b>'"))
	b.click("input[data-all=host]")
	b.shot("send")
	b.click("button.main")
	b.reads("3 of 3 done", "42", "<b>bold</b>")
	b.shot("command")
}

// update sends the update document and watches the hosts move.
func update(b *tab) {
	b.t.Helper()
	b.open("Releases")
	b.reads("9.2.0.0", "newest", "0 of 3")
	b.open("Documents")
	b.do(chromedp.Click(chromedp.Search(`//tr[contains(., "AWS-UpdateSSMAgent")]//a[.="Send"]`)))
	b.click("input[data-all=host]")
	b.click("button.main")
	b.reads("AWS-UpdateSSMAgent", "of 3 done")
	b.open("Hosts")
	b.reads("9.2.0.0: 3", "up to date")
	b.shot("updated")
	b.open("Releases")
	b.reads("3 of 3")
	b.follow("9.2.0.0")
	b.reads("3 hosts run it, 0 another version", "from 9.1.0.0", "not listed")
	b.shot("release")
	b.open("Hosts")
	b.click("tbody a")
	b.reads("a command asked for it", "succeeded", "not told")
	b.shot("host")
}

// look at the page on a phone, in the dark and with the keyboard alone.
func look(b *tab) {
	b.t.Helper()
	b.prefer("dark")
	for _, words := range []string{"Hosts", "Commands", "Documents", "Activations", "Releases", "Calls"} {
		b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		b.open(words)
		if wide := ask[float64](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
			b.t.Errorf("%s is %v pixels wider than a phone: %s", words, wide, ask[string](b, `[...document.querySelectorAll('body *')].filter(
				e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 120)).join('\n')`))
		}
		if words == "Hosts" {
			b.shot("phone-dark")
		}
	}
	if color := ask[string](b, "getComputedStyle(document.documentElement).backgroundColor"); color != "rgb(21, 23, 26)" {
		b.t.Errorf("in the dark the page is %s", color)
	}
	b.prefer("light")
	b.do(chromedp.EmulateViewport(1280, 800))
	b.open("Hosts")
	b.do(chromedp.KeyEvent("\t"))
	if class := ask[string](b, "document.activeElement.className"); class != "skip" {
		b.t.Errorf("the first key leads to %q", class)
	}
	b.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"))
	b.reads("AWS-UpdateSSMAgent", "3/3")
}

// prefer sets the colours that the person wants.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// attack shows a page in a bucket and a page at another port of the console's name what they can do: nothing.
func attack(b *tab, r *region) {
	b.t.Helper()
	page := filepath.Join(r.dir, "evil.html")
	must(b.t, os.WriteFile(page, []byte("<title>sound</title><script>document.title='ran'</script>"), 0o600))
	r.shell("aws --endpoint-url " + r.URL + " --region local s3 cp --content-type text/html " + page + " s3://amazon-ssm-local/evil.html")
	base := perform(b, chromedp.Location())
	seen := len(b.complaintsNow())
	b.do(chromedp.Navigate(r.URL + "/amazon-ssm-local/evil.html"))
	if title := perform(b, chromedp.Title()); title != "sound" {
		b.t.Errorf("a script of the bucket ran: %s", title)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b.t, err)
	cookies := make(chan string, 10)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		cookies <- req.Header.Get("Cookie")
		fmt.Fprint(w, "<title>neighbour</title>")
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	b.do(chromedp.Navigate("http://console.localhost:" + port + "/"))
	if cookie := <-cookies; cookie != "" {
		b.t.Errorf("another port of the name was sent the cookie %s", cookie)
	}
	base = base[:strings.LastIndex(base, "/")+1]
	for _, what := range []string{
		fmt.Sprintf("fetch(%q, {credentials: 'include'}).then(() => 'read', () => 'refused')", base+"hosts"),
		fmt.Sprintf("fetch(%q, {credentials: 'include', method: 'POST', mode: 'no-cors', body: new URLSearchParams({limit: 7})}).then(x => x.type, "+
			"() => 'refused')", base+"activations"),
	} {
		if got := ask[string](b, what); got == "read" {
			b.t.Errorf("%s: %s", what, got)
		}
	}
	b.mu.Lock()
	b.complaints = b.complaints[:seen] // what is refused to these pages is said there
	b.mu.Unlock()
	b.do(chromedp.Navigate(base + "activations"))
	b.reads("3 of 3")
	if ask[bool](b, "document.body.innerText.includes('of 7')") {
		b.t.Error("another port made an activation")
	}
}

func (b *tab) complaintsNow() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.complaints...)
}

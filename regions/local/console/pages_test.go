package console_test

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local/simulated"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'><svg/onload=alert(3)>`

// Hosts, commands, documents and objects say what they like; none of it may become markup.
func TestNoTextOfOthersBecomesMarkup(t *testing.T) {
	d := open(t).enter()
	ctx := context.Background()
	h := d.hosts(1, "9.1.0.0", func(h *simulated.Host) { h.Facts.ComputerName, h.Facts.PlatformName = evil, evil })[0]
	must(t, h.Ping(ctx, "UpdateFailed_"+evil+"-9.2.0.0", "9.1.0.0"))
	must(t, d.region.Put("amazon-ssm-agent/9.2.0.0/"+evil+".deb", []byte(evil)))
	must(t, d.region.Put("latest/VERSION", []byte(evil)))
	must(t, d.region.PutDocument("Evil", `{"schemaVersion":"2.2","description":`+quoted(evil)+`,"parameters":{"p":{"type":"String",
		"description":`+quoted(evil)+`,"default":`+quoted(evil)+`,"allowedValues":[`+quoted(evil)+`]}},
		"mainSteps":[{"action":"aws:runShellScript","name":`+quoted(evil)+`}]}`))
	location := d.post("send", url.Values{"document": {"AWS-RunShellScript"}, "p.commands": {evil}, "host": {h.ID}, "comment": {evil}})
	m, err := h.Poll(ctx)
	must(t, err)
	must(t, h.Reply(ctx, m[0], wire.InProgress, "aws:runShellScript", wire.StepStatus{Status: wire.InProgress,
		StandardOutput: evil, StandardError: evil, Output: evil, Name: evil}))
	d.do("POST", d.at("activations"), url.Values{"limit": {"1"}, "name": {evil}})
	for _, path := range []string{"hosts", "host/" + h.ID, "commands", location, location + "?host=" + url.QueryEscape(evil), "documents",
		"document/Evil", "edit/Evil", "send?document=Evil", "send?tag=" + url.QueryEscape(evil), "activations", "releases", "release/9.2.0.0",
		"calls?operation=" + url.QueryEscape(evil), "document/Evil?since=1"} {
		body := d.get(path)
		for _, bad := range []string{"<script>alert", "<img src=x", "<svg/onload", `onerror=alert(2)>`} {
			if strings.Contains(body, bad) && !strings.Contains(body, "&lt;img src=x onerror") {
				t.Errorf("%s has %s", path, bad)
			}
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.Contains(body, "<svg/") {
			t.Errorf("%s: markup of others\n%s", path, body)
		}
	}
	res, body := d.do("POST", d.at("edit"), url.Values{"name": {evil}, "text": {evil}, "do": {"save"}})
	if res.StatusCode != 400 || strings.Contains(body, "<script>alert") {
		t.Errorf("%s\n%s", res.Status, body)
	}
	// The object itself, opened from the bucket, runs nothing, and lies at another origin.
	if strings.HasPrefix(d.region.URL(), d.console.URL()) {
		t.Error("one origin")
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestHostsAreShownWithVersionsUpdatesAndCommands(t *testing.T) {
	d := open(t).enter()
	ctx := context.Background()
	for _, v := range []string{"9.1.0.0", "9.2.0.0"} {
		must(t, d.region.Put("amazon-ssm-agent/"+v+"/amazon-ssm-agent-linux-amd64.tar.gz", []byte(v)))
	}
	must(t, d.region.Put("latest/VERSION", []byte("9.2.0.0\n")))
	old, fresh := d.hosts(2, "9.1.0.0"), d.hosts(1, "9.2.0.0")[0]
	id, err := d.region.SendCommand("AWS-UpdateSSMAgent", old[0].ID, nil)
	must(t, err)
	must(t, old[0].Ping(ctx, "UpdateInitialized-9.2.0.0", "9.1.0.0"))
	must(t, old[1].Ping(ctx, "UpdateInitialized_SelfUpdate-9.2.0.0", "9.1.0.0"))
	must(t, old[1].Ping(ctx, "UpdateFailed_SelfUpdate_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.2.0.0", "9.1.0.0"))
	body := d.get("hosts")
	want(t, body, "<b>3</b> hosts", "newest release <b>9.2.0.0</b>", "host00.example", ">up to date<", ">under way<", ">undone<",
		"release 1 of 2",
		"release 2 of 2", "9.1.0.0: 2", "9.2.0.0: 1", "AWS-UpdateSSMAgent", "none of the last 50")
	want(t, d.get("host/"+old[0].ID), "Debian GNU/Linux", "192.0.2.1", "a command asked for it", id, "not told", "under way")
	want(t, d.get("host/"+old[1].ID), "the host&#39;s own timer", "ErrorUpdateFailRollbackSuccess", "undone")
	must(t, old[0].Ping(ctx, "Active", "9.2.0.0"))
	must(t, old[0].Ping(ctx, "UpdateSucceeded-9.2.0.0", "9.1.0.0"))
	page := d.get("host/" + old[0].ID)
	want(t, page, ">succeeded<", "up to date")
	if seen := regexp.MustCompile(`(?s)were seen running.*?</table>`).FindString(page); !strings.Contains(seen, "9.1.0.0") ||
		!strings.Contains(seen, "9.2.0.0") {
		t.Errorf("seen: %s", seen)
	}
	want(t, d.get("release/9.2.0.0"), "2 hosts run it, 1 another version", "2 hosts moved within", "from 9.1.0.0",
		"amazon-ssm-agent-linux-amd64.tar.gz", fresh.ID)
	want(t, d.get("releases"), "2 of 3", "newest", "none beside the files", "not signed")
	if res, _ := d.do("GET", d.at("host/mi-none"), nil); res.StatusCode != 404 {
		t.Errorf("a host there is not: %s", res.Status)
	}
}

func TestACommandIsSentWatchedAndCancelled(t *testing.T) {
	d := open(t).enter()
	ctx := context.Background()
	hosts := d.hosts(3, "9.1.0.0")
	slices.SortFunc(hosts, func(a, b *simulated.Host) int { return strings.Compare(a.ID, b.ID) }) // the order they are served in
	want(t, d.get("send?document=AWS-RunShellScript"), `<textarea id="p-commands"`, "StringList, required", `value="3600"`, "Must match",
		`name="host" value="`+hosts[0].ID+`"`)
	want(t, d.get("send?document=AWS-UpdateSSMAgent"), `<select id="p-allowDowngrade"`, "<option selected>false</option>")
	// A refused form comes back as it was filled in.
	res, body := d.do("POST", d.at("send"), url.Values{"document": {"AWS-RunShellScript"}, "p.commands": {"echo hi"},
		"p.executionTimeout": {"no"}, "host": {hosts[0].ID}})
	if res.StatusCode != 400 {
		t.Errorf("a bad parameter: %s", res.Status)
	}
	want(t, body, "executionTimeout", "echo hi", `value="`+hosts[0].ID+`" checked`)
	location := d.post("send", url.Values{"document": {"AWS-RunShellScript"}, "p.commands": {"echo hi\r\necho there\r\n"},
		"concurrency": {"2"}, "host": {hosts[0].ID, hosts[1].ID, hosts[2].ID}})
	want(t, d.get(location), "0 of 3 done", "not sent yet", "echo hi\necho there")
	m, err := hosts[0].Poll(ctx)
	must(t, err)
	must(t, hosts[0].Acknowledge(ctx, m[0]))
	must(t, hosts[0].Reply(ctx, m[0], wire.InProgress, "aws:runShellScript", wire.StepStatus{Status: wire.InProgress, StandardOutput: "hi\n"}))
	want(t, d.get(location), ">hi\n</pre>", "under way")
	must(t, hosts[0].Reply(ctx, m[0], wire.Success, "aws:runShellScript", wire.StepStatus{Status: wire.Success,
		StandardOutput: "hi\nthere\n"}))
	want(t, d.get(location), "1 of 3 done", ">hi\nthere\n</pre>", "exit code 0")
	want(t, d.get("host/"+hosts[0].ID), ">hi\nthere\n</pre>")
	if back := d.post(location, url.Values{}); back != location {
		t.Errorf("cancelling leads to %s", back)
	}
	want(t, d.get(location), "3 of 3 done", "Cancelled")
	want(t, d.get("commands"), "3/3", "AWS-RunShellScript")
}

func TestADocumentIsValidatedComparedAndKept(t *testing.T) {
	d := open(t).enter()
	one := "schemaVersion: '2.2'\nparameters:\n  n: {type: StringList, default: [a, b]}\nmainSteps:\n" +
		"- {action: 'aws:runShellScript', name: one}\n"
	two := strings.ReplaceAll(one, "name: one", "name: two")
	res, body := d.do("POST", d.at("edit"), url.Values{"name": {"Mine"}, "text": {"schemaVersion: '7'"}, "do": {"check"}})
	if res.StatusCode != 400 || !strings.Contains(body, "schema version") {
		t.Errorf("%s\n%s", res.Status, body)
	}
	_, body = d.do("POST", d.at("edit"), url.Values{"name": {"Mine"}, "text": {one}, "do": {"check"}})
	want(t, body, "valid Command document", "<b>one</b> (aws:runShellScript)")
	if res, _ := d.do("GET", d.at("document/Mine"), nil); res.StatusCode != 400 {
		t.Errorf("validating kept it: %s", res.Status)
	}
	if at := d.post("edit", url.Values{"name": {"Mine"}, "text": {one}, "do": {"save"}}); at != "document/Mine" {
		t.Errorf("saved at %s", at)
	}
	_, body = d.do("POST", d.at("edit/Mine"), url.Values{"text": {two}, "do": {"check"}})
	want(t, body, "What changes")
	d.post("edit/Mine", url.Values{"text": {two}, "do": {"save"}})
	body = d.get("document/Mine?version=2&since=1")
	want(t, body, `<span class="gone">-`, `<span class="add">&#43;`, "2 (default)")
	want(t, d.get("document/Mine?version=1&since=1"), "Nothing.")
	want(t, d.get("send?document=Mine"), ">\na\nb</textarea>")
	want(t, d.get("documents"), "Mine", "AWS-RunShellScript")
	if strings.Contains(d.get("document/AWS-RunShellScript"), "Write a new version") {
		t.Error("a built-in document is offered for writing")
	}
}

var line = regexp.MustCompile(`<pre id="line"[^>]*>(.*?)</pre>`)

func TestAnActivationComesWithItsInstallLineOnce(t *testing.T) {
	d := open(t).enter()
	res, body := d.do("POST", d.at("activations"), url.Values{"limit": {"3"}})
	m := line.FindStringSubmatch(body)
	if res.StatusCode != 200 || m == nil {
		t.Fatalf("%s\n%s", res.Status, body)
	}
	words := strings.Fields(m[1])
	want(t, m[1], "ssm-setup install --region local", "--endpoint "+d.region.URL(), "--activation-code-file -")
	if again := d.get("activations"); strings.Contains(again, words[1]) || !strings.Contains(again, "0 of 3") {
		t.Errorf("the code is shown again\n%s", again)
	}
	for _, bad := range []string{"0", "x", "5000"} {
		if res, _ := d.do("POST", d.at("activations"), url.Values{"limit": {bad}}); res.StatusCode != 400 {
			t.Errorf("limit %s: %s", bad, res.Status)
		}
	}
	id := regexp.MustCompile(`name="delete" value="([^"]+)"`).FindStringSubmatch(d.get("activations"))[1]
	d.post("activations", url.Values{"delete": {id}})
	want(t, d.get("activations"), "There is none.")
}

func TestCallsAreALogWithFilters(t *testing.T) {
	d := open(t).enter()
	h := d.hosts(1, "9.1.0.0")[0]
	_, err := d.client.Get(d.region.URL() + "/amazon-ssm-local/none")
	must(t, err)
	want(t, d.get("calls"), "UpdateInstanceInformation", h.ID, "RegisterManagedInstance", "NoSuchKey")
	errors := d.get("calls?errors=1")
	if !strings.Contains(errors, "NoSuchKey") || strings.Contains(errors, "UpdateInstanceInformation") {
		t.Errorf("%s", errors)
	}
	if by := d.get("calls?who=" + h.ID); !strings.Contains(by, "UpdateInstance") || strings.Contains(by, "NoSuchKey") {
		t.Errorf("%s", by)
	}
	if op := d.get("calls?operation=register"); !strings.Contains(op, "RegisterManaged") || strings.Contains(op, "UpdateInstance") {
		t.Errorf("%s", op)
	}
}

func TestReleasesSayWhichFilesAreSigned(t *testing.T) {
	d := open(t).enter()
	for key, text := range map[string]string{"amazon-ssm-agent/9.3.0.0/a.deb": "x",
		"9.3.0.0/SHA256SUMS":     strings.Repeat("ab", 32) + "  a.deb\n",
		"9.3.0.0/SHA256SUMS.asc": "y", "dists/stable/InRelease": "z", "ssm-setup.asc": "k", "stable/VERSION": "9.3.0.0"} {
		must(t, d.region.Put(key, []byte(text)))
	}
	want(t, d.get("releases"), "stable 9.3.0.0", "with 1 signatures", "public key is there", "1 files", "not in the manifest")
	want(t, d.get("release/9.3.0.0"), "SHA256SUMS.asc", "abababab…", "not listed")
}

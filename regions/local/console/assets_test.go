package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local/console"
)

// sentMost is what a browser that opens a page is sent at most, in bytes as they go over the wire.
const sentMost = 150_000

func TestAPageWithAllItNeedsIsSmall(t *testing.T) {
	d := open(t).enter()
	d.hosts(50, "9.1.0.0")
	zipped := func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") }
	sent := func(path string) int {
		res, body := d.do("GET", d.console.URL()+path, nil, zipped)
		if res.StatusCode != 200 {
			t.Fatalf("%s: %s", path, res.Status)
		}
		if res.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is sent as it is", path)
		}
		return len(body)
	}
	page := d.get("hosts")
	sum := sent(d.base + "hosts")
	files := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) != 6 {
		t.Errorf("the page asks for %v", files)
	}
	for _, m := range files {
		sum += sent(m[1])
	}
	t.Logf("%d bytes", sum)
	if sum > sentMost {
		t.Errorf("%d bytes, at most %d", sum, sentMost)
	}
}

// The console works without a network: nothing in it names another address.
func TestNothingIsFetchedFromElsewhere(t *testing.T) {
	for _, folder := range []string{"pages", "assets"} {
		files, err := os.ReadDir(folder)
		must(t, err)
		for _, f := range files {
			text, err := os.ReadFile(folder + "/" + f.Name())
			must(t, err)
			for _, address := range regexp.MustCompile(`https?://[^\s"'<>)]+`).FindAllString(string(text), -1) {
				if !slices.Contains([]string{"http://www.w3.org/2000/svg", "http://cyclonedx.org/schema/bom-1.6.schema.json",
					"http://www.w3.org/1999/xhtml"}, address) {
					t.Errorf("%s/%s names %s", folder, f.Name(), address)
				}
			}
		}
	}
}

// What is not our own is in the bill of materials, byte for byte, and in the notice; what is in assets is one or the other.
func TestLibrariesOfOthersAreListedWithLicenceAndHash(t *testing.T) {
	parts, err := console.Parts()
	must(t, err)
	notice, err := os.ReadFile("../../../NOTICE")
	must(t, err)
	known := []string{"console.css", "console.js", "mark.svg", "vendored.cdx.json"}
	for _, p := range parts {
		text, err := os.ReadFile("assets/" + p.File)
		must(t, err)
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != p.SHA256 {
			t.Errorf("%s is not the file that is listed", p.File)
		}
		for _, word := range []string{p.Name, p.Version, p.Licence, p.SHA256} {
			if !strings.Contains(string(notice), word) {
				t.Errorf("the notice does not name %s of %s", word, p.Name)
			}
		}
		known = append(known, p.File)
	}
	files, err := os.ReadDir("assets")
	must(t, err)
	for _, f := range files {
		if !slices.Contains(known, f.Name()) {
			t.Errorf("%s is in no list", f.Name())
		}
	}
	var bom map[string]any
	text, err := os.ReadFile("assets/vendored.cdx.json")
	must(t, err)
	must(t, json.Unmarshal(text, &bom))
	if bom["bomFormat"] != "CycloneDX" || bom["specVersion"] != "1.6" {
		t.Errorf("%v %v", bom["bomFormat"], bom["specVersion"])
	}
	d := open(t).enter()
	want(t, d.get("about"), "htmx.org", "0BSD", parts[0].SHA256)
}
